//! The folder of a sweep: who holds it, its cells and how far each is, and `sweep.json`.
//!
//! A cell's run lies in it under the cell's name, and whether it is done is told by that run alone. Beside the runs, `.sweep`
//! has the lock of who runs the sweep, for each cell that of who works on it, and what it failed with. All of them may be
//! other processes, on other machines that share the disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::{Entry, Record, SCHEMA, Standing};
use super::{Cell, Sweep, slurm};
use crate::error::{Error, Result};
use crate::run::folder::{EXPERIMENT, SUMMARY, experiment_of, read_text, remove_abandoned};
use crate::run::lock::{CLEARED_AWAY, Lock};
use crate::whole_files::{Writer, remove_drafts};

/// What the sweep keeps of itself.
pub const SWEEP: &str = "sweep.json";
/// What it has beside its cells and `sweep.json`.
const OWN: &str = ".sweep";
/// Who works on a cell lets go of it once it has saved, which takes a while where its process was orphaned.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a sweep is. Reading needs no lock.
#[derive(Clone, Debug)]
pub struct SweepFolder {
    path: PathBuf,
}

/// A sweep's folder, held by this process alone.
#[derive(Debug)]
pub struct Held {
    /// Where it is.
    pub folder: SweepFolder,
    lock: Lock,
    writer: Writer,
}

/// That this process alone works on a cell, until it is dropped.
#[derive(Debug)]
pub struct Claim {
    _lock: Lock,
}

/// What a cell failed with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// In words.
    pub error: String,
    /// Whether the request was wrong, so that another try would come to the same.
    pub wrong_input: bool,
}

impl SweepFolder {
    /// The folder at a path, whether it is there or not.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A cell's run.
    pub fn run(&self, cell: &str) -> PathBuf {
        self.path.join(cell)
    }

    /// Where schedulers put what jobs say.
    pub fn logs(&self) -> PathBuf {
        self.path.join(OWN).join("logs")
    }

    fn own(&self, cell: &str, ending: &str) -> PathBuf {
        self.path.join(OWN).join(format!("{cell}.{ending}"))
    }

    /// What `sweep.json` says.
    ///
    /// # Errors
    /// Returns an error if there is none, or it is damaged or of a newer version; the path comes last.
    pub fn record(&self) -> Result<Record> {
        let path = self.path.join(SWEEP);
        if !path.is_file() {
            return Err(Error::input(format!("it is no sweep: it has no {SWEEP}: {}", self.path.display())));
        }
        let record: Record = serde_json::from_str(&read_text(&path)?)
            .map_err(|e| Error::input(format!("damaged: {e}: {}", path.display())))?;
        if record.schema > SCHEMA {
            return Err(Error::Lacking(format!("this was made by a newer version of Cutlayer: {}", path.display())));
        }
        Ok(record)
    }

