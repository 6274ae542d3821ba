//! A trained model as an adversary knows it.

use candle_core::Tensor;

use super::{Changes, Stream, Target};
use crate::error::Result;
use crate::model::network::Network;
use crate::random::At;
use crate::split::SplitModel;

/// The adversary's own draws are none of those that a client is asked with: it knows all but these.
const APART: usize = 1 << 32;

/// A trained model, naively or with its defence. In both forms the weights are those of the client and the server at work.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The model.
    pub model: &'a SplitModel,
    /// The server's layers as they would be without a defence: of several streams those of the one that sees z as it is.
    pub plain: &'a Network,
    /// What the adversary moves.
    pub changes: Changes,
    /// Whether it goes through the defence.
    pub adaptive: bool,
    /// The number of each sample.
    pub samples: &'a [usize],
    /// Over how many draws of the defence it takes the expectation; 1 where nothing is drawn.
    pub draws: usize,
}

impl Target for View<'_> {
    fn streams(&self, input: &Tensor, draw: usize) -> Result<Vec<Stream>> {
        let at = At::Ask { samples: self.samples, draw: APART + draw };
        let streams = match (self.adaptive, self.changes) {
            (true, Changes::Image) => self.model.open(input, at)?,
            (true, Changes::Smashed) => self.model.open_wire(input)?,
            (false, Changes::Image) => {
                let entered = (self.model.plan.entry().enter)(input, None)?;
                vec![(1.0, self.plain.forward(&self.model.client.body().forward(&entered)?)?)]
            }
            (false, Changes::Smashed) => vec![(1.0, self.plain.forward(input)?)],
        };
        Ok(streams.into_iter().map(|(vote, logits)| Stream { vote, logits }).collect())
    }

    fn draws(&self) -> usize {
        if self.adaptive && self.changes == Changes::Image { self.draws } else { 1 }
    }
}
