//! What is done to a convolution's outputs while they are still in the cache, and the way back through it.

use super::geometry::Geometry;
use crate::engine::simd::{Real, widest};

/// What follows the convolution in the same pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Nothing.
    Plain,
    /// max(y, 0); the derivative at 0 is 0.
    Relu,
    /// max(y, 0), then the largest of each 2×2 window; a row or column left over is dropped.
    ReluPool,
}

impl Finish {
    /// Sides of a finished plane.
    pub fn sides(self, geometry: &Geometry) -> (usize, usize) {
        match self {
            Self::ReluPool => (geometry.out_height / 2, geometry.out_width / 2),
            Self::Plain | Self::Relu => (geometry.out_height, geometry.out_width),
        }
    }

    /// Adds the bias to one plane, whose rows lie `step` apart in `line`, and finishes it. `winners` is as
    /// long as `values` under pooling, else empty.
    pub fn apply<T: Real>(
        self,
        line: &[T],
        step: usize,
        width: usize,
        bias: T,
        (values, winners): (&mut [T], &mut [u8]),
    ) {
        // Compiled for the processor's widest vectors.
        widest(
            #[inline(always)]
            || self.apply_here(line, step, width, bias, (&mut *values, &mut *winners)),
        );
    }

    #[inline(always)]
    fn apply_here<T: Real>(
        self,
        line: &[T],
        step: usize,
        width: usize,
        bias: T,
        (values, winners): (&mut [T], &mut [u8]),
    ) {
        match self {
            Self::Plain => copy(line, step, width, values, |v| v + bias),
            // `< 0` and not `> 0` on the other side, so that NaN passes through and is noticed.
            Self::Relu => copy(line, step, width, values, |v| relu(v + bias)),
            Self::ReluPool => {
                let rows = values.chunks_exact_mut(width / 2).zip(winners.chunks_exact_mut(width / 2));
                for (y, (values, winners)) in rows.enumerate() {
                    let (top, bottom) = (&line[2 * y * step..][..width], &line[(2 * y + 1) * step..][..width]);
                    let pairs = || top.chunks_exact(2).zip(bottom.chunks_exact(2));
                    for (value, (a, b)) in values.iter_mut().zip(pairs()) {
                        *value = larger(larger(a[0] + bias, a[1] + bias), larger(b[0] + bias, b[1] + bias));
                    }
                    // The first of equal values wins, after the bias as in a layer of its own.
                    for ((value, winner), (a, b)) in values.iter_mut().zip(winners).zip(pairs()) {
                        let third = if b[0] + bias == *value { 2 } else { 3 };
                        let second = if a[1] + bias == *value { 1 } else { third };
                        *winner = if a[0] + bias == *value { 0 } else { second };
                        *value = relu(*value);
                    }
                }
            }
        }
    }
}

/// The larger of two, or what is no number.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a || b.partial_cmp(&b).is_none() { b } else { a }
}

#[inline(always)]
fn copy<T: Real>(line: &[T], step: usize, width: usize, values: &mut [T], change: impl Fn(T) -> T) {
    for (to, from) in values.chunks_exact_mut(width).zip(line.chunks(step)) {
        for (to, &v) in to.iter_mut().zip(from) {
            *to = change(v);
        }
    }
}

#[inline(always)]
fn relu<T: Real>(v: T) -> T {
    if v < T::ZERO { T::ZERO } else { v }
}

/// The gradient of the finished output, and what is needed to take it back through the finish.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a, T> {
    pub grad: &'a [T],
    pub finish: Finish,
    /// The finished output; empty for [`Finish::Plain`].
    pub values: &'a [T],
    /// Under [`Finish::ReluPool`] which of its four values each window gave; else empty.
    pub winners: &'a [u8],
}

impl<T: Real> Incoming<'_, T> {
    /// The gradient of the convolution's own output on one of its N · O planes; `room` holds one plane.
    pub fn plane<'s>(&'s self, index: usize, geometry: &Geometry, room: &'s mut [T]) -> &'s [T] {
        let (height, width) = self.finish.sides(geometry);
        let range = index * height * width..(index + 1) * height * width;
        if self.finish == Finish::Plain {
            return &self.grad[range];
        }
        widest(
            #[inline(always)]
            || self.pass(range.clone(), width, geometry.out_width, room),
        );
        room
    }

    /// Where the finished value is 0 the relu lets nothing through; a window's gradient goes to its winner.
    #[inline(always)]
    fn pass(&self, range: std::ops::Range<usize>, width: usize, out_width: usize, room: &mut [T]) {
        let pass = |(&g, &y): (&T, &T)| if y > T::ZERO { g } else { T::ZERO };
        let passed = self.grad[range.clone()].iter().zip(&self.values[range.clone()]).map(pass);
        if self.finish == Finish::Relu {
            for (to, g) in room.iter_mut().zip(passed) {
                *to = g;
            }
            return;
        }
        room.fill(T::ZERO);
        for (i, (g, &winner)) in passed.zip(&self.winners[range]).enumerate() {
            let (y, x) = (2 * (i / width) + usize::from(winner / 2), 2 * (i % width) + usize::from(winner % 2));
            room[y * out_width + x] = g;
        }
    }
}
