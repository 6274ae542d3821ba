//! The texts that are copied.

use std::path::Path;

use super::copied::Copied;
use super::words::clock;
use super::{App, State, panes, settings};
use crate::error::{Error, Result};

impl App {
    /// The text to copy.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn copied(&self, what: Copied) -> Result<String> {
        let table = |name: &str| panes::table::text(&self.state, Path::new(name));
        match what {
            Copied::State => self.shared().to_text(),
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
