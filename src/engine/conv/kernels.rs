//! The three products of a convolution on plain numbers.
//!
//! | | computes | inner loop |
//! |---|---|---|
//! | forward | y = finish(W ∗ x + b) | [`Rows::accumulate`] over all taps |
//! | input gradient | dx = Wᵀ ∗ g | the same, over the taps of each phase, flipped |
//! | weight gradient | dW = Σ g · x | [`dot`] over the positions of several samples |
//!
//! Fast because no unrolled matrix is written (see [`crate::engine::taps`]), because bias, relu and 2×2
//! max-pooling happen while the outputs are still in the cache, and because samples are spread over the
//! threads. The number of multiplications is that of the definition; those at padded places are extra.

use rayon::prelude::*;

use super::finish::{Finish, Incoming};
use super::geometry::{Geometry, Layout, Phase};
use super::winograd::{self, PLANES, Parts, Winograd, gradient_planes};
use crate::engine::fresh::{Fresh, Piece};
use crate::engine::shelf::Shelf;
use crate::engine::simd::{Real, sum};
use crate::engine::taps::{Panels, Rows, dot, whole_vectors};

/// What a convolution gives.
pub struct Output<T> {
    pub values: Vec<T>,
    /// Under [`Finish::ReluPool`]: which of its four values each window gave, row by row; else empty.
    pub winners: Vec<u8>,
}

/// Samples fewer than this are taken one by one, their channels spread over the threads.
const FEW: usize = 4;

/// Multiply-adds that a thread takes at once, at least.
const WORK_AT_ONCE: usize = 400_000;

/// Multiply-adds of a whole product below which waking a second thread costs more than it brings.
const SMALL: usize = 1_500_000;

/// Rows of a group of panels: the channels that a thread takes at once.
const GROUP: usize = Panels::<f32>::ROWS;

impl Geometry {
    /// y (N, O, H′, W′) from x (N, C, H, W), weight (O, C, K, K), bias (O).
    pub fn forward<T: Real>(&self, x: &[T], weight: &[T], bias: &[T], finish: Finish) -> Output<T> {
        if self.suits_winograd() {
            return self.forward_in_tiles(x, weight, bias, finish);
        }
        let layout = self.input_layout(1);
        let taps = self.taps(&layout);
        let panels = Panels::new(self.outputs, taps.len(), |o, t| weight[o * taps.len() + t]);
        let length = (self.out_height - 1) * layout.width + self.out_width;
        let (height, width) = finish.sides(self);
        let plane = height * width;
        let pooled = if finish == Finish::ReluPool { plane } else { 0 };
        let mut fresh = Fresh::new(self.samples * self.outputs * plane);
        let mut winners = vec![0; self.samples * self.outputs * pooled];

        let group = |buffer: &[T], scratch: &mut [T], group: usize, values: &mut [T], winners: &mut [u8]| {
            for panel in panels.group(group) {
                Rows { buffer, offsets: &taps, length }.accumulate(panel, scratch);
                for r in 0..panel.rows {
                    let (line, o) = (&scratch[r * whole_vectors(length)..], panel.first + r);
                    let values = &mut values[o % GROUP * plane..][..plane];
                    let winners = &mut winners[o % GROUP * pooled..][..pooled];
                    finish.apply(line, layout.width, self.out_width, bias[o], (values, winners));
                }
            }
        };
        let scratch = || vec![T::ZERO; GROUP * whole_vectors(length)];
        let room = || (layout.buffer::<T>(self.channels, self.reach()), scratch());
        let samples = fresh.pieces(self.outputs * plane).map(Piece::open);
        let samples = samples.zip(pieces(&mut winners, self.outputs * pooled, self.samples));
        let samples = samples.zip(x.par_chunks(self.image())).with_min_len(self.samples_at_once());
        let rooms = Shelf::new(room);
        samples.for_each(|((values, winners), x)| {
            rooms.with(|(buffer, line)| {
                self.embed(&layout, x, 0, buffer);
                let values = values.chunks_mut(GROUP * plane);
                let groups = values.zip(pieces(winners, GROUP * pooled, panels.groups())).enumerate();
                if self.spreads_channels() {
                    let groups: Vec<_> = groups.collect();
                    let each = |line: &mut Vec<T>, (g, (values, winners))| group(buffer, line, g, values, winners);
                    groups.into_par_iter().for_each_init(scratch, each);
                } else {
                    groups.for_each(|(g, (values, winners))| group(buffer, line, g, values, winners));
                }
            });
        });
        Output { values: fresh.finish(), winners }
    }

