//! A sweep that a cluster runs.

use std::sync::atomic::Ordering;

use super::told::Teller;
use super::{SweepArgs, call, ended, stop_of};
use crate::cli::tell;
use crate::error::Result;
use crate::sweep::Sweep;
use crate::sweep::folder::SweepFolder;
use crate::sweep::slurm::{Slurm, Submitted, Wishes};

/// Has Slurm run the cells.
pub(super) fn run(args: &SweepArgs, sweep: &Sweep, folder: SweepFolder, wishes: &Wishes) -> Result<()> {
    // Before anything is written.
    let slurm = Slurm::here()?;
    let held = folder.hold(sweep)?;
    held.warning().iter().for_each(|warning| tell(&format!("Warning: {warning}")));
    let out = held.folder.path().to_owned();
    let stop = stop_of(&out);
    let mut teller = Teller::new(sweep, 0, &out);
    let mut submitted = Submitted::new(sweep, &held, wishes, call(args, &held.folder, wishes)?, slurm)?;
    submitted.submit(&mut |news| teller.slurm(news))?;
    if args.detach {
        teller.end();
        tell(&format!("Left to Slurm. To pick it up: cutlayer sweep --out {} --on slurm", out.display()));
        return Ok(());
    }
    let standings = submitted.wait(&stop, &mut |news| teller.slurm(news))?;
    teller.end();
    ended(sweep, &held.folder, &standings, stop.load(Ordering::Relaxed))
}
