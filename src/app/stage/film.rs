//! The film of a reconstruction as a file.

use crate::app::Showing;
use crate::error::{Error, Result};

/// The stolen image as it emerged, beside the patient's, as an animated GIF.
///
/// # Errors
/// Where there is no film.
pub fn gif(_showing: &Showing) -> Result<Vec<u8>> {
    Err(Error::input("no attack has made pictures yet"))
}
