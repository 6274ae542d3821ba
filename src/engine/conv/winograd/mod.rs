//! Convolutions of 3×3 and stride 1 with fewer multiplications: Winograd's F(4×4, 3×3), after Lavin & Gray (2016).
//!
//! A tile of 4×4 outputs sees 6×6 pixels d. With the weights g it is Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A: 36 multiplications a pair
//! of channels where the definition has 144. The 36 places are 36 matrix products over the channels; what goes in and
//! comes out costs additions alone, which are shared by all channels on the other side.
//!
//! | file | what |
//! |---|---|
//! | `grid` | images cut into tiles, their channels side by side |
//! | `transform` | Bᵀ d B, G g Gᵀ, Aᵀ m A and the ways back |
//! | `product` | the matrix product of one place |
//! | `weight` | the weight gradient |
//!
//! Channels lie side by side, so that a vector is one pixel of several channels: tiles of every size fill vectors to the
//! last lane, and neighbours need no shuffling. Some tiles are taken at a time, so that everything stays in the second
//! cache, and the three matrices of one place in the first.
//!
//! In float32 the largest error is about 1.5 times that of the definition's sum (`conv/tests.rs`).

mod grid;
mod product;
mod transform;
mod weight;

use self::grid::{Grid, TILE};
use self::product::{Left, product};
use self::transform::{PLACES, apart, join, spread_pixels, spread_weights};
use super::finish::Incoming;
use super::geometry::Geometry;
use crate::engine::simd::Real;
use crate::engine::taps::whole_vectors;

pub use self::weight::Parts;

/// Channels on either side from which it pays (the training cases of `cutlayer bench`).
const CHANNELS: usize = 32;
/// Tiles at a time.
const TILES: usize = 16;
/// Planes that are laid side by side at once: as many as fill a line of the cache.
pub const PLANES: usize = 16;

/// One convolution with its weights transformed.
pub struct Winograd<T> {
    inputs: usize,
    /// Of an input plane.
    sides: (usize, usize),
    /// Of an output plane.
    out: (usize, usize),
    grid: Grid,
    /// By place, and places [`apart`]: inputs × outputs.
    weights: Vec<T>,
    outputs: usize,
    /// Outputs in whole vectors.
    lanes: usize,
}

/// What one thread works in.
pub struct Room<T> {
    pixels: Vec<T>,
    /// Place, tile, input.
    transformed: Vec<T>,
    /// Place, tile, output.
    products: Vec<T>,
    /// Four rows of pixels, their outputs side by side.
    rows: Vec<T>,
    /// The same by output.
    lines: Vec<T>,
}

/// At most four rows of an output plane.
pub struct Band<'a, T> {
    /// Number of the sample and the plane.
    pub sample: usize,
    pub output: usize,
    /// The first row (a multiple of four), and how many.
    pub rows: (usize, usize),
    /// The rows, `step` apart.
    pub lines: &'a [T],
    pub step: usize,
}

/// Whether a convolution has few enough multiplications this way.
pub fn fits(g: &Geometry) -> bool {
    g.kernel == 3 && g.stride == 1 && g.channels >= CHANNELS && g.outputs >= CHANNELS
}

impl<T: Real> Winograd<T> {
    /// A convolution of `inputs` planes of `sides` to `outputs` planes, with so many zeros around, and weights
    /// `weight(output, input, ky, kx)`.
    pub fn new(
        (inputs, outputs): (usize, usize),
        sides: (usize, usize),
        padding: usize,
        weight: impl Fn(usize, usize, usize, usize) -> T,
    ) -> Self {
        let out = (sides.0 + 2 * padding - 2, sides.1 + 2 * padding - 2);
        let lanes = whole_vectors(outputs);
        let mut taps = vec![T::ZERO; 9 * inputs * lanes];
        for (i, row) in taps.chunks_exact_mut(lanes).enumerate() {
            let (tap, c) = (i / inputs, i % inputs);
            for (o, to) in row.iter_mut().take(outputs).enumerate() {
                *to = weight(o, c, tap / 3, tap % 3);
            }
        }
        let mut weights = vec![T::ZERO; PLACES * apart(inputs * lanes)];
        spread_weights(&taps, &mut weights);
        Self { inputs, outputs, sides, out, grid: Grid::of_pixels(out, padding, inputs), weights, lanes }
    }

