//! The document as TOML has it: its parts, their defaults, the words of its choices.
//!
//! Every field has a default, so that a file names only what differs. Ranges and words for people are in
//! [`setting`](crate::setting).

use serde::{Deserialize, Serialize};

use super::attack::AttackSpec;
use super::defence::DefenceSpec;
use crate::attack::{inverse, rmle};
use crate::data::{Channels, Draw, SplitBy, Wanted};
pub use crate::defence::psgl::spec::PsglSpec;
use crate::error::{Error, Result};
use crate::model::spec::LayerSpec;
use crate::score::paper::MU;

/// The number of the document's form that this build writes; it reads all up to it.
pub const SCHEMA: u32 = 3;

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

/// What stands for a choice that is left to the reader.
const AUTO: &str = "auto";

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
}

impl Default for TrainSpec {
    fn default() -> Self {
        Self { epochs: 6, batch: 64, rate: 1e-3, optimizer: Optimizer::Adam, momentum: 0.9, twin: true }
    }
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
}

impl Default for EvaluateSpec {
    fn default() -> Self {
        Self {
            gammas: vec![0.02, 0.05, 0.1, 0.2],
            mus: vec![0.05, 0.2, MU.value, 1.2, 3.5],
            mu_images: 64,
            fgsm_epsilon: 8.0 / 255.0,
        }
    }
}
