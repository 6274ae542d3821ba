//! A CSV file that says which picture is of which class: `path,label[,patient][,split]`, in any order and under names that
//! are usual for them; with commas, semicolons or tabs. Paths are from the folder that it is in.

mod rows;

use std::path::{Path, PathBuf};

use super::folder::gathered;
use crate::data::cache::TABLES;
use crate::data::pictures::Listing;
use crate::data::reader::{Contents, Kind, Sniff, has_ending};
use crate::data::{Ask, about_path};
use crate::error::Result;

pub(in crate::data) use rows::{fits, listed};

/// Its card.
pub static KIND: Kind = Kind {
    id: "csv",
    title: "pictures that a CSV file lists",
    about: "a CSV file of paths and labels, or the folder with it",
    endings: &TABLES,
    sniff,
    read,
};

/// A table is told by its ending, and a folder by one that has the columns that are needed.
fn sniff(path: &Path) -> Sniff {
    if is_table(path) {
        return Sniff::Yes(path.to_owned());
    }
    match fitting(path).as_slice() {
        [] => Sniff::No,
        [one] => Sniff::Yes(one.clone()),
        // It is for this reader to say that one must be chosen.
        _ => Sniff::Yes(path.to_owned()),
    }
}

fn is_table(path: &Path) -> bool {
    TABLES.iter().any(|ending| has_ending(path, ending))
}

/// The tables in a folder that list pictures.
pub(in crate::data) fn fitting(folder: &Path) -> Vec<PathBuf> {
    let inside = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let hidden = |path: &Path| path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b".");
    let mut all: Vec<PathBuf> = inside.filter(|path| !hidden(path) && is_table(path) && fits(path)).collect();
    all.sort();
    all
}

fn read(path: &Path, ask: &Ask<'_>) -> Result<Contents> {
    let found = if path.is_dir() { fitting(path) } else { vec![path.to_owned()] };
    match found.as_slice() {
        [one] => {
            let listing: Listing = listed(one, &ask.wanted.labels)?;
            gathered(listing, KIND.id, one, ask)
        }
        [] => Err(about_path("there is no CSV file with the columns path and label in this folder", path)),
        [one, two, ..] => {
            let [one, two] = [one, two].map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            Err(about_path(&format!("two CSV files here list pictures, {one} and {two}: give one of them"), path))
        }
    }
}

#[cfg(test)]
mod tests;
