//! Anchors: small replicas of published experiments, our value beside theirs. An attack that is weaker here than in its paper
//! flatters every defence.
//!
//! What differs, the data above all, is said with each result: an anchor is no reproduction. `assets/anchors.json` has the
//! results of the last check with the means of the papers.

mod list;

use serde::{Deserialize, Serialize};

pub use list::ANCHORS;

use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::run::launch::Means;
use crate::run::summary::{AttackRecord, Summary};
use crate::score::metrics::{ATTACKS, Metric};
use crate::setting::near;

/// A published experiment, and how a small replica of it is run.
#[derive(Debug)]
pub struct Anchor {
    /// Its name on the command line.
    pub name: &'static str,
    /// The attack's kind.
    pub attack: &'static str,
    /// Data, network and cut, as published.
    pub setting: &'static str,
    /// Whose values they are.
    pub source: &'static str,
    /// What the replica's experiment sets, beside the plain digits.
    pub experiment: &'static [&'static str],
    /// With little time.
    pub quick: Replica,
    /// As published.
    pub paper: Replica,
}

/// A replica with some means.
#[derive(Debug)]
pub struct Replica {
    /// What it sets besides.
    pub set: &'static [&'static str],
    /// What is compared: the attack may have been published at several numbers of steps.
    pub values: &'static [Value],
}

/// A published value.
#[derive(Debug)]
pub struct Value {
    /// The metric's key, one of [`ATTACKS`].
    pub metric: &'static str,
    /// What was published.
    pub published: f64,
    /// How far below it (or above, where lower is nearer to the truth) ours may be, in the metric's unit.
    pub short: f64,
}

/// A value beside the published one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The metric's key.
    pub metric: String,
    /// Ours, a mean over the images.
    pub ours: f64,
    /// Theirs.
    pub published: f64,
    /// How far ours may be on the weak side.
    pub short: f64,
    /// How far ours is on the weak side; below 0 where it is stronger.
    pub weaker_by: f64,
}

/// What a check of an anchor came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// The anchor.
    pub anchor: String,
    /// The attack's kind.
    pub attack: String,
    /// The published setting.
    pub setting: String,
    /// Whose values they are.
    pub source: String,
    /// With what means ours ran.
    pub budget: String,
    /// What ours ran on.
    pub data: String,
    /// Number of targets.
    pub images: usize,
    /// Test accuracy of the model that was attacked, in percent; none of an untrained one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The values.
    pub values: Vec<Compared>,
    /// Seconds of training and attack.
    pub seconds: f64,
}

impl Compared {
    /// Whether ours is weaker by more than it may be.
    pub fn is_weak(&self) -> bool {
        self.weaker_by > self.short
    }

    /// The metric.
    pub fn metric(&self) -> Option<&'static Metric<AttackRecord>> {
        metric(&self.metric)
    }
}

impl Checked {
    /// Whether a value is weaker by more than it may be.
    pub fn is_weak(&self) -> bool {
        self.values.iter().any(Compared::is_weak)
    }

    /// `within 1.2 dB of He 2019`, of its first value.
    pub fn badge(&self) -> String {
        let Some(value) = self.values.first() else { return String::new() };
        let metric = value.metric();
        let (digits, unit) = metric.map_or((3, ""), |metric| (metric.digits, metric.difference_unit()));
        let apart = value.weaker_by.abs();
        let source = &self.source;
        if value.is_weak() {
            format!("weaker than {source} by {apart:.digits$} {unit}")
        } else if value.weaker_by > 0.0 {
            format!("within {apart:.digits$} {unit} of {source}")
        } else {
            format!("{apart:.digits$} {unit} stronger than {source}")
        }
    }
}

/// The metric of this key.
fn metric(key: &str) -> Option<&'static Metric<AttackRecord>> {
    ATTACKS.into_iter().find(|metric| metric.key == key)
}

impl Anchor {
    /// The one of this name.
    ///
    /// # Errors
    /// Returns an error if there is none: lists the known ones and the near one.
    pub fn named(name: &str) -> Result<&'static Self> {
        ANCHORS.iter().find(|anchor| anchor.name == name).ok_or_else(|| {
            let all = || ANCHORS.iter().map(|anchor| anchor.name);
            let near = near(name, all()).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            let all: Vec<&str> = all().collect();
            Error::input(format!("there is no anchor \"{name}\": allowed is {}{near}", all.join(", ")))
        })
    }

    /// What of it such means give.
    pub fn with(&self, means: Means) -> &Replica {
        match means {
            Means::Paper => &self.paper,
            Means::Quick | Means::Default => &self.quick,
        }
    }

    /// The replica with such means, on other images than the built-in ones where a path is given.
    ///
    /// # Errors
    /// Returns an error if a setting does not fit.
    pub fn replica(&self, means: Means, data: Option<&str>) -> Result<Experiment> {
        let mut experiment = Experiment::preset(crate::experiment::preset::PLAIN_DIGITS)?;
        let mut spec = AttackSpec::named(self.attack)?;
        spec.early.clear();
        experiment.attacks = vec![spec];
        self.experiment.iter().chain(self.with(means).set).try_for_each(|assignment| experiment.set(assignment))?;
        if let Some(path) = data {
            experiment.set(&format!("data.path={}", toml::Value::String(path.to_owned())))?;
        }
        experiment.validate()?;
        Ok(experiment)
    }

    /// The replica's result beside the published values.
    ///
    /// # Errors
    /// Returns an error if the replica ended without the attack or a value.
    pub fn compare(&self, means: Means, summary: &Summary) -> Result<Checked> {
        let without = |what: &str| Error::input(format!("the replica {} ended without {what}", self.name));
        let record = summary.attacks.iter().find(|record| record.kind() == self.attack);
        let record = record.ok_or_else(|| without("its attack"))?;
        let compared = |value: &Value| {
            let ours = metric(value.metric).and_then(|metric| (metric.value)(record));
            let ours = ours.ok_or_else(|| without(value.metric))?;
            // Of an error less is stronger, of a likeness more.
            let weaker_by = if value.metric == "mse" { ours - value.published } else { value.published - ours };
            let (metric, published, short) = (value.metric.to_owned(), value.published, value.short);
            Ok(Compared { metric, ours, published, short, weaker_by })
        };
        let data = &summary.experiment.data;
        let accuracy = summary.epochs.iter().rfind(|row| row.epoch == record.epoch).map(|row| row.accuracy);
        Ok(Checked {
            anchor: self.name.to_owned(),
            attack: self.attack.to_owned(),
            setting: self.setting.to_owned(),
            source: self.source.to_owned(),
            budget: means.name().to_owned(),
            data: data_words(&data.name),
            images: record.images,
            accuracy,
            values: self.with(means).values.iter().map(compared).collect::<Result<_>>()?,
            seconds: summary.seconds,
        })
    }
}

