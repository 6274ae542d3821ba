//! Client and server put together: one training step, and asking for a diagnosis.

use candle_core::{Device, Tensor};

use super::client::{Client, ClientPlan, Disguised};
use super::optimiser::OptimiserSettings;
use super::parameters::Init;
use super::server::{Answer, Lesson, Server, Thought};
use super::spec::{LayerSpec, shapes};
use super::wire::{CutGradient, Smashed, WireCount};
use crate::error::{Error, Result};
use crate::psgl::downsample::packed_shape;
use crate::psgl::{Jacobian, Options};
use crate::random::Seed;

/// What a split model is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitPlan {
    /// Its name in a run: `psgl` or `vanilla`.
    pub name: &'static str,
    /// All layers.
    pub layers: Vec<LayerSpec>,
    /// The first `cut` of them are the client's.
    pub cut: usize,
    /// Shape of the images (C, H, W).
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// PSGL's choices; none for plain split learning.
    pub psgl: Option<Options>,
    /// What trains each party.
    pub optimiser: OptimiserSettings,
}

impl SplitPlan {
    /// What the client's first layer sees: the packed image under PSGL.
    pub fn input(&self) -> [usize; 3] {
        if self.psgl.is_some() { packed_shape(self.image) } else { self.image }
    }

    /// Shape of the smashed data, without the batch.
    ///
    /// # Errors
    /// Where the layers do not fit.
    pub fn smashed(&self) -> Result<Vec<usize>> {
        let wrong = || Error::input(format!("model.cut = {}: client and server each need a layer", self.cut));
        if self.cut >= self.layers.len() {
            return Err(wrong());
        }
        shapes(&self.input(), &self.layers[..self.cut])?.pop().ok_or_else(wrong)
    }
}

/// Client, server and the wire between them.
#[derive(Debug)]
pub struct SplitModel {
    /// What it is made of.
    pub plan: SplitPlan,
    /// The hospital.
    pub client: Client,
    /// The server.
    pub server: Server,
    /// Bytes that crossed in training.
    pub wire: WireCount,
}

/// A training step whose images have gone up and from which nothing has been learnt yet.
#[derive(Debug)]
pub struct Underway {
    disguised: Option<Disguised>,
    smashed: Smashed,
    wire: WireCount,
    thought: Thought,
}

/// Everything one training step brought forth, for records, pictures and tests.
#[derive(Clone, Debug)]
pub struct Step {
    /// Loss of the client's head, where it has one.
    pub head_loss: Option<f64>,
    /// What PSGL did to the images.
    pub disguised: Option<Disguised>,
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
    /// Where the layers do not fit.
    pub fn new(plan: SplitPlan, seed: Seed, device: &Device) -> Result<Self> {
        let smashed = plan.smashed()?;
        let init = Init { seed, model: plan.name, device };
        let (ours, theirs) = plan.layers.split_at(plan.cut);
        let client =
            ClientPlan { layers: ours, input: plan.input(), smashed: &smashed, classes: plan.classes, psgl: plan.psgl };
        Ok(Self {
            client: Client::new(client, plan.optimiser, init)?,
            server: Server::new(theirs, &smashed, plan.psgl, plan.optimiser, init)?,
            wire: WireCount::default(),
            plan,
        })
    }

    /// One split training step on images (N, C, H, W) and labels (N): its four parts in turn.
    ///
    /// # Errors
    /// Where the batch does not fit.
    pub fn step(&mut self, x: &Tensor, labels: &Tensor) -> Result<Step> {
        let head_loss = self.client.learn_head(x, labels)?;
        let hidden = self.hide(x)?;
        let underway = self.send(x, hidden, labels)?;
        Ok(Step { head_loss, ..self.learn(underway)? })
    }

    /// The second part of a step, in which nothing is learnt: PSGL's disguise of the images, and what crossed the
    /// wire for it; none without PSGL. The first part is [`Client::learn_head`].
    ///
    /// # Errors
    /// Where the batch does not fit.
    pub fn hide(&self, x: &Tensor) -> Result<Option<(Disguised, WireCount)>> {
        self.plan.psgl.is_some().then(|| self.disguise(x)).transpose()
    }

