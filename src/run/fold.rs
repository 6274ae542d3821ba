//! One fold of a run over folds: its experiment, and where its run is.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::experiment::Experiment;

/// Whether an experiment is to be run fold by fold.
pub fn has_folds(experiment: &Experiment) -> bool {
    experiment.data.folds > 0 && experiment.data.fold == 0
}

/// The experiment of one fold, from 1.
#[must_use]
pub fn of_fold(experiment: &Experiment, fold: usize) -> Experiment {
    let mut one = experiment.clone();
    one.data.fold = fold;
    one
}

/// The folder of a fold's run.
pub fn folder_of(run: &Path, fold: usize) -> PathBuf {
    run.join(format!("fold-{fold}"))
}

/// Refuses a run over folds where one model is wanted: each fold has its own.
///
/// # Errors
/// Returns an error that names the first fold's run.
pub fn check_is_one(run: &Path) -> Result<()> {
    let first = folder_of(run, 1);
    if !first.is_dir() {
        return Ok(());
    }
    Err(Error::input(format!(
        "this run is over folds, and each of them has models of its own: take one, as in {}: {}",
        first.display(),
        run.display()
    )))
}
