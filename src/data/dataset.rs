//! A whole set, and who gets which part of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::findings::Findings;
use super::source::BYTE_WHITE;
use super::{MAX_CLASSES, Noun, Part, Source, draw};
use crate::error::Result;
use crate::random::Seed;

/// What the parts of a set are called.
const NAMES: [&str; 3] = ["training", "validation", "test"];

/// A set of images for training, choosing and judging.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name to load it by, or that of the file or folder.
    pub name: String,
    /// One line: what it is, whose it is and under which licence.
    pub about: String,
    /// The classes' names; a label is an index into them.
    pub classes: Vec<String>,
    /// What victim and attacker share out between them: see [`split`].
    pub train: Part,
    /// What tells the best epoch, though nothing is chosen by it; empty where the set has no such images, as IDX folders.
    pub validation: Part,
    /// What accuracies are measured on and targets are drawn from.
    pub test: Part,
    /// The reader's id; empty for a set that comes with the program.
    pub kind: &'static str,
    /// What was found when it was read.
    pub findings: Arc<Findings>,
    /// Whether the parts were drawn, since the file does not say which images are for what.
    pub drawn: bool,
}

impl Dataset {
    /// Checks the parts (training, validation, test) against each other. Without names the classes
    /// are called "0" to the largest label.
    ///
    /// # Errors
    /// Tells the problem without a path.
    pub fn new(
        name: &str,
        about: &str,
        names: Option<Vec<String>>,
        parts: [Arc<dyn Source>; 3],
    ) -> Result<Self, String> {
        let parts = complete(parts)?;
        Self::of_parts(name, about, names, parts.map(Part::all), Arc::default())
    }

    /// The same of parts that are views, and what was found in them. Where there are no labels there need be no test images.
    ///
    /// # Errors
    /// Tells the problem without a path.
    pub fn of_parts(
        name: &str,
        about: &str,
        names: Option<Vec<String>>,
        parts: [Part; 3],
        findings: Arc<Findings>,
    ) -> Result<Self, String> {
        let (shape, white) = (parts[0].shape(), parts[0].white());
        for (part, source) in NAMES.into_iter().zip(&parts) {
            let images = source.len();
            // What has no labels is only looked at.
            if images == 0 && part != "validation" && !(part == "test" && findings.unlabelled) {
                return Err(format!("the {part} set is empty"));
            }
            if source.shape() != shape {
                return Err(format!("{part} images are {:?} (C, H, W), training images {shape:?}", source.shape()));
            }
            if images > 0 && source.white() != white {
                let now = source.white();
                return Err(format!(
                    "pixels of the {part} images go up to {now}, those of the training images to {white}"
                ));
            }
        }
        let largest = parts.iter().flat_map(Part::labels).copied().max().unwrap_or(0);
        let limit = names.as_ref().map_or(MAX_CLASSES, |names| names.len() as u32);
        if largest >= limit {
            return Err(format!("label {largest} is too large: {limit} classes are allowed"));
        }
        let classes = names.unwrap_or_else(|| (0..=largest).map(|label| label.to_string()).collect());
        let [train, validation, test] = parts;
        let (name, about) = (name.to_owned(), about.to_owned());
        Ok(Self { name, about, classes, train, validation, test, kind: "", findings, drawn: false })
    }

    /// The set with other parts, of the same classes.
    ///
    /// # Errors
    /// Tells the problem without a path.
    pub fn with_parts(self, parts: [Part; 3]) -> Result<Self, String> {
        let Self { name, about, classes, kind, findings, drawn, .. } = self;
        Ok(Self { kind, drawn, ..Self::of_parts(&name, &about, Some(classes), parts, findings)? })
    }

    /// The same images to somebody who does not know which belong together.
    #[must_use]
    pub fn without_groups(self) -> Self {
        let [train, validation, test] = [self.train, self.validation, self.test].map(Part::without_groups);
        Self { train, validation, test, ..self }
    }

