//! The command line: arguments in, results on standard output, progress on standard error.

mod anchors;
mod attack;
mod audit;
mod bench;
mod cards;
mod check_device;
mod claim;
mod completions;
mod data;
mod diagnosis;
mod export;
mod interrupt;
mod lesson;
mod manual;
mod own_images;
pub mod program;
mod replica;
mod report;
mod run;
mod sweep;
mod tell;
mod terminal;
mod victim_files;
mod window;

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::builder::{
    OsStringValueParser, PathBufValueParser, PossibleValuesParser, StringValueParser, TypedValueParser,
};
use clap::{Args, Parser, Subcommand, ValueHint};

pub use tell::tell;

use completions::offering;

use crate::error::{Error, Result};
use crate::experiment::{Device, Experiment, PRESETS};
use crate::place;
use crate::run::folder::check_is_run;
use crate::run::found::{Found, found};
use crate::run::identity::DataChoice;
use crate::run::launch::ALL;
use crate::run::notes;
use crate::run::report::{finished, report as table};
use crate::run::seeds::over_seeds;
use crate::run::summary::Summary;
use crate::workbench;

/// A research workbench for privacy in split learning.
///
/// Without a command it opens the window. For research and teaching, not for clinical use.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true, after_long_help = manual::AROUND)]
pub struct Cli {
    /// What to open in the window: a run's folder, an experiment file (TOML), a data set or an image.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    experiment: Option<OsString>,
    /// A state of the window that was shared: its text, or a file with it.
    #[arg(long, value_name = "TEXT|FILE", conflicts_with_all = ["experiment", "preset"])]
    open: Option<OsString>,
    /// A lesson to begin in the window: its name (`cutlayer lesson list`), or a file of your own.
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["experiment", "preset", "open"])]
    lesson: Option<OsString>,
    /// A preset, or a file, to open in the window.
    #[arg(long, value_name = "NAME", conflicts_with = "experiment", value_parser = preset(), hide_possible_values = true)]
    preset: Option<OsString>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the built-in experiments.
    Presets,
    /// Run an experiment to its end, or go on with one.
    Run(RunArgs),
    /// Run many experiments that differ in a few settings.
    #[command(after_long_help = sweep::cards())]
    Sweep(sweep::SweepArgs),
    /// Launch attacks at a run's trained models, or at a victim that another program trained.
    #[command(after_long_help = cards::cards())]
    Attack(attack::AttackArgs),
    /// List the attacks: what each sees, knows and costs.
    Attacks {
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a finished run's table, or the spread over runs that differ in their seed alone.
    Show {
        /// The run's folder; several for the mean and its error over their seeds.
        #[arg(required = true, value_name = "RUN", value_parser = place())]
        runs: Vec<PathBuf>,
        /// Print summary.json, with the attacks of attacks.json and the verdict on all of them.
        #[arg(long)]
        json: bool,
    },
    /// Write one page over finished runs: what leaks, to whom, at what cost.
    Report(report::ReportArgs),
    /// Say what a data set holds.
    Data(data::DataArgs),
    /// Check the attacks against what was published of them, by small replicas.
    Anchors(anchors::AnchorsArgs),
    /// Put a claim to the test: several models, the same attacks at each, a verdict by rule.
    Claim(claim::ClaimArgs),
    /// Launch a frozen suite of attacks at a run, for a line that others can cite and check.
    Audit(audit::AuditArgs),
    /// Time the hot paths: training steps, attack iterations, recoveries.
    Bench(BenchArgs),
    /// Hand a run's models, or what they make of images, to another program.
    Export(export::ExportArgs),
    /// Print what a shell needs to complete the command line.
    Completions(completions::CompletionsArgs),
    /// Print the manual as pages for man, or write them into a folder.
    Man(manual::ManArgs),
    /// Compare what a GPU computes with what the processor does: each operation, whole steps, a short run.
    #[command(hide = true)]
    CheckDevice(check_device::CheckDeviceArgs),
    /// Lessons for a class: list them, check one of your own, print one.
    #[command(subcommand)]
    Lesson(lesson::LessonCommand),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// A preset's name or an experiment file (TOML).
    #[arg(value_name = "PRESET|FILE", required_unless_present = "resume", value_hint = ValueHint::FilePath)]
    experiment: Option<OsString>,
    /// The run's folder; without it one is made among the program's own data.
    #[arg(long, value_name = "FOLDER", value_parser = place())]
    out: Option<PathBuf>,
    /// Seed of everything random.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    seed: Option<String>,
    /// Processor threads; 0 for all cores.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    threads: Option<String>,
    /// Change a setting, as in --set train.epochs=3.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<OsString>,
    /// Replace the run that is in the folder.
    #[arg(long)]
    force: bool,
    /// Go on with the run in this folder, exactly as if it had never stopped.
    #[arg(long, value_name = "FOLDER", value_parser = place(),
          conflicts_with_all = ["experiment", "out", "seed", "threads", "set", "force"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
}

/// Which images a run that was made before is to work on.
#[derive(Debug, Args)]
struct DataArgs {
    /// Where the run's images are now, if they have moved.
    #[arg(long = "data", value_name = "PATH")]
    place: Option<String>,
    /// Work on the images that are there even if they are not those of the run.
    #[arg(long)]
    other_data: bool,
}

impl DataArgs {
    fn choice(&self) -> DataChoice {
        DataChoice { place: self.place.clone(), other: self.other_data }
    }
}

#[derive(Debug, Args)]
struct BenchArgs {
    /// Which; all without. "together" times training and an attack at once, "frames" the window while a run trains.
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// Time for each, in seconds.
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    secs: f64,
    /// Processor threads; 0 for every core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Where the networks run: cpu, cuda or metal. "together" and "frames" keep to the processor.
    #[arg(long, value_name = "DEVICE", default_value = "cpu", value_parser = device(), hide_possible_values = true)]
    device: Device,
    /// One line of JSON each, as the peers print.
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Does what the arguments ask for.
    ///
    /// # Errors
    /// Those of the command, each with a message that names the cause.
    pub fn execute(self) -> Result<()> {
        match self.command {
            None if self.lesson.is_some() => open_lesson(self.lesson.as_deref().unwrap_or_default()),
            None if self.open.is_some() => open_shared(self.open.as_deref().unwrap_or_default()),
            None => window(self.preset.or(self.experiment).as_deref()),
            Some(Command::Presets) => presets(),
            Some(Command::Run(args)) => run::run(args),
            Some(Command::Sweep(args)) => sweep::sweep(&args),
            Some(Command::Attack(args)) => attack::attack(&args),
            Some(Command::Anchors(args)) => anchors::anchors(&args),
            Some(Command::Claim(args)) => claim::claim(&args),
            Some(Command::Audit(args)) => audit::audit(&args),
            Some(Command::Attacks { json }) => cards::list(json),
            Some(Command::Show { runs, json }) => show(&runs, json),
            Some(Command::Report(args)) => report::report(&args),
            Some(Command::Data(args)) => data::data(&args),
            Some(Command::Bench(args)) => bench::bench(&args),
            Some(Command::CheckDevice(args)) => check_device::check_device(&args),
            Some(Command::Export(args)) => export::export(&args),
            Some(Command::Completions(args)) => completions::completions(&args),
            Some(Command::Man(args)) => manual::manual(&args),
            Some(Command::Lesson(command)) => lesson::lesson(&command),
        }
    }
}

/// Any text; shells offer the presets.
fn preset() -> impl TypedValueParser<Value = OsString> {
    offering(OsStringValueParser::new(), PRESETS.iter().map(|(name, ..)| *name).collect())
}

/// Any text; shells offer the attacks.
fn attack_name() -> impl TypedValueParser<Value = String> {
    let ids = workbench::attacks().iter().map(|kind| kind.id);
    let diagnoses = workbench::ADVERSARIAL.iter().map(|kind| kind.id);
    offering(StringValueParser::new(), ids.chain(diagnoses).chain([ALL]).collect())
}

/// A device by its name in an experiment.
fn device() -> impl TypedValueParser<Value = Device> {
    PossibleValuesParser::new(["cpu", "cuda", "metal"]).map(|name| match name.as_str() {
        "cuda" => Device::Cuda,
        "metal" => Device::Metal,
        _ => Device::Cpu,
    })
}

/// A folder as people write it, see [`place::found`].
fn place() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(place::found)
}

