//! The runs that were made, looked through on a thread of their own: a disk may be slow. What was read of a run is
//! kept until one of its files changes, so that looking again is quick however many runs there are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::SystemTime;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use crate::error::{Error, Result};
use crate::experiment::{Experiment, run_title};
use crate::run::attack_records::earlier;
use crate::run::folder::{ATTACKS, CHECKPOINT, EXPERIMENT, NOTES, SUMMARY, experiment_of};
use crate::run::found::is_run;
use crate::run::notes;
use crate::run::recorder::read_summary;
use crate::run::summary::{AttackRecord, Summary};
use crate::sweep::folder::SWEEP;

/// Larger than any experiment, summary or list of attacks that a run writes.
const MOST_BYTES: u64 = 16 << 20;

/// A run's folder, as the list has it.
#[derive(Clone, Debug)]
pub struct RunEntry {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called: what it runs, or the name that somebody gave its folder. No two of a list are called alike.
    pub name: String,
    /// When it was last written to.
    pub changed: SystemTime,
    /// What was run; none where that is damaged.
    pub experiment: Option<Experiment>,
    /// What it came to.
    pub standing: Standing,
    /// Attacks launched at it afterwards.
    pub afterwards: Vec<AttackRecord>,
    /// What somebody wrote about it.
    pub notes: Notes,
}

/// A run's notes, as the list has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The text.
    pub text: String,
    /// Why it cannot be changed, if so.
    pub shut: Option<String>,
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
    /// Whole, but of a newer version or with a part that this program lacks; in words.
    Lacking(String),
    /// Something in it cannot be read; in words.
    Damaged(String),
}

impl RunEntry {
    /// What it came to, if it is complete.
    pub fn summary(&self) -> Option<&Summary> {
        if let Standing::Finished(summary) = &self.standing { Some(summary) } else { None }
    }

    /// Every attack at it: its own, and those launched afterwards.
    pub fn attacks(&self) -> impl Iterator<Item = &AttackRecord> {
        self.summary().into_iter().flat_map(|summary| &summary.attacks).chain(&self.afterwards)
    }
}

/// The list, and the thread that fills it.
#[derive(Default)]
pub struct Library {
    /// The runs, newest first.
    pub runs: Vec<RunEntry>,
    /// Whether it was ever filled.
    pub known: bool,
    /// Why the runs' folder cannot be looked through.
    pub trouble: Option<String>,
    /// Counts the lists that came, so that what is made of one is made once.
    pub generation: u64,
    /// Runs that were opened from elsewhere: they are listed, too.
    pub elsewhere: Vec<PathBuf>,
    coming: Option<Receiver<Found>>,
    /// Asked for while a list was coming, which may have missed what is new.
    again: Option<PathBuf>,
    cache: Arc<Mutex<Cache>>,
}

type Found = Result<Vec<RunEntry>>;

impl Library {
    /// A list to be filled that has runs from elsewhere, too.
    pub fn with(elsewhere: Vec<PathBuf>) -> Self {
        Self { elsewhere, ..Self::default() }
    }

    /// Looks through a folder anew; the old list stays until then.
    pub fn refresh(&mut self, folder: PathBuf, ctx: &Context) {
        if self.coming.is_some() {
            self.again = Some(folder);
            return;
        }
        let (sender, receiver) = bounded(1);
        let (ctx, cache, elsewhere) = (ctx.clone(), self.cache.clone(), self.elsewhere.clone());
        let look = move || {
            let found = cache.lock().unwrap_or_else(PoisonError::into_inner).runs_in(&folder, &elsewhere);
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(found);
            ctx.request_repaint();
        };
        // Without a thread the list stays as it is.
        self.coming = Builder::new().name("cutlayer-library".to_owned()).spawn(look).ok().map(|_| receiver);
    }

    /// Takes the new list, if it is there.
    pub fn hear(&mut self, ctx: &Context) {
        match self.coming.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(found)) => {
                self.trouble = found.as_ref().err().map(ToString::to_string);
                self.runs = found.unwrap_or_default();
                self.known = true;
                self.generation += 1;
            }
            Some(Err(TryRecvError::Disconnected)) => {}
        }
        self.coming = None;
        if let Some(folder) = self.again.take() {
            self.refresh(folder, ctx);
        }
    }

    /// Whether a new list is coming.
    pub fn looking(&self) -> bool {
        self.coming.is_some()
    }

    /// The run in this folder.
    pub fn find(&self, path: &Path) -> Option<&RunEntry> {
        self.runs.iter().find(|run| run.path == path)
    }
}

/// When each of a run's files was written, and its size.
type Stamp = [Option<(SystemTime, u64)>; 5];