    /// ∂/∂x (N, C, H, W) from the gradient of the output and the weight.
    pub fn input_gradient<T: Real>(&self, incoming: Incoming<'_, T>, weight: &[T]) -> Vec<T> {
        if self.suits_winograd() && self.padding < self.kernel {
            return self.input_gradient_in_tiles(incoming, weight);
        }
        let (layout, phases) = self.gradient_layout();
        let (taps, kernel) = (self.window(), self.kernel);
        let packed = |phase: &Phase| {
            let at = |c: usize, t: usize| {
                let (o, ky, kx) = phase.weights[t];
                weight[o * taps + (c * kernel + ky) * kernel + kx]
            };
            Panels::new(self.channels, phase.weights.len(), at)
        };
        let panels: Vec<_> = phases.iter().map(packed).collect();
        let image = self.height * self.width;
        let length = |phase: &Phase| (phase.rows.1.saturating_sub(1)) * layout.width + phase.columns.1;
        let longest = phases.iter().map(length).max().unwrap_or(0);
        let mut fresh = Fresh::new(self.samples * self.image());

        let group = |buffer: &[T], scratch: &mut [T], group: usize, dx: &mut [T]| {
            for (phase, panels) in phases.iter().zip(&panels) {
                if phase.rows.1 * phase.columns.1 == 0 {
                    continue;
                }
                let rows = Rows { buffer, offsets: &phase.taps, length: length(phase) };
                for panel in panels.group(group) {
                    rows.accumulate(panel, scratch);
                    for r in 0..panel.rows {
                        let line = &scratch[r * whole_vectors(rows.length)..];
                        let dx = &mut dx[(panel.first + r) % GROUP * image..][..image];
                        self.scatter(phase, line, layout.width, dx);
                    }
                }
            }
        };
        let scratch = || vec![T::ZERO; GROUP * whole_vectors(longest)];
        let room = || (layout.buffer::<T>(self.outputs, layout.cell()), scratch(), vec![T::ZERO; self.positions()]);
        let samples = fresh.pieces(self.image()).map(Piece::open).enumerate().with_min_len(self.samples_at_once());
        let rooms = Shelf::new(room);
        samples.for_each(|(sample, dx)| {
            rooms.with(|(buffer, line, plane)| {
                for o in 0..self.outputs {
                    let plane = incoming.plane(sample * self.outputs + o, self, plane);
                    layout.embed(plane, (self.out_height, self.out_width), (o, 0), buffer);
                }
                if self.spreads_channels() {
                    let groups = dx.par_chunks_mut(GROUP * image).enumerate();
                    groups.for_each_init(scratch, |line, (g, dx)| group(buffer, line, g, dx));
                } else {
                    let groups = dx.chunks_mut(GROUP * image).enumerate();
                    groups.for_each(|(g, dx)| group(buffer, line, g, dx));
                }
            });
        });
        fresh.finish()
    }

    /// Whether [`Winograd`] is faster: not for a few samples, whose channels are spread over the threads.
    fn suits_winograd(&self) -> bool {
        self.samples >= FEW && winograd::fits(self)
    }

    /// [`Geometry::forward`] by [`Winograd`].
    fn forward_in_tiles<T: Real>(&self, x: &[T], weight: &[T], bias: &[T], finish: Finish) -> Output<T> {
        let (sizes, sides) = ((self.channels, self.outputs), (self.height, self.width));
        let winograd =
            Winograd::new(sizes, sides, self.padding, |o, c, y, x| weight[(o * self.channels + c) * 9 + 3 * y + x]);
        let (height, width) = finish.sides(self);
        let (plane, pooling) = (height * width, finish == Finish::ReluPool);
        let pooled = if pooling { plane } else { 0 };
        let together = winograd.together();
        let mut fresh = Fresh::new(self.samples * self.outputs * plane);
        let mut winners = vec![0; self.samples * self.outputs * pooled];
        let groups = fresh.pieces(together * self.outputs * plane).map(Piece::open);
        let groups =
            groups.zip(pieces(&mut winners, together * self.outputs * pooled, self.samples.div_ceil(together)));
        let groups = groups.zip(x.par_chunks(together * self.image()));
        let rooms = Shelf::new(|| winograd.room(together));
        groups.for_each(|((values, winners), x)| {
            rooms.with(|room| {
                for (i, x) in x.chunks_exact(self.image()).enumerate() {
                    let planes: Vec<&[T]> = x.chunks_exact(self.height * self.width).collect();
                    for (q, planes) in planes.chunks(PLANES).enumerate() {
                        winograd.put(planes, (i, PLANES * q), room);
                    }
                }
                winograd.run(x.len() / self.image(), room, |band| {
                    let (first, rows) = if pooling { (band.rows.0 / 2, band.rows.1 / 2) } else { band.rows };
                    let start = (band.sample * self.outputs + band.output) * plane + first * width;
                    let range = start..start + rows * width;
                    let winners = if pooling { &mut winners[range.clone()] } else { &mut [][..] };
                    let to = (&mut values[range], winners);
                    finish.apply(band.lines, band.step, self.out_width, bias[band.output], to);
                });
            });
        });
        Output { values: fresh.finish(), winners }
    }

