//! A sweep at work on a thread of its own, and what the window sees of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use crate::app::SweepStart;
use crate::error::{Error, Result};
use crate::run::control::guarded;
use crate::run::folder::new_run_path;
use crate::sweep::Sweep;
use crate::sweep::folder::SweepFolder;
use crate::sweep::local::{Local, News, shared_out};
use crate::sweep::record::Standing;

/// Between two frames that are asked for.
const FRAME: Duration = Duration::from_millis(250);

/// What is seen of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// What it is called; empty where there is none.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its cells and how far each is.
    pub cells: Vec<(String, Standing)>,
    /// What cells at work are at, in words.
    pub at_work: BTreeMap<String, String>,
    /// Seconds until all are done; none before that can be told.
    pub seconds_left: Option<f64>,
}

impl Seen {
    fn of(sweep: &Sweep, folder: &SweepFolder) -> Self {
        let cells = sweep.cells.iter().map(|cell| (cell.name.clone(), folder.standing(&cell.name))).collect();
        Self { name: sweep.name.clone(), folder: folder.path().to_owned(), cells, ..Self::default() }
    }

    fn count(&self, word: &str) -> usize {
        self.cells.iter().filter(|(_, standing)| standing.word() == word).count()
    }

    /// Cells that are done.
    pub fn done(&self) -> usize {
        self.count("done")
    }

    /// Cells that failed.
    pub fn failed(&self) -> usize {
        self.count("failed")
    }

    /// Cells that are done or failed.
    pub fn ended(&self) -> usize {
        self.done() + self.failed()
    }

    /// Whether a cell is at work.
    pub fn is_going(&self) -> bool {
        self.count("running") > 0
    }

    /// How far it is, in a sentence.
    pub fn told(&self) -> String {
        let (name, done, all, failed) = (&self.name, self.done(), self.cells.len(), self.failed());
        if failed > 0 {
            t!("{name}: {done} of {all} cells are done, {failed} failed", name, done, all, failed)
        } else {
            t!("{name}: {done} of {all} cells are done", name, done, all)
        }
    }

    fn hear(&mut self, news: &News<'_>) {
        let mut stand = |name: &str, now: &Standing| {
            if let Some((_, standing)) = self.cells.iter_mut().find(|(own, _)| own == name) {
                standing.clone_from(now);
            }
        };
        match news {
            News::Begun(name) => stand(name, &Standing::Running),
            News::Ended(name, standing) => stand(name, standing),
            News::Progress(progress) => {
                self.seconds_left = progress.seconds_left;
                let one = |(name, told): &(&str, &crate::sweep::local::Told)| {
                    let percent = (told.done * 100).checked_div(told.total);
                    let words = percent.map(|percent| format!("{} {percent} %", told.phase)).unwrap_or_default();
                    ((*name).to_owned(), words)
                };
                self.at_work = progress.at_work.iter().map(one).collect();
            }
        }
    }
}

/// A sweep at work.
pub(super) struct Work {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Work {
    /// Begins a sweep, or goes on with one.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn start(wanted: SweepStart, runs: PathBuf, ctx: &Context) -> Result<Self> {
        let (seen, stop) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let (its_seen, its_stop, ctx) = (seen.clone(), stop.clone(), ctx.clone());
        let work = move || {
            let ended = guarded(|| run(wanted, &runs, &its_seen, &its_stop, &ctx));
            ctx.request_repaint();
            ended
        };
        let thread = Builder::new().name("cutlayer-sweep".to_owned()).spawn(work);
        let thread = thread.map_err(|e| Error::Internal(format!("no thread for the sweep: {e}")))?;
        Ok(Self { seen, stop, thread })
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// What is seen of it in the end.
    pub fn end(self) -> Result<Seen> {
        let seen = self.seen();
        match self.thread.join() {
            Ok(ended) => ended.map(|()| seen),
            Err(_) => Err(Error::Internal("the sweep was lost".to_owned())),
        }
    }

    pub fn leave(self, patience: Duration) {
        self.stop();
        let until = Instant::now() + patience;
        while !self.has_ended() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn run(wanted: SweepStart, runs: &std::path::Path, seen: &Mutex<Seen>, stop: &AtomicBool, ctx: &Context) -> Result<()> {
    let SweepStart { sweep, folder, jobs, images } = wanted;
    let above: Vec<String> = if images.is_empty() { Vec::new() } else { vec![format!("data.path={images}")] };
    let sweep = match (&folder, sweep.trim()) {
        (Some(folder), "") => SweepFolder::new(folder).sweep()?,
        (_, name) => Sweep::load_with(name, &above)?,
    };
    let folder = SweepFolder::new(&folder.unwrap_or_else(|| new_run_path(runs, &sweep.name)));
    let held = folder.hold(&sweep)?;
    *seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::of(&sweep, &held.folder);
    let program =
        std::env::current_exe().map_err(|e| Error::Internal(format!("where this program is cannot be told: {e}")))?;
    let left = sweep.cells.iter().filter(|cell| held.folder.done(&cell.name).is_none()).count();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (jobs, threads) = shared_out(cores, left, (jobs > 0).then_some(jobs));
    let local = Local { sweep: &sweep, held: &held, program, jobs, threads };
    let mut drawn = Instant::now();
    local.run(stop, &mut |news| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).hear(news);
        if drawn.elapsed() > FRAME || matches!(news, News::Ended(..)) {
            drawn = Instant::now();
            ctx.request_repaint();
        }
    })?;
    Ok(())
}

/// A look at a sweep's folder.
pub(super) struct Looking(Receiver<Result<Seen>>);

impl Looking {
    /// Begins to look.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn start(folder: PathBuf, ctx: &Context) -> Result<Self> {
        let (sender, answer) = bounded(1);
        let ctx = ctx.clone();
        let look = move || {
            let folder = SweepFolder::new(&folder);
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(guarded(|| Ok(Seen::of(&folder.sweep()?, &folder))));
            ctx.request_repaint();
        };
        let thread = Builder::new().name("cutlayer-sweep".to_owned()).spawn(look);
        thread.map_err(|e| Error::Internal(format!("no thread to look at the sweep: {e}")))?;
        Ok(Self(answer))
    }

    pub fn answer(&self) -> Option<Result<Seen>> {
        match self.0.try_recv() {
            Ok(seen) => Some(seen),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Error::Internal("the look at the sweep was lost".to_owned()))),
        }
    }
}
