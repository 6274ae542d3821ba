//! One run from its first step to its summary, in slices of work.
//!
//! For each model in turn (PSGL first, vanilla after): order the attacks due after so many epochs, train
//! an epoch, test it. Attacks run in between, on weights copied when they were ordered, and never touch
//! the training's bytes. Then the table is filled in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use candle_core::Device;

use super::attacks::{Job, Order};
use super::checkpoint::{Checkpoint, Position, Stage, Times};
use super::event::{Event, Progress, Sink};
use super::finish;
use super::judge::{Court, Judge};
use super::record::{Recorder, read_metrics, read_times};
use super::summary::{EpochRow, MetricRow, Summary};
use crate::data::{Dataset, Images, load, split, targets};
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, Experiment};
use crate::model::server::Answer;
use crate::model::split::{SplitModel, SplitPlan, Step};
use crate::psgl::WeightsFrom;
use crate::psgl::fusion::DecisionWeights;
use crate::psgl::recovery::MapNorm;
use crate::random::Seed;

/// Test images at once.
const TEST_CHUNK: usize = 100;
/// Between checkpoints, beside those after every epoch.
const SAVE_EVERY: Duration = Duration::from_secs(10);
/// Between pictures of a running attack.
const PICTURE_EVERY: Duration = Duration::from_millis(60);

/// An experiment that was checked against its data, ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// What to run.
    pub experiment: Experiment,
    /// Where the networks run.
    pub device: Device,
    /// What to train, in order.
    pub plans: Vec<SplitPlan>,
    /// The victim's training images.
    pub victim: Images,
    /// The attackers' images.
    pub auxiliary: Images,
    /// The held-out images.
    pub test: Images,
    /// Targets of attacks, the first of a class-balanced order of the test set.
    pub targets: Images,
}

impl Prepared {
    /// Loads the data and checks everything that can be checked before a run.
    ///
    /// # Errors
    /// Names the field or file that does not fit.
    pub fn new(experiment: Experiment) -> Result<Self> {
        experiment.validate()?;
        let device = experiment.device.open()?;
        let dataset = load(&experiment.data.name)?;
        Self::with_data(experiment, device, dataset)
    }

    fn with_data(experiment: Experiment, device: Device, dataset: Dataset) -> Result<Self> {
        let classes = dataset.classes.len();
        let plans = experiment.split_plans(dataset.shape(), classes)?;
        let seed = Seed(experiment.seed);
        let parts = split(&dataset, experiment.data.aux, seed);
        let first = |images: Images, n: usize| if n == 0 { images } else { images.take(n) };
        let test = first(dataset.test, experiment.data.test);
        let most = experiment.attacks.iter().map(AttackSpec::images).chain([experiment.evaluate.mu_images]).max();
        let chosen = targets(&test, classes, most.unwrap_or(0).min(test.len()), seed);
        Ok(Self {
            victim: first(parts.victim, experiment.data.train),
            auxiliary: parts.aux,
            targets: test.select(&chosen),
            test,
            plans,
            device,
            experiment,
        })
    }

    fn seed(&self) -> Seed {
        Seed(self.experiment.seed)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.plans[0].classes
    }
}

/// A run at work.
pub struct Session {
    pub(super) setup: Prepared,
    pub(super) models: Vec<SplitModel>,
    pub(super) position: Position,
    pub(super) times: Times,
    pub(super) recorder: Option<Recorder>,
    hash: String,
    pending: VecDeque<Order>,
    active: Option<Job>,
    /// Vanilla's last inverse network, deciphering the whole test set for the table.
    inverting: Option<(Job, Vec<u32>)>,
    testing: Vec<[Vec<u32>; 4]>,
    judge: Option<Judge>,
    sink: Sink,
    /// This epoch's order of the training images.
    order: Vec<usize>,
    /// Seconds that attacks are behind training: they take turns.
    debt: f64,
    pace: Pace,
    saved: Instant,
    pictured: Option<Instant>,
}

/// How fast the present phase goes.
struct Pace {
    phase: String,
    start: Instant,
    first: usize,
}

