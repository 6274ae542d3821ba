//! `cutlayer attack`: attacks at the trained models of a run.

use indicatif::ProgressBar;

use super::{AttackArgs, print, set_threads};
use crate::error::Result;
use crate::run::afterwards::{Afterwards, Wish, wished};
use crate::run::event::stream;
use crate::run::folder::RunFolder;
use crate::run::report::launched_text;

pub(super) fn attack(args: &AttackArgs) -> Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let wish =
        Wish { attack: args.with.clone(), naive: args.naive, adaptive: args.adaptive, images: args.images.clone() };
    let (experiment, hash) = wished(&folder, &wish)?;
    set_threads(experiment.threads);
    // Nobody reads the stream: the bar asks the attack itself.
    let (sink, _, _) = stream();
    let mut attacks = Afterwards::new(folder, (experiment, hash), sink)?;
    let bar = ProgressBar::new(0);
    let records = loop {
        if let Some(records) = attacks.advance()? {
            break records;
        }
        if let Some(progress) = attacks.progress() {
            bar.set_message(progress.attack);
            bar.set_length(progress.planned as u64);
            bar.set_position(progress.iteration as u64);
        }
    };
    bar.finish_and_clear();
    print(&launched_text(&args.run, &records)?)
}
