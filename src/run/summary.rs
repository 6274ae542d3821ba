//! What a run measured, as `summary.json` and `metrics.csv` have it.

use serde::{Deserialize, Serialize};

use super::by_model::ByModel;
use crate::experiment::{Experiment, any_schema};
use crate::model::wire::WireCount;
use crate::score::diagnosis::DiagnosisRow;
pub use crate::score::people::Reidentified;
pub use crate::score::read_off::ReadOff;
pub use crate::score::record::{AttackRecord, EpochRow, Gain, GammaGain, Row};
use crate::score::utility::HeldOut;
use crate::score::verdict::{Case, Verdict};

/// The form of `summary.json`.
pub const SCHEMA: u32 = 1;

/// One row of `metrics.csv`: a training step. What was not measured is empty. Accuracies are those of
/// the step's batch before it was learnt from, in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step of this model, from 1.
    pub step: usize,
    /// Cross-entropy of the attacked stream.
    pub loss_a: Option<f64>,
    /// Of the recovered stream.
    pub loss_r: Option<f64>,
    /// Of the fused stream.
    pub loss_f: Option<f64>,
    /// Accuracy of the attacked stream.
    pub acc_a: Option<f64>,
    /// Of the recovered stream.
    pub acc_r: Option<f64>,
    /// Of the fused stream.
    pub acc_f: Option<f64>,
    /// Of the fused decision.
    pub acc_fused: Option<f64>,
    /// Of the vanilla model.
    pub acc_vanilla: Option<f64>,
}

/// Image-space recovery of attacked images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryFigure {
    /// (μ, MSE of the recovered image against the clean one).
    pub mse_by_mu: Vec<(f64, f64)>,
    /// MSE of the attacked image left as it is, beside them.
    pub mse_attacked: f64,
    /// Pearson correlation of the recovered |S| with the true |map|.
    pub map_correlation: f64,
}

/// Bytes over the whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WireTotals {
    /// Of all models together.
    #[serde(flatten)]
    pub total: WireCount,
    /// Of each model.
    #[serde(flatten)]
    pub models: ByModel<WireCount>,
}

/// Milliseconds an image costs the client when it asks for a diagnosis.
pub type ClientCost = ByModel<f64>;

/// Where it ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The program's version.
    pub version: String,
    /// Operating system and processor architecture.
    pub system: String,
    /// The processor's own name, where it tells.
    pub processor: String,
    /// Threads in use.
    pub threads: usize,
}

/// The order of the server's own three streams, beside the order that the paper's decision weights assume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamOrder {
    /// Streams by test accuracy, best first.
    pub order: Vec<String>,
    /// Whether that is the paper's: recovered > fused > attacked.
    pub as_in_paper: bool,
    /// Decision weights in use: recovered, fused, attacked.
    pub weights: [f64; 3],
}

/// Epochs whose weights the run's folder keeps beside the last: of each model the best one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestWeights {
    /// By accuracy on which images.
    pub by: HeldOut,
    /// The epoch of each model.
    #[serde(flatten)]
    pub epochs: ByModel<usize>,
}

/// The table over fewer classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    /// Their names.
    pub class_names: Vec<String>,
    /// The table.
    pub rows: Vec<Row>,
}

/// All that a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Form of this document.
    pub schema: u32,
    /// What was run.
    #[serde(deserialize_with = "any_schema")]
    pub experiment: Experiment,
    /// Its seed, again.
    pub seed: u64,
    /// Where.
    pub machine: Machine,
    /// Test accuracy by epoch.
    pub epochs: Vec<EpochRow>,
    /// Of each model the epoch after which its accuracy on the validation set was highest, the first of equal ones; none
    /// without a validation set. The table and the attacks are of the last epoch whatever this says, unless
    /// [`Self::final_epoch`] does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<ByModel<usize>>,
    /// Whose weights are kept beside the last ones; none in runs of builds that kept no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_weights: Option<BestWeights>,
    /// After how many epochs the weights of each model are those of the table and of the attacks in the end, where for one of
    /// them that is not the last that was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_epoch: Option<ByModel<usize>>,
    /// The table.
    pub rows: Vec<Row>,
    /// The table of the same answers with classes merged, as the experiment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// Gains; none unless a defended model and its twin were both trained.
    pub gain: Option<Gain>,
    /// The server's streams.
    pub streams: Option<StreamOrder>,
    /// Attacks, early epochs before the last; then what was guessed of the same targets without the wire.
    pub attacks: Vec<AttackRecord>,
    /// What the attacks at each model came to; empty in summaries of builds that did not judge so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
    /// Who is found again by what was stolen; empty where patients are not known, or fewer than eight have two targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reidentified: Vec<Reidentified>,
    /// What a classifier of the judge's own reads off stolen images; empty where that was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_off: Vec<ReadOff>,
    /// How far diagnoses can be manipulated; empty where nobody tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnosis: Vec<DiagnosisRow>,
    /// Image-space recovery; none without a vanilla model.
    pub recovery: Option<RecoveryFigure>,
    /// Bytes.
    pub wire: WireTotals,
    /// The client's cost.
    pub client_ms_per_image: ClientCost,
    /// Names of the classes; none in summaries of builds that did not write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// The patient of each target, by number, in the targets' order; none where patients are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_patients: Option<Vec<u32>>,
    /// Time spent on the run, over all sessions.
    pub seconds: f64,
}

impl Summary {
    /// The summary with attacks that were launched at the run afterwards, judged together.
    #[must_use]
    pub fn with(mut self, afterwards: Vec<AttackRecord>) -> Self {
        // Attacks at fewer targets have the first of them.
        let whose = |record: &AttackRecord| record.judged.as_ref()?.each.patients.clone();
        let longest = afterwards.iter().filter_map(whose).max_by_key(Vec::len);
        if longest.as_ref().map(Vec::len) > self.target_patients.as_ref().map(Vec::len) {
            self.target_patients = longest;
        }
        self.attacks.extend(afterwards);
        self.verdicts = self.case().verdicts();
        self
    }

    /// The summary with what came of attacks on its diagnoses.
    #[must_use]
    pub fn diagnosed(mut self, rows: Vec<DiagnosisRow>) -> Self {
        self.diagnosis.extend(rows);
        self
    }

    /// Whether another run is of the same images in the same classes: only then can numbers be held against each other.
    pub fn same_images(&self, other: &Self) -> bool {
        self.experiment.data.same_images(&other.experiment.data) && self.class_names == other.class_names
    }

    /// What its verdicts are made of.
    pub fn case(&self) -> Case<'_> {
        Case { attacks: &self.attacks, epochs: &self.epochs, rows: &self.rows }
    }

    /// The row called `name`.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl Machine {
    /// This machine.
    pub fn here(threads: usize) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processor: processor().unwrap_or_default(),
            threads,
        }
    }
}

fn processor() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