    /// The third part of a step: what the images became goes up and the server answers. Nothing is learnt or counted
    /// yet, so that it can be given up and done again.
    ///
    /// # Errors
    /// Where the batch does not fit.
    pub fn send(&mut self, x: &Tensor, hidden: Option<(Disguised, WireCount)>, labels: &Tensor) -> Result<Underway> {
        let (disguised, mut wire) = hidden.map(|(disguised, asked)| (Some(disguised), asked)).unwrap_or_default();
        let smashed = self.client.send(disguised.as_ref().map_or(x, |d| &d.packed))?;
        wire.up(&smashed);
        let thought = self.server.think(&smashed, labels)?;
        Ok(Underway { disguised, smashed, wire, thought })
    }

    /// The last part of a step: a gradient comes down, and both sides learn. The head's loss is not known here.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn learn(&mut self, underway: Underway) -> Result<Step> {
        let Underway { disguised, smashed, mut wire, thought } = underway;
        let (cut_gradient, lesson) = self.server.learn(thought)?;
        wire.down(&cut_gradient);
        self.client.receive(&cut_gradient)?;
        self.wire = self.wire.plus(wire);
        Ok(Step { head_loss: None, disguised, smashed, cut_gradient, lesson })
    }

    /// PSGL: attacks and packs images, and what crossed the wire for that.
    ///
    /// # Errors
    /// Where PSGL is off.
    pub fn disguise(&self, x: &Tensor) -> Result<(Disguised, WireCount)> {
        let mut wire = WireCount::default();
        let jacobian = self.client.options().map(|options| options.jacobian);
        let (alpha, beta) = if jacobian == Some(Jacobian::Server) {
            let probe = self.client.probe(x)?;
            let clean = probe.smashed();
            wire.up_clean(&clean);
            let [predicted, all] = self.server.jacobian(&clean)?;
            wire.down(&predicted);
            wire.down(&all);
            probe.finish(&predicted, &all)?
        } else {
            self.client.own_jacobian(x)?
        };
        Ok((self.client.disguise(x, (&alpha, &beta))?, wire))
    }

    /// What the client sends when it asks for a diagnosis, and how it disguised it.
    ///
    /// # Errors
    /// Where the images do not fit.
    pub fn ask(&self, x: &Tensor) -> Result<(Smashed, Option<Disguised>)> {
        if self.plan.psgl.is_none() {
            return Ok((self.client.send_to_ask(x)?, None));
        }
        let disguised = if self.client.attacks_at_inference() { self.disguise(x)?.0 } else { Disguised::none(x)? };
        Ok((self.client.send_to_ask(&disguised.packed)?, Some(disguised)))
    }

    /// The server's answer to images.
    ///
    /// # Errors
    /// Where the images do not fit.
    pub fn answer(&self, x: &Tensor) -> Result<Answer> {
        self.server.answer(&self.ask(x)?.0)
    }

    /// Logits of plain images with the whole model as one graph, weights frozen: for adversarial inputs.
    ///
    /// # Errors
    /// Where the images do not fit, or PSGL is on.
    pub fn plain_logits(&self, x: &Tensor) -> Result<Tensor> {
        self.server.plain_logits(&self.client.body().forward(x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn both_parties_go_back_along_their_tapes() {
        for settings in [&[][..], &["model.name=resnet8", "model.cut=4"]] {
            let mut experiment = Experiment::preset("quick").unwrap();
            for setting in settings {
                experiment.set(setting).unwrap();
            }
            let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[4, 1, 28, 28], &Device::Cpu).unwrap();
            let labels = Tensor::new(&[0u32, 1, 2, 0], &Device::Cpu).unwrap();
            for plan in experiment.split_plans([1, 28, 28], 10).unwrap() {
                let mut model = SplitModel::new(plan, Seed(0), &Device::Cpu).unwrap();
                let hidden = model.hide(&x).unwrap();
                let Thought { total, tape, .. } = model.send(&x, hidden, &labels).unwrap().thought;
                assert!(tape.covers(&total), "server, {settings:?}");
                let (z, tape) = model.client.sent.as_ref().unwrap();
                assert!(tape.covers(z), "client, {settings:?}");
            }
        }
    }
}
