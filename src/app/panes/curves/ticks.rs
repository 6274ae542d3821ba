//! Where an axis has its numbers, and how they are written.

use crate::app::words::decimal;

/// Marks of an axis: round numbers, `most` or fewer. On a logarithmic axis bounds and marks are logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Whether it is logarithmic.
    pub log: bool,
    /// Whether it has no use for fractions: there is no half epoch.
    pub whole: bool,
    /// Whether its numbers are percent.
    pub percent: bool,
}

impl Axis {
    /// The marks in view.
    pub fn marks(self, (from, to): (f64, f64), most: f64) -> Vec<f64> {
        if !(from.is_finite() && to.is_finite() && to > from) {
            return Vec::new();
        }
        let most = most.max(2.0);
        if self.log {
            log_marks(from, to, most)
        } else {
            let step = round_step((to - from) / most);
            multiples(from, to, if self.whole { step.max(1.0) } else { step })
        }
    }

    /// A mark in words; `range` is what is in view.
    pub fn words(self, mark: f64, range: (f64, f64), most: f64) -> String {
        if self.log {
            return short(10_f64.powf(mark));
        }
        let step = round_step((range.1 - range.0) / most.max(2.0));
        let step = if self.whole { step.max(1.0) } else { step };
        let digits = (-(step + 1e-12).log10().floor()).clamp(0.0, 9.0) as usize;
        let text = decimal(mark, digits);
        if self.percent { format!("{text} %") } else { text }
    }
}

/// The next round step that is no less: 1, 2 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn multiples(from: f64, to: f64, step: f64) -> Vec<f64> {
    let slack = 1e-9 * step;
    let (first, last) = (((from - slack) / step).ceil() as i64, ((to + slack) / step).floor() as i64);
    (first..=last.min(first.saturating_add(1000))).map(|i| i as f64 * step).collect()
}

/// As many of each decade's round numbers as there is room for; within less than a decade any round numbers.
fn log_marks(from: f64, to: f64, most: f64) -> Vec<f64> {
    let decades: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    for factors in decades {
        let powers = (from.floor() as i32)..=(to.ceil() as i32);
        let all = powers.flat_map(|power| factors.iter().map(move |factor| f64::from(power) + factor.log10()));
        let marks: Vec<f64> = all.filter(|mark| (from - 1e-9..=to + 1e-9).contains(mark)).collect();
        if marks.len() < 2 && factors.len() == 3 {
            let (low, high) = (10_f64.powf(from), 10_f64.powf(to));
            let marks = multiples(low, high, round_step((high - low) / most.min(5.0)));
            return marks.into_iter().filter(|value| *value > 0.0).map(f64::log10).collect();
        }
        if marks.len() as f64 <= most {
            return marks;
        }
    }
    multiples(from, to, ((to - from) / most).ceil())
}

/// `0.05`, `120`, `1e-6`.
fn short(value: f64) -> String {
    if !(1e-4..1e6).contains(&value) {
        return format!("{value:.0e}");
    }
    let digits = (2.0 - value.log10().floor()).clamp(0.0, 7.0) as usize;
    let text = decimal(value, digits);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Axis = Axis { log: false, whole: false, percent: false };

    #[test]
    fn marks_are_few_and_round() {
        for to in [1.0, 2.0, 6.0, 10.0, 77.0, 4920.0] {
            let marks = Axis { whole: true, ..PLAIN }.marks((0.0, to), 8.0);
            assert!(marks.len() <= 9 && marks.len() >= 2, "{to}: {marks:?}");
            assert!(marks.iter().all(|mark| mark.fract() == 0.0), "{to}: {marks:?}");
        }
        assert_eq!(PLAIN.marks((0.0, 100.0), 5.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert!(PLAIN.marks((f64::NAN, 1.0), 5.0).is_empty() && PLAIN.marks((1.0, 1.0), 5.0).is_empty());
    }

    #[test]
    fn logarithmic_marks_are_round_numbers_of_the_scale() {
        let log = Axis { log: true, ..PLAIN };
        let words = |from: f64, to: f64, most| -> Vec<String> {
            let range = (from.log10(), to.log10());
            log.marks(range, most).into_iter().map(|mark| log.words(mark, range, most)).collect()
        };
        assert_eq!(words(0.05, 3.5, 8.0), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(words(0.05, 3.5, 4.0), ["0.1", "0.3", "1", "3"]);
        assert_eq!(words(0.031, 0.044, 5.0), ["0.035", "0.04"]);
        assert!(words(1e-9, 1e9, 6.0).len() <= 7);
    }

    #[test]
    fn numbers_have_the_digits_of_their_step() {
        assert_eq!(Axis { percent: true, ..PLAIN }.words(60.0, (0.0, 100.0), 5.0), "60 %");
        assert_eq!(PLAIN.words(0.25, (0.0, 0.4), 8.0), "0.25");
        assert_eq!(PLAIN.words(-20.0, (-40.0, 40.0), 4.0), "\u{2212}20");
    }
}