    /// Samples to be taken together, so that there are tiles enough.
    pub fn together(&self) -> usize {
        self.grid.samples_for(TILES)
    }

    /// Room for so many samples.
    pub fn room(&self, samples: usize) -> Room<T> {
        let zeros = |count| vec![T::ZERO; count];
        let tiles = self.grid.rows_for(TILES) * self.grid.columns;
        let row = TILE * TILE * self.grid.columns * self.lanes;
        Room {
            pixels: zeros(self.grid.size(samples)),
            transformed: zeros(PLACES * apart(tiles * self.grid.channels)),
            products: zeros(PLACES * apart(tiles * self.lanes)),
            rows: zeros(row),
            lines: zeros(row),
        }
    }

    /// Puts up to [`PLANES`] input planes into their place, from number `channel` on.
    pub fn put(&self, planes: &[&[T]], (sample, channel): (usize, usize), room: &mut Room<T>) {
        self.grid.put(planes, self.sides, (sample, channel), &mut room.pixels);
    }

    /// All outputs of what was put, band by band.
    pub fn run(&self, samples: usize, room: &mut Room<T>, mut each: impl FnMut(Band<'_, T>)) {
        let (all, columns) = (samples * self.grid.rows, self.grid.columns);
        let most = self.grid.rows_for(TILES);
        for first in (0..all).step_by(most) {
            let rows = most.min(all - first);
            self.multiply((first, rows), room);
            for row in 0..rows {
                let tiles = (row * columns, columns);
                join(&room.products, tiles, self.lanes, &mut room.rows);
                grid::by_channel(&room.rows, self.lanes, &mut room.lines);
                let ((sample, row), step) = (self.grid.place(first + row), TILE * columns);
                let rows = (TILE * row, TILE.min(self.out.0 - TILE * row));
                for (output, lines) in room.lines.chunks_exact(TILE * step).take(self.outputs).enumerate() {
                    each(Band { sample, output, rows, lines, step });
                }
            }
        }
    }

    /// The products of some rows of tiles.
    fn multiply(&self, (first, rows): (usize, usize), room: &mut Room<T>) {
        let (tiles, channels) = (rows * self.grid.columns, self.grid.channels);
        let most = self.grid.rows_for(TILES) * self.grid.columns;
        spread_pixels(&self.grid, &room.pixels, (first, rows), &mut room.transformed);
        let places = room
            .transformed
            .chunks_exact(apart(most * channels))
            .zip(room.products.chunks_exact_mut(apart(most * self.lanes)));
        for ((left, out), right) in places.zip(self.weights.chunks_exact(apart(self.inputs * self.lanes))) {
            let right = &right[..self.inputs * self.lanes];
            product(Left { values: left, rows: tiles, step: channels }, right, self.lanes, out);
        }
    }
}

/// Up to [`PLANES`] planes of a sample's gradient, from number `first` on, as they are before what follows the convolution;
/// `room` holds as many.
pub fn gradient_planes<'a, T: Real>(
    incoming: &'a Incoming<'_, T>,
    geometry: &Geometry,
    (sample, first): (usize, usize),
    room: &'a mut [T],
) -> Vec<&'a [T]> {
    let count = PLANES.min(geometry.outputs - first);
    let rooms = room.chunks_exact_mut(geometry.positions()).take(count).enumerate();
    rooms.map(|(i, room)| incoming.plane(sample * geometry.outputs + first + i, geometry, room)).collect()
}
