//! An experiment made ready: data loaded, model checked, targets chosen.

mod wants;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Device;

use super::attack_gradients::Targets;
use super::held_out::held_out;
use super::identity::{DataChoice, absolute, images_of};
use crate::data::{Catalogue, Dataset, Draw, Part, also_in, drawn, split, targets, unfair, unowned_targets};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::pace::Pace;
use crate::model::spec::needs_two_samples;
use crate::random::Seed;
use crate::split::SplitPlan;
use crate::workbench::load;

/// An experiment that was checked against its data, ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// What to run.
    pub experiment: Experiment,
    /// Where the networks run.
    pub device: Device,
    /// What to train, in order.
    pub plans: Vec<SplitPlan>,
    /// The victim's training images.
    pub victim: Part,
    /// The attackers' images.
    pub auxiliary: Part,
    /// What the best epoch is told by; there may be none, and there are no more than test images are asked for.
    pub validation: Part,
    /// The held-out images.
    pub test: Part,
    /// The few that those who watch a run see its accuracy on.
    pub watched: Part,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// What a run keeps of its data.
    pub catalogue: Catalogue,
    /// What is to be told before the first step.
    pub warnings: Vec<String>,
    /// Targets of attacks, the first of a class-balanced order of the test set.
    pub targets: Part,
    /// Which of [`Self::test`] they are.
    pub places: Vec<usize>,
    /// The class that sensitivity is of, where there are two.
    pub positive: usize,
    /// After how many epochs the weights are that models which have been trained are judged with.
    pub final_epochs: BTreeMap<String, usize>,
}

impl Prepared {
    /// Makes a new run ready: loads the data and checks everything that can be checked before the first step. A path
    /// to data becomes absolute: the run will be opened from other folders.
    ///
    /// # Errors
    /// Names the field or file that does not fit.
    pub fn new(mut experiment: Experiment) -> Result<Self> {
        experiment.validate()?;
        if experiment.data.folds > 0 && experiment.data.fold == 0 {
            return Err(Error::input(format!(
                "data.fold = 0: a run is of one fold, from 1 to {}; `cutlayer run` takes all of them in turn",
                experiment.data.folds
            )));
        }
        let device = experiment.device.open()?;
        let dataset = load(&experiment.data.name, &experiment.data.wanted()?)?;
        if let Some(path) = absolute(&experiment.data.name) {
            experiment.data.name = path;
        }
        let catalogue = Catalogue::of(&dataset)?;
        Self::with_data(experiment, device, dataset, catalogue, false)
    }

    /// Makes a run that was made before ready to go on or to be attacked. Its data must be those that it began with,
    /// unless `choice` insists on others.
    ///
    /// # Errors
    /// As [`Self::new`]; or where the data are others: the message says what differs, and how to insist.
    pub fn of_run(run: &Path, experiment: Experiment, choice: &DataChoice) -> Result<Self> {
        Self::to_attack(run, experiment, choice, false)
    }

    /// The same, where attacks that this run has not what they need for are left out with a warning if `lenient`.
    ///
    /// # Errors
    /// As [`Self::of_run`].
    pub fn to_attack(run: &Path, experiment: Experiment, choice: &DataChoice, lenient: bool) -> Result<Self> {
        experiment.validate()?;
        let device = experiment.device.open()?;
        let (dataset, catalogue, warning) = images_of(run, &experiment, choice)?;
        let mut setup = Self::with_data(experiment, device, dataset, catalogue, lenient)?;
        setup.warnings.extend(warning);
        Ok(setup)
    }