    /// [`Geometry::input_gradient`] by [`Winograd`]: the convolution of the gradient with the weights turned round.
    fn input_gradient_in_tiles<T: Real>(&self, incoming: Incoming<'_, T>, weight: &[T]) -> Vec<T> {
        let (sizes, sides) = ((self.outputs, self.channels), (self.out_height, self.out_width));
        let turned = |c: usize, o: usize, y: usize, x: usize| weight[(o * self.channels + c) * 9 + 8 - (3 * y + x)];
        let winograd = Winograd::new(sizes, sides, 2 - self.padding, turned);
        let (plane, together) = (self.height * self.width, winograd.together());
        let mut fresh = Fresh::new(self.samples * self.image());
        let groups = fresh.pieces(together * self.image()).map(Piece::open).enumerate();
        let rooms = Shelf::new(|| (winograd.room(together), vec![T::ZERO; PLANES * self.positions()]));
        groups.for_each(|(group, dx)| {
            rooms.with(|(room, planes)| {
                let samples = dx.len() / self.image();
                for i in 0..samples {
                    for o in (0..self.outputs).step_by(PLANES) {
                        let planes = gradient_planes(&incoming, self, (group * together + i, o), planes);
                        winograd.put(&planes, (i, o), room);
                    }
                }
                winograd.run(samples, room, |band| {
                    let start = (band.sample * self.channels + band.output) * plane + band.rows.0 * self.width;
                    let to = &mut dx[start..start + band.rows.1 * self.width];
                    Finish::Plain.apply(band.lines, band.step, self.width, T::ZERO, (to, &mut []));
                });
            });
        });
        fresh.finish()
    }

    /// Copies a phase's outputs, rows `step` apart in `line`, to their places in the plane.
    fn scatter<T: Real>(&self, phase: &Phase, line: &[T], step: usize, plane: &mut [T]) {
        let ((y, rows), (x, columns)) = (phase.rows, phase.columns);
        for (row, line) in line.chunks(step).take(rows).enumerate() {
            let to = &mut plane[(y + row * self.stride) * self.width + x..];
            if self.stride == 1 {
                to[..columns].copy_from_slice(&line[..columns]);
            } else {
                for (to, &v) in to.iter_mut().step_by(self.stride).zip(&line[..columns]) {
                    *to = v;
                }
            }
        }
    }

    /// ∂/∂W (O, C, K, K) and ∂/∂b (O) from the gradient of the output and the input.
    pub fn weight_gradient<T: Real>(&self, incoming: Incoming<'_, T>, x: &[T]) -> (Vec<T>, Vec<T>) {
        /// Partial sums, added in order at the end: enough for any machine this is likely to meet.
        const PARTS: usize = 16;
        /// Weights that a thread adds up at once.
        const ADDED_AT_ONCE: usize = 4096;
        let tiles = self.suits_winograd().then(|| Parts::new(self));
        let fill = tiles.as_ref().map_or(1, Parts::fill);
        let part = self.samples.div_ceil(PARTS).max(WORK_AT_ONCE.div_ceil(self.work())).max(fill);
        let starts: Vec<usize> = (0..self.samples).step_by(part).collect();
        let rooms = tiles.as_ref().map(|tiles| (tiles, Shelf::new(|| tiles.room(part))));
        let sums = starts.into_par_iter().map(|start| {
            let end = (start + part).min(self.samples);
            let x = &x[start * self.image()..end * self.image()];
            match &rooms {
                Some((tiles, rooms)) => rooms.with(|room| tiles.of((start, part), x, &incoming, room)),
                None => self.weight_gradient_of(start, x, incoming),
            }
        });
        let mut sums: Vec<_> = sums.collect();
        let (mut weight, mut bias) = sums.remove(0);
        weight.par_chunks_mut(ADDED_AT_ONCE).enumerate().for_each(|(i, weight)| {
            for (part, _) in &sums {
                add(weight, &part[i * ADDED_AT_ONCE..][..weight.len()]);
            }
        });
        for (_, part) in &sums {
            add(&mut bias, part);
        }
        let weight = match tiles {
            Some(tiles) => tiles.weights(&weight),
            None => weight,
        };
        (weight, bias)
    }

