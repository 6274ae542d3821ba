//! What trains a party: Adam or stochastic gradient descent.

use std::collections::BTreeMap;

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::adam::{Adam, AdamSettings};
use super::parameters::Parameters;
use super::sgd::{Sgd, SgdSettings};
use crate::error::Result;

/// Which optimiser, and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptimiserSettings {
    /// Adam.
    Adam(AdamSettings),
    /// Stochastic gradient descent.
    Sgd(SgdSettings),
}

/// An optimiser of one party.
#[derive(Debug)]
pub struct Optimiser {
    own: Own,
    /// The rate that its settings have.
    rate: f64,
}

#[derive(Debug)]
enum Own {
    Adam(Adam),
    Sgd(Sgd),
}

impl Optimiser {
    /// An optimiser of all `parameters` (float32) but running statistics.
    pub fn new(parameters: &Parameters, settings: OptimiserSettings) -> Self {
        let (own, rate) = match settings {
            OptimiserSettings::Adam(settings) => (Own::Adam(Adam::new(parameters, settings)), settings.rate),
            OptimiserSettings::Sgd(settings) => (Own::Sgd(Sgd::new(parameters, settings)), settings.rate),
        };
        Self { own, rate }
    }

    /// Takes steps of `factor` times its rate from now on.
    pub fn pace(&mut self, factor: f64) {
        let rate = self.rate * factor;
        match &mut self.own {
            Own::Adam(adam) => adam.settings.rate = rate,
            Own::Sgd(sgd) => sgd.settings.rate = rate,
        }
    }

    /// One step with these gradients. Parameters that have none are left alone.
    ///
    /// # Errors
    /// Where a gradient does not fit its parameter.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        match &mut self.own {
            Own::Adam(adam) => adam.step(gradients),
            Own::Sgd(sgd) => sgd.step(gradients),
        }
    }

    /// What a checkpoint keeps of it.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        match &self.own {
            Own::Adam(adam) => adam.state(),
            Own::Sgd(sgd) => sgd.state(),
        }
    }

    /// Takes back what [`Optimiser::state`] gave.
    ///
    /// # Errors
    /// Names the entry that is missing or does not fit.
    pub fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        match &mut self.own {
            Own::Adam(adam) => adam.load(state),
            Own::Sgd(sgd) => sgd.load(state),
        }
    }
}