    /// The sweep that `sweep.json` keeps.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn sweep(&self) -> Result<Sweep> {
        let record = self.record()?;
        let cells = record.cells.into_iter().map(|entry| entry.cell).collect();
        Ok(Sweep { name: record.name, title: record.title, cells, cluster: slurm::Wishes::default() })
    }

    /// How far a cell is, told from what is there.
    pub fn standing(&self, cell: &str) -> Standing {
        if let Some(seconds) = self.done(cell) {
            return Standing::Done { seconds };
        }
        if self.is_claimed(cell) {
            return Standing::Running;
        }
        self.failure(cell).map_or(Standing::Waiting, |failure| Standing::Failed { error: failure.error })
    }

    /// Seconds that a finished cell took; none while it is not finished.
    pub fn done(&self, cell: &str) -> Option<f64> {
        /// Of `summary.json`, which is long.
        #[derive(Deserialize)]
        struct Took {
            seconds: f64,
        }
        // Written whole or not at all.
        let text = read_text(&self.run(cell).join(SUMMARY)).ok()?;
        serde_json::from_str::<Took>(&text).ok().map(|took| took.seconds)
    }

    /// Whether some process works on a cell.
    pub fn is_claimed(&self, cell: &str) -> bool {
        Lock::is_held(&self.own(cell, "lock"))
    }

    /// Claims a cell: what another process holds is waited for a while, and that of a killed one is free at once.
    ///
    /// # Errors
    /// Returns an error if another process works on it, or the folder cannot be written.
    pub fn claim(&self, cell: &str) -> Result<Claim> {
        self.make()?;
        let taken = || Error::Failed(format!("another process is working on this cell: {}", self.run(cell).display()));
        Lock::take(&self.own(cell, "lock"), PATIENCE, taken).map(|lock| Claim { _lock: lock })
    }

    fn make(&self) -> Result<()> {
        let own = self.path.join(OWN);
        fs::create_dir_all(&own)
            .map_err(|e| Error::input(format!("--out cannot be used: {e}: {}", self.path.display())))
    }

    /// What a cell failed with, if that was the last that was heard of it.
    pub fn failure(&self, cell: &str) -> Option<Failure> {
        serde_json::from_str(&read_text(&self.own(cell, "json")).ok()?).ok()
    }

    /// Keeps what a cell failed with, as far as the disk lets it: it may be full.
    pub fn keep_failure(&self, cell: &str, error: &Error) {
        let failure = Failure { error: error.to_string(), wrong_input: error.exit_code() == 2 };
        if let Ok(text) = serde_json::to_string(&failure) {
            let _ = Writer::default().write(&self.own(cell, "json"), text.as_bytes());
        }
    }

    /// Forgets what a cell failed with: it is tried again.
    pub fn forget_failure(&self, cell: &str) {
        let _ = fs::remove_file(self.own(cell, "json"));
    }

    /// Checks that what lies in a cell's place, if anything, is that cell's run.
    ///
    /// # Errors
    /// Returns an error if it is something else, or a run with other settings: it names one.
    pub fn check(&self, cell: &Cell) -> Result<()> {
        let run = self.run(&cell.name);
        if !run.join(EXPERIMENT).is_file() {
            let other = || Error::input(format!("a cell's folder holds other files than a run: {}", run.display()));
            return match fs::read_dir(&run) {
                Ok(mut entries) => entries.next().map_or(Ok(()), |_| Err(other())),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                Err(e) => Err(Error::opening("open the cell", &run)(e)),
            };
        }
        let there = experiment_of(&run)?;
        if there.hash() == cell.experiment.hash() {
            return Ok(());
        }
        let (had, wants) = (there.values(), cell.experiment.values());
        let differs = wants.iter().find(|(key, value)| had.get(*key) != Some(*value)).map(|(key, value)| {
            let had = had.get(*key).map_or("missing".to_owned(), ToString::to_string);
            format!("{key} is {had} there and {value} in the sweep")
        });
        Err(Error::input(format!(
            "a cell's folder holds a run with other settings ({}); choose another --out, or remove it: {}",
            differs.unwrap_or_else(|| "an attack or a defence".to_owned()),
            run.display()
        )))
    }

    /// Holds the folder, which is made if need be, so that no second process runs the sweep.
    ///
    /// # Errors
    /// Returns an error if another process does, the folder cannot be written, a cell's place is taken by something else, or the
    /// images of one that is left are not there.
    pub fn hold(self, sweep: &Sweep) -> Result<Held> {
        // Before anything is written.
        sweep.cells.iter().try_for_each(|cell| self.check(cell))?;
        sweep.check_images(|cell| self.done(&cell.name).is_none())?;
        self.make()?;
        let taken = || Error::input(format!("another process is running this sweep: {}", self.path.display()));
        let lock = Lock::take(&self.path.join(OWN).join("lock"), CLEARED_AWAY, taken)?;
        if lock.lacks.is_none() {
            remove_drafts(&self.path);
            remove_drafts(&self.path.join(OWN));
            remove_abandoned(&self.path);
        }
        Ok(Held { folder: self, lock, writer: Writer::default() })
    }
}

impl Held {
    /// What to know about the folder: that its disk has no locks, if so.
    pub fn warning(&self) -> Option<String> {
        let why = self.lock.lacks.as_ref()?;
        let path = self.folder.path.display();
        Some(format!("the sweep cannot be locked ({why}), so let no second program run it meanwhile: {path}"))
    }

    /// Writes `sweep.json`.
    ///
    /// # Errors
    /// Returns an error if the disk refuses; it then holds what it held before.
    pub fn keep(&self, sweep: &Sweep, standings: &[Standing]) -> Result<()> {
        let entries = sweep.cells.iter().zip(standings);
        let record = Record {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: sweep.name.clone(),
            title: sweep.title.clone(),
            cells: entries.map(|(cell, standing)| Entry { cell: cell.clone(), standing: standing.clone() }).collect(),
        };
        let text = serde_json::to_string_pretty(&record).map_err(|e| Error::Internal(format!("{SWEEP}: {e}")))?;
        self.writer.write(&self.folder.path.join(SWEEP), (text + "\n").as_bytes())
    }
}
