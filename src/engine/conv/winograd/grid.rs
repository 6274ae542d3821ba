//! Images cut into tiles, their channels side by side.

use crate::engine::simd::{Real, widest};
use crate::engine::taps::whole_vectors;

/// Outputs of a tile, up and across.
pub const TILE: usize = 4;
/// What a tile of inputs reaches beyond it.
const BORDER: usize = 2;

/// How images lie: sample, row, column, channel; zeros around them up to whole tiles.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Rows and columns of tiles of one sample.
    pub rows: usize,
    pub columns: usize,
    /// Channels in whole vectors.
    pub channels: usize,
    /// Zeros before the first row and column.
    lead: usize,
    border: usize,
}

impl Grid {
    /// The grid of the inputs of outputs of sides `out`.
    pub fn of_pixels(out: (usize, usize), lead: usize, channels: usize) -> Self {
        let (rows, columns) = (out.0.div_ceil(TILE), out.1.div_ceil(TILE));
        Self { rows, columns, channels: whole_vectors(channels), lead, border: BORDER }
    }

    /// The grid of such outputs themselves.
    pub fn of_outputs(out: (usize, usize), channels: usize) -> Self {
        Self { border: 0, ..Self::of_pixels(out, 0, channels) }
    }

    /// Numbers of a row of pixels.
    pub fn line(&self) -> usize {
        (TILE * self.columns + self.border) * self.channels
    }

    /// Numbers of so many samples.
    pub fn size(&self, samples: usize) -> usize {
        samples * (TILE * self.rows + self.border) * self.line()
    }

    /// How many samples have so many tiles.
    pub fn samples_for(&self, tiles: usize) -> usize {
        tiles.div_ceil(self.rows * self.columns)
    }

    /// How many rows have about so many tiles.
    pub fn rows_for(&self, tiles: usize) -> usize {
        (tiles / self.columns).max(1)
    }

    /// Sample, and row of tiles in it, of a row counted over all samples.
    pub fn place(&self, row: usize) -> (usize, usize) {
        (row / self.rows, row % self.rows)
    }

    /// Where the first pixel of a row of tiles is.
    pub fn start(&self, row: usize) -> usize {
        let (sample, row) = self.place(row);
        self.size(sample) + TILE * row * self.line()
    }

    /// Puts planes (`height` × `width`), at most [`PLANES`](super::PLANES) and from number `channel` on, into their place.
    /// The zeros around them are not touched.
    pub fn put<T: Real>(
        &self,
        planes: &[&[T]],
        (height, width): (usize, usize),
        (sample, channel): (usize, usize),
        to: &mut [T],
    ) {
        let first = self.size(sample) + self.lead * (self.line() + self.channels) + channel;
        // Compiled for the processor's widest vectors.
        widest(
            #[inline(always)]
            || {
                for y in 0..height {
                    let to = &mut to[first + y * self.line()..];
                    for (quad, planes) in planes.chunks(4).enumerate() {
                        let (start, end, to) = (y * width, (y + 1) * width, &mut to[4 * quad..]);
                        if let &[a, b, c, d] = planes {
                            let rows = [&a[start..end], &b[start..end], &c[start..end], &d[start..end]];
                            beside(rows, self.channels, to);
                            continue;
                        }
                        for (c, plane) in planes.iter().enumerate() {
                            for (x, &v) in plane[start..end].iter().enumerate() {
                                to[x * self.channels + c] = v;
                            }
                        }
                    }
                }
            },
        );
    }
}

/// Lays four rows side by side: number x of row c becomes `to[x·step + c]`.
#[inline(always)]
fn beside<T: Real>(rows: [&[T]; 4], step: usize, to: &mut [T]) {
    let width = rows[0].len();
    if width < 4 {
        for x in 0..width {
            for (to, row) in to[x * step..][..4].iter_mut().zip(rows) {
                *to = row[x];
            }
        }
        return;
    }
    for x in (0..width).step_by(4) {
        // The last block is moved back to end with the row.
        let x = x.min(width - 4);
        let block = turned([&rows[0][x..x + 4], &rows[1][x..x + 4], &rows[2][x..x + 4], &rows[3][x..x + 4]]);
        for (i, row) in block.iter().enumerate() {
            to[(x + i) * step..][..4].copy_from_slice(row);
        }
    }
}

/// A block of 4×4 with rows and columns exchanged; such blocks the compiler does in registers.
#[inline(always)]
fn turned<T: Real>(rows: [&[T]; 4]) -> [[T; 4]; 4] {
    let mut block = [[T::ZERO; 4]; 4];
    for c in 0..4 {
        let row = &rows[c][..4];
        for x in 0..4 {
            block[x][c] = row[x];
        }
    }
    block
}

/// The other way: from pixels with `channels` numbers each, a multiple of four of them, to a row of pixels for each channel.
pub fn by_channel<T: Real>(pixels: &[T], channels: usize, to: &mut [T]) {
    let count = pixels.len() / channels;
    // Compiled for the processor's widest vectors.
    widest(
        #[inline(always)]
        || {
            for x in (0..count).step_by(4) {
                let four = &pixels[x * channels..][..4 * channels];
                for c in (0..channels).step_by(4) {
                    let block = turned([
                        &four[c..c + 4],
                        &four[channels + c..][..4],
                        &four[2 * channels + c..][..4],
                        &four[3 * channels + c..][..4],
                    ]);
                    for (i, row) in block.iter().enumerate() {
                        to[(c + i) * count + x..][..4].copy_from_slice(row);
                    }
                }
            }
        },
    );
}
