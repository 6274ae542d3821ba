//! The program with what is one's own beside what comes with it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use super::tell::tell_of_defects_plainly;
use super::{Cli, tell};
use crate::attack::kind::Kind;
use crate::data::reader;
use crate::error::Error;
use crate::workbench::{self, Own};

/// A whole program, window and command line, that is about to start.
#[derive(Debug, Default)]
#[must_use = "it does nothing before `main`"]
pub struct Program {
    own: Own,
}

/// Begins a program with everything that comes with this one; what is one's own is added to it.
///
/// ```no_run
/// cutlayer::workbench().main();
/// ```
pub fn workbench() -> Program {
    Program::default()
}

impl Program {
    /// Adds an attack.
    pub fn attack(mut self, kind: &'static Kind) -> Self {
        self.own.attacks.push(kind);
        self
    }

    /// Adds a reader of data.
    pub fn reader(mut self, kind: &'static reader::Kind) -> Self {
        self.own.readers.push(kind);
        self
    }

    /// Does what the process was called for; its exit code.
    pub fn main(self) -> ExitCode {
        self.main_with(std::env::args_os())
    }

    /// Does what these arguments ask for. The first of them is the program's name.
    pub fn main_with(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        tell_of_defects_plainly();
        match workbench::plug(&self.own).and_then(|()| Cli::parse_from(arguments).execute()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // A Stop has already said what to do next.
                if !matches!(error, Error::Stopped) {
                    tell(&format!("cutlayer: {error}"));
                }
                ExitCode::from(error.exit_code())
            }
        }
    }
}
