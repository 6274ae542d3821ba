//! The server's side: the rest of the network, under PSGL as three streams behind the recovery.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor, Var};

use super::network::Network;
use super::optimiser::{Optimiser, OptimiserSettings};
use super::parameters::{Init, Parameters};
use super::spec::LayerSpec;
use super::wire::{CutGradient, Smashed};
use crate::engine::loss::cross_entropy;
use crate::engine::tape::{Tape, sum};
use crate::error::{Error, Result};
use crate::psgl::Options;
use crate::psgl::fusion::{DecisionWeights, conv_sum, decide};
use crate::psgl::saliency::{gradient, predicted_logit};

/// The server party: its layers and its own optimiser.
#[derive(Debug)]
pub struct Server {
    parameters: Parameters,
    kind: Kind,
    optimiser: Optimiser,
}

#[derive(Debug)]
enum Kind {
    Plain(Network),
    Psgl(Box<Streams>),
}

/// PSGL's three streams.
#[derive(Clone, Debug)]
struct Streams {
    options: Options,
    weights: DecisionWeights,
    attacked: Network,
    recovered: Network,
    fused: Network,
    fuse_weight: Tensor,
    fuse_bias: Tensor,
}

/// What the server makes of smashed data.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Plain split learning: logits (N, K).
    Plain(Tensor),
    /// PSGL.
    Psgl(PsglAnswer),
}

/// The three streams' logits and what they decide together.
#[derive(Clone, Debug)]
pub struct PsglAnswer {
    /// Logits of the stream that sees z (N, K).
    pub attacked: Tensor,
    /// Logits of the stream that sees L (N, K).
    pub recovered: Tensor,
    /// Logits of the stream that sees fuse(z, L) (N, K).
    pub fused: Tensor,
    /// Scores of the fused decision (N, K).
    pub scores: Tensor,
    /// L, the recovered features, shaped as z.
    pub low_rank: Tensor,
    /// S, the recovered gradient map, shaped as z.
    pub gradient_map: Tensor,
}

/// What the server made of smashed data whose labels it knows, before it learns from them.
#[derive(Debug)]
pub struct Thought {
    wire: Var,
    answer: Answer,
    losses: Vec<Tensor>,
    /// The losses' sum, and the way back from it.
    pub(super) total: Tensor,
    pub(super) tape: Tape,
}

/// What one step taught the server.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// What it answered before the step.
    pub answer: Answer,
    /// Mean cross-entropy: one value, or those of a, r and f.
    pub losses: Vec<f64>,
}

impl Answer {
    /// The predicted classes (N).
    ///
    /// # Errors
    /// Where the logits are no matrix.
    pub fn predicted(&self) -> Result<Vec<u32>> {
        classes_of(match self {
            Self::Plain(logits) => logits,
            Self::Psgl(answer) => &answer.scores,
        })
    }

    /// The predicted classes of the attacked, recovered and fused stream; none without PSGL.
    ///
    /// # Errors
    /// Where the logits are no matrix.
    pub fn stream_predictions(&self) -> Result<Option<[Vec<u32>; 3]>> {
        match self {
            Self::Plain(_) => Ok(None),
            Self::Psgl(a) => Ok(Some([classes_of(&a.attacked)?, classes_of(&a.recovered)?, classes_of(&a.fused)?])),
        }
    }
}

/// The largest entry of each row (N, K).
///
/// # Errors
/// Where the tensor is no matrix.
pub fn classes_of(logits: &Tensor) -> Result<Vec<u32>> {
    Ok(logits.detach().argmax(1)?.to_vec1()?)
}

