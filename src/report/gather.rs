//! What the runs say, grouped: models by the setting that they were trained with, one a seed.
//!
//! A run trains a defended model, an undefended one, or both; each is a model here. Two models are of one setting where
//! everything but the seed is the same that training depends on: attacks, threads and what is measured are not. The same
//! model in several runs, as where attacks were spread over them, counts once, with all its attacks.

use std::collections::BTreeSet;

use super::read::Run;
use crate::defence::entry::AS_THEY_ARE;
use crate::experiment::{Experiment, Values, setting_words};
use crate::model::wire::WireCount;
use crate::run::summary::{AttackRecord, EpochRow, Gain, Reidentified, Row, Summary};
use crate::score::meters::Meters;
use crate::score::verdict::{Case, is_attack};
use crate::setting::split;
use crate::split::UNDEFENDED;
use crate::workbench;

/// Keys that make no other model.
const WITHOUT_EFFECT: [&str; 5] = ["seed", "threads", "device", "train.twin", "data.name"];

/// One trained model.
#[derive(Clone, Debug)]
pub struct Model {
    /// The runs that have it, by their places; its numbers are those of the first.
    pub runs: Vec<usize>,
    /// Its seed.
    pub seed: u64,
    /// Its name in the run.
    pub target: String,
    /// Attacks at it, and the guesses at their targets.
    pub attacks: Vec<AttackRecord>,
    /// Test accuracies by epoch, of all models of the run.
    pub epochs: Vec<EpochRow>,
    /// The table.
    pub rows: Vec<Row>,
    /// What crossed the wire in training; none where that was not counted by model.
    pub wire: Option<WireCount>,
    /// Milliseconds an image costs the client; none where that was not measured.
    pub client_ms: Option<f64>,
    /// Whom attacks at it find again.
    pub reidentified: Vec<Reidentified>,
    /// Whose each target is.
    pub patients: Option<Vec<u32>>,
    /// Gains over the run's own undefended twin.
    pub gain: Option<Gain>,
    /// After which epoch it was judged, where that is not the last.
    pub final_epoch: Option<usize>,
}

/// Models that differ in their seed alone.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its defences with their strengths, and what else tells it from the other settings.
    pub label: String,
    /// The ids of its defences; none where it has none.
    pub defence: Option<String>,
    /// What it is made of.
    pub values: Values,
    /// Whether it is a twin that pools its input, as the model beside it does under a defence that packs images.
    pub pools: bool,
    /// Whether its own images are packed so.
    pub packs: bool,
    /// By seed.
    pub models: Vec<Model>,
}

/// All settings, undefended ones first.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// In this order.
    pub settings: Vec<Setting>,
}

impl Model {
    /// What a verdict on it is made of.
    pub fn case(&self) -> Case<'_> {
        Case { attacks: &self.attacks, epochs: &self.epochs, rows: &self.rows }
    }

    /// The table's row of its decision.
    pub fn row(&self) -> Option<&Row> {
        self.case().final_row(&self.target)
    }

    /// What the leak meters showed at the weights that it was judged with.
    pub fn meters(&self) -> Option<Meters> {
        let its = || self.epochs.iter().filter(|row| row.model == self.target);
        let last = its().map(|row| row.epoch).max();
        its().find(|row| Some(row.epoch) == self.final_epoch.or(last))?.meters
    }

    /// Attacks at it after its training, or at the weights that it was judged with.
    pub fn last_attacks(&self) -> impl Iterator<Item = &AttackRecord> {
        let last = self.attacks.iter().filter(|record| is_attack(record)).map(|record| record.epoch).max();
        self.attacks.iter().filter(move |record| is_attack(record) && Some(record.epoch) == last)
    }
}

impl Setting {
    /// Its seeds.
    pub fn seeds(&self) -> Vec<u64> {
        self.models.iter().map(|model| model.seed).collect()
    }

    /// Whether it has a defence.
    pub fn defended(&self) -> bool {
        self.defence.is_some()
    }

    /// After how many layers it is cut.
    pub fn cut(&self) -> Option<i64> {
        self.values.get("model.cut")?.as_integer()
    }

    /// Its values but for those of defences, and for these keys.
    pub fn values_without(&self, keys: &[&str]) -> Values {
        let sections = defence_sections();
        let kept = |key: &str| !keys.contains(&key) && !sections.iter().any(|section| split(key).0 == section);
        self.values.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (*key, value.clone())).collect()
    }
}

