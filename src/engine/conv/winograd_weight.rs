//! The weight gradient of 3×3 convolutions of stride 1 with fewer multiplications: [`winograd`](super::winograd) turned
//! round.
//!
//! Forward a tile is Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, linear in the weights g; so their gradient is Gᵀ[Σ (A y Aᵀ) ⊙ (Bᵀ d B)]G over
//! all tiles, y the gradient of a tile's 2×2 outputs: 16 multiplications a pair of channels where the definition has 36.
//! Place by place the sum is a matrix product over tiles, done by the inner loop of all weight gradients ([`dot`]). What
//! enters it is put together anew for each place from the images as they lie there, so that only one place's numbers need
//! be in the second cache.

use pulp::{Arch, Simd, WithSimd};

use super::finish::Incoming;
use super::geometry::{Geometry, Layout};
use crate::engine::simd::{Real, sum};
use crate::engine::taps::{Rows, SLACK, dot, whole_vectors};

/// Positions worth one pass of the inner loop: many, so that its final sums cost little, and few enough that both operands
/// stay in the second cache.
const POSITIONS: usize = 700;

/// Phase, shift and sign of a row or column.
type Term = (usize, usize, f64);

/// Bᵀ: which pixels of a tile a place takes.
const PIXELS: [&[Term]; 4] = [
    &[(0, 0, 1.0), (0, 1, -1.0)],
    &[(1, 0, 1.0), (0, 1, 1.0)],
    &[(0, 1, 1.0), (1, 0, -1.0)],
    &[(1, 0, 1.0), (1, 1, -1.0)],
];
/// A: the same of a tile's outputs.
const OUTPUTS: [&[Term]; 4] =
    [&[(0, 0, 1.0)], &[(0, 0, 1.0), (1, 0, 1.0)], &[(0, 0, 1.0), (1, 0, -1.0)], &[(1, 0, -1.0)]];
/// What one thread works in.
pub struct Room<T> {
    /// Samples taken together, and how they and their gradients lie.
    images: Layout,
    outputs: Layout,
    pixels: Vec<T>,
    gradients: Vec<T>,
    /// One place of every tile: of each input channel a row, of each output channel a line, `step` apart.
    rows: Vec<T>,
    lines: Vec<T>,
    step: usize,
    offsets: Vec<usize>,
    plane: Vec<T>,
}

impl Geometry {
    /// Room for parts of so many samples.
    pub fn tiles_room<T: Real>(&self, part: usize) -> Room<T> {
        let (height, width) = (self.out_height.div_ceil(2) + 1, self.out_width.div_ceil(2) + 1);
        let samples = (POSITIONS / (height * width)).clamp(1, part);
        let images = Layout { stride: 2, phases: 2, lead: self.padding, height, width, samples };
        let outputs = Layout { lead: 0, ..images };
        let step = whole_vectors(samples * images.cell());
        Room {
            images,
            outputs,
            pixels: images.buffer(self.channels, width + 1),
            gradients: outputs.buffer(self.outputs, 0),
            rows: vec![T::ZERO; self.channels * step + SLACK],
            lines: vec![T::ZERO; self.outputs * step],
            step,
            offsets: (0..self.channels).map(|c| c * step).collect(),
            plane: vec![T::ZERO; self.positions()],
        }
    }

