//! One run from its first step to its summary, in slices of work.
//!
//! For each model (the defended one and its twin take turns, step by step): order the attacks due after so many epochs, train
//! an epoch, test it. Attacks run in between, on weights copied when they were ordered, and never touch
//! the training's bytes. Then the table is filled in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::attack_order::Capturing;
use super::attack_queue::Queue;
use super::checkpoint::{Checkpoint, Position, Times};
use super::closing::Closing;
use super::course::Course;
use super::event::{Event, Sink};
use super::folder::PREDICTIONS;
use super::held_out::Watch;
use super::judge::{Evaluated, Judge};
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::speeds::Speeds;
use super::steps::Steps;
use super::summary::{AttackRecord, Summary};
use super::weights::Weights;
use crate::error::device::Load;
use crate::error::{Error, Result};
use crate::split::meter::Meter;
use crate::split::{SplitModel, SplitPlan};

/// Between checkpoints, beside those after every epoch.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// A run at work.
pub struct Session {
    pub(super) setup: Prepared,
    pub(super) models: Vec<SplitModel>,
    pub(super) position: Position,
    pub(super) times: Times,
    pub(super) recorder: Option<Recorder>,
    pub(super) hash: String,
    pub(super) attacks: Queue,
    /// The questions for the attacks that are due.
    pub(super) capturing: Option<Capturing>,
    pub(super) testing: Vec<[Vec<u32>; 4]>,
    /// The leak meters, read after an epoch's test.
    pub(super) meter: Option<Meter>,
    pub(super) judge: Option<Judge>,
    pub(super) closing: Option<Closing>,
    pub(super) sink: Sink,
    /// Of a run without a folder, the bytes of each model's best epoch, where they are wanted in the end.
    pub(super) best: BTreeMap<usize, Vec<u8>>,
    /// The models' training steps.
    pub(super) steps: Steps,
    /// Seconds that attacks are behind training: they take turns.
    pub(super) debt: f64,
    pub(super) speeds: Speeds,
    /// What those who watch see of the accuracy.
    pub(super) watch: Watch,
    pub(super) saved: Instant,
    pub(super) pictured: Option<Instant>,
    /// Of each model after its last epoch, for those who watch.
    pub(super) weights: Weights,
}

impl Session {
    /// A new run.
    ///
    /// # Errors
    /// Where a model can't be made, or the disk refuses.
    pub fn new(setup: Prepared, recorder: Option<Recorder>, sink: Sink) -> Result<Self> {
        if let Some(recorder) = &recorder {
            recorder.keep_data(&setup.catalogue)?;
        }
        let mut session = Self::untold(setup, recorder, sink)?;
        session.started(false);
        Ok(session)
    }

    /// A new session of which no reader has heard yet.
    pub(super) fn untold(setup: Prepared, recorder: Option<Recorder>, sink: Sink) -> Result<Self> {
        let model = |plan: &SplitPlan| SplitModel::new(plan.clone(), setup.seed(), &setup.device);
        let models = setup.plans.iter().map(model).collect::<Result<Vec<_>>>()?;
        let courses = vec![Course::default(); models.len()];
        Ok(Self {
            hash: setup.experiment.hash(),
            steps: Steps::new(&setup.victim)?,
            setup,
            speeds: Speeds::of(models.len()),
            watch: Watch::default(),
            models,
            position: Position { courses, ..Position::default() },
            times: Times::default(),
            recorder,
            attacks: Queue::default(),
            capturing: None,
            testing: Vec::new(),
            meter: None,
            judge: None,
            closing: None,
            sink,
            best: BTreeMap::new(),
            debt: 0.0,
            saved: Instant::now(),
            pictured: None,
            weights: Weights::default(),
        })
    }

    /// Finished attacks with the time that each took.
    pub(super) fn timed_attacks(&self) -> Vec<AttackRecord> {
        let timed = |(record, seconds): (&AttackRecord, &f64)| AttackRecord { seconds: *seconds, ..record.clone() };
        self.position.attacks.iter().zip(&self.times.attacks).map(timed).collect()
    }

    pub(super) fn started(&mut self, resumed: bool) {
        let folder = self.recorder.as_ref().map(|r| r.folder().path().to_owned());
        self.sink.emit(Event::Started { folder, resumed });
        let lock = self.recorder.as_ref().and_then(|recorder| recorder.folder().warning());
        for warning in std::mem::take(&mut self.setup.warnings).into_iter().chain(lock) {
            self.sink.emit(Event::Warning(warning));
        }
        for warning in self.setup.plans.iter().flat_map(|plan| plan.defences.warnings()) {
            self.sink.emit(Event::Warning(warning));
        }
    }

    /// One slice of work; the summary once all is done.
    ///
    /// # Errors
    /// Where training diverges, the disk refuses or a tensor operation fails.
    pub fn advance(&mut self) -> Result<Option<Summary>> {
        let batch = self.setup.experiment.train.batch;
        self.slice().map_err(|error| {
            error.at(|| Load {
                work: format!("a training batch of {batch} images, or a few images that were asked about"),
                lower: "train.batch".to_owned(),
            })
        })
    }

