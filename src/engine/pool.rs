//! Max and mean pooling with window = stride; what is left over at the bottom and right is dropped.
//!
//! Own operations because candle's gradients are wrong: `max_pool2d` gives a quarter of the truth and
//! shares it among ties, `avg_pool2d` leaks onto dropped edges. Here the first of equal maxima, row by
//! row, gets the whole gradient, as in PyTorch.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::fresh::{Fresh, Piece};
use super::own::own_kernels;
use super::simd::widest;
use super::tape::{apply1, apply2};
use super::{PIECE, Real, for_reals, values};

/// Which value a window gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// Pools (N, C, H, W) to (N, C, ⌊H/side⌋, ⌊W/side⌋).
///
/// # Errors
/// Where the window is larger than the image.
pub fn pool(x: &Tensor, kind: Pool, side: usize) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    if side == 0 || h < side || w < side {
        candle_core::bail!("a {side}×{side} pooling window does not fit a {h}×{w} image");
    }
    if own_kernels(x.device()) { apply1(&x.contiguous()?, PoolOp { kind, side }) } else { composed(x, kind, side) }
}

/// The gradient of the input from that of the output, and from the input `x`, which counts as a constant: which values won
/// is held fixed. Differentiable in the gradient.
///
/// # Errors
/// Where the shapes do not fit.
pub fn pool_input_gradient(grad: &Tensor, x: &Tensor, kind: Pool, side: usize) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    if side == 0 || grad.dims() != [n, c, h / side, w / side] {
        candle_core::bail!("a gradient of {:?} came for {:?} pooled by {side}", grad.shape(), x.shape());
    }
    if own_kernels(grad.device()) {
        return apply2(&x.detach().contiguous()?, &grad.contiguous()?, PoolGradient { kind, side });
    }
    let spread = grad
        .reshape((n, c, h / side, 1, w / side, 1))?
        .broadcast_as((n, c, h / side, side, w / side, side))?
        .reshape((n, c, h / side * side, w / side * side))?
        .pad_with_zeros(2, 0, h % side)?
        .pad_with_zeros(3, 0, w % side)?;
    let x = candle_core::Var::from_tensor(&x.detach())?;
    let slopes = composed(&x, kind, side)?.sum_all()?.backward()?;
    spread * slopes.get(&x).ok_or_else(|| candle_core::Error::Msg("pooling without a gradient".into()))?
}

/// The same from candle's own operations whose gradients are right, for other devices.
pub(super) fn composed(x: &Tensor, kind: Pool, side: usize) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let (oh, ow) = (h / side, w / side);
    let windows = x
        .narrow(2, 0, oh * side)?
        .narrow(3, 0, ow * side)?
        .contiguous()?
        .reshape((n, c, oh, side, ow, side))?
        .permute((0, 1, 2, 4, 3, 5))?
        .contiguous()?
        .reshape((n * c * oh * ow, side * side))?;
    let pooled = match kind {
        Pool::Mean => windows.mean(D::Minus1)?,
        Pool::Max => {
            // What is no number wins, so that it is not hidden.
            let plain = windows.detach();
            let most = Tensor::full(f64::INFINITY, plain.shape(), plain.device())?.to_dtype(plain.dtype())?;
            let largest = if plain.dtype() == DType::F64 { f64::MAX } else { f64::from(f32::MAX) };
            let finite = plain.minimum(largest)?;
            let ranked = plain.ne(&plain)?.where_cond(&most, &finite)?;
            // Of equal ones the first: which it is that argmax finds is another on every device.
            let equal = ranked.broadcast_eq(&ranked.max_keepdim(D::Minus1)?)?.to_dtype(DType::F32)?;
            let order: Vec<f32> = (0..side * side).rev().map(|at| at as f32 + 1.0).collect();
            let order = Tensor::from_vec(order, (1, side * side), plain.device())?;
            let winners = equal.broadcast_mul(&order)?.argmax_keepdim(D::Minus1)?;
            windows.gather(&winners, 1)?
        }
    };
    pooled.reshape((n, c, oh, ow))
}

