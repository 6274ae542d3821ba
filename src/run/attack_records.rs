//! The attacks that were launched at a finished run, as its folder has them.

use std::path::Path;

use super::folder::{ATTACKS, read_text};
use super::summary::AttackRecord;
use crate::error::{Error, Result};

/// Attacks launched at a run before.
///
/// # Errors
/// Returns an error if their file is damaged.
pub fn earlier(run: &Path) -> Result<Vec<AttackRecord>> {
    let path = run.join(ATTACKS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&read_text(&path)?).map_err(|e| Error::input(format!("damaged: {e}: {}", path.display())))
}

/// Whether two records are of the same attack at the same model, be it launched twice.
pub fn same_attack(a: &AttackRecord, b: &AttackRecord) -> bool {
    (&a.name, a.adaptive, &a.target, a.epoch) == (&b.name, b.adaptive, &b.target, b.epoch)
}
