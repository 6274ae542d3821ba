//! What was measured of one thing, as `summary.json` has it: an attack, a row of the table, an epoch, a gain.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Accuracies on the test set after an epoch, in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// The model, by its name in the run.
    pub model: String,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Of the attacked stream.
    pub attacked: Option<f64>,
    /// Of the recovered stream.
    pub recovered: Option<f64>,
    /// Of the fused stream.
    pub fused_stream: Option<f64>,
    /// Of the model's decision.
    pub accuracy: f64,
    /// Of its decision on the validation set; none where there is none, and in files of builds that did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// The same with each class counting as much as the others (balanced accuracy); none as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_balanced: Option<f64>,
    /// What the leak meters show; none in files of builds that had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meters: Option<Meters>,
}

/// What the meters of a model show after an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meters {
    /// Distance correlation of images and what was sent for them, 0 to 1 (Székely, Rizzo & Bakirov 2007).
    pub distance_correlation: f64,
    /// Diagonal Fisher information leakage tr(JᵀJ)/(d·σ²) (Guo et al. 2023), for J the derivatives of what is sent by the d
    /// numbers that enter the client's first layer.
    pub dfil: f64,
    /// Mean squared error that an unbiased attacker cannot go below, who knows how far pixels spread: 1/(dFIL + 1/s²).
    pub mse_floor: f64,
    /// ½ Σ ln(1 + s²λ/σ²) over the eigenvalues λ of JᵀJ, of a finished training and where that is not too large to compute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats: Option<f64>,
    /// σ, the size of the noise on the wire.
    pub sigma: f64,
    /// Whether there is no noise, and σ is a hundredth of what is sent (its root mean square).
    pub nominal: bool,
}

/// One row of the table of METHOD §3, on the test set, in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `vanilla_clean`, `fused` and so on.
    pub name: String,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean of the classes' own accuracies.
    pub balanced_accuracy: f64,
    /// What always naming the largest class would reach.
    pub majority: f64,
    /// Test images; 0 in summaries of builds that did not write it.
    #[serde(default)]
    pub images: usize,
    /// Of two classes, how many of the second are taken for it; none of more classes, of none of it, and in summaries of
    /// builds that did not measure it.
    #[serde(default)]
    pub sensitivity: Option<f64>,
    /// The same of the first.
    #[serde(default)]
    pub specificity: Option<f64>,
    /// Area under the ROC curve of the class shares, 0 to 1; none where the row has no shares, and in summaries of builds
    /// that did not measure it, as the two below.
    #[serde(default)]
    pub auroc: Option<f64>,
    /// Their expected calibration error, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ece: Option<f64>,
    /// Their Brier score, 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brier: Option<f64>,
    /// How many images of each class (a list each) were taken for which; none of more than twenty classes, and in summaries
    /// of builds that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<usize>>>,
    /// 95 % intervals of the metrics by their keys; see [`intervals`](crate::score::intervals).
    #[serde(default)]
    pub ci: BTreeMap<String, [f64; 2]>,
}

/// Gains of the fused decision, in points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// fused − vanilla on attacked images.
    pub over_attacked: f64,
    /// fused − vanilla on images recovered in image space.
    pub over_reconstructed: f64,
    /// fused − vanilla on clean images: the one that can't be inflated.
    pub over_clean: f64,
    /// Standard errors of the three in that order, over test images, paired; none in summaries of builds that did not
    /// measure them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<[f64; 3]>,
    /// The first two against attack strength, fused being the trained model's at its own γ.
    pub by_gamma: Vec<GammaGain>,
    /// 95 % intervals of the three: paired bootstrap over patients where these are known, else over images; none of fewer than
    /// eight, and in summaries of builds that did not measure them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<[[f64; 2]; 3]>,
    /// The same three gains in balanced accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced: Option<[f64; 3]>,
    /// Their intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_ci: Option<[[f64; 2]; 3]>,
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

