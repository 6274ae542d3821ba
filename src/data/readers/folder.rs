//! A folder of class folders: each holds the pictures of one class, in folders of its own or not. They may stand in folders
//! for training, validation and testing, as PyTorch's `ImageFolder` is pointed at; otherwise parts are drawn.
//!
//! Classes are in natural order, so that `10` comes after `9`, and so are files. What systems leave in folders is passed
//! over in silence; any other file that is no picture is listed.

mod walk;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::data::decode::{self, is_picture};
use crate::data::pictures::{Decode, Head, Item, Listing, Picture, gather};
use crate::data::reader::{Contents, Findings, Kind, Skipped, Sniff};
use crate::data::{Ask, MAX_CLASSES, Noun, about_path};
use crate::error::{Error, Result};

pub(in crate::data) use walk::natural;
pub(super) use walk::{any, entries, files};

/// Its card.
pub static KIND: Kind = Kind {
    id: "folder",
    title: "a folder of class folders",
    about: "a folder with a folder of pictures for each class",
    endings: &[],
    sniff,
    read,
};

/// What folders of the parts are called.
pub(in crate::data) const PARTS: [&[&str]; 3] =
    [&["train", "training"], &["val", "valid", "validation", "dev"], &["test", "testing"]];

/// The part that a word names, in letters of any size.
pub(in crate::data) fn part_of(word: &str) -> Option<usize> {
    PARTS.iter().position(|words| words.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// A folder is told by a picture, however deep it stands.
fn sniff(path: &Path) -> Sniff {
    if path.is_dir() && any(path, &is_picture) { Sniff::Yes(path.to_owned()) } else { Sniff::No }
}

/// Pictures as files of their own.
pub(super) struct Files<'a> {
    pub paths: Vec<&'a Path>,
    pub reader: &'static str,
}

impl Decode for Files<'_> {
    fn picture(&self, i: usize) -> Result<Picture, String> {
        decode::picture(self.paths[i])
    }

    fn head(&self, i: usize) -> Result<Head, String> {
        decode::head(self.paths[i])
    }

    fn known_as(&self) -> Option<&str> {
        Some(self.reader)
    }
}

/// Gathers the pictures of a listing that stand in files of their own, and says which classes have none.
pub(super) fn gathered(listing: Listing, reader: &'static str, root: &Path, ask: &Ask<'_>) -> Result<Contents> {
    let paths: Vec<PathBuf> = listing.items.iter().map(|item| item.path.clone()).collect();
    let files = Files { paths: paths.iter().map(PathBuf::as_path).collect(), reader };
    gather(listing, files, ask).map_err(|error| match error {
        Error::Input(problem) => about_path(&problem, root),
        other => other,
    })
}

fn read(root: &Path, ask: &Ask<'_>) -> Result<Contents> {
    let listing = listed(root)?;
    gathered(listing, KIND.id, root, ask)
}

