//! The names of IDX files: `train-images-idx3-ubyte`, `t10k-labels.idx1-ubyte.gz`, `emnist-letters-test-images-idx3-ubyte`,
//! `qmnist-train-labels-idx2-int`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What the parts (training, validation, test) are called; the first is the usual.
const PARTS: [&[&str]; 3] = [&["train"], &["val", "valid", "validation"], &["t10k", "test", "test10k"]];

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Images,
    Labels,
}

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The set, such as `emnist-letters`; empty where the name begins with the part.
    pub set: String,
    /// 0 for training, 1 for validation, 2 for testing.
    part: usize,
    what: What,
    /// Which of several files of one content comes first: the usual name of the part, and plain before packed.
    rank: (usize, bool),
}

impl Named {
    /// Of a file whose name is one of those that sets have.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let (name, packed) = name.strip_suffix(".gz").map_or((name.as_str(), false), |name| (name, true));
        let at = name.rfind("idx")?;
        let (stem, ending) = name.split_at(at);
        let (stem, what) = [("images", What::Images), ("labels", What::Labels)]
            .into_iter()
            .find_map(|(word, what)| Some((stem.trim_end_matches(['-', '.']).strip_suffix(word)?, what)))?;
        let known: &[&str] = match what {
            What::Images => &["idx3-ubyte"],
            What::Labels => &["idx1-ubyte", "idx2-int"],
        };
        known.contains(&ending).then_some(())?;
        let stem = stem.strip_suffix('-')?;
        let (set, part) = stem.rsplit_once('-').unwrap_or(("", stem));
        let (part, usual) =
            PARTS.iter().enumerate().find_map(|(i, names)| Some((i, names.iter().position(|name| *name == part)?)))?;
        Some(Self { set: set.to_owned(), part, what, rank: (usual, packed) })
    }
}

fn files(folder: &Path) -> impl Iterator<Item = (PathBuf, Named)> {
    let all = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    all.filter_map(|path| Some((path.clone(), Named::of(&path)?))).filter(|(path, _)| path.is_file())
}

/// The sets that a folder has a file of, and whether there are all that training and testing take.
pub(super) fn sets(folder: &Path) -> BTreeMap<String, bool> {
    let mut all = BTreeMap::<String, BTreeSet<(usize, What)>>::new();
    for (_, named) in files(folder) {
        all.entry(named.set).or_default().insert((named.part, named.what));
    }
    let wanted = [0, 2].into_iter().flat_map(|part| [(part, What::Images), (part, What::Labels)]);
    all.into_iter().map(|(set, has)| (set, wanted.clone().all(|one| has.contains(&one)))).collect()
}

/// The file of a part of a set.
pub(super) fn file(folder: &Path, set: &str, part: usize, what: What) -> Option<PathBuf> {
    let fits = files(folder).filter(|(_, named)| named.set == set && (named.part, named.what) == (part, what));
    Some(fits.min_by_key(|(path, named)| (named.rank, path.clone()))?.0)
}

/// What that file is called as a rule.
pub(super) fn usual(set: &str, part: usize, what: What) -> String {
    let of = if set.is_empty() { String::new() } else { format!("{set}-") };
    let name = if part == 2 && !set.is_empty() { "test" } else { PARTS[part][0] };
    let kind = match what {
        What::Images => "images-idx3-ubyte",
        What::Labels => "labels-idx1-ubyte",
    };
    format!("{of}{name}-{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let named =
            |name: &str| Named::of(Path::new(name)).map(|named| (named.set, named.part, named.what, named.rank.1));
        for (name, set, part, what, packed) in [
            ("train-images-idx3-ubyte", "", 0, What::Images, false),
            ("t10k-labels-idx1-ubyte.gz", "", 2, What::Labels, true),
            ("train-images.idx3-ubyte", "", 0, What::Images, false),
            ("T10K-Labels.IDX1-ubyte", "", 2, What::Labels, false),
            ("val-images-idx3-ubyte", "", 1, What::Images, false),
            ("emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters", 2, What::Images, true),
            ("emnist-byclass-train-labels-idx1-ubyte", "emnist-byclass", 0, What::Labels, false),
            ("qmnist-train-labels-idx2-int.gz", "qmnist", 0, What::Labels, true),
        ] {
            assert_eq!(named(name), Some((set.to_owned(), part, what, packed)), "{name}");
        }
        for name in [
            "",
            "idx",
            "images-idx3-ubyte",
            "train-images-idx1-ubyte",
            "train-images.png",
            "train-pictures-idx3-ubyte",
            "some-images-idx3-ubyte",
            "train-images-idx3-ubyte.zip",
            "trainimages-idx3-ubyte",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
