//! Whether a defence helps to answer right: it is held against the controls on its card, which leave a part of it out at equal
//! capacity, and against no defence; seed by seed, and on the same test images.

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::gather::{Gathered, Model, Setting};
use super::points::{Spread, utility};
use super::read::{Run, Runs};
use super::verdict::unfit;
use crate::anchor::Kept;
use crate::data::Draw;
use crate::defence::{Control, Kind};
use crate::random::Seed;
use crate::run::folder::PREDICTIONS;
use crate::run::predictions::Predictions;
use crate::score::image::mean_and_error;
use crate::score::intervals::{Answers, paired};
use crate::score::metrics::{ACCURACY, BALANCED, Metric};
use crate::score::paired::interval;
use crate::score::record::Row;
use crate::split::SplitModel;
use crate::workbench;

/// Of fewer seeds nothing is concluded.
pub const SEEDS: usize = 5;

/// What the bootstrap over images draws by.
const BOOTSTRAP: Seed = Seed(0);

/// A defence as a whole, with what it is held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The defence's name.
    pub defence: String,
    /// Its setting, with no part left out.
    pub setting: String,
    /// The key of the metric that right answers are counted by.
    pub metric: String,
    /// Its right answers over all its seeds, in percent.
    pub right: Spread,
    /// What it is held against; at least one is a control.
    pub held: Vec<Held>,
    /// Controls of its card that no run has.
    pub lacking: Vec<String>,
    /// Weights of client and server; none where the runs keep nothing of their data.
    pub weights: Option<[usize; 2]>,
}

/// A setting beside which a defence stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// What it is, in words.
    pub words: String,
    /// Which setting.
    pub setting: String,
    /// Its right answers over all its seeds, in percent.
    pub right: Spread,
    /// Seeds that both have.
    pub seeds: usize,
    /// Right answers of the defence and of this, in percent, over those seeds.
    pub means: [f64; 2],
    /// By how many points the defence is above this.
    pub difference: f64,
    /// The difference's 95 % interval over seeds in pairs; none of one seed.
    pub by_seed: Option<[f64; 2]>,
    /// The same over test images; none where the runs do not keep what they answered.
    pub by_image: Option<OverImages>,
    /// Weights of client and server.
    pub weights: Option<[usize; 2]>,
    /// Why nothing is concluded from the two: models that are of no use, or still learn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// A 95 % interval over test images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverImages {
    /// From where to where.
    pub ends: [f64; 2],
    /// Witnesses: test images, or patients where they are known.
    pub units: usize,
    /// Whether these are patients.
    pub patients: bool,
}

/// Whether a defence helps to answer right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helps {
    /// It is above all that it is held against.
    Yes,
    /// It is below all of them.
    No,
    /// Neither was shown.
    NoEvidence,
}

/// How often a defence answers right beside another setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// More often, beyond chance.
    More,
    /// Less often, beyond chance.
    Less,
    /// Nothing can be said.
    NoEvidence,
}

impl Stands {
    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::More => "more often",
            Self::Less => "less often",
            Self::NoEvidence => "no evidence",
        }
    }
}

impl Held {
    /// Both intervals have to be on one side of 0, and it takes five seeds of models that are trained. Where there is none over
    /// images, the one over seeds decides.
    pub fn stands(&self) -> Stands {
        let enough = self.seeds >= SEEDS && self.doubt.is_none();
        let Some(by_seed) = self.by_seed.filter(|_| enough) else { return Stands::NoEvidence };
        let all = || std::iter::once(by_seed).chain(self.by_image.as_ref().map(|over| over.ends));
        if all().all(|[low, _]| low > 0.0) {
            Stands::More
        } else if all().all(|[_, high]| high < 0.0) {
            Stands::Less
        } else {
            Stands::NoEvidence
        }
    }
}

impl Question {
    /// Whether the defence helps: where it is above each that it is held against, and none of its controls is lacking.
    pub fn helps(&self) -> Helps {
        let all = |wanted: Stands| self.held.iter().all(|held| held.stands() == wanted);
        if all(Stands::More) && self.lacking.is_empty() {
            Helps::Yes
        } else if all(Stands::Less) {
            Helps::No
        } else {
            Helps::NoEvidence
        }
    }

