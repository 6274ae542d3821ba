//! Axes of the report's drawings: ranges, round numbers beside them, and where a value stands.

use std::fmt::Write as _;

use super::html::escaped;

/// A plot's place in a drawing, in its units: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Left, top, right, bottom.
    pub edges: [f64; 4],
    /// Along x.
    pub x: Range,
    /// Along y, upwards.
    pub y: Range,
}

/// From where to where an axis goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Its least value.
    pub low: f64,
    /// Its largest.
    pub high: f64,
}

impl Range {
    /// Around these values with a little room, and of some length where all are alike; from 0 to 1 around none.
    pub fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low > high {
            return Self { low: 0.0, high: 1.0 };
        }
        let room = if high > low { 0.08 * (high - low) } else { (0.05 * high.abs()).max(0.5) };
        Self { low: low - room, high: high + room }
    }

    /// The same, and from zero on.
    pub fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        Self { low: 0.0, ..Self::around(values) }
    }

    /// Around values with their errors, but not around those that lie further below the largest than three times the first
    /// quartile does: one broken setting would push all others together. Of fewer than eight values none is left out.
    pub fn of_most(values: &[(f64, f64)]) -> Self {
        const FEW: usize = 8;
        let mut sorted: Vec<f64> = values.iter().map(|(mean, _)| *mean).filter(|mean| mean.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let largest = sorted.last().copied().unwrap_or_default();
        let quartile = sorted.get(sorted.len() / 4).copied().unwrap_or_default();
        let least = if sorted.len() < FEW { f64::NEG_INFINITY } else { largest - 3.0 * (largest - quartile) };
        let most = values.iter().filter(|(mean, _)| *mean >= least);
        Self::around(most.flat_map(|(mean, error)| [(mean - error).max(least), mean + error]))
    }

    /// Round numbers in it: a few.
    pub fn ticks(self) -> Vec<f64> {
        let span = self.high - self.low;
        let power = 10_f64.powf((span / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| span / step <= 6.0);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|n| n as f64 * step).collect()
    }

    /// Where a value is, from 0 to 1.
    fn share(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// A tick's number: with as many digits as its step has.
pub fn number(value: f64, ticks: &[f64]) -> String {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(1.0);
    // A difference of two ticks may be a hair too small.
    let digits = (-(step * 1.001).log10().floor()).max(0.0) as usize;
    // There is no minus nothing.
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    format!("{value:.digits$}")
}

impl Frame {
    /// Where a value of x stands; below the least, where that does.
    pub fn at_x(&self, x: f64) -> f64 {
        self.edges[0] + self.x.share(x.max(self.x.low)) * (self.edges[2] - self.edges[0])
    }

    /// Where a value of y stands.
    pub fn at_y(&self, y: f64) -> f64 {
        self.edges[3] - self.y.share(y) * (self.edges[3] - self.edges[1])
    }

    /// Grid, numbers and names of both axes. `marks` are the x that have a number, where these are not any round ones.
    pub fn axes(&self, x_name: &str, y_name: &str, marks: Option<&[f64]>) -> String {
        let [left, top, right, bottom] = self.edges;
        let mut svg = String::new();
        let x_ticks = marks.map_or_else(|| self.x.ticks(), <[f64]>::to_vec);
        for &tick in &x_ticks {
            let (at, words) = (self.at_x(tick), number(tick, &x_ticks));
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\"/>");
            let _ = writeln!(
                svg,
                "<text class=\"weak\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{words}</text>",
                bottom + 14.0
            );
        }
        let y_ticks = self.y.ticks();
        for &tick in &y_ticks {
            let (at, words) = (self.at_y(tick), number(tick, &y_ticks));
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>");
            let _ = writeln!(
                svg,
                "<text class=\"weak\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{words}</text>",
                left - 5.0,
                at + 4.0
            );
        }
        let middle = f64::midpoint(left, right);
        let _ = writeln!(svg, "<path class=\"axis\" d=\"M{left} {top}V{bottom}H{right}\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 30.0,
            escaped(x_name)
        );
        let _ = writeln!(svg, "<text x=\"{left}\" y=\"{:.1}\">{}</text>", top - 7.0, escaped(y_name));
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_round() {
        let told = |low, high| Range { low, high }.ticks();
        assert_eq!(told(0.0, 100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(told(93.2, 97.9), [94.0, 95.0, 96.0, 97.0]);
        for (low, high) in [(0.0, 1e-3), (-3.0, 8.0), (0.41, 0.47), (1e6, 5e6)] {
            let ticks = told(low, high);
            assert!((2..=7).contains(&ticks.len()) && ticks.iter().all(|x| (low..=high).contains(x)), "{ticks:?}");
        }
        let ticks = told(0.41, 0.47);
        assert_eq!(number(ticks[0], &ticks), "0.41");
        assert_eq!(number(-0.0, &[-1.0, 0.0]), "0");
    }

    #[test]
    fn a_straggler_does_not_push_the_others_together() {
        let mut values: Vec<_> = (0..8).map(|i| (90.0 + f64::from(i), 0.5)).collect();
        let whole = Range::of_most(&values);
        assert!(whole.low < 89.5 && whole.high > 97.5, "{whole:?}");
        values.push((40.0, 20.0));
        assert_eq!(Range::of_most(&values), whole);
        let few = Range::of_most(&values[6..]);
        assert!(few.low < 20.0, "three values are shown all: {few:?}");
    }

    #[test]
    fn a_range_holds_its_values_and_has_a_length() {
        for values in [&[][..], &[3.0], &[0.0, 0.0], &[1.0, 9.0], &[f64::NAN, 2.0]] {
            let range = Range::around(values.iter().copied());
            assert!(
                range.low < range.high && values.iter().all(|x| x.is_nan() || (range.low..=range.high).contains(x))
            );
        }
        let frame = Frame {
            edges: [10.0, 0.0, 110.0, 50.0],
            x: Range { low: 0.0, high: 10.0 },
            y: Range { low: 0.0, high: 5.0 },
        };
        assert_eq!((frame.at_x(5.0), frame.at_y(5.0), frame.at_y(0.0)), (60.0, 0.0, 50.0));
    }
}
