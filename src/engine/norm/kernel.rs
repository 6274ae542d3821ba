//! The loops: mean and variance of a set, and what is done with them, set by set.
//!
//! A plane is one channel of one sample. Sums run in blocks of a few hundred values, several at a time, and
//! blocks are added in double precision.

use candle_core::Result;
use rayon::prelude::*;

use crate::engine::fresh::{Fresh, Piece};
use crate::engine::simd::widest;
use crate::engine::{PIECE, Real};

/// Mean and biased variance of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    pub mean: f64,
    pub variance: f64,
}

/// The sizes of a batch, and which planes share mean and variance.
#[derive(Clone, Copy, Debug)]
pub struct Sets {
    pub samples: usize,
    pub channels: usize,
    /// Values of a plane.
    pub positions: usize,
    /// Groups of channels of one sample; none for a channel over the whole batch.
    pub groups: Option<usize>,
}

/// How to go back.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Through a relu first.
    pub relu: bool,
    /// Through the values' own mean and variance too.
    pub own: bool,
    /// To γ and β too.
    pub wanted: bool,
}

/// One set's planes, in the order of the batch.
type Planes<'a, T> = Vec<&'a [T]>;

impl Moments {
    /// Each plane's moments in two passes, which its size keeps in the cache, joined as Chan et al. 1979 do.
    fn of<T: Real>(planes: &[&[T]]) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for (i, plane) in planes.iter().enumerate() {
            touch(planes.get(i + 1));
            let size = plane.len() as f64;
            let own = sums(plane, plane, |v, _| [v, T::ZERO])[0] / size;
            let pivot = T::from_f64(own);
            let spread = |v: T| (v - pivot) * (v - pivot);
            let own_squares = sums(plane, plane, |v, _| [spread(v), T::ZERO])[0];
            let (gap, both) = (own - mean, count + size);
            mean += gap * size / both;
            squares += own_squares + gap * gap * count * size / both;
            count = both;
        }
        Self { mean, variance: squares / count }
    }

    /// 1/√(variance + ε).
    fn inverse(self) -> f64 {
        1.0 / (self.variance + super::EPSILON).sqrt()
    }
}

/// Fetches the plane that comes next into the cache. Planes of a channel lie a sample apart, and the processor looks ahead
/// by itself only in memory that is read on and on.
fn touch<T: Real>(plane: Option<&&[T]>) {
    /// Numbers of a cache line.
    const LINE: usize = 16;
    let mut sum = T::ZERO;
    for v in plane.into_iter().flat_map(|plane| plane.iter().step_by(LINE)) {
        sum += *v;
    }
    std::hint::black_box(sum);
}

/// Σ f(a, b) of two numbers at once.
fn sums<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> [T; 2]) -> [f64; 2] {
    // Compiled for the processor's widest vectors, as are the other loops below.
    widest(
        #[inline(always)]
        || sums_here(a, b, &f),
    )
}

#[inline(always)]
fn sums_here<T: Real>(a: &[T], b: &[T], f: &impl Fn(T, T) -> [T; 2]) -> [f64; 2] {
    const LANES: usize = 16;
    const BLOCK: usize = 32 * LANES;
    let mut total = [0.0; 2];
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut lanes = [[T::ZERO; LANES]; 2];
        let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let (rest_a, rest_b) = (whole_a.remainder(), whole_b.remainder());
        for (a, b) in whole_a.zip(whole_b) {
            for i in 0..LANES {
                let [first, second] = f(a[i], b[i]);
                lanes[0][i] += first;
                lanes[1][i] += second;
            }
        }
        for (&a, &b) in rest_a.iter().zip(rest_b) {
            let [first, second] = f(a, b);
            lanes[0][0] += first;
            lanes[1][0] += second;
        }
        for (total, lanes) in total.iter_mut().zip(lanes) {
            *total += lanes.iter().map(|v| v.to_f64()).sum::<f64>();
        }
    }
    total
}

/// (x − mean)·scale + shift, the numbers of one plane.
#[derive(Clone, Copy)]
struct Line<T> {
    mean: T,
    scale: T,
    shift: T,
}

