//! Products of many small matrices at once: one matrix in each SIMD lane.
//!
//! A vector holds the same entry of 4, 8 or 16 matrices. So every operation is a full vector's,
//! whatever the matrices' sides, nothing is shuffled or broadcast, and lanes never meet: a matrix's
//! result has the same bits alone, beside others, and in vectors of any width (with fused
//! multiply-add, which all vector units used here have).
//!
//! Sides are padded with zeros to whole tiles, so no kernel has a remainder.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use pulp::{Simd, bytemuck};

/// Entries that the kernels take at once.
pub const TILE: usize = 4;

/// Columns after which a Gram matrix moves on to its next tile, so that they stay in the nearest cache.
const BAND: usize = 16;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A buffer of vectors that begins where a cache line begins. pulp's vectors are only aligned as a
/// float is, and a wide one that straddles two lines costs twice.
pub struct Lanes<S> {
    room: Vec<f32>,
    start: usize,
    length: usize,
    simd: PhantomData<S>,
}

impl<S: Simd> Lanes<S> {
    /// So many vectors of zeros.
    #[inline(always)]
    pub fn zeros(count: usize) -> Self {
        let length = count * S::F32_LANES;
        let spare = LINE / size_of::<f32>();
        let room = vec![0.0; length + spare];
        let start = room.as_ptr().align_offset(LINE).min(spare);
        Self { room, start, length, simd: PhantomData }
    }

    /// The numbers: all lanes of the first vector, then those of the next.
    #[inline(always)]
    pub fn numbers(&self) -> &[f32] {
        &self.room[self.start..self.start + self.length]
    }

    /// The same, to be written.
    #[inline(always)]
    pub fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.room[self.start..self.start + self.length]
    }
}

impl<S: Simd> Deref for Lanes<S> {
    type Target = [S::f32s];

    #[inline(always)]
    fn deref(&self) -> &[S::f32s] {
        bytemuck::cast_slice(self.numbers())
    }
}

impl<S: Simd> DerefMut for Lanes<S> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [S::f32s] {
        bytemuck::cast_slice_mut(self.numbers_mut())
    }
}

/// Square matrices: entry (i, j) of all lanes is vector i · `pitch` + j.
pub struct Square<S> {
    /// The entries.
    pub lanes: Lanes<S>,
    /// Rows, a multiple of [`TILE`].
    pub side: usize,
    /// Vectors from a row to the next: an odd number of tiles, because with a power of two the entries
    /// of a column share a few sets of the cache and drive each other out.
    pub pitch: usize,
}

impl<S: Simd> Square<S> {
    /// Zeros of at least this side.
    #[inline(always)]
    pub fn zeros(side: usize) -> Self {
        let side = side.next_multiple_of(TILE);
        let pitch = if side.is_multiple_of(2 * TILE) { side + TILE } else { side };
        Self { lanes: Lanes::zeros(side * pitch), side, pitch }
    }
}

/// A tile of a slice.
#[inline(always)]
fn tile<V, const N: usize>(values: &[V], at: usize) -> &[V; N] {
    values[at..at + N].first_chunk().expect("as long as asked")
}

/// Picks a kernel's second tile side: what the registers hold (32 of the widest, else 16).
macro_rules! with_tile {
    ($kernel:ident::<$S:ident>($($argument:expr),*)) => {
        if $S::F32_LANES >= 16 { $kernel::<$S, 4>($($argument),*) } else { $kernel::<$S, 2>($($argument),*) }
    };
}

/// Gram matrix of columns: out(i, k) = Σ_c p(c, i) · p(c, k), where column c begins at vector c · `step` of `p`.
#[inline(always)]
pub fn gram<S: Simd>(simd: S, p: &[S::f32s], step: usize, out: &mut Square<S>) {
    with_tile!(gram_by::<S>(simd, p, step, out));
}

