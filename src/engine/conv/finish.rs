//! What is done to a convolution's outputs while they are still in the cache, and the way back through it.

use super::geometry::Geometry;
use crate::engine::simd::{Real, widest};

/// Does `$work` for `$at` = 0, `$N`, 2·`$N`, … so that the blocks of `$N` numbers from there on cover `$length`. `$N` is a
/// constant, 16 or, where there are fewer numbers, 8, 4 or 1, so that the compiler takes a block at once; it would go through
/// rows of 14 or 28 pixels, shorter than what it likes to unroll, one by one. The last block is moved back to end with the
/// row: what it shares with the one before is done twice, so that must not depend on how often it is done.
macro_rules! in_blocks {
    ($length:expr, ($at:ident, $N:ident) => $work:expr) => {{
        let length: usize = $length;
        in_blocks!(@from length, $at, $N, $work, 16 8 4 1);
    }};
    (@from $length:ident, $at:ident, $N:ident, $work:expr, $size:literal $($smaller:literal)*) => {
        if $length >= $size {
            const $N: usize = $size;
            for start in (0..$length).step_by($N) {
                let $at = start.min($length - $N);
                $work;
            }
        } else {
            in_blocks!(@from $length, $at, $N, $work, $($smaller)*);
        }
    };
    (@from $length:ident, $at:ident, $N:ident, $work:expr,) => {};
}

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
                for ((values, winners), lines) in rows.zip(line.chunks(2 * step)) {
                    let (top, bottom) = (&lines[..width], &lines[step..][..width]);
                    pool(top, bottom, bias, values, winners);
                }
            }
        }
    }
}

/// The largest of each 2×2 window of two rows, plus the bias, or 0 if that is more, and which of the four it is.
#[inline(always)]
fn pool<T: Real>(top: &[T], bottom: &[T], bias: T, values: &mut [T], winners: &mut [u8]) {
    in_blocks!(values.len(), (at, N) => {
        let (top, bottom) = (&top[2 * at..][..2 * N], &bottom[2 * at..][..2 * N]);
        let (values, winners) = (&mut values[at..][..N], &mut winners[at..][..N]);
        for i in 0..N {
            let four = [top[2 * i] + bias, top[2 * i + 1] + bias, bottom[2 * i] + bias, bottom[2 * i + 1] + bias];
            let value = larger(larger(four[0], four[1]), larger(four[2], four[3]));
            // The first of equal values wins, after the bias as in a layer of its own.
            let third = if four[2] == value { 2 } else { 3 };
            let second = if four[1] == value { 1 } else { third };
            winners[i] = if four[0] == value { 0 } else { second };
            values[i] = relu(value);
        }
    });
}

/// The larger of two, or what is no number.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a || b.partial_cmp(&b).is_none() { b } else { a }
}

#[inline(always)]
fn copy<T: Real>(line: &[T], step: usize, width: usize, values: &mut [T], change: impl Fn(T) -> T) {
    for (to, from) in values.chunks_exact_mut(width).zip(line.chunks(step)) {
        in_blocks!(width, (at, N) => {
            let (to, from) = (&mut to[at..][..N], &from[at..][..N]);
            for i in 0..N {
                to[i] = change(from[i]);
            }
        });
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
        let (grad, values) = (&self.grad[range.clone()], &self.values[range.clone()]);
        let windows =
            grad.chunks_exact(width).zip(values.chunks_exact(width)).zip(self.winners[range].chunks_exact(width));
        let mut rows = room.chunks_exact_mut(2 * out_width);
        for (((grad, values), winners), rows) in windows.zip(&mut rows) {
            let (top, bottom) = rows.split_at_mut(out_width);
            spread((grad, values, winners), top, bottom);
        }
        rows.into_remainder().fill(T::ZERO);
    }
}

/// A row of windows' gradients to two rows of outputs: each to its winner, zeros to the others.
#[inline(always)]
fn spread<T: Real>((grad, values, winners): (&[T], &[T], &[u8]), top: &mut [T], bottom: &mut [T]) {
    in_blocks!(grad.len(), (at, N) => {
        let (grad, values, winners) = (&grad[at..][..N], &values[at..][..N], &winners[at..][..N]);
        let (top, bottom) = (&mut top[2 * at..][..2 * N], &mut bottom[2 * at..][..2 * N]);
        for i in 0..N {
            let passed = if values[i] > T::ZERO { grad[i] } else { T::ZERO };
            let given = |winner: u8| if winners[i] == winner { passed } else { T::ZERO };
            (top[2 * i], top[2 * i + 1]) = (given(0), given(1));
            (bottom[2 * i], bottom[2 * i + 1]) = (given(2), given(3));
        }
    });
    // A column left over.
    top[2 * grad.len()..].fill(T::ZERO);
    bottom[2 * grad.len()..].fill(T::ZERO);
}
