//! What one image of a set is called: nobody's patient is a handwritten digit.

use std::path::Path;

/// What one image of a set is called, and several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// `digit`.
    pub one: &'static str,
    /// `digits`.
    pub many: &'static str,
}

/// Of a set that nothing is known of.
const IMAGE: Noun = Noun { one: "image", many: "images" };

/// What images of sets are whose name has one of these in it. The first that fits counts.
const KNOWN: [(&[&str], Noun); 4] = [
    (&["patient"], Noun::PATIENT),
    (
        &["mias", "ddsm", "inbreast", "mammo", "chest", "pneumonia", "xray", "x-ray", "x_ray", "radiogr"],
        Noun { one: "film", many: "films" },
    ),
    (&["brain", "mri", "organ", "octmnist", "slice", "tomogr"], Noun { one: "slice", many: "slices" }),
    (&["digits", "usps", "svhn"], DIGIT),
];

const DIGIT: Noun = Noun { one: "digit", many: "digits" };

impl Noun {
    /// What images belong to that are of one patient.
    pub const PATIENT: Self = Self { one: "patient", many: "patients" };
    /// What images belong to that belong together for a reason that is not known.
    pub const GROUP: Self = Self { one: "group", many: "groups" };

    /// The noun of a set by its name or its path, as [`load`](super::load) takes them: the last part of a path
    /// says what is in it. Fashion-MNIST's are clothes and MedMNIST's anything, so `mnist` counts alone.
    ///
    /// ```
    /// use cutlayer::data::Noun;
    /// let one = ["mnist", "brainmri", "/data/MIAS/all-mias.npz", "scans.npz"].map(|name| Noun::of(name).one);
    /// assert_eq!(one, ["digit", "slice", "film", "image"]);
    /// ```
    pub fn of(name_or_path: &str) -> Self {
        let stem = Path::new(name_or_path).file_stem();
        let name = stem.map_or_else(String::new, |stem| stem.to_string_lossy().to_lowercase());
        if name == "mnist" {
            return DIGIT;
        }
        let fits = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        KNOWN.iter().find(|(parts, _)| fits(parts)).map_or(IMAGE, |(_, noun)| *noun)
    }

    /// Several, with a capital: `Digits`.
    pub fn title(self) -> String {
        let mut letters = self.many.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// The word for so many: `1 digit`, `8 digits`.
    ///
    /// ```
    /// use cutlayer::data::Noun;
    /// assert_eq!([1, 8].map(|count| Noun::of("mnist").counted(count)), ["1 digit", "8 digits"]);
    /// ```
    pub fn counted(self, count: usize) -> String {
        format!("{count} {}", if count == 1 { self.one } else { self.many })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_said_of_patients_only() {
        let all = [
            ("mnist", "digit"),
            ("./mnist", "digit"),
            ("brainmri", "slice"),
            ("/home/a/patients-2024.npz", "patient"),
            ("/patients/chestmnist.npz", "film"),
            ("pneumoniamnist_64.npz", "film"),
            ("INbreast", "film"),
            ("digital-mammograms", "film"),
            ("organamnist.npz", "slice"),
            ("pathmnist.npz", "image"),
            ("tissuemnist.npz", "image"),
            ("fashion-mnist", "image"),
            ("doctors.npz", "image"),
            ("", "image"),
            ("/", "image"),
        ];
        for (name, one) in all {
            assert_eq!(Noun::of(name).one, one, "{name}");
        }
    }
}
