//! The models and their attacks: the defence that one begins with at its own strength, noise at the strength that costs as much
//! accuracy, and no defence.

use std::time::Instant;

use super::{Attacked, Model, Part, Tested, Trained};
use crate::defence::{Kind, image_noise, weight_noise};
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::run::launch::Means;
use crate::run::summary::{AttackRecord, Summary};
use crate::score::floor::Guess;
use crate::score::pooled::pooled;
use crate::score::record::Each;
use crate::setting::Kind as Range;
use crate::workbench::usual_defence;

use super::rule::ALIKE;

/// The seeds of a test.
pub const SEEDS: [u64; 3] = [0, 1, 2];
/// What the claim is about.
static NOISES: [&Kind; 2] = [&image_noise::KIND, &weight_noise::KIND];
/// The attacks.
const ATTACKS: [&str; 3] = ["dlg", "idlg", "inverting"];
/// Trainings that the search for one strength may take.
const TRIES: usize = 8;
/// The strength that it begins with.
const FIRST: f64 = 0.4;

/// What all models have in common: the sigmoid network of the attacks' first paper without its third convolution, since with
/// it noise on images has the training stand still and costs all or nothing.
const NETWORK: &str = "digits; two convolutions with sigmoids and a linear layer, cut behind the first sigmoid";
const COMMON: [&str; 7] = [
    "model.name=sigmoid-cnn",
    "model.layers=[{ conv = 12, kernel = 5, stride = 2, padding = 2 }, \"sigmoid\", \
     { conv = 12, kernel = 5, stride = 2, padding = 2 }, \"sigmoid\", \"flatten\", { linear = 10 }]",
    "model.cut=2",
    "train.batch=32",
    "train.rate=3e-3",
    "train.twin=false",
    "evaluate.mu_images=1",
];
/// With little time: some quarter of an hour.
const QUICK: [&str; 7] = [
    "train.epochs=4",
    "attack.dlg.images=11",
    "attack.idlg.images=11",
    "attack.inverting.images=11",
    "attack.dlg.restarts=3",
    "attack.idlg.restarts=3",
    "attack.inverting.iterations=1000",
];
/// With the attacks' own defaults, for hours.
const PAPER: [&str; 4] =
    ["train.epochs=12", "attack.dlg.images=64", "attack.idlg.images=64", "attack.inverting.images=64"];

/// What is to be tested.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// With what means.
    pub means: Means,
    /// A model of each kind for each.
    pub seeds: &'a [u64],
    /// What every experiment changes besides.
    pub set: &'a [String],
}

/// The experiments of a test.
#[derive(Clone, Copy)]
struct Plan<'a> {
    wanted: Wanted<'a>,
    seed: u64,
}

impl Plan<'_> {
    /// One model, under a defence of this strength, or of its own.
    fn model(self, defence: Option<&'static Kind>, strength: Option<f64>) -> Result<Experiment> {
        let mut experiment = Experiment::preset(crate::experiment::preset::PLAIN_DIGITS)?;
        experiment.seed = self.seed;
        experiment.attacks = ATTACKS.iter().map(|name| AttackSpec::named(name)).collect::<Result<_>>()?;
        experiment.attacks.iter_mut().for_each(|spec| spec.early.clear());
        let more: &[&str] = if self.wanted.means == Means::Paper { &PAPER } else { &QUICK };
        COMMON.iter().chain(more).try_for_each(|assignment| experiment.set(assignment))?;
        if let Some(kind) = defence {
            let [key, value] = kind.switched_on();
            experiment.set(&format!("{key}={value}"))?;
            if let Some((strength, key)) = strength.zip(lever(kind)) {
                experiment.set(&format!("{key}={strength}"))?;
                // Who knows of noise searches as who does not, only from elsewhere: once will do.
                experiment.attacks.iter_mut().for_each(|spec| spec.naive = false);
            }
        }
        self.wanted.set.iter().try_for_each(|assignment| experiment.set(assignment))?;
        experiment.validate()?;
        Ok(experiment)
    }

    /// The same without attacks.
    fn training(self, defence: &'static Kind, strength: f64) -> Result<Experiment> {
        Ok(Experiment { attacks: Vec::new(), ..self.model(Some(defence), Some(strength))? })
    }
}

/// Where documents have a defence's first lever, which is its strength.
fn lever(kind: &Kind) -> Option<String> {
    kind.levers.first().map(|lever| format!("{}.{}", kind.place(), lever.key))
}

/// How strong a defence can be.
fn most(kind: &Kind) -> f64 {
    let own = kind.levers.first().and_then(|lever| kind.settings.iter().find(|setting| setting.key == lever.key));
    match own.map(|setting| setting.kind) {
        Some(Range::Real { max, .. }) => max,
        _ => 1.0,
    }
}

/// The models of one kind, seed by seed, with what their runs came to.
struct Row {
    kind: Option<&'static Kind>,
    part: Part,
    trained: Vec<Trained>,
    attacks: Vec<Vec<AttackRecord>>,
    name: String,
}

impl Row {
    fn new(kind: Option<&'static Kind>, part: Part) -> Self {
        Self { kind, part, trained: Vec::new(), attacks: Vec::new(), name: String::new() }
    }

