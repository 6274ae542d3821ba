//! Attacks launched at the trained models of a run that has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attack_job::Job;
use super::attack_order::Order;
use super::attack_queue::{Outcome, Queue, Slice, conclude};
use super::attack_records::{earlier, same_attack};
use super::checkpoint::Checkpoint;
use super::event::{Event, Progress, Sink};
use super::fold::check_is_one;
use super::folder::{ATTACKS, CHECKPOINT, RunFolder, experiment_of};
use super::identity::DataChoice;
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::room;
use super::scene::AttackProgress;
use super::summary::AttackRecord;
use super::whole_files::Writer;
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::random::Seed;
use crate::split::SplitModel;

/// What to launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// The attack's name; with the run's own settings for it, if it has them.
    pub attack: String,
    /// Without knowledge of the defence.
    pub naive: bool,
    /// With it. Neither means both.
    pub adaptive: bool,
    /// How many test images, if not as many as its settings say.
    pub images: Option<String>,
}

/// The launched attacks, one after another.
pub struct Afterwards {
    setup: Prepared,
    recorder: Recorder,
    queue: Queue,
    /// Launched at the run before.
    earlier: Vec<AttackRecord>,
    records: Vec<AttackRecord>,
    sink: Sink,
}

/// The experiment with the launched attack as its only one, and the hash under which its checkpoint was written.
///
/// # Errors
/// Where the folder's experiment is damaged or the attack unknown.
pub fn launched(folder: &RunFolder, launch: &Launch) -> Result<(Experiment, String)> {
    let mut experiment = experiment_of(folder.path())?;
    let hash = experiment.hash();
    let known = experiment.attacks.iter().find(|spec| spec.name() == launch.attack);
    let spec = known.map_or_else(|| AttackSpec::named(&launch.attack), |spec| Ok(spec.clone()));
    let spec = spec.map_err(|error| with_labels(error, &experiment))?;
    let (naive, adaptive) =
        if launch.naive || launch.adaptive { (launch.naive, launch.adaptive) } else { (true, true) };
    // The same checks as for the document: the attack becomes its only one.
    experiment.attacks = vec![spec];
    experiment.set(&format!("attack.0.naive={naive}"))?;
    experiment.set(&format!("attack.0.adaptive={adaptive}"))?;
    if let Some(images) = &launch.images {
        experiment.set(&format!("attack.0.images={images}"))?;
    }
    experiment.validate()?;
    Ok((experiment, hash))
}

/// An error that tells of the run's own attacks too, where they have labels.
fn with_labels(error: Error, experiment: &Experiment) -> Error {
    let labels: Vec<&str> = experiment.attacks.iter().filter_map(|spec| spec.label.as_deref()).collect();
    if labels.is_empty() { error } else { Error::input(format!("{error}; the run itself has {}", labels.join(", "))) }
}

impl Afterwards {
    /// Opens a run and orders the attack at each of its models.
    ///
    /// # Errors
    /// Where the folder is no run, has no trained model yet or is damaged, or cannot be written; the images are not
    /// those of the run and `data` does not insist; or the attack is unknown.
    pub fn new(
        folder: RunFolder,
        (experiment, hash): (Experiment, String),
        data: &DataChoice,
        mut sink: Sink,
    ) -> Result<Self> {
        let checkpoint = folder.file(CHECKPOINT);
        check_is_one(folder.path())?;
        if !checkpoint.exists() {
            let path = folder.path().display();
            return Err(Error::input(format!(
                "the run has no trained model yet; go on with `cutlayer run --resume {path}`"
            )));
        }
        let checkpoint = Checkpoint::load(&checkpoint, &hash)?;
        let setup = Prepared::of_run(folder.path(), experiment, data)?;
        room::check(folder.path(), room::of_attacks(&setup))?;
        let targets = setup.attacked()?;
        let (mut queue, mut final_epochs) = (Queue::default(), BTreeMap::new());
        for (i, plan) in setup.plans.iter().enumerate() {
            let mut model = SplitModel::new(plan.clone(), Seed(setup.experiment.seed), &setup.device)?;
            checkpoint.restore(i, &mut model)?;
            let trained = checkpoint.final_epoch(i, &plan.name, &setup.experiment.train);
            // As in the run: what comes after the training counts as after its last epoch, however early that came.
            let last = setup.experiment.train.epochs;
            let epochs = if trained.is_some() { last } else { checkpoint.epochs_of(&plan.name) };
            final_epochs.extend(trained);
            queue.extend(Order::at(&model, &setup.experiment.attacks[0], epochs, &targets)?);
        }
        // A damaged file is told of before any work.
        let earlier = earlier(folder.path())?;
        sink.emit(Event::Started { folder: Some(folder.path().to_owned()), resumed: true });
        for warning in setup.warnings.iter().cloned().chain(folder.warning()) {
            sink.emit(Event::Warning(warning));
        }
        let recorder = Recorder::new(folder, Arc::new(Writer::default()));
        let setup = Prepared { final_epochs, ..setup };
        Ok(Self { setup, recorder, queue, earlier, records: Vec::new(), sink })
    }

