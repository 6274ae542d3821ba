//! Cells in Slurm's queue: submitted, watched to their ends, submitted again, cancelled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::array::chunks;
use super::commands::{Slurm, cancel, release, submit};
use super::queue::Job;
use super::{Wishes, script};
use crate::error::{Error, Result};
use crate::sweep::Sweep;
use crate::sweep::call::Call;
use crate::sweep::folder::Held;
use crate::sweep::record::Standing;

/// Between two looks at the queue.
const EVERY: Duration = Duration::from_secs(2);
/// How often a wish to stop is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Looks in a row that must miss a cell before it counts as lost: disks that are shared tell of a new file late.
const MISSED: usize = 3;
/// How long jobs have to save once they were cancelled.
const LEAVING: Duration = Duration::from_mins(1);

/// What is told of cells in the queue.
#[derive(Debug)]
pub enum News<'a> {
    /// An array was submitted, with so many cells.
    Submitted(&'a str, usize),
    /// A cell is done, or has failed for good.
    Ended(&'a str, &'a Standing),
    /// A cell was lost or failed and is submitted again.
    Again(&'a str, &'a str),
    /// How many are where. Told when that changes.
    Count(&'a Count),
    /// The scheduler does not answer, and says why.
    Silent(&'a str),
}

/// How many cells are where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In all.
    pub cells: usize,
    /// Done.
    pub done: usize,
    /// Failed for good.
    pub failed: usize,
    /// At work.
    pub running: usize,
    /// In the queue.
    pub pending: usize,
    /// Why one of those waits, in Slurm's word.
    pub reason: String,
}

/// The cells of a sweep under Slurm.
pub struct Submitted<'a> {
    sweep: &'a Sweep,
    held: &'a Held,
    wishes: &'a Wishes,
    call: Call,
    slurm: Slurm,
    /// What the names of its jobs begin with.
    mark: String,
    standings: Vec<Standing>,
    /// Submissions of each cell so far, by this process.
    tries: Vec<usize>,
    /// Looks in a row that found it nowhere.
    missed: Vec<usize>,
    count: Count,
}

impl<'a> Submitted<'a> {
    /// The cells as they are now. `call` is how a job calls this program.
    ///
    /// # Errors
    /// Returns an error if `sweep.json` cannot be written.
    pub fn new(sweep: &'a Sweep, held: &'a Held, wishes: &'a Wishes, call: Call, slurm: Slurm) -> Result<Self> {
        let cells = &sweep.cells;
        let standings: Vec<Standing> = cells.iter().map(|cell| held.folder.standing(&cell.name)).collect();
        for (cell, standing) in cells.iter().zip(&standings) {
            if matches!(standing, Standing::Failed { .. }) {
                held.folder.forget_failure(&cell.name);
            }
        }
        let standings = standings.into_iter().map(|one| if one.is_done() { one } else { Standing::Waiting });
        let (tries, missed) = (vec![0; cells.len()], vec![MISSED; cells.len()]);
        let standings: Vec<Standing> = standings.collect();
        held.keep(sweep, &standings)?;
        let mark = mark(sweep, &call);
        Ok(Self { sweep, held, wishes, call, slurm, mark, standings, tries, missed, count: Count::default() })
    }

    /// Submits what is neither done nor in the queue.
    ///
    /// # Errors
    /// Returns an error if Slurm refuses: [`Error::Input`] if it says that something asked of it is invalid.
    pub fn submit(&mut self, tell: &mut dyn FnMut(&News<'_>)) -> Result<()> {
        let jobs = self.slurm.jobs(&self.mark)?;
        self.look(&jobs, tell)?;
        self.submit_lost(tell).map_err(|error| match error {
            Error::Failed(why) if why.to_lowercase().contains("invalid") => Error::input(format!("--on slurm: {why}")),
            other => other,
        })
    }

    /// Waits until every cell is done or has failed for good, or `stop` is set, when all its jobs are cancelled; how far each
    /// is then.
    ///
    /// # Errors
    /// Returns an error if Slurm refuses a submission, or `sweep.json` cannot be written. That it does not answer for a while
    /// is no error.
    pub fn wait(mut self, stop: &AtomicBool, tell: &mut dyn FnMut(&News<'_>)) -> Result<Vec<Standing>> {
        let mut silent = false;
        while self.standings.iter().any(|one| matches!(one, Standing::Waiting | Standing::Running)) {
            let due = Instant::now() + EVERY;
            while Instant::now() < due && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK);
            }
            if stop.load(Ordering::Relaxed) {
                self.cancel()?;
                break;
            }
            // A scheduler that was ended loses its memory, and what it does not remember is submitted again.
            let answer = self.slurm.jobs(&self.mark).and_then(|jobs| {
                self.look(&jobs, tell)?;
                self.submit_lost(tell)
            });
            match answer {
                Err(Error::Failed(why)) => {
                    if !std::mem::replace(&mut silent, true) {
                        tell(&News::Silent(&why));
                    }
                }
                answer => {
                    answer?;
                    silent = false;
                }
            }
        }
        self.held.keep(self.sweep, &self.standings)?;
        Ok(self.standings)
    }

