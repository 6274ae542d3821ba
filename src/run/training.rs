//! A session's training: epochs of steps, the test after each, and the attacks that fall due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attack_order::{Capturing, is_due};
use super::course::{Course, Stage, turn};
use super::event::Event;
use super::scene::Scene;
use super::session::Session;
use super::summary::{EpochRow, MetricRow};
use super::weights::{ModelWeights, trained};
use crate::error::{Error, Result};
use crate::experiment::AttackSpec;
use crate::model::seat::Answer;
use crate::random::At;
use crate::split::Step;

/// Between pictures of training.
const STAGE_EVERY: Duration = Duration::from_millis(150);
/// Test images at once.
const TEST_CHUNK: usize = 50;

impl Session {
    pub(super) fn steps_an_epoch(&self) -> usize {
        self.setup.victim.len().div_ceil(self.setup.experiment.train.batch)
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
        let epochs = self.setup.experiment.train.epochs;
        let course = &self.position.courses[at];
        match course.stage {
            Stage::Order => {
                let last = course.epoch == epochs;
                if !self.order_attacks(at)? {
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
        self.progress(format!("training {}", names.join(" and ")), done, self.models.len() * epochs * an_epoch);
    }

    /// Some questions for the attacks that are due; true once all are ordered. They begin only then, so that a Stop in
    /// between leaves none ordered twice.
    fn order_attacks(&mut self, at: usize) -> Result<bool> {
        let (epoch, last) = (self.position.courses[at].epoch, self.setup.experiment.train.epochs);
        let mut capturing = if let Some(capturing) = self.capturing.take() {
            capturing
        } else {
            let specs = self.setup.experiment.attacks.iter().filter(|spec| is_due(spec, epoch, last));
            let specs: Vec<AttackSpec> = specs.cloned().collect();
            if specs.is_empty() {
                return Ok(true);
            }
            let targets = self.setup.targets.tensor(&self.setup.device)?;
            Capturing::new(specs, epoch, &targets, &self.setup.places)?
        };
        let orders = capturing.advance(&self.models[at])?;
        if orders.is_none() {
            self.capturing = Some(capturing);
        }
        Ok(orders.map(|orders| self.attacks.extend(orders)).is_some())
    }

    /// A slice of what model `at`'s defences do before an epoch; true once they are done.
    fn make_ready(&mut self, at: usize) -> Result<bool> {
        let course = &self.position.courses[at];
        if course.ready || course.head_learnt || course.step > 0 || !self.models[at].plan.defended() {
            return Ok(true);
        }
        let ready = self.models[at].prepare(&self.setup.victim, course.epoch, &self.setup.device)?;
        self.course(at).ready = ready;
        if !ready {
            self.training_progress();
        }
        Ok(ready)
    }

    /// One part of a training step; true once that was the last. A Stop need not wait for the others: that the head
    /// has learnt is kept in the position, and what nothing was learnt from is made again.
    fn train_step(&mut self, at: usize) -> Result<bool> {
        let (epoch, step) = (self.position.courses[at].epoch, self.position.courses[at].step);
        if !self.make_ready(at)? {
            return Ok(false);
        }
        let moment = At::Train { epoch, step };
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            // All models see the images in the same order.
            let mut stream = self.setup.seed().stream("order", epoch as u64);
            self.order = Some((epoch, stream.permutation(self.setup.victim.len())));
        }
        let order = self.order.as_ref().map_or(&[][..], |(_, order)| order);
        let batch = self.setup.experiment.train.batch;
        let from = step * batch;
        let of = |from: usize| &order[from.min(order.len())..(from + batch).min(order.len())];
        let indices = of(from);
        let before = self.feed.waited();
        let (x, labels) = self.feed.batch(indices, of(from + batch), &self.setup.device)?;
        if let Some((before, now)) = before.zip(self.feed.waited()) {
            self.times.fed.get_or_insert_default()[1] += now.saturating_sub(before).as_secs_f64();
        }
        let truth: Vec<u32> = indices.iter().map(|i| self.setup.victim.labels()[*i]).collect();
        if !self.position.courses[at].head_learnt {
            let loss = self.models[at].own_step(&x, &labels, moment)?;
            self.check_finite(at, loss.as_slice())?;
            self.course(at).head_learnt = true;
            if loss.is_some() {
                return Ok(false);
            }
        }
        let Some(underway) = self.underway.take() else {
            let model = &mut self.models[at];
            match self.hidden.take() {
                // What a defence does to images may take as long as the rest.
                None if model.plan.defended() => self.hidden = Some(model.hide(&x, moment)?),
                hidden => {
                    let hidden = hidden.map_or_else(|| model.hide(&x, moment), Ok)?;
                    self.underway = Some(model.send(&x, hidden, &labels, moment)?);
                }
            }
            return Ok(false);
        };
        let step = self.models[at].learn(underway)?;
        self.check_finite(at, &step.lesson.losses)?;
        let course = self.course(at);
        course.step += 1;
        (course.ready, course.head_learnt) = (false, false);
        let row = self.metric_row(at, &step, &truth)?;
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

    /// Hands out model `at`'s weights, for those who want to ask it something.
    fn show_weights(&mut self, at: usize) -> Result<()> {
        if !self.sink.slots.weights.wanted() {
            return Ok(());
        }
        let model = &self.models[at];
        let words = trained(&self.setup.experiment, model.plan.defended(), self.position.courses[at].epoch);
        self.weights.models.insert(model.plan.name.clone(), ModelWeights::of(model, words)?);
        self.sink.slots.weights.put(Arc::new(self.weights.clone()));
        Ok(())
    }

    fn check_finite(&self, at: usize, losses: &[f64]) -> Result<()> {
        let Some(loss) = losses.iter().find(|loss| !loss.is_finite()) else { return Ok(()) };
        let (name, course) = (&self.models[at].plan.name, &self.position.courses[at]);
        Err(Error::Diverged(format!(
            "training {name}: the loss became {loss} in epoch {}, step {}; lower train.rate (now {}). What was \
             measured before is kept",
            course.epoch + 1,
            course.step + 1,
            self.setup.experiment.train.rate
        )))
    }

    fn metric_row(&mut self, at: usize, step: &Step, truth: &[u32]) -> Result<MetricRow> {
        let hits = |classes: &[u32]| classes.iter().zip(truth).filter(|(a, b)| a == b).count() as u64;
        let percent = |hits: u64| Some(100.0 * hits as f64 / truth.len() as f64);
        let an_epoch = self.steps_an_epoch();
        let course = self.course(at);
        let mut row = MetricRow { epoch: course.epoch + 1, step: course.steps(an_epoch), ..MetricRow::default() };
        if let Some([a, r, f]) = three_streams(&step.lesson.answer)? {
            let [a, r, f] = [hits(&a), hits(&r), hits(&f)];
            let sums = [r, f, a, truth.len() as u64];
            for (sum, more) in course.stream_hits.iter_mut().zip(sums) {
                *sum += more;
            }
            let loss = |i: usize| step.lesson.losses.get(i).copied();
            (row.loss_a, row.loss_r, row.loss_f) = (loss(0), loss(1), loss(2));
            (row.acc_a, row.acc_r, row.acc_f) = (percent(a), percent(r), percent(f));
        }
        let decision = percent(hits(&step.lesson.answer.predicted()?));
        let defended = self.models[at].plan.defended();
        *if defended { &mut row.acc_fused } else { &mut row.acc_vanilla } = decision;
        Ok(row)
    }

    /// Asks model `at` about the next few test images; so many.
    fn test(&mut self, at: usize) -> Result<usize> {
        let test = &self.setup.test;
        let from = self.testing.iter().map(|chunk| chunk[0].len()).sum::<usize>();
        let to = (from + TEST_CHUNK).min(test.len());
        let samples: Vec<usize> = (from..to).collect();
        let (x, _) = test.batch(&samples, &self.setup.device)?;
        let draw = self.position.courses[at].epoch + 1;
        let answer = self.models[at].answer(&x, At::Ask { samples: &samples, draw })?;
        let [a, r, f] = three_streams(&answer)?.unwrap_or_default();
        self.testing.push([answer.predicted()?, a, r, f]);
        if to == test.len() {
            self.end_epoch(at)?;
        }
        Ok(to - from)
    }

    fn end_epoch(&mut self, at: usize) -> Result<()> {
        let labels = self.setup.test.labels();
        let chunks = std::mem::take(&mut self.testing);
        let accuracy = |which: usize| {
            let predicted: Vec<u32> = chunks.iter().flat_map(|chunk| chunk[which].iter().copied()).collect();
            let hits = predicted.iter().zip(labels).filter(|(a, b)| a == b).count();
            (predicted.len() == labels.len()).then(|| 100.0 * hits as f64 / labels.len() as f64)
        };
        let (model, course) = (&mut self.models[at], &mut self.position.courses[at]);
        let row = EpochRow {
            model: model.plan.name.clone(),
            epoch: course.epoch + 1,
            attacked: accuracy(1),
            recovered: accuracy(2),
            fused_stream: accuracy(3),
            accuracy: accuracy(0).unwrap_or(0.0),
        };
        let [r, f, a, _] = course.stream_hits;
        model.server.end_epoch(&[r, f, a].map(|hits| hits as f64));
        *course = Course { epoch: course.epoch + 1, ..Course::default() };
        self.position.epochs.push(row.clone());
        self.emit(Event::Epoch(row));
        if let Err(error) = self.show_weights(at) {
            tracing::warn!("the weights cannot be shown: {error}");
        }
        self.save()
    }
}

/// The predicted classes of the attacked, recovered and fused stream, where the server has these three.
pub(super) fn three_streams(answer: &Answer) -> Result<Option<[Vec<u32>; 3]>> {
    Ok(<[_; 3]>::try_from(answer.stream_predictions()?).ok().map(|streams| streams.map(|(_, classes)| classes)))
}
