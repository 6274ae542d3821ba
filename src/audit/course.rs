//! How far an audit has come, so that one that was stopped or killed goes on where it was: a file in its folder that begins
//! with a dot, and so is none of the bundle's.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bundle::AUDIT;
use crate::error::{Error, Result};
use crate::run::lock::{CLEARED_AWAY, Lock};
use crate::whole_files::Writer;

/// The file.
const COURSE: &str = ".course.json";

/// Keeps a second process out of the folder.
const LOCK: &str = ".lock";

/// An audit in a folder that no other process works in, and how far it is.
#[derive(Debug)]
pub struct Course {
    folder: PathBuf,
    far: Far,
    /// Taken once there is a folder to write to.
    lock: Option<Lock>,
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    suite: u32,
    /// What is audited, in words that are the same when it is asked for again.
    of: Vec<String>,
    /// The run that is trained for it, where it is of images.
    trained: Option<PathBuf>,
    /// Whether what is audited has been copied whole.
    copied: bool,
    /// The seeds whose attacks have all ended.
    seeds: Vec<u64>,
    /// How many records of attacks there were then.
    records: usize,
}

impl Course {
    /// An audit in this folder: a new one in an empty folder or none, or what was begun there before. Writes nothing yet.
    ///
    /// # Errors
    /// Where the folder holds anything else, be it an audit of something else, or another process works in it.
    pub fn open(folder: &Path, suite: u32, of: Vec<String>) -> Result<Self> {
        let far = Far { suite, of, ..Far::default() };
        let mut course = Self { folder: folder.to_owned(), far, lock: None };
        let path = folder.join(COURSE);
        if !path.is_file() {
            return check_is_empty(folder).map(|()| course);
        }
        // One at its end is only read.
        if !course.is_sealed() {
            course.hold()?;
        }
        let text = fs::read_to_string(&path).map_err(Error::opening("open how far the audit is", &path))?;
        let damaged = |e| Error::input(format!("damaged: {e}: {}", path.display()));
        let old: Far = serde_json::from_str(&text).map_err(damaged)?;
        if (old.suite, &old.of) != (course.far.suite, &course.far.of) {
            let (suite, of, place) = (old.suite, old.of.join(" "), folder.display());
            return Err(Error::input(format!(
                "the folder holds an audit of something else (suite {suite}, {of}); name another one: {place}"
            )));
        }
        course.far = old;
        Ok(course)
    }

    fn hold(&mut self) -> Result<()> {
        if self.lock.is_none() {
            let taken = || Error::input(format!("another process is at work at this audit: {}", self.folder.display()));
            self.lock = Some(Lock::take(&self.folder.join(LOCK), CLEARED_AWAY, taken)?);
        }
        Ok(())
    }

    /// Whether it is at its end.
    pub fn is_sealed(&self) -> bool {
        self.folder.join(AUDIT).is_file()
    }

    /// The audit's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The run that was trained for it, be it half, where it is still there.
    pub fn trained(&self) -> Option<&Path> {
        self.far.trained.as_deref().filter(|run| run.is_dir())
    }

    /// Notes the run that is trained for it.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn trains(&mut self, run: &Path) -> Result<()> {
        self.far.trained = Some(run.to_owned());
        self.write()
    }

    /// Whether what is audited has been copied.
    pub fn has_copied(&self) -> bool {
        self.far.copied
    }

    /// Notes that what is audited has been copied.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn copied(&mut self) -> Result<()> {
        self.far.copied = true;
        self.write()
    }

    /// Whether the attacks under a seed have ended.
    pub fn has(&self, seed: u64) -> bool {
        self.far.seeds.contains(&seed)
    }

    /// How many records of attacks are of seeds that have ended.
    pub fn records(&self) -> usize {
        self.far.records
    }

    /// Notes that the attacks under a seed have ended, and how many records there are by now.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn ended(&mut self, seed: u64, records: usize) -> Result<()> {
        self.far.seeds.push(seed);
        self.far.records = records;
        self.write()
    }

    /// Makes the folder this audit's own, before anything else is written there.
    ///
    /// # Errors
    /// Where another process has it, or the disk refuses.
    pub fn begin(&mut self) -> Result<()> {
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(Error::io("make the folder", &self.folder))?;
        self.hold()?;
        let text = serde_json::to_string_pretty(&self.far).map_err(|e| Error::Internal(format!("{COURSE}: {e}")))?;
        Writer::default().write(&self.folder.join(COURSE), (text + "\n").as_bytes())
    }
}

/// Whether a folder holds nothing yet, or is not there. What begins with a dot is none of an audit's.
fn check_is_empty(folder: &Path) -> Result<()> {
    let counts = |entry: fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    if fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(counts)) {
        return Err(Error::input(format!("the folder is not empty; name another one: {}", folder.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(what: &str) -> Vec<String> {
        vec![what.to_owned()]
    }

    #[test]
    fn an_audit_goes_on_where_it_was_and_no_other_in_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("audit");
        let mut new = Course::open(&place, 1, of("a")).unwrap();
        assert!(!place.exists(), "nothing is written before there is something");
        let run = home.path().join("run");
        new.trains(&run).unwrap();
        new.copied().unwrap();
        new.ended(2, 7).unwrap();
        let busy = Course::open(&place, 1, of("a")).unwrap_err().to_string();
        assert!(busy.contains("another process is at work"), "{busy}");
        let far = new.far.clone();
        drop(new);
        let again = Course::open(&place, 1, of("a")).unwrap();
        assert_eq!(again.far, far);
        assert!(again.has(2) && !again.has(1) && again.has_copied() && !again.is_sealed());
        assert_eq!((again.records(), again.trained()), (7, None), "the run was removed meanwhile");
        fs::create_dir(&run).unwrap();
        assert_eq!(again.trained(), Some(run.as_path()));
        drop(again);
        for (suite, what) in [(2, "a"), (1, "b")] {
            let error = Course::open(&place, suite, of(what)).unwrap_err().to_string();
            assert!(error.contains("an audit of something else (suite 1, a)"), "{error}");
        }
    }

    #[test]
    fn a_file_that_was_cut_short_is_named() {
        let home = tempfile::tempdir().unwrap();
        Course::open(home.path(), 1, of("a")).unwrap().begin().unwrap();
        let path = home.path().join(COURSE);
        let text = fs::read(&path).unwrap();
        Writer::default().write(&path, &text[..text.len() / 2]).unwrap();
        let error = Course::open(home.path(), 1, of("a")).unwrap_err().to_string();
        assert!(error.starts_with("damaged: ") && error.contains(COURSE), "{error}");
    }

    #[test]
    fn a_folder_of_anything_else_is_refused() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("run")).unwrap();
        let error = Course::open(home.path(), 1, of("a")).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }
}
