//! The mean over the last dimension, and its way back, which is the sharing out of a number; each is the other's gradient.
//!
//! Own operations because candle sums and spreads on one thread: in a residual network, where the mean over the positions
//! stands before the last layer, that was a twentieth of a training step.

use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::fresh::{Fresh, Piece};
use super::own::own_kernels;
use super::simd::sum;
use super::tape::apply1;
use super::{PIECE, Real, for_reals, values};

/// (…, n) to (…, 1).
///
/// # Errors
/// Where x is a scalar or empty.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let x = Tensor::new(&[[1f32, 2.0, 6.0], [0.0, 0.0, 3.0]], &Device::Cpu)?;
/// assert_eq!(cutlayer::engine::mean::mean_of_last(&x)?.to_vec2::<f32>()?, [[3.0], [1.0]]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn mean_of_last(x: &Tensor) -> Result<Tensor> {
    let count = x.dim(D::Minus1)?;
    if x.elem_count() == 0 {
        candle_core::bail!("the mean of nothing: {:?}", x.dims());
    }
    if own_kernels(x.device()) { apply1(&x.contiguous()?, Mean { count }) } else { x.mean_keepdim(D::Minus1) }
}

/// Its gradient: (…, 1) to (…, `count`), each number shared out. Differentiable.
///
/// # Errors
/// Where the last dimension is not 1.
pub fn shared_out(grad: &Tensor, count: usize) -> Result<Tensor> {
    if grad.dim(D::Minus1)? != 1 {
        candle_core::bail!("shared out {:?}", grad.dims());
    }
    if own_kernels(grad.device()) {
        return apply1(&grad.contiguous()?, Share { count });
    }
    (grad * (1.0 / count as f64))?.broadcast_as(resized(grad.shape(), count))?.contiguous()
}

/// Of every row of `count` numbers the mean.
struct Mean {
    count: usize,
}

/// Every number divided by `count`, so many times over.
struct Share {
    count: usize,
}

/// A shape with another last dimension.
fn resized(shape: &Shape, last: usize) -> Shape {
    let mut dims = shape.dims().to_vec();
    if let Some(dim) = dims.last_mut() {
        *dim = last;
    }
    dims.into()
}

fn share<T: Real>(count: usize) -> T {
    T::from_f64(1.0 / count as f64)
}

fn means<T: Real>(x: &[T], count: usize) -> Vec<T> {
    let rows = x.par_chunks_exact(count).with_min_len(PIECE.div_ceil(count));
    rows.map(|row| sum(row) * share(count)).collect()
}

fn shares<T: Real>(means: &[T], count: usize) -> Vec<T> {
    let mut fresh = Fresh::new(means.len() * count);
    let rows = fresh.pieces(count).zip(means).with_min_len(PIECE.div_ceil(count));
    rows.for_each(|(row, &mean)| Piece::open(row).fill(mean * share(count)));
    fresh.finish()
}

impl CustomOp1 for Mean {
    fn name(&self) -> &'static str {
        "mean of the last dimension"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), storage, T => values::<T>(storage, layout).map(|x| means(x, self.count)))?;
        Ok((out, resized(layout.shape(), 1)))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        apply1(&grad.contiguous()?, Share { count: self.count }).map(Some)
    }
}

impl CustomOp1 for Share {
    fn name(&self) -> &'static str {
        "gradient of a mean"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), storage, T => values::<T>(storage, layout).map(|y| shares(y, self.count)))?;
        Ok((out, resized(layout.shape(), self.count)))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        apply1(&grad.contiguous()?, Mean { count: self.count }).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;
    use crate::random::Seed;

    #[test]
    fn it_and_its_gradients_are_candles() {
        let noise = Seed(5).stream("mean", 0).uniform_tensor(-1.0, 1.0, &[3, 4, 37], &Device::Cpu).unwrap();
        let x = Var::from_tensor(&noise.to_dtype(DType::F64).unwrap()).unwrap();
        let (ours, theirs) = (mean_of_last(&x).unwrap(), x.mean_keepdim(D::Minus1).unwrap());
        let gap =
            |a: &Tensor, b: &Tensor| -> f64 { (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap() };
        assert_eq!(ours.dims(), [3, 4, 1]);
        assert!(gap(&ours, &theirs) < 1e-15);
        // A gradient that depends on x, so that its own gradient can be asked for too.
        let once = |y: &Tensor| y.powf(3.0).unwrap().sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
        let (ours, theirs) = (once(&ours), once(&theirs));
        assert!(gap(&ours, &theirs) < 1e-15);
        // candle's gradients are detached: the gradient of the way back is asked for by itself.
        let y = Var::from_tensor(&theirs.narrow(D::Minus1, 0, 1).unwrap().contiguous().unwrap()).unwrap();
        let spread = apply1(&y, Share { count: 37 }).unwrap();
        let other = (y.broadcast_as((3, 4, 37)).unwrap() / 37.0).unwrap();
        let once = |z: &Tensor| (z * &*x).unwrap().sum_all().unwrap().backward().unwrap().get(&y).unwrap().clone();
        assert!(gap(&once(&spread), &once(&other)) < 1e-15);
    }

    #[test]
    fn nothing_has_no_mean() {
        let empty = Tensor::zeros((2, 0), DType::F32, &Device::Cpu).unwrap();
        assert!(mean_of_last(&empty).is_err() && mean_of_last(&Tensor::new(1f32, &Device::Cpu).unwrap()).is_err());
    }
}
