//! A run's folder: how it comes to be, its files, its lock.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lock::{CLEARED_AWAY, Lock};
use super::whole_files::{Writer, remove_drafts};
use crate::error::{Error, Result};
use crate::experiment::{Experiment, text};
pub use crate::place::home_folder;

/// What was run.
pub const EXPERIMENT: &str = "experiment.toml";
/// What the run keeps of its data.
pub const DATA: &str = "data.json";
/// One row a step.
pub const METRICS: &str = "metrics.csv";
/// What came out.
pub const SUMMARY: &str = "summary.json";
/// From where a run goes on.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// Pictures of attacks and maps.
pub const IMAGES: &str = "images";
/// Weights of each model's best epoch, a file a model.
pub const BEST: &str = "best";
/// What somebody wrote about the run.
pub const NOTES: &str = "notes.md";
/// Class shares of each test image, by row of the table.
pub const PREDICTIONS: &str = "predictions.npz";
/// Reconstructions and scores of each attack, for other programs.
pub const KEPT: &str = "attacks";
/// Attacks launched at the run afterwards.
pub const ATTACKS: &str = "attacks.json";
/// Scores of every target of every attack of which files are kept, a row each.
pub const EACH: &str = "attacks.csv";
/// Diagnoses manipulated at the run afterwards.
pub const DIAGNOSIS: &str = "diagnosis.json";
/// Seconds spent so far.
pub const TIMES: &str = ".times.json";
const LOCK: &str = ".lock";
/// In the name of a folder that is about to become a run's.
const DRAFT: &str = ".new-";

/// A run's folder, held by this process alone.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    lock: Lock,
}

impl RunFolder {
    /// Makes the folder with the experiment inside; it appears with both at once. An empty folder is
    /// used as it is. One that holds a run is refused, or with `force` that run is removed first.
    ///
    /// # Errors
    /// Where the folder is used, locked or can't be written.
    pub fn create(path: &Path, experiment: &str, force: bool, writer: &Writer) -> Result<Self> {
        let refused =
            |e: &dyn std::fmt::Display| Error::input(format!("--out cannot be used: {e}: {}", path.display()));
        let occupied = match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Self::create_new(path, experiment, writer).map_err(|e| refused(&e));
            }
            Err(e) => return Err(refused(&e)),
        };
        if occupied && !force {
            return Err(refused(&"the folder is not empty; choose another, or replace the run in it with --force"));
        }
        if occupied && !path.join(EXPERIMENT).is_file() {
            return Err(refused(&"it holds other files than a run, and --force only replaces a run"));
        }
        let folder = Self::hold(path)?;
        folder.remove_run().map_err(|e| refused(&e))?;
        folder.write(writer, EXPERIMENT, experiment.as_bytes()).map_err(|e| refused(&e))?;
        Ok(folder)
    }

    fn create_new(path: &Path, experiment: &str, writer: &Writer) -> Result<Self> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(Error::io("create the folder", parent))?;
        let name = path.file_name().ok_or_else(|| Error::input("the path names no folder"))?.to_string_lossy();
        let draft = parent.join(format!(".{name}{DRAFT}{}", std::process::id()));
        fs::create_dir_all(&draft).map_err(Error::io("create the folder", &draft))?;
        let make = || {
            writer.write(&draft.join(EXPERIMENT), experiment.as_bytes())?;
            let held = lock(&draft)?;
            if fs::rename(&draft, path).is_ok() {
                return Ok(Self { path: path.to_owned(), lock: held });
            }
            // Shares of other systems move no folder while a file in it is open.
            drop(held);
            fs::rename(&draft, path).map_err(Error::io("create the folder", path))?;
            Self::hold(path)
        };
        let made = make();
        if made.is_err() {
            // Best effort: the error that matters is already on its way.
            let _ = fs::remove_dir_all(&draft);
        }
        made
    }

    /// Opens a run's folder and locks it.
    ///
    /// # Errors
    /// Where it is no run, or another process works in it.
    pub fn open(path: &Path) -> Result<Self> {
        check_is_run(path)?;
        Self::hold(path)
    }

    fn hold(path: &Path) -> Result<Self> {
        let lock = lock(path)?;
        if lock.lacks.is_none() {
            remove_drafts(path);
            for name in [IMAGES, KEPT, BEST] {
                remove_drafts(&path.join(name));
            }
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// What to know about the folder: that its disk has no locks, if so.
    pub fn warning(&self) -> Option<String> {
        let why = self.lock.lacks.as_ref()?;
        Some(format!(
            "the run cannot be locked ({why}), so let no second program work in it meanwhile: {}",
            self.path.display()
        ))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file in it, whole or not at all.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write(&self, writer: &Writer, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        if name != EXPERIMENT {
            self.check_is_there()?;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create the folder", parent))?;
        }
        writer.write(&path, bytes).map_err(|error| {
            let vanished = matches!(&error, Error::Io { source, .. } if source.kind() == ErrorKind::NotFound);
            // It was made just now, and so was what is to be renamed: somebody is taking the run away.
            if vanished || path.parent().is_some_and(|parent| !parent.is_dir()) { self.gone() } else { error }
        })
    }

    /// Puts `bytes` after the first `kept` bytes of a file in it; see [`Writer::append`].
    ///
    /// # Errors
    /// Where the file is missing or shorter, or the disk refuses.
    pub fn append(&self, writer: &Writer, name: &str, kept: u64, bytes: &[u8]) -> Result<()> {
        self.check_is_there()?;
        writer.append(&self.file(name), kept, bytes)
    }

    /// Made anew it would look like a run and be none.
    fn check_is_there(&self) -> Result<()> {
        if self.file(EXPERIMENT).is_file() { Ok(()) } else { Err(self.gone()) }
    }

    fn gone(&self) -> Error {
        let gone = "the run's folder was taken away, or its experiment.toml, while the run was going";
        Error::input(format!("{gone}: {}", self.path.display()))
    }

    /// Removes a run's own files, and no others; the checkpoint first, so that nothing resumes the rest.
    fn remove_run(&self) -> Result<()> {
        for name in [CHECKPOINT, SUMMARY, METRICS, ATTACKS, EACH, DIAGNOSIS, TIMES, DATA, NOTES, EXPERIMENT] {
            let path = self.file(name);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io("remove", &path)(e)),
                _ => {}
            }
        }
        for (folder, endings) in [(IMAGES, &["png"][..]), (KEPT, &["npz", "csv"]), (BEST, &["safetensors"])] {
            let Ok(files) = fs::read_dir(self.file(folder)) else { continue };
            for file in files.flatten().map(|entry| entry.path()) {
                if file.extension().is_some_and(|ending| endings.iter().any(|own| ending == *own)) {
                    fs::remove_file(&file).map_err(Error::io("remove", &file))?;
                }
            }
        }
        Ok(())
    }
}

