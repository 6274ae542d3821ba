//! An experiment made ready: data loaded, model checked, targets chosen.

use candle_core::Device;

use super::watch::held_out;
use crate::data::{Dataset, Images, load, split, targets};
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::model::spec::needs_two_samples;
use crate::model::split::SplitPlan;
use crate::random::Seed;

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
    pub victim: Images,
    /// The attackers' images.
    pub auxiliary: Images,
    /// The held-out images.
    pub test: Images,
    /// The few that those who watch a run see its accuracy on.
    pub watched: Images,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// Targets of attacks, the first of a class-balanced order of the test set.
    pub targets: Images,
}

impl Prepared {
    /// Loads the data and checks everything that can be checked before a run.
    ///
    /// # Errors
    /// Names the field or file that does not fit.
    pub fn new(experiment: Experiment) -> Result<Self> {
        experiment.validate()?;
        let device = experiment.device.open()?;
        let dataset = load(&experiment.data.name)?;
        Self::with_data(experiment, device, dataset)
    }

    fn with_data(experiment: Experiment, device: Device, dataset: Dataset) -> Result<Self> {
        let classes = dataset.classes.len();
        let plans = experiment.split_plans(dataset.shape(), classes)?;
        let class_names = dataset.classes.clone();
        let seed = Seed(experiment.seed);
        let parts = split(&dataset, experiment.data.aux, seed);
        let first = |images: Images, n: usize| if n == 0 { images } else { images.take(n) };
        let test = first(dataset.test, experiment.data.test);
        let most = experiment.attacks.iter().map(AttackSpec::images).chain([experiment.evaluate.mu_images]).max();
        let chosen = targets(&test, classes, most.unwrap_or(0).min(test.len()), seed);
        let victim = first(parts.victim, experiment.data.train);
        check_last_batch(victim.len(), experiment.train.batch, &plans)?;
        Ok(Self {
            watched: held_out(&dataset.validation, &test, classes, seed),
            victim,
            auxiliary: parts.aux,
            targets: test.select(&chosen),
            class_names,
            test,
            plans,
            device,
            experiment,
        })
    }

    pub(super) fn seed(&self) -> Seed {
        Seed(self.experiment.seed)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.plans[0].classes
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
mod tests {
    use super::*;

    #[test]
    fn a_last_batch_of_one_is_told_before_the_run() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment.psgl.enabled = false;
        experiment.set("model.layers=[\"flatten\", \"batchnorm\", { linear = 10 }]").unwrap();
        experiment.set("model.cut=1").unwrap();
        let told = |train: usize, batch: usize| {
            let mut experiment = experiment.clone();
            (experiment.data.train, experiment.train.batch) = (train, batch);
            Prepared::new(experiment).err().map(|e| e.to_string())
        };
        assert_eq!(told(64, 32), None);
        for (train, batch) in [(65, 32), (64, 1)] {
            assert!(
                told(train, batch).unwrap().starts_with(&format!("train.batch = {batch}: of {train} training images"))
            );
        }
        experiment.set("model.layers=[\"batchnorm\", \"flatten\", { linear = 10 }]").unwrap();
        experiment.data.train = 65;
        assert!(Prepared::new(experiment).is_ok(), "a whole image has many positions");
    }
}
