//! The recorder: what of a run's stream goes to disk, and how.
//!
//! It works on the worker's side, so that no slow window can keep a run from being recorded.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::checkpoint::{Checkpoint, Times};
use super::event::Event;
use super::folder::{CHECKPOINT, DATA, METRICS, RunFolder, SUMMARY, TIMES, read_text};
use super::summary::{MetricRow, SCHEMA, Summary};
use super::whole_files::Writer;
use crate::data::Catalogue;
use crate::error::{Error, Result};
use crate::experiment;

/// The first line of `metrics.csv`.
const HEADING: &str = "epoch,step,loss_a,loss_r,loss_f,acc_a,acc_r,acc_f,acc_fused,acc_vanilla";

/// Reads the stream and writes the run's files.
#[derive(Debug)]
pub struct Recorder {
    folder: RunFolder,
    writer: Arc<Writer>,
    /// Rows that are not in the file yet.
    fresh: Vec<MetricRow>,
    /// Bytes of `metrics.csv` that are the run's; there is none yet where they are 0.
    kept: u64,
}

impl Recorder {
    /// A recorder for a run's folder, which begins with an empty `metrics.csv`.
    pub fn new(folder: RunFolder, writer: Arc<Writer>) -> Self {
        Self { folder, writer, fresh: Vec::new(), kept: 0 }
    }

    /// The same for a run that goes on after so many bytes of its `metrics.csv`; what is beyond them is cut off.
    #[must_use]
    pub fn after(self, kept: u64) -> Self {
        Self { kept, ..self }
    }

    /// The run's folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Takes what is its own from the stream.
    pub fn read(&mut self, event: &Event) {
        if let Event::Steps(rows) = event {
            self.fresh.extend(rows.iter().cloned());
        }
    }

    /// Writes metrics, times and checkpoint, in this order: a checkpoint never counts rows that are not there.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&mut self, checkpoint: &Checkpoint, times: &Times, experiment_hash: &str) -> Result<()> {
        self.save_metrics()?;
        let times = serde_json::to_vec(times).map_err(|e| Error::Internal(format!("times: {e}")))?;
        self.put(TIMES, &times)?;
        self.put(CHECKPOINT, &checkpoint.to_bytes(experiment_hash)?)
    }

    /// Adds the metric rows that are new to their file.
    ///
    /// # Errors
    /// Where the disk refuses; the rows are then kept for the next time.
    pub fn save_metrics(&mut self) -> Result<()> {
        let new = self.kept == 0;
        let bytes = metrics_csv(&self.fresh, new)?;
        if new {
            self.put(METRICS, &bytes)?;
        } else {
            self.folder.append(&self.writer, METRICS, self.kept, &bytes)?;
        }
        self.kept += bytes.len() as u64;
        self.fresh.clear();
        Ok(())
    }

    /// Writes the summary.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save_summary(&self, summary: &Summary) -> Result<()> {
        let mut text = serde_json::to_string_pretty(summary).map_err(|e| Error::Internal(format!("summary: {e}")))?;
        text.push('\n');
        self.put(SUMMARY, text.as_bytes())
    }

    /// Writes what the run keeps of its data, once: what it began with is what it is known by.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn keep_data(&self, data: &Catalogue) -> Result<()> {
        if self.folder.file(DATA).is_file() { Ok(()) } else { self.put(DATA, data.to_json().as_bytes()) }
    }

    /// Writes any other file of the run.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.folder.write(&self.writer, name, bytes)
    }
}

/// Rows of `metrics.csv`, one a step, after the heading where that is wanted.
fn metrics_csv(rows: &[MetricRow], heading: bool) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("metrics: {e}"));
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if heading {
        csv.write_record(HEADING.split(',')).map_err(|e| wrong(&e))?;
    }
    for row in rows {
        csv.serialize(row).map_err(|e| wrong(&e))?;
    }
    csv.into_inner().map_err(|e| wrong(&e))
}

/// The first `count` rows of a run's `metrics.csv`, and how many bytes they take together with the heading. What comes
/// after them was written after the checkpoint that counts them, and may be torn.
///
/// # Errors
/// Where there are fewer, or the file is damaged.
pub fn read_metrics(folder: &RunFolder, count: usize) -> Result<(Vec<MetricRow>, u64)> {
    if count == 0 {
        return Ok((Vec::new(), 0));
    }
    let path = folder.file(METRICS);
    if !path.is_file() {
        return Err(Error::input(format!("damaged: the run has lost its {METRICS}: {}", path.display())));
    }
    let mut bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    // The heading is a line too.
    let Some(end) = ends.clone().nth(count) else {
        let found = ends.count().saturating_sub(1);
        return Err(Error::input(format!("damaged: {found} rows, the checkpoint has {count}: {}", path.display())));
    };
    bytes.truncate(end);
    Ok((rows_of(&bytes, &path)?, end as u64))
}

/// All rows of a run's `metrics.csv`. The run may be going, or have been killed: a last line that is torn is left out.
///
/// # Errors
/// Where the file is missing or damaged.
pub fn read_all_metrics(path: &Path) -> Result<Vec<MetricRow>> {
    let file = path.join(METRICS);
    let bytes = std::fs::read(&file).map_err(Error::io("read", &file))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    rows_of(&bytes[..whole], &file)
}

fn rows_of(bytes: &[u8], path: &Path) -> Result<Vec<MetricRow>> {
    let rows: Result<_, csv::Error> = csv::Reader::from_reader(bytes).deserialize().collect();
    rows.map_err(|e| Error::input(format!("damaged: {e}: {}", path.display())))
}

/// Seconds of earlier sessions; zeros where they are unknown, since nothing depends on them.
pub fn read_times(folder: &RunFolder) -> Times {
    let text = read_text(&folder.file(TIMES)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Reads a run's summary.
///
/// # Errors
/// Where there is none yet or it is damaged.
pub fn read_summary(path: &Path) -> Result<Summary> {
    let file = path.join(SUMMARY);
    if !file.is_file() {
        return Err(Error::input(format!(
            "the run is not finished: it has no {SUMMARY}; go on with `cutlayer run --resume {}`",
            path.display()
        )));
    }
    let text = read_text(&file)?;
    let read: std::result::Result<Summary, _> = serde_json::from_str(&text);
    match read {
        Ok(summary) if summary.schema <= SCHEMA => Ok(summary),
        read => Err(match (lacking(&text), read) {
            (Some(what), _) => Error::Lacking(format!("{what}: {}", file.display())),
            (None, Err(e)) => Error::input(format!("damaged: {e}: {}", file.display())),
            (None, Ok(_)) => {
                Error::Lacking(format!("this was made by a newer version of Cutlayer: {}", file.display()))
            }
        }),
    }
}

/// What a summary has that this build lacks, if that is why it cannot be read.
fn lacking(summary: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Run {
        experiment: toml::Table,
    }
    experiment::lacking(&serde_json::from_str::<Run>(summary).ok()?.experiment)
}
