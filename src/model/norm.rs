//! Normalising layers, and which pass uses and moves running statistics.
//!
//! | pass | normalises by | moves running statistics |
//! |---|---|---|
//! | training, what crosses the wire | the batch | yes |
//! | training, a client's own step | the batch | no |
//! | every question, test, map and attack | running statistics | never |
//!
//! So where a client makes two training passes a batch, running statistics are those of the
//! disguised images that were sent: what the server is asked about later is of their kind, and the statistics
//! tell nothing of the clean images that the wire did not.

use candle_core::{Tensor, Var};

use super::change::Change;
use super::parameters::Parameters;
use crate::engine::norm::{Tail, batch_norm, batch_norm_by, group_norm};
use crate::engine::tape::once_learnt;
use crate::error::Result;

/// A normalising layer with its γ (weight) and β (bias).
#[derive(Clone, Debug)]
pub(super) struct Norm {
    weight: Tensor,
    bias: Tensor,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Batch { mean: Var, variance: Var, mode: Mode },
    Group(usize),
}

/// Where a batch normalisation takes its statistics from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// From the batch, which moves the running ones.
    Recording,
    /// From the batch.
    Silent,
    /// From the past.
    Evaluation,
}

/// What a pass normalises by.
pub(super) enum Statistics<'a> {
    /// Running mean and variance (C).
    Running(&'a Tensor, &'a Tensor),
    /// The batch's own, channel by channel.
    Batch,
    /// Those of so many groups of channels of each sample.
    Groups(usize),
}

impl Norm {
    /// What a pass in this mode normalises by.
    pub fn statistics(&self) -> Statistics<'_> {
        match &self.kind {
            Kind::Group(groups) => Statistics::Groups(*groups),
            Kind::Batch { mean, variance, mode: Mode::Evaluation } => Statistics::Running(mean, variance),
            Kind::Batch { .. } => Statistics::Batch,
        }
    }

    /// γ and β (C).
    pub fn affine(&self) -> (&Tensor, &Tensor) {
        (&self.weight, &self.bias)
    }

    /// A batch normalisation whose numbers are in `parameters`, in training.
    pub fn batch(name: &str, parameters: &Parameters) -> Result<Self> {
        let var = |part: &str| Ok::<_, crate::error::Error>(parameters.get(&format!("{name}.{part}"))?.clone());
        let kind = Kind::Batch { mean: var("running_mean")?, variance: var("running_var")?, mode: Mode::Recording };
        Ok(Self { weight: var("weight")?.into_inner(), bias: var("bias")?.into_inner(), kind })
    }

    /// A group normalisation whose weights are in `parameters`.
    pub fn group(name: &str, groups: usize, parameters: &Parameters) -> Result<Self> {
        let get =
            |part: &str| Ok::<_, crate::error::Error>(parameters.get(&format!("{name}.{part}"))?.as_tensor().clone());
        Ok(Self { weight: get("weight")?, bias: get("bias")?, kind: Kind::Group(groups) })
    }

    /// x (N, C, …) normalised, and what follows in the same pass.
    pub fn forward(&self, x: &Tensor, tail: Tail<'_>) -> Result<Tensor> {
        let (gamma, beta) = (&self.weight, &self.bias);
        match &self.kind {
            Kind::Group(groups) => Ok(group_norm(x, gamma, beta, *groups, tail)?),
            Kind::Batch { mean, variance, mode: Mode::Evaluation } => {
                Ok(batch_norm_by(x, gamma, beta, [mean, variance], tail)?)
            }
            Kind::Batch { mean, variance, mode } => {
                let (y, statistics) = batch_norm(x, gamma, beta, tail)?;
                if *mode == Mode::Recording {
                    let (mean, variance) = (mean.clone(), variance.clone());
                    once_learnt(move || statistics.record(&mean, &variance))?;
                }
                Ok(y)
            }
        }
    }

    /// The same layer for other passes.
    pub fn changed(&self, change: Change) -> Result<Self> {
        let kind = match &self.kind {
            Kind::Group(groups) => Kind::Group(*groups),
            Kind::Batch { mean, variance, mode } => {
                let mode = match change {
                    Change::Freeze | Change::Evaluate | Change::Copy | Change::Cast(_) => Mode::Evaluation,
                    Change::Silence if *mode == Mode::Recording => Mode::Silent,
                    Change::Silence => *mode,
                };
                let var = |var: &Var| match change {
                    Change::Copy => Ok::<_, crate::error::Error>(Var::from_tensor(&var.as_detached_tensor().copy()?)?),
                    Change::Cast(dtype) => Ok(Var::from_tensor(&var.as_detached_tensor().to_dtype(dtype)?)?),
                    _ => Ok(var.clone()),
                };
                Kind::Batch { mean: var(mean)?, variance: var(variance)?, mode }
            }
        };
        Ok(Self { weight: change.weight(&self.weight)?, bias: change.weight(&self.bias)?, kind })
    }
}
