//! What a picture's numbers come to.

use crate::app::words::decimal;

/// Bars of a histogram.
pub const BINS: usize = 32;

/// Numbers in short: how far they reach, their mean, how they are spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// The least and the largest that is finite; both 0 where none is.
    pub range: [f32; 2],
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation: the root of the mean squared distance from the mean.
    pub deviation: f64,
    /// How many there are in each of equally wide parts of the range.
    pub bins: [usize; BINS],
    /// How many are no numbers, or infinite; they count for nothing else here.
    pub odd: usize,
}

impl Stats {
    /// Of these.
    pub fn of(values: &[f32]) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let count = finite().count();
        let least = finite().fold(f32::INFINITY, f32::min);
        let most = finite().fold(f32::NEG_INFINITY, f32::max);
        let mean = finite().map(f64::from).sum::<f64>() / count.max(1) as f64;
        let squares: f64 = finite().map(|value| (f64::from(value) - mean).powi(2)).sum();
        let mut bins = [0; BINS];
        for value in finite() {
            let share = (f64::from(value) - f64::from(least)) / (f64::from(most) - f64::from(least));
            // All alike lie in the first.
            let bin = if share.is_finite() { (share * BINS as f64) as usize } else { 0 };
            bins[bin.min(BINS - 1)] += 1;
        }
        let range = if count == 0 { [0.0; 2] } else { [least, most] };
        let deviation = (squares / count.max(1) as f64).sqrt();
        Self { range, mean, deviation, bins, odd: values.len() - count }
    }
}

/// A number with four digits that count: `0.0312`, `12.35`, `1.2e−5`.
pub fn number(value: f32) -> String {
    let size = value.abs();
    if size == 0.0 || !value.is_finite() {
        return decimal(f64::from(value), 0);
    }
    if !(1e-3..1e5).contains(&size) {
        return format!("{value:.2e}").replace('-', "\u{2212}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 4) as usize;
    decimal(f64::from(value), digits)
}

/// The same where there is room for four signs or five.
pub fn short(value: f32) -> String {
    let size = value.abs();
    if !value.is_finite() || size >= 1e4 {
        return if value.is_finite() { format!("{value:.0e}").replace('-', "\u{2212}") } else { number(value) };
    }
    let digits = if size < 9.995 { 2 } else { usize::from(size < 99.95) };
    decimal(f64::from(value), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_summed_up() {
        let stats = Stats::of(&[0.0, 1.0, 2.0, 5.0]);
        assert_eq!((stats.range, stats.mean, stats.odd), ([0.0, 5.0], 2.0, 0));
        assert!((stats.deviation - 3.5f64.sqrt()).abs() < 1e-9);
        // 1/5 of 32 is 6.4, 2/5 is 12.8; the largest is in the last.
        assert_eq!([stats.bins[0], stats.bins[6], stats.bins[12], stats.bins[31]], [1; 4]);
        assert_eq!(stats.bins.iter().sum::<usize>(), 4);
    }

    #[test]
    fn what_is_no_number_is_counted_and_nothing_else() {
        let stats = Stats::of(&[f32::NAN, 3.0, f32::INFINITY, 3.0]);
        assert_eq!((stats.range, stats.mean, stats.deviation, stats.odd), ([3.0; 2], 3.0, 0.0, 2));
        assert_eq!(stats.bins[0], 2);
        let none = Stats::of(&[f32::NAN]);
        assert_eq!((none.range, none.mean, none.odd), ([0.0; 2], 0.0, 1));
        assert_eq!(Stats::of(&[]).odd, 0);
    }

    #[test]
    fn numbers_are_written_with_the_digits_that_count() {
        let all = [0.0, 0.031_25, -0.5, 12.345_6, 1234.5, -0.000_012].map(number);
        assert_eq!(all, ["0", "0.0312", "\u{2212}0.5000", "12.35", "1234", "\u{2212}1.20e\u{2212}5"]);
        assert_eq!(number(f32::NAN), "\u{2013}");
        assert_eq!([0.0, -0.754, 12.34, 123.4, 12_345.0].map(short), ["0.00", "\u{2212}0.75", "12.3", "123", "1e4"]);
    }
}
