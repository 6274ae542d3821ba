//! How a network is made ready for other passes than that which trains it.

use candle_core::{DType, Tensor};

use crate::error::Result;

/// What becomes of a network's weights and its running statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Shared and not trained, in evaluation.
    Freeze,
    /// Copied and not trained, in evaluation.
    Copy,
    /// Shared and trained; running statistics stay as they are.
    Silence,
    /// Shared and trained, in evaluation.
    Evaluate,
    /// Of another number type and not trained, in evaluation.
    Cast(DType),
}

impl Change {
    /// What becomes of one weight.
    pub fn weight(self, weight: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Freeze => weight.detach(),
            Self::Copy => weight.detach().copy()?,
            Self::Silence | Self::Evaluate => weight.clone(),
            Self::Cast(dtype) => weight.detach().to_dtype(dtype)?,
        })
    }
}
