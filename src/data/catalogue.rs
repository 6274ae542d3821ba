//! What a run keeps of its data: enough to do without the images where none are needed, and to know them again where
//! they are.
//!
//! It is of the decoded images, so that packing a file anew or moving it changes nothing.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::source::BYTE_WHITE;
use super::{Dataset, Part};
use crate::error::Result;

/// The form of the document that is kept.
const SCHEMA: u32 = 1;

/// A set of images, known by what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Form of this document.
    pub schema: u32,
    /// The set's name: that it is loaded by, or of its file or folder.
    pub name: String,
    /// Channels, height, width of every image.
    pub shape: [usize; 3],
    /// The classes' names.
    pub classes: Vec<String>,
    /// The value of a white pixel, where it is not the 255 of bytes: 4,095 of 12 bits, 65,535 of 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white: Option<u32>,
    /// Which images belong together; none where that is not known, or was not when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupRecord>,
    /// Training images, attackers' included.
    pub train: PartRecord,
    /// Images for choosing; there may be none.
    pub validation: PartRecord,
    /// Held-out images.
    pub test: PartRecord,
}

/// Which images of a set belong together, such as those of one patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// What a group is called: `patient`.
    pub noun: String,
    /// Number of groups in the whole set.
    pub count: usize,
    /// Fingerprint of the number of each image's group: of training, validation and test images in their order.
    pub numbers: String,
}

/// One part of a set. Fingerprints are BLAKE3, in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Number of images.
    pub images: usize,
    /// How many of them each class has.
    pub class_counts: Vec<usize>,
    /// Fingerprint of all pixels, in their order.
    pub pixels: String,
    /// Of the labels, in their order.
    pub labels: String,
    /// Of images with their labels, in no order.
    pub members: String,
}

impl Catalogue {
    /// Of a set that is loaded. Every image is looked at.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn of(data: &Dataset) -> Result<Self> {
        let part = |images| PartRecord::of(images, data.classes.len());
        Ok(Self {
            schema: SCHEMA,
            name: data.name.clone(),
            shape: data.shape(),
            classes: data.classes.clone(),
            white: Some(data.train.white()).filter(|white| *white != BYTE_WHITE),
            groups: GroupRecord::of(data),
            train: part(&data.train)?,
            validation: part(&data.validation)?,
            test: part(&data.test)?,
        })
    }

    /// One fingerprint of all images and labels, in hexadecimal; the set's name is not in it.
    pub fn hash(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for part in [&self.train, &self.validation, &self.test] {
            hash.update(part.pixels.as_bytes());
            hash.update(part.labels.as_bytes());
        }
        hash.finalize().to_hex().to_string()
    }

    /// Reads what [`Self::to_json`] wrote. The problem is told without a path.
    ///
    /// # Errors
    /// Where it is no catalogue, or one of a later form.
    pub fn from_json(text: &str) -> std::result::Result<Self, String> {
        let all: Self = serde_json::from_str(text).map_err(|e| format!("damaged: {e}"))?;
        match all.schema {
            SCHEMA => Ok(all),
            other => {
                Err(format!("the list of the data was made by a newer version: form {other}, this one reads {SCHEMA}"))
            }
        }
    }

    /// As a document.
    pub fn to_json(&self) -> String {
        // Plain numbers and texts can always be written.
        serde_json::to_string_pretty(self).map_or_else(|_| String::new(), |text| text + "\n")
    }

    /// What is different in `now`, in words; none where it holds the same images with the same labels in the same
    /// order. A set's name may change: a file can be moved. Groups that were not known then are no difference: whoever
    /// goes on does without them.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let mut all = Vec::new();
        if self.shape != now.shape {
            let [then, now] = [self.shape, now.shape].map(|[c, h, w]| format!("{c}×{h}×{w}"));
            all.push(format!("images were {then} and are {now}"));
        }
        if self.classes.len() != now.classes.len() {
            all.push(format!("there were {} classes and are {}", self.classes.len(), now.classes.len()));
        } else if let Some((then, now)) = self.classes.iter().zip(&now.classes).find(|(then, now)| then != now) {
            all.push(format!("the class {then:?} is called {now:?}"));
        }
        if self.white != now.white {
            let [then, now] = [self, now].map(|all| all.white.unwrap_or(BYTE_WHITE));
            all.push(format!("pixels went up to {then} and go up to {now}"));
        }
        let parts = [
            ("training", &self.train, &now.train),
            ("validation", &self.validation, &now.validation),
            ("test", &self.test, &now.test),
        ];
        all.extend(parts.into_iter().filter_map(|(name, then, now)| then.difference(now, name)));
        if let Some(then) = &self.groups {
            all.extend(then.difference(now.groups.as_ref()));
        }
        (!all.is_empty()).then(|| all.join("; "))
    }
}

