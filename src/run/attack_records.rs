//! The attacks that were launched at a finished run, as its folder has them.

use std::path::Path;

use super::folder::{ATTACKS, read_text};
use super::summary::AttackRecord;
use super::whole_files::Writer;
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

/// Keeps the first `n` of them alone.
///
/// # Errors
/// Returns an error if their file is damaged or cannot be written.
pub fn keep_first(run: &Path, n: usize) -> Result<()> {
    let all = earlier(run)?;
    let Some(kept) = all.get(..n).filter(|kept| kept.len() < all.len()) else { return Ok(()) };
    let text = serde_json::to_vec_pretty(kept).map_err(|e| Error::Internal(format!("attacks: {e}")))?;
    Writer::default().write(&run.join(ATTACKS), &text)
}

/// Whether two records are of the same attack at the same model, be it launched twice.
pub fn same_attack(a: &AttackRecord, b: &AttackRecord) -> bool {
    (&a.name, a.adaptive, &a.target, a.epoch) == (&b.name, b.adaptive, &b.target, b.epoch)
}