    /// The same for the samples `x` from number `first` on, on this thread.
    fn weight_gradient_of<T: Real>(&self, first: usize, x: &[T], incoming: Incoming<'_, T>) -> (Vec<T>, Vec<T>) {
        /// Positions worth one pass of the inner loop: many, so that its final sums cost little, and few
        /// enough that both operands stay in the second cache.
        const POSITIONS: usize = 1500;
        let count = x.len() / self.image();
        let together = (POSITIONS / self.input_layout(1).cell()).clamp(1, count);
        let layout = self.input_layout(together);
        let taps = self.taps(&layout);
        // The gradients' rows lie as the input's do, so that both are read at the same positions.
        let lines = Layout { stride: 1, phases: 1, lead: 0, ..layout };
        let step = whole_vectors(together * layout.cell());
        let (mut weight, mut bias) = (vec![T::ZERO; self.outputs * self.window()], vec![T::ZERO; self.outputs]);
        let mut buffer = layout.buffer::<T>(self.channels, self.reach());
        let mut rows = vec![T::ZERO; self.outputs * step];
        let mut plane = vec![T::ZERO; self.positions()];
        for (g, x) in x.chunks(together * self.image()).enumerate() {
            let samples = x.len() / self.image();
            for (i, x) in x.chunks_exact(self.image()).enumerate() {
                self.embed(&layout, x, i, &mut buffer);
                for o in 0..self.outputs {
                    let index = (first + g * together + i) * self.outputs + o;
                    let plane = incoming.plane(index, self, &mut plane);
                    bias[o] += sum(plane);
                    lines.embed(plane, (self.out_height, self.out_width), (0, i), &mut rows[o * step..]);
                }
            }
            // A last group may be smaller; what the buffers still hold behind it is not read.
            let length = (samples - 1) * layout.cell() + (self.out_height - 1) * layout.width + self.out_width;
            if samples < together {
                for row in rows.chunks_mut(step) {
                    row[length..].fill(T::ZERO);
                }
            }
            dot(&rows, self.outputs, step, Rows { buffer: &buffer, offsets: &taps, length }, &mut weight);
        }
        (weight, bias)
    }

    /// Lays one image out as number `sample`.
    fn embed<T: Real>(&self, layout: &Layout, x: &[T], sample: usize, buffer: &mut [T]) {
        for (c, x) in x.chunks_exact(self.height * self.width).enumerate() {
            layout.embed(x, (self.height, self.width), (c, sample), buffer);
        }
    }

    /// The largest shift of a tap inside its phase.
    fn reach(&self) -> usize {
        (self.kernel - 1) / self.stride * (self.input_layout(1).width + 1)
    }

    /// Samples that one thread takes together, at least.
    fn samples_at_once(&self) -> usize {
        let one_thread = self.samples < FEW || self.samples * self.work() < SMALL;
        if one_thread { self.samples } else { WORK_AT_ONCE.div_ceil(self.work()) }
    }

    /// Whether a sample's channels are spread over the threads, and not the samples.
    fn spreads_channels(&self) -> bool {
        self.samples < FEW && self.work() > SMALL
    }
}

/// So many pieces of a slice; empty ones where it is empty.
fn pieces(slice: &mut [u8], size: usize, count: usize) -> Vec<&mut [u8]> {
    if size == 0 {
        return std::iter::repeat_with(|| &mut [][..]).take(count).collect();
    }
    slice.chunks_mut(size).collect()
}

fn add<T: Real>(to: &mut [T], values: &[T]) {
    for (to, &v) in to.iter_mut().zip(values) {
        *to += v;
    }
}
