//! How long and how fast it searches.

use crate::attack::kind::Values;
use crate::error::Result;

/// How long and how fast it searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How often image and clone take turns.
    pub rounds: usize,
    /// Steps of each turn.
    pub steps: usize,
    /// Adam's rate, with AMSGrad, of both.
    pub rate: f64,
    /// What total variation counts.
    pub tv: f64,
    /// What the mean square of the image counts.
    pub darkness: f64,
    /// Percent: see [`SETTLED`](crate::attack::kind::SETTLED).
    pub settled: f64,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        Ok(Self {
            rounds: values.whole("rounds")?,
            steps: values.whole("steps")?,
            rate: values.real("rate")?,
            tv: values.real("tv")?,
            darkness: values.real("darkness")?,
            settled: values.real("settled")?,
        })
    }
}
