//! Cells on a cluster under Slurm: submitted as arrays, watched, submitted again where they were lost or failed, cancelled.
//!
//! The queue itself is the record of what was submitted: jobs are known by their name, which holds a mark of the sweep and the
//! offset of their array. So a sweep that was left, killed or detached is picked up by whoever asks next. Whether a cell is
//! done is told by its folder, never by the scheduler, whose memory is short.

pub mod array;
mod commands;
mod queue;
pub mod script;
mod submitted;

use serde::{Deserialize, Serialize};
use toml::Value;

pub use commands::Slurm;
pub use submitted::{Count, News, Submitted};

use super::unknown;
use crate::error::Error;
use crate::setting::{shorten, shown};

/// What a sweep's jobs ask for: the `[slurm]` of its file, and what is given on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// The partition; none for the cluster's default.
    pub partition: Option<String>,
    /// The time limit of a cell, as `--time` has it: a cell that runs into it is saved and submitted again.
    pub time: Option<String>,
    /// Who pays.
    pub account: Option<String>,
    /// Memory of a cell, as `--mem` has it.
    pub memory: Option<String>,
    /// Processors of a cell, and its threads; one where nothing is said.
    pub cpus: Option<usize>,
    /// Cells at once; none for as many as the cluster lets run.
    pub jobs: Option<usize>,
    /// How often a cell is submitted again that was lost or failed.
    pub retries: Option<usize>,
}

/// Tries of a cell after the first where nothing is said.
const RETRIES: usize = 2;

impl Wishes {
    /// Reads `[slurm]`.
    ///
    /// # Errors
    /// Returns the field, what was found and what is allowed.
    pub(super) fn read(value: Option<Value>) -> Result<Self, String> {
        const KEYS: [&str; 7] = ["partition", "time", "account", "memory", "cpus", "jobs", "retries"];
        let table = match value {
            None => return Ok(Self::default()),
            Some(Value::Table(table)) => table,
            Some(other) => return Err(format!("slurm = {}: allowed is a table [slurm]", shown(&other))),
        };
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("slurm.{}", unknown(key, &KEYS)));
        }
        let text = |key: &str| match table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => {
                check(text).map(|()| Some(text.clone())).map_err(|e| format!("slurm.{key}: {e}"))
            }
            Some(other) => Err(format!("slurm.{key} = {}: allowed is a text in quotes", shown(other))),
        };
        let count = |key: &str, least: usize| match table.get(key) {
            None => Ok(None),
            Some(Value::Integer(n)) if (least as i64..=1000).contains(n) => Ok(Some(*n as usize)),
            Some(other) => {
                Err(format!("slurm.{key} = {}: allowed is a whole number from {least} to 1000", shown(other)))
            }
        };
        Ok(Self {
            partition: text("partition")?,
            time: text("time")?,
            account: text("account")?,
            memory: text("memory")?,
            cpus: count("cpus", 1)?,
            jobs: count("jobs", 1)?,
            retries: count("retries", 0)?,
        })
    }

    /// Checks what was given on the command line.
    ///
    /// # Errors
    /// Returns an error if a wish is no word of a command: it names the option.
    pub fn check(&self) -> crate::error::Result<()> {
        let named = [("partition", &self.partition), ("time", &self.time), ("account", &self.account)];
        named.iter().try_for_each(|(name, value)| {
            let value = value.as_deref().unwrap_or("x");
            check(value).map_err(|allowed| Error::input(format!("--{name} {}: {allowed}", shorten(value))))
        })
    }

    /// These, where they are said, and else those of another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            partition: self.partition.or(other.partition),
            time: self.time.or(other.time),
            account: self.account.or(other.account),
            memory: self.memory.or(other.memory),
            cpus: self.cpus.or(other.cpus),
            jobs: self.jobs.or(other.jobs),
            retries: self.retries.or(other.retries),
        }
    }

    /// How often a cell is submitted at most.
    pub fn tries(&self) -> usize {
        1 + self.retries.unwrap_or(RETRIES)
    }

    /// As options of `sbatch`.
    fn options(&self) -> Vec<String> {
        let named =
            [("partition", &self.partition), ("time", &self.time), ("account", &self.account), ("mem", &self.memory)];
        let mut all: Vec<String> =
            named.iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?))).collect();
        all.push(format!("--cpus-per-task={}", self.cpus.unwrap_or(1)));
        all
    }
}

/// Checks that a wish is one word of a command.
fn check(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.,:@/+".contains(c);
    if (1..=200).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-') {
        Ok(())
    } else {
        Err("allowed are letters, digits and _ - . , : @ / +".to_owned())
    }
}
