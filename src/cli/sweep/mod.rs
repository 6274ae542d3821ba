//! `cutlayer sweep`: many experiments that differ in a few settings.

mod cell;
mod cluster;
mod told;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueHint};

use super::completions::offering;
use super::interrupt::on_interrupt;
use super::{place as a_place, print, print_kept, tell};
use crate::error::{Error, Result};
use crate::place;
use crate::setting::MOST_THREADS;
use crate::sweep::Sweep;
use crate::sweep::call::Call;
use crate::sweep::folder::SweepFolder;
use crate::sweep::library::SWEEPS;
use crate::sweep::local::{Local, shared_out};
use crate::sweep::plan::{For, commands};
use crate::sweep::record::Standing;
use crate::sweep::slurm::{Slurm, Wishes};
use told::Teller;

/// Where cells may run besides here.
const SLURM: &str = "slurm";

#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    /// A sweep's name or its file (TOML); without it the sweep in the folder goes on.
    #[arg(value_name = "SWEEP|FILE", required_unless_present = "out", value_parser = built_in(),
          hide_possible_values = true, value_hint = ValueHint::FilePath)]
    sweep: Option<OsString>,
    /// The sweep's folder, with a run for each cell. Cells that are done are left as they are.
    #[arg(long, value_name = "FOLDER", value_parser = a_place(), required_unless_present = "plan")]
    out: Option<PathBuf>,
    /// Changes one setting in all cells, as in --set data.path=all-mias; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", requires = "sweep")]
    set: Vec<String>,
    /// Cells at once; without it one a core, and under Slurm as many as it lets run.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,
    /// Run this cell alone, by its name or its number.
    #[arg(long, value_name = "CELL", conflicts_with_all = ["jobs", "plan", "on"])]
    cell: Option<String>,
    /// Processor threads of each cell; without it the cores are shared out.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the cells, and run nothing.
    #[arg(long, conflicts_with = "on")]
    plan: bool,
    /// Print the commands that run the cells, for this scheduler.
    #[arg(long = "for", value_name = "SCHEDULER", value_parser = For::NAMES, requires_all = ["plan", "out"])]
    whom: Option<String>,
    /// Have this scheduler run the cells; wait, and submit again what was lost.
    #[arg(long, value_name = "SCHEDULER", value_parser = [SLURM])]
    on: Option<String>,
    /// Leave once the cells are submitted. The same command without it picks them up.
    #[arg(long, requires = "on")]
    detach: bool,
    /// Slurm's partition.
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Slurm's time limit of a cell, as in 2:00:00.
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Slurm's account.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// How often a cell that was lost or failed is submitted again.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1000))]
    retries: Option<u16>,
    /// Tell progress as JSON, and stop once standard input ends: for the process that runs the sweep.
    #[arg(long, hide = true, requires = "cell")]
    piped: bool,
}

/// Any text; shells offer the sweeps that come with the program.
fn built_in() -> impl TypedValueParser<Value = OsString> {
    offering(OsStringValueParser::new(), SWEEPS.iter().map(|sweep| sweep.name).collect())
}

/// The sweeps that come with the program, for the help.
pub(super) fn cards() -> String {
    let line = |text: String, sweep: &crate::sweep::library::BuiltIn| {
        text + &format!("\n  {}\n    {}", sweep.name, sweep.about)
    };
    SWEEPS.iter().fold("Sweeps:".to_owned(), line)
}

pub(super) fn sweep(args: &SweepArgs) -> Result<()> {
    if let Some(threads) = args.threads.filter(|threads| !(1..=MOST_THREADS).contains(threads)) {
        return Err(Error::input(format!("--threads {threads}: allowed is a number from 1 to {MOST_THREADS}")));
    }
    let folder = args.out.as_deref().map(SweepFolder::new);
    let sweep = match (&args.sweep, &folder) {
        (Some(name), _) => Sweep::load_with(name, &args.set)?,
        (None, Some(folder)) => folder.sweep()?,
        // clap asks for one of the two.
        (None, None) => return Err(Error::Internal("neither a sweep nor a folder was named".to_owned())),
    };
    let wishes = args.wishes()?.or(sweep.cluster.clone());
    if args.plan {
        return plan(args, &sweep, folder.as_ref(), &wishes);
    }
    let folder = folder.ok_or_else(|| Error::Internal("a sweep without a folder".to_owned()))?;
    if let Some(name) = &args.cell {
        let cell = sweep.cell(name).ok_or_else(|| unknown_cell(name, &sweep))?;
        return cell::run(&folder, cell, args.threads.unwrap_or(cell.experiment.threads), args.piped);
    }
    if args.on.is_some() {
        return cluster::run(args, &sweep, folder, &wishes);
    }
    here(args, &sweep, folder)
}

