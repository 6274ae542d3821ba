//! The held-out images that those who watch a run see its accuracy on, and how far its models are with them;
//! [`watch`](super::watch) asks.

use std::collections::VecDeque;
use std::time::Instant;

use crate::data::{Part, targets};
use crate::random::Seed;
use crate::score::band::wilson;
use crate::split::SplitModel;

/// Held-out images that are asked about.
pub const HELD_OUT: usize = 200;

/// How a model in training answered the held-out images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveRow {
    /// The model, by its name in the run.
    pub model: String,
    /// Training steps that it had taken.
    pub step: usize,
    /// Images it was asked about.
    pub images: usize,
    /// Right answers of its decision.
    pub decision: usize,
    /// Of the attacked, recovered and fused stream, where the server has these.
    pub streams: Option<[usize; 3]>,
}

impl LiveRow {
    /// So many right answers in percent: the share, and the ends of its 95 % band (Wilson).
    pub fn percent(&self, right: usize) -> [f64; 3] {
        let (low, high) = wilson(right, self.images);
        [right as f64 / self.images.max(1) as f64, low, high].map(|share| 100.0 * share)
    }
}

/// The held-out images: of the validation set where there is one, else of the test set; as many of each class as there
/// are, in an order drawn by `seed`.
pub fn held_out(validation: &Part, test: &Part, classes: usize, seed: Seed) -> Part {
    let set = if validation.is_empty() { test } else { validation };
    set.select(&targets(set, classes, HELD_OUT, seed))
}

/// The live evaluation of a run.
#[derive(Default)]
pub(super) struct Watch {
    pub round: Option<Round>,
    /// The first round of this session, and the last.
    pub began: Option<[Instant; 2]>,
    /// By model.
    pub asked: Vec<Asked>,
    /// Seconds spent.
    pub spent: f64,
    /// It failed once; the run does without.
    pub off: bool,
}

/// One model's copy.
#[derive(Default)]
pub(super) struct Asked {
    pub copy: Option<SplitModel>,
    /// Steps it had taken when it was last copied.
    pub step: Option<usize>,
    /// Images that a slice has time for.
    pub at_once: usize,
}

/// One round: models whose copies are new, and how far the first of them is.
#[derive(Default)]
pub(super) struct Round {
    pub waiting: VecDeque<usize>,
    pub images: usize,
    /// Right answers of the decision, and of the attacked, recovered and fused stream.
    pub right: [usize; 4],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn a_point_has_a_band_of_its_counts() {
        let row = LiveRow { images: 200, decision: 150, ..LiveRow::default() };
        let [share, low, high] = row.percent(row.decision);
        assert!((share - 75.0).abs() < 1e-9 && (low - 68.57).abs() < 0.01 && (high - 80.49).abs() < 0.01);
        assert_eq!(LiveRow::default().percent(0), [0.0, 0.0, 100.0]);
    }

    #[test]
    fn held_out_images_are_of_the_validation_set_and_of_all_classes() {
        let images = |n: usize, first: u8| {
            Part::from(Images {
                shape: [1, 1, 1],
                pixels: (0..n).map(|i| first.wrapping_add(i as u8)).collect(),
                labels: (0..n).map(|i| u32::from(i % 5 == 0)).collect(),
            })
        };
        let (validation, test) = (images(1000, 0), images(300, 7));
        let drawn = held_out(&validation, &test, 2, Seed(3));
        assert_eq!(drawn.class_counts(2), [100, 100]);
        assert_eq!(drawn, held_out(&validation, &images(0, 0), 2, Seed(3)));
        assert_ne!(drawn, held_out(&validation, &test, 2, Seed(4)));
        let of_test = held_out(&images(0, 0), &test, 2, Seed(3));
        assert_eq!(of_test.class_counts(2), [140, 60], "once a class is used up, the others fill the rest");
        assert_eq!(held_out(&images(0, 0), &images(9, 0), 2, Seed(3)).len(), 9);
    }
}
