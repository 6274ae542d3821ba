//! The server's chair: who sits in it, what it answers and what it learns.
//!
//! The honest [`Server`](super::server::Server) sits in it, with the layers as they are or with a body of a defence's; a
//! hijacker takes it by wrapping whoever sits there.

use std::collections::BTreeMap;
use std::fmt;

use candle_core::{Tensor, Var};

use super::jacobian::gradient;
use super::parameters::Parameters;
use super::wire::{CutGradient, Smashed};
use crate::engine::tape::Tape;
use crate::error::Result;

/// What the server makes of what crossed before its layers see it, differentiable: from the payload to z.
pub type Lift<'a> = &'a dyn Fn(&Tensor) -> Result<Tensor>;

/// One who sits in the server's chair.
pub trait Seat: fmt::Debug + Send {
    /// What it answers to smashed data; nothing is learnt.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn answer(&self, z: &Smashed, lift: Lift<'_>) -> Result<Answer>;

    /// The first half of a step on smashed data and labels, in which nothing is learnt.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    fn forward(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<ForwardPass>;

    /// The second half: the gradient to send back, and what was learnt.
    ///
    /// # Errors
    /// Returns an error if the pass is not of this seat.
    fn learn(&mut self, pass: ForwardPass) -> Result<(CutGradient, Lesson)>;

    /// The gradient that would go back for smashed data and labels; nothing is learnt.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    fn cut_gradient(&self, z: &Smashed, labels: &Tensor, lift: Lift<'_>) -> Result<CutGradient> {
        let ForwardPass { wire, total, .. } = self.forward(z, labels, lift)?;
        Ok(CutGradient::new(&gradient(&total, &wire)?))
    }

    /// ∂logit_ŷ/∂z and Σ_k ∂logit_k/∂z at smashed data, where a client asks for them.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn jacobian(&self, z: &Smashed, lift: Lift<'_>) -> Result<[CutGradient; 2]>;

    /// Logits as part of a larger graph, weights frozen, where the layers are one network.
    ///
    /// # Errors
    /// Returns an error if they are several, or z does not fit.
    fn plain_logits(&self, z: &Tensor) -> Result<Tensor>;

    /// Every stream's logits with its vote, weights frozen, differentiable by what has arrived: for adversaries who know the
    /// server. One that is a single network has one stream.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn open(&self, z: &Tensor) -> Result<Vec<(f64, Tensor)>> {
        Ok(vec![(1.0, self.plain_logits(z)?)])
    }

    /// Its weights, `server.0.weight` or `server.fused.0.weight` and so on.
    fn parameters(&self) -> &Parameters;

    /// The weights of its streams' votes in use, if it has streams.
    fn votes(&self) -> Option<Vec<f64>>;

    /// Takes back the weights of the votes, from a checkpoint.
    fn set_votes(&mut self, votes: &[f64]);

    /// Learns at `factor` times its rate from now on.
    fn pace(&mut self, factor: f64);

    /// Takes notice that an epoch is over, in which its streams were right so often, in the order of the votes.
    fn end_epoch(&mut self, hits: &[f64]);

    /// The optimiser's state, for a checkpoint.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>>;

    /// Takes back the optimiser's state.
    ///
    /// # Errors
    /// Returns an error if it is another model's.
    fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()>;
}

/// What the server makes of smashed data.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Logits (N, K) of each stream with its name; the layers as they are are one stream without a name.
    pub streams: Vec<(&'static str, Tensor)>,
    /// What the streams decide (N, K).
    pub scores: Tensor,
    /// What else it made of z, by name, shaped as z.
    pub parts: Vec<(&'static str, Tensor)>,
    /// Each sample's weights of the streams in the decision, in the order of the votes (N, streams); none for one stream.
    pub weights: Option<Tensor>,
}

impl Answer {
    /// The answer of the layers as they are: logits (N, K).
    pub fn plain(logits: Tensor) -> Self {
        Self { streams: vec![("", logits.clone())], scores: logits, parts: Vec::new(), weights: None }
    }

    /// Whether it is that of the layers as they are, and the scores are its logits.
    pub fn is_plain(&self) -> bool {
        self.streams.len() == 1
    }

    /// The predicted classes (N).
    ///
    /// # Errors
    /// Returns an error if the scores are no matrix.
    pub fn predicted(&self) -> Result<Vec<u32>> {
        classes_of(&self.scores)
    }

    /// The predicted classes of each stream; none where there is only one.
    ///
    /// # Errors
    /// Returns an error if the logits are no matrix.
    pub fn stream_predictions(&self) -> Result<Vec<(&'static str, Vec<u32>)>> {
        if self.is_plain() {
            return Ok(Vec::new());
        }
        self.streams.iter().map(|(name, logits)| Ok((*name, classes_of(logits)?))).collect()
    }

    /// What it made of z under this name.
    pub fn part(&self, name: &str) -> Option<&Tensor> {
        self.parts.iter().find(|part| part.0 == name).map(|part| &part.1)
    }

    /// The same without the graphs.
    #[must_use]
    pub fn detached(self) -> Self {
        let without = |all: Vec<(&'static str, Tensor)>| all.into_iter().map(|(name, t)| (name, t.detach())).collect();
        Self {
            streams: without(self.streams),
            scores: self.scores.detach(),
            parts: without(self.parts),
            weights: self.weights.map(|weights| weights.detach()),
        }
    }
}

/// The largest entry of each row (N, K).
///
/// # Errors
/// Returns an error if the tensor is no matrix.
pub fn classes_of(logits: &Tensor) -> Result<Vec<u32>> {
    Ok(logits.detach().argmax(1)?.to_vec1()?)
}

/// What the server made of smashed data whose labels it knows, before it learns from them.
#[derive(Debug)]
pub struct ForwardPass {
    /// What came by the wire, as the graph has it.
    pub wire: Var,
    /// What it answers.
    pub answer: Answer,
    /// The loss of each stream.
    pub losses: Vec<Tensor>,
    /// The losses' sum.
    pub total: Tensor,
    /// The way back from it.
    pub tape: Tape,
}

/// What one step taught the server.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// What it answered before the step.
    pub answer: Answer,
    /// Mean cross-entropy of each stream, in the answer's order.
    pub losses: Vec<f64>,
}
