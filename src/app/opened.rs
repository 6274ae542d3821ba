//! Runs that were made before: read on a thread of their own, renamed, thrown away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use super::library::name_of;
use super::pictured;
use super::state::State;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, run_title};
use crate::run::attack_records::earlier;
use crate::run::fold::folder_of;
use crate::run::folder::{CHECKPOINT, METRICS, RunFolder, SUMMARY, check_is_run, experiment_of};
use crate::run::identity::kept;
use crate::run::recorder::{read_all_metrics, read_summary};
use crate::run::weights::Weights;
use crate::setting::shorten;

/// A run that was read.
pub struct Opened {
    /// What was run.
    pub experiment: Experiment,
    /// What it came to, as if it had just been watched.
    pub state: State,
    /// Its weights.
    pub weights: Arc<Weights>,
}

/// A run that is being read.
pub struct Opening {
    answer: Receiver<Result<Opened>>,
    /// It belongs to a session that was brought back: experiment and stage stay as they are. Whether the stage is to use
    /// the weights of the run's best epoch.
    pub brought_back: Option<bool>,
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
        Ok(Self { answer, brought_back: None })
    }

    /// The same for a run of a session that is brought back.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn brought_back(path: PathBuf, best: bool, ctx: &Context) -> Result<Self> {
        Ok(Self { brought_back: Some(best), ..Self::start(path, ctx)? })
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
    // Of a run over folds the stage has the first one's models.
    let first = folder_of(path, 1);
    let over_folds = first.is_dir();
    let place = if over_folds { first.as_path() } else { path };
    let (of_place, weights, position) = Weights::of_run(place)?;
    let experiment = if over_folds { experiment_of(path)? } else { of_place };
    let name = run_title(&name_of(path), Some(&experiment));
    let rows = if path.join(METRICS).is_file() { read_all_metrics(path)? } else { Vec::new() };
    let summary = if path.join(SUMMARY).is_file() { Some(read_summary(path)?) } else { None };
    let mut state = State::of_run(&name, path, rows, summary, position, earlier(path)?);
    state.data = kept(place)?.map(Box::new);
    pictured::fill(&mut state, place, &experiment);
    Ok(Opened { experiment, state, weights: Arc::new(weights) })
}

/// Whether a folder holds a run that was not finished.
pub fn can_continue(path: &Path) -> bool {
    let begun = path.join(CHECKPOINT).is_file() || folder_of(path, 1).is_dir();
    check_is_run(path).is_ok() && begun && !path.join(SUMMARY).exists()
}

/// A folder's name without what is around it.
///
/// # Errors
/// Where it can be no folder's name.
pub fn checked_name(name: &str) -> Result<&str> {
    let name = name.trim();
    let wrong = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
    if name.is_empty() || name.starts_with('.') || name.contains(wrong) || name.len() > 200 {
        return Err(Error::input(format!(
            "\"{}\" cannot be a folder's name: 1 to 200 characters, no / \\ : and no dot first",
            shorten(name)
        )));
    }
    Ok(name)
}

/// Gives a run's folder another name; its new path.
///
/// # Errors
/// Where the name is no folder's or is taken, or the run is in use.
pub fn rename(path: &Path, name: &str) -> Result<PathBuf> {
    let target = path.with_file_name(checked_name(name)?);
    if target == path {
        return Ok(target);
    }
    if target.symlink_metadata().is_ok() {
        return Err(Error::input(format!("there is a run of this name already: {}", target.display())));
    }
    // A run at work is not moved from under its worker.
    let held = RunFolder::open(path)?;
    if cfg!(windows) {
        // There a folder cannot be moved while a file in it is open.
        drop(held);
    }
    std::fs::rename(path, &target).map_err(Error::io("rename the run", path))?;
    Ok(target)
}

/// Moves a run to the system's trash.
///
/// # Errors
/// Where it is no run, is in use, or there is no trash.
pub fn trash(path: &Path) -> Result<()> {
    let held = RunFolder::open(path)?;
    if cfg!(windows) {
        drop(held);
    }
    trash::delete(path)
        .map_err(|e| Error::input(format!("the run cannot be moved to the trash: {e}: {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::whole_files::Writer;

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
        for wrong in ["", "  ", "x/y", "..", ".hidden", "a:b", "a\nb", &"x".repeat(201)] {
            assert!(rename(&a, wrong).is_err(), "{wrong}");
        }
        assert_eq!(rename(&a, " c ").unwrap(), folder.path().join("c"));
        assert!(!a.exists() && folder.path().join("c").is_dir());
        assert!(!can_continue(&b) && !can_continue(folder.path()));
    }

    /// What the test below has a child process do.
    #[test]
    #[ignore = "for a process with a home of its own"]
    fn trash_what_the_environment_says() {
        let Some(path) = std::env::var_os("CUTLAYER_TEST_TRASH") else { return };
        println!("answer: {:?}", trash(Path::new(&path)).map_err(|error| error.to_string()));
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn a_run_goes_to_the_trash_and_the_lack_of_one_is_told() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run");
        let toml = Experiment::preset("quick").unwrap().to_toml();
        let held = RunFolder::create(&path, &toml, false, &Writer::default()).unwrap();
        // The environment is a process's own, so it takes another one to change it.
        let child = |data: Option<&Path>| {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child.args(["--ignored", "--nocapture", "trash_what_the_environment_says"]);
            child.env_remove("HOME").env_remove("XDG_DATA_HOME").env("CUTLAYER_TEST_TRASH", &path);
            let output = child.envs(data.map(|data| ("XDG_DATA_HOME", data))).output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let data = home.path().join("data");
        assert!(child(Some(&data)).contains("another process is working in this run"), "it is held");
        drop(held);
        let refused = child(None);
        assert!(refused.contains("the run cannot be moved to the trash: ") && path.is_dir(), "{refused}");
        let done = child(Some(&data));
        assert!(done.contains("answer: Ok(())") && !path.exists(), "{done}");
        assert!(data.join("Trash/files/run/experiment.toml").is_file());
    }
}
