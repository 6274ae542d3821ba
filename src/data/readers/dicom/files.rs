//! Which files of a folder are DICOM files, and what folders or a table beside them say of each.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::elements::is_dicom;
use crate::data::pictures::Item;
use crate::data::reader::Findings;
use crate::data::readers::folder::{any, files, natural, part_of};
use crate::data::readers::sheet::{fitting, listed};
use crate::data::{MAX_CLASSES, about_path};
use crate::error::Result;

/// Endings of files that ought to be DICOM.
pub const ENDINGS: [&str; 3] = ["dcm", "dicom", "ima"];

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

/// Whether a folder has a DICOM file, told by its first files.
pub fn has_dicom(folder: &Path) -> bool {
    any(folder, &|path| !is_index(path) && is_dicom_file(path))
}

/// The files of a folder that are DICOM by how they begin or by their name; folders that cannot be looked into are listed.
pub fn in_folder(folder: &Path, findings: &mut Findings) -> Result<Vec<PathBuf>> {
    // A link to what is not there is to be listed, too.
    let ended = |path: &Path, ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let named = |path: &Path| ENDINGS.iter().any(|ending| ended(path, ending));
    let mut all = files(folder, folder, &mut findings.skipped)?;
    all.retain(|path| !is_index(path) && (is_dicom_file(path) || named(path)));
    Ok(all)
}

/// What is said of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its class.
    pub label: u32,
    /// The number of its patient.
    pub patient: Option<u32>,
    /// 0 for training, 1 for validation, 2 for testing.
    pub part: Option<usize>,
}

/// What is said of files, by their paths.
#[derive(Debug, PartialEq, Eq)]
pub struct Labels {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// What is said of each.
    pub of: BTreeMap<PathBuf, Said>,
}

/// What the table of a folder says, where there is one; `column` is that of the labels, or nothing for the usual one.
///
/// # Errors
/// Returns an error if it is damaged, or if there are two.
pub fn by_table(folder: &Path, column: &str, findings: &mut Findings) -> Result<Option<Labels>> {
    let found = fitting(folder);
    let Some(table) = found.first() else { return Ok(None) };
    if found.len() > 1 {
        return Err(about_path("two CSV files with the columns path and label are here: leave one", folder));
    }
    let listing = listed(table, column)?;
    findings.skipped.extend(listing.findings.skipped);
    let said = |item: Item| (item.path, Said { label: item.label, patient: item.group, part: item.part });
    let classes = listing.classes.unwrap_or_default();
    Ok(Some(Labels { classes, of: listing.items.into_iter().map(said).collect() }))
}

/// What the folders say that files of `root` lie in: its first folder is the class, or the second where the first are the
/// parts of a set. Nothing where files lie beside folders, or all in one.
///
/// # Errors
/// Returns an error if there are too many classes.
pub fn by_folders(root: &Path, files: &[&Path]) -> Result<Option<Labels>> {
    let names = |path: &&Path| -> Vec<String> {
        let folders = path.strip_prefix(root).ok().and_then(Path::parent).into_iter().flat_map(Path::components);
        folders.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let folders: Vec<Vec<String>> = files.iter().map(names).collect();
    let parts: Option<Vec<usize>> = folders.iter().map(|names| part_of(names.first()?)).collect();
    let parts = parts.filter(|parts| [0, 2].iter().all(|part| parts.contains(part)));
    let place = usize::from(parts.is_some());
    let Some(of) = folders.iter().map(|names| names.get(place)).collect::<Option<Vec<&String>>>() else {
        return Ok(None);
    };
    let mut classes: Vec<String> = of.iter().copied().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if classes.len() > MAX_CLASSES as usize {
        let problem = format!("there are {} class folders; at most {MAX_CLASSES} are read", classes.len());
        return Err(about_path(&problem, root));
    }
    classes.sort_by(|a, b| natural(OsStr::new(a), OsStr::new(b)));
    let label = |class: &String| classes.iter().position(|known| known == class).unwrap_or_default() as u32;
    let said = |i: usize| Said { label: label(of[i]), patient: None, part: parts.as_ref().map(|parts| parts[i]) };
    let of = files.iter().enumerate().map(|(i, path)| ((*path).to_owned(), said(i))).collect();
    Ok((classes.len() > 1).then_some(Labels { classes, of }))
}