impl GroupRecord {
    fn of(data: &Dataset) -> Option<Self> {
        let ((noun, all), mut hash) = (data.groups()?, blake3::Hasher::new());
        for part in [&data.train, &data.validation, &data.test] {
            let numbers = part.groups().map(|groups| &*groups.numbers);
            // A part of which nothing is known is not one without images.
            hash.update(&numbers.map_or(u64::MAX, |numbers| numbers.len() as u64).to_le_bytes());
            for number in numbers.into_iter().flatten() {
                hash.update(&number.to_le_bytes());
            }
        }
        Some(Self { noun: noun.one.to_owned(), count: all.len(), numbers: hash.finalize().to_hex().to_string() })
    }

    fn difference(&self, now: Option<&Self>) -> Option<String> {
        match now {
            None => Some(format!("which images are of one {} is no longer known", self.noun)),
            Some(now) if self.numbers != now.numbers => {
                Some(format!("which images are of one {} has changed", self.noun))
            }
            Some(_) => None,
        }
    }
}

impl PartRecord {
    fn of(images: &Part, classes: usize) -> Result<Self> {
        // A digest an image: one pass over the pixels serves both fingerprints.
        let digests: Vec<[u8; 32]> =
            (0..images.len()).into_par_iter().map(|i| images.digest(i)).collect::<Result<_>>()?;
        let (mut pixels, mut labels, mut members) = (blake3::Hasher::new(), blake3::Hasher::new(), Vec::new());
        for (digest, label) in digests.iter().zip(images.labels()) {
            pixels.update(digest);
            labels.update(&label.to_le_bytes());
            members.push((digest, label));
        }
        members.sort_unstable();
        let mut sorted = blake3::Hasher::new();
        for (digest, label) in members {
            sorted.update(digest);
            sorted.update(&label.to_le_bytes());
        }
        let text = |hash: blake3::Hasher| hash.finalize().to_hex().to_string();
        Ok(Self {
            images: images.len(),
            class_counts: images.class_counts(classes),
            pixels: text(pixels),
            labels: text(labels),
            members: text(sorted),
        })
    }

