//! From the document's fields to the forms that computations want.

use super::document::{Device, Experiment, Optimizer, TrainSpec};
use crate::attack::adversarial::table::Disguise;
use crate::defence::{Setup, Stack};
use crate::error::{Error, Result, without_backtrace};
use crate::model::adam::AdamSettings;
use crate::model::optimiser::OptimiserSettings;
use crate::model::sgd::SgdSettings;

impl TrainSpec {
    /// For the models.
    pub fn optimiser(&self) -> OptimiserSettings {
        let (rate, momentum) = (self.rate, self.momentum);
        match self.optimizer {
            Optimizer::Adam => OptimiserSettings::Adam(AdamSettings::new(rate)),
            Optimizer::Sgd => OptimiserSettings::Sgd(SgdSettings { rate, momentum }),
        }
    }
}

impl Experiment {
    /// The defences of the document with their settings, also those that are off.
    ///
    /// # Errors
    /// Returns an error if a value cannot be written.
    pub fn setups(&self) -> Result<Vec<Setup>> {
        let listed = self.defences.iter().map(|spec| spec.0.clone());
        Ok(std::iter::once(self.psgl.setup()?).chain(listed).collect())
    }

    /// The defences of the model, those without strength left out.
    ///
    /// # Errors
    /// Returns an error if they cannot stand in one stack.
    pub fn stack(&self) -> Result<Stack> {
        Stack::new(self.setups()?)
    }

    /// What the table's attacked and recovered rows are of.
    pub fn disguise(&self) -> Disguise {
        Disguise::from(&self.psgl)
    }

    /// What its defences are called, `PSGL and dropout`; nothing where there is none.
    pub fn defence_titles(&self) -> String {
        self.stack().map(|stack| stack.titles()).unwrap_or_default()
    }

    /// Whether the model has a defence.
    pub fn defended(&self) -> bool {
        self.stack().is_ok_and(|stack| !stack.is_empty())
    }

    /// Whether the defended model's answer is a decision fused of several streams.
    pub fn fuses(&self) -> bool {
        self.stack().is_ok_and(|stack| stack.fuses())
    }

    /// The same experiment without a defence.
    #[must_use]
    pub fn undefended(&self) -> Self {
        let mut plain = self.clone();
        plain.psgl.enabled = false;
        plain.defences.clear();
        plain
    }
}

impl Device {
    /// Opens it.
    ///
    /// # Errors
    /// Where this build or this machine lacks it.
    pub fn open(self) -> Result<candle_core::Device> {
        super::validate::device(self).map_err(Error::input)?;
        let opened = match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda => candle_core::Device::new_cuda(0),
            Self::Metal => candle_core::Device::new_metal(0),
        };
        opened.map_err(|e| {
            let e = without_backtrace(e);
            Error::input(format!("device: it cannot be opened: {e}; set device = \"cpu\""))
        })
    }
}
