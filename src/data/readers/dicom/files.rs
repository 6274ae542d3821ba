//! Which files of a folder are DICOM files, and what folders and a sheet beside them say of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::elements::{is_dicom, unreadable};
use crate::data::reader::has_ending;
use crate::data::{MAX_CLASSES, MAX_IMAGES, about_path};
use crate::error::{Error, Result};

/// Folders within folders that are looked into.
const DEEPEST: usize = 16;
/// Files that are looked at before a folder is said to have none.
const FIRST: usize = 200;
/// Longest sheet that is read, in bytes.
const MAX_SHEET: u64 = 1 << 26;
/// Endings of files that ought to be DICOM.
pub const ENDINGS: [&str; 3] = ["dcm", "dicom", "ima"];
/// What folders and sheets call the parts of a set.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test", "testing"]];

/// Whether a file begins as DICOM does.
pub fn is_dicom_file(path: &Path) -> bool {
    let start = || {
        let mut start = Vec::new();
        File::open(path).ok()?.take(132).read_to_end(&mut start).ok()?;
        Some(start)
    };
    // A pipe would wait for ever.
    path.is_file() && start().is_some_and(|start| is_dicom(&start))
}

/// Whether a file is the index of others.
pub fn is_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"))
}

/// Whether there is a DICOM file among the first of a folder.
pub fn has_dicom(folder: &Path) -> bool {
    let (mut left, mut found) = (FIRST, false);
    // What cannot be looked into has none.
    let _ = walk(folder, DEEPEST, &mut |path| {
        found = !is_index(path) && is_dicom_file(path);
        left -= 1;
        left > 0 && !found
    });
    found
}

/// The files of a folder that are DICOM by how they begin or by their name, in the order of their paths.
pub fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    walk(folder, DEEPEST, &mut |path| {
        let named = || ENDINGS.iter().any(|ending| has_ending(path, ending));
        if !is_index(path) && (is_dicom_file(path) || named()) {
            all.push(path.to_owned());
        }
        all.len() as u64 <= MAX_IMAGES
    })?;
    if all.len() as u64 > MAX_IMAGES {
        return Err(about_path(&format!("this folder has more than {MAX_IMAGES} DICOM files"), folder));
    }
    Ok(all)
}

/// Visits the files below a folder, in the order of their names, until there is no more to see. Folders that are links are
/// left out, so that none leads back.
fn walk(folder: &Path, depth: usize, visit: &mut dyn FnMut(&Path) -> bool) -> Result<bool> {
    let mut inside = Vec::new();
    for entry in folder.read_dir().map_err(Error::io("look into the folder", folder))? {
        let entry = entry.map_err(Error::io("look into the folder", folder))?;
        inside.push((entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir())));
    }
    inside.sort();
    for (path, is_folder) in inside {
        let go_on = if is_folder { depth == 0 || walk(&path, depth - 1, visit)? } else { visit(&path) };
        if !go_on {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is said of a file. It cannot be printed, since it may say whose the file is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its class, by name.
    pub class: String,
    /// Whose it is, as a sheet says. It is never shown.
    pub patient: Option<String>,
    /// 0 for training, 1 for validation, 2 for testing.
    pub part: Option<usize>,
}

/// What a sheet of a folder says of the files that it names, by their paths below the folder; none without a sheet, which
/// is a CSV file with the columns `path` and `label`, and perhaps `patient` and `split`.
///
/// # Errors
/// Returns an error that names the sheet and its line.
pub fn sheet(folder: &Path) -> Result<Option<BTreeMap<PathBuf, Said>>> {
    let mut sheets: Vec<PathBuf> = folder
        .read_dir()
        .map_err(Error::io("look into the folder", folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| has_ending(path, "csv"))
        .collect();
    sheets.sort();
    for path in sheets {
        let said = sheet_rows(&path).map_err(|problem| about_path(&format!("this sheet {problem}"), &path))?;
        if said.is_some() {
            return Ok(said);
        }
    }
    Ok(None)
}

fn sheet_rows(path: &Path) -> Result<Option<BTreeMap<PathBuf, Said>>, String> {
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().is_ok_and(|metadata| metadata.len() > MAX_SHEET) {
        return Err(format!("has more than {MAX_SHEET} bytes"));
    }
    // The library's own messages may hold a row, and a row a name.
    let broken = |line: usize| format!("is damaged in line {line}");
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(file.take(MAX_SHEET));
    let heads = reader.byte_headers().map_err(|_| broken(1))?.clone();
    let column = |name: &str| {
        let plain =
            |head: &[u8]| head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).eq_ignore_ascii_case(name.as_bytes());
        heads.iter().position(plain)
    };
    let (Some(of_path), Some(of_label)) = (column("path"), column("label")) else { return Ok(None) };
    let (of_patient, of_split) = (column("patient"), column("split"));
    let mut said = BTreeMap::new();
    for (i, row) in reader.byte_records().enumerate() {
        let line = i + 2;
        let row = row.map_err(|_| broken(line))?;
        let cell = |column: usize| String::from_utf8_lossy(row.get(column).unwrap_or_default()).into_owned();
        let part = match of_split.map(cell).filter(|split| !split.is_empty()) {
            Some(split) => {
                let known = format!("has a split in line {line} that is not train, val or test");
                Some(part_of(&split).ok_or(known)?)
            }
            None => None,
        };
        let (name, class) = (cell(of_path), cell(of_label));
        if class.is_empty() {
            return Err(format!("has no label in line {line}"));
        }
        let patient = of_patient.map(cell).filter(|patient| !patient.is_empty());
        // `./a.dcm` is `a.dcm`.
        let name: PathBuf = Path::new(&name).components().filter(|part| *part != Component::CurDir).collect();
        if said.insert(name, Said { class, patient, part }).is_some() {
            return Err(format!("names the file of line {line} twice"));
        }
    }
    Ok(Some(said))
}

/// The part that a folder or a sheet means.
fn part_of(name: &str) -> Option<usize> {
    PARTS.iter().position(|names| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// What the folders that files lie in say of them, given their paths below the set's folder: its first folder is the class,
/// or the second where the first are the parts of a set. None where files lie beside folders, or in one folder.
pub fn by_folders(files: &[&Path]) -> Option<Vec<Said>> {
    let names = |path: &Path| -> Vec<String> {
        let folders = path.parent().into_iter().flat_map(Path::components);
        folders.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let folders: Vec<Vec<String>> = files.iter().map(|path| names(path)).collect();
    let parts: Option<Vec<usize>> = folders.iter().map(|names| part_of(names.first()?)).collect();
    let parts = parts.filter(|parts| [0, 2].iter().all(|part| parts.contains(part)));
    let place = usize::from(parts.is_some());
    let said = |(i, names): (usize, &Vec<String>)| {
        let part = parts.as_ref().map(|parts| parts[i]);
        Some(Said { class: names.get(place)?.clone(), patient: None, part })
    };
    let all: Vec<Said> = folders.iter().enumerate().map(said).collect::<Option<_>>()?;
    let classes: BTreeSet<&str> = all.iter().map(|said| said.class.as_str()).collect();
    (classes.len() > 1).then_some(all)
}

/// The names of classes in their order: numbers by their size, all others by their letters.
///
/// # Errors
/// Tells that there are too many.
pub fn classes<'a>(all: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = all.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
    if names.len() > MAX_CLASSES as usize {
        return Err(format!("has {} classes; at most {MAX_CLASSES} are read", names.len()));
    }
    if names.iter().all(|name| name.parse::<u64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
    }
    Ok(names)
}
