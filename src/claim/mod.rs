//! A claim of others put to the test: several models at one accuracy, the same attacks at each, three seeds, and a verdict by
//! rule.
//!
//! The claim is the paper's abstract's: noise on raw images or on a model's parameters does nothing against deep leakage from
//! gradients. That noise on the *gradients* stops it from a scale of 10⁻² on is Zhu et al.'s own finding, and another matter.
//! `assets/claim.json` has what came of it with the date, the command and the machine.
//!
//! | file | what |
//! |---|---|
//! | `noise` | the models, and how noise is brought to the wanted accuracy |
//! | `rule` | from scores to words |
//! | `report` | the table for a terminal |
//!
//! # What each attack saw
//! Of each target the weight gradients of a training step on this one image, the client's and the server's, at the trained weights:
//! taken where the defence acts. Noise on the image was drawn for that target and went into the gradient with it; noise on the
//! weights was drawn once for all targets of a seed, the gradient went through the noisy weights, and neither noise is known to
//! anybody. The attacker knows both parties' weights without noise. An adaptive attacker knows the kind of noise and its strength
//! and can make no more of it here than a search from another start, so that is launched once; nobody searched the drawn noise
//! itself.

mod noise;
mod report;
mod rule;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use noise::{SEEDS, Wanted, tested};
pub use report::report;
pub use rule::{Ruling, Says};

use crate::anchor::Kept;
use crate::run::summary::AttackRecord;
use crate::score::floor::Guess;
use crate::score::verdict::is_attack;

/// What a test came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// With what means: `quick` or `paper`.
    pub budget: String,
    /// What the models are, in words.
    pub network: String,
    /// What was changed besides, as in `train.epochs=1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// The models: the undefended one, those under noise, the one whose accuracy the noise was brought to.
    pub models: Vec<Model>,
    /// Seconds of training and attacks.
    pub seconds: f64,
}

/// The models of one defence, or of none: one a seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Their name in runs.
    pub name: String,
    /// What stands for the defence's strength; empty where there is none.
    pub symbol: String,
    /// What this model is there for.
    pub part: Part,
    /// What became of them by training.
    pub trained: Vec<Trained>,
    /// The attacks, each at all targets of all seeds.
    pub attacks: Vec<Attacked>,
    /// What was guessed of the same targets.
    pub guesses: Vec<AttackRecord>,
}

/// What a model is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Without a defence, trained equally long: whether the attacks work at all.
    Undefended,
    /// Under noise, which the claim is about.
    Noise,
    /// Under the defence whose accuracy the noise is brought to.
    Beside,
}

/// A trained model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Its seed.
    pub seed: u64,
    /// Test accuracy, in percent.
    pub accuracy: f64,
    /// The strength of its defence; 0 without one.
    pub strength: f64,
    /// Points by which its accuracy differs from the wanted one; 0 where it is that one, or none is wanted.
    pub apart: f64,
}

/// An attack at the targets of all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attacked {
    /// Over all targets; single similarities are left out.
    pub record: AttackRecord,
    /// Its mean lead at each seed's targets.
    pub leads: Vec<f64>,
}

impl Model {
    /// The attack whose images are most alike.
    pub fn worst(&self) -> Option<&Attacked> {
        let finite = self.attacks.iter().filter(|attacked| attacked.record.ssim.is_finite());
        finite.max_by(|a, b| a.record.ssim.total_cmp(&b.record.ssim))
    }

    /// The better one of what is guessed from the label alone.
    pub fn label_only(&self) -> Option<&AttackRecord> {
        let of_label = |record: &&AttackRecord| {
            matches!(Guess::named(&record.name), Some(Guess::ClassMean | Guess::ClassImage)) && !is_attack(record)
        };
        self.guesses.iter().filter(of_label).max_by(|a, b| a.ssim.total_cmp(&b.ssim))
    }

    /// How many targets there are.
    pub fn targets(&self) -> usize {
        self.attacks.first().map_or(0, |attacked| attacked.record.images)
    }
}

/// The result that comes with the program.
pub fn kept() -> &'static Kept<Tested> {
    static KEPT: std::sync::OnceLock<Kept<Tested>> = std::sync::OnceLock::new();
    KEPT.get_or_init(|| serde_json::from_str(include_str!("../../assets/claim.json")).unwrap_or_default())
}
