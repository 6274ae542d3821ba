//! Client and server put together, with their defences: one training step, and asking for a diagnosis.

pub(crate) mod gradients;
pub mod meter;

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::data::Part;
use crate::defence::{Bytes, Defence, Entry, Line, Outgoing, Pass, Stack};
use crate::engine::tape::{masked, sum};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientPlan};
use crate::model::network::Network;
use crate::model::optimiser::OptimiserSettings;
use crate::model::parameters::Init;
use crate::model::seat::{Answer, ForwardPass, Lesson, Seat};
use crate::model::server::{Server, ServerPlan};
use crate::model::spec::{LayerSpec, shapes};
use crate::model::wire::{Crossing, CutGradient, Listener, Message, Smashed, WireCount};
use crate::random::{At, Seed};
pub use crate::score::names::UNDEFENDED;

/// What a split model is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitPlan {
    /// Its name in a run: that of its defences, or [`UNDEFENDED`].
    pub name: String,
    /// All layers.
    pub layers: Vec<LayerSpec>,
    /// The first `cut` of them are the client's.
    pub cut: usize,
    /// Shape of the images (C, H, W).
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Its defences.
    pub defences: Stack,
    /// What trains each party.
    pub optimiser: OptimiserSettings,
    /// What an image of each class counts in every loss; all alike without.
    pub class_weights: Option<Arc<[f64]>>,
}

impl SplitPlan {
    /// How images enter the client's first layer.
    pub fn entry(&self) -> &'static Entry {
        self.defences.entry()
    }

    /// What the client's first layer sees.
    pub fn input(&self) -> [usize; 3] {
        (self.entry().shape)(self.image)
    }

    /// Whether it has a defence.
    pub fn defended(&self) -> bool {
        !self.defences.is_empty()
    }

    /// Shape of the smashed data, without the batch.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit.
    pub fn smashed(&self) -> Result<Vec<usize>> {
        let wrong = || Error::input(format!("model.cut = {}: client and server each need a layer", self.cut));
        if self.cut >= self.layers.len() {
            return Err(wrong());
        }
        shapes(&self.input(), &self.layers[..self.cut])?.pop().ok_or_else(wrong)
    }

    /// What a sample takes on the wire in training.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit.
    pub fn bytes(&self) -> Result<Bytes> {
        self.defences.bytes(self.smashed()?.iter().product())
    }
}

/// Client, server and the wire between them.
#[derive(Debug)]
pub struct SplitModel {
    /// What it is made of.
    pub plan: SplitPlan,
    /// The hospital.
    pub client: Client,
    /// Who sits in the server's chair.
    pub server: Box<dyn Seat>,
    /// Who watches the training.
    pub listeners: Vec<Box<dyn Listener>>,
    /// Bytes that crossed in training.
    pub wire: WireCount,
    /// What a sample takes on it.
    bytes: Bytes,
    defences: Vec<Box<dyn Defence>>,
}

/// Images made ready to be sent, and what crossed for that.
#[derive(Debug)]
pub struct Hidden {
    /// What became of the images.
    pub outgoing: Outgoing,
    /// What crossed for that.
    pub crossed: Vec<Message>,
}

/// A training step whose images have gone up and from which nothing has been learnt yet.
#[derive(Debug)]
pub struct Underway {
    x: Tensor,
    labels: Tensor,
    outgoing: Outgoing,
    smashed: Smashed,
    crossed: Vec<Message>,
    pass: ForwardPass,
    at: At<'static>,
}

/// Everything one training step brought forth, for records, pictures and tests.
#[derive(Clone, Debug)]
pub struct Step {
    /// Loss of the client's own step, where it takes one.
    pub own_loss: Option<f64>,
    /// What became of the images.
    pub outgoing: Outgoing,
    /// What went up.
    pub smashed: Smashed,
    /// What came down.
    pub cut_gradient: CutGradient,
    /// What the server answered and learnt.
    pub lesson: Lesson,
}

impl SplitModel {
    /// A model with fresh weights.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit.
    pub fn new(plan: SplitPlan, seed: Seed, device: &Device) -> Result<Self> {
        let smashed = plan.smashed()?;
        let init = Init { seed, model: &plan.name, device };
        let (ours, theirs) = plan.layers.split_at(plan.cut);
        let mut defences = plan.defences.make(seed, &plan.name)?;
        let class_weights = plan.class_weights.as_ref();
        let (input, classes) = (plan.input(), plan.classes);
        let client = ClientPlan { layers: ours, input, smashed: &smashed, classes, class_weights };
        let server = ServerPlan { layers: theirs, smashed: &smashed, class_weights };
        let client = Client::new(&client, plan.optimiser, init, |parameters| {
            defences.iter_mut().try_for_each(|defence| defence.equip(&client, parameters, init))
        })?;
        let server = Server::new(&server, plan.optimiser, init, |parameters| {
            for defence in &defences {
                if let Some(body) = defence.body(&server, parameters, init)? {
                    return Ok(Some(body));
                }
            }
            Ok(None)
        })?;
        let honest: Box<dyn Seat> = Box::new(server);
        let server = defences.iter().fold(honest, |seat, defence| defence.seat(seat));
        let bytes = plan.bytes()?;
        Ok(Self { client, server, listeners: Vec::new(), wire: WireCount::default(), bytes, defences, plan })
    }