    fn difference(&self, now: &Self, name: &str) -> Option<String> {
        if self.images != now.images {
            return Some(format!("there were {} {name} images and are {}", self.images, now.images));
        }
        match (self.pixels == now.pixels, self.labels == now.labels) {
            (true, true) => None,
            (true, false) => Some(format!("the labels of the {name} images differ")),
            _ if self.members == now.members => Some(format!("the {name} images are in another order")),
            (false, true) => Some(format!("the {name} images differ")),
            (false, false) => Some(format!("the {name} images and their labels differ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DeepImages, Groups, Images, Noun, grouped};

    fn images(pixels: &[u8], labels: &[u32]) -> Images {
        Images { shape: [1, 1, 2], pixels: pixels.to_vec(), labels: labels.to_vec() }
    }

    fn set(train: Images) -> Dataset {
        set_of([train, images(&[], &[]), images(&[9, 8, 7, 6], &[0, 1])])
    }

    fn set_of(parts: [Images; 3]) -> Dataset {
        let names = ["cat", "dog"].map(str::to_owned).to_vec();
        Dataset::new("x", "", Some(names), parts.map(Into::into)).unwrap()
    }

    fn three() -> Images {
        images(&[1, 2, 3, 4, 5, 6], &[0, 1, 1])
    }

    fn two() -> Images {
        images(&[1, 2, 3, 4], &[0, 1])
    }

    #[test]
    fn what_differs_is_named() {
        let then = Catalogue::of(&set(three())).unwrap();
        let told = |now: &Dataset| then.difference(&Catalogue::of(now).unwrap());
        assert_eq!(told(&set(three())), None);
        for (train, expected) in [
            (images(&[1, 2, 3, 4, 5, 7], &[0, 1, 1]), "the training images differ"),
            (images(&[1, 2, 3, 4, 5, 6], &[0, 1, 0]), "the labels of the training images differ"),
            (images(&[1, 2, 3, 4, 5, 7], &[0, 1, 0]), "the training images and their labels differ"),
            (images(&[3, 4, 1, 2, 5, 6], &[1, 0, 1]), "the training images are in another order"),
            // Of one class: the labels stand as they stood.
            (images(&[1, 2, 5, 6, 3, 4], &[0, 1, 1]), "the training images are in another order"),
            // Labels that did not move along are other labels.
            (images(&[3, 4, 1, 2, 5, 6], &[0, 1, 1]), "the training images differ"),
            (two(), "there were 3 training images and are 2"),
        ] {
            assert_eq!(told(&set(train)).as_deref(), Some(expected));
        }
        let renamed = Dataset { name: "y".to_owned(), about: "z".to_owned(), ..set(three()) };
        assert_eq!(told(&renamed), None, "a file may be moved");
        let mut named = set(three());
        named.classes[1] = "wolf".to_owned();
        assert_eq!(told(&named).as_deref(), Some("the class \"dog\" is called \"wolf\""));
        named.classes.push("fox".to_owned());
        assert_eq!(told(&named).as_deref(), Some("there were 2 classes and are 3"));
        let turned = |images: Images| Images { shape: [1, 2, 1], ..images };
        let tall = set_of([three(), images(&[], &[]), images(&[9, 8, 7, 6], &[0, 1])].map(turned));
        assert_eq!(told(&tall).as_deref(), Some("images were 1×1×2 and are 1×2×1"));
        let both = set_of([two(), images(&[], &[]), images(&[0, 8, 7, 6], &[0, 1])]);
        assert_eq!(told(&both).as_deref(), Some("there were 3 training images and are 2; the test images differ"));
    }

    #[test]
    fn groups_that_were_known_must_be_the_same_and_others_are_no_difference() {
        let known = |numbers: &[u32]| {
            let groups = Groups { numbers: numbers.into(), noun: Noun::PATIENT };
            let parts = [grouped(three().into(), groups), images(&[], &[]).into(), two().into()];
            Dataset::new("x", "", Some(vec!["cat".to_owned(), "dog".to_owned()]), parts).unwrap()
        };
        let of = |data: &Dataset| Catalogue::of(data).unwrap();
        let [then, other] = [&[0, 1, 0], &[0, 0, 1]].map(|numbers| of(&known(numbers)));
        let groups = then.groups.as_ref().unwrap();
        assert_eq!((groups.noun.as_str(), groups.count), ("patient", 2));
        assert_eq!(Catalogue::from_json(&then.to_json()).as_ref(), Ok(&then));
        assert_eq!(then.difference(&of(&known(&[0, 1, 0]))), None);
        assert_eq!(then.difference(&other).unwrap(), "which images are of one patient has changed");
        let unknown = of(&known(&[0, 1, 0]).without_groups());
        assert_eq!(then.difference(&unknown).unwrap(), "which images are of one patient is no longer known");
        assert_eq!(unknown.difference(&then), None, "a run of before goes on as it began");
        assert!(!unknown.to_json().contains("groups"), "and what it keeps has the form that it had");
    }

    #[test]
    fn deeper_images_are_others_and_bytes_are_written_as_ever() {
        let deep = |white| {
            let train = DeepImages { shape: [1, 1, 2], pixels: vec![1, 2], white, labels: vec![0] };
            Dataset::new("x", "", None, [train.clone().into(), images(&[], &[]).into(), train.into()]).unwrap()
        };
        let [twelve, sixteen] = [4095, 65535].map(|white| Catalogue::of(&deep(white)).unwrap());
        assert_eq!((twelve.white, sixteen.white), (Some(4095), Some(65535)));
        assert_eq!(twelve.difference(&sixteen).unwrap(), "pixels went up to 4095 and go up to 65535");
        assert!(!Catalogue::of(&set(three())).unwrap().to_json().contains("white"));
    }

    #[test]
    fn it_is_read_as_it_was_written_and_a_later_form_is_refused() {
        let all = Catalogue::of(&set(three())).unwrap();
        assert_eq!((all.train.images, all.train.class_counts.as_slice(), all.test.images), (3, [1, 2].as_slice(), 2));
        assert_eq!(Catalogue::from_json(&all.to_json()).as_ref(), Ok(&all));
        assert!(Catalogue::from_json(&all.to_json()[..40]).unwrap_err().starts_with("damaged: "));
        let later = Catalogue { schema: 2, ..all }.to_json();
        assert_eq!(
            Catalogue::from_json(&later).unwrap_err(),
            "the list of the data was made by a newer version: form 2, this one reads 1"
        );
    }

    /// A fingerprint must not change from one build to the next: old runs would be taken for others.
    #[test]
    fn fingerprints_are_those_of_every_build() {
        let part = PartRecord::of(&Part::from(three()), 2).unwrap();
        let hash = |bytes: &[u8]| blake3::hash(bytes);
        let each = [[1, 2], [3, 4], [5, 6]].map(|image| hash(&image));
        let pixels: Vec<u8> = each.iter().flat_map(|digest| *digest.as_bytes()).collect();
        assert_eq!(part.pixels, hash(&pixels).to_hex().to_string());
        assert_eq!(part.labels, hash(&[0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]).to_hex().to_string());
    }
}
