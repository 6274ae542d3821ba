//! A session's training: epochs of steps, the test after each, and the attacks that fall due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attack_order::{Capturing, is_due};
use super::course::{Course, Stage, turn};
use super::event::Event;
use super::scene::Scene;
use super::session::Session;
use super::steps::{Slice, Taken, hits, three_streams};
use super::summary::{EpochRow, MetricRow};
use super::weights::{ModelWeights, trained};
use crate::error::Result;
use crate::experiment::AttackSpec;
use crate::random::At;
use crate::score::classification::Confusion;
use crate::score::meters::Meters;
use crate::score::utility::{best_held_out, final_epoch};
use crate::split::meter::Meter;

/// Between pictures of training.
const STAGE_EVERY: Duration = Duration::from_millis(150);
/// Test images at once.
const TEST_CHUNK: usize = 50;

impl Session {
    pub(super) fn steps_an_epoch(&self) -> usize {
        self.setup.steps_an_epoch()
    }

    /// The model that is to train next; none once all have been trained.
    pub(super) fn turn(&self) -> Option<usize> {
        turn(&self.position.courses, self.steps_an_epoch())
    }

    fn course(&mut self, at: usize) -> &mut Course {
        &mut self.position.courses[at]
    }

    /// A slice of model `at`'s training.
    pub(super) fn train(&mut self, at: usize) -> Result<()> {
        let start = Instant::now();
        let course = &self.position.courses[at];
        match course.stage {
            Stage::Order => {
                let last = self.is_over(at);
                if last && self.capturing.is_none() {
                    self.take_final_weights(at)?;
                }
                if !self.order_attacks(at, last)? {
                    self.training_progress();
                    return Ok(());
                }
                self.course(at).stage = if last { Stage::Done } else { Stage::Train };
                if self.turn().is_none() {
                    self.tell_waiting();
                }
            }
            Stage::Train if course.step < self.steps_an_epoch() => {
                let whole = self.train_step(at)?;
                if let Some([training, _]) = &mut self.times.fed {
                    *training += start.elapsed().as_secs_f64();
                }
                self.speeds.steps[at].add(start.elapsed().as_secs_f64(), usize::from(whole));
                if whole {
                    self.training_progress();
                }
            }
            Stage::Train => self.course(at).stage = Stage::Test,
            Stage::Test if self.meter.is_some() => self.read_meter(at)?,
            Stage::Test => {
                let images = self.test(at)?;
                self.speeds.tests[at].add(start.elapsed().as_secs_f64(), images);
            }
            Stage::Done => {}
        }
        Ok(())
    }

    /// Says how long training has waited for images, where they are on disk.
    fn tell_waiting(&mut self) {
        let Some([training, waited]) = self.times.fed else { return };
        let share = 100.0 * waited / training.max(f64::MIN_POSITIVE);
        self.emit(Event::Note(format!(
            "Training waited for images from disk {share:.1} % of its time: {waited:.1} s of {training:.1} s"
        )));
    }

    /// How far all models are together, and which of them are in training.
    fn training_progress(&mut self) {
        let (an_epoch, epochs) = (self.steps_an_epoch(), self.setup.experiment.train.epochs);
        let courses = || self.position.courses.iter();
        let going = courses().zip(&self.models).filter(|(course, _)| !course.done());
        let names: Vec<&str> = going.map(|(_, model)| model.plan.name.as_str()).collect();
        let done = courses().map(|course| course.steps(an_epoch)).sum();
        // One that has ended early takes no more.
        let all = |course: &Course| if course.done() { course.steps(an_epoch) } else { epochs * an_epoch };
        let planned = courses().map(all).sum();
        self.progress(format!("training {}", names.join(" and ")), done, planned);
    }

    /// Some questions for the attacks that are due; true once all are ordered. They begin only then, so that a Stop in
    /// between leaves none ordered twice. Those after a training that is `over` are of its last epoch, however early that
    /// came and whichever weights were taken.
    fn order_attacks(&mut self, at: usize, over: bool) -> Result<bool> {
        let last = self.setup.experiment.train.epochs;
        let epoch = if over { last } else { self.position.courses[at].epoch };
        let mut capturing = if let Some(capturing) = self.capturing.take() {
            capturing
        } else {
            let specs = self.setup.experiment.attacks.iter().filter(|spec| is_due(spec, epoch, last));
            let specs: Vec<AttackSpec> = specs.cloned().collect();
            if specs.is_empty() {
                return Ok(true);
            }
            Capturing::new(specs, epoch, &self.setup.attacked()?)?
        };
        let orders = capturing.advance(&self.models[at])?;
        if orders.is_none() {
            self.capturing = Some(capturing);
        }
        Ok(orders.map(|orders| self.attacks.extend(orders)).is_some())
    }

