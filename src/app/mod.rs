//! The window.

use crate::error::{Error, Result};
use crate::experiment::Experiment;

/// Placeholder until the window's files arrive.
///
/// # Errors
/// Always.
pub fn open(_experiment: Experiment) -> Result<()> {
    Err(Error::Internal("the window is not built yet".into()))
}
