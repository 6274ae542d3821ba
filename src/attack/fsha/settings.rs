//! How long, how wide and how fast.

use crate::attack::kind::Values;
use crate::error::Result;

/// How long, how wide and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Steps at first in which the server stays honest.
    pub warm_up: usize,
    /// Channels after the pilot's first layer; all other widths go with it.
    pub width: usize,
    /// Adam's rate of pilot and decoder.
    pub rate: f64,
    /// Adam's rate of the critic.
    pub critic_rate: f64,
    /// What the gradient penalty counts in the critic's loss.
    pub penalty: f64,
    /// Whether the critic's scores are compared by their means (Wasserstein), or are logits.
    pub wasserstein: bool,
    /// How many times as large as usual the first gradient is that it sends down; 0 leaves it as it is.
    pub brake: f64,
    /// Whether the decoder ends in a hyperbolic tangent.
    pub tanh: bool,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        Ok(Self {
            warm_up: values.whole("warm_up")?,
            width: values.whole("width")?,
            rate: values.real("rate")?,
            critic_rate: values.real("critic_rate")?,
            penalty: values.real("penalty")?,
            wasserstein: values.switch("wasserstein")?,
            brake: values.real("brake")?,
            tanh: values.switch("tanh")?,
        })
    }
}
