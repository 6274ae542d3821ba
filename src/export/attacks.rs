//! A run's reconstructions and their scores, as files for other programs.

use std::path::Path;

use super::folder::{check_new_folder, fill_new_folder};
use crate::error::{Error, Result};
use crate::run::attack_files::{KeptFiles, kept_files};
use crate::run::whole_files::Writer;

/// Copies what a run kept of its attacks to a new folder; `what` names the folder in messages. See
/// [`kept`](crate::run::attack_files) for what is in the files.
///
/// # Errors
/// Returns an error if the run kept none, or the folder is not empty or cannot be written.
pub fn export_attacks(run: &Path, what: &str, out: &Path) -> Result<KeptFiles> {
    check_new_folder(what, out)?;
    let kept = kept_files(run)?;
    let writer = Writer::default();
    fill_new_folder(what, out, |folder| {
        for path in &kept.files {
            let name = path.file_name().ok_or_else(|| Error::Internal("a file without a name".into()))?;
            writer.write(&folder.join(name), &std::fs::read(path).map_err(Error::io("read", path))?)?;
        }
        Ok(())
    })?;
    Ok(kept)
}
