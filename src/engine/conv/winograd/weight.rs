//! The weight gradient, with as few multiplications: the convolution turned round.
//!
//! Forward a tile is Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, linear in the weights g; so their gradient is Gᵀ[Σ (A y Aᵀ) ⊙ (Bᵀ d B)]G over
//! all tiles, y the gradient of a tile's 4×4 outputs: 36 multiplications a pair of channels where the definition has 144.
//! Place by place the sum is a matrix product over tiles.

use super::grid::Grid;
use super::product::{Left, add_turned_product};
use super::transform::{PLACES, apart, gather_weights, spread_gradients, spread_pixels};
use super::{PLANES, TILES, gradient_planes};
use crate::engine::conv::finish::Incoming;
use crate::engine::conv::geometry::Geometry;
use crate::engine::simd::{Real, sum};

/// What one thread works in.
pub struct Room<T> {
    pixels: Vec<T>,
    gradients: Vec<T>,
    /// Place, tile, input or output.
    transformed: [Vec<T>; 2],
    /// Place, output, input.
    sums: Vec<T>,
    /// Gradients before what follows the convolution.
    planes: Vec<T>,
}

/// The weight gradient of some samples after the others.
pub struct Parts<'a> {
    geometry: &'a Geometry,
    inputs: Grid,
    outputs: Grid,
}

impl<'a> Parts<'a> {
    pub fn new(geometry: &'a Geometry) -> Self {
        let out = (geometry.out_height, geometry.out_width);
        let inputs = Grid::of_pixels(out, geometry.padding, geometry.channels);
        Self { geometry, inputs, outputs: Grid::of_outputs(out, geometry.outputs) }
    }

    /// Room for parts of so many samples.
    pub fn room<T: Real>(&self, part: usize) -> Room<T> {
        let zeros = |count| vec![T::ZERO; count];
        let samples = self.together(part);
        let tiles = self.inputs.rows_for(TILES) * self.inputs.columns;
        Room {
            pixels: zeros(self.inputs.size(samples)),
            gradients: zeros(self.outputs.size(samples)),
            transformed: [self.inputs, self.outputs].map(|grid| zeros(PLACES * apart(tiles * grid.channels))),
            sums: zeros(PLACES * apart(self.pairs())),
            planes: zeros(PLANES * self.geometry.positions()),
        }
    }

    /// Samples that have as many tiles as are taken at a time. Where planes are of a tile or two, clearing and adding up
    /// the sums of fewer samples takes longer than their products.
    pub fn fill(&self) -> usize {
        self.inputs.samples_for(TILES)
    }

    /// Pairs of channels, in whole vectors.
    fn pairs(&self) -> usize {
        self.geometry.outputs * self.inputs.channels
    }

    /// Samples taken together, so that there are tiles enough.
    fn together(&self, part: usize) -> usize {
        self.fill().min(part)
    }

    /// ∂/∂W, for [`Parts::weights`], and ∂/∂b of the samples `x` from number `first` on, `part` of them or fewer, on this
    /// thread.
    pub fn of<T: Real>(
        &self,
        (first, part): (usize, usize),
        x: &[T],
        incoming: &Incoming<'_, T>,
        room: &mut Room<T>,
    ) -> (Vec<T>, Vec<T>) {
        let (g, together) = (self.geometry, self.together(part));
        let mut bias = vec![T::ZERO; g.outputs];
        room.sums.fill(T::ZERO);
        for (group, x) in x.chunks(together * g.image()).enumerate() {
            for (i, x) in x.chunks_exact(g.image()).enumerate() {
                let planes: Vec<&[T]> = x.chunks_exact(g.height * g.width).collect();
                for (q, planes) in planes.chunks(PLANES).enumerate() {
                    self.inputs.put(planes, (g.height, g.width), (i, PLANES * q), &mut room.pixels);
                }
                for (q, bias) in bias.chunks_mut(PLANES).enumerate() {
                    let at = (first + group * together + i, PLANES * q);
                    let planes = gradient_planes(incoming, g, at, &mut room.planes);
                    for (bias, plane) in bias.iter_mut().zip(&planes) {
                        *bias += sum(plane);
                    }
                    let sides = (g.out_height, g.out_width);
                    self.outputs.put(&planes, sides, (i, PLANES * q), &mut room.gradients);
                }
            }
            self.add(x.len() / g.image(), room);
        }
        (gather_weights(&room.sums, self.pairs()), bias)
    }

    /// Adds the products of so many samples.
    fn add<T: Real>(&self, samples: usize, room: &mut Room<T>) {
        let all = samples * self.inputs.rows;
        let most = self.inputs.rows_for(TILES);
        let (inputs, outputs) = (self.inputs.channels, self.outputs.channels);
        for first in (0..all).step_by(most) {
            let rows = (first, most.min(all - first));
            let [pixels, gradients] = &mut room.transformed;
            spread_pixels(&self.inputs, &room.pixels, rows, pixels);
            spread_gradients(&self.outputs, &room.gradients, rows, gradients);
            let tiles = rows.1 * self.inputs.columns;
            let most = most * self.inputs.columns;
            let places = pixels.chunks_exact(apart(most * inputs)).zip(gradients.chunks_exact(apart(most * outputs)));
            let count = self.geometry.outputs;
            for ((right, values), sums) in places.zip(room.sums.chunks_exact_mut(apart(self.pairs()))) {
                add_turned_product(Left { values, rows: tiles, step: outputs }, count, right, inputs, sums);
            }
        }
    }

    /// ∂/∂W (O, C, K, K) from the sum of what [`Parts::of`] gave.
    pub fn weights<T: Real>(&self, taps: &[T]) -> Vec<T> {
        let (channels, lanes) = (self.geometry.channels, self.inputs.channels);
        let mut weight = vec![T::ZERO; 9 * self.geometry.outputs * channels];
        for (i, row) in taps.chunks_exact(lanes).enumerate() {
            let (tap, o) = (i / self.geometry.outputs, i % self.geometry.outputs);
            for (to, &v) in weight[9 * o * channels..].chunks_exact_mut(9).zip(&row[..channels]) {
                to[tap] = v;
            }
        }
        weight
    }
}
