//! The document as TOML has it: its parts, their defaults, the words of its choices.
//!
//! Every field has a default, so that a file names only what differs. Ranges and words for people are in
//! [`setting`](crate::setting).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attack::AttackSpec;
use super::defence::DefenceSpec;
use crate::attack::{inverse, rmle};
use crate::data::{Augment, Channels, Draw, Fold, SplitBy, Wanted};
pub use crate::defence::psgl::spec::PsglSpec;
use crate::error::{Error, Result};
use crate::model::pace::Schedule;
use crate::model::spec::LayerSpec;
use crate::score::paper::MU;

/// The number of the document's form that this build writes; it reads all up to it.
pub const SCHEMA: u32 = 9;

/// What to run: data, model, defence, training, evaluation and attacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Experiment {
    /// The form of the document, [`SCHEMA`].
    pub schema: u32,
    /// Everything random is drawn from it; at most `i64::MAX`, which is TOML's largest number.
    pub seed: u64,
    /// Processor threads, 0 for all cores.
    pub threads: usize,
    /// Where the networks run.
    pub device: Device,
    /// The images.
    pub data: DataSpec,
    /// The network and where it is cut.
    pub model: ModelSpec,
    /// The defence.
    pub psgl: PsglSpec,
    /// The training.
    pub train: TrainSpec,
    /// What the table and the figures measure.
    pub evaluate: EvaluateSpec,
    /// The defences beside PSGL, `[[defence]]` in TOML; each name at most once.
    #[serde(rename = "defence", skip_serializing_if = "Vec::is_empty")]
    pub defences: Vec<DefenceSpec>,
    /// The attacks, `[[attack]]` in TOML; each name at most once, where a label takes the place of a name.
    #[serde(rename = "attack")]
    pub attacks: Vec<AttackSpec>,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            seed: 0,
            threads: 0,
            device: Device::default(),
            data: DataSpec::default(),
            model: ModelSpec::default(),
            psgl: PsglSpec::default(),
            train: TrainSpec::default(),
            evaluate: EvaluateSpec::default(),
            defences: Vec::new(),
            attacks: vec![AttackSpec::of(&rmle::KIND), AttackSpec { early: vec![1], ..AttackSpec::of(&inverse::KIND) }],
        }
    }
}

/// Where the networks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU; needs the feature `cuda`.
    Cuda,
    /// An Apple GPU; needs the feature `metal`.
    Metal,
}

/// What stands for no wish.
pub(super) const NONE: &str = "none";
/// What stands for a choice that is left to the reader.
pub(super) const AUTO: &str = "auto";

/// `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataSpec {
    /// A built-in set or a path.
    pub name: String,
    /// The attacker's share of the training images.
    pub aux: f64,
    /// The first so many of the victim's training images; 0 for all.
    pub train: usize,
    /// So many test images; 0 for all.
    pub test: usize,
    /// How they are taken out of more.
    pub draw: Draw,
    /// The reader's id, or `auto`.
    pub kind: String,
    /// The values of black and white as in `0..255`, or `auto`.
    pub range: String,
    /// Which of several labels, or `auto`.
    pub labels: String,
    /// Which part of each picture, or `auto`.
    pub view: String,
    /// Height and width; 0 for those that the images have.
    pub size: usize,
    /// Grey or in colour.
    pub channels: Channels,
    /// Who says which images are for what.
    pub split: SplitBy,
    /// What they are drawn by.
    pub split_seed: u64,
    /// Folds into which all images are drawn; 0 for none.
    pub folds: usize,
    /// Which of them is tested, from 1; 0 for each in turn.
    pub fold: usize,
    /// Whether folds are as even in size as whole patients allow, too.
    pub even: bool,
}

impl DataSpec {
    /// The sets that need no disk.
    pub const BUILT_IN: [&str; 2] = ["mnist", "brainmri"];

    /// Whether another has the same images, however many of them, and whoever's.
    pub fn same_images(&self, other: &Self) -> bool {
        self.name == other.name && self.wanted().ok() == other.wanted().ok()
    }

    /// How the images are wanted.
    ///
    /// # Errors
    /// Names the field that is no range.
    pub fn wanted(&self) -> Result<Wanted> {
        let chosen = |word: &str| if word == AUTO { String::new() } else { word.to_owned() };
        let range = self.range.parse();
        Ok(Wanted {
            kind: chosen(&self.kind),
            range: range.map_err(|allowed| Error::input(format!("data.range = \"{}\": {allowed}", self.range)))?,
            labels: chosen(&self.labels),
            view: chosen(&self.view),
            size: self.size,
            channels: self.channels,
            split: self.split,
            split_seed: self.split_seed,
            fold: (self.folds > 0).then_some(Fold { number: self.fold, of: self.folds, even: self.even }),
        })
    }
}

