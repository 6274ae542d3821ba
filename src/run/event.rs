//! The one stream of what happens in a run. Window, terminal and recorder read it.
//!
//! No tensor leaves the worker: events carry plain numbers, pictures plain pixels.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::held_out::LiveRow;
use super::scene::{AttackProgress, Gallery, Scene};
use super::summary::{AttackRecord, EpochRow, MetricRow, Summary};
use super::weights::Weights;

/// Something that happened.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "attacks are few: a box would cost more to read than it saves")]
pub enum Event {
    /// The run began, or went on.
    Started {
        /// The run's folder, if it has one.
        folder: Option<PathBuf>,
        /// Whether it goes on from a checkpoint.
        resumed: bool,
    },
    /// What a resumed run had measured before.
    Past(Box<Past>),
    /// How far the present phase is.
    Progress(Progress),
    /// Training steps, in order.
    Steps(Vec<MetricRow>),
    /// Held-out images were asked about while it trains; see [`watch`](super::watch). Only where somebody watches.
    Live(Vec<LiveRow>),
    /// An epoch was tested.
    Epoch(EpochRow),
    /// An attack got on; its picture is in [`Pictures`].
    Reconstruction(AttackProgress),
    /// An attack is finished and scored.
    Attack(AttackRecord),
    /// Its pictures.
    Gallery(Box<Gallery>),
    /// A checkpoint was written.
    Saved,
    /// Something to know that is no error.
    Warning(String),
    /// Something to know that calls for nothing.
    Note(String),
    /// The run goes on to this one of so many folds: what came before is none of its.
    Fold {
        /// Which, from 1.
        fold: usize,
        /// How many there are.
        of: usize,
        /// The folder of the run over all of them.
        run: PathBuf,
    },
    /// The reader was so far behind that this was left out for it.
    Missed(Missed),
    /// The run is complete.
    Done(Box<Summary>),
    /// Attacks launched at a finished run are complete.
    Attacked(Vec<AttackRecord>),
    /// A Stop was obeyed; the run can be resumed.
    Stopped,
    /// The run ended with an error; what was measured is kept.
    Failed(String),
}

/// What a run had measured when it was interrupted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Training steps, in order.
    pub rows: Vec<MetricRow>,
    /// Tests after epochs.
    pub epochs: Vec<EpochRow>,
    /// Finished attacks.
    pub attacks: Vec<AttackRecord>,
}

/// What a reader did not get because it was too far behind. Rows that follow have gaps. All of it is in the run's
/// folder: the rows in `metrics.csv`, the pictures in `images`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Training steps.
    pub rows: usize,
    /// Galleries of finished attacks.
    pub galleries: usize,
}

/// How far the present phase is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done, in words.
    pub phase: String,
    /// Units done and in all.
    pub done: usize,
    /// Units in all.
    pub total: usize,
    /// Seconds until the whole run ends, without the parts of it in `untold`; none before any can be told.
    pub seconds_left: Option<f64>,
    /// Parts to come that nothing is known of yet: an attack of a kind that was not launched, the table.
    pub untold: Vec<String>,
}

impl Progress {
    /// `1:40 left`, or `at least 1:40 left` while parts are untold, in the words of `clock`; empty before that.
    pub fn left(&self, clock: impl Fn(f64) -> String) -> String {
        let least = if self.untold.is_empty() { "" } else { "at least " };
        self.seconds_left.map(|seconds| format!("{least}{} left", clock(seconds))).unwrap_or_default()
    }
}

/// A slot that holds the latest value only: a slow reader misses some, and slows nobody down.
#[derive(Debug)]
pub struct Latest<T> {
    slot: Mutex<(u64, Option<T>)>,
    wanted: AtomicBool,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { slot: Mutex::new((0, None)), wanted: AtomicBool::new(false) }
    }
}

impl<T: Clone> Latest<T> {
    /// Replaces what is there.
    pub fn put(&self, value: T) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = (slot.0 + 1, Some(value));
    }

    /// The latest, where it is newer than number `seen`; with its number.
    pub fn newer_than(&self, seen: u64) -> Option<(u64, T)> {
        self.wanted.store(true, Ordering::Relaxed);
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.0 > seen { slot.1.clone().map(|value| (slot.0, value)) } else { None }
    }

    /// Whether anybody has ever looked: what nobody looks at need not be made.
    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }
}

/// Where the latest scene is.
pub type Pictures = Latest<Scene>;

/// Events a reader may be behind before they are merged.
const CAPACITY: usize = 1024;
/// Training steps that wait for a reader at most, beside those in the channel.
const WAITING_ROWS: usize = 8192;
/// Training steps in one event at most, so that a channel full of them is not large either.
const ROWS_AT_ONCE: usize = 256;
/// Galleries that wait for a reader at most, beside those in the channel.
const WAITING_GALLERIES: usize = 16;

/// Live accuracies that wait for a reader, at most.
const MOST_LIVE: usize = 4096;

/// The worker's end of the stream.
#[derive(Debug)]
pub struct Sink {
    sender: Sender<Event>,
    /// What the reader had no room for yet, in order.
    backlog: VecDeque<Event>,
    /// Of these only the latest is of use: progress, an attack's progress, a checkpoint.
    latest: [Option<Event>; 3],
    /// What had to be left out of the backlog, and has not been told yet.
    missed: Missed,
    /// Large things beside the stream.
    pub slots: Arc<Slots>,
}

/// What is too large for the stream and of use only while it is new.
#[derive(Debug, Default)]
pub struct Slots {
    /// The shown image's way.
    pub pictures: Pictures,
    /// The models' weights, after each epoch.
    pub weights: Latest<Arc<Weights>>,
    watched: AtomicBool,
}

