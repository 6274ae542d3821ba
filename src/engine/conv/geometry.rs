//! The sizes of a convolution, and how images are laid out for its inner loops.

use candle_core::Result;

use crate::engine::simd::{Real, widest};
use crate::engine::taps::SLACK;

/// All sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub samples: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub out_height: usize,
    pub out_width: usize,
}

impl Geometry {
    pub fn new(
        (samples, channels, height, width): (usize, usize, usize, usize),
        (outputs, wanted, kernel, kernel_width): (usize, usize, usize, usize),
        stride: usize,
        padding: usize,
    ) -> Result<Self> {
        if channels != wanted || kernel != kernel_width {
            candle_core::bail!("a {outputs}×{wanted}×{kernel}×{kernel_width} convolution met {channels} channels");
        }
        if samples * channels * outputs * kernel * stride == 0 {
            candle_core::bail!("a convolution needs samples, channels, a kernel and a stride of at least 1");
        }
        let side = |n: usize| (n + 2 * padding).checked_sub(kernel).map(|room| room / stride + 1);
        let (Some(out_height), Some(out_width)) = (side(height), side(width)) else {
            candle_core::bail!("a {kernel}×{kernel} kernel with padding {padding} is larger than {height}×{width}");
        };
        Ok(Self { samples, channels, height, width, outputs, kernel, stride, padding, out_height, out_width })
    }

    /// Values of one input sample.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// C·K·K: weights of one output channel.
    pub fn window(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Positions of one output plane.
    pub fn positions(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Multiply-adds of one sample.
    pub fn work(&self) -> usize {
        self.outputs * self.window() * self.positions()
    }

    /// The layout of `samples` input images: output position p = (row · width + column) of tap (c, ky, kx) is
    /// at `offset(c, ky, kx) + p`.
    pub fn input_layout(&self, samples: usize) -> Layout {
        let (s, padding) = (self.stride, self.padding);
        let padded = |n: usize| (n + 2 * padding).div_ceil(s);
        // At stride 1 the zeros left of a row are also those right of the row above.
        let width = if s == 1 { (self.width + padding).max(self.out_width) } else { padded(self.width) };
        Layout { stride: s, phases: self.phases(), lead: padding, height: padded(self.height), width, samples }
    }

    /// Remainders of a coordinate by the stride that some tap meets: pixels of the others count for nothing.
    fn phases(&self) -> usize {
        self.stride.min(self.kernel)
    }

    /// Where each weight of one output channel finds its pixels, in the weights' order.
    pub fn taps(&self, layout: &Layout) -> Vec<usize> {
        let mut taps = Vec::with_capacity(self.window());
        for c in 0..self.channels {
            for ky in 0..self.kernel {
                for kx in 0..self.kernel {
                    let (s, at) = (self.stride, |k: usize| k / self.stride);
                    taps.push(layout.phase(c, ky % s, kx % s) + at(ky) * layout.width + at(kx));
                }
            }
        }
        taps
    }
}

/// Planes of images with zeros around them, one row after the other.
///
/// With a stride s each plane is split into *phases*, by the remainders of the padded coordinates: taps then
/// read neighbours where the image has pixels s apart. Order: channel, phase, sample, row, column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub stride: usize,
    /// How many remainders are kept, of rows and of columns.
    pub phases: usize,
    /// Zeros before the first row and column.
    pub lead: usize,
    /// Rows and columns of one phase of one sample.
    pub height: usize,
    pub width: usize,
    /// Samples side by side.
    pub samples: usize,
}

impl Layout {
    /// Numbers of one phase of one sample.
    pub fn cell(&self) -> usize {
        self.height * self.width
    }

    /// Where a phase of a channel begins.
    pub fn phase(&self, channel: usize, py: usize, px: usize) -> usize {
        ((channel * self.phases + py) * self.phases + px) * self.samples * self.cell()
    }

    /// A buffer for so many channels, of zeros; `reach` is the largest shift of a tap inside its phase.
    pub fn buffer<T: Real>(&self, channels: usize, reach: usize) -> Vec<T> {
        vec![T::ZERO; self.phase(channels, 0, 0) + reach + SLACK]
    }

    /// Writes one plane (`height` × `width`) into its places. The zeros around it are not touched.
    pub fn embed<T: Real>(
        &self,
        plane: &[T],
        (height, width): (usize, usize),
        (channel, sample): (usize, usize),
        to: &mut [T],
    ) {
        // Compiled for the processor's widest vectors.
        widest(
            #[inline(always)]
            || self.embed_here(plane, (height, width), (channel, sample), to),
        );
    }

