//! How an adaptive attacker that does not know the client's weights imitates its defence: on a network of its own in the
//! client's place.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::{Knowledge, Learner};
use crate::defence::Outgoing;
use crate::error::Result;
use crate::model::network::Network;
use crate::model::parameters::Parameters;
use crate::random::At;
use crate::state::State;

/// What imitates a defence on a copy of a network of the attacker's own, as that was when it began.
pub struct StandIn {
    /// What the attacker knows, and its own network as if it were the client's.
    knowledge: Knowledge,
    weights: BTreeMap<String, Tensor>,
    learner: Learner,
}

impl StandIn {
    /// Begins to learn to imitate the defence; `network` makes the client's stand-in of these weights.
    ///
    /// # Errors
    /// Returns an error if the attacker lacks what it learns from.
    pub fn new(
        knowledge: &Knowledge,
        weights: BTreeMap<String, Tensor>,
        network: impl FnOnce(&Parameters) -> Result<Network>,
    ) -> Result<Self> {
        let client = network(&Parameters::of(weights.clone())?)?.frozen();
        let knowledge = Knowledge { client: Some(client), ..knowledge.clone() };
        Ok(Self { learner: Learner::new(&knowledge)?, knowledge, weights })
    }

    /// Whether there is still something to learn.
    pub fn busy(&self) -> bool {
        self.learner.busy()
    }

    /// A slice of learning.
    ///
    /// # Errors
    /// Returns an error if the attacker lacks what it learns from.
    pub fn advance(&mut self) -> Result<()> {
        self.learner.advance(&self.knowledge)
    }

    /// What would enter the client's first layer for these images under the defence, as far as it can tell;
    /// its randomness is that of `draw`.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn input(&self, x: &Tensor, samples: &[usize], draw: usize) -> Result<Tensor> {
        let (clean, at) = (Outgoing::clean(x), At::Ask { samples, draw });
        let sent = self.learner.imitator().map_or(Ok(clean.clone()), |imitator| imitator.image(clean.clone(), at))?;
        Ok(sent.input(self.knowledge.entry)?.detach())
    }

    /// What would cross for the output of a client's layers; its randomness is that of `draw`.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    pub fn up(&self, z: &Tensor, samples: &[usize], draw: usize) -> Result<Tensor> {
        let at = At::Ask { samples, draw };
        self.learner.imitator().map_or(Ok(z.clone()), |imitator| imitator.up(z.clone(), at))
    }

    /// Keeps all of it.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.put_all("weights.", self.weights.clone());
        self.learner.put_in(&mut state)?;
        Ok(state)
    }

    /// The same as [`Self::state`] kept it.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another attack.
    pub fn of_state(
        knowledge: &Knowledge,
        state: &State,
        network: impl FnOnce(&Parameters) -> Result<Network>,
    ) -> Result<Self> {
        let mut this = Self::new(knowledge, state.all("weights."), network)?;
        this.learner.load(state)?;
        Ok(this)
    }
}
