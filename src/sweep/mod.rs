//! Sweeps: many experiments that differ in a few settings, each a run of its own in one folder.
//!
//! A [`file`](mod@file) says from what they begin and along which settings they differ, [`expand`] makes the cells of it and
//! [`name`] calls them by what differs. [`folder`] is where they are: who holds it, which cells are done, which failed, and
//! `sweep.json`. A cell is put to work by [`cell`], in a process of its own: here by [`local`], on a cluster by [`slurm`], or
//! by any scheduler that is given the commands of [`plan`]. [`ahead`] tells how long it still takes.

pub mod ahead;
pub mod call;
pub mod cell;
pub mod expand;
pub mod file;
pub mod folder;
pub mod library;
pub mod local;
pub mod name;
pub mod plan;
pub mod record;
pub mod slurm;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::data::known::known;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, any_schema};
use crate::setting::{near, shorten};

/// What stands for no defence, and for no attack.
pub const NONE: &str = "none";
/// The keys at which a text is a list of names.
const DEFENCE: &str = "defence";
const ATTACK: &str = "attack";

/// The settings in which a cell differs, by the keys that `--set` has. A text at `defence` or `attack` is a list of names.
pub type Assignments = BTreeMap<String, Value>;

/// Cells, and how they are to be run elsewhere.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// What the file is called, without its ending.
    pub name: String,
    /// What it shows, in a line; may be empty.
    pub title: String,
    /// What is run, in order; at least one.
    pub cells: Vec<Cell>,
    /// What its jobs ask a cluster for.
    pub cluster: slurm::Wishes,
}

/// One experiment of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What its folder is called: by what differs.
    pub name: String,
    /// What differs.
    pub set: Assignments,
    /// The cell that is the same without a defence; none for one without a defence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undefended: Option<String>,
    /// All of it.
    #[serde(deserialize_with = "any_schema")]
    pub experiment: Experiment,
}

impl Sweep {
    /// A cell by its name, or by its number from 1.
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        let numbered = || self.cells.get(name.parse::<usize>().ok()?.checked_sub(1)?);
        self.cells.iter().find(|cell| cell.name == name).or_else(numbered)
    }

    /// That the images of these cells are there, so that one thing that lacks is told once.
    ///
    /// # Errors
    /// Returns an error if images that are to be fetched, or a file or folder, are not.
    pub fn check_images(&self, of: impl Fn(&Cell) -> bool) -> Result<()> {
        let names: BTreeSet<&str> =
            self.cells.iter().filter(|cell| of(cell)).map(|cell| cell.experiment.data.name.as_str()).collect();
        for name in names {
            if let Some(set) = known(name) {
                return Err(Error::input(set.wanted()));
            }
            let path = Path::new(name);
            if path.is_absolute() && !path.exists() {
                return Err(Error::input(format!("the images of the sweep (data.path) are not there: {name}")));
            }
        }
        Ok(())
    }
}

/// What is said of a key that there is not.
fn unknown(key: &str, known: &[&str]) -> String {
    let near = near(key, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("{}: no such field; allowed are {}{near}", shorten(key), known.join(", "))
}