    /// One slice of work; the records once all is done. They are then in the run's `attacks.json` too.
    ///
    /// # Errors
    /// Returns an error if an attack lacks what it needs or the disk refuses.
    pub fn advance(&mut self) -> Result<Option<Vec<AttackRecord>>> {
        if !self.queue.any() {
            return Ok(Some(std::mem::take(&mut self.records)));
        }
        match self.queue.advance(&self.setup)? {
            Slice::Nothing => {}
            Slice::GaveUp(why) => self.leave_out(&why),
            Slice::Work { progress, seconds, scene, ended } => {
                if let Some(scene) = scene {
                    self.sink.slots.pictures.put(*scene);
                    self.show(progress, seconds);
                }
                if let Some(job) = ended {
                    self.record(&job)?;
                }
            }
        }
        self.sink.flush();
        Ok(None)
    }

    /// Keeps a finished attack at once: a stop or a failure of the next one does not lose it.
    fn record(&mut self, job: &Job) -> Result<()> {
        let launched = || self.earlier.iter().chain(&self.records);
        let launch = |record: &AttackRecord| 1 + launched().filter(|one| same_attack(one, record)).count();
        let (record, gallery) = match conclude(job, Some(&self.recorder), launch)? {
            Outcome::GaveUp(why) => {
                self.leave_out(&why);
                return Ok(());
            }
            Outcome::Kept(record, gallery) => (*record, gallery),
        };
        self.records.push(record.clone());
        let all: Vec<&AttackRecord> = self.earlier.iter().chain(&self.records).collect();
        let text = serde_json::to_vec_pretty(&all).map_err(|e| Error::Internal(format!("attacks: {e}")))?;
        self.recorder.put(ATTACKS, &text)?;
        self.sink.emit(Event::Attack(record));
        if let Some(gallery) = gallery {
            self.sink.emit(Event::Gallery(gallery));
        }
        Ok(())
    }

    /// An attack that left the finite numbers stole nothing: that is told, and the next one goes on.
    fn leave_out(&mut self, why: &str) {
        self.sink.emit(Event::Warning(format!("{why}; it is left out")));
    }

    fn show(&mut self, progress: AttackProgress, seconds: f64) {
        let AttackProgress { attack, iteration, planned, .. } = progress;
        // Those that wait are the same attack: each takes as long as this one is going to.
        let whole = (planned - iteration + self.queue.waiting().len() * planned) as f64;
        let seconds_left = (iteration > 0).then(|| seconds / iteration as f64 * whole);
        self.sink.emit(Event::Progress(Progress {
            phase: attack,
            done: iteration,
            total: planned,
            seconds_left,
            untold: Vec::new(),
        }));
    }

    /// How far the running attack is.
    pub fn progress(&self) -> Option<AttackProgress> {
        self.queue.active().map(Job::progress)
    }

    /// The stream's end, for what comes after.
    pub fn into_sink(self) -> Sink {
        self.sink
    }
}
