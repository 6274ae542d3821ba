//! A reader of data: its card, and what it makes of a path. One card a format, each in a file of its own;
//! [`workbench`](mod@crate::workbench) lists them, and [`recognise`](super::recognise) asks them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::findings::{Findings, Skipped};
use super::wanted::Ask;
use super::{Images, Source};
use crate::error::Result;
pub use crate::place::has_ending;

/// A reader's card.
#[derive(Debug)]
pub struct Kind {
    /// Its name.
    pub id: &'static str,
    /// What it reads, after "images read from": `IDX files`.
    pub title: &'static str,
    /// What a path is that it reads, after "a path may be": `a folder of IDX files`.
    pub about: &'static str,
    /// Endings of the files that are offered where one is chosen, without a dot; none for folders.
    pub endings: &'static [&'static str],
    /// Whether it reads what is at a path, told without reading all of it.
    pub sniff: fn(&Path) -> Sniff,
    /// Reads the set at a path, images as they are wanted as far as the reader itself decides it: kind, size, channels
    /// and split are seen to afterwards. An error ends with the path.
    pub read: fn(&Path, &Ask<'_>) -> Result<Contents>,
}

/// How sure a reader is that a path is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sniff {
    /// It is not.
    No,
    /// It may be, damaged or under another name: worth a try where no reader is sure, and nobody's otherwise.
    Perhaps,
    /// It is, and this is the path of the set that it belongs to.
    Yes(PathBuf),
}

/// What a reader makes of a path.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The images.
    pub parts: Parts,
    /// Names of the classes; without, they are called by their numbers.
    pub classes: Option<Vec<String>>,
    /// What there is to say of them.
    pub findings: Findings,
}

/// The images of a set.
#[derive(Clone, Debug)]
pub enum Parts {
    /// Training, validation and test images as the file parts them; those for validation may be none.
    Given([Arc<dyn Source>; 3]),
    /// All of them: the file does not say which are for what.
    Whole(Arc<dyn Source>),
}

impl From<[Images; 3]> for Contents {
    fn from(parts: [Images; 3]) -> Self {
        Self::from(parts.map(Arc::<dyn Source>::from))
    }
}

impl From<[Arc<dyn Source>; 3]> for Contents {
    fn from(parts: [Arc<dyn Source>; 3]) -> Self {
        Self { parts: Parts::Given(parts), classes: None, findings: Findings::default() }
    }
}
