//! A file that is read under somebody's eyes: it counts how far it is, and can be stopped.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::Progress;
use crate::error::Error;

/// What a file of any size is counted in.
const PERCENT: u64 = 100;

/// A file that counts its bytes, in percent, as they are read.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    file: File,
    bytes: u64,
    read: u64,
    progress: &'a Progress,
}

impl<'a> Watched<'a> {
    /// Begins to count from 0 to 100 what is read of a file.
    pub fn new(file: File, progress: &'a Progress) -> Self {
        progress.begin(PERCENT as usize);
        Self { bytes: file.metadata().map_or(0, |metadata| metadata.len()), file, read: 0, progress }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let done = (self.read.saturating_mul(PERCENT) / self.bytes.max(1)).min(PERCENT);
        self.progress.reached(done as usize).map_err(io::Error::other)?;
        let read = self.file.read(out)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What became of reading a file: whoever had it stopped is told so, and not of a file that ends too early.
pub(super) fn unless_stopped<T>(
    read: Result<T, String>,
    progress: &Progress,
    told: impl FnOnce(&str) -> Error,
) -> Result<T, Error> {
    read.map_err(|problem| if progress.is_stopped() { Error::Stopped } else { told(&problem) })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_counted_and_stopped() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0; 200]).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let progress = Progress::default();
        let mut watched = Watched::new(file, &progress);
        let mut out = [0; 50];
        for done in [0, 25, 50] {
            watched.read_exact(&mut out).unwrap();
            assert_eq!(progress.seen(), (done, 100));
        }
        progress.stop();
        assert!(watched.read_exact(&mut out).is_err());
        let told = |problem: &str| Error::input(problem.to_owned());
        assert!(matches!(unless_stopped(Err::<(), _>("cut short".to_owned()), &progress, told), Err(Error::Stopped)));
        let going = Progress::default();
        assert!(matches!(unless_stopped(Err::<(), _>("cut short".to_owned()), &going, told), Err(Error::Input(_))));
    }
}
