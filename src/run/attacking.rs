//! A session's attacks: one at a time, in slices, and the record of each.

use std::time::{Duration, Instant};

use super::attacks::Job;
use super::event::Event;
use super::kept::keep;
use super::orders::Order;
use super::session::Session;
use crate::error::{Error, Result};
use crate::model::seat::classes_of;
use crate::random::At;
use crate::split::UNDEFENDED;

/// Between pictures of a running attack.
const PICTURE_EVERY: Duration = Duration::from_millis(60);
/// Images deciphered at once for the table.
const INVERT_CHUNK: usize = 50;

impl Session {
    pub(super) fn attack(&mut self) -> Result<()> {
        let mut job = match self.active.take() {
            Some(job) => job,
            None => match self.pending.pop_front() {
                Some(order) => match self.start_attack(order)? {
                    Some(job) => job,
                    None => return Ok(()),
                },
                None => return Ok(()),
            },
        };
        if let Err(error) = job.advance() {
            return self.give_up(&job, error);
        }
        let progress = job.progress();
        if self.pictured.is_none_or(|last| last.elapsed() >= PICTURE_EVERY) || job.done() {
            self.sink.slots.pictures.put(job.scene()?);
            self.pictured = Some(Instant::now());
            self.emit(Event::Reconstruction(progress.clone()));
        }
        if self.turn().is_none() {
            self.progress(progress.attack, progress.iteration, progress.planned);
        }
        if job.done() {
            return self.end_attack(job);
        }
        self.active = Some(job);
        Ok(())
    }

    /// The attack, or none while what it will be scored on is still being made.
    fn start_attack(&mut self, order: Order) -> Result<Option<Job>> {
        let (n, setup) = (order.smashed.dim(0)?, &self.setup);
        let Some(bench) = self.benches.of(n, &setup.targets, &setup.auxiliary, setup.seed())? else {
            self.pending.push_front(order);
            return Ok(None);
        };
        let plan = setup.plans.iter().find(|plan| plan.name == order.id.target);
        let plan = plan.ok_or_else(|| Error::input(format!("the checkpoint attacks {}", order.id.target)))?;
        Job::start(order, plan, setup, bench).map(Some)
    }

    fn end_attack(&mut self, job: Job) -> Result<()> {
        let id = &job.order.id;
        let last = id.epoch == self.setup.experiment.train.epochs;
        if last && id.target == UNDEFENDED && id.spec.kind.fills_the_table {
            self.inverting = Some((job, Vec::new()));
            return Ok(());
        }
        self.record_attack(&job)
    }

    /// The table's `vanilla_inverted`: what vanilla makes of test images reconstructed from its smashed data.
    pub(super) fn invert(&mut self) -> Result<()> {
        let Some((job, mut classes)) = self.inverting.take() else { return Ok(()) };
        let test = &self.setup.test;
        let to = (classes.len() + INVERT_CHUNK).min(test.len());
        let samples: Vec<usize> = (classes.len()..to).collect();
        let (x, _) = test.batch(&samples, &self.setup.device)?;
        let Some(model) = self.models.iter().find(|model| !model.plan.defended()) else { return Ok(()) };
        let at = At::Ask { samples: &samples, draw: self.setup.experiment.train.epochs };
        if let Some(stolen) = job.inversion().reconstruct(&model.ask(&x, at)?.0)? {
            classes.extend(classes_of(&model.plain_logits(&stolen)?)?);
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
        if !finished.record.mse.is_finite() {
            return self.give_up(job, Error::Diverged("its images are not finite".to_owned()));
        }
        if let Some(recorder) = &self.recorder {
            keep(recorder, job, &finished, 0)?;
        }
        self.times.attacks.push(finished.record.seconds);
        let mut timeless = finished.record.clone();
        timeless.seconds = 0.0;
        self.position.attacks.push(timeless);
        let gallery = job.gallery(&finished)?;
        self.emit(Event::Attack(finished.record));
        self.emit(Event::Gallery(Box::new(gallery)));
        Ok(())
    }

    /// An attack that left the finite numbers stole nothing: the run says so and goes on without its row.
    fn give_up(&mut self, job: &Job, error: Error) -> Result<()> {
        let Error::Diverged(text) = error else { return Err(error) };
        self.emit(Event::Warning(format!("{}: {text}; it is left out of the results", job.order.id.words())));
        Ok(())
    }
}
