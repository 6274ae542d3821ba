//! Which values of a file are black and white, and the picture that they make.

use super::frames::{Colours, Function, Header, Window};
use crate::data::pictures::Picture;

/// What makes levels of values, in rescaled units, for all files of a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Black and white as they are wanted, whatever the files say.
    pub given: Option<[f64; 2]>,
    /// Black and white of files that have no window: the least and the largest value of theirs.
    pub found: [f64; 2],
    /// The level that is white: of a byte, or of 16 bits where some file has more than eight.
    pub white: u16,
}

/// The least and the largest value of a frame, rescaled.
pub fn extremes(stored: &[i32], header: &Header) -> Option<[f64; 2]> {
    let (least, largest) = (rescaled(*stored.iter().min()?, header), rescaled(*stored.iter().max()?, header));
    Some([least.min(largest), least.max(largest)])
}

fn rescaled(stored: i32, header: &Header) -> f64 {
    let [slope, intercept] = header.rescale;
    f64::from(stored) * slope + intercept
}

impl Levels {
    /// The picture of a frame.
    pub fn picture(&self, stored: &[i32], header: &Header) -> Picture {
        let level = |stored: &i32| {
            let level = self.level(*stored, header).clamp(0.0, 1.0);
            let level = if header.colours == Colours::WhiteFirst { 1.0 - level } else { level };
            (level * f64::from(self.white)).round() as u16
        };
        Picture { shape: header.shape(), pixels: stored.iter().map(level).collect(), white: self.white }
    }

    /// 0 for black, 1 for white; it may be beyond.
    fn level(&self, stored: i32, header: &Header) -> f64 {
        let value = rescaled(stored, header);
        match (self.given, header.window) {
            (Some(range), _) => within(value, range),
            (None, _) if header.colours == Colours::Rgb => f64::from(stored) / f64::from((1 << header.bits) - 1),
            (None, Some(window)) => window.level(value),
            (None, None) => within(value, self.found),
        }
    }
}

fn within(value: f64, [black, white]: [f64; 2]) -> f64 {
    // Where all values are the same, all are black.
    if white > black { (value - black) / (white - black) } else { 0.0 }
}

impl Window {
    /// 0 for black, 1 for white; it may be beyond.
    fn level(&self, value: f64) -> f64 {
        let Self { centre, width, function } = *self;
        match function {
            // The standard's own halves: of a window as wide as there are values, the ends are black and white.
            Function::Linear if width > 1.0 => (value - (centre - 0.5)) / (width - 1.0) + 0.5,
            Function::Linear => f64::from(value > centre - 0.5),
            Function::Exact => (value - centre) / width + 0.5,
            Function::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }

    /// The values that are black and white.
    pub fn ends(&self) -> [f64; 2] {
        let half = if self.function == Function::Linear { 0.5 } else { 0.0 };
        let reach = self.width / 2.0 - half;
        [self.centre - half - reach, self.centre - half + reach]
    }
}
