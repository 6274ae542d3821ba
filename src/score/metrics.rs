//! The metrics, each once: what files, terminal and window call it, its unit, which values are better, its digits, what it
//! is in words, and how it is read from what was measured.
//!
//! Tables, curves, comparisons, exports and the verdicts read this table; one more metric is one more entry here, and in
//! [`ATTACKS`], [`ROWS`] or [`GAINS`](super::gains::GAINS).

mod rows;

pub use rows::{ACCURACY, AUROC, BALANCED, BRIER, ECE, MAJORITY, ROWS, SENSITIVITY, SPECIFICITY, leading};

use super::lineup::CHANCE;
use super::paired::share_error;
use super::record::{AttackRecord, Gain, Lead};

/// Which of two values is better for those whose images they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher one, as of an accuracy.
    Higher,
    /// The lower one, as of how alike a stolen image is.
    Lower,
}

/// A metric of records of type `T`.
#[derive(Debug)]
pub struct Metric<T: 'static> {
    /// Its key in `summary.json`.
    pub key: &'static str,
    /// Its column in the table that is written as CSV, where gains have a row each of this name; no two metrics have the
    /// same.
    pub column: &'static str,
    /// The column of its standard error; empty where it has none.
    pub error_column: &'static str,
    /// Its name, as the terminal and sentences have it.
    pub name: &'static str,
    /// Its name where it heads a column of the window.
    pub window: &'static str,
    /// `dB`, `%`, `points`; empty where it has no unit.
    pub unit: &'static str,
    /// Which values are better; none where neither is a merit, as of a yardstick.
    pub better: Option<Better>,
    /// Digits behind the point.
    pub digits: usize,
    /// The same where there is little room.
    pub short: usize,
    /// What it is, in a sentence or two.
    pub help: &'static str,
    /// Reads or computes it; none where it was not measured.
    pub value: fn(&T) -> Option<f64>,
    /// Its standard error; none where that is not known.
    pub error: fn(&T) -> Option<f64>,
    /// Its 95 % interval; none where that is not known.
    pub interval: fn(&T) -> Option<[f64; 2]>,
}

/// Two metrics are the same where their columns are.
impl<T> PartialEq for Metric<T> {
    fn eq(&self, other: &Self) -> bool {
        self.column == other.column
    }
}

impl<T> Eq for Metric<T> {}

impl<T> Metric<T> {
    pub(super) const BASE: Self = Self {
        key: "",
        column: "",
        error_column: "",
        name: "",
        window: "",
        unit: "",
        better: None,
        digits: 3,
        short: 3,
        help: "",
        value: |_| None,
        error: |_| None,
        interval: |_| None,
    };

    /// What an axis, or the heading of a table of it, says: `PSNR, dB`.
    pub fn axis(&self) -> String {
        if self.unit.is_empty() { self.name.to_owned() } else { format!("{}, {}", self.name, self.unit) }
    }

    /// Whether it has a standard error, be it known of a record or not.
    pub fn has_error(&self) -> bool {
        !self.error_column.is_empty()
    }

    /// A number with its unit: `13.1 dB`, and `0.345` where there is none.
    pub fn with_unit(&self, number: &str) -> String {
        if self.unit.is_empty() { number.to_owned() } else { format!("{number} {}", self.unit) }
    }

    /// The value with its standard error, as the terminal writes it: `0.345 ± 0.012`. None where it was not measured.
    pub fn plain(&self, of: &T) -> Option<String> {
        let (value, digits) = ((self.value)(of)?, self.digits);
        let error = (self.error)(of).map(|error| format!(" ± {error:.digits$}"));
        Some(format!("{value:.digits$}{}", error.unwrap_or_default()))
    }

    /// The value with its 95 % interval: `95.0 (93.1 to 96.8)`. Where that is not known, as [`Self::plain`] has it.
    pub fn with_interval(&self, of: &T) -> Option<String> {
        let (value, digits) = ((self.value)(of)?, self.digits);
        match (self.interval)(of) {
            Some([low, high]) => Some(format!("{value:.digits$} ({low:.digits$} to {high:.digits$})")),
            None => self.plain(of),
        }
    }

    /// What a difference of two values is in: `points` of percent, else the metric's own unit or name.
    pub fn difference_unit(&self) -> &'static str {
        match self.unit {
            "%" => "points",
            "" => self.name,
            unit => unit,
        }
    }

    /// Which of two values is the better one, if either is.
    pub fn better_of(&self, values: [f64; 2]) -> Option<usize> {
        let [a, b] = values;
        let higher = usize::from(b > a);
        (a < b || b < a).then_some(match self.better? {
            Better::Higher => higher,
            Better::Lower => 1 - higher,
        })
    }
}

