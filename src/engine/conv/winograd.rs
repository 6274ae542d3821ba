//! Convolutions of 3×3 and stride 1 with fewer multiplications: Winograd's F(2×2, 3×3), after Lavin & Gray (2016).
//!
//! A tile of 2×2 outputs sees 4×4 pixels d. With the weights g it is Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A: 16 multiplications a
//! pair of channels where the definition has 36. The 16 places are 16 matrix products over the channels, done by the
//! inner loop of all convolutions ([`Rows::accumulate`]); what goes in and comes out costs additions alone.
//!
//! Worth it where there are many channels to share those additions ([`Winograd::fits`]). Its coefficients are 0, ±1 and
//! ½, so that it is about as exact as the sum it replaces.
//!
//! Images are laid out by the remainders of row and column by 2 ([`Layout`] with stride 2): pixel (i, j) of all tiles is
//! then one run of numbers. A few rows of tiles are taken at a time, so that everything stays in the second cache.

use pulp::{Arch, Simd, WithSimd};

use super::geometry::Layout;
use crate::engine::simd::{Real, widest};
use crate::engine::taps::{Panels, Rows, whole_vectors};

/// Places of a tile.
const PLACES: usize = 16;
/// Output planes at a time.
const GROUP: usize = Panels::<f32>::ROWS;
/// Channels on either side from which it pays: with 32 already, `cutlayer bench train_small train_psgl` is slower.
const CHANNELS: usize = 64;
/// Bytes of transformed images at a time, so that they stay in the second cache beside the weights: half a mebibyte is the
/// usual size of one, and processors with the wide vectors of AVX-512, which want longer rows, have one or two.
fn block() -> usize {
    struct Wide;
    impl WithSimd for Wide {
        type Output = bool;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> bool {
            f32::lanes::<S>() >= 16
        }
    }
    if Arch::new().dispatch(Wide) { 620 << 10 } else { 192 << 10 }
}

/// One convolution with its weights transformed.
pub struct Winograd<T> {
    inputs: usize,
    outputs: usize,
    /// Of an input plane.
    sides: (usize, usize),
    /// Of an output plane.
    out: (usize, usize),
    layout: Layout,
    /// By place: outputs × inputs.
    weights: Vec<Panels<T>>,
    /// Rows of tiles, and how many of them are taken at a time.
    tiles: usize,
    block: usize,
}

/// What one thread works in.
pub struct Room<T> {
    images: Vec<T>,
    /// Place, input, position.
    transformed: Vec<T>,
    /// Place, output of a group, position.
    products: Vec<T>,
    /// The four outputs of a tile, by position.
    parts: Vec<T>,
    /// Rows of an output plane.
    lines: Vec<T>,
    offsets: Vec<usize>,
}

/// Some rows of an output plane.
pub struct Band<'a, T> {
    /// Number of the plane.
    pub output: usize,
    /// The first row (even), and how many.
    pub rows: (usize, usize),
    /// The rows, `step` apart.
    pub lines: &'a [T],
    pub step: usize,
}

