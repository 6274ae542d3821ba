//! The matrix product of one place, a tile of sums in registers, as in [`crate::engine::taps`].

use pulp::{Arch, Simd, WithSimd};

use crate::engine::simd::Real;

/// A matrix whose rows are `step` apart.
#[derive(Clone, Copy)]
pub struct Left<'a, T> {
    pub values: &'a [T],
    pub rows: usize,
    pub step: usize,
}

/// out[r] = Σ_t left[r, t] · right[t], where `right` has rows of `length` numbers, whole vectors, and is as long as `left` is
/// wide.
pub fn product<T: Real>(left: Left<'_, T>, right: &[T], length: usize, out: &mut [T]) {
    Arch::new().dispatch(Product::<T, false> {
        left,
        count: left.rows,
        taps: right.len() / length,
        right,
        length,
        out,
    });
}

/// out[r] += Σ_t left[t, r] · right[t] for `count` rows of `out`, with rows of `length` numbers, whole vectors.
pub fn add_turned_product<T: Real>(left: Left<'_, T>, count: usize, right: &[T], length: usize, out: &mut [T]) {
    Arch::new().dispatch(Product::<T, true> { left, count, taps: left.rows, right, length, out });
}

struct Product<'a, T, const TURNED: bool> {
    left: Left<'a, T>,
    /// Rows of `out`.
    count: usize,
    /// Rows of `right`.
    taps: usize,
    right: &'a [T],
    length: usize,
    out: &'a mut [T],
}

impl<T: Real, const TURNED: bool> WithSimd for Product<'_, T, TURNED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = T::lanes::<S>();
        let vectors = self.length / lanes;
        let mut at = 0;
        while vectors - at >= 3 && vectors - at != 4 {
            self.strip::<S, 3>(simd, at * lanes);
            at += 3;
        }
        while vectors - at >= 2 {
            self.strip::<S, 2>(simd, at * lanes);
            at += 2;
        }
        if vectors > at {
            self.strip::<S, 1>(simd, at * lanes);
        }
    }
}

impl<T: Real, const TURNED: bool> Product<'_, T, TURNED> {
    /// V vectors of all rows, as many rows at once as the registers hold.
    #[inline(always)]
    fn strip<S: Simd, const V: usize>(&mut self, simd: S, at: usize) {
        let mut row = 0;
        if S::REGISTER_COUNT >= 32 {
            while self.count - row >= 8 {
                self.tile::<S, 8, V>(simd, row, at);
                row += 8;
            }
        }
        while self.count - row >= 4 {
            self.tile::<S, 4, V>(simd, row, at);
            row += 4;
        }
        while self.count > row {
            self.tile::<S, 1, V>(simd, row, at);
            row += 1;
        }
    }

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "plain counted loops are what the compiler unrolls into registers")]
    fn tile<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, first: usize, at: usize) {
        let (lanes, taps, Left { values, step, .. }) = (T::lanes::<S>(), self.taps, self.left);
        let mut sums = [[T::splat(simd, T::ZERO); V]; R];
        let mut lines = [&values[..0]; R];
        for r in 0..R {
            if TURNED {
                let row = &self.out[(first + r) * self.length + at..][..V * lanes];
                for v in 0..V {
                    sums[r][v] = T::load::<S>(&row[v * lanes..]);
                }
            } else {
                lines[r] = &values[(first + r) * step..][..taps];
            }
        }
        for t in 0..taps {
            let row = &self.right[t * self.length + at..][..V * lanes];
            let mut x = [sums[0][0]; V];
            for v in 0..V {
                x[v] = T::load::<S>(&row[v * lanes..]);
            }
            let mut scalars = [T::ZERO; R];
            if TURNED {
                scalars.copy_from_slice(&values[t * step + first..][..R]);
            } else {
                for r in 0..R {
                    scalars[r] = lines[r][t];
                }
            }
            for r in 0..R {
                let scalar = T::splat(simd, scalars[r]);
                for v in 0..V {
                    sums[r][v] = T::mul_add(simd, scalar, x[v], sums[r][v]);
                }
            }
        }
        for r in 0..R {
            let row = &mut self.out[(first + r) * self.length + at..][..V * lanes];
            for v in 0..V {
                T::store::<S>(&mut row[v * lanes..], sums[r][v]);
            }
        }
    }
}
