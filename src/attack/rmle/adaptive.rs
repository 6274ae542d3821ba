//! What knowing the defence adds to rMLE.

use candle_core::Tensor;

use super::Settings;
use super::rehearsal::Rehearsal;
use crate::attack::{Knowledge, Learner};
use crate::defence::imitation::Undoing;
use crate::error::Result;
use crate::state::State;

/// What is learnt before the search, and what is done after it.
pub(super) struct Adaptive {
    learner: Learner,
    /// How to undo the disguise, chosen with the imitator.
    undoing: Option<Box<dyn Undoing>>,
    /// While it is at work.
    rehearsal: Option<Rehearsal>,
    /// The smoothness that the rehearsal found best, or the one that was asked for where there is none.
    smoothness: Option<f64>,
}

impl Adaptive {
    /// With a learner that may have learnt already.
    pub fn new(knowledge: &Knowledge, settings: Settings, learner: Learner) -> Result<Self> {
        let smoothness = (!Rehearsal::is_wanted(settings)).then_some(settings.tv);
        let mut this = Self { learner, undoing: None, rehearsal: None, smoothness };
        this.choose(knowledge)?;
        Ok(this)
    }

    /// Chooses how to undo the disguise, once there is an imitator to choose with.
    fn choose(&mut self, knowledge: &Knowledge) -> Result<()> {
        if let Some(imitator) = self.learner.imitator() {
            self.undoing = imitator.undoing(&knowledge.own()?)?;
        }
        Ok(())
    }

    /// A slice of what comes before the search; false once there is no more.
    pub fn prepares(&mut self, knowledge: &Knowledge, settings: Settings) -> Result<bool> {
        if self.learner.busy() {
            self.learner.advance(knowledge)?;
            self.choose(knowledge)?;
            return Ok(true);
        }
        if self.smoothness.is_some() {
            return Ok(false);
        }
        let rehearsal = match &mut self.rehearsal {
            Some(rehearsal) => rehearsal,
            None => self.rehearsal.insert(Rehearsal::new(knowledge, settings, &self.learner)?),
        };
        rehearsal.advance()?;
        self.smoothness = rehearsal.chosen()?;
        if self.smoothness.is_some() {
            self.rehearsal = None;
        }
        Ok(true)
    }

    /// The smoothness to search with, once it is known.
    pub fn smoothness(&self) -> Option<f64> {
        self.smoothness
    }

    /// Steps of the rehearsal, done and planned.
    pub fn rehearsed(&self, settings: Settings) -> (usize, usize) {
        if !Rehearsal::is_wanted(settings) {
            return (0, 0);
        }
        let planned = Rehearsal::planned(settings);
        let done = self.rehearsal.as_ref().map_or(0, Rehearsal::done);
        (if self.smoothness.is_some() { planned } else { done }, planned)
    }

    /// The image with its disguise undone.
    pub fn undo(&self, image: &Tensor, unknown: &Tensor) -> Result<Tensor> {
        self.undoing.as_ref().map_or_else(|| Ok(image.copy()?), |undoing| undoing.undo(image, unknown))
    }

    /// Keeps how far it is.
    pub fn put_in(&self, state: &mut State) -> Result<()> {
        self.learner.put_in(state)?;
        if let Some(smoothness) = self.smoothness {
            state.put_reals("smoothness", &[smoothness])?;
        }
        self.rehearsal.as_ref().map_or(Ok(()), |rehearsal| rehearsal.put_in(state))
    }

    /// Goes on from what [`Self::put_in`] kept. It is as new.
    pub fn load(&mut self, knowledge: &Knowledge, settings: Settings, state: &State) -> Result<()> {
        self.learner.load(state)?;
        self.choose(knowledge)?;
        if state.has("smoothness") {
            let [smoothness] = state.few("smoothness", State::reals)?;
            self.smoothness = Some(smoothness);
        } else if !self.learner.busy() && self.smoothness.is_none() {
            let mut rehearsal = Rehearsal::new(knowledge, settings, &self.learner)?;
            if Rehearsal::is_in(state) {
                rehearsal.load(state)?;
            }
            self.rehearsal = Some(rehearsal);
        }
        Ok(())
    }
}
