//! What an error is about: its message goes once that holds no longer.

use super::runner::Runner;
use super::{Act, App};
use crate::error::Error;

/// What an error is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum About {
    /// The shown run: it failed, or could not begin.
    #[default]
    Run,
    /// A change of the experiment that was refused.
    Experiment,
    /// Something that could not be opened.
    Opening,
    /// Something that could not be written.
    Saving,
    /// Work beside the run: renaming, throwing away, exports.
    Chore,
}

impl About {
    /// What is wrong where an act fails.
    pub(super) fn of(act: &Act) -> Self {
        match act {
            Act::ShowRun(_) | Act::Images(..) | Act::NoImages(_) => Self::Opening,
            Act::File(purpose, _) | Act::Ask(purpose) if purpose.reads() => Self::Opening,
            Act::File(..) | Act::Ask(_) => Self::Saving,
            Act::Preset(_)
            | Act::Take(_)
            | Act::Shared(_)
            | Act::Set(..)
            | Act::Cut(_)
            | Act::Undo
            | Act::Redo
            | Act::Defended(_) => Self::Experiment,
            Act::Rename(..) | Act::Trash(_) | Act::Day(_) => Self::Chore,
            _ => Self::Run,
        }
    }

    /// Errors that hold no longer once something of this kind was done.
    fn mends(self) -> &'static [Self] {
        match self {
            Self::Run => &[Self::Run, Self::Experiment, Self::Opening, Self::Saving, Self::Chore],
            // What failed may have failed for a setting; and what is chosen now is another thing.
            Self::Experiment => &[Self::Run, Self::Experiment],
            Self::Opening => &[Self::Run, Self::Experiment, Self::Opening],
            Self::Saving => &[Self::Saving],
            Self::Chore => &[Self::Chore],
        }
    }
}

impl App {
    /// Shows an error until it is closed or holds no longer; the log keeps it.
    pub(super) fn tell_of(&mut self, about: About, error: &Error) {
        let at = self.runner.as_ref().map_or_else(Default::default, Runner::elapsed);
        self.state.say(at, format!("{}{error}", t!("Error: ")));
        self.state.error = Some(error.to_string());
        self.error_about = about;
    }

    /// The same for work beside the run.
    pub(super) fn tell(&mut self, error: &Error) {
        self.tell_of(About::Chore, error);
    }

    /// Something of this kind was done: what was wrong with it before is no longer said.
    pub(super) fn mended(&mut self, about: About) {
        if about.mends().contains(&self.error_about) {
            self.state.error = None;
        }
    }
}
