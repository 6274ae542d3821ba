//! From the document's fields to the forms that computations want.

use super::document::{Device, Experiment, Optimizer, TrainSpec};
use super::plan::Plan;
use crate::attack::adversarial::Disguise;
use crate::defence::{Setup, Stack};
use crate::error::{Error, Result};
use crate::model::adam::AdamSettings;
use crate::model::optimiser::OptimiserSettings;
use crate::model::sgd::SgdSettings;
use crate::split::{SplitPlan, UNDEFENDED};

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
    /// The models to train, in order: the defended one first, its undefended twin after.
    ///
    /// # Errors
    /// Where the model does not fit the data.
    pub fn split_plans(&self, image: [usize; 3], classes: usize) -> Result<Vec<SplitPlan>> {
        let Plan { layers, cut, twin, .. } = self.check_model(image, classes)?;
        let defences = self.stack()?;
        let name = if defences.is_empty() { UNDEFENDED.to_owned() } else { defences.label() };
        let main = SplitPlan { name, layers, cut, image, classes, defences, optimiser: self.train.optimiser() };
        let twin = twin.map(|twin| SplitPlan {
            name: UNDEFENDED.to_owned(),
            layers: twin.layers,
            cut: twin.cut,
            defences: Stack::default(),
            ..main.clone()
        });
        Ok(std::iter::once(main).chain(twin).collect())
    }

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

    /// Defended, where it has a defence, and undefended: the network as it is, or with `twin` the one that is trained
    /// beside a defended model, which pools where a defence packs.
    ///
    /// # Errors
    /// Returns an error if the model does not fit the data.
    pub fn both_plans(&self, image: [usize; 3], classes: usize, twin: bool) -> Result<[Option<SplitPlan>; 2]> {
        let all = self.split_plans(image, classes)?;
        let one = |defended: bool| all.iter().find(|plan| plan.defended() == defended).cloned();
        let undefended = match one(false).filter(|_| twin || !self.defended()) {
            Some(plan) => plan,
            None => self.undefended().split_plans(image, classes)?.swap_remove(0),
        };
        Ok([one(true), Some(undefended)])
    }
}

impl Device {
    /// Opens it.
    ///
    /// # Errors
    /// Where this build or this machine lacks it.
    pub fn open(self) -> Result<candle_core::Device> {
        let opened = match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda => candle_core::Device::new_cuda(0),
            Self::Metal => candle_core::Device::new_metal(0),
        };
        opened.map_err(|e| Error::input(format!("device: it cannot be opened: {e}; set device = \"cpu\"")))
    }
}
