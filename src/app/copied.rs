//! What can be copied, each by its own words: what buttons beside it do, the menu and the palette do from anywhere.

use super::Look;
use super::ticked::Ticked;

/// A text for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// All that the window shows, as a short text.
    State,
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
    pub const ALL: [Self; 9] = [
        Self::State,
        Self::Toml,
        Self::Command,
        Self::Markdown,
        Self::Csv,
        Self::Latex,
        Self::Comparison,
        Self::Log,
        Self::Path,
    ];

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::State => t!("Copy what is shown"),
            Self::Toml => t!("Copy as TOML"),
            Self::Command => t!("Copy as --set"),
            Self::Markdown => t!("Copy as Markdown"),
            Self::Csv => t!("Copy as CSV"),
            Self::Latex => t!("Copy as LaTeX"),
            Self::Comparison => t!("Copy comparison as Markdown"),
            Self::Log => t!("Copy log"),
            Self::Path => t!("Copy path"),
        }
    }

    /// What is copied, in a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Self::State => {
                t!("Experiment, seed, image or drawing, cut, levers, attacker and workspace as a short text: \
                     whoever pastes it into Cutlayer, or opens it with cutlayer --open, sees the same.")
            }
            Self::Toml => t!("The whole experiment as a text, defaults written out."),
            Self::Command => t!("The command that runs this experiment: a preset, and what differs from it."),
            Self::Markdown => t!("The run's table, for a note."),
            Self::Csv => t!("The run's table, for a spreadsheet."),
            Self::Latex => t!("The run's table, for a paper."),
            Self::Comparison => t!("What differs between the runs that are ticked in Runs."),
            Self::Log => t!("Every line of the log."),
            Self::Path => t!("The folder of the open run."),
        }
    }

    /// Why there is nothing to copy; none where there is.
    pub(super) fn why_not(self, look: &Look<'_>) -> Option<&'static str> {
        let state = look.state;
        match self {
            Self::State | Self::Toml | Self::Command => None,
            Self::Markdown | Self::Csv | Self::Latex => (!state.measured()).then_some(t!("Nothing was measured yet")),
            Self::Comparison => (look.ticked != Ticked::Several).then_some(t!("Tick two finished runs or more first")),
            Self::Log => state.log.is_empty().then_some(t!("Nothing has happened yet")),
            Self::Path => state.folder.is_none().then_some(t!("No run is open")),
        }
    }
}
