//! `cutlayer attack`: attacks at the trained models of a run, or at a victim that another program trained.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::diagnosis::Diagnoses;
use super::interrupt::obey_interrupts;
use super::terminal::Terminal;
use super::victim_files::VictimFiles;
use super::{DataArgs, attack_name, place, print_kept, set_threads, tell};
use crate::error::{Error, Result};
use crate::run::attack_later::Afterwards;
use crate::run::folder::{ATTACKS, RunFolder};
use crate::run::launch::{ALL, Launch, Means, at_victim, launched};
use crate::run::report::diagnosis::manipulated;
use crate::run::report::{launched_text, victim_text};
use crate::run::summary::AttackRecord;
use crate::run::victim::job::{Task, VictimJob};
use crate::run::victim::{Paths, Victim};
use crate::run::worker::{Outcome, Work, Worker};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct AttackArgs {
    /// The run's folder; without it a victim of another program is attacked (--smashed).
    #[arg(value_parser = place(), required_unless_present = "smashed")]
    run: Option<PathBuf>,
    /// Which attacks, by their names or by their labels in the run, with commas between them; "all" for every one. --help
    /// lists them.
    #[arg(
        long,
        value_name = "ATTACK",
        value_parser = attack_name(),
        hide_possible_values = true,
        value_delimiter = ',',
        required = true
    )]
    with: Vec<String>,
    /// Only the form that knows the defence.
    #[arg(long, conflicts_with_all = ["naive", "both", "smashed"])]
    adaptive: bool,
    /// Only the form that doesn't.
    #[arg(long, conflicts_with = "both")]
    naive: bool,
    /// Both forms, which is the default.
    #[arg(long, conflicts_with = "smashed")]
    both: bool,
    /// Number of targets.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    images: Option<String>,
    /// Seed of the attackers' own randomness; without it the run's.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    seed: Option<String>,
    /// Change a setting of a launched attack, as in --set rmle.tv=0.01.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// With what means: in little time, with the defaults or the run's own settings, or as published, be it for hours.
    #[arg(long, value_name = "MEANS", default_value = "default", value_parser = Means::ALL.map(Means::name))]
    budget: String,
    /// Print the finished attacks as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    victim: VictimFiles,
    /// The folder for what is found at a victim.
    #[arg(long, value_name = "FOLDER", value_parser = place(), requires = "smashed")]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn attack(args: &AttackArgs) -> Result<()> {
    let launch = Launch {
        attacks: args.with.clone(),
        naive: args.naive,
        adaptive: args.adaptive,
        images: args.images.clone(),
        seed: args.seed.clone(),
        means: Means::named(&args.budget).unwrap_or_default(),
        set: args.set.clone(),
    };
    match (&args.run, args.victim.paths(), &args.out) {
        (Some(run), ..) => at_run(run, launch, args),
        (None, Some(paths), Some(out)) => at_files(&paths, out, &launch, args),
        // clap asks for one of the two.
        (None, ..) => Err(Error::Internal("neither a run nor a victim was named".to_owned())),
    }
}

/// Steals first, and then manipulates diagnoses.
fn at_run(run: &Path, launch: Launch, args: &AttackArgs) -> Result<()> {
    let (steals, diagnoses) = Diagnoses::part(launch);
    let mut json = Vec::new();
    if let Some(launch) = &steals {
        let records = steal(run, launch, args)?;
        if args.json {
            json.push(("attacks", serde_json::to_value(&records)));
        } else {
            print_kept(&launched_text(run, &records)?);
        }
    }
    if let Some(diagnoses) = &diagnoses {
        let rows = diagnoses.launch(run, &args.data.choice())?;
        if args.json {
            json.push(("diagnosis", serde_json::to_value(&rows)));
        } else {
            print_kept(&manipulated(&rows));
        }
    }
    if !args.json {
        return Ok(());
    }
    let wrong = |e: serde_json::Error| Error::Internal(format!("attacks: {e}"));
    let both = json.len() > 1;
    let mut all = Map::new();
    for (name, value) in json {
        all.insert(name.to_owned(), value.map_err(wrong)?);
    }
    // A list, where there is one of a kind.
    let all = if both { Value::Object(all) } else { all.into_iter().next().map_or(Value::Null, |(_, list)| list) };
    print_kept(&serde_json::to_string_pretty(&all).map_err(wrong)?);
    Ok(())
}

fn steal(run: &Path, launch: &Launch, args: &AttackArgs) -> Result<Vec<AttackRecord>> {
    let folder = RunFolder::open(run)?;
    let launched = launched(&folder, launch)?;
    set_threads(launched.experiment.threads);
    let file = folder.file(ATTACKS);
    let data = args.data.choice();
    worked(&file, "nothing was changed", move |sink| Afterwards::new(folder, launched, &data, sink))
}

fn at_files(paths: &Paths, out: &Path, launch: &Launch, args: &AttackArgs) -> Result<()> {
    let attacks = at_victim(launch)?;
    // All targets, unless fewer are asked for.
    let images = launch.images.as_ref().and_then(|_| attacks.first().map(|spec| spec.images));
    let victim = Victim::open(paths)?;
    set_threads(0);
    let lenient = launch.attacks.iter().any(|name| name == ALL);
    let task = Task { attacks, images, lenient, out: out.to_owned() };
    let file = out.join("summary.json");
    let records = worked(&file, "nothing was found", move |sink| VictimJob::new(victim, task, sink))?;
    let wrong = |e: serde_json::Error| Error::Internal(format!("summary: {e}"));
    if args.json {
        print_kept(&serde_json::to_string_pretty(&records).map_err(wrong)?);
    } else if !records.is_empty() {
        // With the guesses at the same targets.
        let text = std::fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        let mut summary: Value = serde_json::from_str(&text).map_err(wrong)?;
        let all: Vec<AttackRecord> = serde_json::from_value(summary["attacks"].take()).map_err(wrong)?;
        print_kept(&victim_text(&all));
    }
    tell(&format!("The results are in {}", out.display()));
    Ok(())
}

/// The records of attacks that came to their end.
pub(super) fn worked<W: Into<Work>>(
    file: &Path,
    nothing: &str,
    make: impl FnOnce(crate::run::event::Sink) -> Result<W> + Send + 'static,
) -> Result<Vec<AttackRecord>> {
    let worker = Worker::start(make)?;
    obey_interrupts(&worker, format!("Left at once. What was finished is kept in {}", file.display()));
    let mut terminal = Terminal::new(["Attacking"; 2]);
    let outcome = worker.join(|event| terminal.read(&event));
    let finished = terminal.end();
    match outcome {
        Outcome::Attacked(records) => Ok(records),
        // Only runs end so.
        Outcome::Done(_) | Outcome::Diagnosed(_) => Ok(Vec::new()),
        Outcome::Stopped if finished == 0 => {
            tell(&format!("Stopped before an attack was finished; {nothing}"));
            Err(Error::Stopped)
        }
        Outcome::Stopped => {
            tell(&format!("Stopped. Finished attacks are kept in {}", file.display()));
            Err(Error::Stopped)
        }
        Outcome::Failed(error) => Err(error),
    }
}