impl Metric<AttackRecord> {
    /// What it is, and which way a leak gets worse.
    pub fn leak_help(&self) -> String {
        match self.better {
            Some(Better::Lower) => format!("{} Higher is a worse leak.", self.help),
            Some(Better::Higher) => format!("{} Lower is a worse leak.", self.help),
            None => self.help.to_owned(),
        }
    }
}

/// How alike stolen images are.
pub static SSIM: Metric<AttackRecord> = Metric {
    key: "ssim",
    column: "ssim",
    error_column: "ssim_se",
    name: "SSIM",
    window: "SSIM",
    better: Some(Better::Lower),
    short: 2,
    help: "Mean structural similarity of the stolen images with the originals (Gaussian window, data range 1); 1 is the \
           image itself.",
    value: |record| record.has_images().then_some(record.ssim),
    error: |record| record.has_images().then_some(record.ssim_se),
    ..Metric::BASE
};

/// The same at several scales.
pub static MS_SSIM: Metric<AttackRecord> = Metric {
    key: "ms_ssim",
    column: "ms_ssim",
    name: "MS-SSIM",
    window: "MS-SSIM",
    better: Some(Better::Lower),
    short: 2,
    help: "Structural similarity at several scales, nearer to how alike images look: as many of five scales as keep both sides \
           at 11 pixels or more (2 at 28 pixels, 3 at 64), their weights renormalised.",
    value: |record| record.ms_ssim,
    ..Metric::BASE
};

/// How alike those are that nearly all others are below.
pub static SSIM_P95: Metric<AttackRecord> = Metric {
    key: "ssim_p95",
    column: "ssim_p95",
    name: "SSIM, 95th percentile",
    window: "SSIM, 95th percentile",
    better: Some(Better::Lower),
    short: 2,
    help: "The similarity that 95 % of the stolen images are below: a mean hides whoever is recognised.",
    value: |record| record.ssim_p95,
    ..Metric::BASE
};

/// How alike the worst is.
pub static SSIM_WORST: Metric<AttackRecord> = Metric {
    key: "ssim_worst",
    column: "ssim_worst",
    name: "SSIM, worst",
    window: "SSIM, worst image",
    better: Some(Better::Lower),
    short: 2,
    help: "The similarity of the one image that was stolen best.",
    value: |record| record.ssim_worst,
    ..Metric::BASE
};

/// How near they are, in decibels.
pub static PSNR: Metric<AttackRecord> = Metric {
    key: "psnr",
    column: "psnr_db",
    error_column: "psnr_se",
    name: "PSNR",
    window: "PSNR",
    unit: "dB",
    better: Some(Better::Lower),
    digits: 1,
    short: 1,
    help: "Peak signal-to-noise ratio of the stolen images, mean over the images, in decibels.",
    value: |record| record.has_images().then_some(record.psnr),
    error: |record| record.judged.as_ref().map(|judged| judged.psnr_se),
    ..Metric::BASE
};

/// How far apart they are.
pub static MSE: Metric<AttackRecord> = Metric {
    key: "mse",
    column: "mse",
    name: "MSE",
    window: "MSE",
    better: Some(Better::Higher),
    digits: 4,
    short: 4,
    help: "Mean squared error, pixels from 0 to 1.",
    value: |record| record.has_images().then_some(record.mse),
    ..Metric::BASE
};

/// How often an attack is right, in percent.
const SHARE: Metric<AttackRecord> =
    Metric { unit: "%", better: Some(Better::Lower), digits: 1, short: 1, ..Metric::BASE };

/// How often a stolen image picks its target.
pub static LINEUP: Metric<AttackRecord> = Metric {
    key: "lineup",
    column: "lineup_percent",
    error_column: "lineup_se",
    name: "line-up",
    window: "line-up (chance 12.5 %)",
    help: "How often the stolen image picks its target out of a line-up of eight of the same class. By chance 12.5 % are \
           right, and so is any picture made from the label alone.",
    value: |record| record.judged.as_ref().and(record.lineup),
    error: lineup_error,
    ..SHARE
};