    /// The same with somebody in the server's chair who wraps whoever sits there.
    #[must_use]
    pub fn seated(mut self, wrap: impl FnOnce(Box<dyn Seat>) -> Box<dyn Seat>) -> Self {
        self.server = wrap(self.server);
        self
    }

    /// Both parties learn at `factor` times their rate from now on.
    pub fn pace(&mut self, factor: f64) {
        self.client.pace(factor);
        self.server.pace(factor);
    }

    /// A slice of what its defences do before an epoch of training on `images`; true once all of them are done.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read or does not fit.
    pub fn prepare(&mut self, images: &Part, epoch: usize, device: &Device) -> Result<bool> {
        let entry = self.plan.entry();
        let mut pass = Pass { client: &mut self.client, entry, images, device };
        for defence in &mut self.defences {
            if epoch == 0 && !defence.begin(&mut pass)? || !defence.epoch(&mut pass, epoch)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One split training step on images (N, C, H, W) and labels (N): its four parts in turn.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    pub fn step(&mut self, x: &Tensor, labels: &Tensor, at: At<'static>) -> Result<Step> {
        let own_loss = self.own_step(x, labels, at)?;
        let hidden = self.hide(x, at)?;
        let underway = self.send(x, hidden, labels, at)?;
        Ok(Step { own_loss, ..self.learn(underway)? })
    }

    /// The first part of a step: what the client learns by itself; the loss, where a defence has it do so.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    pub fn own_step(&mut self, x: &Tensor, labels: &Tensor, at: At<'static>) -> Result<Option<f64>> {
        let mut loss = None;
        for defence in &mut self.defences {
            loss = defence.own_step(&mut self.client, x, labels, at)?.or(loss);
        }
        Ok(loss)
    }

    /// The second part of a step, in which nothing is learnt: what the defences make of the images.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    pub fn hide(&self, x: &Tensor, at: At<'_>) -> Result<Hidden> {
        let mut line = Line { client: &self.client, server: &*self.server, crossed: Vec::new() };
        let outgoing = self
            .defences
            .iter()
            .try_fold(Outgoing::clean(x), |images, defence| defence.image(images, &mut line, at))?;
        Ok(Hidden { outgoing, crossed: line.crossed })
    }

