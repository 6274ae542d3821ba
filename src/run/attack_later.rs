//! Attacks launched at the trained models of a run that has ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::attack_files::each_csv;
use super::attack_job::Job;
use super::attack_order::{AttackId, Capturing};
use super::attack_queue::{Outcome, Queue, Slice, conclude};
use super::attack_records::{earlier, same_attack};
use super::checkpoint::Checkpoint;
use super::event::{Event, Progress, Sink};
use super::fold::check_is_one;
use super::folder::{ATTACKS, CHECKPOINT, EACH, RunFolder};
use super::identity::DataChoice;
use super::launch::Launched;
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::room;
use super::scene::AttackProgress;
use super::summary::AttackRecord;
use super::whole_files::Writer;
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::score::judging::Bench;
use crate::split::SplitModel;

/// The launched attacks, one after another.
pub struct Afterwards {
    setup: Prepared,
    /// None keeps nothing.
    recorder: Option<Recorder>,
    queue: Queue,
    /// Launched at the run before.
    earlier: Vec<AttackRecord>,
    records: Vec<AttackRecord>,
    lenient: bool,
    sink: Sink,
}

impl Afterwards {
    /// Opens a run and orders the attacks at each of its models. Where the launch is lenient, one that lacks what it
    /// needs is left out and told of; else it is an error.
    ///
    /// # Errors
    /// Where the folder is no run, has no trained model yet or is damaged, or cannot be written; the images are not
    /// those of the run and `data` does not insist; or the attack is unknown.
    pub fn new(folder: RunFolder, launched: Launched, data: &DataChoice, mut sink: Sink) -> Result<Self> {
        let checkpoint = trained_models(&folder)?;
        let lenient = launched.lenient;
        let (setup, queue) = Self::ordered(&folder, &checkpoint, launched, data, None)?;
        // A damaged file is told of before any work.
        let earlier = earlier(folder.path())?;
        sink.emit(Event::Started { folder: Some(folder.path().to_owned()), resumed: true });
        for warning in setup.warnings.iter().cloned().chain(folder.warning()) {
            sink.emit(Event::Warning(warning));
        }
        let recorder = Some(Recorder::new(folder, Arc::new(Writer::default())));
        Ok(Self { setup, recorder, queue, earlier, records: Vec::new(), lenient, sink })
    }

    /// The same attacks at `targets` of the attackers' own images instead, which are taken out of those that they learn from:
    /// what somebody can do who wants to know which attack to use, and has not seen the truth. Nothing is kept of it.
    ///
    /// # Errors
    /// As [`Self::new`]; or where the attackers have too few images.
    pub fn rehearsal(
        folder: &RunFolder,
        launched: Launched,
        data: &DataChoice,
        targets: usize,
        sink: Sink,
    ) -> Result<Self> {
        let checkpoint = trained_models(folder)?;
        let lenient = launched.lenient;
        let (setup, queue) = Self::ordered(folder, &checkpoint, launched, data, Some(targets))?;
        Ok(Self { setup, recorder: None, queue, earlier: Vec::new(), records: Vec::new(), lenient, sink })
    }

