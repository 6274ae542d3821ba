//! Sets that experiments of the program are about and that do not come with it: what they are, where they are to be had, and
//! under which licence.

use std::path::Path;

/// A set that one fetches oneself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What stands in `data.name` until somebody says where it is.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What is in it.
    pub about: &'static str,
    /// The file or folder to look for.
    pub what: &'static str,
    /// Where it is to be had.
    pub from: &'static str,
    /// Its licence, and whom to name.
    pub licence: &'static str,
    /// Whether it is a folder.
    pub folder: bool,
}

/// All of them.
pub const KNOWN: [Known; 3] = [
    Known {
        name: "breastmnist.npz",
        title: "BreastMNIST",
        about: "780 breast ultrasound images, malignant or not",
        what: "the file breastmnist.npz (0.6 MB)",
        from: "https://zenodo.org/records/10519652 (MedMNIST v2)",
        licence: "CC BY 4.0; name Yang et al., Scientific Data 10 (2023), and Al-Dhabyani et al., Data in Brief 28 (2020)",
        folder: false,
    },
    Known {
        name: "pneumoniamnist.npz",
        title: "PneumoniaMNIST",
        about: "5,856 chest X-rays of children, pneumonia or not",
        what: "the file pneumoniamnist.npz (4 MB)",
        from: "https://zenodo.org/records/10519652 (MedMNIST v2)",
        licence: "CC BY 4.0; name Yang et al., Scientific Data 10 (2023), and Kermany et al., Cell 172 (2018)",
        folder: false,
    },
    Known {
        name: "./all-mias",
        title: "mini-MIAS",
        about: "322 mammograms of 161 patients, left and right, with their abnormalities marked",
        what: "the folder with Info.txt and the 322 films (all-mias.tar.gz, unpacked), or the same as an .npz of patches or films",
        from: "http://peipa.essex.ac.uk/info/mias.html",
        licence: "for research only, by its own agreement (Licence.txt); name Suckling et al. (1994)",
        folder: true,
    },
];

/// The set that a `data.name` stands for, while nothing of that name is there.
pub fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|set| set.name == name && !Path::new(name).exists())
}

/// Whether a name is that of a set to be fetched, here or not.
pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|set| set.name == name)
}

/// The classes of a set whose file does not name them, by what the file is called: `breastmnist`, `breastmnist_224`.
pub fn classes_of(file: &str, count: usize) -> Option<Vec<String>> {
    let lower = file.to_lowercase();
    let own = |name: &str| lower.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let (_, names) = CLASSES.iter().find(|(name, names)| own(name) && names.len() == count)?;
    Some(names.map(str::to_owned).into())
}

/// As MedMNIST's own list has them.
const CLASSES: [(&str, [&str; 2]); 2] =
    [("breastmnist", ["malignant", "normal or benign"]), ("pneumoniamnist", ["normal", "pneumonia"])];

impl Known {
    /// What is missing, where it is to be had and what to do then.
    pub fn wanted(&self) -> String {
        format!(
            "{} ({}) does not come with the program: get {} from {}; licence: {}; then set data.path to where it is (on the \
             command line --set data.path=PATH)",
            self.title, self.about, self.what, self.from, self.licence
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_fetched_says_all_that_is_needed() {
        for set in KNOWN {
            assert!(set.name.contains(['/', '.']), "a path, so that a misspelt name is no such set");
            let told = set.wanted();
            assert!(
                told.contains("http") && told.contains("licence: ") && told.contains("--set data.path=PATH"),
                "{told}"
            );
            assert_eq!(known(set.name).map(|set| set.title), Some(set.title));
        }
        assert_eq!(known("mnist"), None);
        assert_eq!(classes_of("BreastMNIST_224", 2).unwrap()[0], "malignant");
        for (file, count) in [("breastmnist", 3), ("breastmnist2", 2), ("mine", 2)] {
            assert_eq!(classes_of(file, count), None, "{file}");
        }
    }
}