impl Default for DataSpec {
    fn default() -> Self {
        let auto = || AUTO.to_owned();
        Self {
            name: "mnist".to_owned(),
            aux: 0.125,
            train: 0,
            test: 0,
            draw: Draw::default(),
            kind: auto(),
            range: auto(),
            labels: auto(),
            view: auto(),
            size: 0,
            channels: Channels::default(),
            split: SplitBy::default(),
            split_seed: 0,
            folds: 0,
            fold: 0,
            even: true,
        }
    }
}

/// `[model]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    /// A named model; free text where `layers` are given.
    pub name: String,
    /// The shape `[C, H, W]` that the data must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<[usize; 3]>,
    /// The first so many layers are the client's.
    pub cut: usize,
    /// The layers, where they are not a named model's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<LayerSpec>>,
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self { name: "split-cnn".to_owned(), input: None, cut: 4, layers: None }
    }
}

/// `[train]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSpec {
    /// Passes through the victim's images.
    pub epochs: usize,
    /// Images in a step.
    pub batch: usize,
    /// The optimiser's step size.
    pub rate: f64,
    /// What takes the steps.
    pub optimizer: Optimizer,
    /// Of stochastic gradient descent; Adam has none.
    pub momentum: f64,
    /// Train the vanilla twin too; without PSGL there is none.
    pub twin: bool,
    /// What becomes of the rate.
    pub schedule: Schedule,
    /// Epochs in which it rises at the start.
    pub warmup: usize,
    /// What images of each class count.
    pub class_weights: ClassWeights,
    /// Whether training images are mirrored at random.
    pub flip: bool,
    /// Share of their sides that they are moved by at most.
    pub shift: f64,
    /// Degrees that they are turned by at most.
    pub rotate: f64,
    /// Share by which their contrast is changed at most.
    pub contrast: f64,
    /// Epochs without a better one on the validation set after which training ends; 0 for never.
    pub patience: usize,
    /// Which weights are tested and attacked in the end.
    pub weights: FinalWeights,
}

impl TrainSpec {
    /// Whether a model is judged with the weights of its best epoch.
    pub fn takes_best(&self) -> bool {
        self.weights == FinalWeights::Best
    }

    /// How training images are varied.
    pub fn augment(&self) -> Augment {
        Augment { flip: self.flip, shift: self.shift, rotate: self.rotate, contrast: self.contrast }
    }
}

impl Default for TrainSpec {
    fn default() -> Self {
        Self {
            epochs: 6,
            batch: 64,
            rate: 1e-3,
            optimizer: Optimizer::Adam,
            momentum: 0.9,
            twin: true,
            schedule: Schedule::default(),
            warmup: 0,
            class_weights: ClassWeights::default(),
            flip: false,
            shift: 0.0,
            rotate: 0.0,
            contrast: 0.0,
            patience: 0,
            weights: FinalWeights::default(),
        }
    }
}

/// What images of each class count in the losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeights {
    /// All alike.
    #[default]
    Alike,
    /// The rarer their class is, the more: every class counts as much as the others.
    Balanced,
}

impl ClassWeights {
    /// The weight of each class, of which there are so many training images: n / (K nₖ), as scikit-learn's "balanced" has
    /// it. None where all count alike.
    pub fn of(self, counts: &[usize]) -> Option<Arc<[f64]>> {
        let (all, classes) = (counts.iter().sum::<usize>() as f64, counts.iter().filter(|n| **n > 0).count() as f64);
        let weight = |n: &usize| if *n == 0 { 0.0 } else { all / (classes * *n as f64) };
        (self == Self::Balanced).then(|| counts.iter().map(weight).collect())
    }
}

/// Which weights of a training are tested and attacked in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FinalWeights {
    /// Those of the last epoch.
    #[default]
    Last,
    /// Those of the epoch that was best on the validation set.
    Best,
}

/// What takes the training's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Adam (Kingma & Ba 2015).
    #[default]
    Adam,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// `[evaluate]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateSpec {
    /// γ of the gains' curve.
    pub gammas: Vec<f64>,
    /// μ of the recovery's curve.
    pub mus: Vec<f64>,
    /// Test images of the recovery's curve.
    pub mu_images: usize,
    /// FGSM's step.
    pub fgsm_epsilon: f64,
    /// The class that sensitivity is of, or `auto`.
    pub positive: String,
    /// Classes that a second table merges, or `none`.
    pub merge: String,
    /// Labels that are read off stolen images, or `none`.
    pub read: String,
}

impl Default for EvaluateSpec {
    fn default() -> Self {
        Self {
            gammas: vec![0.02, 0.05, 0.1, 0.2],
            mus: vec![0.05, 0.2, MU.value, 1.2, 3.5],
            mu_images: 64,
            fgsm_epsilon: 8.0 / 255.0,
            positive: AUTO.to_owned(),
            merge: NONE.to_owned(),
            read: NONE.to_owned(),
        }
    }
}
