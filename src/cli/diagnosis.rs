//! `cutlayer attack --with fgsm,pgd`: attacks on the diagnoses of a run.

use super::interrupt::obey_interrupts;
use super::terminal::Terminal;
use super::{AttackArgs, print_kept, set_threads, tell};
use crate::attack::adversarial::Kind;
use crate::error::{Error, Result};
use crate::run::diagnosis::{Diagnosis, Ordered};
use crate::run::folder::{DIAGNOSIS, RunFolder, experiment_of};
use crate::run::report::diagnosis::manipulated;
use crate::run::worker::{Outcome, Worker};
use crate::workbench;

/// The attacks of a list of names, where all of them are attacks on diagnoses.
pub(super) fn kinds(names: &str) -> Option<Vec<&'static Kind>> {
    names.split(',').map(|name| workbench::adversarial(name.trim())).collect()
}

/// Launches them; `set` changes their settings.
pub(super) fn diagnose(args: &AttackArgs, kinds: &[&'static Kind], set: &[String]) -> Result<()> {
    let mut ordered = Ordered::new(kinds, set, [args.naive, args.adaptive])?;
    if let Some(images) = &args.images {
        let wrong = |_| Error::input(format!("--images {images}: allowed is a whole number above 0"));
        ordered.images = images.parse().map_err(wrong)?;
    }
    let folder = RunFolder::open(&args.run)?;
    set_threads(experiment_of(folder.path())?.threads);
    let (file, data) = (folder.file(DIAGNOSIS), args.data.choice());
    let worker = Worker::start(move |sink| Diagnosis::new(folder, &ordered, &data, sink))?;
    obey_interrupts(&worker, format!("Left at once. What was finished is kept in {}", file.display()));
    let mut terminal = Terminal::new(["Attacking diagnoses of"; 2]);
    let outcome = worker.join(|event| terminal.read(&event));
    terminal.end();
    match outcome {
        Outcome::Diagnosed(rows) => {
            print_kept(&manipulated(&rows));
            Ok(())
        }
        // Only other work ends so.
        Outcome::Done(_) | Outcome::Attacked(_) => Ok(()),
        Outcome::Stopped => {
            tell(&format!("Stopped. Finished attacks are kept in {}", file.display()));
            Err(Error::Stopped)
        }
        Outcome::Failed(error) => Err(error),
    }
}
