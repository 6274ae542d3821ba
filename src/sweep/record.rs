//! What `sweep.json` holds: the cells of a sweep with their experiments, and how far each is.

use serde::{Deserialize, Serialize};

use super::Cell;

/// The form of `sweep.json`.
pub const SCHEMA: u32 = 1;

/// All of `sweep.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Form of this document.
    pub schema: u32,
    /// The program's version.
    pub version: String,
    /// What the file of the sweep is called, without its ending.
    pub name: String,
    /// What it shows, in a line; may be empty.
    #[serde(default)]
    pub title: String,
    /// Its cells, in order.
    pub cells: Vec<Entry>,
}

/// A cell and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What is run.
    #[serde(flatten)]
    pub cell: Cell,
    /// How far it is.
    #[serde(flatten)]
    pub standing: Standing,
}

/// How far a cell is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum Standing {
    /// Its turn has not come, or it was stopped; what it had done is kept.
    #[default]
    Waiting,
    /// Somebody is working on it.
    Running,
    /// It is an ordinary finished run.
    Done {
        /// Seconds that it took, over all sessions.
        seconds: f64,
    },
    /// It ended with an error.
    Failed {
        /// Which.
        error: String,
    },
}

impl Standing {
    /// Whether it is a finished run.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }
}

impl Record {
    /// Cells that are done, that failed, and in all.
    pub fn counts(&self) -> [usize; 3] {
        let failed = self.cells.iter().filter(|entry| matches!(entry.standing, Standing::Failed { .. })).count();
        [self.cells.iter().filter(|entry| entry.standing.is_done()).count(), failed, self.cells.len()]
    }
}
