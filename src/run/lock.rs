//! Files that a process holds: what keeps a second one out, also after the first was killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};

/// Between two tries.
const STEP: Duration = Duration::from_millis(50);
/// A process that was killed lets go of its lock only once the system has cleared it away.
pub(crate) const CLEARED_AWAY: Duration = Duration::from_secs(1);

/// A file that this process holds alone.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Unlocked when dropped, also by a kill.
    _file: File,
    /// Why it keeps nobody out: the disk has no locks.
    pub lacks: Option<String>,
}

impl Lock {
    /// Takes the file, which is made if need be; its folder has to be there. Waits so long for another process that has it.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be written, or, with the words of `taken`, if another process has it.
    pub fn take(path: &Path, patience: Duration, taken: impl FnOnce() -> Error) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|e| Error::input(format!("the folder cannot be written: {e}: {}", folder.display())))?;
        let mut interrupted = None;
        for _ in 0..(patience.as_millis() / STEP.as_millis()).max(1) {
            interrupted = match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file, lacks: None }),
                Err(TryLockError::WouldBlock) => None,
                // What some shares say of a lock that another holds.
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::PermissionDenied && can_lock(path) => None,
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Interrupted => Some(e),
                Err(TryLockError::Error(e)) => return Ok(Self { _file: file, lacks: Some(e.to_string()) }),
            };
            std::thread::sleep(STEP);
        }
        match interrupted {
            Some(e) => Ok(Self { _file: file, lacks: Some(e.to_string()) }),
            None => Err(taken()),
        }
    }

    /// Whether another process holds the file; never where it is not there.
    pub fn is_held(path: &Path) -> bool {
        // Shared, so that those who ask keep nobody out who only asks, too.
        File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// Whether the disk has locks: a new file beside this one that nobody else knows can be locked.
fn can_lock(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let path = path.with_file_name(format!("{name}-{}", std::process::id()));
    let locked = OpenOptions::new().create_new(true).write(true).open(&path).is_ok_and(|file| file.try_lock().is_ok());
    let _ = fs::remove_file(&path);
    locked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_refused_to_others_and_free_once_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let take = || Lock::take(&path, Duration::from_millis(100), || Error::input("taken"));
        assert!(!Lock::is_held(&path), "it is not there");
        let held = take().unwrap();
        assert!(held.lacks.is_none() && Lock::is_held(&path));
        assert_eq!(take().unwrap_err().to_string(), "taken");
        drop(held);
        assert!(!Lock::is_held(&path));
        take().unwrap();
    }
}
