//! Recovery of many small matrices at once, one in each SIMD lane.
//!
//! The two points to which the proximal maps are applied, P = y_L − r and y_S − r with
//! r = ½(y_L + y_S − D), add up to D. So three arrays carry the whole iteration: D, P, and the gap Q = L − S,
//!
//! L = prox(P), S = prox(D − P), Q′ = L − S, P′ = ½(D + Q′ + pull·(Q′ − Q)),
//!
//! and each step is two passes over them: a Gram matrix, then product, thresholds and next point in
//! one. prox of the nuclear norm is a product with V·diag(max(σ−τ, 0)/σ)·Vᵀ, V the eigenvectors of
//! the Gram matrix of the smaller side, which start from those of the step before.

#![expect(
    clippy::inline_always,
    reason = "a function that is not inlined loses the instruction set chosen at run time"
)]

use pulp::{Simd, WithSimd};

use super::{MapNorm, Recovery, START};
use crate::engine::eigen::Eigen;
use crate::engine::lanes::{self, Lanes, Square, TILE};

/// So many matrices as there are lanes, or fewer, and where their parts go.
pub(super) struct Group<'a> {
    pub recovery: &'a Recovery,
    pub rows: usize,
    pub cols: usize,
    pub batch: &'a [f32],
    pub low_rank: &'a mut [f32],
    pub gradient_map: &'a mut [f32],
}

impl WithSimd for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { recovery, rows, cols, .. } = self;
        let (side, long) = (rows.min(cols), rows.max(cols));
        let step = side.next_multiple_of(TILE);
        let count = step * long.next_multiple_of(TILE);
        let mut d = Lanes::<S>::zeros(count);
        let scales = self.pack(&mut d, step);
        let half = simd.splat_f32s(0.5);
        let (mut point, mut gap) = (Lanes::<S>::zeros(count), Lanes::<S>::zeros(count));
        for (p, d) in point.iter_mut().zip(d.iter()) {
            *p = simd.mul_f32s(half, *d);
        }
        let mut low = Shrinkage::<S>::new(side);
        let mut map =
            (recovery.map_norm == MapNorm::Nuclear).then(|| (Shrinkage::<S>::new(side), Lanes::<S>::zeros(count)));
        let (mut low_block, mut map_block) = (Lanes::<S>::zeros(TILE * step), Lanes::<S>::zeros(TILE * step));
        let lambda = simd.splat_f32s(Recovery::lambda(rows, cols));
        // The first point is D/2: its eigenvectors are those of D, and give σ₁(D) for the first threshold.
        lanes::gram(simd, &point, step, &mut low.square);
        low.eigen.decompose(simd, &low.square, simd.splat_f32s(0.0), START * START * 0.999);
        let mut taus = Lanes::<S>::zeros(2);
        taus[0] = simd.mul_f32s(simd.splat_f32s(2.0), simd.sqrt_f32s(low.eigen.largest(simd)));
        let (tau, decay) = taus.numbers_mut().split_at_mut(S::F32_LANES);
        for (tau, decay) in tau.iter_mut().zip(decay) {
            (*tau, *decay) = recovery.schedule(*tau);
        }
        let mut momentum = 1.0f32;
        for iteration in 0..recovery.iterations {
            let bound = simd.mul_f32s(half, taus[0]);
            if iteration > 0 {
                lanes::gram(simd, &point, step, &mut low.square);
                low.eigen.decompose(simd, &low.square, simd.mul_f32s(bound, bound), 0.0);
            }
            low.shrink(simd, bound);
            let map_bound = simd.mul_f32s(lambda, bound);
            if let Some((map, rest)) = &mut map {
                for ((rest, d), p) in rest.iter_mut().zip(d.iter()).zip(point.iter()) {
                    *rest = simd.sub_f32s(*d, *p);
                }
                if iteration == 0 {
                    map.eigen.start_from(&low.eigen);
                }
                lanes::gram(simd, rest, step, &mut map.square);
                map.eigen.decompose(simd, &map.square, simd.mul_f32s(map_bound, map_bound), 0.0);
                map.shrink(simd, map_bound);
            }
            let before = momentum;
            momentum = f32::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
            let pull = simd.splat_f32s((before - 1.0) / momentum);
            let last = iteration + 1 == recovery.iterations;
            for (at, (point, gap)) in
                point.chunks_exact_mut(TILE * step).zip(gap.chunks_exact_mut(TILE * step)).enumerate()
            {
                let d = &d[at * TILE * step..][..TILE * step];
                lanes::times(simd, &low.square, point, step, &mut low_block);
                if let Some((map, rest)) = &map {
                    lanes::times(simd, &map.square, &rest[at * TILE * step..][..TILE * step], step, &mut map_block);
                } else {
                    soft_threshold(simd, d, point, map_bound, &mut map_block);
                }
                let parts = low_block.iter().zip(map_block.iter());
                for (((point, gap), d), (low, map)) in point.iter_mut().zip(gap).zip(d).zip(parts) {
                    if last {
                        (*point, *gap) = (*low, *map);
                    } else {
                        let new = simd.sub_f32s(*low, *map);
                        let ahead = simd.mul_add_e_f32s(pull, simd.sub_f32s(new, *gap), new);
                        (*point, *gap) = (simd.mul_f32s(half, simd.add_f32s(*d, ahead)), new);
                    }
                }
            }
            taus[0] = simd.max_f32s(simd.mul_f32s(taus[1], taus[0]), simd.splat_f32s(recovery.mu));
        }
        unpack(self.low_rank, point.numbers(), &scales, (rows, cols), step);
        unpack(self.gradient_map, gap.numbers(), &scales, (rows, cols), step);
    }
}

