//! The weights of each model's best epoch, kept beside the last checkpoint, each in a file of its own.
//!
//! A convenience for those who want the model that answered best: table, attacks and verdicts are of the last epoch
//! whatever is kept here. Such a file has a checkpoint's form, so that damage is noticed alike; it holds one model, as if
//! its training had ended with that epoch.

use std::path::Path;

use candle_core::Device;

use super::checkpoint::Checkpoint;
use super::fold::check_is_one;
use super::folder::{BEST, CHECKPOINT, experiment_of};
use super::identity::plans;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::random::Seed;
use crate::score::utility::{HeldOut, best_held_out};
use crate::split::SplitModel;

/// Which of a run's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that training ended with, or has come to.
    Last,
    /// Those of each model's best epoch.
    Best,
}

/// A run's model with weights that the run kept.
pub struct Kept {
    /// The model.
    pub model: SplitModel,
    /// Whole epochs that it was trained for.
    pub epochs: usize,
    /// By accuracy on which images its epoch is the best; none where it was not chosen.
    pub by: Option<HeldOut>,
}

/// The file of a model's best epoch, in the run's folder.
pub(super) fn file_of(model: &str) -> String {
    format!("{BEST}/{model}.safetensors")
}

/// A run's experiment, and its models on the processor.
///
/// # Errors
/// Returns an error if the run has no such weights yet, if an older build trained it and kept none, or if a file is
/// damaged.
pub fn models(run: &Path, which: Which) -> Result<(Experiment, Vec<Kept>)> {
    let experiment = experiment_of(run)?;
    check_is_one(run)?;
    let hash = experiment.hash();
    let load = |name: &str, lacking: &dyn Fn() -> Error| {
        let path = run.join(name);
        if path.exists() { Checkpoint::load(&path, &hash) } else { Err(lacking()) }
    };
    let last = match which {
        Which::Last => {
            let none = || Error::input(format!("the run has no weights yet: {}", run.display()));
            Some(load(CHECKPOINT, &none)?)
        }
        Which::Best => None,
    };
    let mut models = Vec::new();
    for (i, plan) in plans(run, &experiment)?.into_iter().enumerate() {
        let name = plan.name.clone();
        let none = || {
            Error::input(format!(
                "the run keeps no weights of {name}'s best epoch: no epoch has ended, or a version made it that kept the \
                 last alone: {}",
                run.display()
            ))
        };
        let best = if last.is_none() { Some(load(&file_of(&name), &none)?) } else { None };
        let mut model = SplitModel::new(plan, Seed(experiment.seed), &Device::Cpu)?;
        let (mut epochs, mut by) = (0, None);
        if let Some(last) = &last {
            last.restore(i, &mut model)?;
            epochs = last.epochs_of(&name);
        } else if let Some(best) = &best {
            best.restore(i, &mut model)?;
            epochs = best.epochs_of(&name);
            by = best_held_out(&best.position.epochs, &name).map(|(_, by)| by);
        }
        models.push(Kept { model, epochs, by });
    }
    Ok((experiment, models))
}

/// `dropout 2, vanilla 1, by accuracy on the test set`: which epochs the weights are of.
pub fn words(models: &[Kept]) -> String {
    let epochs: Vec<String> = models.iter().map(|kept| format!("{} {}", kept.model.plan.name, kept.epochs)).collect();
    let by = models.iter().find_map(|kept| kept.by).map(|by| format!(", by accuracy on {}", by.words()));
    format!("{}{}", epochs.join(", "), by.unwrap_or_default())
}