    #[inline(always)]
    fn embed_here<T: Real>(
        &self,
        plane: &[T],
        (height, width): (usize, usize),
        (channel, sample): (usize, usize),
        to: &mut [T],
    ) {
        let s = self.stride;
        let columns = width.min((s * self.width).saturating_sub(self.lead));
        for y in 0..height.min((s * self.height).saturating_sub(self.lead)) {
            let (row, line) = (&plane[y * width..][..columns], y + self.lead);
            if line % s >= self.phases {
                continue;
            }
            let start = sample * self.cell() + line / s * self.width;
            if s == 1 {
                let at = self.phase(channel, 0, 0) + start + self.lead;
                to[at..at + columns].copy_from_slice(row);
                continue;
            }
            for remainder in 0..self.phases {
                let first = (remainder + s - self.lead % s) % s;
                let at = self.phase(channel, line % s, remainder) + start + (first + self.lead) / s;
                let row = row.get(first..).unwrap_or_default();
                if s == 2 {
                    // In pairs, which the compiler takes several at a time.
                    let pairs = row.chunks_exact(2);
                    if let Some(&last) = pairs.remainder().first() {
                        to[at + row.len() / 2] = last;
                    }
                    for (to, pair) in to[at..].iter_mut().zip(pairs) {
                        *to = pair[0];
                    }
                } else {
                    to[at..].iter_mut().zip(row.iter().step_by(s)).for_each(|(to, &v)| *to = v);
                }
            }
        }
    }
}

/// One phase of the input gradient: every s-th row and column of it, from a first one on.
#[derive(Clone, Debug)]
pub struct Phase {
    /// First row and how many.
    pub rows: (usize, usize),
    /// First column and how many.
    pub columns: (usize, usize),
    /// The weights that meet it: (output channel, ky, kx).
    pub weights: Vec<(usize, usize, usize)>,
    /// Where each of them finds its gradients.
    pub taps: Vec<usize>,
}

impl Geometry {
    /// The layout of the output's gradient for the input's gradient, and the phases of that.
    ///
    /// Input row y meets tap ky at output row (y + padding − ky) / s, where that is whole: the rows of one
    /// remainder of y + padding are a convolution of stride 1 with every s-th tap, flipped.
    pub fn gradient_layout(&self) -> (Layout, Vec<Phase>) {
        let (s, padding) = (self.stride, self.padding);
        // Of remainder r: q of the first row (row = q·s + r − padding), that row, and how many there are.
        let lines = |r: usize, n: usize| {
            let q = padding.saturating_sub(r).div_ceil(s);
            let first = q * s + r - padding;
            (q, first, n.saturating_sub(first).div_ceil(s))
        };
        let remainders = 0..self.phases();
        let first = remainders.clone().map(|r| lines(r, 1).0).min().unwrap_or(0);
        let lead = ((self.kernel - 1) / s).saturating_sub(first);
        let needed =
            |n: usize| remainders.clone().map(|r| lines(r, n)).map(|(q, _, count)| q + count).max().unwrap_or(0) + lead;
        let (height, mut width) = (needed(self.height), needed(self.width));
        // The zeros left of a row are also those right of the row above, where they are enough.
        let own = lead + self.out_width;
        if width > own && width - own <= lead {
            width = own;
        }
        let layout = Layout { stride: 1, phases: 1, lead, height: height.max(1), width: width.max(1), samples: 1 };
        let mut phases = Vec::new();
        for py in remainders.clone() {
            for px in remainders.clone() {
                let ((qy, y, rows), (qx, x, columns)) = (lines(py, self.height), lines(px, self.width));
                let mut phase = Phase { rows: (y, rows), columns: (x, columns), weights: Vec::new(), taps: Vec::new() };
                for o in 0..self.outputs {
                    for ky in (py..self.kernel).step_by(s) {
                        for kx in (px..self.kernel).step_by(s) {
                            let at = (lead + qy - ky / s) * layout.width + lead + qx - kx / s;
                            phase.weights.push((o, ky, kx));
                            phase.taps.push(layout.phase(o, 0, 0) + at);
                        }
                    }
                }
                phases.push(phase);
            }
        }
        (layout, phases)
    }
}
