//! Cells at work on this machine: each in a process of its own, so that a defect or a lack of memory takes one cell only.
//!
//! Such a process is this program, asked for one cell. It tells how far it is on its standard output, a line of JSON each, and
//! stops and saves once its standard input ends: so it does when the sweep is stopped, and when its process is killed.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::Sweep;
use super::ahead::{AtWork, seconds_left};
use super::folder::Held;
use super::record::Standing;
use crate::error::{Error, Result};

/// How often a wish to stop is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often `sweep.json` is written at most.
const KEPT_EVERY: Duration = Duration::from_secs(1);
/// Bytes of the end of what a cell said that may say why it ended.
const SAID: usize = 4096;
/// News that wait for the reader at most.
const WAITING: usize = 256;

/// How far a cell is, as its process tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// What is being done.
    pub phase: String,
    /// Units of it that are done.
    pub done: usize,
    /// In all.
    pub total: usize,
    /// Seconds until the cell ends; none while parts of it are not known.
    pub seconds_left: Option<f64>,
}

/// What is told of a sweep at work.
#[derive(Debug)]
pub enum News<'a> {
    /// A cell was put to work.
    Begun(&'a str),
    /// A cell is done, failed, or was stopped.
    Ended(&'a str, &'a Standing),
    /// How far all is.
    Progress(Progress<'a>),
}

/// How far a sweep is.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Cells that are done.
    pub done: usize,
    /// That failed.
    pub failed: usize,
    /// In all.
    pub cells: usize,
    /// At work, and what is told of each.
    pub at_work: Vec<(&'a str, &'a Told)>,
    /// Seconds until all are done; none before that can be told.
    pub seconds_left: Option<f64>,
}

/// Cells at work on this machine.
pub struct Local<'a> {
    /// What is run.
    pub sweep: &'a Sweep,
    /// Where.
    pub held: &'a Held,
    /// This program.
    pub program: PathBuf,
    /// Cells at once, at least one.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
}

/// A cell's process.
struct Job {
    cell: usize,
    child: Child,
    /// Once it is dropped the process saves and leaves.
    input: Option<ChildStdin>,
    /// What it said last on standard error.
    said: JoinHandle<String>,
    since: Instant,
    told: Told,
}

/// A sweep at work, as it is now.
struct Now {
    standings: Vec<Standing>,
    queue: VecDeque<usize>,
    jobs: Vec<Job>,
    /// Seconds of each cell that was done here.
    took: Vec<f64>,
    /// When `sweep.json` was written last, and whether it has changed since.
    kept: Instant,
    changed: bool,
}

/// What a process let know.
enum Word {
    Told(usize, Told),
    /// Its output has ended.
    Over(usize),
}

/// As many cells at once as there are cores, each with its share of them: a run uses several cores less well than several runs
/// do.
pub fn shared_out(cores: usize, cells: usize, jobs: Option<usize>) -> (usize, usize) {
    let jobs = jobs.unwrap_or(cores).clamp(1, cells.max(1));
    (jobs, (cores / jobs).max(1))
}

