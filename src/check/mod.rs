//! Whether another device computes what the processor does: each operation with its gradients, steps with reference values, a
//! short run, and going on elsewhere than one began.
//!
//! Where there is no other device the processor itself takes the way that other devices take
//! ([`engine::own::composed`](crate::engine::own::composed)), so that the check can be checked.

pub mod reference;
pub mod runs;

use candle_core::Device;
use serde::Serialize;

use crate::engine::own::composed;
use crate::engine::trial::{Came, Trial, gap, trials};
use crate::error::Result;
use crate::{experiment, workbench};

/// What numbers of float32 may differ by, as a share of the largest of them.
pub const ALLOWED: f64 = 1e-4;

/// What is compared with the processor.
#[derive(Clone, Debug)]
pub struct There {
    device: Device,
    /// The document's word for it.
    named: experiment::Device,
}

/// One thing that was compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What.
    pub what: String,
    /// How far it is from what it ought to be; none where it could not be computed.
    pub gap: Option<f64>,
    /// How far it may be.
    pub allowed: f64,
    /// Why it could not be computed, or what else is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Line {
    /// Of something that was computed.
    pub fn of(what: impl Into<String>, gap: f64, allowed: f64) -> Self {
        Self { what: what.into(), gap: Some(gap), allowed, note: None }
    }

    /// Of something that failed.
    pub fn failed(what: impl Into<String>, why: &dyn std::fmt::Display) -> Self {
        Self { what: what.into(), gap: None, allowed: ALLOWED, note: Some(why.to_string()) }
    }

    /// Whether it is as near as it ought to be.
    pub fn good(&self) -> bool {
        self.gap.is_some_and(|gap| gap <= self.allowed)
    }
}

impl There {
    /// The document's device; `Cpu` for the processor on the way that others take.
    ///
    /// # Errors
    /// Returns an error if this build or this machine lacks it.
    pub fn open(named: experiment::Device) -> Result<Self> {
        Ok(Self { device: named.open()?, named })
    }

    /// What it is called.
    pub fn words(&self) -> &'static str {
        match self.named {
            experiment::Device::Cpu => "the processor, as another device would",
            experiment::Device::Cuda => "cuda",
            experiment::Device::Metal => "metal",
        }
    }

    /// Does `work` there.
    pub fn within<R>(&self, work: impl FnOnce(&Device) -> R) -> R {
        if self.device.is_cpu() { composed(|| work(&self.device)) } else { work(&self.device) }
    }
}

/// Each operation's values and gradients there beside those of the processor's kernels; of one that agrees in all its parts the
/// largest gap.
pub fn operations(there: &There) -> Vec<Line> {
    trials().iter().chain(&workbench::trials()).map(|trial| compared(trial, there)).collect()
}

fn compared(trial: &Trial, there: &There) -> Line {
    let both = trial.on(&Device::Cpu).and_then(|here| Ok((here, there.within(|device| trial.on(device))?)));
    let (here, other) = match both {
        Ok(both) => both,
        Err(error) => return Line::failed(&trial.name, &error),
    };
    let whats = |all: &[Came]| all.iter().map(|came| came.what.clone()).collect::<Vec<_>>();
    if whats(&here) != whats(&other) {
        return Line::failed(&trial.name, &format!("there are {:?} in place of {:?}", whats(&other), whats(&here)));
    }
    let gaps = here.iter().zip(&other).map(|(here, other)| (gap(&other.numbers, &here.numbers), here.what.as_str()));
    let (most, what) = gaps.fold((0.0, ""), |most, (gap, what)| if gap > most.0 { (gap, what) } else { most });
    let note = (most > ALLOWED).then(|| what.to_owned());
    Line { note, ..Line::of(&trial.name, most, ALLOWED) }
}

#[cfg(test)]
mod tests;
