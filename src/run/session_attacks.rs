//! A session's attacks: when they get a slice, what is told of them, and the record of each.

use super::attack_job::Job;
use super::attack_queue::{Outcome, Slice, conclude};
use super::event::Event;
use super::session::Session;
use crate::error::{Error, Result};
use crate::split::UNDEFENDED;

impl Session {
    /// A slice of the attack at work.
    pub(super) fn attack(&mut self) -> Result<()> {
        match self.attacks.advance(&self.setup)? {
            Slice::Nothing => {}
            Slice::GaveUp(why) => self.leave_out(&why),
            Slice::Work { progress, scene, ended, .. } => {
                if let Some(scene) = scene {
                    self.sink.slots.pictures.put(*scene);
                    self.emit(Event::Reconstruction(progress.clone()));
                }
                if self.turn().is_none() {
                    self.progress(progress.attack, progress.iteration, progress.planned);
                }
                if let Some(job) = ended {
                    return self.end_attack(*job);
                }
            }
        }
        Ok(())
    }

    fn end_attack(&mut self, job: Job) -> Result<()> {
        let id = &job.order.id;
        let last = id.epoch == self.setup.experiment.train.epochs;
        // What an attack learnt from a client that it misled says nothing of the honest one's images.
        let fills = id.spec.kind.fills_the_table && !id.spec.kind.make.hijacks();
        if last && id.target == UNDEFENDED && fills {
            self.attacks.decipher_all(job);
            return Ok(());
        }
        self.record_attack(&job)
    }

    /// A slice of the table's `vanilla_inverted`: what vanilla makes of test images reconstructed from its smashed data.
    pub(super) fn decipher(&mut self) -> Result<()> {
        let model = self.models.iter().find(|model| !model.plan.defended());
        let model =
            model.ok_or_else(|| Error::Internal("the table's images are of a model that is not there".into()))?;
        if let Some((job, classes)) = self.attacks.decipher(&self.setup, model)? {
            self.position.inverted = Some(classes);
            self.record_attack(&job)?;
        }
        Ok(())
    }

    fn record_attack(&mut self, job: &Job) -> Result<()> {
        match conclude(job, self.recorder.as_ref(), |_| 0)? {
            Outcome::GaveUp(why) => self.leave_out(&why),
            Outcome::Kept(record, gallery) => {
                self.times.attacks.push(record.seconds);
                let mut timeless = (*record).clone();
                timeless.seconds = 0.0;
                self.position.attacks.push(timeless);
                self.emit(Event::Attack(*record));
                if let Some(gallery) = gallery {
                    self.emit(Event::Gallery(gallery));
                }
            }
        }
        Ok(())
    }

    /// An attack that left the finite numbers stole nothing: the run says so and goes on without its row.
    fn leave_out(&mut self, why: &str) {
        self.emit(Event::Warning(format!("{why}; it is left out of the results")));
    }
}