/// Runs the cells on this machine.
fn here(args: &SweepArgs, sweep: &Sweep, folder: SweepFolder) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let left = sweep.cells.iter().filter(|cell| folder.done(&cell.name).is_none()).count();
    let (jobs, threads) = shared_out(cores, left, args.jobs.map(usize::from));
    let program = program()?;
    let held = folder.hold(sweep)?;
    held.warning().iter().for_each(|warning| tell(&format!("Warning: {warning}")));
    let out = held.folder.path().to_owned();
    let stop = stop_of(&out);
    let local = Local { sweep, held: &held, program, jobs, threads: args.threads.unwrap_or(threads) };
    let mut teller = Teller::new(sweep, jobs.min(left), &out);
    let standings = local.run(&stop, &mut |news| teller.local(news))?;
    teller.end();
    ended(sweep, &held.folder, &standings, stop.load(Ordering::Relaxed))
}

/// What is set by an interrupt.
fn stop_of(out: &Path) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    on_interrupt(move || asked.store(true, Ordering::Relaxed), format!("Left at once. {}", go_on(out)));
    stop
}

fn go_on(out: &Path) -> String {
    format!("Go on with: cutlayer sweep --out {}", out.display())
}

/// Says how it ended: what came of each cell on standard output, and what failed.
fn ended(sweep: &Sweep, folder: &SweepFolder, standings: &[Standing], stopped: bool) -> Result<()> {
    let out = folder.path();
    let count = |word: &str| standings.iter().filter(|one| one.word() == word).count();
    let [done, failed, all] = [count("done"), count("failed"), standings.len()];
    if stopped && done + failed < all {
        tell(&format!("Stopped and saved: {done} of {all} cells are done. {}", go_on(out)));
        return Err(Error::Stopped);
    }
    print_kept(&told::table(sweep, folder, standings));
    let mut why = String::new();
    for (cell, standing) in sweep.cells.iter().zip(standings) {
        if let Standing::Failed { error } = standing {
            let _ = write!(why, "\n  {}: {}", cell.name, error.replace('\n', "; "));
        }
    }
    tell(&format!("The sweep is in {}", out.display()));
    match failed {
        0 => Ok(()),
        failed => Err(Error::Failed(format!(
            "{failed} of {all} cells failed, the others are done; to try them again: cutlayer sweep --out {}{why}",
            out.display()
        ))),
    }
}

/// Prints the cells, or the commands that run them.
fn plan(args: &SweepArgs, sweep: &Sweep, folder: Option<&SweepFolder>, wishes: &Wishes) -> Result<()> {
    if let Some(folder) = folder {
        sweep.cells.iter().try_for_each(|cell| folder.check(cell))?;
    }
    let done = |name: &str| folder.is_some_and(|folder| folder.done(name).is_some());
    let Some((whom, folder)) = args.whom.as_deref().and_then(For::named).zip(folder) else {
        return print(&told::plan(sweep, folder));
    };
    let left: Vec<usize> = (0..sweep.cells.len()).filter(|i| !done(&sweep.cells[*i].name)).collect();
    let call = Call { file: args.sweep.as_deref().map(whole), set: args.set.clone(), ..call(args, folder, wishes)? };
    let largest = Slurm::here().map_or(1001, |slurm| slurm.max_array_size);
    print(&commands(sweep, &left, whom, &call, wishes, largest))
}

/// How another process calls this program for a cell.
fn call(args: &SweepArgs, folder: &SweepFolder, wishes: &Wishes) -> Result<Call> {
    let out = std::path::absolute(folder.path()).map_err(Error::io("find the folder", folder.path()))?;
    let threads = Some(args.threads.or(wishes.cpus).unwrap_or(1));
    Ok(Call { program: program()?, file: None, set: Vec::new(), out, threads })
}

/// A sweep's name, or its file as it is understood from every folder.
fn whole(sweep: &OsStr) -> PathBuf {
    if SWEEPS.iter().any(|known| *sweep == *known.name) {
        return sweep.into();
    }
    let path = place::found(sweep).unwrap_or_else(|_| sweep.into());
    std::path::absolute(&path).unwrap_or(path)
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| Error::Internal(format!("where this program is cannot be told: {e}")))
}

fn unknown_cell(name: &str, sweep: &Sweep) -> Error {
    let near = crate::setting::near(name, sweep.cells.iter().map(|cell| cell.name.as_str()));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let shown = crate::setting::shorten(name);
    let count = sweep.cells.len();
    Error::input(format!("--cell {shown}: the sweep has {count} cells, which --plan lists{near}"))
}

impl SweepArgs {
    /// What is asked of a cluster on the command line.
    fn wishes(&self) -> Result<Wishes> {
        let wishes = Wishes {
            partition: self.partition.clone(),
            time: self.time.clone(),
            account: self.account.clone(),
            memory: None,
            cpus: self.threads,
            jobs: self.jobs.map(usize::from),
            retries: self.retries.map(usize::from),
        };
        wishes.check()?;
        let given = [("--partition", &self.partition), ("--time", &self.time), ("--account", &self.account)];
        let given = given.iter().find(|(_, value)| value.is_some()).map(|(name, _)| *name);
        match given.or(self.retries.map(|_| "--retries")) {
            Some(name) if self.on.is_none() && !self.plan => {
                Err(Error::input(format!("{name} is for a scheduler: allowed with --on {SLURM} and with --plan")))
            }
            _ => Ok(wishes),
        }
    }
}