impl<T: Real> Winograd<T> {
    /// Whether it is faster than the definition.
    pub fn fits(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> bool {
        kernel == 3 && stride == 1 && inputs >= CHANNELS && outputs >= CHANNELS
    }

    /// A convolution of `inputs` planes of `sides` to `outputs` planes, with so many zeros around, and weights
    /// `weight(output, input, ky, kx)`.
    pub fn new(
        (inputs, outputs): (usize, usize),
        sides: (usize, usize),
        padding: usize,
        weight: impl Fn(usize, usize, usize, usize) -> T,
    ) -> Self {
        let out = (sides.0 + 2 * padding - 2, sides.1 + 2 * padding - 2);
        let (tiles, columns) = (out.0.div_ceil(2), out.1.div_ceil(2));
        let layout = Layout { stride: 2, phases: 2, lead: padding, height: tiles + 1, width: columns + 1, samples: 1 };
        let most = (block() / (PLACES * inputs * size_of::<T>() * layout.width)).clamp(1, tiles);
        let mut spread = vec![[T::ZERO; PLACES]; outputs * inputs];
        for (i, places) in spread.iter_mut().enumerate() {
            *places = transform_weight(|ky, kx| weight(i / inputs, i % inputs, ky, kx).to_f64()).map(T::from_f64);
        }
        let weights = (0..PLACES).map(|k| Panels::new(outputs, inputs, |o, c| spread[o * inputs + c][k])).collect();
        Self { inputs, outputs, sides, out, layout, weights, tiles, block: tiles.div_ceil(tiles.div_ceil(most)) }
    }

    /// Room for one sample.
    pub fn room(&self) -> Room<T> {
        let step = self.step(self.block);
        let zeros = |count| vec![T::ZERO; count];
        Room {
            images: self.layout.buffer(self.inputs, self.layout.width + 1),
            transformed: zeros(PLACES * self.inputs * step),
            products: zeros(PLACES * GROUP * step),
            parts: zeros(4 * step),
            lines: zeros(4 * self.block * self.layout.width),
            offsets: (0..self.inputs).map(|c| c * step).collect(),
        }
    }

    /// Puts an input plane into its place.
    pub fn put(&self, plane: &[T], channel: usize, room: &mut Room<T>) {
        self.layout.embed(plane, self.sides, (channel, 0), &mut room.images);
    }

    /// All outputs of what was put, band by band.
    pub fn run(&self, room: &mut Room<T>, mut each: impl FnMut(Band<'_, T>)) {
        for first in (0..self.tiles).step_by(self.block) {
            let tiles = self.block.min(self.tiles - first);
            self.transform(first, tiles, room);
            for group in 0..self.outputs.div_ceil(GROUP) {
                self.multiply(group, tiles, room);
                for output in (group * GROUP..self.outputs).take(GROUP) {
                    self.join(output % GROUP, tiles, room);
                    let rows = (2 * first, (2 * tiles).min(self.out.0 - 2 * first));
                    each(Band { output, rows, lines: &room.lines, step: 2 * self.layout.width });
                }
            }
        }
    }

    /// Positions of so many rows of tiles; those behind a row's last tile are not meant to be read.
    fn positions(&self, tiles: usize) -> usize {
        tiles * self.layout.width - 1
    }

    /// What runs of so many rows of tiles are apart.
    fn step(&self, tiles: usize) -> usize {
        whole_vectors(self.positions(tiles))
    }

    /// Bᵀ d B of every input.
    fn transform(&self, first: usize, tiles: usize, room: &mut Room<T>) {
        // The offsets of a smaller last block are those of the others.
        let (step, width) = (self.step(self.block), self.layout.width);
        for c in 0..self.inputs {
            let phases = [0, 1].map(|py| [0, 1].map(|px| self.layout.phase(c, py, px) + first * width));
            let to = &mut room.transformed[c * step..];
            let (from, length) = (room.images.as_slice(), self.positions(tiles));
            Arch::new().dispatch(Transform { from, phases, width, length, apart: self.inputs * step, to });
        }
    }

    /// The 16 products for a group of outputs.
    fn multiply(&self, group: usize, tiles: usize, room: &mut Room<T>) {
        let (step, length) = (self.step(self.block), self.positions(tiles));
        let own = whole_vectors(length);
        for (k, panels) in self.weights.iter().enumerate() {
            let rows = Rows { buffer: &room.transformed[k * self.inputs * step..], offsets: &room.offsets, length };
            for panel in panels.group(group) {
                rows.accumulate(panel, &mut room.products[(k * GROUP + panel.first % GROUP) * own..]);
            }
        }
    }

    /// Aᵀ m A of one output, and its rows put together.
    fn join(&self, output: usize, tiles: usize, room: &mut Room<T>) {
        let (width, length) = (self.layout.width, self.positions(tiles));
        let own = whole_vectors(length);
        let from = &room.products[output * own..];
        Arch::new().dispatch(Join { from, apart: GROUP * own, length, to: &mut room.parts, own });
        let (parts, lines) = (room.parts.as_slice(), room.lines.as_mut_slice());
        // Compiled for the processor's widest vectors.
        widest(
            #[inline(always)]
            || {
                for (row, lines) in lines.chunks_exact_mut(4 * width).take(tiles).enumerate() {
                    for (a, line) in lines.chunks_exact_mut(2 * width).enumerate() {
                        let [left, right] = [0, 1].map(|b| &parts[(2 * a + b) * own + row * width..][..width - 1]);
                        for ((pair, &left), &right) in line.chunks_exact_mut(2).zip(left).zip(right) {
                            pair[0] = left;
                            pair[1] = right;
                        }
                    }
                }
            },
        );
    }
}

/// G g Gᵀ, row by row.
fn transform_weight(g: impl Fn(usize, usize) -> f64) -> [f64; PLACES] {
    let spread = |a: f64, b: f64, c: f64| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    let columns = [0, 1, 2].map(|x| spread(g(0, x), g(1, x), g(2, x)));
    let mut out = [0.0; PLACES];
    for (i, row) in out.chunks_exact_mut(4).enumerate() {
        row.copy_from_slice(&spread(columns[0][i], columns[1][i], columns[2][i]));
    }
    out
}

struct Transform<'a, T> {
    from: &'a [T],
    /// Where pixel (py, px) of the first tile is.
    phases: [[usize; 2]; 2],
    width: usize,
    length: usize,
    /// Numbers from place to place.
    apart: usize,
    to: &'a mut [T],
}

impl<T: Real> WithSimd for Transform<'_, T> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "plain counted loops are what the compiler unrolls into registers")]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = T::splat(simd, T::ZERO);
        for p in (0..self.length).step_by(T::lanes::<S>()) {
            let mut columns = [[zero; 4]; 4];
            for j in 0..4 {
                let mut pixels = [zero; 4];
                for i in 0..4 {
                    let at = self.phases[i % 2][j % 2] + i / 2 * self.width + j / 2 + p;
                    pixels[i] = T::load::<S>(&self.from[at..]);
                }
                columns[j] = four::<T, S>(simd, pixels);
            }
            for i in 0..4 {
                let places = four::<T, S>(simd, [columns[0][i], columns[1][i], columns[2][i], columns[3][i]]);
                for j in 0..4 {
                    T::store::<S>(&mut self.to[(4 * i + j) * self.apart + p..], places[j]);
                }
            }
        }
    }
}