    /// One part of a training step; true once that was the last.
    fn train_step(&mut self, at: usize) -> Result<bool> {
        let before = self.steps.waited();
        let slice = self.steps.advance(&mut self.models[at], &mut self.position.courses[at], &self.setup)?;
        if let Some((before, now)) = before.zip(self.steps.waited()) {
            self.times.fed.get_or_insert_default()[1] += now.saturating_sub(before).as_secs_f64();
        }
        let taken = match slice {
            Slice::Preparing => {
                self.training_progress();
                return Ok(false);
            }
            Slice::Part => return Ok(false),
            Slice::Whole(taken) => taken,
        };
        let row = self.metric_row(at, &taken)?;
        self.emit(Event::Steps(vec![row]));
        // Being watched must not change how a run ends.
        if let Err(error) = self.show_stage(at) {
            tracing::warn!("the stage cannot be shown: {error}");
        }
        Ok(true)
    }

    /// The first target's way through model `at` as it is now, for those who watch; nothing is learnt. Of models that
    /// take turns only the first is shown: pictures of both in turn would flicker.
    fn show_stage(&mut self, at: usize) -> Result<()> {
        let attacking = self.attacks.any();
        let due = self.pictured.is_none_or(|last| last.elapsed() >= STAGE_EVERY);
        let first = self.position.courses.iter().position(|course| !course.done()) == Some(at);
        if !first || !due || attacking || !self.sink.slots.pictures.wanted() || self.setup.targets.is_empty() {
            return Ok(());
        }
        let target = self.setup.targets.take(1);
        let mut scene = Scene::of(&self.models[at], &target.tensor(&self.setup.device)?)?;
        scene.label = target.labels().first().map(|label| *label as usize);
        scene.stamp.trained = Some(format!("epoch {}", self.position.courses[at].epoch + 1));
        self.sink.slots.pictures.put(scene);
        self.pictured = Some(Instant::now());
        Ok(())
    }

    /// Whether model `at`'s training is over: after all epochs, or once it has not become better for too long.
    fn is_over(&self, at: usize) -> bool {
        let train = &self.setup.experiment.train;
        let epoch = self.position.courses[at].epoch;
        let best = || best_held_out(&self.position.epochs, &self.models[at].plan.name);
        let patience = train.patience;
        epoch == train.epochs || patience > 0 && best().is_some_and(|(best, _)| epoch >= best + patience)
    }

    /// Takes back the weights of model `at`'s best epoch, where they are the ones to be tested and attacked.
    fn take_final_weights(&mut self, at: usize) -> Result<()> {
        let name = self.models[at].plan.name.clone();
        let takes_best = self.setup.experiment.train.takes_best();
        let epoch = final_epoch(&self.position.epochs, &name, takes_best);
        if let Some(missed) = self.missed_attacks(at) {
            self.emit(Event::Note(missed));
        }
        self.setup.final_epochs.insert(name, epoch);
        if epoch == self.position.courses[at].epoch {
            return Ok(());
        }
        self.best_of(at)?.restore(at, &mut self.models[at])?;
        if let Err(error) = self.show_weights(at, epoch) {
            tracing::warn!("the weights cannot be shown: {error}");
        }
        Ok(())
    }

    /// What is said where model `at`'s training ended before epochs after which attacks were to come.
    fn missed_attacks(&self, at: usize) -> Option<String> {
        let (ended, last) = (self.position.courses[at].epoch, self.setup.experiment.train.epochs);
        let attacks = &self.setup.experiment.attacks;
        let late = (ended + 1..last).filter(|epoch| attacks.iter().any(|spec| is_due(spec, *epoch, last)));
        let late: Vec<String> = late.map(|epoch| epoch.to_string()).collect();
        let name = &self.models[at].plan.name;
        (!late.is_empty()).then(|| {
            let patience = self.setup.experiment.train.patience;
            format!(
                "{name}: its training ended after epoch {ended}, not better for {patience} epochs: attacks that were to come \
                 after epoch {} never do",
                late.join(", ")
            )
        })
    }

    /// Hands out model `at`'s weights after so many epochs, for those who want to ask it something.
    fn show_weights(&mut self, at: usize, epoch: usize) -> Result<()> {
        if !self.sink.slots.weights.wanted() {
            return Ok(());
        }
        let model = &self.models[at];
        let words = trained(&self.setup.experiment, model.plan.defended(), epoch);
        self.weights.models.insert(model.plan.name.clone(), ModelWeights::of(model, words)?);
        self.sink.slots.weights.put(Arc::new(self.weights.clone()));
        Ok(())
    }

