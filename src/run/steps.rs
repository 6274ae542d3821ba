//! The training steps of a run's models, slice by slice: the run takes them, and so does a replay of it, with the same
//! numbers.

use std::time::Duration;

use candle_core::Tensor;

use super::course::Course;
use super::prepared::Prepared;
use crate::data::{Feed, Part};
use crate::error::{Error, Result};
use crate::model::seat::Answer;
use crate::random::At;
use crate::split::{Hidden, SplitModel, Step, Underway};

/// What a step needs beside its model, and what there is of it between its slices. Models that take turns, each a whole
/// step, share one.
pub(super) struct Steps {
    /// The victim's images, batch by batch.
    feed: Feed,
    /// An epoch, and its order of the training images.
    order: Option<(usize, Vec<usize>)>,
    /// An epoch, a step, and its images as they are varied.
    varied: Option<([usize; 2], Tensor)>,
    /// The step's images in their disguise, once it is made.
    hidden: Option<Hidden>,
    /// The step, once its images have gone up.
    underway: Option<Underway>,
}

/// What a slice came to.
pub(super) enum Slice {
    /// The model's defences are at what they do before the epoch.
    Preparing,
    /// A part of the step was done.
    Part,
    /// The step was taken.
    Whole(Box<Taken>),
}

/// A step that was taken.
pub(super) struct Taken {
    /// What it brought forth.
    pub step: Step,
    /// The true classes of its images.
    pub truth: Vec<u32>,
    /// Right answers of the attacked, recovered and fused stream, where there are such.
    pub hits: Option<[u64; 3]>,
}

impl Steps {
    /// On these images.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread to read them.
    pub fn new(victim: &Part) -> Result<Self> {
        Ok(Self { feed: Feed::new(victim.clone())?, order: None, varied: None, hidden: None, underway: None })
    }

    /// How long it has waited for images; none where they are in memory.
    pub fn waited(&self) -> Option<Duration> {
        self.feed.waited()
    }

    /// One part of a model's next step. A Stop need not wait for the others: that the head has learnt is kept in the
    /// course, and what nothing was learnt from is made again.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the loss stops being finite.
    pub fn advance(&mut self, model: &mut SplitModel, course: &mut Course, setup: &Prepared) -> Result<Slice> {
        let (epoch, step) = (course.epoch, course.step);
        if !made_ready(model, course, setup)? {
            return Ok(Slice::Preparing);
        }
        let moment = At::Train { epoch, step };
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            // All models see the images in the same order.
            let mut stream = setup.seed().stream("order", epoch as u64);
            self.order = Some((epoch, stream.permutation(setup.victim.len())));
        }
        let order = self.order.as_ref().map_or(&[][..], |(_, order)| order);
        let batch = setup.experiment.train.batch;
        let from = step * batch;
        let of = |from: usize| &order[from.min(order.len())..(from + batch).min(order.len())];
        let indices = of(from);
        let (x, labels) = self.feed.batch(indices, of(from + batch), &setup.device)?;
        let x = varied(&mut self.varied, x, indices, [epoch, step], setup)?;
        model.pace(setup.pace().factor(epoch, step));
        if !course.head_learnt {
            let loss = model.own_step(&x, &labels, moment)?;
            check_finite(model, course, loss.as_slice(), setup)?;
            course.head_learnt = true;
            if loss.is_some() {
                return Ok(Slice::Part);
            }
        }
        let Some(underway) = self.underway.take() else {
            match self.hidden.take() {
                // What a defence does to images may take as long as the rest.
                None if model.plan.defended() => self.hidden = Some(model.hide(&x, moment)?),
                hidden => {
                    let hidden = hidden.map_or_else(|| model.hide(&x, moment), Ok)?;
                    self.underway = Some(model.send(&x, hidden, &labels, moment)?);
                }
            }
            return Ok(Slice::Part);
        };
        let truth: Vec<u32> = indices.iter().map(|i| setup.victim.labels()[*i]).collect();
        let step = model.learn(underway)?;
        check_finite(model, course, &step.lesson.losses, setup)?;
        course.step += 1;
        (course.ready, course.head_learnt) = (false, false);
        let hits = three_streams(&step.lesson.answer)?.map(|streams| streams.map(|classes| hits(&classes, &truth)));
        if let Some([a, r, f]) = hits {
            let sums = [r, f, a, truth.len() as u64];
            course.stream_hits.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
        }
        Ok(Slice::Whole(Box::new(Taken { step, truth, hits })))
    }
}

/// The images of a step as they are varied, which is done once for all models and slices.
fn varied(
    kept: &mut Option<([usize; 2], Tensor)>,
    x: Tensor,
    samples: &[usize],
    at: [usize; 2],
    setup: &Prepared,
) -> Result<Tensor> {
    let augment = setup.experiment.train.augment();
    if augment.is_none() {
        return Ok(x);
    }
    if let Some((_, x)) = kept.as_ref().filter(|(of, _)| *of == at) {
        return Ok(x.clone());
    }
    let x = augment.varied(&x, samples, at[0], setup.seed())?;
    *kept = Some((at, x.clone()));
    Ok(x)
}

/// How many classes are the true ones.
pub(super) fn hits(classes: &[u32], truth: &[u32]) -> u64 {
    classes.iter().zip(truth).filter(|(a, b)| a == b).count() as u64
}

/// A slice of what a model's defences do before an epoch; true once they are done.
fn made_ready(model: &mut SplitModel, course: &mut Course, setup: &Prepared) -> Result<bool> {
    if course.ready || course.head_learnt || course.step > 0 || !model.plan.defended() {
        return Ok(true);
    }
    course.ready = model.prepare(&setup.victim, course.epoch, &setup.device)?;
    Ok(course.ready)
}

fn check_finite(model: &SplitModel, course: &Course, losses: &[f64], setup: &Prepared) -> Result<()> {
    let Some(loss) = losses.iter().find(|loss| !loss.is_finite()) else { return Ok(()) };
    Err(Error::Diverged(format!(
        "training {}: the loss became {loss} in epoch {}, step {}; lower train.rate (now {}). What was measured before is \
         kept",
        model.plan.name,
        course.epoch + 1,
        course.step + 1,
        setup.experiment.train.rate
    )))
}

/// The predicted classes of the attacked, recovered and fused stream, where the server has these three.
pub(super) fn three_streams(answer: &Answer) -> Result<Option<[Vec<u32>; 3]>> {
    Ok(<[_; 3]>::try_from(answer.stream_predictions()?).ok().map(|streams| streams.map(|(_, classes)| classes)))
}