impl<T: Real> Line<T> {
    #[inline(always)]
    fn at(self, x: T) -> T {
        (x - self.mean) * self.scale + self.shift
    }
}

impl Sets {
    /// The sets of a batch (N, C, …).
    ///
    /// # Errors
    /// Where it has no channels or is empty, or the groups do not divide the channels.
    pub fn new(shape: &[usize], groups: Option<usize>) -> Result<Self> {
        let &[samples, channels, ref places @ ..] = shape else {
            candle_core::bail!("a normalisation wants samples × channels × positions, found {shape:?}");
        };
        let positions = places.iter().product();
        if samples * channels * positions == 0 {
            candle_core::bail!("a normalisation met an empty batch {shape:?}");
        }
        if let Some(groups) = groups
            && (groups == 0 || !channels.is_multiple_of(groups))
        {
            candle_core::bail!("{groups} groups do not divide {channels} channels");
        }
        Ok(Self { samples, channels, positions, groups })
    }

    /// Number of sets.
    pub fn count(self) -> usize {
        self.groups.map_or(self.channels, |groups| self.samples * groups)
    }

    /// Values of a set.
    pub fn size(self) -> usize {
        self.samples * self.channels * self.positions / self.count()
    }

    /// The channel of a set's `i`-th plane.
    fn channel(self, set: usize, i: usize) -> usize {
        self.groups.map_or(set, |groups| set % groups * (self.channels / groups) + i)
    }

    /// Hands the planes of a batch out to their sets.
    fn dealt<P>(self, planes: impl Iterator<Item = P>) -> Vec<Vec<P>> {
        let each = self.samples * self.channels / self.count();
        let mut sets: Vec<Vec<P>> = (0..self.count()).map(|_| Vec::with_capacity(each)).collect();
        for (i, plane) in planes.enumerate() {
            let set = if self.groups.is_some() { i / each } else { i % self.channels };
            sets[set].push(plane);
        }
        sets
    }

    fn sets_at_once(self) -> usize {
        (PIECE / self.size()).max(1)
    }

    /// The line of a channel; `affine` is γ, then β.
    fn line<T: Real>(self, moments: Moments, affine: &[T], channel: usize) -> Line<T> {
        let scale = affine[channel].to_f64() * moments.inverse();
        Line { mean: T::from_f64(moments.mean), scale: T::from_f64(scale), shift: affine[self.channels + channel] }
    }

    /// y and the moments in use: the fixed ones, or the values' own.
    pub fn forward<T: Real>(
        self,
        x: &[T],
        affine: &[T],
        skip: Option<&[T]>,
        relu: bool,
        fixed: Option<&[Moments]>,
    ) -> (Vec<T>, Vec<Moments>) {
        let mut y = Fresh::new(x.len());
        let xs: Vec<Planes<'_, T>> = self.dealt(x.chunks_exact(self.positions));
        let skips = skip.map(|skip| self.dealt(skip.chunks_exact(self.positions)));
        let ys = self.dealt(y.dealt(self.positions));
        let jobs = ys.into_par_iter().zip(&xs).enumerate().with_min_len(self.sets_at_once());
        let moments = jobs.map(|(set, (ys, xs))| {
            let moments = fixed.map_or_else(|| Moments::of(xs), |fixed| fixed[set]);
            for (i, (y, x)) in ys.into_iter().zip(xs).enumerate() {
                let line = self.line(moments, affine, self.channel(set, i));
                write(y.open(), x, skips.as_ref().map(|skips| skips[set][i]), line, relu);
            }
            moments
        });
        let moments = moments.collect();
        (y.finish(), moments)
    }