impl Session {
    /// A new run.
    ///
    /// # Errors
    /// Where a model can't be made.
    pub fn new(setup: Prepared, recorder: Option<Recorder>, sink: Sink) -> Result<Self> {
        let model = |plan: &SplitPlan| SplitModel::new(plan.clone(), setup.seed(), &setup.device);
        let models = setup.plans.iter().map(model).collect::<Result<_>>()?;
        let mut session = Self {
            hash: setup.experiment.hash(),
            setup,
            models,
            position: Position::default(),
            times: Times::default(),
            recorder,
            pending: VecDeque::new(),
            active: None,
            inverting: None,
            testing: Vec::new(),
            judge: None,
            sink,
            order: Vec::new(),
            debt: 0.0,
            pace: Pace { phase: String::new(), start: Instant::now(), first: 0 },
            saved: Instant::now(),
            pictured: None,
        };
        session.started(false);
        Ok(session)
    }

    /// A run that goes on from its checkpoint. The recorder comes without rows.
    ///
    /// # Errors
    /// Where the checkpoint is of another model.
    pub fn resume(setup: Prepared, recorder: Recorder, checkpoint: &Checkpoint, sink: Sink) -> Result<Self> {
        let rows = read_metrics(recorder.folder(), checkpoint.position.metric_rows)?;
        let times = read_times(recorder.folder());
        let mut session = Self::new(setup, Some(recorder.with_rows(rows)), sink)?;
        session.position = checkpoint.position.clone();
        session.times = times;
        session.times.attacks.resize(session.position.attacks.len(), 0.0);
        for (i, model) in session.models.iter_mut().enumerate() {
            checkpoint.load_model(model)?;
            model.wire = session.position.wire.get(i).copied().unwrap_or_default();
            if let Some(Some(weights)) = session.position.weights.get(i) {
                model.server.set_decision_weights(DecisionWeights::new(*weights));
            }
        }
        for (i, id) in checkpoint.pending.iter().enumerate() {
            let mut tensors = checkpoint.part(&format!("pending.{i}."));
            let mut take = |name: &str| {
                tensors.remove(name).ok_or_else(|| Error::input(format!("the checkpoint lacks pending.{i}.{name}")))
            };
            let (smashed, sent, maps) = (take("smashed")?, take("sent")?, take("maps")?);
            session.pending.push_back(Order { id: id.clone(), smashed, sent, maps, client: tensors });
        }
        session.started(true);
        Ok(session)
    }

    fn started(&mut self, resumed: bool) {
        let folder = self.recorder.as_ref().map(|r| r.folder().path().to_owned());
        self.sink.emit(Event::Started { folder, resumed });
        let psgl = &self.setup.experiment.psgl;
        if psgl.enabled && psgl.map_norm == MapNorm::Nuclear {
            self.sink.emit(Event::Warning(
                "psgl.map_norm = \"nuclear\": with this norm on both parts the gradient map takes everything and the \
                 recovered part goes to zero, so the recovered stream learns next to nothing; \"l1\" has no such fault"
                    .to_owned(),
            ));
        }
    }

