//! What an attack hands over.

use candle_core::Tensor;

/// What an attack hands over of its N targets: at least one of these. Images and labels are scored against the truth, and
/// its verdict is by the images if it has any; scores are kept with its files.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Reconstructions (N, C, H, W).
    pub images: Option<Tensor>,
    /// Inferred classes (N). Of an attack that is handed the targets' classes they are not scored.
    pub labels: Option<Vec<u32>>,
    /// A number for each target (N), as a detector or a test of membership has.
    pub scores: Option<Vec<f64>>,
}

impl Outcome {
    /// Reconstructions alone (N, C, H, W).
    pub fn of_images(images: Tensor) -> Self {
        Self { images: Some(images), ..Self::default() }
    }

    /// Inferred classes alone (N).
    pub fn of_labels(labels: Vec<u32>) -> Self {
        Self { labels: Some(labels), ..Self::default() }
    }

    /// Scores alone (N).
    pub fn of_scores(scores: Vec<f64>) -> Self {
        Self { scores: Some(scores), ..Self::default() }
    }
}
