//! The manipulated diagnoses of a finished run, as its folder has them.

use std::path::Path;

use super::folder::{DIAGNOSIS, read_text};
use crate::error::{Error, Result};
use crate::score::diagnosis::DiagnosisRow;

/// Rows of attacks launched at a run before; none where there were none.
///
/// # Errors
/// Returns an error if their file is damaged.
pub fn earlier(run: &Path) -> Result<Vec<DiagnosisRow>> {
    let path = run.join(DIAGNOSIS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&read_text(&path)?).map_err(|e| Error::input(format!("damaged: {e}: {}", path.display())))
}

/// Earlier rows and new ones; an attack that was launched again takes its earlier rows' place.
pub fn merged(earlier: &[DiagnosisRow], new: &[DiagnosisRow]) -> Vec<DiagnosisRow> {
    let kept = earlier.iter().filter(|old| !new.iter().any(|row| row.replaces(old)));
    kept.chain(new).cloned().collect()
}
