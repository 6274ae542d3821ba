//! Runs that were made before: read on a thread of their own, renamed, thrown away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use super::pictured;
use super::state::State;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::afterwards::earlier;
use crate::run::folder::{CHECKPOINT, METRICS, RunFolder, SUMMARY, check_is_run};
use crate::run::record::{read_all_metrics, read_summary};
use crate::run::weights::Weights;

/// A run that was read.
pub struct Opened {
    /// What was run.
    pub experiment: Experiment,
    /// Its folder's name.
    pub name: String,
    /// What it came to, as if it had just been watched.
    pub state: State,
    /// Its weights.
    pub weights: Arc<Weights>,
}

/// A run that is being read.
pub struct Opening {
    answer: Receiver<Result<Opened>>,
}

impl Opening {
    /// Begins to read the run in a folder.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(path: PathBuf, ctx: &Context) -> Result<Self> {
        let (sender, answer) = bounded(1);
        let ctx = ctx.clone();
        let read = move || {
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(read(&path));
            ctx.request_repaint();
        };
        Builder::new()
            .name("cutlayer-open".to_owned())
            .spawn(read)
            .map_err(|e| Error::Internal(format!("no thread to read the run: {e}")))?;
        Ok(Self { answer })
    }

    /// The run, once it is read.
    pub fn answer(&self) -> Option<Result<Opened>> {
        match self.answer.try_recv() {
            Ok(opened) => Some(opened),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Error::Internal("the run could not be read".to_owned()))),
        }
    }
}

fn read(path: &Path) -> Result<Opened> {
    check_is_run(path)?;
    let (experiment, weights) = Weights::of_run(path)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let rows = if path.join(METRICS).is_file() { read_all_metrics(path)? } else { Vec::new() };
    let summary = if path.join(SUMMARY).is_file() { Some(read_summary(path)?) } else { None };
    let mut state = State::of_run(&name, path, rows, summary, earlier(path)?);
    pictured::fill(&mut state, path, &experiment);
    Ok(Opened { experiment, name, state, weights: Arc::new(weights) })
}

/// Whether a folder holds a run that was not finished.
pub fn can_continue(path: &Path) -> bool {
    check_is_run(path).is_ok() && path.join(CHECKPOINT).is_file() && !path.join(SUMMARY).exists()
}

/// Gives a run's folder another name.
///
/// # Errors
/// Where the name is no folder's or is taken, or the run is in use.
pub fn rename(path: &Path, name: &str) -> Result<()> {
    let name = name.trim();
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) || name.len() > 200 {
        return Err(Error::input(format!(
            "\"{name}\" cannot be a folder's name: 1 to 200 characters, no / \\ : and no dot first"
        )));
    }
    let target = path.with_file_name(name);
    if target == path {
        return Ok(());
    }
    if target.exists() {
        return Err(Error::input(format!("there is a run of this name already: {}", target.display())));
    }
    // A run at work is not moved from under its worker.
    let _held = RunFolder::open(path)?;
    std::fs::rename(path, &target).map_err(Error::io("rename the run", path))
}

/// Moves a run to the system's trash.
///
/// # Errors
/// Where it is no run, is in use, or there is no trash.
pub fn trash(path: &Path) -> Result<()> {
    let _held = RunFolder::open(path)?;
    trash::delete(path)
        .map_err(|e| Error::input(format!("the run cannot be moved to the trash: {e}: {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::files::Writer;

    #[test]
    fn a_run_is_renamed_but_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            let toml = Experiment::preset("quick").unwrap().to_toml();
            drop(RunFolder::create(&path, &toml, false, &Writer::default()).unwrap());
            path
        };
        let (a, b) = (make("a"), make("b"));
        assert!(rename(&a, "b").is_err() && a.exists() && b.exists());
        for wrong in ["", "  ", "x/y", "..", ".hidden", "a:b"] {
            assert!(rename(&a, wrong).is_err(), "{wrong}");
        }
        rename(&a, " c ").unwrap();
        assert!(!a.exists() && folder.path().join("c").is_dir());
        assert!(!can_continue(&b) && !can_continue(folder.path()));
    }
}
