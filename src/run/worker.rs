//! The one worker thread, and what the rest of the program holds of it.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::attack_later::Afterwards;
use super::control::{Command, Control, guarded};
use super::diagnosis::Diagnosis;
use super::event::{Event, Sink, Slots, stream};
use super::folds::Folds;
use super::session::Session;
use super::summary::{AttackRecord, Summary};
use super::victim::job::VictimJob;
use crate::engine::lead;
use crate::error::{Error, Result};
use crate::score::diagnosis::DiagnosisRow;

/// Candle walks its graphs recursively.
const STACK_BYTES: usize = 64 << 20;

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// It is complete.
    Done(Box<Summary>),
    /// Attacks at a finished run are complete.
    Attacked(Vec<AttackRecord>),
    /// Diagnoses of a finished run are manipulated.
    Diagnosed(Vec<DiagnosisRow>),
    /// A Stop was obeyed.
    Stopped,
    /// It could not go on.
    Failed(Error),
}

/// What a worker works on, in slices.
pub enum Work {
    /// A run.
    Run(Box<Session>),
    /// One run after another.
    Folds(Box<Folds>),
    /// Attacks at a finished run.
    Attacks(Box<Afterwards>),
    /// Attacks at a victim of another program.
    Victim(Box<VictimJob>),
    /// Attacks on a finished run's diagnoses.
    Diagnosis(Box<Diagnosis>),
}

impl From<Diagnosis> for Work {
    fn from(diagnosis: Diagnosis) -> Self {
        Self::Diagnosis(Box::new(diagnosis))
    }
}

impl From<Folds> for Work {
    fn from(folds: Folds) -> Self {
        Self::Folds(Box::new(folds))
    }
}

impl From<Session> for Work {
    fn from(session: Session) -> Self {
        Self::Run(Box::new(session))
    }
}

impl From<Afterwards> for Work {
    fn from(attacks: Afterwards) -> Self {
        Self::Attacks(Box::new(attacks))
    }
}

impl From<VictimJob> for Work {
    fn from(job: VictimJob) -> Self {
        Self::Victim(Box::new(job))
    }
}

impl Work {
    fn advance(&mut self) -> Result<Option<Outcome>> {
        match self {
            Self::Run(session) => Ok(session.advance()?.map(|summary| Outcome::Done(Box::new(summary)))),
            Self::Folds(folds) => Ok(folds.advance()?.map(|summary| Outcome::Done(Box::new(summary)))),
            Self::Attacks(attacks) => Ok(attacks.advance()?.map(Outcome::Attacked)),
            Self::Victim(job) => Ok(job.advance()?.map(Outcome::Attacked)),
            Self::Diagnosis(diagnosis) => Ok(diagnosis.advance()?.map(Outcome::Diagnosed)),
        }
    }

    /// The run at work.
    fn session(&mut self) -> Option<&mut Session> {
        match self {
            Self::Run(session) => Some(session),
            Self::Folds(folds) => folds.session(),
            Self::Attacks(_) | Self::Victim(_) | Self::Diagnosis(_) => None,
        }
    }

    /// What is only for those who watch, which no command counts.
    fn watch(&mut self) {
        if let Some(session) = self.session() {
            session.watch();
        }
    }

    fn save(&mut self) -> Result<()> {
        // An attack afterwards that did not end leaves nothing.
        self.session().map_or(Ok(()), Session::save)
    }

    /// Epochs that are whole, of every model that is trained.
    fn epochs(&mut self) -> usize {
        self.session().map_or(0, |session| session.epochs())
    }

    /// Whether what counts as one step to those who watch is begun and not done.
    fn amid_step(&mut self) -> bool {
        self.session().is_some_and(|session| session.amid_step())
    }

    fn keep_metrics(&mut self, ended: &Error) {
        if let Some(session) = self.session() {
            session.keep_metrics(ended);
        }
    }

    fn into_sink(self) -> Option<Sink> {
        match self {
            Self::Run(session) => Some(session.into_sink()),
            Self::Folds(folds) => folds.into_sink(),
            Self::Attacks(attacks) => Some(attacks.into_sink()),
            Self::Victim(job) => Some(job.into_sink()),
            Self::Diagnosis(diagnosis) => Some(diagnosis.into_sink()),
        }
    }
}

/// A running worker. Dropping it asks the worker to stop, and does not wait.
pub struct Worker {
    /// Commands to it.
    pub control: Arc<Control>,
    /// What happens.
    pub events: Receiver<Event>,
    /// The latest pictures and weights.
    pub slots: Arc<Slots>,
    thread: Option<JoinHandle<Outcome>>,
}

