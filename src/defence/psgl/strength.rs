//! How strongly the client attacks its own images.

use serde::{Deserialize, Serialize};

/// How the map is applied to the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// The top ⌊γ·CHW⌋ pixels by |map| move by θ·sign(map): JSMA proper. Ours.
    #[default]
    Sparse,
    /// Every pixel moves by θ·map [E, eq. 1].
    Dense,
}

/// Strength of the intentional attack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// Sparse or dense.
    pub apply: Apply,
    /// Share of the pixels that move (sparse only).
    pub gamma: f64,
    /// How far they move, in units of the pixel range.
    pub theta: f64,
}

/// ⌊γ·CHW⌋, the pixels that are to move of an image of `size` of them (sparse only).
pub fn moving(strength: Strength, size: usize) -> usize {
    (strength.gamma * size as f64) as usize
}