    fn with_data(
        mut experiment: Experiment,
        device: Device,
        dataset: Dataset,
        catalogue: Catalogue,
        lenient: bool,
    ) -> Result<Self> {
        if let Some(why) = dataset.unlearnable() {
            return Err(Error::input(format!("{why}: {}", experiment.data.name)));
        }
        let classes = dataset.classes.len();
        let plans = experiment.split_plans(dataset.shape(), classes)?;
        let class_names = dataset.classes.clone();
        let seed = Seed(experiment.seed);
        let parts = split(&dataset, experiment.data.aux, seed);
        let mut warnings = dataset.findings.warnings.clone();
        warnings.extend(wants::met(&mut experiment, &plans, parts.aux.len(), &dataset, lenient)?);
        warnings.extend(unfair_test(&experiment, &dataset));
        check_validation(&experiment, &dataset)?;
        experiment.evaluate.merged(&class_names)?;
        let first = |images: Part, n: usize| if n == 0 { images } else { images.take(n) };
        let test = drawn(dataset.test, experiment.data.test, experiment.data.draw, classes, seed);
        let most = experiment.attacks.iter().map(|spec| spec.images).chain([experiment.evaluate.mu_images]).max();
        let owned = also_in(&test, &parts.aux)?;
        let chosen = unowned_targets(&test, &owned, classes, most.unwrap_or(0), seed);
        check_targets(most.unwrap_or(0), &chosen, &dataset.name)?;
        let victim = first(parts.victim, experiment.data.train);
        let weights = experiment.train.class_weights.of(&victim.class_counts(classes));
        let plans: Vec<_> =
            plans.into_iter().map(|plan| SplitPlan { class_weights: weights.clone(), ..plan }).collect();
        check_last_batch(victim.len(), experiment.train.batch, &plans)?;
        warnings.extend(in_common(&test, &victim, &parts.aux));
        warnings.extend(the_same(&also_in(&test, &victim)?, &owned));
        warnings.extend(never_seen(&test, &victim, &class_names));
        Ok(Self {
            watched: held_out(&dataset.validation, &test, classes, seed),
            validation: drawn(dataset.validation, experiment.data.test, experiment.data.draw, classes, seed),
            victim,
            auxiliary: parts.aux,
            targets: test.select(&chosen),
            places: chosen,
            final_epochs: BTreeMap::new(),
            positive: experiment.evaluate.positive(&class_names)?,
            class_names,
            catalogue,
            warnings,
            test,
            plans,
            device,
            experiment,
        })
    }

    /// The same for a rehearsal: the targets are `n` of the attackers' own images, balanced by class, and they keep the others.
    /// No patient is in both.
    ///
    /// # Errors
    /// Returns an error if they have too few images for that.
    pub(super) fn rehearsal(self, n: usize) -> Result<Self> {
        let own = self.auxiliary;
        let chosen = targets(&own, self.class_names.len(), n, Seed(self.experiment.seed));
        let shown = own.select(&chosen);
        let kept = |i: &usize| match (own.groups(), shown.groups()) {
            (Some(all), Some(shown)) => !shown.numbers.contains(&all.numbers[*i]),
            _ => !chosen.contains(i),
        };
        let kept: Vec<usize> = (0..own.len()).filter(kept).collect();
        if chosen.len() < n || kept.len() < own.len() / 2 {
            return Err(Error::input(format!(
                "a rehearsal takes {n} of the attackers' images, and they have {}: raise data.aux",
                own.len()
            )));
        }
        Ok(Self { auxiliary: own.select(&kept), targets: shown, places: chosen, ..self })
    }

    /// The targets of attacks.
    pub(super) fn attacked(&self) -> Result<Targets> {
        let (images, labels) = (self.targets.tensor(&self.device)?, self.targets.labels().to_vec());
        Ok(Targets { images, labels, places: self.places.clone() })
    }

    pub(super) fn seed(&self) -> Seed {
        Seed(self.experiment.seed)
    }

    /// How fast models learn in the course of the training.
    pub(super) fn pace(&self) -> Pace {
        let train = &self.experiment.train;
        let (schedule, warmup, epochs) = (train.schedule, train.warmup, train.epochs);
        Pace { schedule, warmup, epochs, an_epoch: self.steps_an_epoch() }
    }

    /// Training steps in an epoch.
    pub(super) fn steps_an_epoch(&self) -> usize {
        self.victim.len().div_ceil(self.experiment.train.batch)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.plans[0].classes
    }
}

/// What to say of the first test images where they are no fair sample.
fn unfair_test(experiment: &Experiment, dataset: &Dataset) -> Option<String> {
    let (data, all) = (&experiment.data, &dataset.test);
    if data.draw != Draw::First || data.test == 0 {
        return None;
    }
    let (class, count) = unfair(&all.take(data.test), all, dataset.classes.len())?;
    Some(format!(
        "data.test = {}: the first test images are no fair sample of all {}: {count} are of class {:?}; data.draw = \
         \"balanced\" takes as many of each class",
        data.test,
        all.len(),
        dataset.classes[class]
    ))
}