impl Server {
    /// A server with fresh weights; `smashed` is the shape of z without the batch.
    ///
    /// # Errors
    /// Where the layers do not fit each other.
    pub fn new(
        layers: &[LayerSpec],
        smashed: &[usize],
        psgl: Option<Options>,
        optimiser: OptimiserSettings,
        init: Init<'_>,
    ) -> Result<Self> {
        let mut parameters = Parameters::default();
        let kind = match psgl {
            None => {
                Network::init("server", smashed, layers, &mut parameters, init)?;
                Kind::Plain(Network::of("server", layers, &parameters)?)
            }
            Some(options) => {
                let channels = smashed[0];
                for stream in ["attacked", "recovered", "fused"] {
                    Network::init(&format!("server.{stream}"), smashed, layers, &mut parameters, init)?;
                }
                parameters.add("server.fuse", &[channels, 2 * channels, 3, 3], 2 * channels * 9, init)?;
                let stream = |name: &str| Network::of(&format!("server.{name}"), layers, &parameters);
                let fuse =
                    |part: &str| Ok::<_, Error>(parameters.get(&format!("server.fuse.{part}"))?.as_tensor().clone());
                Kind::Psgl(Box::new(Streams {
                    options,
                    weights: options.weights,
                    attacked: stream("attacked")?,
                    recovered: stream("recovered")?,
                    fused: stream("fused")?,
                    fuse_weight: fuse("weight")?,
                    fuse_bias: fuse("bias")?,
                }))
            }
        };
        Ok(Self { optimiser: Optimiser::new(&parameters, optimiser), parameters, kind })
    }

    /// The server's weights, `server.0.weight` or `server.fused.0.weight` and so on.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What the server makes of smashed data; nothing is learnt.
    ///
    /// # Errors
    /// Where z does not fit.
    pub fn answer(&self, z: &Smashed) -> Result<Answer> {
        match &self.kind {
            Kind::Plain(network) => Ok(Answer::Plain(network.frozen().forward(z.tensor())?)),
            Kind::Psgl(streams) => Ok(Answer::Psgl(streams.frozen().answer(z.tensor())?)),
        }
    }

    /// The first half of a step on smashed data and labels, in which nothing is learnt.
    ///
    /// # Errors
    /// Where the batch does not fit.
    pub fn think(&self, z: &Smashed, labels: &Tensor) -> Result<Thought> {
        let wire = Var::from_tensor(z.tensor())?;
        let mut tape = Tape::default();
        let (answer, losses, total) = tape.record(|| self.lose(&wire, labels))?;
        Ok(Thought { wire, answer, losses, total, tape })
    }

