//! The one error type of the library.
//!
//! Each error is shown once, in words a user can act on, with the path last.

use std::path::{Path, PathBuf};

/// What can go wrong, by what the user can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that was given is wrong: an argument, an experiment, a run folder, a data file.
    /// The text names the file or field, what was found and what is allowed.
    #[error("{0}")]
    Input(String),
    /// The disk refused.
    #[error("could not {doing}: {source}: {}", path.display())]
    Io {
        /// What was tried, as in "could not …".
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Training or an attack left the finite numbers.
    #[error("{0}")]
    Diverged(String),
    /// A Stop was asked for and obeyed.
    #[error("stopped")]
    Stopped,
    /// A tensor operation failed: a defect of the program, or memory.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A defect of the program.
    #[error("{0}")]
    Internal(String),
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wrong input, with a message that says which and what to do.
    pub fn input(text: impl Into<String>) -> Self {
        Self::Input(text.into())
    }

    /// A closure for `map_err` on file operations: `could not {doing}: …: {path}`.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// The process's exit code: 2 where the input was wrong, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            _ => 1,
        }
    }
}
