//! What can be copied, each by its own words: what buttons beside it do, the menu and the palette do from anywhere.

use std::path::Path;

use super::words::clock;
use super::{App, Look, State, panes, settings};
use crate::error::{Error, Result};

/// A text for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The experiment as a document.
    Toml,
    /// The experiment as a command.
    Command,
    /// The run's table for a note.
    Markdown,
    /// The run's table for a spreadsheet.
    Csv,
    /// The run's table for a paper.
    Latex,
    /// Two runs beside each other.
    Comparison,
    /// What happened.
    Log,
    /// Where the open run is.
    Path,
}

impl Copied {
    /// All, in their order.
    pub const ALL: [Self; 8] =
        [Self::Toml, Self::Command, Self::Markdown, Self::Csv, Self::Latex, Self::Comparison, Self::Log, Self::Path];

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Toml => "Copy as TOML",
            Self::Command => "Copy as --set",
            Self::Markdown => "Copy as Markdown",
            Self::Csv => "Copy as CSV",
            Self::Latex => "Copy as LaTeX",
            Self::Comparison => "Copy comparison as Markdown",
            Self::Log => "Copy log",
            Self::Path => "Copy path",
        }
    }

    /// What is copied, in a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Self::Toml => "The whole experiment as a text, defaults written out.",
            Self::Command => "The command that runs this experiment: a preset, and what differs from it.",
            Self::Markdown => "The run's table, for a note.",
            Self::Csv => "The run's table, for a spreadsheet.",
            Self::Latex => "The run's table, for a paper.",
            Self::Comparison => "What differs between the two runs that are ticked in Runs.",
            Self::Log => "Every line of the log.",
            Self::Path => "The folder of the open run.",
        }
    }

    /// Why there is nothing to copy; none where there is.
    pub(super) fn why_not(self, look: &Look<'_>) -> Option<&'static str> {
        let state = look.state;
        match self {
            Self::Toml | Self::Command => None,
            Self::Markdown | Self::Csv | Self::Latex => (!state.measured()).then_some("Nothing was measured yet"),
            Self::Comparison => (!look.comparing).then_some("Tick two finished runs first"),
            Self::Log => state.log.is_empty().then_some("Nothing has happened yet"),
            Self::Path => state.folder.is_none().then_some("No run is open"),
        }
    }
}

impl App {
    /// The text to copy.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn copied(&self, what: Copied) -> Result<String> {
        let table = |name: &str| panes::table::text(&self.state, Path::new(name));
        match what {
            Copied::Toml => Ok(self.document.experiment().to_toml()),
            Copied::Command => settings::command_line(self.document.experiment()),
            Copied::Markdown => table("table.md"),
            Copied::Csv => table("table.csv"),
            Copied::Latex => table("table.tex"),
            Copied::Comparison => self.view.runs.compared(&self.library).map(|compared| compared.markdown()),
            Copied::Log => Ok(log(&self.state)),
            Copied::Path => {
                let folder = self.state.folder.as_ref().ok_or_else(|| Error::input("no run is open"))?;
                Ok(folder.display().to_string())
            }
        }
    }
}

/// The log as a text, a line each.
pub fn log(state: &State) -> String {
    let lines: Vec<String> = state
        .log
        .iter()
        .map(|(at, text)| format!("{} {text}", clock(at.as_secs_f64())))
        .chain([String::new()])
        .collect();
    lines.join("\n")
}