    fn metric_row(&self, at: usize, taken: &Taken) -> Result<MetricRow> {
        let Taken { step, truth, hits: of_streams } = taken;
        let percent = |hits: u64| Some(100.0 * hits as f64 / truth.len() as f64);
        let course = &self.position.courses[at];
        let steps = course.steps(self.steps_an_epoch());
        let mut row = MetricRow { epoch: course.epoch + 1, step: steps, ..MetricRow::default() };
        if let Some([a, r, f]) = of_streams {
            let loss = |i: usize| step.lesson.losses.get(i).copied();
            (row.loss_a, row.loss_r, row.loss_f) = (loss(0), loss(1), loss(2));
            (row.acc_a, row.acc_r, row.acc_f) = (percent(*a), percent(*r), percent(*f));
        }
        let decision = percent(hits(&step.lesson.answer.predicted()?, truth));
        let defended = self.models[at].plan.defended();
        *if defended { &mut row.acc_fused } else { &mut row.acc_vanilla } = decision;
        Ok(row)
    }

    /// Asks model `at` about the next few test images, and once about all of them about those for validation; so many.
    fn test(&mut self, at: usize) -> Result<usize> {
        let (test, validation) = (&self.setup.test, &self.setup.validation);
        let asked = self.testing.iter().map(|chunk| chunk[0].len()).sum::<usize>();
        let (part, from) = if asked < test.len() { (test, asked) } else { (validation, asked - test.len()) };
        let to = (from + TEST_CHUNK).min(part.len());
        let samples: Vec<usize> = (from..to).collect();
        let (x, _) = part.batch(&samples, &self.setup.device)?;
        let draw = self.position.courses[at].epoch + 1;
        let answer = self.models[at].answer(&x, At::Ask { samples: &samples, draw })?;
        let [a, r, f] = three_streams(&answer)?.unwrap_or_default();
        self.testing.push([answer.predicted()?, a, r, f]);
        if asked + samples.len() == test.len() + validation.len() {
            self.begin_meter(at, draw)?;
        }
        Ok(samples.len())
    }

    /// Begins to read the leak meters at model `at`, on test images.
    fn begin_meter(&mut self, at: usize, draw: usize) -> Result<()> {
        let last = draw == self.setup.experiment.train.epochs;
        let (model, test) = (&self.models[at], &self.setup.test);
        self.meter = Some(Meter::new(model, test, draw, last, self.setup.seed(), &self.setup.device)?);
        Ok(())
    }

    fn read_meter(&mut self, at: usize) -> Result<()> {
        let Some(meter) = &mut self.meter else { return Ok(()) };
        let Some(meters) = meter.advance(&self.models[at])? else { return Ok(()) };
        self.meter = None;
        self.end_epoch(at, meters.if_finite())
    }

    fn end_epoch(&mut self, at: usize, meters: Option<Meters>) -> Result<()> {
        let (test, validation) = (self.setup.test.labels(), self.setup.validation.labels());
        let chunks = std::mem::take(&mut self.testing);
        let predicted = |which: usize| chunks.iter().flat_map(move |chunk| chunk[which].iter());
        let share = |hits: usize, labels: &[u32]| 100.0 * hits as f64 / labels.len() as f64;
        let right = |predicted: &mut dyn Iterator<Item = &u32>, labels: &[u32]| {
            share(predicted.zip(labels).filter(|(a, b)| a == b).count(), labels)
        };
        // What has no streams answers nothing in their place.
        let accuracy = |which: usize| predicted(which).next().map(|_| right(&mut predicted(which), test));
        let held_out: Vec<u32> = predicted(0).skip(test.len()).copied().collect();
        let of_validation = |share: fn(&Confusion) -> f64| {
            (!validation.is_empty()).then(|| share(&Confusion::new(&held_out, validation, self.setup.classes())))
        };
        let (validation, balanced) = (of_validation(Confusion::accuracy), of_validation(Confusion::balanced_accuracy));
        let (model, course) = (&mut self.models[at], &mut self.position.courses[at]);
        let row = EpochRow {
            model: model.plan.name.clone(),
            epoch: course.epoch + 1,
            attacked: accuracy(1),
            recovered: accuracy(2),
            fused_stream: accuracy(3),
            accuracy: accuracy(0).unwrap_or(0.0),
            validation,
            validation_balanced: balanced,
            meters,
        };
        course.end_epoch(&mut *model.server);
        let epoch = course.epoch;
        self.position.epochs.push(row.clone());
        self.emit(Event::Epoch(row));
        if let Err(error) = self.show_weights(at, epoch) {
            tracing::warn!("the weights cannot be shown: {error}");
        }
        // Before the checkpoint: whoever goes on from the one before ends this epoch again, and keeps the same.
        self.keep_best(at)?;
        self.save()
    }
}
