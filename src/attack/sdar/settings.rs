//! How long and how fast it learns.

use crate::attack::kind::Values;
use crate::error::Result;

/// How long and how fast it learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Iterations in all.
    pub iterations: usize,
    /// Adam's rate of the simulator; its discriminator's is this times `lambda1`.
    pub rate: f64,
    /// Adam's rate of the decoder; its discriminator's is this times `lambda2`.
    pub decoder_rate: f64,
    /// λ₁: what the smashed data's discriminator counts.
    pub lambda1: f64,
    /// λ₂: what the images' discriminator counts; 0 does without.
    pub lambda2: f64,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        Ok(Self {
            iterations: values.whole("iterations")?,
            rate: values.real("rate")?,
            decoder_rate: values.real("decoder_rate")?,
            lambda1: values.real("lambda1")?,
            lambda2: values.real("lambda2")?,
        })
    }
}