impl Gathered {
    /// What the runs say.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a Summary>) -> Self {
        let mut settings: Vec<Setting> = Vec::new();
        for (place, summary) in runs.into_iter().enumerate() {
            for target in targets(summary) {
                put(&mut settings, setting_of(summary, &target), model_of(summary, place, target));
            }
        }
        for setting in &mut settings {
            setting.models.sort_by_key(|model| model.seed);
        }
        name(&mut settings);
        let order = |one: &Setting| (one.defence.clone(), one.cut(), in_order(&one.label));
        settings.sort_by_cached_key(order);
        Self { settings }
    }

    /// Of finished runs.
    pub fn of_runs(runs: &[Run]) -> Self {
        Self::of(runs.iter().map(|run| &run.summary))
    }

    /// Settings, by their places, that differ in the settings of their own defences alone: strengths, and parts left out. Families of
    /// one are left out.
    pub fn families(&self) -> Vec<Vec<usize>> {
        let mut all: Vec<Vec<usize>> = Vec::new();
        for (place, setting) in self.settings.iter().enumerate().filter(|(_, setting)| setting.defended()) {
            let alike = |other: &Setting| {
                other.defence == setting.defence && other.values_without(&[]) == setting.values_without(&[])
            };
            match all.iter_mut().find(|family| alike(&self.settings[family[0]])) {
                Some(family) => family.push(place),
                None => all.push(vec![place]),
            }
        }
        all.retain(|family| family.len() > 1);
        all
    }

    /// The undefended setting that one is held against: the twin that pools as it packs, or else the same network.
    pub fn baseline(&self, setting: &Setting) -> Option<&Setting> {
        let same = |other: &&Setting| {
            !other.defended() && other.values_without(&[]) == setting.values_without(&[]) && setting.defended()
        };
        let of = |pools: bool| self.settings.iter().filter(same).find(|other| other.pools == pools);
        of(setting.packs).or_else(|| of(!setting.packs))
    }
}

/// What labels are sorted by: numbers in them by their size.
fn in_order(label: &str) -> Vec<(u64, String)> {
    let word = |word: &str| {
        let number =
            word.trim_end_matches(',').parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        // The bits of numbers that are not negative stand in their order; words come after all of them.
        number.map_or_else(|| (u64::MAX, word.to_owned()), |number| (number.to_bits(), String::new()))
    };
    label.split(' ').map(word).collect()
}

/// Where documents have the settings of each defence.
fn defence_sections() -> Vec<String> {
    workbench::defences().iter().map(|kind| kind.place()).collect()
}

/// The model that a run is about: the defended one, or the undefended one of a run without a defence.
pub fn own_model(summary: &Summary) -> String {
    defended_model(summary).unwrap_or_else(|| UNDEFENDED.to_owned())
}

fn defended_model(summary: &Summary) -> Option<String> {
    summary.experiment.stack().ok().map(|stack| stack.label()).filter(|label| !label.is_empty())
}

/// The models that a run trained.
fn targets(summary: &Summary) -> Vec<String> {
    let case = summary.case();
    let all = defended_model(summary).into_iter().chain([UNDEFENDED.to_owned()]);
    all.filter(|target| case.final_row(target).is_some()).collect()
}

/// The setting of a run's model, without its label and models.
fn setting_of(summary: &Summary, target: &str) -> Setting {
    let experiment = &summary.experiment;
    let stack = experiment.stack().ok();
    let packs = stack.as_ref().is_some_and(|stack| stack.entry() != &AS_THEY_ARE);
    let defended = target != UNDEFENDED;
    let words = stack.filter(|_| defended).map(|stack| stack.words());
    Setting {
        label: words.unwrap_or_else(|| "no defence".to_owned()),
        defence: defended.then(|| target.to_owned()),
        values: counted(experiment, defended),
        pools: packs && !defended,
        packs: packs && defended,
        models: Vec::new(),
    }
}

/// The values that make a model what it is; of defences those of its own alone.
fn counted(experiment: &Experiment, defended: bool) -> Values {
    let own: BTreeSet<String> = match experiment.stack() {
        Ok(stack) if defended => stack.iter().map(|setup| setup.kind.place()).collect(),
        _ => BTreeSet::new(),
    };
    let sections = defence_sections();
    let counts = |key: &str| {
        let section = split(key).0;
        let measured = section == "evaluate" || section.starts_with("attack");
        let of_other = sections.iter().any(|other| other == section) && !own.contains(section);
        !measured && !of_other && !WITHOUT_EFFECT.contains(&key)
    };
    experiment.values().into_iter().filter(|(key, _)| counts(key)).collect()
}

fn model_of(summary: &Summary, place: usize, target: String) -> Model {
    let its = |name: &str| name == target;
    let wire = summary.wire.models.iter().find(|(name, _)| its(name)).map(|(_, count)| count);
    let client_ms = summary.client_ms_per_image.iter().find(|(name, _)| its(name)).map(|(_, ms)| ms);
    let final_epoch = summary.final_epoch.as_ref().and_then(|all| all.iter().find(|(name, _)| its(name)));
    Model {
        runs: vec![place],
        seed: summary.seed,
        attacks: summary.attacks.iter().filter(|record| record.target == target).cloned().collect(),
        epochs: summary.epochs.clone(),
        rows: summary.rows.clone(),
        wire,
        client_ms,
        reidentified: summary
            .reidentified
            .iter()
            .filter(|row| row.target.as_deref() == Some(&target))
            .cloned()
            .collect(),
        patients: summary.target_patients.clone(),
        gain: summary.gain.clone().filter(|_| target != UNDEFENDED),
        final_epoch: final_epoch.map(|(_, epoch)| epoch),
        target,
    }
}

