//! What is minimised: how far gradients are apart, and how rough an image is.

use candle_core::{D, Tensor};
use candle_nn::ops::softmax;

use crate::error::{Error, Result};

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
        let squared = sum(parts.iter().map(|part| Ok(part.sqr()?.sum_all()?)))?;
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
        let pairs = || got.iter().zip(&self.parts);
        match distance {
            Distance::Squared => sum(pairs().map(|(got, seen)| Ok((got - seen)?.sqr()?.sum_all()?))),
            Distance::Cosine => {
                // Half the squared distance of the unit vectors is the same number, and does not drown in rounding where they
                // are close. A gradient of nothing at all has no direction, and is told apart from NaN.
                let norm = (sum(got.iter().map(|got| Ok(got.sqr()?.sum_all()?)))? + 1e-30)?.sqrt()?;
                let unit = |seen: &Tensor| seen / self.squared.sqrt();
                let apart = |(got, seen): (&Tensor, &Tensor)| {
                    Ok((got.broadcast_div(&norm)? - unit(seen)?)?.sqr()?.sum_all()?)
                };
                Ok((sum(pairs().map(apart))? * 0.5)?)
            }
        }
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
    let along = |side: usize, n: usize| {
        (n > 1).then(|| Ok((x.narrow(side, 1, n - 1)? - x.narrow(side, 0, n - 1)?)?.abs()?.mean_all()?))
    };
    match [along(2, h), along(3, w)] {
        [None, None] => Ok(x.zeros_like()?.mean_all()?),
        both => sum(both.into_iter().flatten()),
    }
}

/// ∂/∂logits of the loss whose gradient is seen, for targets (N, K) whose rows sum to 1: the mean over the batch, each
/// sample as its class counts.
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn loss_gradient(logits: &Tensor, target: &Tensor, class_weights: Option<&Tensor>) -> Result<Tensor> {
    let apart = (softmax(logits, D::Minus1)? - target)?;
    Ok(match class_weights {
        None => (apart * (1.0 / logits.dim(0)? as f64))?,
        Some(weights) => {
            let rows = target.broadcast_mul(weights)?.sum_keepdim(1)?;
            apart.broadcast_mul(&rows.broadcast_div(&rows.sum_all()?)?)?
        }
    })
}

/// The sum of scalars.
fn sum(mut all: impl Iterator<Item = Result<Tensor>>) -> Result<Tensor> {
    let first = all.next().ok_or_else(|| Error::Internal("a sum of nothing".to_owned()))??;
    all.try_fold(first, |sum, one| Ok((sum + one?)?))
}

#[cfg(test)]
mod tests;