impl Group<'_> {
    /// Puts matrices, divided by their largest magnitude, into lanes: columns along the smaller side, one
    /// after the other. Gives back what to multiply the parts with; a matrix that is not finite enters as
    /// zeros and is multiplied with NaN.
    #[inline(always)]
    fn pack<S: Simd>(&self, d: &mut Lanes<S>, step: usize) -> Vec<f32> {
        let pack = |(lane, matrix): (usize, &[f32])| {
            if !matrix.iter().all(|v| v.is_finite()) {
                return f32::NAN;
            }
            let scale = matrix.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            if scale > 0.0 {
                let d = d.numbers_mut();
                for_entries((self.rows, self.cols), |at, column, entry| {
                    d[(column * step + entry) * S::F32_LANES + lane] = matrix[at] / scale;
                });
            }
            scale
        };
        self.batch.chunks_exact(self.rows * self.cols).enumerate().map(pack).collect()
    }
}

/// Takes matrices out of their lanes.
#[inline(always)]
fn unpack(out: &mut [f32], numbers: &[f32], scales: &[f32], (rows, cols): (usize, usize), step: usize) {
    let columns = rows.max(cols).next_multiple_of(TILE);
    let lanes = numbers.len() / (columns * step);
    for (lane, (matrix, scale)) in out.chunks_exact_mut(rows * cols).zip(scales).enumerate() {
        for_entries((rows, cols), |at, column, entry| {
            matrix[at] = numbers[(column * step + entry) * lanes + lane] * scale;
        });
    }
}

/// Tells of every entry where it lies in a row-major matrix, in which column along the smaller side, and where in that.
#[inline(always)]
fn for_entries((rows, cols): (usize, usize), mut tell: impl FnMut(usize, usize, usize)) {
    for r in 0..rows {
        for c in 0..cols {
            let (column, entry) = if rows <= cols { (c, r) } else { (r, c) };
            tell(r * cols + c, column, entry);
        }
    }
}

/// The proximal map of τ‖·‖₁ at d − p.
#[inline(always)]
fn soft_threshold<S: Simd>(simd: S, d: &[S::f32s], p: &[S::f32s], tau: S::f32s, out: &mut [S::f32s]) {
    let negative = simd.neg_f32s(tau);
    for ((out, d), p) in out.iter_mut().zip(d).zip(p) {
        let v = simd.sub_f32s(*d, *p);
        *out = simd.sub_f32s(v, simd.min_f32s(tau, simd.max_f32s(negative, v)));
    }
}

/// The matrix W = V·diag(max(σ−τ, 0)/σ)·Vᵀ of a lane: W·P is the proximal map of τ‖·‖* at P.
struct Shrinkage<S> {
    eigen: Eigen<S>,
    /// Gram matrix of P, then W.
    square: Square<S>,
    /// √(max(σ−τ, 0)/σ) times those eigenvectors that any lane keeps, one a row.
    basis: Lanes<S>,
}

impl<S: Simd> Shrinkage<S> {
    #[inline(always)]
    fn new(side: usize) -> Self {
        let square = Square::zeros(side);
        Self { eigen: Eigen::new(side), basis: Lanes::zeros(side * square.side), square }
    }

    /// Writes W for this τ, once the Gram matrix is decomposed.
    #[inline(always)]
    fn shrink(&mut self, simd: S, tau: S::f32s) {
        let zero = simd.splat_f32s(0.0);
        let step = self.square.side;
        let mut kept = 0;
        for i in 0..self.eigen.side() {
            let sigma = simd.sqrt_f32s(simd.max_f32s(self.eigen.value(i), zero));
            let above = simd.less_than_f32s(tau, sigma);
            if simd.first_true_m32s(above) == S::F32_LANES {
                continue;
            }
            let factor = simd.select_f32s(above, simd.div_f32s(simd.sub_f32s(sigma, tau), sigma), zero);
            let root = simd.sqrt_f32s(factor);
            for (out, v) in self.basis[kept * step..][..step].iter_mut().zip(self.eigen.vector(i)) {
                *out = simd.mul_f32s(root, *v);
            }
            kept += 1;
        }
        lanes::gram(simd, &self.basis[..kept * step], step, &mut self.square);
    }
}
