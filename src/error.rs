//! The one error type of the library.
//!
//! Each error is shown once, in words a user can act on, with the path last.

pub mod device;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What can go wrong, by what the user can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that was given is wrong: an argument, an experiment, a run folder, a data file.
    /// The text names the file or field, what was found and what is allowed.
    #[error("{0}")]
    Input(String),
    /// Something is whole, but made by a newer version or with a part that this program lacks. The text says which, and
    /// what to do.
    #[error("{0}")]
    Lacking(String),
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
    /// Some of several things failed, and the others are done.
    #[error("{0}")]
    Failed(String),
    /// A Stop was asked for and obeyed.
    #[error("stopped")]
    Stopped,
    /// The device on which the tensors are failed, or ran out of its memory.
    #[error("{0}")]
    Device(Box<device::Failure>),
    /// A tensor operation failed: a defect of the program, or memory.
    #[error("tensor operation failed: {0}")]
    Tensor(#[source] candle_core::Error),
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

    /// A closure for `map_err` where something is opened that was given: what is not there, or may not be read, is wrong
    /// input; all else the disk refused.
    pub fn opening(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename => Self::Input(format!("could not {doing}: {source}: {}", path.display())),
            _ => Self::Io { doing, path, source },
        }
    }

    /// Says what a device was at when it failed, unless that has been said. Other errors stay as they are.
    #[must_use]
    pub fn at(self, work: impl FnOnce() -> device::Load) -> Self {
        match self {
            Self::Device(mut failure) => {
                failure.at = failure.at.or_else(|| Some(work()));
                Self::Device(failure)
            }
            other => other,
        }
    }

    /// The process's exit code: 2 where the input was wrong, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Lacking(_) => 2,
            _ => 1,
        }
    }
}

impl From<candle_core::Error> for Error {
    /// Leaves out the backtrace that candle adds where the environment asks for one: it names files of the machine
    /// that built the program, and would stand in the middle of a sentence.
    fn from(error: candle_core::Error) -> Self {
        let error = without_backtrace(error);
        match device::Failure::told_by(&error.to_string()) {
            Some(failure) => Self::Device(Box::new(failure)),
            None => Self::Tensor(error),
        }
    }
}

pub(crate) fn without_backtrace(error: candle_core::Error) -> candle_core::Error {
    use candle_core::Error as Candle;
    let inner = |inner: Box<Candle>| Box::new(without_backtrace(*inner));
    match error {
        Candle::WithBacktrace { inner, .. } => without_backtrace(*inner),
        Candle::Context { inner: of, context } => Candle::Context { inner: inner(of), context },
        Candle::WithPath { inner: of, path } => Candle::WithPath { inner: inner(of), path },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_and_may_not_be_opened_is_wrong_input() {
        let told = |kind: ErrorKind| Error::opening("open the images", Path::new("x"))(kind.into());
        let refused = told(ErrorKind::PermissionDenied);
        assert_eq!(
            (refused.exit_code(), refused.to_string().as_str()),
            (2, "could not open the images: permission denied: x")
        );
        assert_eq!(told(ErrorKind::StaleNetworkFileHandle).exit_code(), 1);
    }

    #[test]
    fn a_tensor_error_is_told_without_a_backtrace() {
        use candle_core::Error as Candle;
        let traced = |error: Candle| Candle::WithBacktrace {
            inner: Box::new(error),
            backtrace: Box::new(std::backtrace::Backtrace::force_capture()),
        };
        let error = traced(traced(Candle::Msg("shapes differ".to_owned())).context("in a test").with_path("weights"));
        assert!(error.to_string().contains("error.rs"), "there is one to leave out: {error}");
        let told = Error::from(error).to_string();
        assert_eq!(told, "tensor operation failed: path: \"weights\" in a test\nshapes differ");
    }
}
