//! The one stream of what happens in a run. Window, terminal and recorder read it.
//!
//! No tensor leaves the worker: events carry plain numbers, pictures plain pixels.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::summary::{AttackRecord, EpochRow, MetricRow, Summary};

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
    /// How far the present phase is.
    Progress(Progress),
    /// Training steps, in order.
    Steps(Vec<MetricRow>),
    /// An epoch was tested.
    Epoch(EpochRow),
    /// An attack got on; its picture is in [`Pictures`].
    Reconstruction(AttackProgress),
    /// An attack is finished and scored.
    Attack(AttackRecord),
    /// A checkpoint was written.
    Saved,
    /// Something to know that is no error.
    Warning(String),
    /// The run is complete.
    Done(Box<Summary>),
    /// A Stop was obeyed; the run can be resumed.
    Stopped,
    /// The run ended with an error; what was measured is kept.
    Failed(String),
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
    /// Seconds until the phase ends, once that can be told.
    pub seconds_left: Option<f64>,
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

/// An image as plain numbers in [0, 1] (a map in [−1, 1]), channel by channel, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// C·H·W values.
    pub values: Vec<f32>,
}

/// The first target as the hospital, the wire and the attacker see it.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// The patient's image.
    pub original: Picture,
    /// What entered the client's layers: the disguised image under PSGL.
    pub sent: Picture,
    /// The gradient map; empty without PSGL.
    pub map: Picture,
    /// The reconstruction now.
    pub reconstruction: Picture,
    /// Which attack, and how far.
    pub progress: Option<AttackProgress>,
}

/// A slot that holds the latest pictures only: a slow reader misses some, and slows nobody down.
#[derive(Debug, Default)]
pub struct Pictures {
    slot: Mutex<(u64, Option<Scene>)>,
}

impl Pictures {
    /// Replaces what is there.
    pub fn put(&self, scene: Scene) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = (slot.0 + 1, Some(scene));
    }

    /// The latest, where it is newer than number `seen`; with its number.
    pub fn newer_than(&self, seen: u64) -> Option<(u64, Scene)> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.0 > seen { slot.1.clone().map(|scene| (slot.0, scene)) } else { None }
    }
}

/// Events a reader may be behind before they are merged.
const CAPACITY: usize = 1024;

/// The worker's end of the stream.
#[derive(Debug)]
pub struct Sink {
    sender: Sender<Event>,
    /// What the reader had no room for yet, merged.
    backlog: VecDeque<Event>,
    /// Where pictures go.
    pub pictures: Arc<Pictures>,
}

/// A stream: the worker's end, the reader's end and the pictures beside it.
pub fn stream() -> (Sink, Receiver<Event>, Arc<Pictures>) {
    let (sender, receiver) = bounded(CAPACITY);
    let pictures = Arc::new(Pictures::default());
    (Sink { sender, backlog: VecDeque::new(), pictures: pictures.clone() }, receiver, pictures)
}

impl Sink {
    /// Sends an event. Never waits: where the reader is behind, training steps are merged into one
    /// event and progress is replaced, so the backlog stays small; nothing else is lost.
    pub fn emit(&mut self, event: Event) {
        match (self.backlog.back_mut(), event) {
            (Some(Event::Steps(waiting)), Event::Steps(rows)) => waiting.extend(rows),
            (Some(last @ Event::Progress(_)), event @ Event::Progress(_))
            | (Some(last @ Event::Reconstruction(_)), event @ Event::Reconstruction(_)) => *last = event,
            (_, event) => self.backlog.push_back(event),
        }
        self.flush();
    }

    /// A second end of the same stream, with a backlog of its own.
    pub(super) fn another(&self) -> Self {
        Self { sender: self.sender.clone(), backlog: VecDeque::new(), pictures: self.pictures.clone() }
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
        assert!(pictures.newer_than(2).is_none());
    }
}
