//! The honest server: the rest of the network, and its own optimiser.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Tensor, Var};

use super::jacobian::{gradient, predicted_logit};
use super::network::Network;
use super::optimiser::{Optimiser, OptimiserSettings};
use super::parameters::{Init, Parameters};
use super::seat::{Answer, ForwardPass, Lesson, Lift, Seat};
use super::spec::LayerSpec;
use super::wire::{CutGradient, Smashed};
use crate::engine::loss::weighed_cross_entropy;
use crate::engine::tape::{Tape, sum};
use crate::error::{Error, Result};

/// The server party: its layers and its own optimiser.
#[derive(Debug)]
pub struct Server {
    parameters: Parameters,
    body: Box<dyn Body>,
    optimiser: Optimiser,
    class_weights: Option<Arc<[f64]>>,
}

/// What a server does with smashed data, differentiable by z and by its weights.
pub trait Body: fmt::Debug + Send {
    /// What it answers; z (N, …).
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn answer(&self, z: &Tensor) -> Result<Answer>;

    /// The same for passes that do not train it.
    fn frozen(&self) -> Box<dyn Body>;

    /// Which of the answer's streams the gradient at the cut comes from.
    fn leading(&self) -> usize {
        0
    }

    /// Logits as part of a larger graph, weights frozen, where it is one network.
    ///
    /// # Errors
    /// Returns an error if it is several, or z does not fit.
    fn plain_logits(&self, _z: &Tensor) -> Result<Tensor> {
        Err(Error::Internal("only a plain model is one graph".into()))
    }

    /// Every stream's logits with its vote, differentiable by z, also where a step has no derivative or training does without
    /// it: for adversaries, who find a stand-in.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn open(&self, z: &Tensor) -> Result<Vec<(f64, Tensor)>> {
        Ok(self.answer(z)?.streams.into_iter().map(|(_, logits)| (1.0, logits)).collect())
    }

    /// The weights of its streams' votes in use, if it has streams.
    fn votes(&self) -> Option<Vec<f64>> {
        None
    }

    /// Takes back the weights of the votes.
    fn set_votes(&mut self, _votes: &[f64]) {}

    /// Takes notice that an epoch is over, in which its streams were right so often, in the order of the votes.
    fn end_epoch(&mut self, _hits: &[f64]) {}
}

/// What a server is made of.
#[derive(Clone, Copy, Debug)]
pub struct ServerPlan<'a> {
    /// The server's layers.
    pub layers: &'a [LayerSpec],
    /// Shape of what they see, without the batch.
    pub smashed: &'a [usize],
    /// What an image of each class counts in the loss; all alike without.
    pub class_weights: Option<&'a Arc<[f64]>>,
}

/// The layers as they are.
#[derive(Clone, Debug)]
struct Plain(Network);

impl Body for Plain {
    fn answer(&self, z: &Tensor) -> Result<Answer> {
        Ok(Answer::plain(self.0.forward(z)?))
    }

    fn frozen(&self) -> Box<dyn Body> {
        Box::new(Self(self.0.frozen()))
    }

    fn plain_logits(&self, z: &Tensor) -> Result<Tensor> {
        self.0.frozen().forward(z)
    }
}

impl Server {
    /// A server with fresh weights. `body` makes one of its own with weights that it adds; where it has none to make,
    /// the layers serve as they are.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit each other.
    pub fn new(
        plan: &ServerPlan<'_>,
        optimiser: OptimiserSettings,
        init: Init<'_>,
        body: impl FnOnce(&mut Parameters) -> Result<Option<Box<dyn Body>>>,
    ) -> Result<Self> {
        let mut parameters = Parameters::default();
        let body = if let Some(body) = body(&mut parameters)? {
            body
        } else {
            Network::init("server", plan.smashed, plan.layers, &mut parameters, init)?;
            Box::new(Plain(Network::of("server", plan.layers, &parameters)?))
        };
        let (optimiser, class_weights) = (Optimiser::new(&parameters, optimiser), plan.class_weights.cloned());
        Ok(Self { parameters, body, optimiser, class_weights })
    }