/// What was read of each run, and what its files were then.
#[derive(Debug, Default)]
struct Cache {
    known: HashMap<PathBuf, (Stamp, RunEntry)>,
    /// Runs that had to be read, since the start.
    read: usize,
}

impl Cache {
    /// The runs in a folder and those elsewhere, newest first. A damaged one is listed as damaged and hides no other.
    fn runs_in(&mut self, folder: &Path, elsewhere: &[PathBuf]) -> Found {
        let entries = match std::fs::read_dir(folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            entries => Some(entries.map_err(Error::io("look for runs", folder))?),
        };
        // A dot is before the name of a run that is just being made.
        let visible = |path: &PathBuf| !name_of(path).starts_with('.');
        let here = entries.into_iter().flatten().flatten().map(|entry| entry.path()).filter(visible);
        let here = here.flat_map(|path| cells_of(&path).unwrap_or_else(|| vec![path]));
        let others = elsewhere.iter().filter(|path| path.parent() != Some(folder)).cloned();
        let mut known = HashMap::new();
        for path in here.chain(others).filter(|path| is_run(path)) {
            let stamp = stamp_of(&path);
            let before = self.known.remove(&path).filter(|(its, _)| *its == stamp);
            let entry = before.unwrap_or_else(|| {
                self.read += 1;
                (stamp, entry(path.clone(), stamp))
            });
            known.insert(path, entry);
        }
        let mut runs: Vec<RunEntry> = known.values().map(|(_, run)| run.clone()).collect();
        self.known = known;
        runs.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| b.path.cmp(&a.path)));
        tell_apart(&mut runs);
        Ok(runs)
    }
}

/// The runs of a sweep; none of a folder that is no sweep's.
fn cells_of(folder: &Path) -> Option<Vec<PathBuf>> {
    if !folder.join(SWEEP).is_file() {
        return None;
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    Some(entries.filter(|path| !name_of(path).starts_with('.')).collect())
}

/// Runs that are called alike get a number, the older ones the smaller: `quick`, `quick (2)`.
fn tell_apart(runs: &mut [RunEntry]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for run in runs.iter_mut().rev() {
        let count = seen.entry(run.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            run.name = format!("{} ({count})", run.name);
        }
    }
}

fn stamp_of(path: &Path) -> Stamp {
    [SUMMARY, ATTACKS, CHECKPOINT, EXPERIMENT, NOTES].map(|file| {
        let file = path.join(file).metadata().ok()?;
        Some((file.modified().unwrap_or(SystemTime::UNIX_EPOCH), file.len()))
    })
}

/// A folder's name.
pub fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn entry(path: PathBuf, stamp: Stamp) -> RunEntry {
    let mut run = RunEntry {
        name: name_of(&path),
        // Who writes about a run does not change it.
        changed: stamp[..4].iter().flatten().map(|(time, _)| *time).max().unwrap_or(SystemTime::UNIX_EPOCH),
        experiment: None,
        standing: Standing::Begun,
        afterwards: Vec::new(),
        notes: notes_of(&path),
        path,
    };
    if let Err(error) = fill(&mut run, stamp) {
        run.standing = match error {
            Error::Lacking(what) => Standing::Lacking(what),
            damaged => Standing::Damaged(damaged.to_string()),
        };
    }
    run.name = run_title(&run.name, run.experiment.as_ref());
    run
}

fn notes_of(run: &Path) -> Notes {
    match notes::read(run) {
        Ok(text) => Notes { text: text.trim_end_matches('\n').to_owned(), shut: notes::why_not(run) },
        Err(error) => Notes { text: String::new(), shut: Some(error.to_string()) },
    }
}

fn fill(run: &mut RunEntry, [summary, attacks, checkpoint, ..]: Stamp) -> Result<()> {
    readable(&run.path, EXPERIMENT)?;
    run.experiment = Some(experiment_of(&run.path)?);
    if attacks.is_some() {
        readable(&run.path, ATTACKS)?;
        run.afterwards = earlier(&run.path)?;
    }
    if summary.is_some() {
        readable(&run.path, SUMMARY)?;
        run.standing = Standing::Finished(Box::new(read_summary(&run.path)?));
    } else if checkpoint.is_some() {
        run.standing = Standing::Unfinished;
    }
    Ok(())
}

/// Checks that a file is one, and not larger than a run's files are.
fn readable(run: &Path, name: &str) -> Result<()> {
    let file = run.join(name);
    let wrong = match file.metadata() {
        Err(_) => format!("damaged: {name} is missing"),
        Ok(found) if !found.is_file() => format!("damaged: {name} is no file"),
        Ok(found) if found.len() > MOST_BYTES => format!("damaged: {name} is larger than any that a run writes"),
        Ok(_) => return Ok(()),
    };
    Err(Error::input(format!("{wrong}: {}", file.display())))
}

#[cfg(test)]
mod tests;
