//! `cutlayer attack`: attacks at the trained models of a run.

use super::diagnosis;
use super::interrupt::obey_interrupts;
use super::terminal::Terminal;
use super::{AttackArgs, print_kept, set_threads, tell};
use crate::error::{Error, Result};
use crate::run::attack_later::{Afterwards, Launch, launched};
use crate::run::folder::{ATTACKS, RunFolder};
use crate::run::report::launched_text;
use crate::run::worker::{Outcome, Worker};

pub(super) fn attack(args: &AttackArgs) -> Result<()> {
    if let Some(kinds) = diagnosis::kinds(&args.with) {
        return diagnosis::diagnose(args, &kinds, &[]);
    }
    let folder = RunFolder::open(&args.run)?;
    let launch =
        Launch { attack: args.with.clone(), naive: args.naive, adaptive: args.adaptive, images: args.images.clone() };
    let launched = launched(&folder, &launch)?;
    set_threads(launched.0.threads);
    let file = folder.file(ATTACKS);
    let data = args.data.choice();
    let worker = Worker::start(move |sink| Afterwards::new(folder, launched, &data, sink))?;
    obey_interrupts(&worker, format!("Left at once. What was finished is kept in {}", file.display()));
    let mut terminal = Terminal::new(["Attacking"; 2]);
    let outcome = worker.join(|event| terminal.read(&event));
    let finished = terminal.end();
    match outcome {
        Outcome::Attacked(records) => {
            print_kept(&launched_text(&args.run, &records)?);
            Ok(())
        }
        // Only runs end so.
        Outcome::Done(_) | Outcome::Diagnosed(_) => Ok(()),
        Outcome::Stopped if finished == 0 => {
            tell("Stopped before an attack was finished; nothing was changed");
            Err(Error::Stopped)
        }
        Outcome::Stopped => {
            tell(&format!("Stopped. Finished attacks are kept in {}", file.display()));
            Err(Error::Stopped)
        }
        Outcome::Failed(error) => Err(error),
    }
}
