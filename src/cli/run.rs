//! `cutlayer run`: the terminal as a reader of the stream.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{RunArgs, print, set_threads};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::checkpoint::Checkpoint;
use crate::run::control::Command;
use crate::run::event::{Event, Progress};
use crate::run::files::Writer;
use crate::run::folder::{CHECKPOINT, EXPERIMENT, RunFolder, SUMMARY, new_run_path, read_text, runs_folder};
use crate::run::prepared::Prepared;
use crate::run::record::{Recorder, read_summary};
use crate::run::report::report;
use crate::run::session::Session;
use crate::run::worker::{Outcome, Worker};

pub(super) fn run(args: RunArgs) -> Result<()> {
    if let Some(folder) = &args.resume {
        return resume(folder);
    }
    let name = args.experiment.as_deref().unwrap_or_default();
    let mut experiment = Experiment::load(name)?;
    for assignment in &args.set {
        experiment.set(assignment)?;
    }
    for (key, value) in [("seed", &args.seed), ("threads", &args.threads)] {
        if let Some(value) = value {
            experiment.set(&format!("{key}={value}"))?;
        }
    }
    experiment.validate()?;
    set_threads(experiment.threads);
    run_new(experiment, name, args.out, args.force)
}

/// Runs an experiment in a new folder.
pub(super) fn run_new(experiment: Experiment, name: &str, out: Option<PathBuf>, force: bool) -> Result<()> {
    let setup = Prepared::new(experiment)?;
    let stem = Path::new(name).file_stem().map_or("run".into(), |stem| stem.to_string_lossy());
    let path = out.unwrap_or_else(|| new_run_path(&runs_folder(), &stem, setup.experiment.seed));
    let writer = Arc::new(Writer::default());
    let folder = RunFolder::create(&path, &setup.experiment.to_toml(), force, &writer)?;
    let recorder = Recorder::new(folder, writer);
    watch(Worker::start(move |sink| Session::new(setup, Some(recorder), sink))?, &path)
}

/// Goes on with a run; one that has no checkpoint yet starts over.
fn resume(path: &Path) -> Result<()> {
    let folder = RunFolder::open(path)?;
    let file = folder.file(EXPERIMENT);
    let experiment = Experiment::from_toml(&read_text(&file)?, &file.display().to_string())?;
    let hash = experiment.hash();
    if folder.file(SUMMARY).is_file() {
        eprintln!("The run is finished: {}", path.display());
        return print(&report(&read_summary(path)?));
    }
    experiment.validate()?;
    set_threads(experiment.threads);
    let checkpoint = folder.file(CHECKPOINT);
    let checkpoint = if checkpoint.exists() { Some(Checkpoint::load(&checkpoint, &hash)?) } else { None };
    let setup = Prepared::new(experiment)?;
    let recorder = Recorder::new(folder, Arc::new(Writer::default()));
    let worker = Worker::start(move |sink| match checkpoint {
        Some(checkpoint) => Session::resume(setup, recorder, &checkpoint, sink),
        None => Session::new(setup, Some(recorder), sink),
    })?;
    watch(worker, path)
}

/// Reads the stream to its end: progress on standard error, the table on standard output.
fn watch(worker: Worker, path: &Path) -> Result<()> {
    stop_on_interrupt(&worker, path);
    let mut terminal = Terminal::new();
    let outcome = worker.join(|event| terminal.read(&event));
    terminal.bar.finish_and_clear();
    match outcome {
        Outcome::Done(summary) => {
            print(&report(&summary))?;
            eprintln!("The run is in {}", path.display());
            Ok(())
        }
        // Only attacks afterwards end so.
        Outcome::Attacked(_) => Ok(()),
        Outcome::Stopped => {
            eprintln!("Stopped and saved. Go on with: cutlayer run --resume {}", path.display());
            Err(Error::Stopped)
        }
        Outcome::Failed(error) => Err(error),
    }
}

/// The first interrupt saves and leaves, the second leaves at once.
fn stop_on_interrupt(worker: &Worker, path: &Path) {
    let control = worker.control.clone();
    let asked = AtomicBool::new(false);
    let path = path.to_owned();
    let handler = move || {
        if asked.swap(true, Ordering::Relaxed) {
            eprintln!("Left at once. Go on with: cutlayer run --resume {}", path.display());
            std::process::exit(1);
        }
        control.send(Command::Stop);
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("Interrupts will not be saved first: {error}");
    }
}

/// The terminal's view of the stream.
struct Terminal {
    bar: ProgressBar,
    start: Instant,
    seen_reconstruction: bool,
    line: Instant,
    phase: String,
}

impl Terminal {
    fn new() -> Self {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {prefix}") {
            bar.set_style(style.progress_chars("█▌ "));
        }
        Self { bar, start: Instant::now(), seen_reconstruction: false, line: Instant::now(), phase: String::new() }
    }

    fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    fn read(&mut self, event: &Event) {
        match event {
            Event::Started { folder, resumed } => {
                let verb = if *resumed { "Going on with" } else { "Running in" };
                if let Some(folder) = folder {
                    self.say(&format!("{verb} {}", folder.display()));
                }
            }
            Event::Progress(progress) => self.progress(progress),
            Event::Reconstruction(_) if !self.seen_reconstruction => {
                self.seen_reconstruction = true;
                self.say(&format!("First reconstruction after {:.1} s", self.start.elapsed().as_secs_f64()));
            }
            Event::Epoch(row) => {
                let streams = [("a", row.attacked), ("r", row.recovered), ("f", row.fused_stream)];
                let streams: String =
                    streams.iter().filter_map(|(name, v)| v.map(|v| format!("{name} {v:.2} "))).collect();
                self.say(&format!("{} epoch {}: {streams}accuracy {:.2} %", row.model, row.epoch, row.accuracy));
            }
            Event::Attack(a) => {
                let form = if a.adaptive { "adaptive " } else { "" };
                self.say(&format!(
                    "{form}{} at {} after epoch {}: SSIM {:.3} ± {:.3}, {:.1} dB ({:.1} s)",
                    a.name, a.target, a.epoch, a.ssim, a.ssim_se, a.psnr, a.seconds
                ));
            }
            Event::Warning(text) => self.say(&format!("Warning: {text}")),
            // How it ended is said once the worker has left.
            Event::Reconstruction(_)
            | Event::Steps(_)
            | Event::Live(_)
            | Event::Saved
            | Event::Gallery(_)
            | Event::Past(_)
            | Event::Attacked(_)
            | Event::Done(_)
            | Event::Stopped
            | Event::Failed(_) => {}
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let clock = |s: f64| humantime::format_duration(Duration::from_secs(s.ceil() as u64)).to_string();
        let left = progress.left(clock);
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
        self.bar.set_prefix(left.clone());
        self.bar.set_message(progress.phase.clone());
        // Where standard error is a file or a pipe, a line now and then.
        let due = self.line.elapsed() > Duration::from_secs(10) || self.phase != progress.phase;
        if self.bar.is_hidden() && due {
            self.line = Instant::now();
            self.phase.clone_from(&progress.phase);
            eprintln!("{}: {}/{} {left}", progress.phase, progress.done, progress.total);
        }
    }
}