impl Local<'_> {
    /// Runs the cells that are not done, until all are, or `stop` is set; how far each is then. `sweep.json` is kept up, as
    /// far as the disk lets it: what is done is told by the cells themselves.
    ///
    /// # Errors
    /// Returns an error if `sweep.json` can be written neither before nor after, or no process can be started. What a cell
    /// fails with is no error here.
    pub fn run(&self, stop: &AtomicBool, tell: &mut dyn FnMut(&News<'_>)) -> Result<Vec<Standing>> {
        let mut now = self.standing();
        self.held.keep(self.sweep, &now.standings)?;
        let (sender, words) = bounded(WAITING);
        let mut unstarted = None;
        while !now.jobs.is_empty() || !now.queue.is_empty() {
            if stop.load(Ordering::Relaxed) || unstarted.is_some() {
                now.queue.clear();
                now.jobs.iter_mut().for_each(|job| drop(job.input.take()));
            }
            while now.jobs.len() < self.jobs
                && let Some(cell) = now.queue.pop_front()
            {
                tell(&News::Begun(&self.sweep.cells[cell].name));
                match self.start(cell, &sender) {
                    Ok(job) => now.begun(job),
                    Err(error) => unstarted = Some(error),
                }
            }
            if let Some(job) = now.hear(&words) {
                let (cell, since) = (job.cell, job.since);
                now.standings[cell] = self.ended(job);
                if now.standings[cell].is_done() {
                    now.took.push(since.elapsed().as_secs_f64());
                }
                tell(&News::Ended(&self.sweep.cells[cell].name, &now.standings[cell]));
            }
            if now.kept.elapsed() > KEPT_EVERY && now.changed {
                now.changed = self.held.keep(self.sweep, &now.standings).is_err();
                now.kept = Instant::now();
            }
            tell(&News::Progress(self.progress(&now)));
        }
        self.held.keep(self.sweep, &now.standings)?;
        unstarted.map_or(Ok(now.standings), Err)
    }

    /// Before anything is at work. What failed, or was left by a killed sweep, is tried again.
    fn standing(&self) -> Now {
        let again = |standing: Standing| if standing.is_done() { standing } else { Standing::Waiting };
        let cells = self.sweep.cells.iter();
        let standings: Vec<Standing> = cells.map(|cell| again(self.held.folder.standing(&cell.name))).collect();
        let queue = (0..standings.len()).filter(|i| !standings[*i].is_done()).collect();
        Now { standings, queue, jobs: Vec::new(), took: Vec::new(), kept: Instant::now(), changed: false }
    }

    /// Starts a cell's process, and listens to it.
    fn start(&self, cell: usize, words: &Sender<Word>) -> Result<Job> {
        let name = &self.sweep.cells[cell].name;
        // It may be killed before it does so itself.
        self.held.folder.forget_failure(name);
        let mut command = Command::new(&self.program);
        command.args(["sweep", "--piped", "--cell", name, "--threads", &self.threads.to_string()]);
        command.arg("--out").arg(self.held.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // An interrupt at the terminal is for the sweep, which lets its cells save.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(Error::io("start a cell", &self.program))?;
        let lost = || Error::Internal("a cell's process has no pipes".to_owned());
        let output = child.stdout.take().ok_or_else(lost)?;
        let errors = child.stderr.take().ok_or_else(lost)?;
        let words = words.clone();
        thread(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if let Ok(told) = serde_json::from_str(&line) {
                    // There is more to come, and nobody must wait for a slow reader.
                    let _ = words.try_send(Word::Told(cell, told));
                }
            }
            let _ = words.send(Word::Over(cell));
        })?;
        let said = thread(move || last(errors))?;
        let input = child.stdin.take();
        Ok(Job { cell, child, input, said, since: Instant::now(), told: Told::default() })
    }

    /// What has become of a cell whose process has closed its output.
    fn ended(&self, mut job: Job) -> Standing {
        let name = &self.sweep.cells[job.cell].name;
        let stopped = job.input.is_none();
        drop(job.input.take());
        let status = job.child.wait();
        let said = job.said.join().unwrap_or_default();
        if let Some(seconds) = self.held.folder.done(name) {
            return Standing::Done { seconds };
        }
        match self.held.folder.failure(name) {
            Some(failure) => Standing::Failed { error: failure.error },
            None if stopped => Standing::Waiting,
            // It had no time to say so itself, or no room on the disk.
            None => Standing::Failed { error: why(&said, status.ok()) },
        }
    }

    fn progress<'s>(&'s self, now: &'s Now) -> Progress<'s> {
        let elapsed = |job: &Job| AtWork { elapsed: job.since.elapsed().as_secs_f64(), left: job.told.seconds_left };
        let at_work: Vec<AtWork> = now.jobs.iter().map(elapsed).collect();
        let all = &now.standings;
        Progress {
            done: all.iter().filter(|standing| standing.is_done()).count(),
            failed: all.iter().filter(|standing| matches!(standing, Standing::Failed { .. })).count(),
            cells: all.len(),
            at_work: now.jobs.iter().map(|job| (self.sweep.cells[job.cell].name.as_str(), &job.told)).collect(),
            seconds_left: seconds_left(&now.took, &at_work, now.queue.len(), self.jobs),
        }
    }
}

impl Now {
    fn begun(&mut self, job: Job) {
        self.standings[job.cell] = Standing::Running;
        self.changed = true;
        self.jobs.push(job);
    }

    /// Hears what processes tell for a while; the one that is over, if one is.
    fn hear(&mut self, words: &Receiver<Word>) -> Option<Job> {
        let at = |jobs: &[Job], cell: usize| jobs.iter().position(|job| job.cell == cell);
        match words.recv_timeout(LOOK).ok()? {
            Word::Told(cell, told) => {
                if let Some(job) = at(&self.jobs, cell) {
                    self.jobs[job].told = told;
                }
                None
            }
            Word::Over(cell) => {
                self.changed = true;
                at(&self.jobs, cell).map(|job| self.jobs.swap_remove(job))
            }
        }
    }
}

fn thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
    let thread = Builder::new().name("cutlayer-cell".to_owned()).spawn(work);
    thread.map_err(|e| Error::Internal(format!("no thread to listen to a cell: {e}")))
}

/// The end of what a process says, once it has said all.
fn last(mut from: impl Read) -> String {
    let (mut kept, mut block) = (Vec::new(), [0; SAID]);
    while let Ok(read) = from.read(&mut block)
        && read > 0
    {
        kept.extend_from_slice(&block[..read]);
        kept.drain(..kept.len().saturating_sub(SAID));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Why a process ended that left no word of it: the last line that it said, and how it ended.
fn why(said: &str, status: Option<ExitStatus>) -> String {
    let line = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.strip_prefix("cutlayer: ").unwrap_or(line);
    match status {
        Some(status) if status.code() == Some(1) && !line.is_empty() => line.to_owned(),
        Some(status) if line.is_empty() => format!("its process ended by itself ({status})"),
        Some(status) => format!("{line} ({status})"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_shared_out_among_cells() {
        assert_eq!(shared_out(2, 12, None), (2, 1));
        assert_eq!(shared_out(8, 3, None), (3, 2), "no more jobs than cells");
        assert_eq!(shared_out(8, 12, Some(2)), (2, 4));
        assert_eq!(shared_out(2, 12, Some(5)), (5, 1));
        assert_eq!(shared_out(4, 0, None), (1, 4));
    }

    #[test]
    fn the_end_of_what_is_said_is_kept() {
        let long = "x".repeat(3 * SAID) + "\ncutlayer: the disk is full\n";
        let said = last(long.as_bytes());
        assert_eq!(said.len(), SAID);
        assert_eq!(why(&said, None), "the disk is full");
    }
}
