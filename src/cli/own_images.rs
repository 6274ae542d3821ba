//! The run that an audit of somebody's images is made of.

use std::path::{Path, PathBuf};

use super::run::{resume_among_others, run_among_others};
use super::{set_threads, tell};
use crate::audit::Course;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::experiment::preset::DIGITS;
use crate::run::folder::{EXPERIMENT, SUMMARY, check_is_run};
use crate::workbench::load;

/// The finished run at this place; of images one is made first.
pub(super) fn trained(place: &Path, set: &[String], course: &mut Course) -> Result<PathBuf> {
    if place.join(EXPERIMENT).is_file() {
        return match set.first() {
            None => Ok(place.to_owned()),
            Some(set) => Err(Error::input(format!("--set {set}: a finished run stays as it is"))),
        };
    }
    if let Some(run) = course.trained() {
        if !run.join(SUMMARY).is_file() {
            resume_among_others(run)?;
        }
        return Ok(run.to_owned());
    }
    if !place.exists() {
        check_is_run(place)?;
    }
    let mut experiment = own_images(place)?;
    set.iter().try_for_each(|set| experiment.set(set))?;
    experiment.validate()?;
    set_threads(experiment.threads);
    let run = run_among_others(experiment, |run| course.trains(run))?;
    tell(&format!("The run is in {}", run.display()));
    Ok(run)
}

/// How models are trained on images of which nothing is known: as the presets for small sets have it. The attackers have a
/// quarter of them, so that there is something to rehearse on.
fn own_images(place: &Path) -> Result<Experiment> {
    const SMALL_SETS: [&str; 9] = [
        "data.aux=0.25",
        "train.epochs=40",
        "train.batch=16",
        "train.class_weights=\"balanced\"",
        "train.shift=0.1",
        "train.contrast=0.2",
        "train.weights=\"best\"",
        "evaluate.mu_images=8",
        "data.split=\"drawn\"",
    ];
    /// Larger images are made so small, that an audit takes minutes.
    const SIDE: usize = 64;
    let path = place.to_str().ok_or_else(|| Error::input(format!("this is no Unicode text: {}", place.display())))?;
    let mut experiment = Experiment::preset(DIGITS)?;
    experiment.attacks.clear();
    SMALL_SETS.iter().try_for_each(|set| experiment.set(set))?;
    path.clone_into(&mut experiment.data.name);
    let fits = |experiment: &Experiment| {
        let images = load(&experiment.data.name, &experiment.data.wanted()?)?;
        let [_, h, w] = images.shape();
        Ok::<_, Error>(h.max(w) <= SIDE)
    };
    // Images of several sizes have none before one is chosen.
    if !fits(&experiment).unwrap_or(false) {
        experiment.data.size = SIDE;
        fits(&experiment)?;
    }
    Ok(experiment)
}