    /// Takes in a model's run.
    fn take(&mut self, summary: Summary, target: Option<f64>) -> Result<f64> {
        let accuracy = accuracy(&summary)?;
        let strength =
            self.kind.and_then(lever).and_then(|key| summary.experiment.values().get(key.as_str())?.as_float());
        let (seed, strength) = (summary.seed, strength.unwrap_or(0.0));
        let apart = target.map_or(0.0, |target| accuracy - target);
        self.trained.push(Trained { seed, accuracy, strength, apart });
        self.name = summary.epochs.last().map(|row| row.model.clone()).unwrap_or_default();
        self.attacks.push(summary.attacks);
        Ok(accuracy)
    }

    fn model(self) -> Model {
        let all: Vec<&[AttackRecord]> = self.attacks.iter().map(Vec::as_slice).collect();
        let (guesses, attacks): (Vec<_>, Vec<_>) =
            pooled(&all).into_iter().map(lighter).partition(|record| Guess::of(record).is_some());
        let leads = |record: &AttackRecord| {
            let same = |other: &&AttackRecord| (&other.name, other.adaptive) == (&record.name, record.adaptive);
            let lead = |all: &&[AttackRecord]| Some(all.iter().find(same)?.judged.as_ref()?.lead.as_ref()?.mean);
            all.iter().filter_map(lead).collect()
        };
        Model {
            name: self.name,
            symbol: self.kind.map_or("", |kind| kind.symbol).to_owned(),
            part: self.part,
            trained: self.trained,
            attacks: attacks.into_iter().map(|record| Attacked { leads: leads(&record), record }).collect(),
            guesses,
        }
    }
}

/// Without what no verdict reads.
fn lighter(mut record: AttackRecord) -> AttackRecord {
    if let Some(judged) = &mut record.judged {
        judged.each = Each { picked: std::mem::take(&mut judged.each.picked), ..Each::default() };
        judged.tries.clear();
    }
    record
}

/// Test accuracy of a run's only model after its last epoch, in percent.
fn accuracy(summary: &Summary) -> Result<f64> {
    let last = summary.epochs.last().map(|row| row.accuracy).filter(|accuracy| accuracy.is_finite());
    last.ok_or_else(|| Error::input("the model was not trained: train.epochs is 0"))
}

/// Tests the claim. `run` runs an experiment of one model to its end, which it is told in words.
///
/// # Errors
/// Returns the error of `run`, or an error if a setting does not fit.
pub fn tested(wanted: Wanted<'_>, run: &mut dyn FnMut(&str, Experiment) -> Result<Summary>) -> Result<Tested> {
    let start = Instant::now();
    let usual = usual_defence();
    let mut beside = Row::new(Some(usual), Part::Beside);
    let mut undefended = Row::new(None, Part::Undefended);
    let mut noises = NOISES.map(|kind| Row::new(Some(kind), Part::Noise));
    for seed in wanted.seeds {
        let plan = Plan { wanted, seed: *seed };
        let told = |what: &str| format!("seed {seed}: {what}");
        let target = beside.take(run(&told(usual.title), plan.model(Some(usual), None)?)?, None)?;
        undefended.take(run(&told("no defence"), plan.model(None, None)?)?, None)?;
        for (kind, row) in NOISES.iter().zip(&mut noises) {
            // What cost as much at the seed before is likely to do so here.
            let before = row.trained.last().map(|trained| trained.strength);
            let mut try_out = |strength: f64| {
                let words = format!("{}, {} {strength:.4} for {target:.1} %", kind.title, kind.symbol);
                accuracy(&run(&told(&words), plan.training(kind, strength)?)?)
            };
            let strength = matched(target, most(kind), before, &mut try_out)?;
            row.take(run(&told(kind.title), plan.model(Some(kind), Some(strength))?)?, Some(target))?;
        }
    }
    let rows = [undefended].into_iter().chain(noises).chain([beside]);
    Ok(Tested {
        budget: wanted.means.name().to_owned(),
        network: NETWORK.to_owned(),
        set: wanted.set.to_vec(),
        models: rows.map(Row::model).collect(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// The strength, `most` at most, at which a model is as accurate as wanted: the stronger, the less accurate. It is doubled
/// until it costs too much, then halved between. Where none is found it is the one that came nearest.
pub(super) fn matched(
    target: f64,
    most: f64,
    first: Option<f64>,
    accuracy: &mut dyn FnMut(f64) -> Result<f64>,
) -> Result<f64> {
    let (mut low, mut high) = (0.0, None);
    let (mut at, mut best) = (first.unwrap_or(FIRST).min(most), (f64::INFINITY, 0.0));
    for _ in 0..TRIES {
        let apart = accuracy(at)? - target;
        if apart.abs() < best.0 {
            best = (apart.abs(), at);
        }
        if apart.abs() <= ALIKE || apart > 0.0 && at >= most {
            break;
        }
        if apart > 0.0 {
            low = at;
        } else {
            high = Some(at);
        }
        at = high.map_or(2.0 * at, |high| 0.5 * (low + high)).min(most);
    }
    Ok(best.1)
}
