//! Images with labels: the sets that are built in, those read from files, and who gets which part.
//!
//! A [`Source`] has images and labels, and may know which images are of one patient ([`Groups`]); victim, attacker and
//! judge each have a [`Part`] of one, a view that copies nothing. Pixels stay as deep as the file has them, bytes or 16
//! bits, until a batch is asked for. Files come from strangers: every reader checks counts, sides and bytes against the
//! limits below before it allocates, and memory grows with what a file holds, never with what it declares.

mod array;
mod augment;
pub mod bench;
mod cache;
pub mod catalogue;
mod dataset;
mod decode;
mod deep;
mod described;
mod disk;
mod doubles;
mod draw;
mod element;
mod embedded;
mod even;
mod feed;
mod findings;
mod groups;
mod joined;
pub mod known;
mod layout;
mod look;
pub mod named;
mod noun;
pub mod numpy;
mod part;
pub mod pictures;
mod portion;
mod range;
pub mod reader;
pub mod readers;
pub mod recognise;
mod shaped;
mod source;
mod unpacked;
mod wanted;
mod watched;
#[cfg(test)]
mod wild;

use std::io::Read;
use std::path::Path;

pub use augment::Augment;
pub use catalogue::Catalogue;
pub use dataset::{Dataset, Split, split, targets, unowned_targets};
pub use deep::DeepImages;
pub use described::Described;
pub(crate) use disk::read_at;
pub use doubles::{Doubles, also_in};
pub use draw::{Draw, drawn, unfair};
pub use embedded::{BUILT_IN, built_in};
pub use feed::Feed;
pub use groups::{Groups, Numbering};
pub use look::{contact_sheet, reread};
pub use noun::Noun;
pub use part::Part;
pub use readers::{dicom, folder, idx, mias, npz, sheet};
pub use recognise::load;
pub use source::{Images, Source, grouped};
pub use wanted::{Ask, Channels, Fold, Progress, Range, SplitBy, Wanted};

use crate::error::Error;

/// Most images in one array of a file.
const MAX_IMAGES: u64 = 1_000_000;
/// Longest side of an image, in pixels.
const MAX_SIDE: u64 = 4096;
/// Most decoded bytes in one array of a file that is held in memory.
const MAX_BYTES: u64 = 2 << 30;
/// Most classes; a label is below it.
const MAX_CLASSES: u32 = 1000;

/// A problem found in a file, with its path last.
fn about_path(problem: &str, path: &Path) -> Error {
    Error::input(format!("{problem}: {}", path.display()))
}

/// The bytes of `count` images of `shape`, if count and sides are within the limits and all of it is within `most`.
fn payload_bytes(count: u64, [channels, height, width]: [u64; 3], most: u64) -> Result<u64, String> {
    if count > MAX_IMAGES {
        return Err(format!("declares {count} images; at most {MAX_IMAGES} are read"));
    }
    if [height, width].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
        return Err(format!("declares images of {height} × {width} pixels; sides of 1 to {MAX_SIDE} are read"));
    }
    // No overflow: 10^6 × 3 × 4096² is below 2^64.
    let bytes = count * channels * height * width;
    if bytes > most {
        return Err(format!("declares {bytes} bytes of pixels; at most {most} are read: save fewer or smaller images"));
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

/// The readers that tests of this module work with; the program's list is in [`workbench`](mod@crate::workbench).
#[cfg(test)]
const READERS_HERE: &[&reader::Kind] = &[&idx::KIND, &npz::KIND, &sheet::KIND, &folder::KIND];

/// Loads a set as it is.
#[cfg(test)]
fn plain(path: impl AsRef<std::ffi::OsStr>, readers: &[&'static reader::Kind]) -> crate::error::Result<Dataset> {
    load(path, &Ask { wanted: &Wanted::default(), progress: &Progress::default() }, readers)
}

/// A folder of real data that is not the program's to give away, in the folder that `CUTLAYER_TEST_DATA` names; without,
/// the test says that it was skipped.
#[cfg(test)]
pub(crate) fn test_data(part: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("CUTLAYER_TEST_DATA").map(|folder| Path::new(&folder).join(part));
    if folder.is_none() {
        println!("skipped: CUTLAYER_TEST_DATA names no folder with {part}");
    }
    folder
}
