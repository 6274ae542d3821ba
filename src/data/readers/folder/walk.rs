//! What is in a folder: in an order that does not depend on the disk, without what systems leave there, and without end
//! where links lead in a circle.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::data::reader::Skipped;
use crate::data::{MAX_IMAGES, about_path};
use crate::error::{Error, Result};

/// Folders within folders that are looked into.
const DEEPEST: usize = 32;
/// Folders that are looked into: of a few, links can make very many.
const MOST_FOLDERS: usize = 100_000;
/// Files and folders that are looked at to tell what a folder is.
const GLANCE: usize = 2000;
/// What systems leave in folders, beside names that begin with a dot.
const LEFT: [&str; 3] = ["__MACOSX", "Thumbs.db", "desktop.ini"];

/// What is in a folder, in natural order.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || Error::opening("look into the folder", folder);
    let mut all = Vec::new();
    for entry in folder.read_dir().map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if !is_left(&path) {
            all.push(path);
        }
        if all.len() as u64 > 2 * MAX_IMAGES {
            return Err(about_path(&format!("this folder has more than {} files", 2 * MAX_IMAGES), folder));
        }
    }
    all.sort_by(|a, b| natural(a.file_name().unwrap_or_default(), b.file_name().unwrap_or_default()));
    Ok(all)
}

/// Whether it is one of those that nobody put there.
fn is_left(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".") || LEFT.iter().any(|left| name.eq_ignore_ascii_case(left))
}

/// All files of a folder in `root` (or of that itself) and of those within it. Folders that cannot be looked into, and links
/// back up, where others' pictures are too, are `skipped`.
pub fn files(root: &Path, folder: &Path, skipped: &mut Vec<Skipped>) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut above: Vec<PathBuf> = (root != folder).then(|| root.canonicalize().ok()).flatten().into_iter().collect();
    add(folder, &mut above, &mut 0, (&mut all, skipped))?;
    Ok(all)
}

/// `above` are the folders that this one is in, as they are called without links.
fn add(
    folder: &Path,
    above: &mut Vec<PathBuf>,
    folders: &mut usize,
    (all, skipped): (&mut Vec<PathBuf>, &mut Vec<Skipped>),
) -> Result<()> {
    let real = match folder.read_dir().and_then(|_| folder.canonicalize()) {
        Ok(real) if above.iter().any(|known| known.starts_with(&real)) => {
            Err("is a link back to a folder that it is in".to_owned())
        }
        other => other.map_err(|error| format!("cannot be looked into ({error})")),
    };
    let real = match real {
        Ok(real) => real,
        Err(why) => {
            skipped.push(Skipped { path: folder.to_owned(), why });
            return Ok(());
        }
    };
    *folders += 1;
    if above.len() == DEEPEST || *folders > MOST_FOLDERS {
        let problem = format!("folders are more than {DEEPEST} deep here, or more than {MOST_FOLDERS}");
        return Err(about_path(&problem, folder));
    }
    above.push(real);
    for path in entries(folder)? {
        if path.is_dir() {
            add(&path, above, folders, (&mut *all, &mut *skipped))?;
        } else {
            all.push(path);
        }
        if all.len() as u64 > MAX_IMAGES {
            return Err(about_path(&format!("this folder has more than {MAX_IMAGES} files"), folder));
        }
    }
    above.pop();
    Ok(())
}

/// Whether some file in a folder, or in those within it, is `wanted`; of many files only the first are looked at.
pub fn any(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> bool {
    fn within(folder: &Path, depth: usize, left: &mut usize, wanted: &dyn Fn(&Path) -> bool) -> bool {
        let Ok(inside) = folder.read_dir() else { return false };
        let mut folders = Vec::new();
        for path in inside.flatten().map(|entry| entry.path()).filter(|path| !is_left(path)) {
            if *left == 0 {
                return false;
            }
            *left -= 1;
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&path) {
                return true;
            }
        }
        depth > 0 && folders.iter().any(|folder| within(folder, depth - 1, left, wanted))
    }
    within(folder, 4, &mut GLANCE.clone(), wanted)
}

/// Compares names as people do: numbers in them by value, and by their bytes where that makes them equal.
pub fn natural(a: &OsStr, b: &OsStr) -> Ordering {
    let (bytes_a, bytes_b) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    let (mut rest_a, mut rest_b) = (bytes_a, bytes_b);
    loop {
        let (Some(first_a), Some(first_b)) = (rest_a.first(), rest_b.first()) else {
            return rest_a.len().cmp(&rest_b.len()).then(bytes_a.cmp(bytes_b));
        };
        let order = if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (number_a, number_b) = (number(&mut rest_a), number(&mut rest_b));
            number_a.len().cmp(&number_b.len()).then(number_a.cmp(number_b))
        } else {
            (rest_a, rest_b) = (&rest_a[1..], &rest_b[1..]);
            first_a.to_ascii_lowercase().cmp(&first_b.to_ascii_lowercase())
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits off the front; without leading zeros their count and they themselves are the order of their values.
fn number<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (digits, after) = rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len()));
    *rest = after;
    &digits[digits.iter().position(|byte| *byte != b'0').unwrap_or(digits.len())..]
}
