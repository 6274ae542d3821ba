//! What a set holds, in numbers and words: for the command and for the window alike.

use super::{Dataset, Doubles, Noun, Part};
use crate::error::Result;

/// A set as it would be trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Images in training, validation and test, of each class.
    pub counts: Vec<[usize; 3]>,
    /// What may be wrong with it, a sentence each: what the reader found, patients and images on both sides.
    pub warnings: Vec<String>,
    /// Number of patients; none where they are not known.
    pub patients: Option<usize>,
}

impl Described {
    /// Looks at every image.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn of(set: &Dataset) -> Result<Self> {
        let doubles = Doubles::of(set)?.warnings(set);
        let warnings = set.findings.warnings.iter().cloned().chain(on_both_sides(set)).chain(doubles).collect();
        let patients = set.groups().filter(|(noun, _)| *noun == Noun::PATIENT).map(|(_, all)| all.len());
        Ok(Self { counts: counts(set), warnings, patients })
    }

    /// Whether there is nothing to tell apart though there are labels.
    pub fn one_class(&self, set: &Dataset) -> bool {
        let some = |all: &&[usize; 3]| all.iter().any(|count| *count > 0);
        !set.findings.unlabelled && self.counts.iter().filter(some).count() < 2
    }
}

fn counts(set: &Dataset) -> Vec<[usize; 3]> {
    let of = |part: &Part| part.class_counts(set.classes.len());
    let [train, validation, test] = [of(&set.train), of(&set.validation), of(&set.test)];
    (0..set.classes.len()).map(|class| [train[class], validation[class], test[class]]).collect()
}

/// Says so where groups are on both sides.
fn on_both_sides(set: &Dataset) -> Option<String> {
    let groups = set.test.groups()?;
    let [shared, images] = groups.shared_with(set.train.groups()?);
    let noun = groups.noun;
    (shared > 0).then(|| {
        format!(
            "{} have both test and training images ({images} of {} test images): data.split = \"drawn\" parts the set \
             anew, each {} in one part",
            noun.counted(shared),
            set.test.len(),
            noun.one
        )
    })
}