    fn slice(&mut self) -> Result<Option<Summary>> {
        let start = Instant::now();
        let training = self.turn();
        let amid_attack = self.attacks.active().is_some();
        let attacking = self.attacks.any();
        let mut summary = None;
        if self.attacks.deciphers() {
            self.decipher()?;
        } else if attacking && (training.is_none() || self.debt >= 0.0) {
            if !amid_attack {
                self.speeds.attack = 0.0;
            }
            self.attack()?;
            self.speeds.attacked_for(start.elapsed().as_secs_f64());
            self.debt -= start.elapsed().as_secs_f64();
        } else if let Some(at) = training {
            self.train(at)?;
            self.debt = if attacking { self.debt + start.elapsed().as_secs_f64() } else { 0.0 };
        } else {
            summary = self.judge()?;
        }
        self.times.run += start.elapsed().as_secs_f64();
        self.speeds.worked_for(start.elapsed().as_secs_f64());
        if self.saved.elapsed() >= SAVE_EVERY && summary.is_none() {
            self.save()?;
        }
        self.sink.flush();
        Ok(summary)
    }

    /// Whether a training step, or ordering the attacks that are due, is begun and not done.
    pub(super) fn amid_step(&self) -> bool {
        self.position.courses.iter().any(|course| course.head_learnt) || self.capturing.is_some()
    }

    /// Epochs that are whole, of every model.
    pub(super) fn epochs(&self) -> usize {
        self.position.courses.iter().map(|course| course.epoch).min().unwrap_or(0)
    }

    /// Sends an event to all readers: the recorder at once, the others through the sink.
    pub fn emit(&mut self, event: Event) {
        if let Some(recorder) = &mut self.recorder {
            recorder.read(&event);
        }
        if let Event::Steps(rows) = &event {
            self.position.metric_rows += rows.len();
        }
        self.sink.emit(event);
    }

    /// The stream's end, for what comes after the session.
    pub fn into_sink(self) -> Sink {
        self.sink
    }

    pub(super) fn evaluated(&self) -> Evaluated<'_> {
        let model = |defended| self.models.iter().find(|model| model.plan.defended() == defended);
        Evaluated {
            defended: model(true),
            undefended: model(false),
            epochs: self.setup.experiment.train.epochs,
            class_names: &self.setup.class_names,
            positive: self.setup.positive,
            test: &self.setup.test,
            classes: self.setup.classes(),
            disguise: self.setup.experiment.disguise(),
            evaluate: &self.setup.experiment.evaluate,
            device: &self.setup.device,
        }
    }

    fn judge(&mut self) -> Result<Option<Summary>> {
        if let Some(closing) = self.closing.take() {
            return self.close(closing);
        }
        // A run that was resumed after its last attack has not measured the floors yet.
        if self.floors()?.is_none() {
            return Ok(None);
        }
        let mut judge = self.judge.take().unwrap_or_else(|| Judge::new(self.position.inverted.clone()));
        let (start, before) = (Instant::now(), judge.progress(&self.evaluated()).0);
        judge.advance(&self.evaluated())?;
        let (done, total) = judge.progress(&self.evaluated());
        self.speeds.table.add(start.elapsed().as_secs_f64(), done - before);
        self.speeds.judged = done;
        self.progress("filling in the table".to_owned(), done, total);
        if done < total {
            self.judge = Some(judge);
        } else {
            if let Some(recorder) = &self.recorder {
                recorder.put(PREDICTIONS, &judge.predictions_file(&self.evaluated())?)?;
            }
            self.closing = Some(Closing::new(judge.verdict(&self.evaluated())?));
            self.save()?;
        }
        Ok(None)
    }

    /// Writes a checkpoint, where the run has a folder.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&mut self) -> Result<()> {
        if self.recorder.is_none() {
            return Ok(());
        }
        let checkpoint = self.checkpoint()?;
        self.times.attack = self.attacks.seconds();
        if let Some(recorder) = &mut self.recorder {
            recorder.save(&checkpoint, &self.times, &self.hash)?;
        }
        self.saved = Instant::now();
        self.emit(Event::Saved);
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let mut position = self.position.clone();
        position.wire = self.models.iter().map(|model| model.wire).collect();
        position.weights = self.models.iter().map(|model| model.server.votes()).collect();
        let mut checkpoint = Checkpoint { position, waiting: self.attacks.saved()?, ..Checkpoint::default() };
        for (i, model) in self.models.iter().enumerate() {
            checkpoint.put_model(i, model)?;
        }
        Ok(checkpoint)
    }

    /// Keeps the metric rows when the run ends with an error: they were measured. A disk that refused before is not
    /// told of twice.
    pub fn keep_metrics(&mut self, ended: &Error) {
        let kept = self.recorder.as_mut().map_or(Ok(()), Recorder::save_metrics);
        if let Err(error) = kept
            && !matches!(ended, Error::Io { .. })
            && error.to_string() != ended.to_string()
        {
            self.emit(Event::Warning(error.to_string()));
        }
    }
}
