//! Attacks one after another, in slices: at models in training and at those of a finished run alike.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attack_files::keep;
use super::attack_job::{Benches, Job};
use super::attack_order::{AttackId, Order};
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::scene::{AttackProgress, Gallery, Scene};
use super::summary::AttackRecord;
use crate::error::device::Load;
use crate::error::{Error, Result};
use crate::model::seat::classes_of;
use crate::random::At;
use crate::score::judging::Bench;
use crate::split::SplitModel;

/// Between pictures of a running attack.
const PICTURE_EVERY: Duration = Duration::from_millis(60);
/// Images deciphered at once for the table.
const DECIPHERED: usize = 50;

/// Attacks that wait, and the one that is at work.
#[derive(Default)]
pub struct Queue {
    waiting: VecDeque<Order>,
    active: Option<Job>,
    /// One that is done, deciphering the whole test set for the table, and what its model made of that so far.
    deciphering: Option<(Job, Vec<u32>)>,
    benches: Benches,
    pictured: Option<Instant>,
}

/// What a slice came to.
pub enum Slice {
    /// None waits, or what the next one will be scored on is still being made.
    Nothing,
    /// The attack got on.
    Work {
        /// How far it is.
        progress: AttackProgress,
        /// Seconds that it has taken.
        seconds: f64,
        /// What there is to see, now and then.
        scene: Option<Box<Scene>>,
        /// The attack, where that was its last slice.
        ended: Option<Box<Job>>,
    },
    /// It left the finite numbers and stole nothing: why, in words.
    GaveUp(String),
}

/// What a finished attack came to.
pub enum Outcome {
    /// It was scored, and its files are written; its pictures, if it makes any.
    Kept(Box<AttackRecord>, Option<Box<Gallery>>),
    /// It made nothing that can be scored: why, in words.
    GaveUp(String),
}

impl Queue {
    /// Lets attacks wait.
    pub fn extend(&mut self, orders: impl IntoIterator<Item = Order>) {
        self.waiting.extend(orders);
    }

    /// Those that wait, in their order.
    pub fn waiting(&self) -> &VecDeque<Order> {
        &self.waiting
    }

    /// The one that is at work.
    pub fn active(&self) -> Option<&Job> {
        self.active.as_ref()
    }

    /// The one that gets the next slice.
    pub fn next(&self) -> Option<&AttackId> {
        self.active.as_ref().map(|job| &job.order.id).or_else(|| self.waiting.front().map(|order| &order.id))
    }

    /// Whether one is at work or waits.
    pub fn any(&self) -> bool {
        self.active.is_some() || !self.waiting.is_empty()
    }

