//! The recorder: what of a run's stream goes to disk, and how.
//!
//! It works on the worker's side, so that no slow window can keep a run from being recorded.

use std::sync::Arc;

use super::checkpoint::{Checkpoint, Times};
use super::event::Event;
use super::files::Writer;
use super::folder::{CHECKPOINT, DATA, METRICS, RunFolder, SUMMARY, TIMES, read_text};
use super::summary::{MetricRow, Summary};
use crate::data::Catalogue;
use crate::error::{Error, Result};

/// Reads the stream and writes the run's files.
#[derive(Debug)]
pub struct Recorder {
    folder: RunFolder,
    writer: Arc<Writer>,
    rows: Vec<MetricRow>,
}

impl Recorder {
    /// A recorder for a run's folder.
    pub fn new(folder: RunFolder, writer: Arc<Writer>) -> Self {
        Self { folder, writer, rows: Vec::new() }
    }

    /// The same with the rows of an earlier session.
    #[must_use]
    pub fn with_rows(self, rows: Vec<MetricRow>) -> Self {
        Self { rows, ..self }
    }

    /// The run's folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Takes what is its own from the stream.
    pub fn read(&mut self, event: &Event) {
        if let Event::Steps(rows) = event {
            self.rows.extend(rows.iter().cloned());
        }
    }

    /// Writes metrics, times and checkpoint, in this order: a checkpoint never counts rows that are not there.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&self, checkpoint: &Checkpoint, times: &Times, experiment_hash: &str) -> Result<()> {
        self.save_metrics()?;
        let times = serde_json::to_vec(times).map_err(|e| Error::Internal(format!("times: {e}")))?;
        self.put(TIMES, &times)?;
        self.put(CHECKPOINT, &checkpoint.to_bytes(experiment_hash)?)
    }

    /// Writes the metric rows alone.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save_metrics(&self) -> Result<()> {
        self.put(METRICS, &metrics_csv(&self.rows)?)
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

/// `metrics.csv`: a heading and one row a step.
///
/// # Errors
/// Where there is no memory left.
pub fn metrics_csv(rows: &[MetricRow]) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::Internal(format!("metrics: {e}"));
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let heading = "epoch,step,loss_a,loss_r,loss_f,acc_a,acc_r,acc_f,acc_fused,acc_vanilla";
    csv.write_record(heading.split(',')).map_err(|e| wrong(&e))?;
    for row in rows {
        csv.serialize(row).map_err(|e| wrong(&e))?;
    }
    csv.into_inner().map_err(|e| wrong(&e))
}

/// The first `count` rows of a run's `metrics.csv`.
///
/// # Errors
/// Where there are fewer, or the file is damaged.
pub fn read_metrics(folder: &RunFolder, count: usize) -> Result<Vec<MetricRow>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let path = folder.file(METRICS);
    if !path.is_file() {
        return Err(Error::input(format!("damaged: the run has lost its {METRICS}: {}", path.display())));
    }
    let text = read_text(&path)?;
    let rows: Result<Vec<MetricRow>, csv::Error> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().take(count).collect();
    let rows = rows.map_err(|e| Error::input(format!("damaged: {e}: {}", path.display())))?;
    if rows.len() < count {
        let found = rows.len();
        return Err(Error::input(format!("damaged: {found} rows, the checkpoint has {count}: {}", path.display())));
    }
    Ok(rows)
}

/// All rows of a run's `metrics.csv`.
///
/// # Errors
/// Where the file is missing or damaged.
pub fn read_all_metrics(path: &std::path::Path) -> Result<Vec<MetricRow>> {
    let file = path.join(METRICS);
    let text = read_text(&file)?;
    let rows: Result<Vec<MetricRow>, csv::Error> = csv::Reader::from_reader(text.as_bytes()).deserialize().collect();
    rows.map_err(|e| Error::input(format!("damaged: {e}: {}", file.display())))
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
pub fn read_summary(path: &std::path::Path) -> Result<Summary> {
    let file = path.join(SUMMARY);
    if !file.is_file() {
        return Err(Error::input(format!(
            "the run is not finished: it has no {SUMMARY}; go on with `cutlayer run --resume {}`",
            path.display()
        )));
    }
    serde_json::from_str(&read_text(&file)?).map_err(|e| Error::input(format!("damaged: {e}: {}", file.display())))
}
