//! A run's training of one model, done again for an attack that is at work in it: from the same seed, on the same images
//! in the same order.
//!
//! Nothing of the run itself is touched. With an attack that only listens it is the run's training to the bit; one in the
//! server's chair makes it another model's, and what is attacked then is that model's client.

use std::sync::Arc;

use super::attack_order::{AttackId, Capture, Capturing};
use super::course::Course;
use super::prepared::Prepared;
use super::steps::{Slice, Steps};
use crate::attack::insider::Insider;
use crate::attack::{Evidence, Inversion, Knowledge};
use crate::error::Result;
use crate::random::At;
use crate::split::{SplitModel, SplitPlan};
use crate::state::{State, wrong};

/// Test images by which it is told what the training came to, and how many are asked about at once.
const ASKED: usize = 400;
/// As above.
const CHUNK: usize = 50;

/// A training at work, and the questions after it.
pub(super) struct Replay {
    model: SplitModel,
    insider: Insider,
    id: AttackId,
    /// Epochs that the attack asks for at the end of a run, if it does.
    asked: Option<usize>,
    course: Course,
    steps: Steps,
    capturing: Option<Capturing>,
}

impl Replay {
    /// Nothing trained yet; the attack is let into the model.
    ///
    /// # Errors
    /// Returns an error if the model can't be made.
    pub fn new(id: &AttackId, insider: Insider, plan: &SplitPlan, setup: &Prepared) -> Result<Self> {
        let model = insider.enter(SplitModel::new(plan.clone(), setup.seed(), &setup.device)?);
        let (course, steps) = (Course::default(), Steps::new(&setup.victim)?);
        let asked = (id.spec.kind.steps)(&id.spec.values)?.filter(|_| id.epoch == setup.experiment.train.epochs);
        let asked = asked.map(|steps| steps.div_ceil(setup.steps_an_epoch().max(1)));
        Ok(Self { model, insider, id: id.clone(), asked, course, steps, capturing: None })
    }

    /// What is trained.
    pub fn plan(&self) -> &SplitPlan {
        &self.model.plan
    }

    /// Training steps done and planned.
    pub fn progress(&self, setup: &Prepared) -> (usize, usize) {
        let an_epoch = setup.steps_an_epoch();
        (self.course.steps(an_epoch), self.epochs(setup) * an_epoch)
    }

    /// Epochs to train for: after the run's training, as many as led to the weights that are judged, or as the attack asks
    /// for.
    fn epochs(&self, setup: &Prepared) -> usize {
        if let Some(asked) = self.asked {
            return asked;
        }
        let after_all = self.id.epoch == setup.experiment.train.epochs;
        setup.final_epochs.get(&self.id.target).copied().filter(|_| after_all).unwrap_or(self.id.epoch)
    }

    /// The attacker's own loss.
    pub fn loss(&self) -> f64 {
        self.insider.loss()
    }

    /// A slice: a part of a training step, or a few questions about the targets once the model is trained. What is
    /// captured of them after the last.
    ///
    /// # Errors
    /// Returns an error if training or the attack leaves the finite numbers, or the attack lacks what it needs.
    pub fn advance(&mut self, setup: &Prepared) -> Result<Option<Arc<Capture>>> {
        if self.course.epoch == self.epochs(setup) {
            return self.ask(setup);
        }
        let Course { epoch, step, .. } = self.course;
        self.insider.begin(epoch, step);
        if let Slice::Whole(_) = self.steps.advance(&mut self.model, &mut self.course, setup)? {
            self.insider.hear(&*self.model.server)?;
            if self.course.step == setup.steps_an_epoch() {
                self.course.end_epoch(&mut *self.model.server);
            }
        }
        Ok(None)
    }

    fn ask(&mut self, setup: &Prepared) -> Result<Option<Arc<Capture>>> {
        let mut capturing = if let Some(capturing) = self.capturing.take() {
            capturing
        } else {
            Capturing::new(vec![self.id.spec.clone()], self.id.epoch, &setup.attacked()?)?
        };
        let captured = capturing.capture(&self.model)?;
        if captured.is_none() {
            self.capturing = Some(capturing);
        }
        Ok(captured)
    }

    /// How many of the first few test images the model is right about as it is now, in percent.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn accuracy(&self, setup: &Prepared) -> Result<f64> {
        let asked = setup.test.len().min(ASKED);
        let mut right = 0;
        for from in (0..asked).step_by(CHUNK) {
            let samples: Vec<usize> = (from..asked.min(from + CHUNK)).collect();
            let (x, _) = setup.test.batch(&samples, &setup.device)?;
            let predicted =
                self.model.answer(&x, At::Ask { samples: &samples, draw: self.course.epoch })?.predicted()?;
            let labels = samples.iter().map(|i| setup.test.labels()[*i]);
            right += predicted.iter().zip(labels).filter(|(found, label)| *found == label).count();
        }
        Ok(100.0 * right as f64 / asked.max(1) as f64)
    }

    /// The attack on what was captured.
    ///
    /// # Errors
    /// Returns an error if it lacks what it needs.
    pub fn attack(&self, seen: &Evidence, known: &Knowledge) -> Result<Box<dyn Inversion>> {
        self.insider.attack(seen, known)
    }

    /// All that is needed to go on: the model with its optimisers and defences, where its training is, and the attack's
    /// own state.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn state(&self) -> Result<State> {
        let mut state = State::default();
        let Course { epoch, step, ready, head_learnt, stream_hits, .. } = self.course;
        let hits = stream_hits.map(|hits| hits as usize);
        let position = [epoch, step, usize::from(ready), usize::from(head_learnt)];
        state.put_wholes("course", &[&position[..], &hits].concat())?;
        for parameters in [self.model.client.parameters(), self.model.server.parameters()] {
            let shared = parameters.iter().map(|(name, var)| (name.to_owned(), var.as_detached_tensor()));
            state.put_all("model.", shared.collect());
        }
        state.put_all("optimiser.", self.model.client.optimiser_state()?);
        state.put_all("optimiser.", self.model.server.optimiser_state()?);
        state.put_all("defence.", self.model.defence_state()?);
        if let Some(votes) = self.model.server.votes() {
            state.put_reals("votes", &votes)?;
        }
        state.put_all("attack.", self.insider.state()?.tensors().clone());
        Ok(state)
    }

    /// Goes on from what [`Self::state`] gave.
    ///
    /// # Errors
    /// Returns an error if it is of another model or attack.
    pub fn load(&mut self, state: &State) -> Result<()> {
        let [epoch, step, ready, head_learnt, hits @ ..] = state.few::<_, 8>("course", State::wholes)?;
        if epoch > self.asked.unwrap_or(self.id.epoch) {
            return Err(wrong("course"));
        }
        let (ready, head_learnt) = (ready == 1, head_learnt == 1);
        let stream_hits = hits.map(|hits| hits as u64);
        self.course = Course { epoch, step, ready, head_learnt, stream_hits, ..Course::default() };
        let weights = state.all("model.");
        self.model.client.parameters().load(&weights)?;
        self.model.server.parameters().load(&weights)?;
        let moments = state.all("optimiser.");
        self.model.client.load_optimiser(&moments)?;
        self.model.server.load_optimiser(&moments)?;
        self.model.load_defences(&state.all("defence."))?;
        if state.has("votes") {
            self.model.server.set_votes(&state.reals("votes")?);
        }
        self.insider.load(&state.part("attack."))
    }
}

#[cfg(test)]
mod tests;