#[inline(always)]
fn gram_by<S: Simd, const C: usize>(simd: S, p: &[S::f32s], step: usize, out: &mut Square<S>) {
    let (side, pitch) = (out.side, out.pitch);
    let out: &mut [S::f32s] = &mut out.lanes;
    out.fill(simd.splat_f32s(0.0));
    for band in p.chunks(step * BAND) {
        for i in (0..side).step_by(TILE) {
            for k in (i..side).step_by(C) {
                let mut sum = [[simd.splat_f32s(0.0); C]; TILE];
                for (r, sum) in sum.iter_mut().enumerate() {
                    sum.copy_from_slice(&out[(i + r) * pitch + k..][..C]);
                }
                for column in band.chunks_exact(step) {
                    let (left, right) = (tile::<_, TILE>(column, i), tile::<_, C>(column, k));
                    for (sum, left) in sum.iter_mut().zip(left) {
                        for (sum, right) in sum.iter_mut().zip(right) {
                            *sum = simd.mul_add_e_f32s(*left, *right, *sum);
                        }
                    }
                }
                for (r, sum) in sum.iter().enumerate() {
                    out[(i + r) * pitch + k..][..C].copy_from_slice(sum);
                }
            }
        }
    }
    for i in 0..side {
        for k in 0..i {
            out[i * pitch + k] = out[k * pitch + i];
        }
    }
}

/// Symmetric matrix times columns: out(c, i) = Σ_k w(k, i) · p(c, k), columns as in [`gram`]; their number is a multiple of [`TILE`].
#[inline(always)]
pub fn times<S: Simd>(simd: S, w: &Square<S>, p: &[S::f32s], step: usize, out: &mut [S::f32s]) {
    with_tile!(times_by::<S>(simd, w, p, step, out));
}

#[inline(always)]
fn times_by<S: Simd, const C: usize>(simd: S, w: &Square<S>, p: &[S::f32s], step: usize, out: &mut [S::f32s]) {
    let (side, pitch) = (w.side, w.pitch);
    let w: &[S::f32s] = &w.lanes;
    for (p, out) in p.chunks_exact(C * step).zip(out.chunks_exact_mut(C * step)) {
        for i in (0..side).step_by(TILE) {
            let mut sum = [[simd.splat_f32s(0.0); TILE]; C];
            for k in 0..side {
                let left = tile::<_, TILE>(w, k * pitch + i);
                for (c, sum) in sum.iter_mut().enumerate() {
                    let right = p[c * step + k];
                    for (sum, left) in sum.iter_mut().zip(left) {
                        *sum = simd.mul_add_e_f32s(*left, right, *sum);
                    }
                }
            }
            for (c, sum) in sum.iter().enumerate() {
                out[c * step + i..][..TILE].copy_from_slice(sum);
            }
        }
    }
}

/// Lower triangle (in whole tiles) of out(i, j) = Σ_k a(i, k) · b(j, k).
#[inline(always)]
pub fn lower<S: Simd>(simd: S, a: &Square<S>, b: &Square<S>, out: &mut Square<S>) {
    with_tile!(lower_by::<S>(simd, a, b, out));
}

#[inline(always)]
fn lower_by<S: Simd, const C: usize>(simd: S, a: &Square<S>, b: &Square<S>, out: &mut Square<S>) {
    let (side, pitch) = (out.side, out.pitch);
    let (a, b): (&[S::f32s], &[S::f32s]) = (&a.lanes, &b.lanes);
    let out: &mut [S::f32s] = &mut out.lanes;
    for i in (0..side).step_by(TILE) {
        let left: [&[S::f32s]; TILE] = std::array::from_fn(|r| &a[(i + r) * pitch..][..side]);
        for j in (0..i + TILE).step_by(C) {
            let right: [&[S::f32s]; C] = std::array::from_fn(|c| &b[(j + c) * pitch..][..side]);
            let mut sum = [[simd.splat_f32s(0.0); C]; TILE];
            for k in 0..side {
                for (sum, left) in sum.iter_mut().zip(left) {
                    for (sum, right) in sum.iter_mut().zip(right) {
                        *sum = simd.mul_add_e_f32s(left[k], right[k], *sum);
                    }
                }
            }
            for (r, sum) in sum.iter().enumerate() {
                out[(i + r) * pitch + j..][..C].copy_from_slice(sum);
            }
        }
    }
}