/// Says so where the test set has patients in common with the images that are trained on, or that attackers have: scores
/// there say less of patients who are nowhere else.
fn in_common(test: &Part, victim: &Part, auxiliary: &Part) -> Vec<String> {
    let sides = [
        (victim, "the training images", "accuracy on these is partly that of recognising a"),
        (auxiliary, "the attackers' images", "what attackers get of these is partly what they know of the"),
    ];
    let told = |(part, name, so): (&Part, _, _)| {
        let groups = test.groups()?;
        let ([shared, images], noun) = (groups.shared_with(part.groups()?), groups.noun);
        (shared > 0).then(|| {
            format!(
                "the test set and {name} have {} in common ({images} of {} test images): {so} {one}; divide the set anew, \
                 each {one} in one part of it",
                noun.counted(shared),
                test.len(),
                one = noun.one
            )
        })
    };
    sides.into_iter().filter_map(told).collect()
}

/// Says so where test images are trained on, or are the attackers' own: those are never attacked.
fn the_same(trained_on: &[bool], owned: &[bool]) -> Vec<String> {
    let told = |(also, others, so): (&[bool], &str, &str)| {
        let count = also.iter().filter(|also| **also).count();
        (count > 0).then(|| format!("{count} of {} test images are identical to {others}: {so}", also.len()))
    };
    let sides = [
        (trained_on, "those that are trained on", "accuracy on them is partly memory"),
        (owned, "the attackers' own", "they are not attacked"),
    ];
    sides.into_iter().filter_map(told).collect()
}

/// Says so where test images are of classes that nothing trained on is of: no model can name these.
fn never_seen(test: &Part, victim: &Part, names: &[String]) -> Option<String> {
    let [tested, seen] = [test, victim].map(|part| part.class_counts(names.len()));
    let unseen: Vec<usize> = (0..names.len()).filter(|class| tested[*class] > 0 && seen[*class] == 0).collect();
    let count: usize = unseen.iter().map(|class| tested[*class]).sum();
    let which: Vec<&str> = unseen.iter().map(|class| names[*class].as_str()).collect();
    (count > 0).then(|| {
        format!(
            "{count} of {} test images are of classes that no training image is of ({}): no model can name these",
            test.len(),
            which.join(", ")
        )
    })
}

/// Checks that something is left to attack.
fn check_targets(wanted: usize, chosen: &[usize], data: &str) -> Result<()> {
    if wanted > 0 && chosen.is_empty() { Err(none_left(data)) } else { Ok(()) }
}

/// There is no theft of what the thief has already.
pub(crate) fn none_left(data: &str) -> Error {
    Error::input(format!(
        "every test image of {data} is also one of the attackers' own images, so none is left to attack: give the set test \
         images of its own"
    ))
}

/// Checks that there are validation images where something is chosen by them.
fn check_validation(experiment: &Experiment, dataset: &Dataset) -> Result<()> {
    let train = &experiment.train;
    let wish = if train.takes_best() { Some("train.weights = \"best\"".to_owned()) } else { None };
    let wish = wish.or_else(|| (train.patience > 0).then(|| format!("train.patience = {}", train.patience)));
    match wish.filter(|_| dataset.validation.is_empty()) {
        Some(wish) => Err(Error::input(format!(
            "{wish} chooses by validation images, and {} has none: set data.split = \"drawn\" to draw some, or leave it out",
            dataset.name
        ))),
        None => Ok(()),
    }
}

/// A batch normalisation cannot learn from one value a channel, and nobody wants to hear so at an epoch's end.
fn check_last_batch(images: usize, batch: usize, plans: &[SplitPlan]) -> Result<()> {
    let alone = images > 0 && (images % batch == 1 || batch == 1);
    if alone && plans.iter().any(|plan| needs_two_samples(&plan.input(), &plan.layers)) {
        return Err(Error::input(format!(
            "train.batch = {batch}: of {images} training images the last batch has one, and the model's batch \
             normalisation sees a single value a channel in it; set another train.batch or data.train"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