    /// The attacks at each of the run's models, at its targets or in a rehearsal.
    fn ordered(
        folder: &RunFolder,
        checkpoint: &Path,
        launched: Launched,
        data: &DataChoice,
        rehearsal: Option<usize>,
    ) -> Result<(Prepared, Queue)> {
        let Launched { experiment, hash, lenient } = launched;
        let checkpoint = Checkpoint::load(checkpoint, &hash)?;
        let mut setup = Prepared::to_attack(folder.path(), experiment, data, lenient)?;
        if let Some(targets) = rehearsal {
            setup = setup.rehearsal(targets)?;
        }
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
            let specs = setup.experiment.attacks.clone();
            queue.extend(Capturing::new(specs, epochs, &targets)?.all(&model)?);
        }
        Ok((Prepared { final_epochs, ..setup }, queue))
    }

    /// One slice of work; the records once all is done. They are then in the run's `attacks.json` too.
    ///
    /// # Errors
    /// Returns an error if an attack lacks what it needs or the disk refuses.
    pub fn advance(&mut self) -> Result<Option<Vec<AttackRecord>>> {
        if !self.queue.any() {
            return Ok(Some(std::mem::take(&mut self.records)));
        }
        let waited = self.queue.next().map(AttackId::words);
        let slice = match self.queue.advance(&self.setup) {
            Err(Error::Input(why)) if self.lenient => Slice::GaveUp(format!("{}: {why}", waited.unwrap_or_default())),
            other => other?,
        };
        match slice {
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
        let (mut record, gallery) = match conclude(job, self.recorder.as_ref(), launch)? {
            Outcome::GaveUp(why) => {
                self.leave_out(&why);
                return Ok(());
            }
            Outcome::Kept(record, gallery) => (*record, gallery),
        };
        if let Some(judged) = &mut record.judged {
            let targets = self.setup.targets.take(record.images);
            judged.each.patients = targets.groups().map(|groups| groups.numbers.to_vec());
        }
        self.records.push(record.clone());
        self.write()?;
        self.sink.emit(Event::Attack(record));
        if let Some(gallery) = gallery {
            self.sink.emit(Event::Gallery(gallery));
        }
        Ok(())
    }

    /// All records of attacks launched so far, and every target's scores.
    fn write(&mut self) -> Result<()> {
        let Some(recorder) = &self.recorder else { return Ok(()) };
        let all: Vec<&AttackRecord> = self.earlier.iter().chain(&self.records).collect();
        let text = serde_json::to_vec_pretty(&all).map_err(|e| Error::Internal(format!("attacks: {e}")))?;
        recorder.put(ATTACKS, &text)?;
        // A file of somebody else's among them ends no attack.
        match each_csv(recorder.folder().path()) {
            Ok(each) => recorder.put(EACH, &each)?,
            Err(error) => self.sink.emit(Event::Warning(format!("{EACH} is left as it was: {error}"))),
        }
        Ok(())
    }

    /// An attack that left the finite numbers stole nothing: that is told, and the next one goes on.
    fn leave_out(&mut self, why: &str) {
        self.sink.emit(Event::Warning(format!("{why}; it is left out")));
    }

    fn show(&mut self, progress: AttackProgress, seconds: f64) {
        let AttackProgress { attack, iteration, planned, .. } = progress;
        // Of the same attack in another form, or at another model, it is known what it takes; of others it is not.
        let name = self.queue.active().map(|job| job.order.id.spec.name().to_owned()).unwrap_or_default();
        let waiting = self.queue.waiting().iter().map(|order| order.id.spec.name());
        let (same, others): (Vec<&str>, Vec<&str>) = waiting.partition(|other| *other == name);
        let whole = (planned - iteration + same.len() * planned) as f64;
        let seconds_left = (iteration > 0).then(|| seconds / iteration as f64 * whole);
        let mut untold: Vec<String> = others.into_iter().map(str::to_owned).collect();
        untold.dedup();
        self.sink.emit(Event::Progress(Progress {
            phase: attack,
            done: iteration,
            total: planned,
            seconds_left,
            untold,
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

/// What is guessed of the first `n` targets of a run without a look at the wire.
///
/// # Errors
/// Returns an error if the run is damaged, or its images are others and `data` does not insist.
pub fn floors(run: &Path, launched: Launched, data: &DataChoice, n: usize) -> Result<Vec<AttackRecord>> {
    let setup = Prepared::to_attack(run, launched.experiment, data, launched.lenient)?;
    let bench = Bench::new(&setup.targets, n, &setup.auxiliary, setup.seed())?;
    Ok(bench.measured(&setup.auxiliary)?.floors().to_vec())
}

/// The file of a run's trained models.
fn trained_models(folder: &RunFolder) -> Result<PathBuf> {
    check_is_one(folder.path())?;
    let checkpoint = folder.file(CHECKPOINT);
    if checkpoint.exists() {
        return Ok(checkpoint);
    }
    let path = folder.path().display();
    Err(Error::input(format!("the run has no trained model yet; go on with `cutlayer run --resume {path}`")))
}