    /// What right answers are counted by.
    pub fn metric(&self) -> &'static Metric<Row> {
        if self.metric == BALANCED.key { &BALANCED } else { &ACCURACY }
    }

    /// What the defence is called in a sentence.
    pub fn title(&self) -> &str {
        workbench::defence(&self.defence).map_or(&self.defence, |kind| kind.title)
    }

    /// Every defence in the runs that stands alone, has no part left out, and has at least one of its controls beside it.
    pub fn all(runs: &Runs, all: &Gathered) -> Vec<Self> {
        let kinds = workbench::defences().iter().copied().filter(|kind| !kind.controls.is_empty());
        let of = |kind: &'static Kind| {
            let alone =
                move |setting: &&Setting| setting.defence.as_deref() == Some(kind.id) && is_whole(kind, setting);
            all.settings.iter().filter(alone).filter_map(move |whole| Self::of(runs, all, kind, whole))
        };
        kinds.flat_map(of).collect()
    }

    fn of(runs: &Runs, all: &Gathered, kind: &'static Kind, whole: &Setting) -> Option<Self> {
        let metric = utility(all);
        let (mut held, mut lacking) = (Vec::new(), Vec::new());
        for control in kind.controls {
            let found = all.settings.iter().find(|other| is_control(kind, control, whole, other));
            match found.and_then(|setting| hold(runs, metric, whole, setting, control.words.to_owned())) {
                Some(one) => held.push(one),
                None => lacking.push(control.words.to_owned()),
            }
        }
        if held.is_empty() {
            return None;
        }
        for setting in undefended(all, whole) {
            let which = setting.label.split_once(", ").map(|(_, which)| format!(" ({which})")).unwrap_or_default();
            held.extend(hold(runs, metric, whole, setting, format!("a model without a defence{which}")));
        }
        Some(Self {
            defence: kind.id.to_owned(),
            setting: whole.label.clone(),
            metric: metric.key.to_owned(),
            right: right(metric, whole)?,
            held,
            lacking,
            weights: weights(runs, whole),
        })
    }
}

/// Whether none of its controls has to do with a setting: each has it otherwise.
fn is_whole(kind: &Kind, setting: &Setting) -> bool {
    let otherwise = |control: &Control| {
        control.set.iter().all(|(key, value)| value_of(kind, key, setting).is_some_and(|own| *own != value.value()))
    };
    kind.controls.iter().all(otherwise)
}

fn value_of<'a>(kind: &Kind, key: &str, setting: &'a Setting) -> Option<&'a toml::Value> {
    setting.values.get(format!("{}.{key}", kind.place()).as_str())
}

/// Whether a setting is this control of another: the same in all but what the control sets.
fn is_control(kind: &Kind, control: &Control, whole: &Setting, other: &Setting) -> bool {
    let place = kind.place();
    let expected = |key: &str, own: &toml::Value| {
        let set = control
            .set
            .iter()
            .find(|(leaf, _)| key.strip_prefix(&place).and_then(|k| k.strip_prefix('.')) == Some(*leaf));
        set.map_or_else(|| own.clone(), |(_, value)| value.value())
    };
    (&other.defence, other.values.len()) == (&whole.defence, whole.values.len())
        && whole.values.iter().all(|(key, own)| other.values.get(key) == Some(&expected(key, own)))
}

/// Undefended settings that a defence may stand beside: the one that it is held against elsewhere, or else all that are the same
/// but for their network.
fn undefended<'a>(all: &'a Gathered, whole: &Setting) -> Vec<&'a Setting> {
    if let Some(baseline) = all.baseline(whole) {
        return vec![baseline];
    }
    let of_model: Vec<&str> = whole.values.keys().copied().filter(|key| key.starts_with("model.")).collect();
    let same =
        |other: &&Setting| !other.defended() && other.values_without(&of_model) == whole.values_without(&of_model);
    all.settings.iter().filter(same).collect()
}

/// Holds a defence against a setting; none where they have no seed in common.
fn hold(runs: &Runs, metric: &'static Metric<Row>, whole: &Setting, setting: &Setting, words: String) -> Option<Held> {
    let value = |model: &Model| (metric.value)(model.row()?);
    let pairs = whole.models.iter().filter_map(|model| {
        let other = setting.models.iter().find(|other| other.seed == model.seed)?;
        Some(((model, other), (value(model)?, value(other)?)))
    });
    let (pairs, values): (Vec<_>, Vec<_>) = pairs.unzip();
    let (own, its): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
    if own.is_empty() {
        return None;
    }
    let means = [&own, &its].map(|all| mean_and_error(all).0);
    Some(Held {
        words,
        setting: setting.label.clone(),
        right: right(metric, setting)?,
        seeds: own.len(),
        means,
        difference: means[0] - means[1],
        by_seed: interval(&own, &its),
        by_image: over_images(runs, metric, &pairs),
        weights: weights(runs, setting),
        doubt: [whole, setting].into_iter().find_map(|one| Some(unfit(one).first()?.why())),
    })
}

