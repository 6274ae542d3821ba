//! The one way files are written: whole or not at all; and the one way a file grows.
//!
//! Disks have habits. Shares of other systems refuse to set modes and owners, some know no locks, some cannot sync a
//! folder. What only makes a file better is tried and done without; what a promise below rests on is an error.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

/// How the names of files end that are being written; a kill leaves them behind.
pub(crate) const DRAFT: &str = ".cutlayer-part";
/// Tries at a name that nobody has, and at a rename that another program is in the way of.
const TRIES: usize = 100;

/// Writes files atomically: into a temporary file beside the target, synced, then renamed over it.
#[derive(Debug, Default)]
pub struct Writer {
    calls: AtomicU64,
    /// Counted from 1; 0 never fails.
    fail_at: u64,
}

impl Writer {
    /// A writer that fails at its `call`-th write (counted from 1), half-way through, as a full disk
    /// would: for tests of what a failed write leaves behind.
    pub fn failing_at(call: u64) -> Self {
        Self { calls: AtomicU64::new(0), fail_at: call }
    }

    /// Writes asked for so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Puts `bytes` at `path`. A file that is there keeps its mode and owner where the disk allows it.
    ///
    /// # Errors
    /// Where the disk refuses; `path` then holds what it held before.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let write = || -> io::Result<()> {
            let (mut file, draft) = Draft::beside(path)?;
            self.put(&mut file, bytes)?;
            // Some systems rename no open file.
            drop(file);
            draft.rename(path)
        };
        write().map_err(Error::io("write", path))
    }

    /// Puts `bytes` after the first `kept` bytes of a file; what stood there is cut off. The file is synced on return.
    ///
    /// # Errors
    /// Where the file is missing or shorter, or the disk refuses. The first `kept` bytes are then as they were, and
    /// any part of `bytes` may follow them, as after a kill: readers must know where the last whole row ends.
    pub fn append(&self, path: &Path, kept: u64, bytes: &[u8]) -> Result<()> {
        let append = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            let found = file.metadata()?.len();
            if found < kept {
                let cut = format!("it was cut to {found} of {kept} bytes by another program");
                return Err(io::Error::new(ErrorKind::InvalidData, cut));
            }
            if found > kept {
                file.set_len(kept)?;
            } else if bytes.is_empty() {
                return Ok(());
            }
            file.seek(SeekFrom::Start(kept))?;
            self.put(&mut file, bytes)
        };
        append().map_err(Error::io("write", path))
    }

    /// Writes and syncs, or fails half-way where a test wants it.
    fn put(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) + 1 == self.fail_at {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(io::Error::new(ErrorKind::StorageFull, "no space left (asked for by a test)"));
        }
        file.write_all(bytes)?;
        match file.sync_all() {
            // The disk knows no such thing.
            Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => Ok(()),
            synced => synced,
        }
    }
}

/// Removes what killed writers left in a folder. Only for who has the folder to himself.
pub(crate) fn remove_drafts(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().ends_with(DRAFT.as_bytes()) {
            // They are in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that is being written; removed when dropped.
pub(crate) struct Draft(Option<PathBuf>);

impl Draft {
    /// A new file in the target's folder, with the mode and owner of the target where that is possible.
    pub fn beside(target: &Path) -> io::Result<(File, Self)> {
        /// Of this process's drafts.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let old = fs::metadata(target).ok();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if let Some(old) = &old {
            with_mode(&mut options, old);
        }
        let mut refused = None;
        for _ in 0..TRIES {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = target.with_file_name(format!(".{}-{number}{DRAFT}", std::process::id()));
            match options.open(&path) {
                Ok(file) => {
                    if let Some(old) = &old {
                        make_like(&file, old);
                    }
                    return Ok((file, Self(Some(path))));
                }
                // Left by another process of this number, perhaps of another machine.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => refused = Some(e),
                Err(e) => return Err(e),
            }
        }
        Err(refused.unwrap_or_else(|| ErrorKind::AlreadyExists.into()))
    }

    /// Where it is while it is being written.
    pub fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// Puts it in the target's place.
    pub fn rename(mut self, target: &Path) -> io::Result<()> {
        let Some(path) = self.0.as_deref() else { return Ok(()) };
        let mut tries = 0;
        while let Err(error) = fs::rename(path, target) {
            tries += 1;
            match error.kind() {
                ErrorKind::Interrupted if tries < TRIES => {}
                // There a file cannot be replaced while a virus scanner, say, looks at it.
                ErrorKind::PermissionDenied if cfg!(windows) && tries < TRIES => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => return Err(error),
            }
        }
        self.0 = None;
        sync_folder_of(target);
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // The error that matters is already on its way.
            let _ = fs::remove_file(path);
        }
    }
}

/// So that a new file need not be told its mode afterwards, which shares refuse; nor is it open to more people
/// meanwhile than the old one.
#[cfg(unix)]
fn with_mode(options: &mut OpenOptions, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    options.mode(old.mode() & 0o777 | 0o200);
}

/// Best effort: a file with another mode is better than none.
#[cfg(unix)]
fn make_like(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(new) = file.metadata() else { return };
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    if new.mode() & 0o777 != old.mode() & 0o777 {
        let _ = file.set_permissions(old.permissions());
    }
}

/// Best effort: not every disk can, and the file itself is synced.
#[cfg(unix)]
fn sync_folder_of(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(not(unix))]
fn with_mode(_: &mut OpenOptions, _: &Metadata) {}

#[cfg(not(unix))]
fn make_like(_: &File, _: &Metadata) {}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let writer = Writer::failing_at(2);
        writer.write(&path, b"old").unwrap();
        let error = writer.write(&path, b"new and longer").unwrap_err().to_string();
        assert!(error.starts_with("could not write: no space left") && error.ends_with("file"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["file"]);
        writer.write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // A name as long as names can be leaves no room for more.
        let long = folder.path().join("x".repeat(255));
        writer.write(&long, b"long").unwrap();
        assert_eq!(fs::read(&long).unwrap(), b"long");
    }

    #[test]
    fn what_a_failed_append_left_is_cut_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let writer = Writer::failing_at(2);
        writer.write(&path, b"1,2\n").unwrap();
        let error = writer.append(&path, 4, b"3,4\n5,6\n").unwrap_err().to_string();
        assert!(error.starts_with("could not write: no space left") && error.ends_with("rows"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"1,2\n3,4\n");
        writer.append(&path, 4, b"7\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1,2\n7\n");
        writer.append(&path, 4, b"").unwrap();
        writer.append(&path, 4, b"").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1,2\n");
        let error = writer.append(&path, 9, b"8\n").unwrap_err().to_string();
        assert!(error.contains("cut to 4 of 9 bytes"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"1,2\n");
        assert!(writer.append(&folder.path().join("none"), 0, b"1").is_err());
    }

    #[test]
    fn names_in_use_are_passed_over_and_leftovers_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let (_, first) = Draft::beside(&path).unwrap();
        let number = |draft: &Draft| {
            let name = draft.0.as_ref().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            name.trim_end_matches(DRAFT).rsplit('-').next().unwrap().parse::<u64>().unwrap()
        };
        for next in 1..5 {
            let name = format!(".{}-{}{DRAFT}", std::process::id(), number(&first) + next);
            Writer::default().write(&folder.path().join(name), b"left").unwrap();
        }
        Writer::default().write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        std::mem::forget(first);
        remove_drafts(folder.path());
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_written_again_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        Writer::default().write(&path, b"old").unwrap();
        for mode in [0o600, 0o640, 0o444, 0o666, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Writer::default().write(&path, b"new").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{mode:o}");
        }
    }
}
