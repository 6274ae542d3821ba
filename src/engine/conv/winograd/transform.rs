//! The linear maps of F(4×4, 3×3): what a tile becomes before and after the products, several channels at a time.
//!
//! Any six points give such maps. The usual ones are 0, ±1, ±2, ∞ (Lavin & Gray 2016); here they are 0, ±c, ±1/c, ∞ with
//! c = √2, after Alam, Anderson, Barabasz & Gregg (2022): the same work, and a fourth of the rounding error.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use super::grid::{Grid, TILE};
use crate::engine::simd::Real;

/// Places up and across.
const SIDE: usize = 6;
/// Places of a tile.
pub const PLACES: usize = SIDE * SIDE;
/// The points a and b.
const NEAR: f64 = std::f64::consts::FRAC_1_SQRT_2;
const FAR: f64 = std::f64::consts::SQRT_2;

/// One of the maps, between rows as well as between columns.
#[derive(Clone, Copy)]
enum Map {
    /// Bᵀ: 6 pixels to 6 places.
    Pixels,
    /// A: the gradients of 4 outputs to 6 places.
    Gradients,
    /// Aᵀ: 6 places to 4 outputs.
    Outputs,
    /// G: 3 weights to 6 places.
    Weights,
    /// Gᵀ: 6 places to the gradients of 3 weights.
    WeightGradients,
}

/// Where blocks of numbers lie: number (i, j) of block n is at `start + i·up + j·across + n·next`.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    up: usize,
    across: usize,
    next: usize,
}

/// `map` for so many blocks, each of `channels` numbers side by side.
struct Mapped<'a, T> {
    map: Map,
    blocks: usize,
    channels: usize,
    from: (&'a [T], Place),
    to: (&'a mut [T], Place),
}

impl<T: Real> Mapped<'_, T> {
    fn run(self) {
        Arch::new().dispatch(self);
    }

    #[inline(always)]
    fn each<S: Simd, const N: usize, const M: usize>(
        self,
        simd: S,
        map: impl Fn([T::Vector<S>; N]) -> [T::Vector<S>; M],
    ) {
        let zero = T::splat(simd, T::ZERO);
        let ((values, from), (out, to)) = (self.from, self.to);
        // Made once: clearing it for every block would cost as much as a map.
        let mut columns = [[zero; M]; N];
        for block in 0..self.blocks {
            for c in (0..self.channels).step_by(T::lanes::<S>()) {
                let values = &values[from.start + block * from.next + c..];
                let out = &mut out[to.start + block * to.next + c..];
                for j in 0..N {
                    let mut column = [zero; N];
                    for i in 0..N {
                        column[i] = T::load::<S>(&values[i * from.up + j * from.across..]);
                    }
                    columns[j] = map(column);
                }
                for i in 0..M {
                    let mut row = [zero; N];
                    for j in 0..N {
                        row[j] = columns[j][i];
                    }
                    let row = map(row);
                    for j in 0..M {
                        T::store::<S>(&mut out[i * to.up + j * to.across..], row[j]);
                    }
                }
            }
        }
    }
}

impl<T: Real> WithSimd for Mapped<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let sums = Sums::<T, S>(simd, PhantomData);
        match self.map {
            Map::Pixels => self.each(
                simd,
                #[inline(always)]
                |d| sums.pixels(d),
            ),
            Map::Gradients => self.each(
                simd,
                #[inline(always)]
                |y| sums.gradients(y),
            ),
            Map::Outputs => self.each(
                simd,
                #[inline(always)]
                |m| sums.outputs(m),
            ),
            Map::Weights => self.each(
                simd,
                #[inline(always)]
                |g| sums.weights(g),
            ),
            Map::WeightGradients => self.each(
                simd,
                #[inline(always)]
                |m| sums.weight_gradients(m),
            ),
        }
    }
}

/// The maps, written out with as few additions as they need.
#[derive(Clone, Copy)]
struct Sums<T, S>(S, PhantomData<T>);

impl<T: Real, S: Simd> Sums<T, S> {
    #[inline(always)]
    fn plus(self, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::plus(self.0, a, b)
    }

    #[inline(always)]
    fn minus(self, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::minus(self.0, a, b)
    }

    #[inline(always)]
    fn times(self, value: f64, a: T::Vector<S>) -> T::Vector<S> {
        self.add(value, a, T::splat(self.0, T::ZERO))
    }

    /// value·a + b.
    #[inline(always)]
    fn add(self, value: f64, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::mul_add(self.0, T::splat(self.0, T::from_f64(value)), a, b)
    }

    /// Bᵀ: rows (1 0 −2½ 0 1 0), (0 ∓2a −2 ±a 1 0), (0 ∓½b −½ ±b 1 0), (0 1 0 −2½ 0 1).
    #[inline(always)]
    fn pixels(self, [a, b, c, d, e, f]: [T::Vector<S>; 6]) -> [T::Vector<S>; 6] {
        let (even, odd) = (self.add(-2.0, c, e), self.add(-2.0, b, d));
        let (other_even, other_odd) = (self.add(-0.5, c, e), self.add(-0.5, b, d));
        [
            self.plus(a, self.add(-2.5, c, e)),
            self.add(NEAR, odd, even),
            self.add(-NEAR, odd, even),
            self.add(FAR, other_odd, other_even),
            self.add(-FAR, other_odd, other_even),
            self.plus(b, self.add(-2.5, d, f)),
        ]
    }