impl Worker {
    /// Starts a worker on what `make` gives, which is called on the worker's thread.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start<W: Into<Work>>(make: impl FnOnce(Sink) -> Result<W> + Send + 'static) -> Result<Self> {
        let control = Arc::new(Control::default());
        let (sink, events, slots) = stream();
        let its_control = control.clone();
        let thread = Builder::new()
            .name("cutlayer-worker".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || work(make, sink, &its_control))
            .map_err(|e| Error::Internal(format!("no thread for the worker: {e}")))?;
        Ok(Self { control, events, slots, thread: Some(thread) })
    }

    /// Whether the worker has left.
    pub fn finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the worker has left, handing every event to `read`.
    pub fn join(mut self, mut read: impl FnMut(Event)) -> Outcome {
        for event in &self.events {
            read(event);
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            _ => Outcome::Failed(Error::Internal("the worker was lost".to_owned())),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.control.send(Command::Stop);
    }
}

fn work<W: Into<Work>>(make: impl FnOnce(Sink) -> Result<W>, sink: Sink, control: &Control) -> Outcome {
    let _team = lead();
    // The work takes the sink; a second one, for the case that making it fails, shares the channel.
    let spare = sink.another();
    let made = guarded(|| make(sink));
    let (outcome, mut sink) = match made {
        Ok(work) => {
            let mut work = work.into();
            let outcome = run(&mut work, control);
            (outcome, work.into_sink().unwrap_or(spare))
        }
        Err(error) => (Outcome::Failed(error), spare),
    };
    sink.emit(match &outcome {
        Outcome::Done(summary) => Event::Done(summary.clone()),
        Outcome::Attacked(records) => Event::Attacked(records.clone()),
        // Nothing was stolen; what was found is in the run's folder.
        Outcome::Diagnosed(_) => Event::Attacked(Vec::new()),
        Outcome::Stopped => Event::Stopped,
        Outcome::Failed(error) => Event::Failed(error.to_string()),
    });
    // The run is recorded; only a reader that is behind is waited for, and not one that has gone.
    while !sink.flush() {
        std::thread::sleep(Duration::from_millis(5));
    }
    outcome
}

fn run(work: &mut Work, control: &Control) -> Outcome {
    loop {
        control.reached(work.epochs());
        if !control.stopped() && !control.paused() {
            work.watch();
        }
        if !control.may_go_on(work.amid_step()) {
            return match guarded(|| work.save()) {
                Ok(()) => Outcome::Stopped,
                Err(error) => Outcome::Failed(error),
            };
        }
        match guarded(|| work.advance()) {
            Ok(None) => {}
            Ok(Some(outcome)) => return outcome,
            Err(error) => {
                work.keep_metrics(&error);
                return Outcome::Failed(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::run::prepared::Prepared;

    /// The training steps that are told of until the worker has been silent for a while.
    fn steps_until_silence(worker: &Worker) -> Vec<usize> {
        let mut steps = Vec::new();
        while let Ok(event) = worker.events.recv_timeout(Duration::from_millis(500)) {
            if let Event::Steps(rows) = event {
                steps.extend(rows.iter().map(|row| row.step));
            }
        }
        steps
    }

    #[test]
    fn pause_and_step_keep_to_whole_training_steps() {
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment.set("attack=[]").unwrap();
        let setup = Prepared::new(experiment).unwrap();
        assert!(setup.experiment.defended(), "a step of one slice would show nothing");
        let worker = Worker::start(move |sink| Session::new(setup, None, sink)).unwrap();
        worker.control.send(Command::Pause);
        let before = steps_until_silence(&worker);
        let mut taken = before.len();
        for _ in 0..4 {
            worker.control.send(Command::Step);
            let steps = steps_until_silence(&worker);
            // Ordering attacks, of which there are none here, is a slice of its own before each model's first step.
            if !(steps.is_empty() && taken < 2) {
                // Two models take turns.
                assert_eq!(steps, [taken / 2 + 1]);
                taken += 1;
            }
        }
        assert!(taken >= 2);
        worker.control.send(Command::Stop);
        assert!(matches!(worker.join(|_| {}), Outcome::Stopped));
    }

    #[test]
    fn a_panic_is_an_event_and_an_outcome() {
        let worker = Worker::start::<Session>(|_| panic!("a test's panic")).unwrap();
        let mut failed = None;
        let outcome = worker.join(|event| {
            if let Event::Failed(text) = event {
                failed = Some(text);
            }
        });
        assert!(failed.unwrap().contains("a test's panic"));
        assert!(matches!(outcome, Outcome::Failed(Error::Internal(_))));
    }
}
