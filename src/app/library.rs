//! The runs that were made, looked through on a thread of their own: a disk may be slow.

use std::path::{Path, PathBuf};
use std::thread::Builder;
use std::time::SystemTime;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use crate::experiment::Experiment;
use crate::run::folder::{CHECKPOINT, EXPERIMENT, SUMMARY, read_text};
use crate::run::record::read_summary;
use crate::run::summary::Summary;

/// A run's folder, as the list has it.
#[derive(Clone, Debug)]
pub struct RunEntry {
    /// Where it is.
    pub path: PathBuf,
    /// Its folder's name.
    pub name: String,
    /// When it was last written to.
    pub changed: SystemTime,
    /// What was run; none where that is damaged.
    pub experiment: Option<Experiment>,
    /// What it came to.
    pub standing: Standing,
}

/// How far a run in a folder is.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Complete.
    Finished(Box<Summary>),
    /// It can be continued.
    Unfinished,
    /// Begun, with nothing to continue from: it would start over.
    Begun,
    /// Something in it cannot be read; in words.
    Damaged(String),
}

/// The list, and the thread that fills it.
#[derive(Default)]
pub struct Library {
    /// The runs, newest first.
    pub runs: Vec<RunEntry>,
    /// Whether it was ever filled.
    pub known: bool,
    coming: Option<Receiver<Vec<RunEntry>>>,
}

impl Library {
    /// Looks through a folder anew; the old list stays until then.
    pub fn refresh(&mut self, folder: PathBuf, ctx: &Context) {
        let (sender, receiver) = bounded(1);
        let ctx = ctx.clone();
        let look = move || {
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(runs_in(&folder));
            ctx.request_repaint();
        };
        // Without a thread the list stays as it is.
        self.coming = Builder::new().name("cutlayer-library".to_owned()).spawn(look).ok().map(|_| receiver);
    }

    /// Takes the new list, if it is there.
    pub fn hear(&mut self) {
        match self.coming.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(runs)) => {
                self.runs = runs;
                self.known = true;
            }
            Some(Err(TryRecvError::Disconnected)) => {}
        }
        self.coming = None;
    }

    /// The run in this folder.
    pub fn find(&self, path: &Path) -> Option<&RunEntry> {
        self.runs.iter().find(|run| run.path == path)
    }
}

/// The runs in a folder, newest first. A damaged one is listed as damaged and hides no other.
pub fn runs_in(folder: &Path) -> Vec<RunEntry> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.join(EXPERIMENT).is_file());
    let mut runs: Vec<RunEntry> = paths.map(entry).collect();
    runs.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| b.name.cmp(&a.name)));
    runs
}

fn entry(path: PathBuf) -> RunEntry {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let newest = [SUMMARY, CHECKPOINT, EXPERIMENT].iter().find_map(|file| path.join(file).metadata().ok());
    let changed = newest.and_then(|file| file.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
    let file = path.join(EXPERIMENT);
    let experiment = read_text(&file).and_then(|text| Experiment::from_toml(&text, &file.display().to_string()));
    let (experiment, standing) = match experiment {
        Err(error) => (None, Standing::Damaged(error.to_string())),
        Ok(experiment) => {
            let standing = if path.join(SUMMARY).exists() {
                read_summary(&path)
                    .map_or_else(|error| Standing::Damaged(error.to_string()), |s| Standing::Finished(Box::new(s)))
            } else if path.join(CHECKPOINT).exists() {
                Standing::Unfinished
            } else {
                Standing::Begun
            };
            (Some(experiment), standing)
        }
    };
    RunEntry { path, name, changed, experiment, standing }
}
