//! `cutlayer audit`: a frozen suite of attacks at a run or a victim, in a folder that others can check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::attack::worked;
use super::interrupt::interrupted_with_input;
use super::own_images::trained;
use super::victim_files::VictimFiles;
use super::{DataArgs, place, print, print_kept, set_threads, tell};
use crate::audit::{
    AUDIT, Audit, Course, NEWEST, RUN, SUITES, Suite, copied_files, copied_run, counted, found_at_files, report,
    sealed, sealed_before, seed_folder, verified,
};
use crate::error::{Error, Result};
use crate::export::folder::check_new_file;
use crate::report::pdf;
use crate::report::read::read;
use crate::run::attack_later::{Afterwards, floors};
use crate::run::attack_records::{earlier, keep_first};
use crate::run::folder::{ATTACKS, RunFolder, experiment_of};
use crate::run::identity::DataChoice;
use crate::run::launch::{Launch, Launched, at_victim, launched};
use crate::run::summary::AttackRecord;
use crate::run::victim::job::{Task, VictimJob};
use crate::run::victim::{Paths, Victim};
use crate::workbench::attacks;

/// What is lost where an audit does not come to its end.
const NOTHING: &str = "there is no audit";
/// The folder of a victim's rehearsal.
const REHEARSAL: &str = "rehearsal";

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// A finished run's folder; with --verify, an audit's. Of images of your own (a folder, a file) a model is trained first.
    /// Without it a victim of another program is audited (--smashed).
    #[arg(value_name = "RUN|IMAGES", value_parser = place(), required_unless_present = "smashed")]
    run: Option<PathBuf>,
    /// The suite's number.
    #[arg(long, value_name = "N", default_value_t = NEWEST,
          value_parser = clap::value_parser!(u32).range(1..=SUITES.len() as i64))]
    suite: u32,
    /// The folder for the audit: what was audited, what was stolen of it, scores and hashes. An empty one, or that of the same
    /// audit, which goes on where it was stopped. Without it one beside the report.
    #[arg(long, value_name = "FOLDER", value_parser = place(), required_unless_present_any = ["verify", "report"])]
    out: Option<PathBuf>,
    /// Write a report too, one page in plain words: HTML with everything inside, or PDF by its ending, where there is a browser
    /// to print it.
    #[arg(long, value_name = "FILE", value_parser = place(), conflicts_with_all = ["verify", "smashed"])]
    report: Option<PathBuf>,
    /// Of images: change a setting of the experiment that they are trained by, as in --set model.cut=3.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["verify", "smashed"])]
    set: Vec<String>,
    /// Check an audit that somebody made: no byte differs, and scores and words are those of the images.
    #[arg(long, conflicts_with_all = ["out", "suite", "smashed"], requires = "run")]
    verify: bool,
    /// Print the audit as JSON.
    #[arg(long)]
    json: bool,
    /// Stop once standard input ends: for the process that shows it.
    #[arg(long, hide = true)]
    piped: bool,
    #[command(flatten)]
    victim: VictimFiles,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn audit(args: &AuditArgs) -> Result<()> {
    if args.piped {
        interrupted_with_input()?;
    }
    if let (true, Some(folder)) = (args.verify, &args.run) {
        let audit = verified(folder)?;
        tell(&format!("Nothing differs: {} files, {} models", audit.files.len(), audit.models.len()));
        return shown(&audit, args.json);
    }
    if let Some(file) = &args.report {
        check_new_file("--report", file)?;
    }
    // clap asks for one of the two.
    let beside = |file: &PathBuf| file.with_extension("audit");
    let out = args.out.clone().or_else(|| args.report.as_ref().map(beside));
    let out = &out.ok_or_else(|| Error::Internal("an audit without a folder".to_owned()))?;
    let suite = Suite::of(args.suite)?;
    let mut course = Course::open(out, args.suite, named(args))?;
    let audit = if course.is_sealed() {
        sealed_before(out)?
    } else {
        found(&suite, args, &mut course).inspect_err(|error| {
            if matches!(error, Error::Stopped) {
                tell("The same command goes on with the audit");
            }
        })?
    };
    shown(&audit, args.json)?;
    tell(&format!("The audit is in {}; `cutlayer audit --verify {0}` checks it", out.display()));
    let Some(file) = &args.report else { return Ok(()) };
    pdf::write(&crate::report::page(&read(&[out.join(RUN)])?), file)?;
    tell(&format!("The report is in {}", file.display()));
    Ok(())
}

/// What is audited, as the next call with the same arguments has it too.
fn named(args: &AuditArgs) -> Vec<String> {
    // A path that cannot be made absolute stands for itself.
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
    let victim = args.victim.paths();
    let files = victim.iter().flat_map(|paths| {
        let some = [&paths.model, &paths.client, &paths.own].into_iter().flatten();
        std::iter::once(&paths.smashed).chain(some).map(whole)
    });
    args.run.iter().map(whole).chain(files).chain(args.set.iter().cloned()).collect()
}

fn found(suite: &Suite, args: &AuditArgs, course: &mut Course) -> Result<Audit> {
    let found = match (&args.run, args.victim.paths()) {
        (Some(run), _) => {
            let run = trained(run, &args.set, course)?;
            at_run(suite, &run, course, &args.data.choice())?
        }
        (None, Some(paths)) => at_files(suite, &paths, course)?,
        // clap asks for one of the two.
        (None, None) => return Err(Error::Internal("neither a run nor a victim was named".to_owned())),
    };
    sealed(course.folder(), found.audit(suite))
}