    /// What the groups of the images are called, and the number of each that has one, where that is known.
    pub fn groups(&self) -> Option<(Noun, BTreeSet<u32>)> {
        let known: Vec<_> = [&self.train, &self.validation, &self.test].into_iter().filter_map(Part::groups).collect();
        Some((known.first()?.noun, known.iter().flat_map(|groups| groups.distinct()).collect()))
    }

    /// Channels, height, width of every image.
    pub fn shape(&self) -> [usize; 3] {
        self.train.shape()
    }

    /// Which values are black and white, in words.
    pub fn range(&self) -> String {
        match (self.findings.range.as_str(), self.train.white()) {
            ("", BYTE_WHITE) => "bytes, 0–255: scaled by 255".to_owned(),
            ("", white) => format!("16-bit, 0–{white}: scaled by {white}"),
            (found, _) => found.to_owned(),
        }
    }

    /// Why nothing can be learned from the images, if nothing can.
    pub fn unlearnable(&self) -> Option<&'static str> {
        if self.findings.unlabelled {
            return Some("the images have no labels, so nothing can be learned from them");
        }
        let parts = [&self.train, &self.validation, &self.test];
        let mut labels = parts.into_iter().flat_map(|part| part.labels().iter());
        let first = labels.next();
        let one = labels.all(|label| Some(label) == first);
        one.then_some("all labels name one class, so there is nothing to tell apart")
    }

    /// The accuracy on the test set, in percent, of always guessing its largest class.
    pub fn majority(&self) -> f64 {
        let largest = self.test.class_counts(self.classes.len()).into_iter().max().unwrap_or(0);
        100.0 * largest as f64 / self.test.len() as f64
    }
}

/// Checks that every image of the sources, which are called as the parts of a set are, has a label and, where groups are
/// known, one of these.
///
/// # Errors
/// Tells the problem without a path.
pub(super) fn complete<const N: usize>(sources: [Arc<dyn Source>; N]) -> Result<[Arc<dyn Source>; N], String> {
    for (part, source) in NAMES.into_iter().zip(&sources) {
        let (images, labels) = (source.len(), source.labels().len());
        if images != labels {
            return Err(format!("the {part} set has {images} images and {labels} labels"));
        }
        if let Some(groups) = source.groups().filter(|groups| groups.numbers.len() != images) {
            let many = groups.noun.many;
            return Err(format!("the {part} set has {images} images and the {many} of {}", groups.numbers.len()));
        }
    }
    Ok(sources)
}

/// Who has which training images.
#[derive(Clone, Debug)]
pub struct Split {
    /// What the victims train on.
    pub victim: Part,
    /// What the attacker knows: like the victim's images, but none of them.
    pub aux: Part,
}

/// Gives the share `aux` (0 to 1) of the training images to the attacker and leaves the rest, at
/// least one, to the victim. Both come in an order drawn by `seed`, so that the first n of either are
/// a fair sample, and a larger share holds the smaller. Where it is known which images are of one patient, nobody's are on
/// both sides, and the share is met as nearly as whole patients allow: patients who are among the validation or test images
/// too stay with the victim.
pub fn split(dataset: &Dataset, aux: f64, seed: Seed) -> Split {
    let all = dataset.train.len();
    let order = seed.stream("aux", 0).permutation(all);
    let wanted = (aux * all as f64).round() as usize;
    let [aux, victim] = if let Some(groups) = dataset.train.groups() {
        let held_out: BTreeSet<u32> = [&dataset.validation, &dataset.test]
            .into_iter()
            .filter_map(|part| part.groups())
            .flat_map(|groups| groups.numbers.iter().copied())
            .collect();
        let own = order.iter().copied().filter(|i| !held_out.contains(&groups.numbers[*i])).collect();
        let [aux, _] = groups.part(own, wanted);
        let owned: BTreeSet<usize> = aux.iter().copied().collect();
        let victim = order.into_iter().filter(|i| !owned.contains(i)).collect();
        [aux, victim]
    } else {
        let (aux, victim) = order.split_at(wanted.min(all.saturating_sub(1)));
        [aux.to_vec(), victim.to_vec()]
    };
    Split { victim: dataset.train.select(&victim), aux: dataset.train.select(&aux) }
}