/// Bᵀ d.
#[inline(always)]
fn four<T: Real, S: Simd>(simd: S, d: [T::Vector<S>; 4]) -> [T::Vector<S>; 4] {
    [T::minus(simd, d[0], d[2]), T::plus(simd, d[1], d[2]), T::minus(simd, d[2], d[1]), T::minus(simd, d[1], d[3])]
}

/// Aᵀ m.
#[inline(always)]
fn two<T: Real, S: Simd>(simd: S, m: [T::Vector<S>; 4]) -> [T::Vector<S>; 2] {
    let first = T::plus(simd, T::plus(simd, m[0], m[1]), m[2]);
    [first, T::minus(simd, T::minus(simd, m[1], m[2]), m[3])]
}

struct Join<'a, T> {
    from: &'a [T],
    /// Numbers from place to place.
    apart: usize,
    length: usize,
    to: &'a mut [T],
    /// Numbers from part to part.
    own: usize,
}

impl<T: Real> WithSimd for Join<'_, T> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "plain counted loops are what the compiler unrolls into registers")]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = T::splat(simd, T::ZERO);
        for p in (0..self.length).step_by(T::lanes::<S>()) {
            let mut rows = [[zero; 2]; 4];
            for i in 0..4 {
                let mut places = [zero; 4];
                for j in 0..4 {
                    places[j] = T::load::<S>(&self.from[(4 * i + j) * self.apart + p..]);
                }
                rows[i] = two::<T, S>(simd, places);
            }
            for b in 0..2 {
                let column = two::<T, S>(simd, [rows[0][b], rows[1][b], rows[2][b], rows[3][b]]);
                for a in 0..2 {
                    T::store::<S>(&mut self.to[(2 * a + b) * self.own + p..], column[a]);
                }
            }
        }
    }
}
