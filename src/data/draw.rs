//! Which of a set's test images a run scores on, where it does not score on all.

use serde::{Deserialize, Serialize};

use super::Part;
use crate::random::{Seed, Stream};

/// How so many test images are taken out of more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Draw {
    /// As many of each class as there are, drawn by the seed.
    #[default]
    Balanced,
    /// The first ones, as the file has them: one class alone where it is sorted.
    First,
}

/// `n` of the test images, or all as they are where `n` is 0 or there are no more.
///
/// # Panics
/// Where a label is not below `classes`.
pub fn drawn(test: Part, n: usize, draw: Draw, classes: usize, seed: Seed) -> Part {
    if n == 0 || n >= test.len() {
        return test;
    }
    match draw {
        Draw::First => test.take(n),
        Draw::Balanced => test.select(&in_turn(&test, classes, n, seed.stream("test", 0))),
    }
}

/// The indices of `n` images, or of all where there are fewer: one of each class in turn, each class in an order of
/// its own, so that a class that runs out leaves its share to all others alike. A smaller `n` gives the beginning of a
/// larger.
///
/// # Panics
/// Where a label is not below `classes`.
pub(super) fn in_turn(images: &Part, classes: usize, n: usize, mut order: Stream) -> Vec<usize> {
    let mut members = vec![Vec::new(); classes];
    for i in order.permutation(images.len()) {
        members[images.labels()[i] as usize].push(i);
    }
    let rounds = members.iter().map(Vec::len).max().unwrap_or(0);
    (0..rounds).flat_map(|round| members.iter().filter_map(move |class| class.get(round).copied())).take(n).collect()
}

/// The class whose share of `some` is the farthest from its share of `all`, if chance does not explain it, and how many
/// of `some` it has: of a sorted file the first images are no fair sample.
pub fn unfair(some: &Part, all: &Part, classes: usize) -> Option<(usize, usize)> {
    let (n, total) = (some.len() as f64, all.len() as f64);
    let off = |(few, many): (&usize, &usize)| {
        let share = *many as f64 / total;
        // In its standard errors, with one image of grace: of few images one more or less says nothing.
        let error = (n * share * (1.0 - share)).sqrt();
        ((*few as f64 - n * share).abs() - 1.0) / error.max(1.0)
    };
    let (few, many) = (some.class_counts(classes), all.class_counts(classes));
    let worst = few.iter().zip(&many).map(off).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (worst.1 > 4.0).then(|| (worst.0, few[worst.0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    /// One pixel an image, its number.
    fn images(labels: &[u32]) -> Part {
        Part::from(Images {
            shape: [1, 1, 1],
            pixels: (0..labels.len()).map(|i| i as u8).collect(),
            labels: labels.to_vec(),
        })
    }

    fn sorted() -> Part {
        images(&[[0; 50], [1; 50], [2; 50], [3; 50]].concat())
    }

    #[test]
    fn a_sorted_file_gives_each_class_its_share() {
        let test = sorted();
        let draw = |n, seed| drawn(test.clone(), n, Draw::Balanced, 4, Seed(seed));
        assert_eq!(draw(40, 0).class_counts(4), [10; 4]);
        assert_eq!(draw(42, 0).class_counts(4), [11, 11, 10, 10]);
        assert_eq!(draw(40, 0), draw(40, 0));
        assert_ne!(draw(40, 0).pixels(), draw(40, 1).pixels(), "drawn by the seed");
        assert_eq!(draw(40, 0).take(13), draw(13, 0), "a smaller number is the beginning of a larger");
        let mut once = draw(120, 0).pixels();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 120, "no image comes twice");
    }

    #[test]
    fn a_class_that_runs_out_leaves_its_share_to_all_others_alike() {
        let test = images(&[[0; 30].as_slice(), &[1; 30], &[2; 4], &[]].concat());
        let counts = |n| drawn(test.clone(), n, Draw::Balanced, 4, Seed(0)).class_counts(4);
        assert_eq!(counts(9), [3, 3, 3, 0]);
        assert_eq!(counts(44), [20, 20, 4, 0]);
        assert_eq!(counts(63), [30, 29, 4, 0]);
    }

    #[test]
    fn all_images_stay_as_they_are_and_the_first_are_the_first() {
        let test = sorted();
        for draw in [Draw::Balanced, Draw::First] {
            for n in [0, 200, 201] {
                assert_eq!(drawn(test.clone(), n, draw, 4, Seed(0)), test, "{draw:?} {n}");
            }
        }
        assert_eq!(drawn(test.clone(), 40, Draw::First, 4, Seed(9)), test.take(40));
    }

    #[test]
    fn what_chance_does_not_explain_is_unfair() {
        let test = sorted();
        assert_eq!(unfair(&test.take(40), &test, 4), Some((0, 40)));
        assert_eq!(unfair(&test.take(120), &test, 4), Some((3, 0)));
        assert_eq!(unfair(&test, &test, 4), None);
        assert_eq!(unfair(&test.take(2), &test, 4), None, "two of a class are no wonder");
        let order = |seed: u64| Seed(seed).stream("any", 0).permutation(200);
        assert!((0..200).all(|seed| unfair(&test.select(&order(seed)[..40]), &test, 4).is_none()));
    }
}
