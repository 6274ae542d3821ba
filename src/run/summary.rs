//! What a run measured, as `summary.json` and `metrics.csv` have it.

use serde::{Deserialize, Serialize};

use crate::experiment::Experiment;
use crate::model::wire::WireCount;

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

/// Accuracies on the test set after an epoch, in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// `psgl` or `vanilla`.
    pub model: String,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Of the attacked stream.
    pub attacked: Option<f64>,
    /// Of the recovered stream.
    pub recovered: Option<f64>,
    /// Of the fused stream.
    pub fused_stream: Option<f64>,
    /// Of the model's decision: fused under PSGL.
    pub accuracy: f64,
}

/// One row of the table of METHOD §3, on the test set, in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `vanilla_clean`, `fused` and so on.
    pub name: String,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean of the classes' own accuracies.
    pub balanced_accuracy: f64,
    /// What always naming the largest class would reach.
    pub majority: f64,
}

/// Gains of the fused decision, in points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// fused − vanilla on attacked images.
    pub over_attacked: f64,
    /// fused − vanilla on images recovered in image space.
    pub over_reconstructed: f64,
    /// fused − vanilla on clean images: the one that can't be inflated.
    pub over_clean: f64,
    /// The first two against attack strength, fused being the trained model's at its own γ.
    pub by_gamma: Vec<GammaGain>,
}

/// Gains at one attack strength.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GammaGain {
    /// Share of pixels that move.
    pub gamma: f64,
    /// fused − vanilla on attacked images.
    pub over_attacked: f64,
    /// fused − vanilla on images recovered in image space.
    pub over_reconstructed: f64,
}

/// One finished attack, scored against the clean images; or a yardstick (`mean`, `noise`, `nearest`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttackRecord {
    /// As in `--with`, or the yardstick's name.
    pub name: String,
    /// Whether it knew the defence.
    pub adaptive: bool,
    /// `vanilla` or `psgl`.
    pub target: String,
    /// After which epoch; 0 is the untrained model.
    pub epoch: usize,
    /// Number of targets.
    pub images: usize,
    /// Optimiser steps.
    pub iterations: usize,
    /// Mean squared error, pixels in [0, 1].
    pub mse: f64,
    /// Mean over the images of −10·log₁₀ mse, dB; at most 200.
    pub psnr: f64,
    /// Mean structural similarity (Gaussian window, data range 1).
    pub ssim: f64,
    /// Its standard error over the images.
    pub ssim_se: f64,
    /// How often, in percent, the reconstruction picks its patient out of eight; see
    /// [`score::lineup`](crate::score::lineup). Chance is 12.5.
    #[serde(default)]
    pub lineup: Option<f64>,
    /// Time spent.
    pub seconds: f64,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireTotals {
    /// Of all models together.
    #[serde(flatten)]
    pub total: WireCount,
    /// Of PSGL alone.
    pub psgl: Option<WireCount>,
    /// Of vanilla alone.
    pub vanilla: Option<WireCount>,
}

/// Milliseconds an image costs the client when it asks for a diagnosis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientCost {
    /// Without a defence.
    pub vanilla: Option<f64>,
    /// With PSGL.
    pub psgl: Option<f64>,
}

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

/// The order of PSGL's own streams, beside the order that the paper's decision weights assume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamOrder {
    /// Streams by test accuracy, best first.
    pub order: Vec<String>,
    /// Whether that is the paper's: recovered > fused > attacked.
    pub as_in_paper: bool,
    /// Decision weights in use: recovered, fused, attacked.
    pub weights: [f64; 3],
}

/// All that a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Form of this document.
    pub schema: u32,
    /// What was run.
    pub experiment: Experiment,
    /// Its seed, again.
    pub seed: u64,
    /// Where.
    pub machine: Machine,
    /// Test accuracy by epoch.
    pub epochs: Vec<EpochRow>,
    /// The table.
    pub rows: Vec<Row>,
    /// Gains; none unless PSGL and vanilla were both trained.
    pub gain: Option<Gain>,
    /// PSGL's streams.
    pub streams: Option<StreamOrder>,
    /// Attacks and yardsticks; early epochs before the last.
    pub attacks: Vec<AttackRecord>,
    /// Image-space recovery; none without a vanilla model.
    pub recovery: Option<RecoveryFigure>,
    /// Bytes.
    pub wire: WireTotals,
    /// The client's cost.
    pub client_ms_per_image: ClientCost,
    /// Time spent on the run, over all sessions.
    pub seconds: f64,
}

impl Summary {
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
