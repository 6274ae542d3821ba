//! An adaptive attacker's way to an imitator of the defence that it knows.

use std::sync::Arc;

use candle_core::Tensor;

use super::Knowledge;
use crate::defence::imitation::{Imitator, Study};
use crate::error::Result;
use crate::state::State;

/// Learns to imitate the defence, if the attack is adaptive, and sends images as the client would then.
pub struct Learner {
    study: Option<Box<dyn Study>>,
    imitator: Option<Arc<dyn Imitator>>,
    planned: usize,
    done: usize,
}

impl Learner {
    /// Begins, where there is something to learn.
    ///
    /// # Errors
    /// Returns an error if the attacker lacks what it learns from.
    pub fn new(knowledge: &Knowledge) -> Result<Self> {
        let study = knowledge.study()?;
        Ok(Self { planned: study.as_ref().map_or(0, |study| study.planned()), study, imitator: None, done: 0 })
    }

    /// Whether there is still something to learn.
    pub fn busy(&self) -> bool {
        self.study.is_some()
    }

    /// Slices done and planned.
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.planned)
    }

    /// One slice.
    ///
    /// # Errors
    /// Returns an error if the attacker lacks what it learns from.
    pub fn advance(&mut self, knowledge: &Knowledge) -> Result<()> {
        if let Some(study) = &mut self.study {
            self.done += 1;
            self.imitator = study.advance(&knowledge.own()?)?;
            if self.imitator.is_some() {
                self.study = None;
            }
        }
        Ok(())
    }

    /// One that has learnt what this one has, once it is no longer busy: for an attack that is part of another.
    #[must_use]
    pub fn learnt(&self) -> Self {
        Self { study: None, imitator: self.imitator.clone(), planned: self.planned, done: self.done }
    }

    /// What has learnt to imitate the defence; none yet, or none where the attack is naive.
    pub fn imitator(&self) -> Option<&dyn Imitator> {
        self.imitator.as_deref()
    }

    /// What the client would send for these images, as far as the attacker can tell; the first of them is image `from`
    /// of its own.
    ///
    /// # Errors
    /// Returns an error if the client cannot be asked.
    pub fn smash(&self, knowledge: &Knowledge, x: &Tensor, from: usize) -> Result<Tensor> {
        match self.imitator() {
            Some(imitator) => knowledge.smash_as(imitator, x, from),
            None => knowledge.smash_own(x, from),
        }
    }

    /// Keeps how far it is.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn put_in(&self, state: &mut State) -> Result<()> {
        state.put_wholes("learner", &[self.done])?;
        if let Some(study) = &self.study {
            state.put_all("study.", study.state()?.tensors().clone());
        }
        if let Some(imitator) = &self.imitator {
            state.put_all("imitator.", imitator.state()?.tensors().clone());
        }
        Ok(())
    }

    /// Goes on from what [`Learner::put_in`] kept. It is as new.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another defence.
    pub fn load(&mut self, state: &State) -> Result<()> {
        [self.done] = state.few("learner", State::wholes)?;
        if let Some(mut study) = self.study.take() {
            if self.done == self.planned {
                self.imitator = Some(study.learnt(&state.part("imitator."))?);
            } else {
                study.load(&state.part("study."))?;
                self.study = Some(study);
            }
        }
        Ok(())
    }
}
