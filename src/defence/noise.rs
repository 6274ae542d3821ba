//! Noise on the smashed data, clipped before: what normal and Laplace noise have in common.
//!
//! *Imitation*: an attacker that learns adds noise to its own smashed data; one that searches compares with what crosses on
//! average, z clipped.

use std::sync::Arc;

use candle_core::Tensor;

use super::Defence;
use super::clip::Norm;
use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::kind::Draws;
use super::rowwise::noisy;
use crate::error::Result;
use crate::random::{At, Seed, Stream};

/// A law that noise is drawn by, of scale 1, and the norm that goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// What z is clipped by.
    pub norm: Norm,
    /// Draws a number.
    pub draw: fn(&mut Stream) -> f64,
}

/// The noise with its declared strength, as an attacker uses it.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// By which law.
    pub law: Law,
    /// Its scale, for which it has the Fisher information 1/scale² of its middle.
    pub scale: f64,
    /// The norm that z is clipped to; 0 clips nothing.
    pub clip: f64,
}

impl Declared {
    /// z clipped, with noise on it that the streams give, one a sample.
    fn on(&self, z: &Tensor, stream: impl Fn(usize) -> Stream) -> Result<Tensor> {
        noisy(&self.law.norm.clipped(z, self.clip)?, stream, |stream| self.scale * (self.law.draw)(stream))
    }
}

/// The noise at work.
#[derive(Debug)]
pub struct Noise {
    declared: Declared,
    draws: Draws,
}

impl Noise {
    /// Noise as declared, drawn from there.
    pub fn new(declared: Declared, draws: Draws) -> Self {
        Self { declared, draws }
    }
}

impl Defence for Noise {
    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        self.declared.on(&z, |i| self.draws.stream("noise", at, i))
    }

    fn noise(&self) -> Option<f64> {
        Some(self.declared.scale)
    }
}

impl Imitation for Declared {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        self.law.norm.clipped(&z, self.clip)
    }

    fn down(&self, z: &Tensor, gradient: Tensor) -> Result<Tensor> {
        self.law.norm.back(z, &gradient, self.clip)
    }

    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        let name = format!("attack.{}.noise", own.name);
        Ok(Box::new(Known(Arc::new(Noiser { declared: *self, seed: own.seed, name }))))
    }
}

/// An attacker that adds noise to its own smashed data.
struct Noiser {
    declared: Declared,
    seed: Seed,
    name: String,
}

impl Imitator for Noiser {
    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        self.declared.on(&z, |i| at.stream(self.seed, &self.name, i))
    }
}
