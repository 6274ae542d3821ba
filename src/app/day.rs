//! What a day's work asks for beside runs: these pinned and annotated, their folders and best epochs looked at, the log
//! searched, an earlier session brought back.

use std::path::PathBuf;

use super::{Activity, Look};

/// Something that the day's work asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum DayAct {
    /// Use the weights of the open run's best epoch, or those of its last.
    Best(bool),
    /// Show a run's folder.
    Folder(PathBuf),
    /// Show the open run's folder.
    ShownFolder,
    /// Keep these notes with a run.
    Note(PathBuf, String),
    /// Pin a run, or not.
    Pin(PathBuf, bool),
    /// Open the log, to look for something in it.
    FindInLog,
    /// Tell when a long run ends, or not.
    Notify(bool),
    /// Bring the session before back.
    BringBack,
    /// Nothing more is to be said of the session that was brought back.
    KeepSession,
}

impl DayAct {
    /// Why it cannot be done now; none where it can.
    pub(super) fn why_not(&self, look: &Look<'_>) -> Option<&'static str> {
        match self {
            Self::Best(true) => match look.best {
                Some(best) => best.why_not,
                None => Some(t!("No trained run is open")),
            },
            Self::ShownFolder if look.state.folder.is_none() => Some(t!("No run is open")),
            Self::BringBack if look.activity != Activity::Idle => Some(t!("Can be done once the run has ended")),
            Self::BringBack if !look.earlier => Some(t!("There is no earlier session")),
            _ => None,
        }
    }
}