/// Lists the pictures of a folder.
fn listed(root: &Path) -> Result<Listing> {
    let mut findings = Findings::default();
    let inside = entries(root)?;
    let sets = parts(&inside)?;
    let mut classes: Vec<(Option<usize>, PathBuf)> = Vec::new();
    if sets.is_empty() {
        classes.extend(inside.iter().filter(|path| path.is_dir()).map(|path| (None, path.clone())));
        strays(&inside, &mut findings);
    } else {
        for path in &inside {
            match sets.iter().find(|(_, folder)| folder == path) {
                Some((part, folder)) => {
                    let inside = entries(folder)?;
                    classes.extend(inside.iter().filter(|path| path.is_dir()).map(|path| (Some(*part), path.clone())));
                    strays(&inside, &mut findings);
                }
                None if path.is_dir() => {
                    let name = name_of(path).to_string_lossy().into_owned();
                    let say = format!("The folder \"{name}\" beside those of training and test images is left out.");
                    findings.warnings.push(say);
                }
                None => strays(std::slice::from_ref(path), &mut findings),
            }
        }
    }
    let mut filled: Vec<(Option<usize>, OsString, Vec<PathBuf>)> = Vec::new();
    for (part, folder) in classes {
        let before = findings.skipped.len();
        let pictures = files(root, &folder, &mut findings.skipped)?;
        let told = findings.skipped[before..].iter().any(|one| one.path == folder);
        if pictures.is_empty() && !told {
            findings.warnings.push(format!("The folder \"{}\" has no pictures.", shown(root, &folder)));
        } else if !pictures.is_empty() {
            filled.push((part, name_of(&folder), pictures));
        }
    }
    let mut names: Vec<OsString> =
        filled.iter().map(|(_, name, _)| name.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    names.sort_by(|a, b| natural(a, b));
    check(&names, &findings.skipped, root)?;
    let label = |name: &OsString| names.iter().position(|known| known == name).unwrap_or_default() as u32;
    let mut items = Vec::new();
    // Part by part and class by class, whatever order the disk has.
    filled.sort_by_key(|(part, name, _)| (*part, label(name)));
    for (part, name, pictures) in filled {
        let label = label(&name);
        items.extend(pictures.into_iter().map(|path| Item { path, label, group: None, part }));
    }
    Ok(Listing { items, classes: Some(distinct(&names)), noun: Noun::PATIENT, findings })
}

/// The folders of the parts among others: there are some where one for training holds class folders.
fn parts(inside: &[PathBuf]) -> Result<Vec<(usize, PathBuf)>> {
    let known: Vec<(usize, PathBuf)> = inside
        .iter()
        .filter(|path| path.is_dir())
        .filter_map(|path| Some((part_of(&name_of(path).to_string_lossy())?, path.clone())))
        .collect();
    let has_classes = |folder: &Path| Ok::<_, Error>(entries(folder)?.iter().any(|path| path.is_dir()));
    for (part, folder) in &known {
        if let Some((_, other)) = known.iter().find(|(also, other)| also == part && other != folder) {
            let [one, two] = [folder, other].map(|path| name_of(path).to_string_lossy().into_owned());
            let of = PARTS[*part][0];
            if has_classes(folder)? || has_classes(other)? {
                let problem =
                    format!("both \"{one}\" and \"{two}\" could be the folder of {of} images: rename one of them");
                return Err(about_path(&problem, folder.parent().unwrap_or(folder)));
            }
        }
    }
    let train = known.iter().find(|(part, _)| *part == 0);
    Ok(if train.map(|(_, folder)| has_classes(folder)).transpose()? == Some(true) { known } else { Vec::new() })
}

/// Pictures that stand beside class folders have no class.
fn strays(inside: &[PathBuf], findings: &mut Findings) {
    let strays = inside.iter().filter(|path| is_picture(path) && !path.is_dir());
    let skipped = |path: &PathBuf| Skipped { path: path.clone(), why: "stands in no class folder".to_owned() };
    findings.skipped.extend(strays.map(skipped));
}

/// A set needs two classes, and not too many.
fn check(names: &[OsString], skipped: &[Skipped], root: &Path) -> Result<()> {
    // It may be why classes are lacking.
    let first = skipped.first().map_or_else(String::new, |one| format!(" ({} {})", shown(root, &one.path), one.why));
    let problem = match names {
        [] => format!(
            "there are no class folders with pictures here{first}: put the pictures of each class into a folder of its \
             own, or add a CSV file with the columns path and label"
        ),
        [one] => format!(
            "all pictures are of one class, \"{}\"{first}: a set needs two at least, each in a folder of its own, or a CSV \
             file with the columns path and label",
            one.to_string_lossy()
        ),
        many if many.len() > MAX_CLASSES as usize => {
            format!("there are {} class folders; at most {MAX_CLASSES} are read", many.len())
        }
        _ => return Ok(()),
    };
    Err(about_path(&problem, root))
}

/// Names as texts, each once: some paths are no text.
fn distinct(names: &[OsString]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let text = name.to_string_lossy().into_owned();
        let numbered = (2..).map(|n| format!("{text} ({n})"));
        let free = std::iter::once(text.clone()).chain(numbered).find(|name| !all.contains(name));
        all.push(free.unwrap_or(text));
    }
    all
}

fn name_of(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}

/// A path inside a folder, to be shown.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

#[cfg(test)]
pub(super) mod tests;