    /// What attacks at `n` targets are scored on, once it is made; a slice of making it otherwise.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn bench(&mut self, n: usize, setup: &Prepared) -> Result<Option<Arc<Bench>>> {
        self.benches.of(n, &setup.targets, &setup.auxiliary, setup.seed())
    }

    /// One slice of work.
    ///
    /// # Errors
    /// Returns an error if an attack lacks what it needs or fails otherwise than by leaving the finite numbers.
    pub fn advance(&mut self, setup: &Prepared) -> Result<Slice> {
        let active = if let Some(job) = self.active.take() {
            Some(job)
        } else {
            let next = self.next().map(AttackId::words).unwrap_or_default();
            match self.start(setup) {
                Err(Error::Diverged(text)) => return Ok(Slice::GaveUp(format!("{next}: {text}"))),
                other => other?,
            }
        };
        let Some(mut job) = active else { return Ok(Slice::Nothing) };
        match job.advance(setup) {
            Err(Error::Diverged(text)) => return Ok(Slice::GaveUp(format!("{}: {text}", job.order.id.words()))),
            other => other.map_err(|error| error.at(|| at_attack(&job.order)))?,
        }
        if job.out_of_time() && !job.has_something()? {
            let limit = job.order.id.spec.seconds;
            let text = format!("{}: its {limit} seconds were over before it had made anything", job.order.id.words());
            return Ok(Slice::GaveUp(text));
        }
        let (progress, seconds, done) = (job.progress(), job.seconds(), job.done());
        let due = done || self.pictured.is_none_or(|last| last.elapsed() >= PICTURE_EVERY);
        let scene = if due { Some(Box::new(job.scene()?)) } else { None };
        if due {
            self.pictured = Some(Instant::now());
        }
        let ended = if done {
            Some(Box::new(job))
        } else {
            self.active = Some(job);
            None
        };
        Ok(Slice::Work { progress, seconds, scene, ended })
    }

    /// The next attack; none where none waits, while its bench is being made, and where it goes on to decipher.
    fn start(&mut self, setup: &Prepared) -> Result<Option<Job>> {
        let Some(order) = self.waiting.pop_front() else { return Ok(None) };
        let Some(bench) = self.bench(order.images(), setup)? else {
            self.waiting.push_front(order);
            return Ok(None);
        };
        let plan = setup.plans.iter().find(|plan| plan.name == order.id.target);
        let plan = plan.ok_or_else(|| Error::input(format!("the checkpoint attacks {}", order.id.target)))?;
        let (job, deciphered) = Job::start(order, plan, setup, bench)?;
        match deciphered {
            None => Ok(Some(job)),
            Some(classes) => {
                self.deciphering = Some((job, classes));
                Ok(None)
            }
        }
    }

    /// Whether one deciphers the test set.
    pub fn deciphers(&self) -> bool {
        self.deciphering.is_some()
    }

    /// Has a finished attack decipher the test set, for [`Queue::decipher`].
    pub fn decipher_all(&mut self, job: Job) {
        self.deciphering = Some((job, Vec::new()));
    }

    /// What `model` makes of the next few test images as the attack deciphers them from its smashed data; the attack and
    /// all classes once it has been through all.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn decipher(&mut self, setup: &Prepared, model: &SplitModel) -> Result<Option<(Job, Vec<u32>)>> {
        let Some((job, mut classes)) = self.deciphering.take() else { return Ok(None) };
        let test = &setup.test;
        let to = (classes.len() + DECIPHERED).min(test.len());
        let samples: Vec<usize> = (classes.len()..to).collect();
        let (x, _) = test.batch(&samples, &setup.device)?;
        let at = At::Ask { samples: &samples, draw: setup.experiment.train.epochs };
        if let Some(stolen) = job.reconstruct(&model.ask(&x, at)?.0)? {
            classes.extend(classes_of(&model.plain_logits(&stolen)?)?);
        }
        if to == test.len() {
            return Ok(Some((job, classes)));
        }
        self.deciphering = Some((job, classes));
        Ok(None)
    }

    /// All of them as a checkpoint keeps them: the one at work first, with its state.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn saved(&self) -> Result<Vec<Order>> {
        let active = self.active.iter().map(|job| job.saved(None));
        let deciphering = self.deciphering.iter().map(|(job, classes)| job.saved(Some(classes.clone())));
        active.chain(deciphering).chain(self.waiting.iter().cloned().map(Ok)).collect()
    }

    /// Seconds that the one at work has taken.
    pub fn seconds(&self) -> f64 {
        let begun = || self.waiting.front().and_then(|order| order.begun.as_ref());
        let job = self.active.as_ref().or(self.deciphering.as_ref().map(|(job, _)| job));
        job.map(Job::seconds).or_else(|| begun().map(|begun| begun.seconds)).unwrap_or(0.0)
    }
}

/// Scores a finished attack and writes its files, where there is a folder. `launch` says from its record which launch of
/// the same attack it is, see [`keep`].
///
/// # Errors
/// Returns an error if the disk refuses.
pub fn conclude(
    job: &Job,
    recorder: Option<&Recorder>,
    launch: impl FnOnce(&AttackRecord) -> usize,
) -> Result<Outcome> {
    let finished = job.finish()?;
    if finished.images.is_some() && !finished.record.mse.is_finite() {
        return Ok(Outcome::GaveUp(format!("{}: its images are not finite", job.order.id.words())));
    }
    if let Some(recorder) = recorder {
        keep(recorder, job, &finished, launch(&finished.record))?;
    }
    let gallery = finished.images.is_some().then(|| job.gallery(&finished)).transpose()?;
    Ok(Outcome::Kept(Box::new(finished.record), gallery.map(Box::new)))
}

/// For a device that fails in an attack.
fn at_attack(order: &Order) -> Load {
    Load {
        work: format!("{} on {} images", order.id.words(), order.images()),
        lower: "the attack's images, or its batch where it has one".to_owned(),
    }
}