fn shown(audit: &Audit, json: bool) -> Result<()> {
    if !json {
        return print(&(report(audit) + "\n"));
    }
    let text = serde_json::to_string_pretty(audit).map_err(|e| Error::Internal(format!("{AUDIT}: {e}")))?;
    print_kept(&text);
    Ok(())
}

/// What all attacks came to.
struct Found {
    records: Vec<AttackRecord>,
    rehearsal: Vec<AttackRecord>,
    floors: Vec<AttackRecord>,
}

impl Found {
    fn audit(self, suite: &Suite) -> Audit {
        let Self { records, rehearsal, floors } = self;
        let launched = |name: &String| records.iter().any(|record| record.name == *name);
        let all = attacks().iter().map(|kind| kind.id.to_owned());
        let not_covered: Vec<String> = all.filter(|name| !launched(name)).collect();
        Audit {
            suite: suite.suite,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            targets: records.iter().map(|record| record.images).min().unwrap_or(0),
            models: counted(suite, &records, &rehearsal, &floors, &not_covered),
            not_covered,
            rehearsal,
            floors,
            files: BTreeMap::new(),
            seal: String::new(),
        }
    }
}

fn at_run(suite: &Suite, run: &Path, course: &mut Course, data: &DataChoice) -> Result<Found> {
    let copy = copied_run(run, course)?;
    set_threads(experiment_of(&copy)?.threads);
    for seed in suite.seeds() {
        if course.has(seed) {
            continue;
        }
        tell(&format!("Suite {}, seed {seed}", suite.suite));
        // Of a seed that was stopped amid its attacks nothing counts.
        keep_first(&copy, course.records())?;
        let (folder, launched) = ready(&copy, &suite.launch(seed, suite.targets))?;
        let (file, data) = (folder.file(ATTACKS), data.clone());
        worked(&file, NOTHING, move |sink| Afterwards::new(folder, launched, &data, sink))?;
        course.ended(seed, earlier(&copy)?.len())?;
    }
    tell("Rehearsal on the attackers' own images");
    let first = suite.first_seed();
    let (folder, launched) = ready(&copy, &suite.launch(first, suite.rehearsal))?;
    let (file, choice, targets) = (folder.file(ATTACKS), data.clone(), suite.rehearsal);
    let rehearsal =
        worked(&file, NOTHING, move |sink| Afterwards::rehearsal(&folder, launched, &choice, targets, sink));
    let rehearsal = rehearsed(rehearsal)?;
    let (_folder, launched) = ready(&copy, &suite.launch(first, suite.targets))?;
    let floors = floors(&copy, launched, data, suite.targets)?;
    Ok(Found { records: earlier(&copy)?, rehearsal, floors })
}

/// What lacks something at this run is left out, and stands under what is not covered.
fn ready(copy: &Path, launch: &Launch) -> Result<(RunFolder, Launched)> {
    let folder = RunFolder::open(copy)?;
    let launched = launched(&folder, launch)?;
    Ok((folder, Launched { lenient: true, ..launched }))
}

fn at_files(suite: &Suite, paths: &Paths, course: &mut Course) -> Result<Found> {
    // What does not fit is told of before anything is written.
    let victim = Victim::open(paths)?;
    if victim.truth.is_none() {
        let path = paths.smashed.display();
        return Err(Error::input(format!("an audit scores, and the array images is missing: {path}")));
    }
    let paths = copied_files(paths, course)?;
    let out = course.folder().to_owned();
    set_threads(0);
    let mut victim = Some(victim);
    for seed in suite.seeds() {
        if course.has(seed) {
            continue;
        }
        tell(&format!("Suite {}, seed {seed}", suite.suite));
        let place = seed_folder(&out, seed);
        remove(&place)?;
        let own = victim.take().map_or_else(|| Victim::open(&paths), Ok)?;
        launch_at(own, &suite.launch(seed, suite.targets), suite.targets, &place)?;
        course.ended(seed, 0)?;
    }
    tell("Rehearsal on the attacker's own images");
    remove(&out.join(REHEARSAL))?;
    let launch = suite.launch(suite.first_seed(), suite.rehearsal);
    let own = Victim::open(&paths)?.rehearsal(suite.rehearsal);
    let rehearsal = own.and_then(|own| launch_at(own, &launch, suite.rehearsal, &out.join(REHEARSAL)));
    let rehearsal = rehearsed(rehearsal)?;
    let (records, floors) = found_at_files(&out)?;
    Ok(Found { records, rehearsal, floors })
}

/// Removes what an audit that was stopped left half done.
fn remove(folder: &Path) -> Result<()> {
    if folder.is_dir() { std::fs::remove_dir_all(folder).map_err(Error::io("remove", folder)) } else { Ok(()) }
}

/// None where there is nothing to rehearse on: the attacks have been launched by then, and only the choice is left.
fn rehearsed(records: Result<Vec<AttackRecord>>) -> Result<Vec<AttackRecord>> {
    match records {
        Err(Error::Input(why)) => {
            tell(&why);
            Ok(Vec::new())
        }
        other => other,
    }
}

fn launch_at(victim: Victim, launch: &Launch, images: usize, out: &Path) -> Result<Vec<AttackRecord>> {
    let task = Task { attacks: at_victim(launch)?, images: Some(images), lenient: true, out: out.to_owned() };
    worked(out, NOTHING, move |sink| VictimJob::new(victim, task, sink))
}
