//! What is minimised: how far gradients are apart, and how rough an image is.

use candle_core::{D, Tensor, Var};
use candle_nn::ops::softmax;

use crate::engine::distance::{Sloped, Sums, compared};
use crate::engine::loss::{carry_on, soft_cross_entropy_gradient};
use crate::engine::tape::sum;
use crate::error::{Error, Result};
use crate::model::jacobian::gradient;

/// How two gradients are compared, over all weights together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// ‖g′ − g‖² (Zhu et al. 2019).
    Squared,
    /// 1 − cos(g′, g) (Geiping et al. 2020).
    Cosine,
}

/// A gradient to be matched.
#[derive(Clone, Debug)]
pub struct Seen {
    parts: Vec<Tensor>,
    /// ‖g‖².
    squared: f64,
}

impl Seen {
    /// Of a tensor for each weight and bias.
    ///
    /// # Errors
    /// Returns an error if it is 0 or not finite everywhere: nothing can be told by it.
    pub fn new(parts: Vec<Tensor>) -> Result<Self> {
        let squared = all(parts.iter().map(|part| Ok(part.sqr()?.sum_all()?)))?;
        let squared = f64::from(squared.to_scalar::<f32>()?);
        if !(squared > 0.0 && squared.is_finite()) {
            return Err(Error::Diverged(format!(
                "the gradient's squared norm is {squared}: nothing can be found out by such a gradient"
            )));
        }
        Ok(Self { parts, squared })
    }

    /// How far `got` is from it: a scalar.
    ///
    /// # Errors
    /// Returns an error if the shapes differ.
    pub fn apart(&self, got: &[Tensor], distance: Distance) -> Result<Tensor> {
        if got.len() != self.parts.len() {
            let found = [got.len(), self.parts.len()];
            return Err(Error::Internal(format!("gradients by {} weights met those by {}", found[0], found[1])));
        }
        let seen = self.squared;
        let function = |sums: Sums| match distance {
            Distance::Squared => Sloped { value: sums.apart, by_a: 2.0, by_b: -2.0 },
            Distance::Cosine => {
                // A gradient of nothing at all has no direction, and is told apart from NaN.
                let squared = sums.squared + 1e-30;
                let both = (squared * seen).sqrt();
                let cosine = sums.product / both;
                Sloped { value: 1.0 - cosine, by_a: cosine / squared, by_b: -1.0 / both }
            }
        };
        Ok(compared(got, &self.parts, function)?)
    }

    /// What a distance is multiplied by in a search, so that small gradients are not taken for none: what is as good as flat
    /// to L-BFGS is told in absolute numbers.
    pub(super) fn scale(&self, distance: Distance) -> f64 {
        match distance {
            Distance::Squared => (1e4 / self.squared).clamp(1.0, 1e30),
            Distance::Cosine => 1.0,
        }
    }

    /// Which share of the gradient a distance leaves unexplained, 0 to 1 and beyond.
    pub fn unexplained(&self, apart: f64, distance: Distance) -> f64 {
        match distance {
            Distance::Squared => apart / self.squared,
            Distance::Cosine => apart,
        }
    }
}

/// Mean of absolute vertical plus mean of absolute horizontal neighbour differences of images (N, C, H, W).
///
/// # Errors
/// Returns an error if these are no images.
pub fn total_variation(x: &Tensor) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let image = Var::from_tensor(&x.detach())?;
    let along = |side: usize, n: usize| {
        (n > 1).then(|| Ok((image.narrow(side, 1, n - 1)? - image.narrow(side, 0, n - 1)?)?.abs()?.mean_all()?))
    };
    let value = match [along(2, h), along(3, w)] {
        [None, None] => return Ok(image.zeros_like()?.mean_all()?),
        both => all(both.into_iter().flatten())?,
    };
    let slope = gradient(&value, &image)?;
    Ok(sum(&value.detach(), &carry_on(x, &slope)?)?)
}

/// ∂/∂logits of the loss whose gradient is seen, for targets (N, K) whose rows sum to 1: the mean over the batch, each
/// sample as its class counts.
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn loss_gradient(logits: &Tensor, target: &Tensor, class_weights: Option<&Tensor>) -> Result<Tensor> {
    Ok(match class_weights {
        None => soft_cross_entropy_gradient(logits, target)?,
        Some(weights) => {
            let apart = (softmax(logits, D::Minus1)? - target)?;
            let rows = target.broadcast_mul(weights)?.sum_keepdim(1)?;
            apart.broadcast_mul(&rows.broadcast_div(&rows.sum_all()?)?)?
        }
    })
}

/// The sum of scalars.
fn all(mut all: impl Iterator<Item = Result<Tensor>>) -> Result<Tensor> {
    let first = all.next().ok_or_else(|| Error::Internal("a sum of nothing".to_owned()))??;
    all.try_fold(first, |sum, one| Ok((sum + one?)?))
}

#[cfg(test)]
mod tests;
