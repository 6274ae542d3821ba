//! Runs that serve a check and leave nothing behind.

use super::interrupt::obey_interrupts;
use super::terminal::Terminal;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::prepared::Prepared;
use crate::run::session::Session;
use crate::run::summary::Summary;
use crate::run::worker::{Outcome, Worker};

/// Runs an experiment to its end without a folder.
pub(super) fn without_folder(experiment: Experiment) -> Result<Summary> {
    let setup = Prepared::new(experiment)?;
    let worker = Worker::start(move |sink| Session::new(setup, None, sink))?;
    obey_interrupts(&worker, "Left at once; nothing was kept".to_owned());
    let mut terminal = Terminal::new(["Checking"; 2]);
    let outcome = worker.join(|event| terminal.read(&event));
    terminal.end();
    match outcome {
        Outcome::Done(summary) => Ok(*summary),
        Outcome::Attacked(_) | Outcome::Diagnosed(_) => {
            Err(Error::Internal("a replica ended as attacks do".to_owned()))
        }
        Outcome::Stopped => Err(Error::Stopped),
        Outcome::Failed(error) => Err(error),
    }
}