    /// The second half: the gradient to send back, and what was learnt.
    ///
    /// Under PSGL each stream learns from its own loss, and only the fused stream's gradient goes back,
    /// the path through L included, which counts as the identity.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn learn(&mut self, thought: Thought) -> Result<(CutGradient, Lesson)> {
        let Thought { wire, answer, losses, total, mut tape } = thought;
        let gradients = tape.backward(&total)?;
        let down = gradients.get(&wire).ok_or_else(|| Error::Internal("no gradient reached the cut".into()))?;
        let down = CutGradient::new(down);
        tape.settle()?;
        self.optimiser.step(&gradients)?;
        let losses = losses.iter().map(|loss| Ok(loss.to_dtype(DType::F64)?.to_scalar()?)).collect::<Result<_>>()?;
        Ok((down, Lesson { answer, losses }))
    }

    /// What the server answers, the loss of each stream, and their sum.
    fn lose(&self, z: &Tensor, labels: &Tensor) -> Result<(Answer, Vec<Tensor>, Tensor)> {
        match &self.kind {
            Kind::Plain(network) => {
                let logits = network.forward(z)?;
                let loss = cross_entropy(&logits, labels)?;
                Ok((Answer::Plain(logits.detach()), vec![loss.clone()], loss))
            }
            Kind::Psgl(streams) => {
                let answer = streams.answer(z)?;
                let [a, r, f] = [&answer.attacked, &answer.recovered, &answer.fused];
                let losses = [cross_entropy(a, labels)?, cross_entropy(r, labels)?, cross_entropy(f, labels)?];
                let total = sum(&sum(&losses[0], &losses[1])?, &losses[2])?;
                Ok((Answer::Psgl(answer.detached()), losses.into(), total))
            }
        }
    }

    /// The paper's way to a map: ∂logit_ŷ/∂z and Σ_k ∂logit_k/∂z at clean smashed data, of the fused stream.
    ///
    /// # Errors
    /// Where z does not fit.
    pub fn jacobian(&self, z: &Smashed) -> Result<[CutGradient; 2]> {
        let wire = Var::from_tensor(&z.tensor().copy()?)?;
        let logits = match &self.kind {
            Kind::Plain(network) => network.frozen().forward(&wire)?,
            Kind::Psgl(streams) => streams.frozen().answer(&wire)?.fused,
        };
        let predicted = gradient(&predicted_logit(&logits)?.sum_all()?, &wire)?;
        let all = gradient(&logits.sum_all()?, &wire)?;
        Ok([CutGradient::new(&predicted), CutGradient::new(&all)])
    }

    /// Logits of a plain server as part of a larger graph, weights frozen.
    ///
    /// # Errors
    /// Where z does not fit, or the server has streams.
    pub fn plain_logits(&self, z: &Tensor) -> Result<Tensor> {
        match &self.kind {
            Kind::Plain(network) => network.frozen().forward(z),
            Kind::Psgl(_) => Err(Error::Internal("only a plain model is one graph".into())),
        }
    }

    /// The weights of the streams' decisions in use; none without PSGL.
    pub fn decision_weights(&self) -> Option<DecisionWeights> {
        match &self.kind {
            Kind::Plain(_) => None,
            Kind::Psgl(streams) => Some(streams.weights),
        }
    }

    /// Takes back the weights of the decision, from a checkpoint.
    pub fn set_decision_weights(&mut self, weights: DecisionWeights) {
        if let Kind::Psgl(streams) = &mut self.kind {
            streams.weights = weights;
        }
    }

    /// Hands the decision's weights out in the order of these accuracies (recovered, fused, attacked).
    pub fn derive_weights(&mut self, accuracies: [f64; 3]) {
        if let Kind::Psgl(streams) = &mut self.kind {
            streams.weights = streams.options.weights.in_order_of(accuracies);
        }
    }

    /// The optimiser's state, for a checkpoint.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.optimiser.state()
    }

    /// Takes back the optimiser's state.
    ///
    /// # Errors
    /// Where it is another model's.
    pub fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.optimiser.load(state)
    }
}

impl Streams {
    fn frozen(&self) -> Self {
        Self {
            attacked: self.attacked.frozen(),
            recovered: self.recovered.frozen(),
            fused: self.fused.frozen(),
            fuse_weight: self.fuse_weight.detach(),
            fuse_bias: self.fuse_bias.detach(),
            ..*self
        }
    }

    fn answer(&self, z: &Tensor) -> Result<PsglAnswer> {
        // The streams a and r get z and L without their graphs, so nothing of theirs goes to the client.
        let plain = z.detach();
        let (low_rank, gradient_map) = self.recover(&plain)?;
        let straight_through = sum(z, &(&low_rank - &plain)?)?;
        let attacked = self.attacked.forward(&plain)?;
        let recovered = self.recovered.forward(&low_rank)?;
        let fused = conv_sum(z, &straight_through, &self.fuse_weight, &self.fuse_bias, self.options.fuse_relu)?;
        let fused = self.fused.forward(&fused)?;
        let scores = decide(&attacked.detach(), &recovered.detach(), &fused.detach(), self.weights)?.scores;
        Ok(PsglAnswer { attacked, recovered, fused, scores, low_rank, gradient_map })
    }

    /// L and S of smashed data, both shaped as z.
    fn recover(&self, z: &Tensor) -> Result<(Tensor, Tensor)> {
        let (_, channels, height, width) = z.dims4()?;
        let parts = self.options.recovery.solve(&z.flatten_all()?.to_vec1()?, channels, height * width);
        let tensor = |values| Tensor::from_vec(values, z.shape(), z.device());
        Ok((tensor(parts.low_rank)?, tensor(parts.gradient_map)?))
    }
}

impl PsglAnswer {
    fn detached(&self) -> Self {
        Self {
            attacked: self.attacked.detach(),
            recovered: self.recovered.detach(),
            fused: self.fused.detach(),
            ..self.clone()
        }
    }
}
