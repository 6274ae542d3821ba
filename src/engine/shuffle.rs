//! 2×2 blocks of pixels as channels and back: a reordering of numbers, each the other's gradient.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::fresh::{Fresh, Piece};
use super::own::own_kernels;
use super::tape::apply1;
use super::{PIECE, Real, for_reals, values};

/// (N, C, H, W) to (N, 4C, H/2, W/2), channel order c·4 + 2·dy + dx.
///
/// # Errors
/// Where a side is odd.
pub fn space_to_depth(x: &Tensor) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    if h % 2 + w % 2 > 0 {
        candle_core::bail!("2×2 blocks do not fill {h}×{w}");
    }
    if own_kernels(x.device()) {
        return apply1(&x.contiguous()?, Shuffle::SpaceToDepth);
    }
    let blocks = x.reshape((n, c, h / 2, 2, w / 2, 2))?.permute((0, 1, 3, 5, 2, 4))?;
    blocks.contiguous()?.reshape((n, 4 * c, h / 2, w / 2))
}

/// The inverse of [`space_to_depth`]: (N, 4C, H, W) to (N, C, 2H, 2W).
///
/// # Errors
/// Where the channels are no multiple of four.
pub fn depth_to_space(x: &Tensor) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    if c % 4 > 0 {
        candle_core::bail!("2×2 blocks need channels in fours, found {c}");
    }
    if own_kernels(x.device()) {
        return apply1(&x.contiguous()?, Shuffle::DepthToSpace);
    }
    let blocks = x.reshape((n, c / 4, 2, 2, h, w))?.permute((0, 1, 4, 2, 5, 3))?;
    blocks.contiguous()?.reshape((n, c / 4, 2 * h, 2 * w))
}

#[derive(Clone, Copy)]
enum Shuffle {
    SpaceToDepth,
    DepthToSpace,
}

impl CustomOp1 for Shuffle {
    fn name(&self) -> &'static str {
        match self {
            Self::SpaceToDepth => "space to depth",
            Self::DepthToSpace => "depth to space",
        }
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let out = for_reals!(self.name(), storage, T => {
            values::<T>(storage, layout).map(|x| match self {
                Self::SpaceToDepth => shuffled(x, h * w, |deep, flat| deepen(deep, flat, w)),
                Self::DepthToSpace => shuffled(x, 4 * h * w, |flat, deep| flatten(flat, deep, 2 * w)),
            })
        })?;
        let shape = match self {
            Self::SpaceToDepth => (n, 4 * c, h / 2, w / 2),
            Self::DepthToSpace => (n, c / 4, 2 * h, 2 * w),
        };
        Ok((out, shape.into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(match self {
            Self::SpaceToDepth => depth_to_space(grad)?,
            Self::DepthToSpace => space_to_depth(grad)?,
        }))
    }
}

/// Does `plane(to, from)` for every plane of h × w pixels, or the four planes of channels that it becomes.
fn shuffled<T: Real>(x: &[T], size: usize, plane: impl Fn(&mut [T], &[T]) + Sync) -> Vec<T> {
    let mut fresh = Fresh::new(x.len());
    let planes = fresh.pieces(size).map(Piece::open).zip(x.par_chunks(size));
    planes.with_min_len((PIECE / size).max(1)).for_each(|(to, from)| plane(to, from));
    fresh.finish()
}

/// A plane whose rows have `w` pixels, to four planes.
fn deepen<T: Real>(deep: &mut [T], flat: &[T], w: usize) {
    for (dy, pair) in deep.chunks_exact_mut(flat.len() / 2).enumerate() {
        let (even, odd) = pair.split_at_mut(flat.len() / 4);
        let columns = even.chunks_exact_mut(w / 2).zip(odd.chunks_exact_mut(w / 2));
        for ((even, odd), row) in columns.zip(flat.chunks_exact(w).skip(dy).step_by(2)) {
            for ((even, odd), pixels) in even.iter_mut().zip(odd).zip(row.chunks_exact(2)) {
                (*even, *odd) = (pixels[0], pixels[1]);
            }
        }
    }
}

/// And back.
fn flatten<T: Real>(flat: &mut [T], deep: &[T], w: usize) {
    for (dy, pair) in deep.chunks_exact(flat.len() / 2).enumerate() {
        let (even, odd) = pair.split_at(flat.len() / 4);
        let columns = even.chunks_exact(w / 2).zip(odd.chunks_exact(w / 2));
        for ((even, odd), row) in columns.zip(flat.chunks_exact_mut(w).skip(dy).step_by(2)) {
            for ((&even, &odd), pixels) in even.iter().zip(odd).zip(row.chunks_exact_mut(2)) {
                (pixels[0], pixels[1]) = (even, odd);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn blocks_become_channels_and_come_back_with_their_gradients() {
        let x = Var::from_tensor(&Tensor::arange(0f32, 48.0, &Device::Cpu).unwrap().reshape((2, 1, 4, 6)).unwrap())
            .unwrap();
        let deep = space_to_depth(&x).unwrap();
        assert_eq!(deep.dims(), [2, 4, 2, 3]);
        let list = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(list(&deep)[..12], [0.0, 2.0, 4.0, 12.0, 14.0, 16.0, 1.0, 3.0, 5.0, 13.0, 15.0, 17.0]);
        let back = depth_to_space(&deep).unwrap();
        assert_eq!(list(&back), list(&x));
        // Where each number went tells by what it is multiplied.
        let weights = Tensor::arange(0f32, 48.0, &Device::Cpu).unwrap().sqr().unwrap().reshape((2, 4, 2, 3)).unwrap();
        let gradients = (deep * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        assert_eq!(list(gradients.get(&x).unwrap()), list(&depth_to_space(&weights).unwrap()));
        assert!(space_to_depth(&x.narrow(2, 0, 3).unwrap()).is_err() && depth_to_space(&x).is_err());
        let turned = x.transpose(2, 3).unwrap();
        let flat = depth_to_space(&space_to_depth(&turned).unwrap()).unwrap();
        assert_eq!(list(&flat), list(&turned.contiguous().unwrap()));
    }
}
