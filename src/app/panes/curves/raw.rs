//! The raw values of a figure: curves and lines, each with its name and its ink.

use super::ink::Ink;

/// A curve's values.
#[derive(Clone, Debug)]
pub struct Values {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub tip: &'static str,
    /// How it is drawn.
    pub ink: Ink,
    /// (x, y), x ascending; numbers only.
    pub points: Vec<[f64; 2]>,
    /// Where its values are estimates, their bands: (x, low, high) of each point.
    pub band: Vec<[f64; 3]>,
}

/// A line that stands still: a guess, a figure of the paper, a value beside the curves.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its value, with its unit.
    pub value: String,
    /// In the plot, where there is less room.
    pub note: String,
    /// What it is, in a sentence.
    pub tip: &'static str,
    /// Where it stands.
    pub at: f64,
    /// Whether it lies, or stands upright.
    pub level: bool,
    /// Whether what is below it is shaded: what costs an attacker nothing.
    pub floor: bool,
    /// How it is drawn.
    pub ink: Ink,
}

/// All of a figure.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// Curves.
    pub values: Vec<Values>,
    /// Lines.
    pub rules: Vec<Rule>,
    /// What x is.
    pub x_label: &'static str,
}

impl Raw {
    /// Without what cannot be drawn.
    pub fn without_empty(mut self) -> Self {
        for values in &mut self.values {
            values.points.retain(|[x, y]| x.is_finite() && y.is_finite());
        }
        self.values.retain(|values| !values.points.is_empty());
        self.rules.retain(|rule| rule.at.is_finite());
        self
    }
}