struct PoolOp {
    kind: Pool,
    side: usize,
}

/// Planes (samples × channels), their height and width.
fn planes(layout: &Layout) -> Result<(usize, usize, usize)> {
    let (n, c, h, w) = layout.shape().dims4()?;
    Ok((n * c, h, w))
}

impl CustomOp1 for PoolOp {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let out = for_reals!(self.name(), storage, T => {
            values::<T>(storage, layout).and_then(|x| Ok(forward(x, planes(layout)?, self)))
        })?;
        Ok((out, (n, c, h / self.side, w / self.side).into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = PoolGradient { kind: self.kind, side: self.side };
        Ok(Some(x.contiguous()?.apply_op2_no_bwd(&grad.contiguous()?, &op)?))
    }
}

#[derive(Clone, Copy)]
struct PoolGradient {
    kind: Pool,
    side: usize,
}

/// What pooling would take of other images at the places where these, `x`, won: how the gradient's gradient goes back.
struct Picked(PoolGradient);

impl CustomOp2 for Picked {
    fn name(&self) -> &'static str {
        "gradient of a pool gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = l1.shape().dims4()?;
        let out = for_reals!(self.name(), s1, T => {
            let (x, other) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(picked(x, other, planes(l1)?, self.0))
        })?;
        Ok((out, (n, c, h / self.0.side, w / self.0.side).into()))
    }
}

impl CustomOp2 for PoolGradient {
    fn name(&self) -> &'static str {
        "pool gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), s1, T => {
            let (x, grad) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(backward(x, grad, planes(l1)?, self.kind, self.side))
        })?;
        Ok((out, l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _: &Tensor, r: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((None, Some(x.apply_op2_no_bwd(&r.contiguous()?, &Picked(*self))?)))
    }
}

/// Where in `plane` the first of the largest values of window (oy, ox) lies.
fn peak<T: Real>(plane: &[T], w: usize, side: usize, oy: usize, ox: usize) -> usize {
    let start = oy * side * w + ox * side;
    let mut best = start;
    for dy in 0..side {
        for at in start + dy * w..start + dy * w + side {
            // NaN wins, so that it is not hidden.
            if plane[at] > plane[best] || plane[at].partial_cmp(&plane[at]).is_none() {
                best = at;
            }
        }
    }
    best
}

/// Planes of `size` values that a thread takes at once.
fn planes_at_once(size: usize) -> usize {
    (PIECE / size.max(1)).max(1)
}

fn forward<T: Real>(x: &[T], (planes, h, w): (usize, usize, usize), op: &PoolOp) -> Vec<T> {
    let (side, oh, ow) = (op.side, h / op.side, w / op.side);
    let mut fresh = Fresh::new(planes * oh * ow);
    let pairs = fresh.pieces(oh * ow).map(Piece::open).zip(x.par_chunks(h * w)).with_min_len(planes_at_once(h * w));
    pairs.for_each(|(y, plane)| match op.kind {
        Pool::Max if side == 2 => widest(
            #[inline(always)]
            || max_by_two(plane, y, w, ow),
        ),
        Pool::Max => {
            for (i, y) in y.iter_mut().enumerate() {
                *y = plane[peak(plane, w, side, i / ow, i % ow)];
            }
        }
        Pool::Mean => {
            let share = T::from_f64(1.0 / (side * side) as f64);
            for (i, y) in y.iter_mut().enumerate() {
                let mut sum = T::ZERO;
                for dy in 0..side {
                    let row = (i / ow * side + dy) * w + i % ow * side;
                    for &v in &plane[row..row + side] {
                        sum += v;
                    }
                }
                *y = sum * share;
            }
        }
    });
    fresh.finish()
}

/// The larger of two, or what is no number.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a || b.partial_cmp(&b).is_none() { b } else { a }
}

