//! A normalisation written out from operations that can be differentiated twice.
//!
//! Values in three dimensions: a *set* shares mean and variance, and is what is left of them where the dimensions in
//! `over` are summed: (samples, channels, positions) over samples and positions for a channel of the batch,
//! (samples, groups, channels of a group × positions) over the last for a group of one sample.

use candle_core::Tensor;

use super::super::norm::{Norm, Statistics};
use crate::engine::norm::EPSILON;
use crate::error::{Error, Result};

/// A pass through a normalisation.
pub(super) struct Normalised {
    /// x̂, of the input's shape.
    values: Tensor,
    /// 1/√(variance + ε), to be spread over `split`.
    scale: Tensor,
    split: [usize; 3],
    /// Over what mean and variance were taken; none for running ones.
    over: Option<&'static [usize]>,
    /// γ and β for the values as (samples, channels, positions).
    affine: [Tensor; 2],
    planes: [usize; 3],
}

impl Normalised {
    /// x (N, C, …) through the layer.
    pub fn of(norm: &Norm, x: &Tensor) -> Result<Self> {
        let [samples, channels] = [x.dim(0)?, x.dim(1)?];
        let planes = [samples, channels, x.elem_count() / (samples * channels).max(1)];
        let (split, over): (_, Option<&'static [usize]>) = match norm.statistics() {
            Statistics::Running(..) => (planes, None),
            Statistics::Batch => (planes, Some(&[0, 2])),
            Statistics::Groups(groups) if groups > 0 && channels % groups == 0 => {
                ([samples, groups, channels / groups * planes[2]], Some(&[2]))
            }
            Statistics::Groups(groups) => {
                return Err(Error::Internal(format!("{groups} groups do not divide {channels} channels")));
            }
        };
        let rows = x.reshape(&split)?;
        let (mean, variance) = match (norm.statistics(), over) {
            (Statistics::Running(mean, variance), _) => {
                (mean.detach().reshape((1, channels, 1))?, variance.detach().reshape((1, channels, 1))?)
            }
            (_, over) => {
                let over = over.unwrap_or_default();
                let mean = rows.mean_keepdim(over)?;
                let variance = rows.broadcast_sub(&mean)?.sqr()?.mean_keepdim(over)?;
                (mean, variance)
            }
        };
        let scale = (variance + EPSILON)?.sqrt()?.recip()?;
        let values = rows.broadcast_sub(&mean)?.broadcast_mul(&scale)?.reshape(x.shape())?;
        let (gamma, beta) = norm.affine();
        let affine = [gamma.reshape((1, channels, 1))?, beta.reshape((1, channels, 1))?];
        Ok(Self { values, scale, split, over, affine, planes })
    }

    /// γx̂ + β.
    pub fn output(&self) -> Result<Tensor> {
        let [gamma, beta] = &self.affine;
        let y = self.values.reshape(&self.planes)?.broadcast_mul(gamma)?.broadcast_add(beta)?;
        Ok(y.reshape(self.values.shape())?)
    }

    /// Those of β and γ, each (C): Σg and Σgx̂.
    pub fn affine_gradients(&self, grad: &Tensor) -> Result<[Tensor; 2]> {
        let sum = |t: &Tensor| t.reshape(&self.planes)?.sum((0, 2));
        Ok([sum(grad)?, sum(&(grad * &self.values)?)?])
    }

    /// (γg − Σγg/M − x̂·Σγgx̂/M)/√(variance + ε), and γg/√(variance + ε) with running statistics.
    pub fn input_gradient(&self, grad: &Tensor) -> Result<Tensor> {
        let scaled = grad.reshape(&self.planes)?.broadcast_mul(&self.affine[0])?.reshape(&self.split)?;
        let scaled = match self.over {
            None => scaled,
            Some(over) => {
                let values = self.values.reshape(&self.split)?;
                let along = values.broadcast_mul(&(&scaled * &values)?.mean_keepdim(over)?)?;
                (scaled.broadcast_sub(&scaled.mean_keepdim(over)?)? - along)?
            }
        };
        Ok(scaled.broadcast_mul(&self.scale)?.reshape(self.values.shape())?)
    }
}