    /// A: rows (1 0 0 0), (1 ±a ½ ±½a), (1 ±b 2 ±2b), (0 0 0 1).
    #[inline(always)]
    fn gradients(self, [a, b, c, d]: [T::Vector<S>; 4]) -> [T::Vector<S>; 6] {
        let (even, odd) = (self.add(0.5, c, a), self.add(0.5, d, b));
        let (other_even, other_odd) = (self.add(2.0, c, a), self.add(2.0, d, b));
        [
            a,
            self.add(NEAR, odd, even),
            self.add(-NEAR, odd, even),
            self.add(FAR, other_odd, other_even),
            self.add(-FAR, other_odd, other_even),
            d,
        ]
    }

    /// Aᵀ.
    #[inline(always)]
    fn outputs(self, [a, b, c, d, e, f]: [T::Vector<S>; 6]) -> [T::Vector<S>; 4] {
        let (near, near_gap) = (self.plus(b, c), self.times(NEAR, self.minus(b, c)));
        let (far, far_gap) = (self.plus(d, e), self.times(FAR, self.minus(d, e)));
        [
            self.plus(self.plus(a, near), far),
            self.plus(near_gap, far_gap),
            self.add(2.0, far, self.times(0.5, near)),
            self.add(2.0, far_gap, self.add(0.5, near_gap, f)),
        ]
    }

    /// G: rows (1 0 0), −(1 ±a ½)·⅔, (1 ±b 2)/6, (0 0 1).
    #[inline(always)]
    fn weights(self, [a, b, c]: [T::Vector<S>; 3]) -> [T::Vector<S>; 6] {
        let near = self.times(-2.0 / 3.0, self.add(0.5, c, a));
        let far = self.times(1.0 / 6.0, self.add(2.0, c, a));
        [
            a,
            self.add(-2.0 / 3.0 * NEAR, b, near),
            self.add(2.0 / 3.0 * NEAR, b, near),
            self.add(1.0 / 6.0 * FAR, b, far),
            self.add(-1.0 / 6.0 * FAR, b, far),
            c,
        ]
    }

    /// Gᵀ.
    #[inline(always)]
    fn weight_gradients(self, [a, b, c, d, e, f]: [T::Vector<S>; 6]) -> [T::Vector<S>; 3] {
        let (near, near_gap) = (self.plus(b, c), self.minus(c, b));
        let (far, far_gap) = (self.plus(d, e), self.minus(d, e));
        [
            self.add(-2.0 / 3.0, near, self.add(1.0 / 6.0, far, a)),
            self.add(2.0 / 3.0 * NEAR, near_gap, self.times(1.0 / 6.0 * FAR, far_gap)),
            self.add(1.0 / 3.0, self.minus(far, near), f),
        ]
    }
}

/// How far places of so many numbers are best apart: a line of the cache more, for at powers of two all places of a tile
/// would fall into the same few lines of it.
pub fn apart(numbers: usize) -> usize {
    numbers + 16
}

/// The places of a list of blocks: place, block, channel.
fn listed(start: usize, place: usize, channels: usize) -> Place {
    Place { start, up: SIDE * place, across: place, next: channels }
}

/// Bᵀ d B of some rows of tiles of a grid: place, tile, channel.
pub fn spread_pixels<T: Real>(grid: &Grid, pixels: &[T], rows: (usize, usize), to: &mut [T]) {
    spread(Map::Pixels, grid, pixels, rows, to);
}

/// A y Aᵀ of the same of the outputs' gradients.
pub fn spread_gradients<T: Real>(grid: &Grid, gradients: &[T], rows: (usize, usize), to: &mut [T]) {
    spread(Map::Gradients, grid, gradients, rows, to);
}

fn spread<T: Real>(map: Map, grid: &Grid, pixels: &[T], (first, rows): (usize, usize), to: &mut [T]) {
    let (channels, columns, place) = (grid.channels, grid.columns, to.len() / PLACES);
    for row in 0..rows {
        let start = grid.start(first + row);
        let from = Place { start, up: grid.line(), across: channels, next: TILE * channels };
        let to = (&mut *to, listed(row * columns * channels, place, channels));
        Mapped { map, blocks: columns, channels, from: (pixels, from), to }.run();
    }
}

/// Aᵀ m A of the products (place, tile, output) of a row of tiles: row, column, output.
pub fn join<T: Real>(products: &[T], (first, tiles): (usize, usize), outputs: usize, to: &mut [T]) {
    let from = (products, listed(first * outputs, products.len() / PLACES, outputs));
    let place = Place { start: 0, up: TILE * tiles * outputs, across: outputs, next: TILE * outputs };
    Mapped { map: Map::Outputs, blocks: tiles, channels: outputs, from, to: (to, place) }.run();
}

/// The weights of so many pairs of channels: ky, kx, pair.
fn kernel(pairs: usize) -> Place {
    Place { start: 0, up: 3 * pairs, across: pairs, next: pairs }
}

/// G g Gᵀ of the weights (ky, kx, pair of channels, in whole vectors): place, pair; places are [`apart`].
pub fn spread_weights<T: Real>(taps: &[T], to: &mut [T]) {
    let pairs = taps.len() / 9;
    let from = (taps, kernel(pairs));
    Mapped { map: Map::Weights, blocks: 1, channels: pairs, from, to: (to, listed(0, apart(pairs), pairs)) }.run();
}

/// Gᵀ m G of sums m (place, pair of channels, in whole vectors; places are [`apart`]): ky, kx, pair.
pub fn gather_weights<T: Real>(sums: &[T], pairs: usize) -> Vec<T> {
    let mut taps = vec![T::ZERO; 9 * pairs];
    let (from, to) = ((sums, listed(0, apart(pairs), pairs)), (&mut *taps, kernel(pairs)));
    Mapped { map: Map::WeightGradients, blocks: 1, channels: pairs, from, to }.run();
    taps
}
