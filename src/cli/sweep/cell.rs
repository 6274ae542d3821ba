//! One cell of a sweep in a process of its own.

use std::io::Write as _;

use crate::cli::interrupt::{interrupted_with_input, obey_interrupts};
use crate::cli::terminal::Terminal;
use crate::cli::{set_threads, tell};
use crate::error::{Error, Result};
use crate::run::event::Event;
use crate::run::worker::{Outcome, Worker};
use crate::sweep::Cell;
use crate::sweep::cell::{Begun, begin};
use crate::sweep::folder::SweepFolder;
use crate::sweep::local::Told;

/// Runs a cell to its end, or goes on with it; one that is done is left as it is. What it fails with is kept in the sweep's
/// folder.
pub(super) fn run(folder: &SweepFolder, cell: &Cell, threads: usize, piped: bool) -> Result<()> {
    set_threads(threads);
    let (worker, claim) = match begin(folder, cell)? {
        Begun::Done => {
            tell(&format!("{} is done", cell.name));
            return Ok(());
        }
        Begun::AtWork(worker, claim) => (worker, claim),
    };
    obey_interrupts(&worker, format!("Left at once. {} is kept as far as it was saved", cell.name));
    let outcome = if piped { watch_piped(worker)? } else { watch(worker) };
    let done = match outcome {
        // Attacks afterwards alone end as the latter do.
        Outcome::Done(_) | Outcome::Attacked(_) | Outcome::Diagnosed(_) => Ok(()),
        Outcome::Stopped => {
            tell(&format!("{} is stopped and saved", cell.name));
            Err(Error::Stopped)
        }
        Outcome::Failed(error) => Err(error),
    };
    if let Err(error) = done.as_ref()
        && !matches!(error, Error::Stopped)
    {
        folder.keep_failure(&cell.name, error);
    }
    drop(claim);
    done
}

fn watch(worker: Worker) -> Outcome {
    let mut terminal = Terminal::new(["Running in", "Going on with"]);
    let outcome = worker.join(|event| terminal.read(&event));
    terminal.end();
    outcome
}

/// Tells how far it is in lines of JSON, until standard input ends: then whoever started it is gone, or wants it to stop.
fn watch_piped(worker: Worker) -> Result<Outcome> {
    interrupted_with_input()?;
    Ok(worker.join(|event| match event {
        Event::Progress(progress) => {
            let seconds_left = progress.seconds_left.filter(|_| progress.untold.is_empty());
            let told = Told { phase: progress.phase, done: progress.done, total: progress.total, seconds_left };
            if let Ok(line) = serde_json::to_string(&told) {
                // Who reads no more is gone, which standard input tells, too.
                let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
            }
        }
        Event::Warning(text) => tell(&format!("Warning: {text}")),
        _ => {}
    }))
}