/// Opens the window; where there is no display, does the run in the terminal.
fn window(name: Option<&OsStr>) -> Result<()> {
    let (chosen, found) = name.map_or(Ok((None, None)), asked)?;
    let name = name.unwrap_or(crate::experiment::preset::DIGITS.as_ref());
    let experiment = chosen.clone().map_or_else(|| Experiment::load(crate::experiment::preset::DIGITS), Ok)?;
    experiment.validate()?;
    set_threads(experiment.threads);
    let path = found.as_ref().map(|found| window::Wanted::Path(found.path().to_owned()));
    let Some(why) = window::open(chosen, path)? else { return Ok(()) };
    match found {
        None | Some(Found::Experiment(_)) => {
            tell(&format!("{why}; running {} in the terminal instead.", name.display()));
            run::run_new(experiment, name, None, false)
        }
        Some(Found::Run(run)) => {
            tell(&format!("{why}; showing the run in the terminal instead."));
            show(&[run], false)
        }
        Some(Found::Data(path)) => {
            tell(&format!("{why}; describing the data in the terminal instead."));
            data::data(&data::DataArgs::of(path.into_os_string()))
        }
        Some(Found::Image(path)) => {
            Err(Error::input(format!("{why}, and an image can only be shown in one: {}", path.display())))
        }
        Some(Found::Shared(path)) => {
            Err(Error::input(format!("{why}, and a shared state can only be shown in one: {}", path.display())))
        }
    }
}