    /// One slice of work; the summary once all is done.
    ///
    /// # Errors
    /// Where training diverges, the disk refuses or a tensor operation fails.
    pub fn advance(&mut self) -> Result<Option<Summary>> {
        let start = Instant::now();
        let training = self.position.model < self.models.len();
        let attacking = self.active.is_some() || !self.pending.is_empty();
        let mut summary = None;
        if self.inverting.is_some() {
            self.invert()?;
        } else if attacking && (!training || self.debt >= 0.0) {
            self.attack()?;
            self.debt -= start.elapsed().as_secs_f64();
        } else if training {
            self.train()?;
            self.debt = if attacking { self.debt + start.elapsed().as_secs_f64() } else { 0.0 };
        } else {
            summary = self.judge()?;
        }
        self.times.run += start.elapsed().as_secs_f64();
        if self.saved.elapsed() >= SAVE_EVERY && summary.is_none() {
            self.save()?;
        }
        self.sink.flush();
        Ok(summary)
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

    fn progress(&mut self, phase: String, done: usize, total: usize) {
        if self.pace.phase != phase {
            self.pace = Pace { phase: phase.clone(), start: Instant::now(), first: done };
        }
        let (gone, fresh) = (self.pace.start.elapsed().as_secs_f64(), done - self.pace.first.min(done));
        let seconds_left = (fresh > 0).then(|| gone / fresh as f64 * total.saturating_sub(done) as f64);
        self.emit(Event::Progress(Progress { phase, done, total, seconds_left }));
    }

    // --- training ---------------------------------------------------------------------------------

    fn steps_an_epoch(&self) -> usize {
        self.setup.victim.len().div_ceil(self.setup.experiment.train.batch)
    }

    fn train(&mut self) -> Result<()> {
        let epochs = self.setup.experiment.train.epochs;
        match self.position.stage {
            Stage::Order => {
                self.order_attacks()?;
                if self.position.epoch == epochs {
                    self.position.model += 1;
                    self.position.epoch = 0;
                } else {
                    self.position.stage = Stage::Train;
                }
                self.order.clear();
            }
            Stage::Train if self.position.step < self.steps_an_epoch() => {
                self.train_step()?;
                let done = self.position.epoch * self.steps_an_epoch() + self.position.step;
                let name = self.models[self.position.model].plan.name;
                self.progress(format!("training {name}"), done, epochs * self.steps_an_epoch());
            }
            Stage::Train => self.position.stage = Stage::Test,
            Stage::Test => self.test()?,
        }
        Ok(())
    }

    fn order_attacks(&mut self) -> Result<()> {
        let (epoch, last) = (self.position.epoch, self.setup.experiment.train.epochs);
        let targets = self.setup.targets.tensor(&self.setup.device)?;
        for spec in &self.setup.experiment.attacks {
            if epoch == last || spec.early().contains(&epoch) {
                self.pending.extend(Order::at(&self.models[self.position.model], spec, epoch, &targets)?);
            }
        }
        Ok(())
    }

    fn train_step(&mut self) -> Result<()> {
        if self.order.is_empty() {
            // Both models see the images in the same order.
            let stream = self.setup.seed().stream("order", self.position.epoch as u64);
            self.order = { stream }.permutation(self.setup.victim.len());
        }
        let batch = self.setup.experiment.train.batch;
        let from = self.position.step * batch;
        let indices = &self.order[from..(from + batch).min(self.order.len())];
        let (x, labels) = self.setup.victim.batch(indices, &self.setup.device)?;
        let truth: Vec<u32> = indices.iter().map(|i| self.setup.victim.labels[*i]).collect();
        let step = self.models[self.position.model].step(&x, &labels)?;
        self.position.step += 1;
        self.check_finite(&step)?;
        let row = self.metric_row(&step, &truth)?;
        self.emit(Event::Steps(vec![row]));
        Ok(())
    }

    fn check_finite(&self, step: &Step) -> Result<()> {
        let wrong = step.head_loss.iter().chain(&step.lesson.losses).find(|loss| !loss.is_finite());
        let Some(loss) = wrong else { return Ok(()) };
        let name = self.models[self.position.model].plan.name;
        Err(Error::Diverged(format!(
            "training {name}: the loss became {loss} in epoch {}, step {}; lower train.rate (now {}). What was \
             measured before is kept",
            self.position.epoch + 1,
            self.position.step,
            self.setup.experiment.train.rate
        )))
    }

    fn metric_row(&mut self, step: &Step, truth: &[u32]) -> Result<MetricRow> {
        let hits = |classes: &[u32]| classes.iter().zip(truth).filter(|(a, b)| a == b).count() as u64;
        let percent = |hits: u64| Some(100.0 * hits as f64 / truth.len() as f64);
        let mut row = MetricRow {
            epoch: self.position.epoch + 1,
            step: self.position.epoch * self.steps_an_epoch() + self.position.step,
            ..MetricRow::default()
        };
        let decision = hits(&step.lesson.answer.predicted()?);
        match (&step.lesson.answer, step.lesson.answer.stream_predictions()?) {
            (Answer::Psgl(_), Some([a, r, f])) => {
                let [a, r, f] = [hits(&a), hits(&r), hits(&f)];
                let sums = [r, f, a, truth.len() as u64];
                for (sum, more) in self.position.stream_hits.iter_mut().zip(sums) {
                    *sum += more;
                }
                let loss = |i: usize| step.lesson.losses.get(i).copied();
                (row.loss_a, row.loss_r, row.loss_f) = (loss(0), loss(1), loss(2));
                (row.acc_a, row.acc_r, row.acc_f) = (percent(a), percent(r), percent(f));
                row.acc_fused = percent(decision);
            }
            _ => row.acc_vanilla = percent(decision),
        }
        Ok(row)
    }

    fn test(&mut self) -> Result<()> {
        let test = &self.setup.test;
        let from = self.testing.iter().map(|chunk| chunk[0].len()).sum::<usize>();
        let to = (from + TEST_CHUNK).min(test.len());
        let (x, _) = test.batch(&(from..to).collect::<Vec<_>>(), &self.setup.device)?;
        let answer = self.models[self.position.model].answer(&x)?;
        let [a, r, f] = answer.stream_predictions()?.unwrap_or_default();
        self.testing.push([answer.predicted()?, a, r, f]);
        if to == test.len() {
            self.end_epoch()?;
        }
        Ok(())
    }

    fn end_epoch(&mut self) -> Result<()> {
        let labels = &self.setup.test.labels;
        let chunks = std::mem::take(&mut self.testing);
        let accuracy = |which: usize| {
            let predicted: Vec<u32> = chunks.iter().flat_map(|chunk| chunk[which].iter().copied()).collect();
            let hits = predicted.iter().zip(labels).filter(|(a, b)| a == b).count();
            (predicted.len() == labels.len()).then(|| 100.0 * hits as f64 / labels.len() as f64)
        };
        let model = &mut self.models[self.position.model];
        let row = EpochRow {
            model: model.plan.name.to_owned(),
            epoch: self.position.epoch + 1,
            attacked: accuracy(1),
            recovered: accuracy(2),
            fused_stream: accuracy(3),
            accuracy: accuracy(0).unwrap_or(0.0),
        };
        if self.setup.experiment.psgl.weights_from == WeightsFrom::Streams {
            let [r, f, a, _] = self.position.stream_hits;
            model.server.derive_weights([r, f, a].map(|hits| hits as f64));
        }
        self.position.stream_hits = [0; 4];
        self.position.epochs.push(row.clone());
        self.position.epoch += 1;
        self.position.step = 0;
        self.position.stage = Stage::Order;
        self.emit(Event::Epoch(row));
        self.save()
    }

    // --- attacks ----------------------------------------------------------------------------------

    fn attack(&mut self) -> Result<()> {
        let mut job = match self.active.take() {
            Some(job) => job,
            None => match self.pending.pop_front() {
                Some(order) => self.start_attack(order)?,
                None => return Ok(()),
            },
        };
        job.advance()?;
        let progress = job.progress();
        if self.pictured.is_none_or(|last| last.elapsed() >= PICTURE_EVERY) || job.done() {
            self.sink.pictures.put(job.scene()?);
            self.pictured = Some(Instant::now());
            self.emit(Event::Reconstruction(progress.clone()));
        }
        if self.position.model >= self.models.len() {
            self.progress(progress.attack, progress.iteration, progress.planned);
        }
        if job.done() {
            return self.end_attack(job);
        }
        self.active = Some(job);
        Ok(())
    }

    fn start_attack(&mut self, order: Order) -> Result<Job> {
        let plan = self.setup.plans.iter().find(|plan| plan.name == order.id.target);
        let plan = plan.ok_or_else(|| Error::input(format!("the checkpoint attacks {}", order.id.target)))?;
        Job::start(order, plan, &self.setup.auxiliary, &self.setup.targets, self.setup.seed())
    }

    fn end_attack(&mut self, job: Job) -> Result<()> {
        let id = &job.order.id;
        let last = id.epoch == self.setup.experiment.train.epochs;
        if last && id.target == "vanilla" && matches!(id.spec, AttackSpec::Inverse(_)) {
            self.inverting = Some((job, Vec::new()));
            return Ok(());
        }
        self.record_attack(&job)
    }

    /// The table's `vanilla_inverted`: what vanilla makes of test images reconstructed from its smashed data.
    fn invert(&mut self) -> Result<()> {
        let Some((job, mut classes)) = self.inverting.take() else { return Ok(()) };
        let test = &self.setup.test;
        let to = (classes.len() + TEST_CHUNK).min(test.len());
        let (x, _) = test.batch(&(classes.len()..to).collect::<Vec<_>>(), &self.setup.device)?;
        let Some(model) = self.models.iter().find(|model| model.plan.name == "vanilla") else { return Ok(()) };
        if let Some(stolen) = job.inversion().reconstruct(&model.ask(&x)?.0)? {
            classes.extend(crate::model::server::classes_of(&model.plain_logits(&stolen)?)?);
        }
        if to == test.len() {
            self.position.inverted = Some(classes);
            self.record_attack(&job)
        } else {
            self.inverting = Some((job, classes));
            Ok(())
        }
    }

    fn record_attack(&mut self, job: &Job) -> Result<()> {
        let finished = job.finish()?;
        if let Some(recorder) = &self.recorder {
            recorder.put(&finish::attack_file(&job.order.id), &finish::attack_sheet(job, &finished)?)?;
        }
        self.times.attacks.push(finished.record.seconds);
        let mut timeless = finished.record.clone();
        timeless.seconds = 0.0;
        self.position.attacks.push(timeless);
        self.emit(Event::Attack(finished.record));
        Ok(())
    }

    // --- the table --------------------------------------------------------------------------------

    pub(super) fn court(&self) -> Court<'_> {
        let model = |name: &str| self.models.iter().find(|model| model.plan.name == name);
        Court {
            psgl: model("psgl"),
            vanilla: model("vanilla"),
            test: &self.setup.test,
            classes: self.setup.classes(),
            psgl_spec: &self.setup.experiment.psgl,
            evaluate: &self.setup.experiment.evaluate,
            device: &self.setup.device,
        }
    }