/// # Errors
/// Where `path` is no run's folder.
pub fn check_is_run(path: &Path) -> Result<()> {
    let problem = if !path.exists() {
        "there is no such folder"
    } else if !path.is_dir() {
        "it is a file, a run is a folder"
    } else if !path.join(EXPERIMENT).is_file() {
        "it is no run: it has no experiment.toml"
    } else {
        return Ok(());
    };
    Err(Error::input(format!("{problem}: {}", path.display())))
}

/// Reads what a run runs.
///
/// # Errors
/// Returns an error if its experiment is missing or damaged; [`Error::Lacking`] if it is of a newer version, or has an
/// attack or a defence that this build lacks. The path comes last.
pub fn experiment_of(run: &Path) -> Result<Experiment> {
    let file = run.join(EXPERIMENT);
    Experiment::from_run(&read_text(&file)?, &file.display().to_string())
}

/// Reads a text file of a run.
///
/// # Errors
/// Where it is missing or no text.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let empty = bytes.is_empty();
    let damaged = |problem: &str| Error::input(format!("damaged: {problem}: {}", path.display()));
    let text = text::decoded(bytes).map_err(|problem| damaged(&problem))?;
    // A mark of what is to come, and nothing after it.
    if text.is_empty() && !empty { Err(damaged("there is no text")) } else { Ok(text) }
}

fn lock(folder: &Path) -> Result<Lock> {
    Lock::take(&folder.join(LOCK), CLEARED_AWAY, || {
        Error::input(format!("another process is working in this run: {}", folder.display()))
    })
}

/// Removes what killed programs left of runs that they were about to begin. One that is younger may still become a run.
pub fn remove_abandoned(runs: &Path) {
    const YOUNG: Duration = Duration::from_mins(1);
    let Ok(entries) = fs::read_dir(runs) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = name.starts_with('.') && name.contains(DRAFT) && path.is_dir();
        let age = || path.metadata().ok()?.modified().ok()?.elapsed().ok();
        if draft && age().is_some_and(|age| age > YOUNG) && lock(&path).is_ok_and(|lock| lock.lacks.is_none()) {
            // They are in nobody's way.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Where runs go that are given no folder.
pub fn runs_folder() -> PathBuf {
    home_folder().join("runs")
}

/// A folder for a new run among others: `<time>-<name>`, where the name says what is run.
pub fn new_run_path(runs: &Path, name: &str) -> PathBuf {
    let time = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let stamp: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let base = runs.join(format!("{stamp}-{name}"));
    // Two runs may start within a second.
    let numbered = (2..).map(|n| base.with_file_name(format!("{stamp}-{name}-{n}")));
    std::iter::once(base.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(base)
}
