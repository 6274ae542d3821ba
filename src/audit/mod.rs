//! An audit: a frozen list of attacks, settings, targets and seeds at a run's models, as AutoAttack is for robustness, so
//! that two people who say "suite 1" have measured the same.
//!
//! | file | what |
//! |---|---|
//! | `suite` | the list, and what it launches |
//! | `count` | from the attacks' records to what is said of a model |
//! | `line` | that in a line, and as a table |
//! | `bundle` | the folder with all of it, its hashes, and its check elsewhere |
//! | `course` | how far it has come, for going on after a stop |
//!
//! # Whose choice
//! Somebody with several attacks has to choose one, and has not seen the truth. So the leading number is of the attack that
//! did best in a rehearsal: the same attacks at images of the attackers' own, which are taken out of those that they learn
//! from. Beside it stands the upper bound, the best attack for each target, chosen with the truth; and beside that what as many
//! guesses from the label reach, chosen with the truth as well.

mod bundle;
mod count;
mod course;
mod line;
mod suite;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use bundle::{AUDIT, RUN, copied_files, copied_run, found_at_files, sealed, sealed_before, seed_folder, verified};
pub use count::counted;
pub use course::Course;
pub use line::report;
pub use suite::{NEWEST, Part, SUITES, Suite};

use crate::run::summary::AttackRecord;

/// A mean over the targets and its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

/// What an attack in one form came to at a model, over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attacked {
    /// Its name.
    pub name: String,
    /// Whether it knew the defence.
    pub adaptive: bool,
    /// How often its images pick their target out of eight of the class, in percent; none where there are too few line-ups.
    pub lineup: Option<Mean>,
    /// Structural similarity.
    pub ssim: Mean,
    /// Each seed's mean similarity.
    pub by_seed: Vec<f64>,
    /// What it reached in the rehearsal.
    pub rehearsed: Option<Rehearsed>,
    /// Why it may not have done its best.
    pub doubt: Option<String>,
}

/// What an attack reached in a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// Line-ups, in percent; none where there are too few.
    pub lineup: Option<f64>,
    /// Structural similarity.
    pub ssim: f64,
}

/// What is said of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audited {
    /// The model, by its name in the run.
    pub model: String,
    /// All attacks, in the suite's order.
    pub attacks: Vec<Attacked>,
    /// Which of them the attacker would choose: a place in the list.
    pub chosen: usize,
    /// Whether that was found by a rehearsal; else with the truth, which flatters no defence.
    pub rehearsed: bool,
    /// The best that is guessed from the label alone: line-ups in percent, where there are any.
    pub floor_lineup: Option<f64>,
    /// The same in similarity, be it by another guess.
    pub floor_ssim: Option<f64>,
    /// The best attack for each target, chosen with the truth: mean similarity.
    pub bound: f64,
    /// The best of as many random images of the class.
    pub bound_floor: Option<f64>,
    /// The sum of it in a line.
    pub line: String,
}

/// A whole audit, as `audit.json` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// The suite's number.
    pub suite: u32,
    /// The program's version.
    pub program: String,
    /// Number of targets.
    pub targets: usize,
    /// The models, the defended one first.
    pub models: Vec<Audited>,
    /// Attacks that the program has and the suite has not, and those of it that this run lacks something for.
    pub not_covered: Vec<String>,
    /// The attacks' records at the rehearsal.
    pub rehearsal: Vec<AttackRecord>,
    /// What was guessed of the same targets.
    pub floors: Vec<AttackRecord>,
    /// The bundle's files, each with its BLAKE3 hash.
    pub files: BTreeMap<String, String>,
    /// The hash of all the above.
    #[serde(default)]
    pub seal: String,
}