    /// The third part of a step: what the images became goes up and the server answers. Nothing is learnt or counted
    /// yet, so that it can be given up and done again.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    pub fn send(&mut self, x: &Tensor, hidden: Hidden, labels: &Tensor, at: At<'static>) -> Result<Underway> {
        let Hidden { outgoing, mut crossed } = hidden;
        let input = outgoing.input(self.plan.entry())?;
        let defences = &self.defences;
        let smashed = self.client.send(&input, |own| layers(defences, own, at), |z| up(defences, z, at))?;
        crossed.push(smashed.message(Crossing::Smashed).packed(self.bytes.up));
        let told = defences.iter().try_fold(labels.clone(), |labels, defence| defence.labels(labels, at))?;
        let pass = self.server.forward(&smashed, &told, &|z| arrive(defences, z))?;
        Ok(Underway { x: x.clone(), labels: labels.clone(), outgoing, smashed, crossed, pass, at })
    }

    /// The last part of a step: a gradient comes down, and both sides learn. The client's own loss is not known here.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn learn(&mut self, underway: Underway) -> Result<Step> {
        let Underway { x, labels, outgoing, smashed, mut crossed, pass, at } = underway;
        let (gradient, lesson) = self.server.learn(pass)?;
        let gradient = gradient.tensor().clone();
        let gradient = self.defences.iter().rev().try_fold(gradient, |g, defence| defence.answer(g, at))?;
        let cut_gradient = CutGradient::new(&gradient);
        crossed.push(cut_gradient.message(Crossing::CutGradient).packed(self.bytes.down));
        let mut down = self.defences.iter().rev().try_fold(gradient, |g, defence| defence.down(g, at))?;
        for defence in &mut self.defences {
            if let Some(own) = defence.own_gradient(&x, &smashed, &labels, at)? {
                down = (down + own)?;
            }
        }
        let defences = &mut self.defences;
        self.client.receive(&CutGradient::new(&down), |parameters, gradients| {
            let mut steps = true;
            for defence in defences {
                steps &= defence.learn(parameters, gradients, at)?;
            }
            Ok(steps)
        })?;
        for message in &crossed {
            self.listeners.iter_mut().try_for_each(|listener| listener.hear(message))?;
        }
        self.wire = self.wire.plus(WireCount::of(&crossed));
        Ok(Step { own_loss: None, outgoing, smashed, cut_gradient, lesson })
    }

    /// What becomes of images in a training step.
    ///
    /// # Errors
    /// Returns an error if they do not fit.
    pub fn disguise(&self, x: &Tensor) -> Result<Outgoing> {
        Ok(self.hide(x, At::Train { epoch: 0, step: 0 })?.outgoing)
    }

    /// What the client sends when it asks for a diagnosis, and what became of the images before.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn ask(&self, x: &Tensor, at: At<'_>) -> Result<(Smashed, Outgoing)> {
        let outgoing = self.hide(x, at)?.outgoing;
        let input = outgoing.input(self.plan.entry())?;
        let defences = &self.defences;
        let smashed = self.client.send_to_ask(&input, |own| layers(defences, own, at), |z| up(defences, z, at))?;
        Ok((smashed, outgoing))
    }

    /// The server's answer to what was sent.
    ///
    /// # Errors
    /// Returns an error if it does not fit.
    pub fn answer_to(&self, smashed: &Smashed) -> Result<Answer> {
        self.server.answer(smashed, &|z| arrive(&self.defences, z))
    }

    /// The server's answer to images.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn answer(&self, x: &Tensor, at: At<'_>) -> Result<Answer> {
        self.answer_to(&self.ask(x, at)?.0)
    }

    /// Logits of plain images with the whole model as one graph, weights frozen: for adversarial inputs.
    ///
    /// # Errors
    /// Returns an error if the images do not fit, or the server has several streams.
    pub fn plain_logits(&self, x: &Tensor) -> Result<Tensor> {
        self.server.plain_logits(&self.client.body().forward(x)?)
    }

    /// The streams' logits for images (N, C, H, W), each with its vote, all weights frozen: the way of an image that is asked
    /// about, differentiable by it, for adversaries who know the defences. What has no derivative gets a stand-in on the way
    /// back (BPDA, Athalye et al. 2018). What a defence does to images counts as adding a constant, and as clipping where it
    /// leaves a pixel at 0 or 1 that was not there; its map is a constant. Where the client's layers are piecewise linear
    /// that is no stand-in but the derivative itself: there a Jacobian, and with it a saliency map, is constant piecewise.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn open(&self, x: &Tensor, at: At<'_>) -> Result<Vec<(f64, Tensor)>> {
        let Outgoing { images, map } = self.hide(&x.detach(), at)?.outgoing;
        let outgoing = Outgoing { images: moved_to(x, &images.detach())?, map: map.map(|map| map.detach()) };
        let z = up(&self.defences, self.client.body().forward(&outgoing.input(self.plan.entry())?)?, at)?;
        self.open_wire(&z)
    }

    /// The same for smashed data, by which it is differentiable.
    ///
    /// # Errors
    /// Returns an error if they do not fit.
    pub fn open_wire(&self, z: &Tensor) -> Result<Vec<(f64, Tensor)>> {
        self.server.open(&arrive(&self.defences, z)?)
    }

    /// What a checkpoint keeps of the defences, `{place}.{name}`.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn defence_state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut all = BTreeMap::new();
        for (i, defence) in self.defences.iter().enumerate() {
            all.extend(defence.state()?.into_iter().map(|(name, t)| (format!("{i}.{name}"), t)));
        }
        Ok(all)
    }

    /// Takes back what [`Self::defence_state`] gave.
    ///
    /// # Errors
    /// Returns an error if it is of other defences.
    pub fn load_defences(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        for (i, defence) in self.defences.iter_mut().enumerate() {
            let prefix = format!("{i}.");
            let own = state.iter().filter_map(|(name, t)| Some((name.strip_prefix(&prefix)?.to_owned(), t.clone())));
            defence.load(&own.collect())?;
        }
        Ok(())
    }
}

fn layers(defences: &[Box<dyn Defence>], own: Network, at: At<'_>) -> Result<Network> {
    defences.iter().try_fold(own, |own, defence| defence.layers(own, at))
}

/// The images `to`, as if x had been moved there by a constant and clipped to \[0, 1\].
fn moved_to(x: &Tensor, to: &Tensor) -> Result<Tensor> {
    let before = x.detach();
    let at_an_end = (to.le(0.0)?.to_dtype(to.dtype())? + to.ge(1.0)?.to_dtype(to.dtype())?)?;
    let clipped = (at_an_end * to.ne(&before)?.to_dtype(to.dtype())?)?;
    let free = (clipped.neg()? + 1.0)?;
    let constant = (to - (&before * &free)?)?;
    Ok(sum(&masked(x, &free)?, &constant)?)
}

fn up(defences: &[Box<dyn Defence>], z: Tensor, at: At<'_>) -> Result<Tensor> {
    defences.iter().try_fold(z, |z, defence| defence.up(z, at))
}

fn arrive(defences: &[Box<dyn Defence>], z: &Tensor) -> Result<Tensor> {
    defences.iter().rev().try_fold(z.clone(), |z, defence| defence.arrive(z))
}

#[cfg(test)]
mod tests;
