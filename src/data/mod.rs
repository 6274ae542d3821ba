//! Images with labels: the sets that are built in, those read from files, and who gets which part.
//!
//! A [`Source`] has images and labels; victim, attacker and judge each have a [`Part`] of one, a view
//! that copies nothing. Pixels stay bytes until a batch is asked for. Files come from strangers: every reader checks counts, sides and bytes against the limits below before
//! it allocates, and memory grows with what a file holds, never with what it declares.

pub mod catalogue;
mod dataset;
mod draw;
mod embedded;
mod idx;
mod medmnist;
mod noun;
pub mod numpy;
mod part;
mod source;

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::Path;

pub use catalogue::Catalogue;
pub use dataset::{Dataset, Split, split, targets};
pub use draw::{Draw, drawn, unfair};
pub use noun::Noun;
pub use part::Part;
pub use source::{Images, Source};

use crate::error::{Error, Result};
use crate::place;

/// The names [`load`] knows without a file.
pub const BUILT_IN: [&str; 2] = ["mnist", "brainmri"];

/// Most images in one array of a file.
const MAX_IMAGES: u64 = 1_000_000;
/// Longest side of an image, in pixels.
const MAX_SIDE: u64 = 4096;
/// Most decoded bytes in one array of a file.
const MAX_BYTES: u64 = 2 << 30;
/// Most classes; a label is below it.
const MAX_CLASSES: u32 = 1000;

/// Loads a built-in set by name, or reads a folder of IDX files (plain or `.gz`) or a MedMNIST
/// `.npz` file. A built-in name wins over a file of that name; `./mnist` is the file. Paths are as [`place::found`]
/// takes them.
///
/// ```
/// let digits = cutlayer::data::load("mnist")?;
/// assert_eq!((digits.train.len(), digits.shape()), (8000, [1, 28, 28]));
/// # Ok::<(), cutlayer::error::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] where there is no such set, or a file is damaged or beyond the limits;
/// [`Error::Io`] where the system refuses to open it.
pub fn load(name_or_path: impl AsRef<OsStr>) -> Result<Dataset> {
    let given = name_or_path.as_ref();
    match given.to_str() {
        Some("mnist") => return embedded::mnist(),
        Some("brainmri") => return embedded::brainmri(),
        _ => {}
    }
    let path = place::found(given)?;
    let path = path.as_path();
    let kind = match path.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::InvalidInput, ErrorKind::NotADirectory].contains(&error.kind()) =>
        {
            return Err(unknown(&given.to_string_lossy()));
        }
        Err(error) => return Err(Error::io("look at the data", path)(error)),
    };
    let name = path.file_stem().unwrap_or(given).to_string_lossy();
    let (format, parts) = if kind.is_dir() {
        ("IDX files", idx::read_folder(path)?)
    } else if kind.is_file() {
        ("a MedMNIST file", medmnist::read_file(path)?)
    } else {
        return Err(about_path("neither a folder of IDX files nor an .npz file", path));
    };
    let about = format!("images read from {format}; for the licence see their source");
    Dataset::new(&name, &about, None, parts.map(Into::into)).map_err(|problem| about_path(&problem, path))
}

/// The error for a name that is neither built in nor a path, with the likely name where one is near.
fn unknown(name: &str) -> Error {
    let lower = name.to_lowercase();
    let near = |known: &&str| strsim::jaro_winkler(&lower, known);
    let likely = BUILT_IN.into_iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|known| near(known) >= 0.8);
    let hint = likely.map_or_else(String::new, |known| format!("; did you mean \"{known}\"?"));
    Error::input(format!(
        "no data set, file or folder is called {name:?}: built in are {}; a path may be a folder of IDX files or a \
         MedMNIST .npz file{hint}",
        BUILT_IN.join(" and ")
    ))
}

/// A problem found in a file, with its path last.
fn about_path(problem: &str, path: &Path) -> Error {
    Error::input(format!("{problem}: {}", path.display()))
}

/// The bytes of `count` images of `shape`, if all three are within the limits.
fn payload_bytes(count: u64, [channels, height, width]: [u64; 3]) -> Result<u64, String> {
    if count > MAX_IMAGES {
        return Err(format!("declares {count} images; at most {MAX_IMAGES} are read"));
    }
    if [height, width].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
        return Err(format!("declares images of {height} × {width} pixels; sides of 1 to {MAX_SIDE} are read"));
    }
    // No overflow: 10^6 × 3 × 4096² is below 2^64.
    let bytes = count * channels * height * width;
    if bytes > MAX_BYTES {
        return Err(format!("declares {bytes} bytes of pixels; at most {MAX_BYTES} are read"));
    }
    Ok(bytes)
}

/// Reads `bytes` bytes and finds the end there, which is also where gzip and zip check their sums.
fn read_payload(reader: impl Read, bytes: u64) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    reader.take(bytes + 1).read_to_end(&mut data).map_err(|error| format!("is damaged or cut short ({error})"))?;
    match data.len() as u64 {
        found if found < bytes => Err(format!("is cut short: {found} of {bytes} bytes of data")),
        found if found > bytes => Err(format!("goes on after the {bytes} bytes of data that it declares")),
        _ => Ok(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_met_with_the_known_ones() {
        let text = |name: &str| match load(name) {
            Err(Error::Input(text)) => text,
            other => panic!("{other:?}"),
        };
        assert!(text("mnsit").ends_with("did you mean \"mnist\"?"), "{}", text("mnsit"));
        assert!(text("BrainMRI").ends_with("did you mean \"brainmri\"?"));
        assert!(text("no/such/folder").contains("mnist and brainmri"));
        assert!(!text("no/such/folder").contains("did you mean"));
        assert!(!text("").contains("did you mean"));
    }
}
