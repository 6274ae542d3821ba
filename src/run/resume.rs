//! Resuming a run: what is there of it, and the session that goes on from its checkpoint.

use std::path::Path;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::course::Course;
use super::event::{Event, Past, Sink};
use super::folder::{CHECKPOINT, RunFolder, experiment_of};
use super::identity::DataChoice;
use super::prepared::Prepared;
use super::recorder::{Recorder, read_metrics, read_times};
use super::session::Session;
use super::weights::{ModelWeights, trained};
use crate::error::{Error, Result};

/// A run that is to go on: its folder is open and locked, its data and its checkpoint are read.
pub struct Resumed {
    setup: Prepared,
    recorder: Recorder,
    checkpoint: Option<Checkpoint>,
}

impl Resumed {
    /// Opens a run. One without a checkpoint starts over.
    ///
    /// # Errors
    /// Returns an error if the folder is in use or damaged, if the data are not those of the run and `data` does not insist,
    /// or if the disk has too little room.
    pub fn open(path: &Path, data: &DataChoice) -> Result<Self> {
        let folder = RunFolder::open(path)?;
        let experiment = experiment_of(path)?;
        let (hash, checkpoint) = (experiment.hash(), folder.file(CHECKPOINT));
        let checkpoint = checkpoint.exists().then(|| Checkpoint::load(&checkpoint, &hash)).transpose()?;
        let setup = Prepared::of_run(path, experiment, data)?;
        let recorder = setup.go_on(folder)?;
        Ok(Self { setup, recorder, checkpoint })
    }

    /// What is run.
    pub fn setup(&self) -> &Prepared {
        &self.setup
    }

    /// The session that goes on.
    ///
    /// # Errors
    /// Returns an error if the checkpoint is of another model.
    pub fn session(self, sink: Sink) -> Result<Session> {
        match self.checkpoint {
            Some(checkpoint) => Session::resume(self.setup, self.recorder, &checkpoint, sink),
            None => Session::new(self.setup, Some(self.recorder), sink),
        }
    }
}

impl Session {
    /// A run that goes on from its checkpoint. The recorder comes as new.
    ///
    /// # Errors
    /// Where the checkpoint is of another model.
    pub fn resume(setup: Prepared, recorder: Recorder, checkpoint: &Checkpoint, sink: Sink) -> Result<Self> {
        check_targets(&setup, checkpoint)?;
        let (rows, bytes) = read_metrics(recorder.folder(), checkpoint.position.metric_rows)?;
        let times = read_times(recorder.folder());
        let mut session = Self::untold(setup, Some(recorder.after(bytes)), sink)?;
        session.position = checkpoint.position.clone();
        session.position.courses.resize(session.models.len(), Course::default());
        session.times = times;
        session.times.attacks.resize(session.position.attacks.len(), 0.0);
        for (i, model) in session.models.iter_mut().enumerate() {
            checkpoint.restore(i, model)?;
            let ended = checkpoint.final_epoch(i, &model.plan.name, &session.setup.experiment.train);
            session.setup.final_epochs.extend(ended);
            model.wire = session.position.wire.get(i).copied().unwrap_or_default();
            let done = checkpoint.epochs_of(&model.plan.name);
            let epochs = session.setup.final_epochs.get(&model.plan.name).copied().unwrap_or(done);
            if epochs > 0 {
                let words = trained(&session.setup.experiment, model.plan.defended(), epochs);
                session.weights.models.insert(model.plan.name.clone(), ModelWeights::of(model, words)?);
            }
        }
        let mut waiting = checkpoint.waiting.clone();
        if let Some(begun) = waiting.first_mut().and_then(|order| order.begun.as_mut()) {
            begun.seconds = session.times.attack;
        }
        session.attacks.extend(waiting);
        session.started(true);
        session.sink.slots.weights.put(Arc::new(session.weights.clone()));
        let (epochs, attacks) = (session.position.epochs.clone(), session.timed_attacks());
        session.sink.emit(Event::Past(Box::new(Past { rows, epochs, attacks })));
        Ok(session)
    }
}

/// What was begun at some test images can be ended at others only where there are as many.
fn check_targets(setup: &Prepared, checkpoint: &Checkpoint) -> Result<()> {
    let wrong = |what: &str, then: usize, now: usize| {
        Err(Error::input(format!(
            "the run has begun {what} {then} test images, and now there are {now}: it can only go on with its own data"
        )))
    };
    if let Some(inverted) = checkpoint.position.inverted.as_ref().filter(|all| all.len() != setup.test.len()) {
        return wrong("its table with", inverted.len(), setup.test.len());
    }
    for order in &checkpoint.waiting {
        if order.images() > setup.targets.len() {
            return wrong("an attack at", order.images(), setup.targets.len());
        }
        let deciphered = order.begun.as_ref().and_then(|begun| begun.deciphered.as_ref()).map_or(0, Vec::len);
        if deciphered > setup.test.len() {
            return wrong("its table with", deciphered, setup.test.len());
        }
    }
    Ok(())
}