/// The indices of `n` test images to attack, or of all where there are fewer: one of each class in
/// turn, each class in an order drawn by `seed`. A smaller `n` gives the beginning of a larger.
///
/// # Panics
/// Panics if a label of `test` is not below `classes`.
pub fn targets(test: &Part, classes: usize, n: usize, seed: Seed) -> Vec<usize> {
    draw::in_turn(test, classes, n, seed.stream("targets", 0))
}

/// The same of the test images that the attacker does not own, as [`also_in`](super::also_in) tells: to get what one has
/// would be no theft.
///
/// # Panics
/// Panics if a label of `test` is not below `classes`, or if there is not an answer for each image.
pub fn unowned_targets(test: &Part, owned: &[bool], classes: usize, n: usize, seed: Seed) -> Vec<usize> {
    let all = targets(test, classes, test.len(), seed);
    all.into_iter().filter(|i| !owned[*i]).take(n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DeepImages, Groups, Images, grouped};

    /// `labels.len()` images of 1 × 1 × 2, image i being [i, i].
    fn small(labels: &[u32]) -> Images {
        let pixels = (0..labels.len()).flat_map(|i| [i as u8, i as u8]).collect();
        Images { shape: [1, 1, 2], pixels, labels: labels.to_vec() }
    }

    fn none() -> Images {
        Images::none([1, 1, 2])
    }

    fn set(parts: [Images; 3]) -> Result<Dataset, String> {
        let names = ["a", "b"].map(str::to_owned).to_vec();
        Dataset::new("x", "", Some(names), parts.map(Into::into))
    }

    #[test]
    fn inconsistent_sets_are_refused() {
        let refused = |parts| set(parts).unwrap_err();
        let good = small(&[0, 1, 1]);
        assert!(refused([none(), none(), good.clone()]).contains("training set is empty"));
        assert!(refused([good.clone(), none(), none()]).contains("test set is empty"));
        assert!(refused([good.clone(), none(), small(&[2])]).contains("label 2"));
        let uneven = Images { labels: vec![0, 1], ..good.clone() };
        assert!(refused([good.clone(), none(), uneven]).contains("3 images and 2 labels"));
        let wide = Images { shape: [1, 1, 3], pixels: vec![0; 9], labels: vec![0; 3] };
        assert!(refused([good.clone(), none(), wide]).contains("[1, 1, 3]"));
        assert!((set([good.clone(), none(), good]).unwrap().majority() - 200.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_nothing_can_be_learned_from_says_why() {
        let why = |labels: &[u32]| set([small(labels), none(), small(labels)]).unwrap().unlearnable();
        assert_eq!(why(&[0, 1]), None);
        assert!(why(&[1, 1]).unwrap().contains("one class"));
    }

    #[test]
    fn victim_and_attacker_share_no_image() {
        let train = small(&[0; 80]);
        let dataset = set([train.clone(), none(), train]).unwrap();
        let Split { victim, aux } = split(&dataset, 0.125, Seed(1));
        assert_eq!((victim.len(), aux.len()), (70, 10));
        let mut all: Vec<u8> = [victim.pixels(), aux.pixels()].concat().into_iter().step_by(2).collect();
        all.sort_unstable();
        assert_eq!(all, (0..80).collect::<Vec<u8>>());
        assert_eq!(split(&dataset, 0.125, Seed(1)).aux, aux);
        assert_ne!(split(&dataset, 0.125, Seed(2)).aux, aux);
        assert_eq!(split(&dataset, 0.25, Seed(1)).aux.take(10), aux);
        assert_eq!((split(&dataset, 0.0, Seed(1)).aux.len(), split(&dataset, 1.0, Seed(1)).victim.len()), (0, 1));
    }

    #[test]
    fn victim_and_attacker_share_no_patient() {
        let train = small(&[0; 80]);
        let numbers: Arc<[u32]> = (0..80).map(|i| i / 4).collect();
        let known = grouped(train.clone().into(), Groups { numbers, noun: Noun::PATIENT });
        let [validation, test] = [none(), train].map(Into::into);
        let dataset = Dataset::new("x", "", None, [known, validation, test]).unwrap();
        let Split { victim, aux } = split(&dataset, 0.125, Seed(1));
        // Ten images are wanted, and two patients have eight, three twelve: of two as near the fewer.
        assert_eq!((victim.len(), aux.len()), (72, 8));
        assert_eq!(victim.groups().unwrap().shared_with(aux.groups().unwrap()), [0, 0]);
        let of_pixels: Vec<u32> = aux.pixels().iter().step_by(2).map(|pixel| u32::from(*pixel) / 4).collect();
        assert_eq!(*aux.groups().unwrap().numbers, of_pixels, "groups go with their images");
        // Who does not know the patients has what everybody had.
        let plain = split(&dataset.without_groups(), 0.125, Seed(1));
        assert_eq!((plain.aux.len(), plain.aux.groups()), (10, None));
    }

    #[test]
    fn patients_who_are_held_out_too_are_none_of_the_attackers() {
        let of = |numbers: &[u32]| {
            grouped(small(&vec![0; numbers.len()]).into(), Groups { numbers: numbers.into(), noun: Noun::PATIENT })
        };
        let train: Vec<u32> = (0..40).map(|i| i / 2).collect();
        let dataset = Dataset::new("x", "", None, [of(&train), of(&[1, 2, 3]), of(&[0, 9, 99])]).unwrap();
        for seed in 0..20 {
            let Split { victim, aux } = split(&dataset, 0.5, Seed(seed));
            assert_eq!((victim.len(), aux.len()), (20, 20));
            let groups = aux.groups().unwrap();
            assert_eq!(groups.shared_with(dataset.validation.groups().unwrap()), [0, 0]);
            assert_eq!(groups.shared_with(dataset.test.groups().unwrap()), [0, 0]);
            assert_eq!(groups.shared_with(victim.groups().unwrap()), [0, 0]);
        }
        // Where everybody is held out the attackers have nobody.
        let all = Dataset::new("x", "", None, [of(&[0, 0, 1]), of(&[]), of(&[0, 1])]).unwrap();
        assert_eq!(split(&all, 0.5, Seed(0)).aux.len(), 0);
    }

    #[test]
    fn parts_of_another_depth_and_too_few_patients_are_refused() {
        let good = || Arc::<dyn Source>::from(small(&[0, 0]));
        let deep = DeepImages { shape: [1, 1, 2], pixels: vec![9; 4], white: 4095, labels: vec![0; 2] };
        let told = Dataset::new("x", "", None, [good(), none().into(), deep.into()]).unwrap_err();
        assert_eq!(told, "pixels of the test images go up to 4095, those of the training images to 255");
        let short = grouped(good(), Groups { numbers: [3].into(), noun: Noun::PATIENT });
        let told = Dataset::new("x", "", None, [short, none().into(), good()]).unwrap_err();
        assert_eq!(told, "the training set has 2 images and the patients of 1");
    }

    #[test]
    fn targets_take_the_classes_in_turn() {
        let test = Part::from(small(&[0, 0, 0, 0, 0, 1, 1, 1, 2]));
        let chosen = targets(&test, 3, 7, Seed(4));
        assert_eq!(chosen.iter().map(|&i| test.labels()[i]).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 0, 1]);
        assert_eq!(targets(&test, 3, 4, Seed(4)), chosen[..4]);
        let mut all = targets(&test, 3, 100, Seed(4));
        all.sort_unstable();
        assert_eq!(all, (0..9).collect::<Vec<_>>());
        assert!((0..9).any(|seed| targets(&test, 3, 7, Seed(seed)) != chosen));
    }
}
