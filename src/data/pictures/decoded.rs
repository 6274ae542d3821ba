//! What is kept of decoding beside the pixels.

use serde::{Deserialize, Serialize};

/// What came of decoding, beside the pixels. A place is that in the listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::data) struct Decoded {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// The value of white.
    pub white: u16,
    /// The largest pixel as the files have it, where there are more than eight bits.
    pub largest: Option<u16>,
    /// Places of the pictures that are in it.
    pub kept: Vec<u32>,
    /// Places of those that are not, and why.
    pub skipped: Vec<(u32, String)>,
    /// What was done to them, a sentence each.
    pub notes: Vec<String>,
}
