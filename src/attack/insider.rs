//! How an attack that is at work in a training hears of it, and acts: an ear on the wire and a place in the server's chair.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;

use super::kind::Kind;
use super::threat_model::Sees;
use super::training::{Heard, TrainingAttack};
use super::{Evidence, Inversion, Knowledge};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::Parameters;
use crate::model::seat::{Answer, ForwardPass, Lesson, Lift, Seat};
use crate::model::wire::{Crossing, CutGradient, Listener, Message, Smashed};
use crate::split::SplitModel;
use crate::state::State;

/// Makes the server's layers of its weights, for an attack that knows them.
pub type Look = Box<dyn Fn(&Parameters) -> Result<Network> + Send>;

/// An attack in a training, in the hands of all through whom it hears and acts. What its kind does not declare to see is
/// dropped before it gets here.
#[derive(Clone)]
pub struct Insider(Arc<Mutex<Inside>>);

struct Inside {
    attack: Box<dyn TrainingAttack>,
    kind: &'static Kind,
    look: Option<Look>,
    /// Epoch and step that are at work.
    moment: (usize, usize),
    /// What crossed in the step.
    messages: Vec<Message>,
    /// What its forward pass was of.
    smashed: Option<Message>,
    labels: Option<Tensor>,
}

impl fmt::Debug for Insider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Insider").field(&self.inside().kind.id).finish()
    }
}

impl Insider {
    /// Of an attack of this kind; `look` only where it knows the server's weights.
    pub fn new(attack: Box<dyn TrainingAttack>, kind: &'static Kind, look: Option<Look>) -> Self {
        let (moment, messages) = ((0, 0), Vec::new());
        Self(Arc::new(Mutex::new(Inside { attack, kind, look, moment, messages, smashed: None, labels: None })))
    }

    /// Lets it into a model that is about to train: it hears, and sits in the chair on top of whoever does, if its kind
    /// does so.
    #[must_use]
    pub fn enter(&self, model: SplitModel) -> SplitModel {
        let hijacks = self.inside().kind.make.hijacks();
        let mut model = model.seated(|below| Box::new(Chair { below, insider: self.clone(), hijacks }));
        model.listeners.push(Box::new(Ear(self.clone())));
        model
    }

    /// Says which step is at work.
    pub fn begin(&self, epoch: usize, step: usize) {
        let mut inside = self.inside();
        (inside.moment, inside.messages) = ((epoch, step), Vec::new());
    }

    /// Tells the attack of the step that was taken, after which the chair is as `seat` has it.
    ///
    /// # Errors
    /// Returns an error if the attack cannot do with it what it wants to.
    pub fn hear(&self, seat: &dyn Seat) -> Result<()> {
        let mut inside = self.inside();
        let messages = std::mem::take(&mut inside.messages);
        let heard = inside.heard(messages, seat.parameters())?;
        (inside.smashed, inside.labels) = (None, None);
        inside.attack.hear(&heard)
    }

    /// See [`TrainingAttack::loss`].
    pub fn loss(&self) -> f64 {
        self.inside().attack.loss()
    }

    /// See [`TrainingAttack::state`].
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn state(&self) -> Result<State> {
        self.inside().attack.state()
    }

    /// See [`TrainingAttack::load`].
    ///
    /// # Errors
    /// Returns an error if the state is of another attack.
    pub fn load(&self, state: &State) -> Result<()> {
        self.inside().attack.load(state)
    }

    /// See [`TrainingAttack::attack`].
    ///
    /// # Errors
    /// Returns an error if the attack lacks what it needs.
    pub fn attack(&self, seen: &Evidence, known: &Knowledge) -> Result<Box<dyn Inversion>> {
        self.inside().attack.attack(seen, known)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the attack sends down in place of the honest gradient.
    fn answer(&self, honest: &CutGradient, server: &Parameters) -> Result<Option<CutGradient>> {
        let mut inside = self.inside();
        let down = honest.message(Crossing::CutGradient);
        let crossed = inside.smashed.iter().cloned().chain([down]).filter(|message| inside.hears(message.crossing));
        let heard = inside.heard(crossed.collect(), server)?;
        let Some(sent) = inside.attack.answer(&heard)? else { return Ok(None) };
        let (id, dims) = (inside.kind.id, honest.tensor().dims());
        if sent.dims() != dims {
            let found = sent.dims();
            return Err(Error::input(format!("the attack {id} sends down {found:?}, the smashed data are {dims:?}")));
        }
        if !sent.flatten_all()?.to_vec1::<f32>()?.iter().all(|number| number.is_finite()) {
            return Err(Error::Diverged(format!("{id}: the gradient that it sends down is not finite")));
        }
        Ok(Some(CutGradient::new(&sent)))
    }
}

impl Inside {
    fn sees(&self, what: Sees) -> bool {
        self.kind.sees.contains(&what)
    }

    fn hears(&self, crossing: Crossing) -> bool {
        self.sees(Sees::Training(crossing))
    }

    fn heard(&self, messages: Vec<Message>, server: &Parameters) -> Result<Heard> {
        let (epoch, step) = self.moment;
        let server = self.look.as_ref().map(|look| look(server)).transpose()?;
        Ok(Heard { epoch, step, messages, labels: self.labels.clone(), server })
    }
}

/// The attack's ear on the wire.
#[derive(Debug)]
struct Ear(Insider);

impl Listener for Ear {
    fn hear(&mut self, message: &Message) -> Result<()> {
        let mut inside = self.0.inside();
        if inside.hears(message.crossing) {
            inside.messages.push(message.clone());
        }
        Ok(())
    }
}

/// The attack in the server's chair, on top of whoever sits there. One who only listens hears here which labels the server
/// was told, and lets everything through.
#[derive(Debug)]
struct Chair {
    below: Box<dyn Seat>,
    insider: Insider,
    hijacks: bool,
}

impl Seat for Chair {
    fn answer(&self, z: &Smashed, lift: Lift<'_>) -> Result<Answer> {
        self.below.answer(z, lift)
    }

    fn forward(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<ForwardPass> {
        let mut inside = self.insider.inside();
        inside.smashed = self.hijacks.then(|| z.message(Crossing::Smashed));
        inside.labels = inside.sees(Sees::TrainingLabels).then(|| labels.clone());
        drop(inside);
        self.below.forward(z, labels, lift)
    }

    fn learn(&mut self, pass: ForwardPass) -> Result<(CutGradient, Lesson)> {
        let (honest, lesson) = self.below.learn(pass)?;
        let sent = if self.hijacks { self.insider.answer(&honest, self.below.parameters())? } else { None };
        Ok((sent.unwrap_or(honest), lesson))
    }

    fn cut_gradient(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<CutGradient> {
        self.below.cut_gradient(z, labels, lift)
    }

    fn jacobian(&self, z: &Smashed, lift: Lift<'_>) -> Result<[CutGradient; 2]> {
        self.below.jacobian(z, lift)
    }

    fn plain_logits(&self, z: &Tensor) -> Result<Tensor> {
        self.below.plain_logits(z)
    }

    fn parameters(&self) -> &Parameters {
        self.below.parameters()
    }

    fn votes(&self) -> Option<Vec<f64>> {
        self.below.votes()
    }

    fn set_votes(&mut self, votes: &[f64]) {
        self.below.set_votes(votes);
    }

    fn pace(&mut self, factor: f64) {
        self.below.pace(factor);
    }

    fn end_epoch(&mut self, hits: &[f64]) {
        self.below.end_epoch(hits);
    }

    fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.below.optimiser_state()
    }

    fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.below.load_optimiser(state)
    }
}