impl Slots {
    /// Asks for accuracies while it trains.
    pub fn watch(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Whether anybody asked for them.
    pub fn watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }
}

/// A stream: the worker's end, the reader's end and the slots beside it.
pub fn stream() -> (Sink, Receiver<Event>, Arc<Slots>) {
    let (sender, receiver) = bounded(CAPACITY);
    let slots = Arc::new(Slots::default());
    (Sink::new(sender, slots.clone()), receiver, slots)
}

impl Sink {
    fn new(sender: Sender<Event>, slots: Arc<Slots>) -> Self {
        Self { sender, backlog: VecDeque::new(), latest: [None, None, None], missed: Missed::default(), slots }
    }

    /// Rows that wait are merged; of more than a reader could ever draw the oldest go.
    fn add_live(&mut self, rows: Vec<LiveRow>) {
        if let Some(Event::Live(waiting)) = self.backlog.back_mut() {
            waiting.extend(rows);
            let over = waiting.len().saturating_sub(MOST_LIVE);
            waiting.drain(..over);
        } else {
            self.backlog.push_back(Event::Live(rows));
        }
    }

    /// Sends an event. Never waits, and never holds more than so much for a reader that is behind: of progress the
    /// latest is kept, training steps are merged and then thinned, the oldest galleries are dropped, and
    /// [`Event::Missed`] tells of that. All else arrives, in order.
    pub fn emit(&mut self, event: Event) {
        match event {
            Event::Progress(_) => self.latest[0] = Some(event),
            Event::Reconstruction(_) => self.latest[1] = Some(event),
            Event::Saved => self.latest[2] = Some(event),
            Event::Steps(rows) => self.add_steps(rows),
            Event::Gallery(_) => self.add_gallery(event),
            Event::Done(_) | Event::Attacked(_) | Event::Stopped | Event::Failed(_) => {
                // Nothing comes after the end.
                self.latest = [None, None, None];
                self.backlog.push_back(event);
            }
            Event::Live(rows) => self.add_live(rows),
            event => self.backlog.push_back(event),
        }
        self.flush();
    }

    /// A second end of the same stream, with a backlog of its own.
    pub(super) fn another(&self) -> Self {
        Self::new(self.sender.clone(), self.slots.clone())
    }

    /// Hands over what there is room for. True where nothing is left waiting.
    pub fn flush(&mut self) -> bool {
        // Whether there is room cannot be asked for: without a reader a full channel stays full.
        while let Some(event) = self.next() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.put_back(event);
                    return false;
                }
                // Nobody reads any more.
                Err(TrySendError::Disconnected(_)) => {
                    *self = Self::new(self.sender.clone(), self.slots.clone());
                }
            }
        }
        true
    }

    /// What is sent next: that something is missing before what has gaps, and what is going on last.
    fn next(&mut self) -> Option<Event> {
        if self.missed != Missed::default() {
            return Some(Event::Missed(std::mem::take(&mut self.missed)));
        }
        if let Some(Event::Steps(rows)) = self.backlog.front_mut()
            && rows.len() > ROWS_AT_ONCE
        {
            return Some(Event::Steps(rows.drain(..ROWS_AT_ONCE).collect()));
        }
        self.backlog.pop_front().or_else(|| self.latest.iter_mut().find_map(Option::take))
    }

    fn put_back(&mut self, event: Event) {
        match event {
            Event::Missed(missed) => self.missed = missed,
            Event::Progress(_) => self.latest[0] = Some(event),
            Event::Reconstruction(_) => self.latest[1] = Some(event),
            Event::Saved => self.latest[2] = Some(event),
            event => self.backlog.push_front(event),
        }
    }

    fn add_steps(&mut self, rows: Vec<MetricRow>) {
        match self.backlog.back_mut() {
            Some(Event::Steps(waiting)) => waiting.extend(rows),
            _ => self.backlog.push_back(Event::Steps(rows)),
        }
        if self.waiting_rows() > WAITING_ROWS {
            self.thin();
        }
    }

    fn waiting_rows(&self) -> usize {
        self.backlog.iter().map(|event| if let Event::Steps(rows) = event { rows.len() } else { 0 }).sum()
    }

    /// Leaves out every second waiting step of each model, whose rows may alternate.
    fn thin(&mut self) {
        let before = self.waiting_rows();
        let mut seen = [0_usize; 2];
        for event in &mut self.backlog {
            if let Event::Steps(rows) = event {
                rows.retain(|row| {
                    let seen = &mut seen[usize::from(row.acc_vanilla.is_some())];
                    *seen += 1;
                    seen.is_multiple_of(2)
                });
            }
        }
        // What stood between them may have been dropped.
        for event in std::mem::take(&mut self.backlog) {
            match (self.backlog.back_mut(), event) {
                (_, Event::Steps(rows)) if rows.is_empty() => {}
                (Some(Event::Steps(waiting)), Event::Steps(rows)) => waiting.extend(rows),
                (_, event) => self.backlog.push_back(event),
            }
        }
        self.missed.rows += before - self.waiting_rows();
    }

    fn add_gallery(&mut self, gallery: Event) {
        let galleries = self.backlog.iter().enumerate().filter(|(_, event)| matches!(event, Event::Gallery(_)));
        let places: Vec<usize> = galleries.map(|(place, _)| place).collect();
        if places.len() >= WAITING_GALLERIES {
            self.backlog.remove(places[0]);
            self.missed.galleries += 1;
        }
        self.backlog.push_back(gallery);
    }
}

#[cfg(test)]
mod tests;