    /// Gradients by x and by affine (which is empty unless wanted).
    pub fn backward<T: Real>(
        self,
        x: &[T],
        affine: &[T],
        grad: &[T],
        moments: &[Moments],
        way: Way,
    ) -> (Vec<T>, Vec<T>) {
        let mut dx = Fresh::new(x.len());
        let xs: Vec<Planes<'_, T>> = self.dealt(x.chunks_exact(self.positions));
        let grads = self.dealt(grad.chunks_exact(self.positions));
        let dxs = self.dealt(dx.dealt(self.positions));
        let jobs = dxs.into_par_iter().zip(xs.into_par_iter().zip(grads)).enumerate();
        let jobs = jobs.with_min_len(self.sets_at_once());
        let sums: Vec<Vec<[f64; 2]>> = jobs
            .map(|(set, (dx, (x, grad)))| {
                let lines: Vec<Line<T>> =
                    (0..x.len()).map(|i| self.line(moments[set], affine, self.channel(set, i))).collect();
                self.set_backward(dx, (&x, &grad), moments[set], &lines, way)
            })
            .collect();
        (dx.finish(), if way.wanted { self.affine_gradient(&sums) } else { Vec::new() })
    }

    /// One set's input gradient, and of each plane Σg and Σgx̂.
    fn set_backward<T: Real>(
        self,
        dx: Vec<Piece<'_, T>>,
        (x, grad): (&[&[T]], &[&[T]]),
        moments: Moments,
        lines: &[Line<T>],
        way: Way,
    ) -> Vec<[f64; 2]> {
        let inverse = moments.inverse();
        let of_plane = |i: usize| {
            let line = lines[i];
            touch(x.get(i + 1));
            touch(grad.get(i + 1));
            let [sum, product] = sums(x[i], grad[i], |x, g| {
                let g = passed(x, g, line, way.relu);
                [g, g * (x - line.mean)]
            });
            [sum, product * inverse]
        };
        let own: Vec<[f64; 2]> = if way.own || way.wanted { (0..x.len()).map(of_plane).collect() } else { Vec::new() };
        // Σγg/M and Σγgx̂/M, each over √(variance + ε); the scale of a line is γ over that root.
        let share = |which: usize| {
            let sum: f64 = own.iter().zip(lines).map(|(sums, line)| line.scale.to_f64() * sums[which]).sum();
            if way.own { sum / self.size() as f64 } else { 0.0 }
        };
        let (constant, slope) = (T::from_f64(share(0)), T::from_f64(share(1) * inverse));
        for (dx, ((x, grad), line)) in dx.into_iter().map(Piece::open).zip(x.iter().zip(grad).zip(lines)) {
            widest(
                #[inline(always)]
                || {
                    for ((dx, &x), &g) in dx.iter_mut().zip(*x).zip(*grad) {
                        *dx = line.scale * passed(x, g, *line, way.relu) - constant - slope * (x - line.mean);
                    }
                },
            );
        }
        own
    }

    /// Sums over the planes of each channel, in their order: γ's, then β's.
    fn affine_gradient<T: Real>(self, sums: &[Vec<[f64; 2]>]) -> Vec<T> {
        let mut total = vec![0.0; 2 * self.channels];
        for (set, planes) in sums.iter().enumerate() {
            for (i, [sum, product]) in planes.iter().enumerate() {
                let channel = self.channel(set, i);
                total[channel] += product;
                total[self.channels + channel] += sum;
            }
        }
        total.into_iter().map(T::from_f64).collect()
    }
}

/// One plane of y.
fn write<T: Real>(y: &mut [T], x: &[T], skip: Option<&[T]>, line: Line<T>, relu: bool) {
    widest(
        #[inline(always)]
        || write_here(y, x, skip, line, relu),
    );
}

#[inline(always)]
fn write_here<T: Real>(y: &mut [T], x: &[T], skip: Option<&[T]>, line: Line<T>, relu: bool) {
    // `v < 0` and not `v > 0` on the other side, so that NaN passes through and is noticed.
    let clip = |v: T| if relu && v < T::ZERO { T::ZERO } else { v };
    // Loops and no `for_each`: a closure handed to the standard library would be compiled for any processor.
    match skip {
        None => {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = clip(line.at(x));
            }
        }
        Some(skip) => {
            for ((y, &x), &skip) in y.iter_mut().zip(x).zip(skip) {
                *y = clip(line.at(x) + skip);
            }
        }
    }
}

/// The gradient behind a relu, whose argument is cheaper to compute again than to read.
#[inline(always)]
fn passed<T: Real>(x: T, grad: T, line: Line<T>, relu: bool) -> T {
    if !relu || line.at(x) > T::ZERO { grad } else { T::ZERO }
}