/// The same of builds that asked it of far images of any class; never compared with [`LINEUP`].
pub static FAR_LINEUP: Metric<AttackRecord> = Metric {
    column: "far_lineup_percent",
    help: "How often the stolen image picks its target out of eight images, the others far from it and of any class: what \
           older builds asked. A class mean passes it. By chance 12.5 % are right.",
    value: |record| if record.judged.is_some() { None } else { record.lineup },
    key: "lineup",
    name: "line-up",
    window: "line-up (chance 12.5 %)",
    error: lineup_error,
    ..SHARE
};

fn lineup_error(record: &AttackRecord) -> Option<f64> {
    let judged = record.judged.as_ref();
    let held = judged.map_or(record.images, |judged| judged.each.picked.iter().flatten().count());
    record.lineup.map(|rate| share_error(rate, held))
}

/// How far an attack is above the best guess; see [`Lead::of`] for what it is in.
pub static LEAD: Metric<AttackRecord> = Metric {
    key: "lead",
    column: "lead",
    error_column: "lead_se",
    name: "lead",
    window: "lead over guesses",
    better: Some(Better::Lower),
    digits: 1,
    short: 1,
    help: "How far the attack is above the best guess at the same targets, target by target: in points of line-ups, or in \
           SSIM where there are too few of them.",
    value: |record| lead(record).map(|lead| lead.mean),
    error: |record| lead(record).map(|lead| lead.se),
    ..Metric::BASE
};

fn lead(record: &AttackRecord) -> Option<&Lead> {
    record.judged.as_ref()?.lead.as_ref()
}

/// How often an inferred class is right.
pub static LABELS: Metric<AttackRecord> = Metric {
    key: "labels_right",
    column: "labels_right_percent",
    error_column: "labels_right_se",
    name: "labels right",
    window: "labels right",
    help: "How many of the targets' classes the attack inferred from what it saw. Always naming the commonest class among them \
           is right by chance.",
    value: |record| record.labels_right,
    error: |record| record.labels_right.map(|rate| share_error(rate, record.images)),
    ..SHARE
};

impl Lead {
    /// The metric that it is a difference of.
    pub fn metric(&self) -> &'static Metric<AttackRecord> {
        [&LINEUP, &LABELS].into_iter().find(|metric| self.of == metric.key).unwrap_or(&SSIM)
    }
}

/// The line-up of this record: that of older builds where it was judged by them.
pub fn lineup_of(record: &AttackRecord) -> &'static Metric<AttackRecord> {
    if record.judged.is_some() { &LINEUP } else { &FAR_LINEUP }
}

/// What is told of an attack, in the order of the tables.
pub static ATTACKS: [&Metric<AttackRecord>; 10] =
    [&SSIM, &PSNR, &LINEUP, &FAR_LINEUP, &LEAD, &MSE, &LABELS, &MS_SSIM, &SSIM_P95, &SSIM_WORST];

/// A gain of the fused decision, in points; its error where it was measured in pairs.
const GAIN: Metric<Gain> = Metric { unit: "points", digits: 1, short: 1, ..Metric::BASE };

/// What the defence costs or brings.
pub static OVER_CLEAN: Metric<Gain> = Metric {
    key: "over_clean",
    column: "over_clean",
    name: "over clean",
    window: "over clean images",
    better: Some(Better::Higher),
    help: "Fused less vanilla on images as they are: what the defence costs or brings. The one gain that cannot be inflated.",
    value: |gain| Some(gain.over_clean),
    error: |gain| gain.errors.map(|errors| errors[2]),
    ..GAIN
};

/// The paper's first gain.
pub static OVER_ATTACKED: Metric<Gain> = Metric {
    key: "over_attacked",
    column: "over_attacked",
    name: "over attacked",
    window: "over disguised images",
    help: "Fused less vanilla on attacked images. Grows with the strength of the disguise, which the defence itself applies.",
    value: |gain| Some(gain.over_attacked),
    error: |gain| gain.errors.map(|errors| errors[0]),
    ..GAIN
};

/// The paper's second gain.
pub static OVER_RECONSTRUCTED: Metric<Gain> = Metric {
    key: "over_reconstructed",
    column: "over_reconstructed",
    name: "over recovered",
    window: "over cleaned images",
    help: "Fused less vanilla on disguised images that were cleaned in image space. Grows with the disguise too.",
    value: |gain| Some(gain.over_reconstructed),
    error: |gain| gain.errors.map(|errors| errors[1]),
    ..GAIN
};

/// Chance in a line-up, as texts have it: `12.5 %`.
pub fn lineup_chance() -> String {
    LINEUP.with_unit(&CHANCE.to_string())
}

#[cfg(test)]
mod tests;
