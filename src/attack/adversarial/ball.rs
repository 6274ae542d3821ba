//! How far an input may be moved: every number by so much at most, and within a range where there is one.

use candle_core::Tensor;

use crate::error::Result;
use crate::random::{At, Seed};

/// The inputs that are near enough, a box a sample.
#[derive(Clone, Debug)]
pub(super) struct Ball {
    centre: Tensor,
    low: Tensor,
    high: Tensor,
    /// Of each sample, shaped (N, 1, …).
    radius: Tensor,
}

impl Ball {
    /// Images (N, C, H, W), each pixel by `epsilon` at most and within \[0, 1\].
    pub fn of_images(x: &Tensor, epsilon: f64) -> Result<Self> {
        let radius = vec![epsilon; x.dim(0)?];
        let ball = Self::new(x, &radius)?;
        Ok(Self { low: ball.low.clamp(0.0, 1.0)?, high: ball.high.clamp(0.0, 1.0)?, ..ball })
    }

    /// Smashed data (N, …), each number by `epsilon` times the root of its sample's mean square at most.
    pub fn relative(z: &Tensor, epsilon: f64) -> Result<Self> {
        let squares = z.detach().flatten_from(1)?.to_dtype(candle_core::DType::F64)?.sqr()?.mean(1)?;
        let radius: Vec<f64> = squares.to_vec1::<f64>()?.iter().map(|square| epsilon * square.sqrt()).collect();
        Self::new(z, &radius)
    }

    fn new(centre: &Tensor, radius: &[f64]) -> Result<Self> {
        let mut shape = vec![1; centre.rank()];
        shape[0] = radius.len();
        let radius = Tensor::from_slice(radius, shape, centre.device())?.to_dtype(centre.dtype())?;
        let centre = centre.detach();
        let (low, high) = (centre.broadcast_sub(&radius)?, centre.broadcast_add(&radius)?);
        Ok(Self { centre, low, high, radius })
    }

    /// The middle: the inputs as they are.
    pub fn centre(&self) -> &Tensor {
        &self.centre
    }

    /// Inputs moved by `share` of the radius where the gradient points, and no farther than is allowed. Where it is 0 a
    /// number stays.
    pub fn step(&self, from: &Tensor, gradient: &Tensor, share: f64) -> Result<Tensor> {
        let step = sign(gradient)?.broadcast_mul(&(&self.radius * share)?)?;
        self.nearest(&(from + step)?)
    }

    /// The same by a length in the units of the input.
    pub fn step_by(&self, from: &Tensor, gradient: &Tensor, length: f64) -> Result<Tensor> {
        self.nearest(&(from + (sign(gradient)? * length)?)?)
    }

    /// Drawn in the whole ball, each sample by its own number.
    pub fn drawn(&self, seed: Seed, name: &str, samples: &[usize]) -> Result<Tensor> {
        let (at, size) = (At::Ask { samples, draw: 0 }, self.centre.elem_count() / self.centre.dim(0)?.max(1));
        let mut values = Vec::with_capacity(self.centre.elem_count());
        for i in 0..self.centre.dim(0)? {
            let mut stream = at.stream(seed, name, i);
            values.extend((0..size).map(|_| stream.uniform(-1.0, 1.0)));
        }
        let away =
            Tensor::from_vec(values, self.centre.shape(), self.centre.device())?.to_dtype(self.centre.dtype())?;
        self.nearest(&(&self.centre + away.broadcast_mul(&self.radius)?)?)
    }

    fn nearest(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.maximum(&self.low)?.minimum(&self.high)?.detach())
    }
}

/// −1, 0 or 1.
fn sign(gradient: &Tensor) -> Result<Tensor> {
    let (up, down) = (gradient.gt(0.0)?, gradient.lt(0.0)?);
    Ok((up.to_dtype(gradient.dtype())? - down.to_dtype(gradient.dtype())?)?)
}
