//! `cutlayer run`: the terminal as a reader of the stream.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::interrupt::obey_interrupts;
use super::terminal::Terminal;
use super::{RunArgs, print, print_kept, set_threads, tell};
use crate::error::{Error, Result};
use crate::experiment::{Experiment, PRESETS};
use crate::place;
use crate::run::fold::has_folds;
use crate::run::folder::{SUMMARY, check_is_run, experiment_of, new_run_path, runs_folder};
use crate::run::folds::Folds;
use crate::run::identity::DataChoice;
use crate::run::prepared::Prepared;
use crate::run::recorder::read_summary;
use crate::run::report::report;
use crate::run::resume::Resumed;
use crate::run::session::Session;
use crate::run::summary::Summary;
use crate::run::worker::{Outcome, Worker};

pub(super) fn run(args: RunArgs) -> Result<()> {
    if let Some(folder) = &args.resume {
        return resume(folder, &args.data.choice());
    }
    if args.data.choice() != DataChoice::default() {
        return Err(Error::input(
            "--data and --other-data are for a run that goes on with --resume; a new one has its images by --set \
             data.name=PATH",
        ));
    }
    let name = args.experiment.unwrap_or_default();
    let mut experiment = Experiment::load(&name)?;
    for assignment in args.set {
        let lossy = assignment.to_string_lossy().into_owned();
        let assignment = place::assignment(assignment);
        experiment.set(&assignment.ok_or_else(|| Error::input(format!("--set {lossy}: this is no Unicode text")))?)?;
    }
    for (key, value) in [("seed", &args.seed), ("threads", &args.threads)] {
        if let Some(value) = value {
            experiment.set(&format!("{key}={value}"))?;
        }
    }
    experiment.validate()?;
    set_threads(experiment.threads);
    run_new(experiment, &name, args.out, args.force)
}

/// Runs an experiment in a new folder.
pub(super) fn run_new(experiment: Experiment, name: &OsStr, out: Option<PathBuf>, force: bool) -> Result<()> {
    if has_folds(&experiment) {
        let path = out.unwrap_or_else(|| new_run_path(&runs_folder(), &folder_name(name, &experiment)));
        let folds = Folds::begin(&experiment, &path, force)?;
        return watch(Worker::start(move |sink| Ok(folds.telling(sink)))?, &path);
    }
    let setup = Prepared::new(experiment)?;
    let path = out.unwrap_or_else(|| new_run_path(&runs_folder(), &folder_name(name, &setup.experiment)));
    let recorder = setup.begin(&path, force)?;
    watch(Worker::start(move |sink| Session::new(setup, Some(recorder), sink))?, &path)
}

/// What a new run's folder is called: a file's name is its experiment's own.
fn folder_name(name: &OsStr, experiment: &Experiment) -> String {
    if PRESETS.iter().any(|preset| *name == *preset.0) {
        return experiment.folder_name(None);
    }
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy();
    // What was changed by arguments is told as far as the file can still be read.
    let kept = Experiment::load(name).unwrap_or_else(|_| experiment.clone());
    experiment.folder_name(Some((&stem, &kept)))
}

/// Goes on with a run; one that has no checkpoint yet starts over.
fn resume(path: &Path, data: &DataChoice) -> Result<()> {
    check_is_run(path)?;
    // Nothing is written then, and the folder may be one where nothing can be.
    if path.join(SUMMARY).is_file() {
        tell(&format!("The run is finished: {}", path.display()));
        let summary = read_summary(path)?;
        if experiment_of(path)?.hash() != summary.experiment.hash() {
            tell("Its experiment.toml was changed since: the table is of the settings that it ran with.");
        }
        return print(&report(&summary));
    }
    let experiment = experiment_of(path)?;
    set_threads(experiment.threads);
    if has_folds(&experiment) {
        let folds = Folds::open(path, data)?;
        return watch(Worker::start(move |sink| Ok(folds.telling(sink)))?, path);
    }
    let resumed = Resumed::open(path, data)?;
    watch(Worker::start(move |sink| resumed.session(sink))?, path)
}

/// Runs an experiment in a new folder among the program's own data, and prints nothing but its progress: where it is, which
/// `begun` is told before the work.
pub(super) fn run_among_others(experiment: Experiment, begun: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let setup = Prepared::new(experiment)?;
    let path = new_run_path(&runs_folder(), &setup.experiment.folder_name(None));
    let recorder = setup.begin(&path, false)?;
    begun(&path)?;
    followed(Worker::start(move |sink| Session::new(setup, Some(recorder), sink))?, &path)?;
    Ok(path)
}

/// Goes on with such a run.
pub(super) fn resume_among_others(path: &Path) -> Result<()> {
    set_threads(experiment_of(path)?.threads);
    let resumed = Resumed::open(path, &DataChoice::default())?;
    followed(Worker::start(move |sink| resumed.session(sink))?, path).map(|_| ())
}

/// Reads the stream to its end: progress on standard error, the table on standard output.
fn watch(worker: Worker, path: &Path) -> Result<()> {
    if let Some(summary) = followed(worker, path)? {
        print_kept(&report(&summary));
        tell(&format!("The run is in {}", path.display()));
    }
    Ok(())
}

/// Reads the stream to its end; what came of it.
fn followed(worker: Worker, path: &Path) -> Result<Option<Box<Summary>>> {
    let go_on = format!("Go on with: cutlayer run --resume {}", path.display());
    obey_interrupts(&worker, format!("Left at once. {go_on}"));
    let mut terminal = Terminal::new(["Running in", "Going on with"]);
    let outcome = worker.join(|event| terminal.read(&event));
    terminal.end();
    match outcome {
        Outcome::Done(summary) => Ok(Some(summary)),
        // Only attacks afterwards end so.
        Outcome::Attacked(_) | Outcome::Diagnosed(_) => Ok(None),
        Outcome::Stopped => {
            tell(&format!("Stopped and saved. {go_on}"));
            Err(Error::Stopped)
        }
        Outcome::Failed(error) => Err(error),
    }
}