fn right(metric: &'static Metric<Row>, setting: &Setting) -> Option<Spread> {
    Spread::over(setting, |model| (metric.value)(model.row()?))
}

/// What a model answered to its test images, and the truth.
struct Answered {
    classes: Vec<u32>,
    labels: Vec<u32>,
    patients: Option<Vec<u32>>,
}

fn answered(runs: &Runs, model: &Model) -> Option<Answered> {
    let (mut all, labels, patients) = Predictions::read(&run_of(runs, model)?.folder.join(PREDICTIONS)).ok()?;
    Some(Answered { classes: all.classes.remove(&model.row()?.name)?, labels, patients })
}

fn run_of<'a>(runs: &'a Runs, model: &Model) -> Option<&'a Run> {
    runs.finished.get(*model.runs.first()?)
}

/// The interval over test images, all seeds together: what answers the same image in each seed is one witness. None where any
/// run does not keep its answers.
fn over_images(runs: &Runs, metric: &Metric<Row>, pairs: &[(&Model, &Model)]) -> Option<OverImages> {
    let which = [&ACCURACY, &BALANCED].into_iter().position(|one| one == metric)?;
    let (mut own, mut its) = (Vec::new(), Vec::new());
    let (mut labels, mut units, mut patients) = (Vec::new(), Vec::new(), true);
    for (i, (a, b)) in pairs.iter().enumerate() {
        let (one, other) = (answered(runs, a)?, answered(runs, b)?);
        if one.labels != other.labels {
            return None;
        }
        let n = u32::try_from(one.labels.len()).ok()?;
        // Where each seed draws test images of its own, it is not known which come twice, and each counts by itself.
        let first = if tests_on_all(run_of(runs, a)?) { 0 } else { n.checked_mul(u32::try_from(i).ok()?)? };
        patients &= one.patients.is_some();
        units.extend(one.patients.unwrap_or_else(|| (first..first + n).collect()));
        own.extend(one.classes);
        its.extend(other.classes);
        labels.extend(one.labels);
    }
    let classes = labels.iter().chain(&own).chain(&its).max().map_or(0, |most| *most as usize + 1);
    let of = |predicted| Answers { predicted, labels: &labels, classes, shares: None, units: Some(&units) };
    let ends = paired(&of(&own), &of(&its), BOOTSTRAP)?[which];
    let count = units.iter().collect::<std::collections::BTreeSet<_>>().len();
    Some(OverImages { ends, units: count, patients })
}

/// Whether every seed has the same test images.
fn tests_on_all(run: &Run) -> bool {
    let data = &run.summary.experiment.data;
    let all = run.data.as_ref().is_some_and(|kept| data.test >= kept.test.images);
    data.test == 0 || all || data.draw == Draw::First
}

/// Weights that training changes in client and server. Nothing is trained for that.
fn weights(runs: &Runs, setting: &Setting) -> Option<[usize; 2]> {
    let model = setting.models.first()?;
    let run = run_of(runs, model)?;
    let data = run.data.as_ref()?;
    let plans = run.summary.experiment.split_plans(data.shape, data.classes.len()).ok()?;
    let plan = plans.into_iter().find(|plan| plan.name == model.target)?;
    let made = SplitModel::new(plan, Seed(0), &Device::Cpu).ok()?;
    let count = |parameters: &crate::model::parameters::Parameters| {
        parameters.trained().map(|(_, weight)| weight.elem_count()).sum()
    };
    Some([count(made.client.parameters()), count(made.server.parameters())])
}

/// What the sweep `recognition` came to when it was last run; nothing where it was not.
pub fn kept() -> &'static Kept<Question> {
    static KEPT: std::sync::OnceLock<Kept<Question>> = std::sync::OnceLock::new();
    KEPT.get_or_init(|| serde_json::from_str(include_str!("../../assets/recognition.json")).unwrap_or_default())
}

#[cfg(test)]
mod tests;
