//! Files and folders that are made anew, and never in place of something.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

fn unusable(what: &str, why: &dyn std::fmt::Display, path: &Path) -> Error {
    Error::input(format!("{what} cannot be used: {why}: {}", path.display()))
}

/// Checks that there is no such file yet: none is replaced. `what` names it in messages, here and below.
///
/// # Errors
/// Returns an error if there is.
pub fn check_new_file(what: &str, path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(unusable(what, &"there is something of that name already", path));
    }
    Ok(())
}

/// Checks that a folder is new; an empty one counts as such.
///
/// # Errors
/// Returns an error if it holds anything, or cannot be read.
pub fn check_new_folder(what: &str, path: &Path) -> Result<()> {
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(unusable(what, &"the folder is not empty", path)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(unusable(what, &e, path)),
    }
}

/// Makes a folder that appears with all that belongs in it, or not at all.
///
/// # Errors
/// Returns an error if the folder cannot be made, or `fill` fails.
pub fn fill_new_folder(what: &str, path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let refused = |e: std::io::Error| unusable(what, &e, path);
    let name = path.file_name().ok_or_else(|| unusable(what, &"it names no new folder", path))?;
    let mut draft_name = std::ffi::OsString::from(".");
    draft_name.push(name);
    draft_name.push(format!(".new-{}", std::process::id()));
    let draft = path.with_file_name(draft_name);
    fs::create_dir_all(&draft).map_err(refused)?;
    let filled = fill(&draft).and_then(|()| {
        if path.is_dir() {
            fs::remove_dir(path).map_err(refused)?;
        }
        fs::rename(&draft, path).map_err(refused)
    });
    if filled.is_err() {
        // Best effort: the error that matters is already on its way.
        let _ = fs::remove_dir_all(&draft);
    }
    filled
}
