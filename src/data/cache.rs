//! One set is opened once a process, for as long as somebody has a part of it: the window, the live mirror and a run
//! share its images.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::part::WeakPart;
use super::{Dataset, Images, MAX_IMAGES, Part, Wanted};
use crate::error::Result;
use crate::place::has_ending;

static OPEN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// A file that was written so lately could be written again without looking any different.
const SETTLED: Duration = Duration::from_secs(2);
/// Files of a folder that are looked at; of more than these nobody could be sure.
const MOST_FILES: usize = MAX_IMAGES as usize + 100_000;
/// Endings of files that say where images are.
pub(super) const TABLES: [&str; 2] = ["csv", "tsv"];
/// Folders within folders that are looked into.
const DEEPEST: usize = 8;

/// How a set is known again without reading it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stamp {
    /// One that comes with the program.
    BuiltIn(&'static str),
    /// Files as a reader found them, and how their images are wanted: path, size, and when each was written.
    Files(&'static str, Wanted, Vec<(PathBuf, u64, SystemTime)>),
}

impl Stamp {
    /// Of what is at a path that `reader` reads; none where it may change without a sign of it.
    pub fn of(reader: &'static str, wanted: &Wanted, path: &Path) -> Option<Self> {
        let mut files = Vec::new();
        let path = std::path::absolute(path).ok()?;
        // A table names files beside it.
        let table = TABLES.iter().any(|ending| has_ending(&path, ending));
        add(path.parent().filter(|_| table).unwrap_or(&path), DEEPEST, &mut files)?;
        if table {
            files.push((path, 0, SystemTime::UNIX_EPOCH));
        }
        files.sort();
        let now = SystemTime::now();
        files.iter().all(|file| settled(file.2, now)).then(|| Self::Files(reader, wanted.clone(), files))
    }
}

/// Whether a file was written so long before that one cannot be mistaken for it that is written now.
pub(super) fn settled(written: SystemTime, now: SystemTime) -> bool {
    now.duration_since(written).is_ok_and(|age| age > SETTLED)
}

fn add(path: &Path, depth: usize, files: &mut Vec<(PathBuf, u64, SystemTime)>) -> Option<()> {
    let metadata = path.metadata().ok()?;
    files.push((path.to_owned(), metadata.len(), metadata.modified().ok()?));
    if files.len() > MOST_FILES || (metadata.is_dir() && depth == 0) {
        return None;
    }
    if metadata.is_dir() {
        for entry in path.read_dir().ok()? {
            add(&entry.ok()?.path(), depth - 1, files)?;
        }
    }
    Some(())
}

/// A set that was opened. Its images are gone once nobody has any of them.
struct Entry {
    stamp: Stamp,
    parts: [WeakPart; 3],
    /// The set without its images.
    words: Dataset,
}

impl Entry {
    fn set(&self) -> Option<Dataset> {
        let [train, validation, test] = self.parts.each_ref().map(WeakPart::upgrade);
        Some(Dataset { train: train?, validation: validation?, test: test?, ..self.words.clone() })
    }
}

/// The set of this stamp: the one that somebody has, or what `open` makes.
pub(super) fn once(stamp: Option<Stamp>, open: impl FnOnce() -> Result<Dataset>) -> Result<Dataset> {
    let Some(stamp) = stamp else { return open() };
    if let Some(known) = known(&stamp) {
        return Ok(known);
    }
    // Opening may take long, and others may want another set.
    let set = open()?;
    if let Some(known) = known(&stamp) {
        return Ok(known);
    }
    let parts = [&set.train, &set.validation, &set.test].map(Part::downgrade);
    let none = || Part::from(Images::none(set.shape()));
    let words = Dataset { train: none(), validation: none(), test: none(), ..set.clone() };
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).push(Entry { stamp, parts, words });
    Ok(set)
}

fn known(stamp: &Stamp) -> Option<Dataset> {
    let mut all = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|entry| entry.parts.iter().all(|part| part.upgrade().is_some()));
    all.iter().find(|entry| entry.stamp == *stamp).and_then(Entry::set)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn set(pixel: u8) -> Result<Dataset> {
        let images = || Images { shape: [1, 1, 1], pixels: vec![pixel], labels: vec![0] }.into();
        let made = Dataset::new("x", "", None, [images(), images(), images()]);
        made.map_err(crate::error::Error::input)
    }

    #[test]
    fn a_set_is_opened_once_and_gone_when_nobody_has_it() {
        let stamp = || Some(Stamp::BuiltIn("a set of this test"));
        let first = once(stamp(), || set(1)).unwrap();
        let again = once(stamp(), || set(2)).unwrap();
        assert_eq!(again.test.pixels(), [1]);
        assert!(Arc::ptr_eq(first.test.source(), again.test.source()));
        assert_eq!(once(None, || set(3)).unwrap().test.pixels(), [3], "what has no stamp is not kept");
        let (gone, view) = (Arc::downgrade(first.train.source()), first.test.take(1));
        drop((first, again));
        assert!(gone.upgrade().is_none());
        assert_eq!(once(stamp(), || set(4)).unwrap().train.pixels(), [4], "a part alone is not the set");
        assert_eq!(view.pixels(), [1]);
    }

    #[test]
    fn files_that_changed_are_others() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let file = std::fs::File::create_new(inner.join("x")).unwrap();
        assert_eq!(Stamp::of("r", &Wanted::default(), folder.path()), None, "written just now");
        let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        let age = |path: &Path, seconds| std::fs::File::open(path).unwrap().set_modified(ago(seconds)).unwrap();
        for path in [folder.path(), &inner] {
            age(path, 50);
        }
        file.set_modified(ago(50)).unwrap();
        let then = Stamp::of("r", &Wanted::default(), folder.path()).unwrap();
        assert_eq!(Stamp::of("r", &Wanted::default(), folder.path()), Some(then.clone()));
        assert_ne!(
            Stamp::of("s", &Wanted::default(), folder.path()),
            Some(then.clone()),
            "another reader makes something else of it"
        );
        file.set_modified(ago(40)).unwrap();
        let now = Stamp::of("r", &Wanted::default(), folder.path()).unwrap();
        assert_ne!(now, then);
        file.set_len(3).unwrap();
        file.set_modified(ago(40)).unwrap();
        assert_ne!(Stamp::of("r", &Wanted::default(), folder.path()), Some(now));
        assert_eq!(Stamp::of("r", &Wanted::default(), &folder.path().join("gone")), None);
    }
}
