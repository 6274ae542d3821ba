//! What an attacker saw: what crossed the wire, as far as the attack's kind declares to see it.

use candle_core::Tensor;

use super::kind::Kind;
use super::threat_model::Sees;
use crate::error::{Error, Result};
use crate::model::wire::Smashed;

/// What an attack is made from, of N samples.
///
/// The gradient at the cut is no part of it: nobody trains on an attack's targets, so none ever comes down for them. What
/// crosses in training, an attack that is at work there [hears](super::Heard).
#[derive(Clone, Debug)]
pub struct Evidence {
    samples: usize,
    smashed: Option<Smashed>,
    labels: Option<Tensor>,
}

impl Evidence {
    /// Of smashed data alone.
    ///
    /// # Errors
    /// Returns an error if they are a scalar, which they never are.
    pub fn new(smashed: Smashed) -> Result<Self> {
        Ok(Self { samples: smashed.samples()?, smashed: Some(smashed), labels: None })
    }

    /// The same with the samples' classes (N), u32, which go up with the smashed data where the server computes the loss.
    #[must_use]
    pub fn with_labels(self, labels: Tensor) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// What of it an attack of this kind declares to see; nothing else reaches it.
    #[must_use]
    pub fn masked(self, kind: &Kind) -> Self {
        let sees = |what| kind.sees.contains(&what);
        Self {
            samples: self.samples,
            smashed: self.smashed.filter(|_| sees(Sees::Smashed)),
            labels: self.labels.filter(|_| sees(Sees::Labels)),
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The smashed data (N, …).
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see them.
    pub fn smashed(&self) -> Result<&Smashed> {
        self.smashed.as_ref().ok_or_else(|| undeclared("the smashed data", "Sees::Smashed"))
    }

    /// The samples' classes (N), u32.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see them.
    pub fn labels(&self) -> Result<&Tensor> {
        self.labels.as_ref().ok_or_else(|| undeclared("the samples' labels", "Sees::Labels"))
    }
}

/// What an attack is told that uses more than it declares.
pub(super) fn undeclared(what: &str, declaration: &str) -> Error {
    Error::Internal(format!("the attack uses {what} and does not declare {declaration}"))
}
