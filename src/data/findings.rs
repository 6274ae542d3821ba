//! What there is to say of a set that was read.

use std::path::PathBuf;

/// What a reader found that is to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Which values are black and white, and how that was found: `16-bit, 0–4095: scaled by 4095`.
    pub range: String,
    /// What else was made of the file, a sentence each.
    pub notes: Vec<String>,
    /// What may be wrong with it, a sentence each.
    pub warnings: Vec<String>,
    /// What could not be read and was left out.
    pub skipped: Vec<Skipped>,
    /// Whether there are no labels: the images can be looked at, and nothing can be learned.
    pub unlabelled: bool,
}

/// An image that was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}
