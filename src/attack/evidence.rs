//! What an attacker saw: what crossed the wire, as far as the attack's kind declares to see it.

use std::sync::Arc;

use candle_core::Tensor;

use super::threat_model::Sees;
use crate::error::{Error, Result};
use crate::model::wire::Smashed;

/// What an attack is made from, of N samples.
///
/// The gradient at the cut is no part of it: nobody trains on an attack's targets, so none ever comes down for them. What
/// crosses in training, an attack that is at work there [hears](super::Heard). Gradients by weights are: they are those of
/// a step that would be taken on the targets, and stand for the declared case that clients share theirs.
#[derive(Clone, Debug)]
pub struct Evidence {
    samples: usize,
    smashed: Option<Smashed>,
    labels: Option<Tensor>,
    client: Option<WeightGradients>,
    server: Option<WeightGradients>,
}

/// Gradients of the mean loss by a party's weights, each over a batch of neighbouring samples.
#[derive(Clone, Debug, Default)]
pub struct WeightGradients {
    /// Samples in a batch; the last may have fewer.
    pub batch: usize,
    /// Of every batch, one tensor for each weight and bias, in the layers' order
    /// ([`Network::weights`](crate::model::network::Network::weights)).
    pub each: Vec<Vec<Tensor>>,
    /// What a sample of each class counts in the loss, where not all count alike.
    pub class_weights: Option<Arc<[f64]>>,
}

impl WeightGradients {
    /// The setting of an attack that says how many samples a gradient is of; 1 where it has none.
    pub const BATCH: &str = "batch";

    /// Where the samples of batch `i` begin and how many they are, of so many in all.
    pub fn place(&self, i: usize, samples: usize) -> (usize, usize) {
        let from = (i * self.batch).min(samples);
        (from, self.batch.min(samples - from))
    }
}

impl Evidence {
    /// Of smashed data alone.
    ///
    /// # Errors
    /// Returns an error if they are a scalar, which they never are.
    pub fn new(smashed: Smashed) -> Result<Self> {
        let samples = smashed.samples()?;
        Ok(Self { samples, smashed: Some(smashed), labels: None, client: None, server: None })
    }

    /// Of gradients alone, of so many samples: the client's and the server's.
    pub fn of_gradients(samples: usize, client: WeightGradients, server: WeightGradients) -> Self {
        Self { samples, smashed: None, labels: None, client: Some(client), server: Some(server) }
    }

    /// The same with the samples' classes (N), u32, which go up with the smashed data where the server computes the loss.
    #[must_use]
    pub fn with_labels(self, labels: Tensor) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// The same with the gradients by the client's weights and by the server's, of training on the samples.
    #[must_use]
    pub fn with_gradients(self, client: WeightGradients, server: WeightGradients) -> Self {
        Self { client: Some(client), server: Some(server), ..self }
    }

    /// What of it an attack gets that declares to see this; nothing else reaches it.
    #[must_use]
    pub fn masked(self, declared: &[Sees]) -> Self {
        let sees = |what| declared.contains(&what);
        Self {
            samples: self.samples,
            smashed: self.smashed.filter(|_| sees(Sees::Smashed)),
            labels: self.labels.filter(|_| sees(Sees::Labels)),
            client: self.client.filter(|_| sees(Sees::ClientGradient)),
            server: self.server.filter(|_| sees(Sees::ServerGradient)),
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

    /// The gradients by the client's weights.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see them.
    pub fn client_gradients(&self) -> Result<&WeightGradients> {
        self.client.as_ref().ok_or_else(|| undeclared("the client's weight gradients", "Sees::ClientGradient"))
    }

    /// The gradients by the server's weights.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see them.
    pub fn server_gradients(&self) -> Result<&WeightGradients> {
        self.server.as_ref().ok_or_else(|| undeclared("the server's weight gradients", "Sees::ServerGradient"))
    }
}

/// What an attack is told that uses more than it declares.
pub(super) fn undeclared(what: &str, declaration: &str) -> Error {
    Error::Internal(format!("the attack uses {what} and does not declare {declaration}"))
}
