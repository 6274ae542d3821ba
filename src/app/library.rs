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
use crate::run::folder::{ATTACKS, CHECKPOINT, EXPERIMENT, SUMMARY, read_text};
use crate::run::found::is_run;
use crate::run::record::read_summary;
use crate::run::summary::{AttackRecord, Summary};

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
type Stamp = [Option<(SystemTime, u64)>; 4];

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
    [SUMMARY, ATTACKS, CHECKPOINT, EXPERIMENT].map(|file| {
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
        changed: stamp.iter().flatten().map(|(time, _)| *time).max().unwrap_or(SystemTime::UNIX_EPOCH),
        experiment: None,
        standing: Standing::Begun,
        afterwards: Vec::new(),
        path,
    };
    if let Err(error) = fill(&mut run, stamp) {
        run.standing = Standing::Damaged(error.to_string());
    }
    run.name = run_title(&run.name, run.experiment.as_ref());
    run
}

fn fill(run: &mut RunEntry, [summary, attacks, checkpoint, _]: Stamp) -> Result<()> {
    let file = readable(&run.path, EXPERIMENT)?;
    run.experiment = Some(Experiment::from_toml(&read_text(&file)?, &file.display().to_string())?);
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

/// A file that is one, and not larger than a run's files are.
fn readable(run: &Path, name: &str) -> Result<PathBuf> {
    let file = run.join(name);
    let wrong = match file.metadata() {
        Err(_) => format!("damaged: {name} is missing"),
        Ok(found) if !found.is_file() => format!("damaged: {name} is no file"),
        Ok(found) if found.len() > MOST_BYTES => format!("damaged: {name} is larger than any that a run writes"),
        Ok(_) => return Ok(file),
    };
    Err(Error::input(format!("{wrong}: {}", file.display())))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;
    use crate::app::panes::runs::samples;
    use crate::experiment::fixture::{DEFENDED, GAMMA};
    use crate::run::files::Writer;

    fn write(path: PathBuf, text: &str, age: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Writer::default().write(&path, text.as_bytes()).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age);
        File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    }

    /// Runs of every standing; the later in the alphabet, the older.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |run: &str, file: &str| folder.path().join(run).join(file);
        let toml = Experiment::preset("quick").unwrap().to_toml();
        for (i, run) in ["a-finished", "b-unfinished", "c-begun", "d-damaged", "e-lost", "f-empty"].iter().enumerate() {
            write(at(run, EXPERIMENT), if i == 5 { "seed = [" } else { &toml }, 1000 * (1 + i as u64));
        }
        let summary = serde_json::to_string(&samples::summary()).unwrap();
        write(at("a-finished", SUMMARY), &summary, 900);
        write(at("b-unfinished", CHECKPOINT), "anything", 1900);
        write(at("d-damaged", SUMMARY), &summary[..summary.len() / 2], 3900);
        write(at("e-lost", SUMMARY), &summary, 4900);
        fs::remove_file(at("e-lost", EXPERIMENT)).unwrap();
        write(at(".new.new-1", EXPERIMENT), &toml, 1);
        write(at("no-run", "notes.txt"), "", 1);
        write(folder.path().join("file.txt"), "", 1);
        folder
    }

    #[test]
    fn every_standing_is_listed_and_the_damaged_hide_no_other() {
        let folder = folder();
        let runs = Cache::default().runs_in(folder.path(), &[]).unwrap();
        let standing = |run: &RunEntry| match &run.standing {
            Standing::Finished(summary) => format!("finished, {} rows", summary.rows.len()),
            Standing::Unfinished => "unfinished".to_owned(),
            Standing::Begun => "begun".to_owned(),
            Standing::Damaged(text) => text.clone(),
        };
        let listed: Vec<(&str, String)> = runs.iter().map(|run| (run.name.as_str(), standing(run))).collect();
        let names: Vec<&str> = listed.iter().map(|run| run.0).collect();
        assert_eq!(names, ["a-finished", "b-unfinished", "c-begun", "d-damaged", "e-lost", "f-empty"]);
        assert_eq!([&listed[0].1, &listed[1].1, &listed[2].1], ["finished, 3 rows", "unfinished", "begun"]);
        assert!(listed[3].1.starts_with("damaged: ") && listed[3].1.ends_with(SUMMARY), "{}", listed[3].1);
        assert!(listed[4].1.starts_with("damaged: experiment.toml is missing"), "{}", listed[4].1);
        assert!(listed[5].1.starts_with("broken TOML"), "{}", listed[5].1);
        assert!(runs[3].experiment.is_some(), "what was run can still be told");
    }

    #[test]
    fn runs_are_called_by_what_they_run_and_none_like_another() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut experiment = Experiment::preset("quick").unwrap();
        let put = |at: &Path, name: &str, experiment: &Experiment, age| {
            write(at.join(name).join(EXPERIMENT), &experiment.to_toml(), age);
        };
        put(folder.path(), "20261124T121916Z-quick-0", &experiment, 50);
        put(folder.path(), "20261124T121917Z-quick-0", &experiment, 40);
        experiment.set(&format!("{GAMMA}=0.2")).unwrap();
        experiment.set("seed=1").unwrap();
        put(folder.path(), "20261124T121918Z-quick-gamma.2-1", &experiment, 30);
        put(folder.path(), "my best", &experiment, 20);
        put(elsewhere.path(), "old", &experiment, 10);
        let others = [elsewhere.path().join("old"), elsewhere.path().join("gone"), folder.path().join("my best")];
        let runs = Cache::default().runs_in(folder.path(), &others).unwrap();
        let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["old", "my best", "quick γ.2 s1", "quick (2)", "quick"]);
    }

    #[test]
    fn a_run_is_read_again_only_when_it_changed() {
        let folder = folder();
        let mut cache = Cache::default();
        cache.runs_in(folder.path(), &[]).unwrap();
        assert_eq!(cache.read, 6);
        cache.runs_in(folder.path(), &[]).unwrap();
        assert_eq!(cache.read, 6);
        let begun = folder.path().join("c-begun");
        write(begun.join(CHECKPOINT), "anything", 0);
        let runs = cache.runs_in(folder.path(), &[]).unwrap();
        assert_eq!((cache.read, runs[0].name.as_str()), (7, "c-begun"));
        assert!(matches!(runs[0].standing, Standing::Unfinished));
        let attack = serde_json::to_string(&[samples::attack("rmle", true, DEFENDED, 2, 0.9)]).unwrap();
        write(folder.path().join("a-finished").join(ATTACKS), &attack, 0);
        fs::remove_dir_all(begun).unwrap();
        let runs = cache.runs_in(folder.path(), &[]).unwrap();
        assert_eq!((cache.read, runs.len(), cache.known.len()), (8, 5, 5));
        assert_eq!(runs[0].attacks().last().map(|record| record.ssim), Some(0.9));
    }

    #[test]
    fn huge_and_missing_things_are_told_in_words() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Cache::default().runs_in(&folder.path().join("none"), &[]).unwrap().len(), 0);
        write(folder.path().join("x").join(EXPERIMENT), "", 0);
        let file = File::options().write(true).open(folder.path().join("x").join(EXPERIMENT)).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        let runs = Cache::default().runs_in(folder.path(), &[]).unwrap();
        assert!(matches!(&runs[0].standing, Standing::Damaged(text) if text.contains("larger than any")));
        // Where the folder is a file it cannot be looked through.
        let error = Cache::default().runs_in(&folder.path().join("x").join(EXPERIMENT), &[]).unwrap_err().to_string();
        assert!(error.starts_with("could not look for runs"), "{error}");
    }

    #[test]
    fn looking_again_while_looking_looks_once_more() {
        let (folder, ctx) = (folder(), Context::default());
        let mut library = Library::default();
        library.refresh(folder.path().to_owned(), &ctx);
        library.refresh(folder.path().to_owned(), &ctx);
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while library.looking() && std::time::Instant::now() < deadline {
            library.hear(&ctx);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!((library.generation, library.runs.len(), library.known), (2, 6, true));
    }

    /// `cargo test --release -- --ignored --nocapture many_runs` tells how long.
    #[test]
    #[ignore = "measures"]
    fn many_runs_are_looked_through_quickly() {
        let folder = tempfile::tempdir().unwrap();
        let (toml, summary) = (Experiment::preset("quick").unwrap().to_toml(), samples::summary());
        write(folder.path().join("0").join(EXPERIMENT), &toml, 0);
        write(folder.path().join("0").join(SUMMARY), &serde_json::to_string(&summary).unwrap(), 0);
        for i in 1..500 {
            let run = folder.path().join(i.to_string());
            fs::create_dir(&run).unwrap();
            for file in [EXPERIMENT, SUMMARY] {
                fs::copy(folder.path().join("0").join(file), run.join(file)).unwrap();
            }
        }
        let mut cache = Cache::default();
        for _ in 0..3 {
            let begin = std::time::Instant::now();
            assert_eq!(cache.runs_in(folder.path(), &[]).unwrap().len(), 500);
            println!("{:?}, {} read", begin.elapsed(), cache.read);
        }
        assert_eq!(cache.read, 500);
    }
}
