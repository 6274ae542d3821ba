//! Notes that somebody wrote about a run, in its folder.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::folder::{NOTES, check_is_run};
use super::whole_files::Writer;
use crate::error::{Error, Result};

/// Bytes that notes take at most: a page or thirty.
pub const MOST: usize = 64 << 10;

/// A run's notes; empty where there are none.
///
/// # Errors
/// Returns an error if they cannot be read, are longer than notes are, or no text.
pub fn read(run: &Path) -> Result<String> {
    let path = run.join(NOTES);
    let file = match std::fs::File::open(&path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(String::new()),
        file => file.map_err(Error::io("read", &path))?,
    };
    let mut bytes = Vec::new();
    file.take(MOST as u64 + 1).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
    if bytes.len() > MOST {
        return Err(Error::input(format!("the notes are longer than {} KiB: {}", MOST >> 10, path.display())));
    }
    String::from_utf8(bytes).map_err(|_| Error::input(format!("the notes are no text in UTF-8: {}", path.display())))
}

/// The notes as a report has them: under a heading, or why they cannot be read; nothing where there are none.
pub fn told(run: &Path) -> String {
    match read(run) {
        Ok(text) if text.trim().is_empty() => String::new(),
        Ok(text) => format!("\nNotes\n{}\n", text.trim_end()),
        Err(error) => format!("\nNotes: {error}\n"),
    }
}

/// Why notes cannot be written at a run, if so.
pub fn why_not(run: &Path) -> Option<String> {
    let marked = run.metadata().is_ok_and(|folder| folder.permissions().readonly());
    marked.then(|| format!("The run's folder is read-only: {}", run.display()))
}

/// Writes a run's notes, whole or not at all; none are no file. A run that is going may get notes.
///
/// # Errors
/// Returns an error if it is no run, they are too long, or the disk refuses.
pub fn write(run: &Path, text: &str) -> Result<()> {
    check_is_run(run)?;
    if let Some(why) = why_not(run) {
        return Err(Error::input(why));
    }
    if text.len() > MOST {
        return Err(Error::input(format!("notes have at most {} KiB: {}", MOST >> 10, run.display())));
    }
    let path = run.join(NOTES);
    if text.trim().is_empty() {
        return match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", &path)(e)),
            _ => Ok(()),
        };
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    Writer::default().write(&path, format!("{text}{end}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_written_read_and_taken_away_again() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        assert!(write(run, "x").is_err(), "it is no run");
        Writer::default().write(&run.join("experiment.toml"), b"seed = 1\n").unwrap();
        assert_eq!(read(run).unwrap(), "");
        write(run, "γ too weak?").unwrap();
        assert_eq!(read(run).unwrap(), "γ too weak?\n");
        write(run, "γ too weak?\n").unwrap();
        assert_eq!(read(run).unwrap(), "γ too weak?\n");
        assert!(write(run, &"x".repeat(MOST + 1)).is_err());
        assert_eq!(read(run).unwrap(), "γ too weak?\n", "what was there stays");
        write(run, " \n").unwrap();
        assert!(!run.join(NOTES).exists());
        for (bytes, says) in [(vec![0xff, 0xfe], "no text"), (vec![b'x'; MOST + 1], "longer than 64 KiB")] {
            Writer::default().write(&run.join(NOTES), &bytes).unwrap();
            let error = read(run).unwrap_err().to_string();
            assert!(error.contains(says) && error.ends_with(NOTES), "{error}");
        }
    }
}
