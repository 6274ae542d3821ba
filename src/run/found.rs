//! What a path holds that can be opened: told from what is there, without reading all of it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::fold::folder_of;
use super::folder::{ATTACKS, CHECKPOINT, EXPERIMENT, METRICS, SUMMARY};
use crate::data::folder;
use crate::data::reader::has_ending;
use crate::data::recognise::{readable, recognised};
use crate::error::{Error, Result};
use crate::workbench::readers;

/// What can be opened, for messages.
fn all() -> String {
    let data = readable(readers());
    format!("what can is a run's folder, an experiment (.toml), a data set ({data}) and an image (PNG, JPEG or GIF)")
}

/// The ending of a file with a shared state of the window.
pub const SHARED: &str = "cutlayer";

/// Bytes at a file's beginning that tell what it is, and at most so many are looked at for a text.
const HEAD: u64 = 64 << 10;

/// Something that can be opened, with its absolute path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The folder of a run.
    Run(PathBuf),
    /// An experiment's file.
    Experiment(PathBuf),
    /// A file or folder of images with labels.
    Data(PathBuf),
    /// A picture.
    Image(PathBuf),
    /// A state of the window that was shared.
    Shared(PathBuf),
}

impl Found {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Run(path) | Self::Experiment(path) | Self::Data(path) | Self::Image(path) | Self::Shared(path) => {
                path
            }
        }
    }
}

/// What is at a path. A file of a run stands for the run; one of a data set of several files, for that set.
///
/// # Errors
/// Where there is nothing, or nothing that can be opened: says what could.
pub fn found(path: &Path) -> Result<Found> {
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let metadata = path.metadata().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::input(format!("there is no such file or folder: {}", path.display())),
        _ => Error::io("open", path)(error),
    })?;
    if metadata.is_dir() {
        folder(path)
    } else if metadata.is_file() {
        file(path)
    } else {
        Err(nothing("it is neither a file nor a folder", path))
    }
}

/// Whether a folder has a run in it, be it one that lost its experiment.
pub fn is_run(folder: &Path) -> bool {
    [EXPERIMENT, SUMMARY, CHECKPOINT, METRICS].iter().any(|file| folder.join(file).is_file())
}

/// Whether a run was more than begun in a folder: an experiment's file alone may be anybody's.
fn is_more_than_begun(folder: &Path) -> bool {
    let over_folds = || folder.join(EXPERIMENT).is_file() && folder_of(folder, 1).is_dir();
    [SUMMARY, CHECKPOINT, METRICS].iter().any(|file| folder.join(file).is_file()) || over_folds()
}

fn folder(path: &Path) -> Result<Found> {
    if is_more_than_begun(path) {
        return Ok(Found::Run(path.to_owned()));
    }
    let experiment = path.join(EXPERIMENT);
    if experiment.is_file() {
        return Ok(Found::Experiment(experiment));
    }
    let entries = std::fs::read_dir(path).map_err(Error::io("open the folder", path))?;
    let runs = entries.flatten().filter(|entry| is_run(&entry.path())).count();
    // Runs have pictures in them, and are no classes.
    let data = recognised(path, readers()).filter(|(kind, _)| runs == 0 || kind.id != folder::KIND.id);
    if let Some((_, set)) = data {
        return Ok(Found::Data(set));
    }
    match runs {
        0 => Err(nothing("the folder holds nothing that is known", path)),
        1 => Err(nothing("the folder holds a run: open the folder in it", path)),
        runs => Err(nothing(&format!("the folder holds {runs} runs: open one of them"), path)),
    }
}

fn file(path: &Path) -> Result<Found> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default();
    let of_run = [EXPERIMENT, SUMMARY, CHECKPOINT, METRICS, ATTACKS].iter().any(|known| name == *known);
    if of_run && is_more_than_begun(parent) {
        return Ok(Found::Run(parent.to_owned()));
    }
    if let Some((_, set)) = recognised(path, readers()) {
        return Ok(Found::Data(set));
    }
    if has_ending(path, SHARED) {
        return Ok(Found::Shared(path.to_owned()));
    }
    if has_ending(path, "toml") {
        return Ok(Found::Experiment(path.to_owned()));
    }
    let mut head = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(HEAD + 1).read_to_end(&mut head));
    opened.map_err(Error::io("open", path))?;
    if image::guess_format(&head).is_ok_and(|format| format.reading_enabled()) {
        return Ok(Found::Image(path.to_owned()));
    }
    // An experiment under another ending.
    let text = std::str::from_utf8(&head).ok().filter(|text| !text.trim().is_empty() && head.len() as u64 <= HEAD);
    if text.is_some_and(|text| text.parse::<toml::Table>().is_ok()) {
        return Ok(Found::Experiment(path.to_owned()));
    }
    if ["png", "jpg", "jpeg", "gif"].iter().any(|ending| has_ending(path, ending)) {
        let path = path.display();
        return Err(Error::input(format!("this cannot be opened, it is named like a picture but holds none: {path}")));
    }
    Err(nothing("the file is of no kind that is known", path))
}

fn nothing(problem: &str, path: &Path) -> Error {
    Error::input(format!("this cannot be opened, {problem}; {}: {}", all(), path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::whole_files::Writer;

    #[test]
    fn everything_is_told_by_what_is_there() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            Writer::default().write(&path, bytes).unwrap();
            path
        };
        let at = |name: &str| home.path().join(name);
        put("runs/a/experiment.toml", b"seed = 1");
        let summary = put("runs/a/summary.json", b"{}");
        let picture = put("runs/a/images/x.png", b"\x89PNG\r\n\x1a\n and more");
        let begun = put("runs/b/experiment.toml", b"seed = 1");
        let idx = put("data/t10k-labels-idx1-ubyte.gz", b"");
        let own = put("mine.txt", b"seed = 3\n");
        let toml = put("broken.toml", b"[");
        let npz = put("chest.NPZ", b"PK");
        for (path, what) in [
            (at("runs/a"), Found::Run(at("runs/a"))),
            (at("runs/a/experiment.toml"), Found::Run(at("runs/a"))),
            (summary, Found::Run(at("runs/a"))),
            (picture.clone(), Found::Image(picture)),
            (at("runs/b"), Found::Experiment(begun.clone())),
            (begun.clone(), Found::Experiment(begun)),
            (at("data"), Found::Data(at("data"))),
            (idx, Found::Data(at("data"))),
            (own.clone(), Found::Experiment(own)),
            (toml.clone(), Found::Experiment(toml)),
            (npz.clone(), Found::Data(npz)),
        ] {
            assert_eq!(found(&path).unwrap(), what, "{}", path.display());
        }
        put("empty/.keep", b"");
        put("notes.txt", b"Dear diary,\n");
        put("film.mp4", b"\x00\x00\x00\x20ftypisom");
        for (name, says) in [
            ("empty", "holds nothing that is known"),
            ("runs", "the folder holds 2 runs: open one of them"),
            ("notes.txt", "of no kind that is known"),
            ("film.mp4", "of no kind that is known"),
        ] {
            let error = found(&at(name)).unwrap_err().to_string();
            let whole = error.starts_with("this cannot be opened, ") && error.contains("what can is a run's folder");
            assert!(whole && error.contains(says) && error.ends_with(name), "{error}");
        }
        put("scan.PNG", b"hello\n");
        let error = found(&at("scan.PNG")).unwrap_err().to_string();
        assert!(error.contains("named like a picture but holds none: ") && error.ends_with("scan.PNG"), "{error}");
        let error = found(&at("gone")).unwrap_err().to_string();
        assert_eq!(error, format!("there is no such file or folder: {}", at("gone").display()));
    }
}
