//! From the document's fields to the forms that computations want.

use super::document::{Device, Experiment, Optimizer, PsglSpec, TrainSpec};
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::model::adam::AdamSettings;
use crate::model::optimiser::OptimiserSettings;
use crate::model::sgd::SgdSettings;
use crate::model::split::SplitPlan;
use crate::psgl::Options;
use crate::psgl::fusion::DecisionWeights;
use crate::psgl::recovery::Recovery;
use crate::psgl::saliency::Strength;

impl PsglSpec {
    /// Strength of the intentional attack.
    pub fn strength(&self) -> Strength {
        Strength { apply: self.apply, gamma: self.gamma, theta: self.theta }
    }

    /// The server's solver on smashed data.
    pub fn feature_recovery(&self) -> Recovery {
        Recovery { mu: self.mu as f32, iterations: self.iterations, map_norm: self.map_norm }
    }

    /// The same solver on images.
    pub fn image_recovery(&self) -> Recovery {
        Recovery { iterations: self.image_iterations, ..self.feature_recovery() }
    }

    /// All of PSGL's choices.
    pub fn options(&self) -> Options {
        Options {
            strength: self.strength(),
            mirror: self.mirror,
            jacobian: self.jacobian,
            recovery: self.feature_recovery(),
            image_recovery: self.image_recovery(),
            fuse_relu: self.fuse_relu,
            weights: DecisionWeights::new(self.weights),
            weights_from: self.weights_from,
            inference: self.send,
        }
    }
}

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
    /// The models to train, in order: PSGL first, vanilla after.
    ///
    /// # Errors
    /// Where the model does not fit the data.
    pub fn split_plans(&self, image: [usize; 3], classes: usize) -> Result<Vec<SplitPlan>> {
        let Plan { layers, cut, twin, .. } = self.check_model(image, classes)?;
        let psgl = self.psgl.enabled.then(|| self.psgl.options());
        let name = if self.psgl.enabled { "psgl" } else { "vanilla" };
        let main = SplitPlan { name, layers, cut, image, classes, psgl, optimiser: self.train.optimiser() };
        let twin = twin.map(|twin| SplitPlan {
            name: "vanilla",
            layers: twin.layers,
            cut: twin.cut,
            psgl: None,
            ..main.clone()
        });
        Ok(std::iter::once(main).chain(twin).collect())
    }

    /// Under PSGL, where it is on, and undefended: the network without packing, or with `twin` the one that is
    /// trained beside PSGL, which pools where PSGL packs.
    ///
    /// # Errors
    /// Where the model does not fit the data.
    pub fn both_plans(&self, image: [usize; 3], classes: usize, twin: bool) -> Result<[Option<SplitPlan>; 2]> {
        let all = self.split_plans(image, classes)?;
        let named = |name: &str| all.iter().find(|plan| plan.name == name).cloned();
        let vanilla = if let Some(plan) = named("vanilla").filter(|_| twin || !self.psgl.enabled) {
            plan
        } else {
            let mut plain = self.clone();
            plain.psgl.enabled = false;
            plain.split_plans(image, classes)?.swap_remove(0)
        };
        Ok([named("psgl"), Some(vanilla)])
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