fn data_words(name: &str) -> String {
    if name == "mnist" { "the built-in part of MNIST".to_owned() } else { name.to_owned() }
}

/// Results that come with the program, and how they were made.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Kept<T> {
    /// When, as in 2026-11-28.
    pub date: String,
    /// The command.
    pub command: String,
    /// The machine.
    pub machine: String,
    /// The results.
    pub results: Vec<T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { date: String::new(), command: String::new(), machine: String::new(), results: Vec::new() }
    }
}

/// What the last check with the means of the papers came to.
pub fn kept() -> &'static Kept<Checked> {
    static KEPT: std::sync::OnceLock<Kept<Checked>> = std::sync::OnceLock::new();
    KEPT.get_or_init(|| serde_json::from_str(include_str!("../../assets/anchors.json")).unwrap_or_default())
}

/// The badges of an attack's kind, the weakest first; none where no anchor of it was checked.
pub fn badges(kind: &str) -> Vec<String> {
    let mut all: Vec<&Checked> = kept().results.iter().filter(|checked| checked.attack == kind).collect();
    all.sort_by_key(|checked| !checked.is_weak());
    all.into_iter().map(|checked| format!("{}: {}", checked.setting, checked.badge())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::kind::HE_2019;

    #[test]
    fn every_replica_is_an_experiment_that_can_run() {
        for anchor in &ANCHORS {
            for means in [Means::Quick, Means::Paper] {
                let experiment = anchor.replica(means, None).unwrap_or_else(|e| panic!("{}: {e}", anchor.name));
                assert!(experiment.attacks.len() == 1 && !experiment.defended(), "{}", anchor.name);
                let values = anchor.with(means).values;
                assert!(!values.is_empty() && values.iter().all(|one| metric(one.metric).is_some()), "{}", anchor.name);
            }
            assert!(ANCHORS.iter().filter(|other| other.name == anchor.name).count() == 1, "{}", anchor.name);
        }
        assert!(Anchor::named("rmle-conv").unwrap_err().to_string().contains("did you mean \"rmle-conv1\"?"));
    }

    #[test]
    fn published_values_are_those_on_the_attacks_cards() {
        for anchor in ANCHORS.iter().filter(|anchor| anchor.source == HE_2019) {
            let kind = crate::workbench::attack(anchor.attack).unwrap();
            let values = anchor.paper.values;
            let [psnr, ssim] =
                ["psnr", "ssim"].map(|key| values.iter().find(|value| value.metric == key).unwrap().published);
            assert!(kind.published.iter().any(|one| one.psnr == psnr && one.ssim == ssim), "{}", anchor.name);
        }
    }

    #[test]
    fn a_badge_says_how_far_ours_is_and_on_which_side() {
        let checked = |weaker_by| Checked {
            anchor: "x".to_owned(),
            attack: "rmle".to_owned(),
            setting: "a network".to_owned(),
            source: "He 2019".to_owned(),
            budget: "quick".to_owned(),
            data: "digits".to_owned(),
            images: 8,
            accuracy: None,
            values: vec![Compared { metric: "psnr".to_owned(), ours: 0.0, published: 0.0, short: 1.5, weaker_by }],
            seconds: 1.0,
        };
        assert_eq!(checked(1.2).badge(), "within 1.2 dB of He 2019");
        assert_eq!(checked(-3.0).badge(), "3.0 dB stronger than He 2019");
        assert_eq!(checked(4.0).badge(), "weaker than He 2019 by 4.0 dB");
        assert!(checked(4.0).is_weak() && !checked(1.5).is_weak());
    }

    #[test]
    fn kept_results_can_be_read_and_are_of_known_anchors() {
        let kept: Kept<Checked> = serde_json::from_str(include_str!("../../assets/anchors.json")).unwrap();
        for checked in &kept.results {
            let anchor = Anchor::named(&checked.anchor).unwrap();
            let published: Vec<f64> = checked.values.iter().map(|value| value.published).collect();
            let values = anchor.with(Means::named(&checked.budget).unwrap()).values;
            assert_eq!(published, values.iter().map(|value| value.published).collect::<Vec<_>>());
        }
    }
}
