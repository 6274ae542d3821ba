//! `cutlayer audit`: a frozen suite of attacks at a run or a victim, in a folder that others can check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::attack::worked;
use super::victim_files::VictimFiles;
use super::{DataArgs, place, print, print_kept, set_threads, tell};
use crate::audit::{
    AUDIT, Audit, NEWEST, SUITES, Suite, begun, begun_at_files, counted, found_at_files, report, sealed, seed_folder,
    verified,
};
use crate::error::{Error, Result};
use crate::run::attack_later::{Afterwards, floors};
use crate::run::attack_records::earlier;
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
    /// A finished run's folder; with --verify, an audit's. Without it a victim of another program is audited (--smashed).
    #[arg(value_name = "RUN", value_parser = place(), required_unless_present = "smashed")]
    run: Option<PathBuf>,
    /// The suite's number.
    #[arg(long, value_name = "N", default_value_t = NEWEST,
          value_parser = clap::value_parser!(u32).range(1..=SUITES.len() as i64))]
    suite: u32,
    /// The folder for the audit, which must be empty: what was audited, what was stolen of it, scores and hashes.
    #[arg(long, value_name = "FOLDER", value_parser = place(), required_unless_present = "verify")]
    out: Option<PathBuf>,
    /// Check an audit that somebody made: no byte differs, and scores and words are those of the images.
    #[arg(long, conflicts_with_all = ["out", "suite", "smashed"])]
    verify: bool,
    /// Print the audit as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    victim: VictimFiles,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn audit(args: &AuditArgs) -> Result<()> {
    if let (true, Some(folder)) = (args.verify, &args.run) {
        let audit = verified(folder)?;
        tell(&format!("Nothing differs: {} files, {} models", audit.files.len(), audit.models.len()));
        return shown(&audit, args.json);
    }
    let out = args.out.as_ref().ok_or_else(|| Error::Internal("an audit without a folder".to_owned()))?;
    let suite = Suite::of(args.suite)?;
    let found = match (&args.run, args.victim.paths()) {
        (Some(run), _) => at_run(&suite, run, out, &args.data.choice())?,
        (None, Some(paths)) => at_files(&suite, &paths, out)?,
        // clap asks for one of the two.
        (None, None) => return Err(Error::Internal("neither a run nor a victim was named".to_owned())),
    };
    let audit = sealed(out, found.audit(&suite))?;
    shown(&audit, args.json)?;
    tell(&format!("The audit is in {}; `cutlayer audit --verify {0}` checks it", out.display()));
    Ok(())
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
        worked(&file, NOTHING, move |sink| Afterwards::rehearsal(&folder, launched, &choice, targets, sink))?;
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
    let rehearsal = match Victim::open(&paths)?.rehearsal(suite.rehearsal) {
        Ok(own) => launch_at(own, &launch, suite.rehearsal, &out.join(REHEARSAL))?,
        Err(Error::Input(why)) => {
            tell(&why);
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let (records, floors) = found_at_files(out)?;
    Ok(Found { records, rehearsal, floors })
}

fn launch_at(victim: Victim, launch: &Launch, images: usize, out: &Path) -> Result<Vec<AttackRecord>> {
    let task = Task { attacks: at_victim(launch)?, images: Some(images), lenient: true, out: out.to_owned() };
    worked(out, NOTHING, move |sink| VictimJob::new(victim, task, sink))
}
