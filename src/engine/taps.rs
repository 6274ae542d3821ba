//! The two inner loops of every convolution: a matrix times rows that may lie anywhere in a buffer.
//!
//! A convolution over an image whose rows carry their padding with them is, for each tap (c, ky, kx), one
//! shift of the same buffer: output position p reads `buffer[offset(c, ky, kx) + p]`. So the rows of the
//! unrolled matrix (im2col) need not be written down; the loops below read them where they are. That is
//! the indirect convolution of Dukhan (2019), for whole rows in place of single pixels.
//!
//! Both keep a tile of sums in registers, so that each number read is used several times. With 32 registers
//! (AVX-512, NEON) it is 8 × 3 vectors of outputs for [`Rows::accumulate`] and 4 × 6 for [`dot`], with 16
//! (AVX2) 4 × 3 for either: 12 sums, three vectors and one more are all there is room for. They run at the
//! rate of a large matrix product (`cargo bench --bench kernels`).

use pulp::{Arch, Simd, WithSimd};

use super::simd::Real;

/// Numbers that the kernels may read past the end of the last row: callers add as many zeros to a buffer.
pub const SLACK: usize = 64;

/// What `length` becomes when rounded up so that whole vectors can be stored, whatever their size.
pub fn whole_vectors(length: usize) -> usize {
    length.next_multiple_of(16)
}

/// A matrix (rows × taps), packed for [`Rows::accumulate`]: by panels of 8 rows (at the end 4, 2, 1), and in
/// a panel tap by tap.
#[derive(Debug)]
pub struct Panels<T> {
    values: Vec<T>,
    rows: usize,
    taps: usize,
}

/// One panel: its first row, how many it has, and its values.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a, T> {
    /// The first of its rows.
    pub first: usize,
    /// 8, 4, 2 or 1.
    pub rows: usize,
    values: &'a [T],
}

impl<T: Real> Panels<T> {
    /// Rows of a full panel, and of a group.
    pub const ROWS: usize = 8;

    /// Packs `at(row, tap)`.
    pub fn new(rows: usize, taps: usize, at: impl Fn(usize, usize) -> T) -> Self {
        let mut values = Vec::with_capacity(rows * taps);
        for (first, count) in splits(rows) {
            for tap in 0..taps {
                values.extend((first..first + count).map(|row| at(row, tap)));
            }
        }
        Self { values, rows, taps }
    }

    /// The panels of rows 8·`group` to 8·`group` + 7, as far as there are such rows.
    pub fn group(&self, group: usize) -> impl Iterator<Item = Panel<'_, T>> {
        let start = Self::ROWS * group;
        splits(self.rows.saturating_sub(start).min(Self::ROWS)).map(move |(first, rows)| {
            let first = start + first;
            Panel { first, rows, values: &self.values[first * self.taps..][..rows * self.taps] }
        })
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.rows.div_ceil(Self::ROWS)
    }
}

/// (first row, rows) of the panels that so many rows are cut into.
fn splits(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let count = [8, 4, 2, 1].into_iter().find(|count| *count <= rows - first)?;
        first += count;
        Some((first - count, count))
    })
}

/// Rows of a buffer: row t is `buffer[offsets[t]..]`, `length` long.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    /// Holds [`SLACK`] numbers more than the last row's end.
    pub buffer: &'a [T],
    /// Where each row begins.
    pub offsets: &'a [usize],
    /// Numbers in a row.
    pub length: usize,
}

impl<T: Real> Rows<'_, T> {
    /// out[r·step + p] = Σ_t panel(r, t) · row_t\[p\] for every row r of the panel; `step` is `length` in
    /// [`whole_vectors`], and what lies behind `length` in `out` is not meant to be read.
    pub fn accumulate(self, panel: Panel<'_, T>, out: &mut [T]) {
        Arch::new().dispatch(Accumulate { rows: self, panel, out });
    }
}

