//! PSGL on the server: three streams behind the recovery (METHOD §2.4–2.7).

use candle_core::Tensor;

use super::fusion::{DecisionWeights, conv_sum, decide};
use super::recovery::back::recovered;
use super::{Answering, Options, WeightsFrom};
use crate::engine::tape::sum;
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::seat::Answer;
use crate::model::server::{Body, ServerPlan};

/// The three streams. Each learns from its own loss, and only the fused stream's gradient goes back, the path through L
/// included, which counts as the identity.
#[derive(Clone, Debug)]
pub struct Streams {
    options: Options,
    weights: DecisionWeights,
    attacked: Network,
    recovered: Network,
    fused: Network,
    /// Weight and bias of the convolution that fuses; none where it is left out.
    fuse: Option<(Tensor, Tensor)>,
}

impl Streams {
    /// Streams with fresh weights, each of the server's layers.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit each other.
    pub fn new(server: &ServerPlan<'_>, options: Options, parameters: &mut Parameters, init: Init<'_>) -> Result<Self> {
        let channels = server.smashed[0];
        for stream in ["attacked", "recovered", "fused"] {
            Network::init(&format!("server.{stream}"), server.smashed, server.layers, parameters, init)?;
        }
        let fuses = options.server != Answering::Unfused;
        if fuses {
            parameters.add("server.fuse", &[channels, 2 * channels, 3, 3], 2 * channels * 9, init)?;
        }
        let stream = |name: &str| Network::of(&format!("server.{name}"), server.layers, parameters);
        let fuse = |part: &str| Ok::<_, Error>(parameters.get(&format!("server.fuse.{part}"))?.as_tensor().clone());
        Ok(Self {
            options,
            weights: options.weights,
            attacked: stream("attacked")?,
            recovered: stream("recovered")?,
            fused: stream("fused")?,
            fuse: if fuses { Some((fuse("weight")?, fuse("bias")?)) } else { None },
        })
    }

    /// L and S of smashed data, both shaped as z.
    fn recover(&self, z: &Tensor) -> Result<(Tensor, Tensor)> {
        if self.options.server == Answering::Unrecovered {
            return Ok((z.clone(), z.zeros_like()?));
        }
        let (_, channels, height, width) = z.dims4()?;
        let [low_rank, gradient_map] = self.options.recovery.split(z, channels, height * width)?;
        Ok((low_rank, gradient_map))
    }

    /// Logits of the fused stream on z and L.
    fn answer_fused(&self, z: &Tensor, low_rank: &Tensor) -> Result<Tensor> {
        match &self.fuse {
            Some((weight, bias)) => self.fused.forward(&conv_sum(z, low_rank, weight, bias, self.options.fuse_relu)?),
            None => self.fused.forward(z),
        }
    }
}

impl Body for Streams {
    fn answer(&self, z: &Tensor) -> Result<Answer> {
        // The streams a and r get z and L without their graphs, so nothing of theirs goes to the client.
        let plain = z.detach();
        let (low_rank, gradient_map) = self.recover(&plain)?;
        let straight_through = sum(z, &(&low_rank - &plain)?)?;
        let attacked = self.attacked.forward(&plain)?;
        let recovered = self.recovered.forward(&low_rank)?;
        let fused = self.answer_fused(z, &straight_through)?;
        let decision = decide(&attacked.detach(), &recovered.detach(), &fused.detach(), self.weights)?;
        Ok(Answer {
            streams: vec![("attacked", attacked), ("recovered", recovered), ("fused", fused)],
            scores: decision.scores,
            parts: vec![("low_rank", low_rank), ("gradient_map", gradient_map)],
            weights: Some(decision.weights),
        })
    }

    /// All three streams with their graphs; the recovery with a stand-in on its way back.
    fn open(&self, z: &Tensor) -> Result<Vec<(f64, Tensor)>> {
        let low_rank = match self.options.server {
            Answering::Unrecovered => z.clone(),
            _ => recovered(z, &self.options.recovery)?,
        };
        let DecisionWeights { attacked, recovered, fused: of_fused } = self.weights;
        Ok(vec![
            (attacked, self.attacked.forward(z)?),
            (recovered, self.recovered.forward(&low_rank)?),
            (of_fused, self.answer_fused(z, &low_rank)?),
        ])
    }

    fn frozen(&self) -> Box<dyn Body> {
        Box::new(Self {
            attacked: self.attacked.frozen(),
            recovered: self.recovered.frozen(),
            fused: self.fused.frozen(),
            fuse: self.fuse.as_ref().map(|(weight, bias)| (weight.detach(), bias.detach())),
            ..*self
        })
    }

    /// The fused stream.
    fn leading(&self) -> usize {
        2
    }

    /// In the paper's order: recovered, fused, attacked.
    fn votes(&self) -> Option<Vec<f64>> {
        Some(self.weights.in_order().to_vec())
    }

    fn set_votes(&mut self, votes: &[f64]) {
        if let Ok(votes) = <[f64; 3]>::try_from(votes) {
            self.weights = DecisionWeights::new(votes);
        }
    }

    /// Hands the votes' weights out in the order of the streams' accuracies, where that is asked for.
    fn end_epoch(&mut self, hits: &[f64]) {
        if let (Ok(hits), WeightsFrom::Streams) = (<[f64; 3]>::try_from(hits), self.options.weights_from) {
            self.weights = self.options.weights.in_order_of(hits);
        }
    }
}
