//! The one way files are written: whole or not at all.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use atomic_write_file::AtomicWriteFile;

use crate::error::{Error, Result};

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

    /// Puts `bytes` at `path`.
    ///
    /// # Errors
    /// Where the disk refuses; `path` then holds what it held before.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let write = || -> io::Result<()> {
            let mut file = AtomicWriteFile::open(path)?;
            if call == self.fail_at {
                file.write_all(&bytes[..bytes.len() / 2])?;
                return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left (asked for by a test)"));
            }
            file.write_all(bytes)?;
            file.commit()
        };
        write().map_err(Error::io("write", path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let writer = Writer::failing_at(2);
        writer.write(&path, b"old").unwrap();
        let error = writer.write(&path, b"new and longer").unwrap_err().to_string();
        assert!(error.starts_with("could not write: no space left") && error.ends_with("file"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        writer.write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