/// Whether a processor has the 32 vector registers of AVX-512 and NEON, and not AVX2's 16.
#[inline(always)]
fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

struct Accumulate<'a, T> {
    rows: Rows<'a, T>,
    panel: Panel<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Accumulate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.panel.rows {
            8 => self.panel::<S, 8>(simd),
            4 => self.panel::<S, 4>(simd),
            2 => self.panel::<S, 2>(simd),
            _ => self.panel::<S, 1>(simd),
        }
    }
}

impl<T: Real> Accumulate<'_, T> {
    #[inline(always)]
    fn panel<S: Simd, const R: usize>(mut self, simd: S) {
        let lanes = T::lanes::<S>();
        let vectors = self.rows.length.div_ceil(lanes);
        let mut at = 0;
        while vectors - at >= 3 && vectors - at != 4 {
            self.strip::<S, R, 3>(simd, at * lanes);
            at += 3;
        }
        while vectors - at >= 2 {
            self.strip::<S, R, 2>(simd, at * lanes);
            at += 2;
        }
        if vectors > at {
            self.strip::<S, R, 1>(simd, at * lanes);
        }
    }

    /// V vectors of all R rows, as many rows at once as the registers hold.
    #[inline(always)]
    fn strip<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, at: usize) {
        if many_registers::<S>() || R < 8 {
            self.tile::<S, R, R, V>(simd, 0, at);
        } else {
            self.tile::<S, R, 4, V>(simd, 0, at);
            self.tile::<S, R, 4, V>(simd, 4, at);
        }
    }

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "plain counted loops are what the compiler unrolls into registers")]
    fn tile<S: Simd, const P: usize, const R: usize, const V: usize>(&mut self, simd: S, first: usize, at: usize) {
        let lanes = T::lanes::<S>();
        let zero = T::splat(simd, T::ZERO);
        let mut sums = [[zero; V]; R];
        for (scalars, &offset) in self.panel.values.chunks_exact(P).zip(self.rows.offsets) {
            let scalars = &scalars[first..first + R];
            let row = &self.rows.buffer[offset + at..][..V * lanes];
            let mut x = [zero; V];
            for v in 0..V {
                x[v] = T::load::<S>(&row[v * lanes..]);
            }
            for r in 0..R {
                let scalar = T::splat(simd, scalars[r]);
                for v in 0..V {
                    sums[r][v] = T::mul_add(simd, scalar, x[v], sums[r][v]);
                }
            }
        }
        let step = whole_vectors(self.rows.length);
        for r in 0..R {
            let row = &mut self.out[(first + r) * step + at..][..V * lanes];
            for v in 0..V {
                T::store::<S>(&mut row[v * lanes..], sums[r][v]);
            }
        }
    }
}

/// out[r·T + t] += Σ_p lines_r\[p\] · row_t\[p\], with `count` lines of `step` numbers (at least the rows'
/// length in [`whole_vectors`], zero behind it) and T rows.
pub fn dot<T: Real>(lines: &[T], count: usize, step: usize, rows: Rows<'_, T>, out: &mut [T]) {
    Arch::new().dispatch(Dot { lines, count, step, rows, out });
}

struct Dot<'a, T> {
    lines: &'a [T],
    count: usize,
    step: usize,
    rows: Rows<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Dot<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let taps = self.rows.offsets.len();
        let mut tap = 0;
        if many_registers::<S>() {
            while taps - tap >= 6 {
                self.column::<S, 6>(simd, tap);
                tap += 6;
            }
        }
        while taps - tap >= 3 {
            self.column::<S, 3>(simd, tap);
            tap += 3;
        }
        while tap < taps {
            self.column::<S, 1>(simd, tap);
            tap += 1;
        }
    }
}

