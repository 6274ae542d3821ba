//! The one stream of what happens in a run. Window, terminal and recorder read it.
//!
//! No tensor leaves the worker: events carry plain numbers, pictures plain pixels.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::scene::{Picture, Scene};
use super::summary::{AttackRecord, EpochRow, MetricRow, Summary};
use super::watch::LiveRow;
use super::weights::Weights;

/// Something that happened.
#[derive(Clone, Debug)]
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

/// Which attack, and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct AttackProgress {
    /// In words: `rmle, adaptive, at psgl after epoch 6`.
    pub attack: String,
    /// Iterations done.
    pub iteration: usize,
    /// Iterations planned.
    pub planned: usize,
    /// The attacker's own loss.
    pub loss: f64,
}

/// The first few targets of a finished attack, side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gallery {
    /// The attack's name, as in its record.
    pub name: String,
    /// Whether it knew the defence.
    pub adaptive: bool,
    /// `vanilla` or `psgl`.
    pub target: String,
    /// After which epoch.
    pub epoch: usize,
    /// The patients' images.
    pub originals: Vec<Picture>,
    /// What entered the client's layers.
    pub sent: Vec<Picture>,
    /// What the attack made of them.
    pub stolen: Vec<Picture>,
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

/// The worker's end of the stream.
#[derive(Debug)]
pub struct Sink {
    sender: Sender<Event>,
    /// What the reader had no room for yet, merged.
    backlog: VecDeque<Event>,
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
    (Sink { sender, backlog: VecDeque::new(), slots: slots.clone() }, receiver, slots)
}

impl Sink {
    /// Sends an event. Never waits: where the reader is behind, training steps are merged into one
    /// event and progress is replaced, so the backlog stays small; nothing else is lost.
    pub fn emit(&mut self, event: Event) {
        match (self.backlog.back_mut(), event) {
            (Some(Event::Steps(waiting)), Event::Steps(rows)) => waiting.extend(rows),
            (Some(Event::Live(waiting)), Event::Live(rows)) => waiting.extend(rows),
            (Some(last @ Event::Progress(_)), event @ Event::Progress(_))
            | (Some(last @ Event::Reconstruction(_)), event @ Event::Reconstruction(_)) => *last = event,
            (_, event) => self.backlog.push_back(event),
        }
        self.flush();
    }

    /// A second end of the same stream, with a backlog of its own.
    pub(super) fn another(&self) -> Self {
        Self { sender: self.sender.clone(), backlog: VecDeque::new(), slots: self.slots.clone() }
    }

    /// Hands over what there is room for. True where nothing is left waiting.
    pub fn flush(&mut self) -> bool {
        while let Some(event) = self.backlog.pop_front() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.backlog.push_front(event);
                    return false;
                }
                // Nobody reads any more.
                Err(TrySendError::Disconnected(_)) => self.backlog.clear(),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_sleeps_loses_no_step_and_blocks_nobody() {
        let (mut sink, receiver, _) = stream();
        let row = |step| Event::Steps(vec![MetricRow { epoch: 1, step, ..MetricRow::default() }]);
        for step in 0..5000 {
            sink.emit(row(step));
            sink.emit(Event::Reconstruction(AttackProgress {
                attack: String::new(),
                iteration: step,
                planned: 5000,
                loss: 0.0,
            }));
        }
        sink.emit(Event::Stopped);
        let mut steps = Vec::new();
        let mut stopped = false;
        while !stopped {
            match receiver.try_recv() {
                Ok(Event::Steps(rows)) => steps.extend(rows.into_iter().map(|row| row.step)),
                Ok(event) => stopped = matches!(event, Event::Stopped),
                Err(_) => assert!(!sink.flush() || !receiver.is_empty(), "the last event never came"),
            }
        }
        assert_eq!(steps, (0..5000).collect::<Vec<_>>());
    }

    #[test]
    fn only_the_latest_picture_is_kept() {
        let pictures = Pictures::default();
        assert!(pictures.newer_than(0).is_none());
        pictures.put(Scene::default());
        pictures.put(Scene { sent: Picture { shape: [1, 1, 1], values: vec![0.5] }, ..Scene::default() });
        let (number, scene) = pictures.newer_than(0).unwrap();
        assert_eq!((number, scene.sent.values), (2, vec![0.5]));
        assert!(pictures.newer_than(2).is_none() && pictures.wanted() && !Pictures::default().wanted());
    }
}