    /// Sums for [`weights_of`] and ∂/∂b, for the samples `x` from number `first` on, on this thread.
    pub fn weight_gradient_in_tiles<T: Real>(
        &self,
        first: usize,
        x: &[T],
        incoming: Incoming<'_, T>,
        room: &mut Room<T>,
    ) -> (Vec<T>, Vec<T>) {
        let Room { images, outputs, pixels, gradients, rows, lines, step, offsets, plane } = room;
        let (samples, step) = (images.samples, *step);
        let pairs = self.outputs * self.channels;
        let (mut places, mut bias) = (vec![T::ZERO; 16 * pairs], vec![T::ZERO; self.outputs]);
        for (g, x) in x.chunks(samples * self.image()).enumerate() {
            let present = x.len() / self.image();
            for (i, x) in x.chunks_exact(self.image()).enumerate() {
                for (c, x) in x.chunks_exact(self.height * self.width).enumerate() {
                    images.embed(x, (self.height, self.width), (c, i), pixels);
                }
                for (o, bias) in bias.iter_mut().enumerate() {
                    let index = (first + g * samples + i) * self.outputs + o;
                    let plane = incoming.plane(index, self, plane);
                    *bias += sum(plane);
                    outputs.embed(plane, (self.out_height, self.out_width), (o, i), gradients);
                }
            }
            let length = present * images.cell();
            for (k, place) in places.chunks_exact_mut(pairs).enumerate() {
                let place_of = |terms: [&'static [Term]; 4]| (terms[k / 4], terms[k % 4]);
                gather(images, place_of(PIXELS), pixels, length, rows.chunks_mut(step).take(self.channels));
                gather(outputs, place_of(OUTPUTS), gradients, length, lines.chunks_mut(step));
                dot(lines, self.outputs, step, Rows { buffer: rows, offsets, length }, place);
            }
        }
        (places, bias)
    }
}

/// Gᵀ m G of every pair of channels: ∂/∂W from the sums m of all tiles, place by place.
pub fn weights_of<T: Real>(places: &[T]) -> Vec<T> {
    let pairs = places.len() / 16;
    let half = T::from_f64(0.5);
    // Gᵀ of four numbers.
    let three = |m: [T; 4]| {
        let (sum, difference) = (half * (m[1] + m[2]), half * (m[1] - m[2]));
        [m[0] + sum, difference, sum + m[3]]
    };
    let mut weight = vec![T::ZERO; 9 * pairs];
    for (pair, weight) in weight.chunks_exact_mut(9).enumerate() {
        let rows = [0, 1, 2, 3].map(|i| three([0, 1, 2, 3].map(|j| places[(4 * i + j) * pairs + pair])));
        for x in 0..3 {
            let column = three(rows.map(|row| row[x]));
            for y in 0..3 {
                weight[3 * y + x] = column[y];
            }
        }
    }
    weight
}

/// One place of every tile: of each channel, the sum of what `terms` says of its rows and of its columns. What lies behind
/// `length` becomes zero.
fn gather<'a, T: Real>(
    layout: &Layout,
    (rows, columns): (&[Term], &[Term]),
    from: &[T],
    length: usize,
    to: impl Iterator<Item = &'a mut [T]>,
) {
    for (channel, to) in to.enumerate() {
        let mut terms = [(0, T::ZERO); 4];
        let pairs = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
        let mut count = 0;
        for (term, (&(py, y, a), &(px, x, b))) in terms.iter_mut().zip(pairs) {
            *term = (layout.phase(channel, py, px) + y * layout.width + x, T::from_f64(a * b));
            count += 1;
        }
        match count {
            1 => Arch::new().dispatch(Gather::<T, 1> { from, terms: [terms[0]], length, to }),
            2 => Arch::new().dispatch(Gather::<T, 2> { from, terms: [terms[0], terms[1]], length, to }),
            _ => Arch::new().dispatch(Gather::<T, 4> { from, terms, length, to }),
        }
    }
}

struct Gather<'a, T, const N: usize> {
    from: &'a [T],
    /// Where each begins, and its sign.
    terms: [(usize, T); N],
    length: usize,
    to: &'a mut [T],
}

impl<T: Real, const N: usize> WithSimd for Gather<'_, T, N> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "plain counted loops are what the compiler unrolls into registers")]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = T::splat(simd, T::ZERO);
        let mut signs = [zero; N];
        for t in 0..N {
            signs[t] = T::splat(simd, self.terms[t].1);
        }
        for p in (0..self.length).step_by(T::lanes::<S>()) {
            let mut total = zero;
            for t in 0..N {
                total = T::mul_add(simd, signs[t], T::load::<S>(&self.from[self.terms[t].0 + p..]), total);
            }
            T::store::<S>(&mut self.to[p..], total);
        }
        self.to[self.length..].fill(T::ZERO);
    }
}