impl<T: Real> Dot<'_, T> {
    #[inline(always)]
    fn column<S: Simd, const C: usize>(&mut self, simd: S, tap: usize) {
        let mut line = 0;
        while line + 4 <= self.count {
            self.tile::<S, 4, C>(simd, line, tap);
            line += 4;
        }
        while line < self.count {
            self.tile::<S, 1, C>(simd, line, tap);
            line += 1;
        }
    }

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "plain counted loops are what the compiler unrolls into registers")]
    fn tile<S: Simd, const R: usize, const C: usize>(&mut self, simd: S, line: usize, tap: usize) {
        let lanes = T::lanes::<S>();
        let end = self.rows.length.next_multiple_of(lanes);
        let zero = T::splat(simd, T::ZERO);
        let mut sums = [[zero; C]; R];
        let (mut lines, mut rows) = ([&self.lines[..0]; R], [&self.lines[..0]; C]);
        for r in 0..R {
            lines[r] = &self.lines[(line + r) * self.step..][..end];
        }
        for c in 0..C {
            rows[c] = &self.rows.buffer[self.rows.offsets[tap + c]..][..end];
        }
        for p in (0..end).step_by(lanes) {
            // The smaller side is held, the other read one by one: registers are scarce.
            if C < R {
                let mut right = [zero; C];
                for c in 0..C {
                    right[c] = T::load::<S>(&rows[c][p..p + lanes]);
                }
                for r in 0..R {
                    let left = T::load::<S>(&lines[r][p..p + lanes]);
                    for c in 0..C {
                        sums[r][c] = T::mul_add(simd, left, right[c], sums[r][c]);
                    }
                }
                continue;
            }
            let mut left = [zero; R];
            for r in 0..R {
                left[r] = T::load::<S>(&lines[r][p..p + lanes]);
            }
            for c in 0..C {
                let right = T::load::<S>(&rows[c][p..p + lanes]);
                for r in 0..R {
                    sums[r][c] = T::mul_add(simd, left[r], right, sums[r][c]);
                }
            }
        }
        let taps = self.rows.offsets.len();
        for r in 0..R {
            for c in 0..C {
                self.out[(line + r) * taps + tap + c] += T::sum(simd, sums[r][c]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loops_are_the_plain_sums_for_every_size() {
        let value = |i: usize| ((i * 37 % 101) as f64 - 50.0) / 25.0;
        for (count, taps, length) in [(1, 1, 1), (3, 2, 5), (8, 7, 16), (15, 9, 49), (17, 20, 100)] {
            let offsets: Vec<usize> = (0..taps).map(|t| (t * 13) % 31).collect();
            let buffer: Vec<f64> = (0..31 + whole_vectors(length) + SLACK).map(value).collect();
            let rows = Rows { buffer: &buffer, offsets: &offsets, length };
            let panels = Panels::new(count, taps, |r, t| value(r * taps + t));
            let step = whole_vectors(length);
            for panel in (0..panels.groups()).flat_map(|group| panels.group(group)) {
                let mut out = vec![f64::NAN; panel.rows * step];
                rows.accumulate(panel, &mut out);
                for r in 0..panel.rows {
                    for p in 0..length {
                        let plain = |t: usize| value((panel.first + r) * taps + t) * buffer[offsets[t] + p];
                        let want: f64 = (0..taps).map(plain).sum();
                        assert!((out[r * step + p] - want).abs() < 1e-10, "{count} {taps} {length}");
                    }
                }
            }
            let mut lines = vec![0.0; count * step];
            for r in 0..count {
                for p in 0..length {
                    lines[r * step + p] = value(r * 7 + p);
                }
            }
            let mut out = vec![1.0; count * taps];
            dot(&lines, count, step, rows, &mut out);
            for r in 0..count {
                for t in 0..taps {
                    let want: f64 = (0..length).map(|p| value(r * 7 + p) * buffer[offsets[t] + p]).sum();
                    assert!((out[r * taps + t] - want - 1.0).abs() < 1e-10, "{count} {taps} {length}");
                }
            }
        }
    }
}
