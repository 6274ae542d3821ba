//! `cutlayer audit`: a frozen suite of attacks at a run or a victim, in a folder that others can check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::attack::worked;
use super::interrupt::interrupted_with_input;
use super::run::run_among_others;
use super::victim_files::VictimFiles;
use super::{DataArgs, place, print, print_kept, set_threads, tell};
use crate::audit::{
    AUDIT, Audit, NEWEST, RUN, SUITES, Suite, begun, begun_at_files, check_is_empty, counted, found_at_files, report,
    sealed, seed_folder, verified,
};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::experiment::preset::DIGITS;
use crate::export::folder::check_new_file;
use crate::report::pdf;
use crate::report::read::read;
use crate::run::attack_later::{Afterwards, floors};
use crate::run::attack_records::earlier;
use crate::run::folder::{ATTACKS, EXPERIMENT, RunFolder, check_is_run, experiment_of};
use crate::run::identity::DataChoice;
use crate::run::launch::{Launch, Launched, at_victim, launched};
use crate::run::summary::AttackRecord;
use crate::run::victim::job::{Task, VictimJob};
use crate::run::victim::{Paths, Victim};
use crate::workbench::{attacks, load};

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
    /// The folder for the audit, which must be empty: what was audited, what was stolen of it, scores and hashes. Without it
    /// one beside the report.
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
    check_is_empty(out)?;
    let suite = Suite::of(args.suite)?;
    let found = match (&args.run, args.victim.paths()) {
        (Some(run), _) => at_run(&suite, &trained(run, &args.set)?, out, &args.data.choice())?,
        (None, Some(paths)) => at_files(&suite, &paths, out)?,
        // As above.
        (None, None) => return Err(Error::Internal("neither a run nor a victim was named".to_owned())),
    };
    let audit = sealed(out, found.audit(&suite))?;
    shown(&audit, args.json)?;
    tell(&format!("The audit is in {}; `cutlayer audit --verify {0}` checks it", out.display()));
    let Some(file) = &args.report else { return Ok(()) };
    pdf::write(&crate::report::page(&read(&[out.join(RUN)])?), file)?;
    tell(&format!("The report is in {}", file.display()));
    Ok(())
}

/// The finished run at this place; of images one is made first.
fn trained(place: &Path, set: &[String]) -> Result<PathBuf> {
    if place.join(EXPERIMENT).is_file() {
        return match set.first() {
            None => Ok(place.to_owned()),
            Some(set) => Err(Error::input(format!("--set {set}: a finished run stays as it is"))),
        };
    }
    if !place.exists() {
        check_is_run(place)?;
    }
    let mut experiment = own_images(place)?;
    set.iter().try_for_each(|set| experiment.set(set))?;
    experiment.validate()?;
    set_threads(experiment.threads);
    let run = run_among_others(experiment)?;
    tell(&format!("The run is in {}", run.display()));
    Ok(run)
}

/// How models are trained on images of which nothing is known: as the presets for small sets have it. The attackers have a
/// quarter of them, so that there is something to rehearse on.
fn own_images(place: &Path) -> Result<Experiment> {
    const SMALL_SETS: [&str; 9] = [
        "data.aux=0.25",
        "train.epochs=40",
        "train.batch=16",
        "train.class_weights=\"balanced\"",
        "train.shift=0.1",
        "train.contrast=0.2",
        "train.weights=\"best\"",
        "evaluate.mu_images=8",
        "data.split=\"drawn\"",
    ];
    /// Larger images are made so small, that an audit takes minutes.
    const SIDE: usize = 64;
    let path = place.to_str().ok_or_else(|| Error::input(format!("this is no Unicode text: {}", place.display())))?;
    let mut experiment = Experiment::preset(DIGITS)?;
    experiment.attacks.clear();
    SMALL_SETS.iter().try_for_each(|set| experiment.set(set))?;
    path.clone_into(&mut experiment.data.name);
    let fits = |experiment: &Experiment| {
        let images = load(&experiment.data.name, &experiment.data.wanted()?)?;
        let [_, h, w] = images.shape();
        Ok::<_, Error>(h.max(w) <= SIDE)
    };
    // Images of several sizes have none before one is chosen.
    if !fits(&experiment).unwrap_or(false) {
        experiment.data.size = SIDE;
        fits(&experiment)?;
    }
    Ok(experiment)
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

fn at_run(suite: &Suite, run: &Path, out: &Path, data: &DataChoice) -> Result<Found> {
    let copy = begun(run, out)?;
    set_threads(experiment_of(&copy)?.threads);
    for seed in suite.seeds() {
        tell(&format!("Suite {}, seed {seed}", suite.suite));
        let (folder, launched) = ready(&copy, &suite.launch(seed, suite.targets))?;
        let (file, data) = (folder.file(ATTACKS), data.clone());
        worked(&file, NOTHING, move |sink| Afterwards::new(folder, launched, &data, sink))?;
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

fn at_files(suite: &Suite, paths: &Paths, out: &Path) -> Result<Found> {
    // What does not fit is told of before anything is written.
    let victim = Victim::open(paths)?;
    if victim.truth.is_none() {
        let path = paths.smashed.display();
        return Err(Error::input(format!("an audit scores, and the array images is missing: {path}")));
    }
    let paths = begun_at_files(paths, out)?;
    set_threads(0);
    let mut victim = Some(victim);
    for seed in suite.seeds() {
        tell(&format!("Suite {}, seed {seed}", suite.suite));
        let own = victim.take().map_or_else(|| Victim::open(&paths), Ok)?;
        launch_at(own, &suite.launch(seed, suite.targets), suite.targets, &seed_folder(out, seed))?;
    }
    tell("Rehearsal on the attacker's own images");
    let launch = suite.launch(suite.first_seed(), suite.rehearsal);
    let own = Victim::open(&paths)?.rehearsal(suite.rehearsal);
    let rehearsal = own.and_then(|own| launch_at(own, &launch, suite.rehearsal, &out.join(REHEARSAL)));
    let rehearsal = rehearsed(rehearsal)?;
    let (records, floors) = found_at_files(out)?;
    Ok(Found { records, rehearsal, floors })
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
