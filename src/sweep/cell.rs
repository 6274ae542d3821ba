//! One cell put to work: an ordinary run in the cell's folder, begun or gone on with.

use std::path::Path;

use super::Cell;
use super::folder::{Claim, SweepFolder};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::run::event::Sink;
use crate::run::fold::has_folds;
use crate::run::folder::EXPERIMENT;
use crate::run::folds::Folds;
use crate::run::identity::DataChoice;
use crate::run::prepared::Prepared;
use crate::run::resume::Resumed;
use crate::run::session::Session;
use crate::run::worker::{Work, Worker};

/// What has become of a cell that was asked for.
pub enum Begun {
    /// It is done already.
    Done,
    /// It is at work; nobody else works on it while the claim is held.
    AtWork(Worker, Claim),
}

/// Claims a cell and puts it to work, unless it is done.
///
/// # Errors
/// Returns an error if another process works on it, if something else lies in its place, or if its run cannot begin or go on.
pub fn begin(folder: &SweepFolder, cell: &Cell) -> Result<Begun> {
    if folder.done(&cell.name).is_some() {
        return Ok(Begun::Done);
    }
    let claim = folder.claim(&cell.name)?;
    // Whoever had it may have ended it.
    if folder.done(&cell.name).is_some() {
        return Ok(Begun::Done);
    }
    folder.check(cell)?;
    folder.forget_failure(&cell.name);
    let (path, experiment) = (folder.run(&cell.name), cell.experiment.clone());
    let make = move |sink: Sink| {
        if path.join(EXPERIMENT).is_file() {
            go_on(&path, &experiment, sink)
        } else {
            begin_new(&path, experiment, sink)
        }
    };
    Ok(Begun::AtWork(Worker::start(make)?, claim))
}

fn begin_new(path: &Path, experiment: Experiment, sink: Sink) -> Result<Work> {
    if has_folds(&experiment) {
        return Ok(Folds::begin(&experiment, path, false)?.telling(sink).into());
    }
    let setup = Prepared::new(experiment)?;
    let recorder = setup.begin(path, false)?;
    Ok(Session::new(setup, Some(recorder), sink)?.into())
}

fn go_on(path: &Path, experiment: &Experiment, sink: Sink) -> Result<Work> {
    let data = DataChoice::default();
    if has_folds(experiment) {
        return Ok(Folds::open(path, &data)?.telling(sink).into());
    }
    Ok(Resumed::open(path, &data)?.session(sink)?.into())
}