/// Opens the window on a state that was shared: the text itself, or a file with it.
fn open_shared(text: &OsStr) -> Result<()> {
    let path = Path::new(text);
    let wanted = match text.to_str() {
        Some(text) if !path.exists() => window::Wanted::Shared(text.to_owned()),
        _ => window::Wanted::Path(place::found(text)?),
    };
    match window::open(None, Some(wanted))? {
        None => Ok(()),
        Some(why) => Err(Error::input(format!("{why}, and a shared state can only be shown in one"))),
    }
}

/// Opens the window on a lesson.
fn open_lesson(name: &OsStr) -> Result<()> {
    let lesson = crate::lesson::find(name)?;
    let unicode = || Error::input(format!("a lesson's path has to be Unicode: {}", name.display()));
    let wanted = window::Wanted::Lesson(name.to_str().ok_or_else(unicode)?.to_owned());
    match window::open(None, Some(wanted))? {
        None => Ok(()),
        Some(why) => {
            let title = lesson.title;
            Err(Error::input(format!("{why}; \u{201c}{title}\u{201d} can be printed: cutlayer lesson print")))
        }
    }
}

/// What the window is to be opened on: an experiment, or something else that is there.
fn asked(name: &OsStr) -> Result<(Option<Experiment>, Option<Found>)> {
    let is_preset = PRESETS.iter().any(|preset| *name == *preset.0);
    let path = if is_preset { None } else { Some(place::found(name)?).filter(|path| path.exists()) };
    let Some(path) = path else { return Ok((Some(Experiment::load(name)?), None)) };
    let found = found(&path)?;
    let experiment = match &found {
        Found::Experiment(file) => Some(Experiment::load(file)?),
        _ => None,
    };
    Ok((experiment, Some(found)))
}

fn presets() -> Result<()> {
    let widest = PRESETS.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let lines = PRESETS.iter().map(|(name, words, _)| format!("{name:widest$}  {words}\n"));
    print(&lines.collect::<String>())
}

fn show(runs: &[PathBuf], json: bool) -> Result<()> {
    let read = |run: &PathBuf| {
        check_is_run(run)?;
        finished(run)
    };
    let summaries = runs.iter().map(read).collect::<Result<Vec<_>>>()?;
    let json_of =
        |summary: &Summary| serde_json::to_string_pretty(summary).map_err(|e| Error::Internal(format!("summary: {e}")));
    match summaries.as_slice() {
        all if json => print(&format!("{}\n", all.iter().map(json_of).collect::<Result<Vec<_>>>()?.join("\n"))),
        [summary] => print(&(table(summary) + &runs.first().map(|run| notes::told(run)).unwrap_or_default())),
        all => print(&over_seeds(all)?),
    }
}

/// Writes to standard output; a reader that has gone, as `head` does, is no error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Internal(format!("standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}

/// The same for what is kept in a folder too: where it cannot be printed nothing is lost, and all is well.
fn print_kept(text: &str) {
    if let Err(error) = print(text) {
        tell(&format!("Warning: {error}"));
    }
}

/// Sets the number of threads of every pool, once: it must come before any thread is started.
fn set_threads(threads: usize) {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cores } else { threads }.to_string();
    // candle's own pool waits by spinning, on cores that our kernels want: its operations stay on one thread.
    for (variable, threads) in [("RAYON_NUM_THREADS", threads.as_str()), ("CANDLE_NUM_THREADS", "1")] {
        // SAFETY: called from `main`'s thread before any other is started, so nobody reads the
        // environment meanwhile. candle takes its thread count from nowhere else.
        #[expect(unsafe_code, reason = "the environment is candle's only way to be told")]
        unsafe {
            std::env::set_var(variable, threads);
        }
    }
}