    fn judge(&mut self) -> Result<Option<Summary>> {
        let mut judge = self.judge.take().unwrap_or_else(|| Judge::new(self.position.inverted.clone()));
        judge.advance(&self.court())?;
        let (done, total) = judge.progress(&self.court());
        self.progress("filling in the table".to_owned(), done, total);
        if done < total {
            self.judge = Some(judge);
            return Ok(None);
        }
        let verdict = judge.verdict(&self.court());
        self.save()?;
        let summary = finish::summary(self, verdict)?;
        if let Some(recorder) = &self.recorder {
            if let Some(sheet) = finish::maps_sheet(self)? {
                recorder.put(finish::MAPS_FILE, &sheet)?;
            }
            recorder.save_summary(&summary)?;
        }
        Ok(Some(summary))
    }

    // --- checkpoints ------------------------------------------------------------------------------

    /// Writes a checkpoint, where the run has a folder.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&mut self) -> Result<()> {
        if self.recorder.is_none() {
            return Ok(());
        }
        let checkpoint = self.checkpoint()?;
        if let Some(recorder) = &self.recorder {
            recorder.save(&checkpoint, &self.times, &self.hash)?;
        }
        self.saved = Instant::now();
        self.emit(Event::Saved);
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let mut position = self.position.clone();
        position.wire = self.models.iter().map(|model| model.wire).collect();
        let weights = |model: &SplitModel| {
            model.server.decision_weights().map(|weights| [weights.recovered, weights.fused, weights.attacked])
        };
        position.weights = self.models.iter().map(weights).collect();
        let mut checkpoint = Checkpoint { position, ..Checkpoint::default() };
        for model in &self.models {
            checkpoint.put_model(model)?;
        }
        // A running attack begins again when the run goes on: it ends the same.
        let running = self.active.iter().chain(self.inverting.iter().map(|(job, _)| job)).map(|job| &job.order);
        for (i, order) in running.chain(&self.pending).enumerate() {
            let prefix = format!("pending.{i}.");
            checkpoint.pending.push(order.id.clone());
            checkpoint.put(&prefix, order.client.clone());
            let own = [("smashed", &order.smashed), ("sent", &order.sent), ("maps", &order.maps)];
            checkpoint.put(&prefix, own.into_iter().map(|(name, t)| (name.to_owned(), t.clone())).collect());
        }
        Ok(checkpoint)
    }

    /// Keeps the metric rows when the run ends with an error: they were measured.
    pub fn keep_metrics(&self) {
        if let Some(recorder) = &self.recorder
            && let Err(error) = recorder.save_metrics()
        {
            tracing::error!("{error}");
        }
    }
}
