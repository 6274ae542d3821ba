//! Attacks that are at work while a model trains: one listens to what crosses, one takes the server's chair.
//!
//! Such an attack has a training of its own: the run's, done again from the same seed on the same images in the same order
//! (`run::replay`), so that the run's own models stay what they are. To one who listens it is the run's to the bit; with
//! somebody else in the chair it becomes another one, whose client is the one attacked. When the training is over, the
//! client is asked about the targets, and the attack makes of that what it can.

use candle_core::Tensor;

use super::evidence::undeclared;
use super::{Evidence, Inversion, Knowledge};
use crate::error::Result;
use crate::model::network::Network;
use crate::model::wire::{Crossing, Message};
use crate::state::State;

/// An attack at work in a training.
pub trait TrainingAttack: Send {
    /// Hears a step once it was taken: all that crossed in it and that its kind declares to see.
    ///
    /// # Errors
    /// Returns an error if its numbers stop being finite, or it uses what it does not declare.
    fn hear(&mut self, step: &Heard) -> Result<()>;

    /// The gradient that it sends down (shaped as the smashed data), where it sits in the server's chair; none for the honest
    /// one. It is asked after the honest server has learnt from the batch: the step has the smashed data, their labels
    /// and the honest gradient, as far as the kind declares them. Who listens is never asked.
    ///
    /// # Errors
    /// Returns an error if its numbers stop being finite, or it uses what it does not declare.
    fn answer(&mut self, _step: &Heard) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Its own loss, for those who watch; not a number where it has none.
    fn loss(&self) -> f64 {
        f64::NAN
    }

    /// Everything that it needs to go on from here, for [`Self::load`]: the run may be stopped after any step.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    fn state(&self) -> Result<State>;

    /// Goes on from what [`Self::state`] gave.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another attack; this one is then good for nothing.
    fn load(&mut self, state: &State) -> Result<()>;

    /// The attack on the targets once the training is over, be it of no step: `seen` is what the trained client sent for them, `known` has the
    /// weights that the kind declares to know, as they are then.
    ///
    /// # Errors
    /// Returns an error if it lacks what it needs.
    fn attack(&self, seen: &Evidence, known: &Knowledge) -> Result<Box<dyn Inversion>>;
}

/// What an attack hears of one training step, and nothing that its kind does not declare.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Whole epochs before the step.
    pub epoch: usize,
    /// Steps before it in its epoch.
    pub step: usize,
    pub(super) messages: Vec<Message>,
    pub(super) labels: Option<Tensor>,
    pub(super) server: Option<Network>,
}

impl Heard {
    /// What crossed, in its order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The numbers (N, …) of the first message of this sort.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see such, or none crossed: only some defences send probes.
    pub fn crossed(&self, crossing: Crossing) -> Result<&Tensor> {
        let found = self.messages.iter().find(|message| message.crossing == crossing);
        let name = crossing.name();
        let none = || undeclared(&format!("a {name} that did not cross"), &format!("Sees::Training({crossing:?})"));
        found.map(|message| &message.numbers).ok_or_else(none)
    }

    /// The classes (N), u32, that the server was told.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see them.
    pub fn labels(&self) -> Result<&Tensor> {
        self.labels.as_ref().ok_or_else(|| undeclared("the labels of training", "Sees::TrainingLabels"))
    }

    /// The server's layers behind the cut with their weights after the step: a copy, which training leaves alone.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to know them.
    pub fn server(&self) -> Result<&Network> {
        self.server.as_ref().ok_or_else(|| undeclared("the server's weights", "Knows::ServerWeights"))
    }
}
