//! The attacks of the document: `[[attack]]`, each with the fields that its name has.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::setting::{near, shorten};

/// One `[[attack]]`; its `name` says which fields it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum AttackSpec {
    /// Regularised maximum likelihood with total variation.
    Rmle(RmleSpec),
    /// A decoder trained on the attacker's own images.
    Inverse(InverseSpec),
}

/// `name = "rmle"`, METHOD section 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RmleSpec {
    /// Targets.
    pub images: usize,
    /// Attack without knowledge of the defence.
    pub naive: bool,
    /// Attack with it.
    pub adaptive: bool,
    /// Epochs after which to attack too, besides the last; 0 is untrained.
    pub early: Vec<usize>,
    /// Steps of Adam.
    pub iterations: usize,
    /// Adam's step size.
    pub rate: f64,
    /// Adam's ε.
    pub epsilon: f64,
    /// λ of the total variation.
    pub tv: f64,
    /// Clamp to [0, 1] after every step, as an attacker who knows the pixels' range would: on trained digits it lifts
    /// the worst of four seeds from 31 to 39 dB.
    pub boxed: bool,
}

impl Default for RmleSpec {
    fn default() -> Self {
        Self {
            images: 8,
            naive: true,
            adaptive: true,
            early: vec![0],
            iterations: 500,
            rate: 0.1,
            epsilon: 1e-8,
            tv: 1e-3,
            boxed: true,
        }
    }
}

/// `name = "inverse"`, METHOD section 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InverseSpec {
    /// Targets.
    pub images: usize,
    /// Attack without knowledge of the defence.
    pub naive: bool,
    /// Attack with it.
    pub adaptive: bool,
    /// Epochs after which to attack too, besides the last; 0 is untrained.
    pub early: Vec<usize>,
    /// The decoder's passes through the auxiliary images; 0 plans steps in place of them.
    pub epochs: usize,
    /// Images in a step.
    pub batch: usize,
    /// Adam's step size at the start.
    pub rate: f64,
    /// Epochs after which the rate halves, again and again.
    pub halve_every: usize,
    /// Adam's ε.
    pub epsilon: f64,
    /// Adam's variant that never lets a step grow again.
    pub amsgrad: bool,
}

impl Default for InverseSpec {
    fn default() -> Self {
        Self {
            images: 64,
            naive: true,
            adaptive: true,
            early: vec![0],
            epochs: 0,
            batch: 32,
            rate: 1e-3,
            halve_every: 20,
            epsilon: 1e-8,
            amsgrad: false,
        }
    }
}

impl AttackSpec {
    /// The names of all attacks.
    pub const NAMES: [&str; 2] = ["rmle", "inverse"];

    /// An attack with its defaults.
    ///
    /// # Errors
    /// An unknown name: lists the known ones and the near one.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "rmle" => Ok(Self::Rmle(RmleSpec::default())),
            "inverse" => Ok(Self::Inverse(InverseSpec::default())),
            _ => Err(Error::input(format!("unknown attack \"{}\": {}", shorten(name), known(name)))),
        }
    }

    /// Its name in TOML and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rmle(_) => "rmle",
            Self::Inverse(_) => "inverse",
        }
    }

    /// How many test images it reconstructs.
    pub fn images(&self) -> usize {
        match self {
            Self::Rmle(spec) => spec.images,
            Self::Inverse(spec) => spec.images,
        }
    }

    /// The epochs after which it runs too, besides the last.
    pub fn early(&self) -> &[usize] {
        match self {
            Self::Rmle(spec) => &spec.early,
            Self::Inverse(spec) => &spec.early,
        }
    }

    /// Whether it runs without knowledge of the defence.
    pub fn naive(&self) -> bool {
        match self {
            Self::Rmle(spec) => spec.naive,
            Self::Inverse(spec) => spec.naive,
        }
    }

    /// Whether it runs with knowledge of the defence.
    pub fn adaptive(&self) -> bool {
        match self {
            Self::Rmle(spec) => spec.adaptive,
            Self::Inverse(spec) => spec.adaptive,
        }
    }
}

/// `allowed is "rmle" or "inverse"; did you mean "rmle"?`
pub(super) fn known(name: &str) -> String {
    let all = AttackSpec::NAMES.map(|name| format!("\"{name}\"")).join(" or ");
    let near = near(name, AttackSpec::NAMES).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!("allowed is {all}{near}")
}