/// One finished attack, scored against the clean images; or a guess made without the wire (see
/// [`floor`](crate::score::floor)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AttackRecord {
    /// As in `--with`: the attack's label, or else its kind's name; or the guess's name.
    pub name: String,
    /// The kind's name, where a label took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it knew the defence.
    pub adaptive: bool,
    /// The model, by its name in the run.
    pub target: String,
    /// After which epoch; 0 is the untrained model.
    pub epoch: usize,
    /// Number of targets.
    pub images: usize,
    /// Optimiser steps.
    pub iterations: usize,
    /// Mean squared error, pixels in [0, 1]. Of an attack that makes no images it and the three below are not numbers, and
    /// JSON has no such keys.
    #[serde(default = "nan", skip_serializing_if = "is_nan")]
    pub mse: f64,
    /// Mean over the images of −10·log₁₀ mse, dB; at most 200.
    #[serde(default = "nan", skip_serializing_if = "is_nan")]
    pub psnr: f64,
    /// Mean structural similarity (Gaussian window, data range 1).
    #[serde(default = "nan", skip_serializing_if = "is_nan")]
    pub ssim: f64,
    /// Its standard error over the images.
    #[serde(default = "nan", skip_serializing_if = "is_nan")]
    pub ssim_se: f64,
    /// The same at several scales ([`ms_ssim`](super::multiscale::ms_ssim)), the mean; none of images below 11 pixels, of
    /// guesses, and in records of builds that did not measure it, as the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_ssim: Option<f64>,
    /// How many scales that is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_ssim_scales: Option<usize>,
    /// The similarity that 95 % of the images are below, and the highest of all: a mean hides whoever is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim_p95: Option<f64>,
    /// As above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim_worst: Option<f64>,
    /// How often, in percent, the reconstruction picks its target out of eight. With [`Self::judged`]: out of images of
    /// the target's own class. Without: out of far images of any class, as older builds asked; the two are never
    /// compared. Chance is 12.5 in both.
    #[serde(default)]
    pub lineup: Option<f64>,
    /// How many of the targets' classes it inferred are right, in percent; none where it infers none, or is handed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_right: Option<f64>,
    /// The same of always naming the commonest class among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_chance: Option<f64>,
    /// Time spent.
    pub seconds: f64,
    /// What it saw of the wire, in words; none of a guess, and in records of builds that did not write it, as the three
    /// below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sees: Vec<String>,
    /// What it knew, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knows: Vec<String>,
    /// Of an attack that takes the server's chair, how many test images the copy of the model with it there is right about, in
    /// percent: what somebody could notice. None of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_accuracy: Option<f64>,
    /// What it was given: `quick`, `default` or `paper`, where those were its settings, `own` where others were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// Whether it converged, as far as it can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converged: Option<bool>,
    /// What a verdict needs beside the means; none in records of builds that did not judge so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

fn nan() -> f64 {
    f64::NAN
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_nan(value: &f64) -> bool {
    value.is_nan()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(value: &bool) -> bool {
    !value
}

impl AttackRecord {
    /// In which nothing counts that rests on the order of its images or labels: that was found with the truth.
    #[must_use]
    pub fn in_best_order(mut self) -> Self {
        self.lineup = None;
        if let Some(judged) = &mut self.judged {
            (judged.in_best_order, judged.lead) = (true, None);
            judged.each.picked.fill(None);
        }
        self
    }

    /// Of an attack at so many targets of which it makes no images.
    pub fn without_images(targets: usize) -> Self {
        let (judged, nan) = (Some(Judged::default()), f64::NAN);
        Self { images: targets, mse: nan, psnr: nan, ssim: nan, ssim_se: nan, judged, ..Self::default() }
    }

    /// Whether it makes images.
    pub fn has_images(&self) -> bool {
        !self.ssim.is_nan()
    }

    /// The name of the attack's kind, as [`workbench::attack`](crate::workbench::attack) takes it.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or(&self.name)
    }
}

/// What a verdict on an attack needs beside its means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Standard error of the PSNR over the images, dB.
    pub psnr_se: f64,
    /// Of each target, in their order.
    pub each: Each,
    /// Whether the order of its images was found with the truth, as a gradient of several images tells none: then there is no
    /// line-up and no lead, since guesses put into their best order would do better too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_best_order: bool,
    /// The paired lead over the best guess; none for a guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<Lead>,
    /// Why the attacker may not have done its best: it can then break a defence, never show that it held. None where it
    /// converged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// Of a guess that can be drawn again and again: the mean over the targets of the best SSIM among the first one,
    /// two, three … draws, chosen with the truth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<f64>,
}

/// Scores of single targets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Each {
    /// Structural similarity.
    pub ssim: Vec<f64>,
    /// 1 where the target was picked out of its line-up, 0 where another was, 1/m where m looked equally alike and the
    /// target was among them; none where its class has too few images for a line-up.
    pub picked: Vec<Option<f64>>,
    /// Whose each target is, of an attack that was launched afterwards, maybe at more targets than the run has; none where
    /// patients are not known, and in records of builds that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patients: Option<Vec<u32>>,
}

/// How far an attack is above the best guess made without the wire, target by target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// The guess, by name; `chance` where every guess is below it.
    pub over: String,
    /// `lineup` (in points) or, where there are too few line-ups, `ssim`; `labels_right` (in points) of an attack that makes
    /// no images.
    pub of: String,
    /// What that guess reaches, in the same unit.
    pub floor: f64,
    /// Mean difference.
    pub mean: f64,
    /// Its standard error over the targets.
    pub se: f64,
    /// Probability of such a lead without any, for this attack alone.
    pub p: f64,
}