/// The commonest window, row by row and without an index, so that it is done several values at a time.
#[inline(always)]
fn max_by_two<T: Real>(plane: &[T], y: &mut [T], w: usize, ow: usize) {
    for (y, rows) in y.chunks_exact_mut(ow).zip(plane.chunks_exact(2 * w)) {
        let (top, bottom) = rows.split_at(w);
        for ((y, a), b) in y.iter_mut().zip(top.chunks_exact(2)).zip(bottom.chunks_exact(2)) {
            *y = larger(larger(a[0], a[1]), larger(b[0], b[1]));
        }
    }
}

fn backward<T: Real>(x: &[T], grad: &[T], (planes, h, w): (usize, usize, usize), kind: Pool, side: usize) -> Vec<T> {
    let (oh, ow) = (h / side, w / side);
    let share = T::from_f64(1.0 / (side * side) as f64);
    let mut fresh = Fresh::new(planes * h * w);
    let all = fresh.pieces(h * w).map(Piece::open).zip(x.par_chunks(h * w)).zip(grad.par_chunks(oh * ow));
    all.with_min_len(planes_at_once(h * w)).for_each(|((out, plane), grad)| match kind {
        Pool::Max if side == 2 => widest(
            #[inline(always)]
            || spread_by_two(plane, grad, out, w, ow),
        ),
        Pool::Max => {
            for (i, &g) in grad.iter().enumerate() {
                out[peak(plane, w, side, i / ow, i % ow)] += g;
            }
        }
        Pool::Mean => {
            for (i, &g) in grad.iter().enumerate() {
                for dy in 0..side {
                    let row = (i / ow * side + dy) * w + i % ow * side;
                    out[row..row + side].fill(g * share);
                }
            }
        }
    });
    fresh.finish()
}

fn picked<T: Real>(
    x: &[T],
    other: &[T],
    of: (usize, usize, usize),
    PoolGradient { kind, side }: PoolGradient,
) -> Vec<T> {
    if kind == Pool::Mean {
        return forward(other, of, &PoolOp { kind, side });
    }
    let (planes, h, w) = of;
    let (oh, ow) = (h / side, w / side);
    let mut fresh = Fresh::new(planes * oh * ow);
    let all = fresh.pieces(oh * ow).map(Piece::open).zip(x.par_chunks(h * w)).zip(other.par_chunks(h * w));
    all.with_min_len(planes_at_once(h * w)).for_each(|((out, plane), other)| {
        for (i, out) in out.iter_mut().enumerate() {
            *out = other[peak(plane, w, side, i / ow, i % ow)];
        }
    });
    fresh.finish()
}

/// The gradient of `max_by_two`: the first of equal maxima, row by row, gets it all, as does the first that is no number.
/// Written without a jump, so that it is done several windows at a time.
#[inline(always)]
fn spread_by_two<T: Real>(plane: &[T], grad: &[T], out: &mut [T], w: usize, ow: usize) {
    let rows = out.chunks_exact_mut(2 * w).zip(plane.chunks_exact(2 * w)).zip(grad.chunks_exact(ow));
    for ((out, rows), grad) in rows {
        let ((top, bottom), (to_top, to_bottom)) = (rows.split_at(w), out.split_at_mut(w));
        let values = top.chunks_exact(2).zip(bottom.chunks_exact(2));
        let places = to_top.chunks_exact_mut(2).zip(to_bottom.chunks_exact_mut(2));
        for (((a, b), (to_a, to_b)), &g) in values.zip(places).zip(grad) {
            let most = larger(larger(a[0], a[1]), larger(b[0], b[1]));
            let give = |value: T, left: T| {
                if value == most || value.partial_cmp(&value).is_none() { (left, T::ZERO) } else { (T::ZERO, left) }
            };
            let (first, left) = give(a[0], g);
            let (second, left) = give(a[1], left);
            (to_a[0], to_a[1]) = (first, second);
            (to_b[0], to_b[1]) = give(b[0], left);
        }
    }
}
