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
pub enum Optimiser {
    /// Adam.
    Adam(Adam),
    /// Stochastic gradient descent.
    Sgd(Sgd),
}

impl Optimiser {
    /// An optimiser of all `parameters` (float32) but running statistics.
    pub fn new(parameters: &Parameters, settings: OptimiserSettings) -> Self {
        match settings {
            OptimiserSettings::Adam(settings) => Self::Adam(Adam::new(parameters, settings)),
            OptimiserSettings::Sgd(settings) => Self::Sgd(Sgd::new(parameters, settings)),
        }
    }

    /// One step with these gradients. Parameters that have none are left alone.
    ///
    /// # Errors
    /// Where a gradient does not fit its parameter.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        match self {
            Self::Adam(adam) => adam.step(gradients),
            Self::Sgd(sgd) => sgd.step(gradients),
        }
    }

    /// What a checkpoint keeps of it.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        match self {
            Self::Adam(adam) => adam.state(),
            Self::Sgd(sgd) => sgd.state(),
        }
    }

    /// Takes back what [`Optimiser::state`] gave.
    ///
    /// # Errors
    /// Names the entry that is missing or does not fit.
    pub fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        match self {
            Self::Adam(adam) => adam.load(state),
            Self::Sgd(sgd) => sgd.load(state),
        }
    }
}
