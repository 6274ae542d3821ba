//! Images that stand in a set more than once: what is tested on should have been seen by nobody.

use std::collections::HashSet;

use rayon::prelude::*;

use super::{Dataset, Part};
use crate::error::Result;

/// The digests of all images of a part.
fn digests(part: &Part) -> Result<Vec<[u8; 32]>> {
    (0..part.len()).into_par_iter().map(|i| part.digest(i)).collect()
}

/// Whether each image of `some` stands among `others` too, pixel by pixel, whatever its class there.
///
/// # Errors
/// Returns an error if an image cannot be read.
pub fn also_in(some: &Part, others: &Part) -> Result<Vec<bool>> {
    let known: HashSet<[u8; 32]> = digests(others)?.into_iter().collect();
    Ok(digests(some)?.iter().map(|digest| known.contains(digest)).collect())
}

/// How many images of the parts of a set are not there for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubles {
    /// Test images that are training images too.
    pub test_in_train: usize,
    /// Validation images that are training images too.
    pub validation_in_train: usize,
    /// Test images that are validation images too.
    pub test_in_validation: usize,
    /// Training images that are copies of an earlier one.
    pub within_train: usize,
    /// Test images that are copies of an earlier one.
    pub within_test: usize,
}

impl Doubles {
    /// Counts those of a set. Every image is looked at.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn of(set: &Dataset) -> Result<Self> {
        let [train, validation, test] = [digests(&set.train)?, digests(&set.validation)?, digests(&set.test)?];
        let distinct = |all: &[[u8; 32]]| all.iter().copied().collect::<HashSet<_>>();
        let [of_train, of_validation] = [&train, &validation].map(|all| distinct(all));
        let shared = |some: &[[u8; 32]], others: &HashSet<_>| some.iter().filter(|one| others.contains(*one)).count();
        Ok(Self {
            test_in_train: shared(&test, &of_train),
            validation_in_train: shared(&validation, &of_train),
            test_in_validation: shared(&test, &of_validation),
            within_train: train.len() - of_train.len(),
            within_test: test.len() - distinct(&test).len(),
        })
    }

    /// What is to be warned of, a sentence each.
    pub fn warnings(&self, set: &Dataset) -> Vec<String> {
        let of = |count: usize, all: &Part, part: &str, others: &str, so: &str| {
            (count > 0)
                .then(|| format!("{count} of {} {part} images are identical to {others} images, {so}", all.len()))
        };
        let mut all: Vec<String> = [
            of(self.test_in_train, &set.test, "test", "training", "so accuracy on them is partly memory"),
            of(self.test_in_validation, &set.test, "test", "validation", "so the best epoch is chosen by them"),
            of(self.validation_in_train, &set.validation, "validation", "training", "so they choose no epoch fairly"),
        ]
        .into_iter()
        .flatten()
        .collect();
        for (count, part) in [(self.within_train, "training"), (self.within_test, "test")] {
            if count > 0 {
                all.push(format!("{count} {part} images are copies of another, pixel by pixel"));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn images_that_stand_twice_are_counted_whatever_their_class() {
        let images = |pixels: &[u8]| Images {
            shape: [1, 1, 1],
            pixels: pixels.to_vec(),
            labels: (0..pixels.len() as u32).map(|i| i % 2).collect(),
        };
        let parts = [images(&[1, 2, 2, 3]), images(&[2, 9]), images(&[7, 2, 9, 9, 8])].map(Into::into);
        let set = Dataset::new("x", "", None, parts).unwrap();
        let found = Doubles::of(&set).unwrap();
        let expected = Doubles {
            test_in_train: 1,
            validation_in_train: 1,
            test_in_validation: 3,
            within_train: 1,
            within_test: 1,
        };
        assert_eq!(found, expected);
        let told = found.warnings(&set);
        assert_eq!(
            told[0],
            "1 of 5 test images are identical to training images, so accuracy on them is partly memory"
        );
        assert_eq!(told.len(), 5);
        assert_eq!(also_in(&set.test, &set.train).unwrap(), [false, true, false, false, false]);
        assert!(Doubles::default().warnings(&set).is_empty());
    }
}
