//! The sum over all but the channels, and its way back, which is the spreading of a number; each is the other's gradient.
//!
//! A bias's gradient where that is to be differentiated again. Own operations because candle sums over outer dimensions
//! number by number: of a gradient's gradient that was a sixth.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::fresh::{Fresh, Piece};
use super::own::own_kernels;
use super::simd::sum;
use super::tape::apply1;
use super::{PIECE, Real, for_reals, values};

/// (N, C, …) to (C).
///
/// # Errors
/// Where x has no channels.
pub fn sum_by_channel(x: &Tensor) -> Result<Tensor> {
    let channels = x.dim(1)?;
    if own_kernels(x.device()) {
        apply1(&x.contiguous()?, Sum { shape: x.shape().clone() })
    } else {
        x.reshape((x.dim(0)?, channels, ()))?.sum((0, 2))
    }
}

/// Sums what has this shape by its second dimension.
struct Sum {
    shape: Shape,
}

/// Spreads a number a channel over this shape.
struct Spread {
    shape: Shape,
}

/// Channels of a shape, and neighbouring numbers of each.
fn grid(shape: &Shape) -> (usize, usize) {
    let dims = shape.dims();
    (dims[1], dims[2..].iter().product())
}

fn sums<T: Real>(x: &[T], (channels, size): (usize, usize)) -> Vec<T> {
    if size == 1 {
        let mut all = vec![T::ZERO; channels];
        x.chunks_exact(channels).for_each(|row| all.iter_mut().zip(row).for_each(|(all, &v)| *all += v));
        return all;
    }
    let samples = x.len() / (channels * size).max(1);
    let of_channel = |channel: usize| {
        let planes = (0..samples).map(|n| sum(&x[(n * channels + channel) * size..][..size]));
        planes.fold(T::ZERO, |all, plane| all + plane)
    };
    (0..channels).into_par_iter().with_min_len(PIECE.div_ceil(samples * size)).map(of_channel).collect()
}

fn spread<T: Real>(by_channel: &[T], length: usize, (channels, size): (usize, usize)) -> Vec<T> {
    let mut fresh = Fresh::new(length);
    let planes = fresh.pieces(size).enumerate().with_min_len(PIECE.div_ceil(size.max(1)));
    planes.for_each(|(i, plane)| Piece::open(plane).fill(by_channel[i % channels]));
    fresh.finish()
}

impl CustomOp1 for Sum {
    fn name(&self) -> &'static str {
        "sum by channel"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let grid = grid(&self.shape);
        let out = for_reals!(self.name(), storage, T => values::<T>(storage, layout).map(|x| sums(x, grid)))?;
        Ok((out, grid.0.into()))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        apply1(&grad.contiguous()?, Spread { shape: self.shape.clone() }).map(Some)
    }
}

impl CustomOp1 for Spread {
    fn name(&self) -> &'static str {
        "gradient of a sum by channel"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (grid, length) = (grid(&self.shape), self.shape.elem_count());
        let out = for_reals!(self.name(), storage, T => {
            values::<T>(storage, layout).map(|y| spread(y, length, grid))
        })?;
        Ok((out, self.shape.clone()))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        apply1(&grad.contiguous()?, Sum { shape: self.shape.clone() }).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;
    use crate::random::Seed;

    #[test]
    fn it_and_its_gradient_are_candles() {
        for shape in [&[3usize, 4, 5, 7][..], &[3, 4], &[1, 6, 1, 1], &[2, 300, 9, 9]] {
            let noise = Seed(5).stream("channel", 0).uniform_tensor(-1.0, 1.0, shape, &Device::Cpu).unwrap();
            let x = Var::from_tensor(&noise.to_dtype(DType::F64).unwrap()).unwrap();
            let rest: Vec<usize> = (0..shape.len()).filter(|dim| *dim != 1).collect();
            let (ours, theirs) = (sum_by_channel(&x).unwrap(), x.sum(rest).unwrap());
            let once =
                |y: &Tensor| y.powf(3.0).unwrap().sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
            for (ours, theirs) in [(ours.clone(), theirs.clone()), (once(&ours), once(&theirs))] {
                assert_eq!(ours.dims(), theirs.dims());
                let gap = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap();
                assert!(gap.to_scalar::<f64>().unwrap() < 1e-11, "{shape:?}");
            }
        }
    }
}