    /// What the server answers, the loss of each stream, and their sum.
    fn lose(&self, z: &Tensor, labels: &Tensor) -> Result<(Answer, Vec<Tensor>, Tensor)> {
        let answer = self.body.answer(z)?;
        let losses =
            answer.streams.iter().map(|(_, logits)| weighed_cross_entropy(logits, labels, self.class_weights.as_ref()));
        let losses = losses.collect::<candle_core::Result<Vec<_>>>()?;
        let (first, rest) = losses.split_first().ok_or_else(|| Error::Internal("an answer without a stream".into()))?;
        let total = rest.iter().try_fold(first.clone(), |all, loss| sum(&all, loss))?;
        Ok((answer.detached(), losses, total))
    }
}

impl Seat for Server {
    fn answer(&self, z: &Smashed, lift: Lift<'_>) -> Result<Answer> {
        self.body.frozen().answer(&lift(z.tensor())?)
    }

    fn forward(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<ForwardPass> {
        let wire = Var::from_tensor(z.tensor())?;
        let mut tape = Tape::default();
        let (answer, losses, total) = tape.record(|| self.lose(&lift(&wire)?, labels))?;
        Ok(ForwardPass { wire, answer, losses, total, tape })
    }

    /// Each stream learns from its own loss, and what goes back is what reached the wire.
    fn learn(&mut self, pass: ForwardPass) -> Result<(CutGradient, Lesson)> {
        let ForwardPass { wire, answer, losses, total, mut tape } = pass;
        let gradients = tape.backward(&total)?;
        let down = gradients.get(&wire).ok_or_else(|| Error::Internal("no gradient reached the cut".into()))?;
        let down = CutGradient::new(down);
        tape.settle()?;
        self.optimiser.step(&gradients)?;
        let losses = losses.iter().map(|loss| Ok(loss.to_dtype(DType::F64)?.to_scalar()?)).collect::<Result<_>>()?;
        Ok((down, Lesson { answer, losses }))
    }

    /// By running statistics, as questions are answered.
    fn cut_gradient(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<CutGradient> {
        let wire = Var::from_tensor(&z.tensor().copy()?)?;
        let mut streams = self.body.frozen().answer(&lift(&wire)?)?.streams;
        let logits = streams.swap_remove(self.body.leading()).1;
        let loss = weighed_cross_entropy(&logits, labels, self.class_weights.as_ref())?;
        Ok(CutGradient::new(&gradient(&loss, &wire)?))
    }

    fn jacobian(&self, z: &Smashed, lift: Lift<'_>) -> Result<[CutGradient; 2]> {
        let wire = Var::from_tensor(&z.tensor().copy()?)?;
        let body = self.body.frozen();
        let mut streams = body.answer(&lift(&wire)?)?.streams;
        let logits = streams.swap_remove(body.leading()).1;
        let predicted = gradient(&predicted_logit(&logits)?.sum_all()?, &wire)?;
        let all = gradient(&logits.sum_all()?, &wire)?;
        Ok([CutGradient::new(&predicted), CutGradient::new(&all)])
    }

    fn plain_logits(&self, z: &Tensor) -> Result<Tensor> {
        self.body.plain_logits(z)
    }

    fn open(&self, z: &Tensor) -> Result<Vec<(f64, Tensor)>> {
        self.body.frozen().open(z)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn votes(&self) -> Option<Vec<f64>> {
        self.body.votes()
    }

    fn set_votes(&mut self, votes: &[f64]) {
        self.body.set_votes(votes);
    }

    fn pace(&mut self, factor: f64) {
        self.optimiser.pace(factor);
    }

    fn end_epoch(&mut self, hits: &[f64]) {
        self.body.end_epoch(hits);
    }

    fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.optimiser.state()
    }

    fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.optimiser.load(state)
    }
}