/// Adds a model to its setting. Where that has one of its seed, the two are one model.
fn put(settings: &mut Vec<Setting>, setting: Setting, model: Model) {
    let same = |other: &&mut Setting| {
        (&other.label, &other.values, other.pools) == (&setting.label, &setting.values, setting.pools)
    };
    let Some(known) = settings.iter_mut().find(same) else {
        settings.push(Setting { models: vec![model], ..setting });
        return;
    };
    let Some(twin) = known.models.iter_mut().find(|other| other.seed == model.seed) else {
        known.models.push(model);
        return;
    };
    for record in model.attacks {
        if !twin.attacks.iter().any(|known| is_same(known, &record)) {
            twin.attacks.push(record);
        }
    }
    twin.runs.extend(model.runs);
}

/// Whether two records are of one attack that came to one result.
fn is_same(a: &AttackRecord, b: &AttackRecord) -> bool {
    let key = |record: &AttackRecord| {
        (record.adaptive, record.epoch, record.images, record.iterations, record.ssim.to_bits(), record.mse.to_bits())
    };
    a.name == b.name && key(a) == key(b)
}

/// Adds to the labels what tells settings apart: what differs among all of them, and what differs between those whose
/// defences are called alike.
fn name(settings: &mut [Setting]) {
    let sections = defence_sections();
    let of_defence = |key: &str| sections.iter().any(|section| split(key).0 == section);
    let all: BTreeSet<&'static str> = settings.iter().flat_map(|one| one.values.keys().copied()).collect();
    let (of_defences, general): (Vec<_>, Vec<_>) = all.into_iter().partition(|key| of_defence(key));
    let differs =
        |key: &str, among: &[&Setting]| among.iter().any(|one| one.values.get(key) != among[0].values.get(key));
    let everybody: Vec<&Setting> = settings.iter().collect();
    let general: Vec<&str> = general.into_iter().filter(|key| differs(key, &everybody)).collect();
    let labels: Vec<String> = settings
        .iter()
        .map(|one| {
            let alike: Vec<&Setting> = settings.iter().filter(|other| other.label == one.label).collect();
            let own = of_defences.iter().copied().filter(|key| differs(key, &alike));
            let keys = general.iter().copied().chain(own);
            let more = keys.filter_map(|key| Some(setting_words(key, one.values.get(key)?)));
            let pooled = alike.iter().any(|other| other.pools != one.pools) && one.pools;
            let pooled = pooled.then(|| "the twin, which pools".to_owned());
            std::iter::once(one.label.clone()).chain(more).chain(pooled).collect::<Vec<_>>().join(", ")
        })
        .collect();
    for (setting, label) in settings.iter_mut().zip(labels) {
        setting.label = label;
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn strengths_are_sorted_by_their_size() {
        let mut all = ["CEM λ 16", "projection 4", "CEM λ 4", "projection 16, cut 2", "projection 1.5"];
        all.sort_by_cached_key(|label| in_order(label));
        assert_eq!(all, ["CEM λ 4", "CEM λ 16", "projection 1.5", "projection 4", "projection 16, cut 2"]);
    }

    #[test]
    fn seeds_are_pooled_and_what_differs_is_named() {
        let mut runs: Vec<Summary> = (0..3).map(samples::summary).collect();
        let noisy = |seed| samples::defended(seed, "image-noise", &[]);
        runs.extend([0, 1].map(noisy));
        runs.push(samples::defended(0, "image-noise", &["defence.image-noise.sigma=0.5"]));
        runs.push(samples::with(0, &["model.cut=2"]));
        let all = Gathered::of(&runs);
        let told: Vec<(&str, Vec<u64>)> = all.settings.iter().map(|one| (one.label.as_str(), one.seeds())).collect();
        assert_eq!(
            told,
            [
                ("no defence, cut 2", vec![0]),
                ("no defence, cut 5", vec![0, 1, 2]),
                ("noise on the image σ 0.2, cut 5", vec![0, 1]),
                ("noise on the image σ 0.5, cut 5", vec![0]),
            ]
        );
        assert_eq!(all.families(), [[2, 3]]);
        assert_eq!(all.baseline(&all.settings[2]).map(|one| &one.label), Some(&all.settings[1].label));
        assert!(all.baseline(&all.settings[1]).is_none());
    }

    #[test]
    fn one_model_in_several_runs_counts_once_with_all_its_attacks() {
        let one = samples::summary(0);
        let mut other = samples::summary(0);
        other.experiment.set("attack=[{ name = \"prior\" }]").unwrap();
        other.attacks[0].name = "prior".to_owned();
        let all = Gathered::of([&one, &other, &one]);
        let [setting] = all.settings.as_slice() else { panic!("{:?}", all.settings) };
        let [model] = setting.models.as_slice() else { panic!("{:?}", setting.models) };
        assert_eq!((model.runs.as_slice(), model.attacks.len()), (&[0, 1, 2][..], one.attacks.len() + 1));
    }
}