    /// Where each cell is, by the queue and by its folder.
    fn look(&mut self, jobs: &[Job], tell: &mut dyn FnMut(&News<'_>)) -> Result<()> {
        let live: BTreeMap<usize, &Job> =
            jobs.iter().filter(|job| job.is_live()).filter_map(|job| Some((self.cell_of(job)?, job))).collect();
        let mut count = Count { cells: self.standings.len(), ..Count::default() };
        let before = self.standings.clone();
        for i in 0..self.standings.len() {
            let name = &self.sweep.cells[i].name;
            if matches!(self.standings[i], Standing::Done { .. } | Standing::Failed { .. }) {
                continue;
            }
            let job = live.get(&i);
            if let Some(seconds) = self.held.folder.done(name) {
                self.standings[i] = Standing::Done { seconds };
            } else if job.is_some() || self.held.folder.is_claimed(name) {
                let waits = job.is_some_and(|job| !job.is_at_work());
                self.standings[i] = if waits { Standing::Waiting } else { Standing::Running };
                self.missed[i] = 0;
                if let Some(job) = job.filter(|_| waits) {
                    count.pending += 1;
                    count.reason.clone_from(&job.reason);
                }
            } else {
                self.standings[i] = Standing::Waiting;
                self.missed[i] += 1;
                self.give_up_on(i);
            }
            if matches!(self.standings[i], Standing::Done { .. } | Standing::Failed { .. }) {
                tell(&News::Ended(name, &self.standings[i]));
            }
        }
        self.clear_up(jobs, tell)?;
        let are = |word: &str| self.standings.iter().filter(|one| one.word() == word).count();
        (count.done, count.failed, count.running) = (are("done"), are("failed"), are("running"));
        if count != self.count {
            tell(&News::Count(&count));
            self.count = count;
        }
        if before == self.standings { Ok(()) } else { self.held.keep(self.sweep, &self.standings) }
    }

    /// Takes jobs out of the queue that nobody needs any more, and releases those that Slurm could not start.
    fn clear_up(&mut self, jobs: &[Job], tell: &mut dyn FnMut(&News<'_>)) -> Result<()> {
        let mut useless = BTreeSet::new();
        for job in jobs.iter().filter(|job| job.is_live()) {
            let Some(i) = self.cell_of(job) else { continue };
            let ended = matches!(self.standings[i], Standing::Done { .. } | Standing::Failed { .. });
            if ended && !job.is_at_work() || job.is_stuck() && self.tries[i] >= self.wishes.tries() {
                useless.insert(job.id());
            } else if job.is_stuck() {
                release(&job.id())?;
                self.tries[i] += 1;
                tell(&News::Again(&self.sweep.cells[i].name, "Slurm could not start its job, and held it"));
            }
        }
        cancel(&useless)
    }

    /// Whether a cell that is nowhere is not to be submitted any more: its request is wrong, or it was tried often enough.
    fn give_up_on(&mut self, i: usize) {
        let failure = self.held.folder.failure(&self.sweep.cells[i].name);
        let wrong = failure.as_ref().is_some_and(|failure| failure.wrong_input);
        let spent = self.missed[i] >= MISSED && self.tries[i] >= self.wishes.tries();
        if wrong || spent {
            let lost = || {
                format!(
                    "its job was lost {} times; what it said is in {}",
                    self.tries[i],
                    self.held.folder.logs().display()
                )
            };
            self.standings[i] = Standing::Failed { error: failure.map_or_else(lost, |failure| failure.error) };
        }
    }

    /// Submits what has been nowhere for long enough.
    fn submit_lost(&mut self, tell: &mut dyn FnMut(&News<'_>)) -> Result<()> {
        let waits = |i: &usize| self.standings[*i] == Standing::Waiting && self.missed[*i] >= MISSED;
        let lost: Vec<usize> = (0..self.standings.len()).filter(waits).collect();
        for &i in lost.iter().filter(|i| self.tries[**i] > 0) {
            let name = &self.sweep.cells[i].name;
            let why = self.held.folder.failure(name).map_or("its job was lost".to_owned(), |failure| failure.error);
            tell(&News::Again(name, &why));
        }
        let logs = self.held.folder.logs();
        std::fs::create_dir_all(&logs).map_err(Error::io("create the folder", &logs))?;
        for chunk in chunks(&lost, self.slurm.max_array_size) {
            let name = format!("{}-{}", self.mark, chunk.offset);
            let options = script::options(&chunk, &name, &logs, self.wishes);
            let number = submit(&options, &script::text(&chunk, &self.call))?;
            tell(&News::Submitted(&number, chunk.indexes.len()));
            for i in chunk.indexes.iter().map(|index| index + chunk.offset) {
                self.tries[i] += 1;
                self.missed[i] = 0;
            }
        }
        Ok(())
    }

    /// Which cell an element of an array is for.
    fn cell_of(&self, job: &Job) -> Option<usize> {
        let offset: usize = job.name.strip_prefix(&self.mark)?.strip_prefix('-')?.parse().ok()?;
        Some(offset + job.index).filter(|cell| *cell < self.standings.len())
    }

    /// Cancels all jobs of the sweep, and waits until they have saved and left.
    fn cancel(&mut self) -> Result<()> {
        let until = Instant::now() + LEAVING;
        loop {
            let jobs = self.slurm.jobs(&self.mark)?;
            let arrays: BTreeSet<String> =
                jobs.iter().filter(|job| job.is_live()).map(|job| job.array.clone()).collect();
            if arrays.is_empty() || Instant::now() > until {
                break;
            }
            cancel(&arrays)?;
            std::thread::sleep(Duration::from_secs(1));
        }
        for (cell, standing) in self.sweep.cells.iter().zip(&mut self.standings) {
            *standing = match self.held.folder.standing(&cell.name) {
                done @ Standing::Done { .. } => done,
                _ => Standing::Waiting,
            };
        }
        Ok(())
    }
}

/// What the names of a sweep's jobs begin with: another for another folder, and for other cells, whose numbers differ.
fn mark(sweep: &Sweep, call: &Call) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(call.out.as_os_str().as_encoded_bytes());
    for cell in &sweep.cells {
        hasher.update(b"\n").update(cell.name.as_bytes());
    }
    format!("cutlayer-{}", &hasher.finalize().to_hex().as_str()[..10])
}
