//! Projected gradient descent: Madry et al., "Towards deep learning models resistant to adversarial attacks" (ICLR 2018).
//!
//! x ← Π(x + α·sign(∂ℓ/∂x)), where Π takes every number back to within ε of where it was.
//!
//! It begins where the input is; further restarts begin at a random point of the ball. Of all points on its way it hands
//! over, sample by sample, the one where the loss of the decision was highest: its own, of its own target.
//!
//! *Naive*: through the model as if it had no defence. *Adaptive*: through the defence.

use candle_core::Tensor;

use super::ball::Ball;
use super::fgsm::{EPSILON, brief};
use super::target::{losses_at, predicted, slope};
use super::{Adversary, Kind, Start, Target};
use crate::attack::kind::Budget;
use crate::error::Result;
use crate::random::Seed;
use crate::setting::{Plain, Setting, log, whole};

/// Settings that it shares with its form on the wire.
pub(super) const STEPS: Setting =
    Setting::new("steps", "Steps", "steps", whole(1, 10_000), "Steps of each start.").default(Plain::Whole(10));
/// As [`STEPS`].
pub(super) const RESTARTS: Setting = Setting::new(
    "restarts",
    "Starts",
    "starts",
    whole(1, 100),
    "How often it begins: first where the input is, then at random points. The best point of all is taken.",
)
.default(Plain::Whole(1));

/// Half the steps of the defaults.
pub(super) const QUICK: Budget = &[("steps", Plain::Whole(5))];
/// Madry et al. test with so many steps on colour images, from several starts.
pub(super) const PAPER: Budget = &[("steps", Plain::Whole(20)), ("restarts", Plain::Whole(10))];

/// Its card.
pub static KIND: Kind = Kind {
    id: "pgd",
    title: "PGD",
    about: "Climbs the loss of the diagnosis in small steps, no pixel farther than ε from where it was.",
    settings: &[
        Setting::new("epsilon", "Radius ε", "", log(0.0, 1.0), EPSILON).default(Plain::Real(8.0 / 255.0)),
        Setting::new(
            "step",
            "Step α",
            "",
            log(0.0, 1.0),
            "How far a pixel moves in a step, in units of the pixel range.",
        )
        .default(Plain::Real(2.0 / 255.0)),
        STEPS,
        RESTARTS,
    ],
    budget: |values| {
        let (epsilon, step, steps) = (values.real("epsilon")?, values.real("step")?, values.whole("steps")?);
        let starts = starts(values.whole("restarts")?);
        Ok((format!("ε {}, {} × {steps}{starts}", brief(epsilon), brief(step)), epsilon))
    },
    make: |target, start, values| {
        let ball = Ball::of_images(start.input, values.real("epsilon")?)?;
        let step = Step::Length(values.real("step")?);
        let way =
            Way { step, steps: values.whole("steps")?, restarts: values.whole("restarts")?, name: "adversary.pgd" };
        Ok(Box::new(Pgd::new(target, start, ball, way)?))
    },
    quick: QUICK,
    paper: PAPER,
    ..Kind::BASE
};

/// ` × 3 starts`, where there are several.
pub(super) fn starts(count: usize) -> String {
    if count > 1 { format!(" × {count} starts") } else { String::new() }
}

/// How far one step goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// In the units of the input.
    Length(f64),
    /// In radii of the ball.
    Share(f64),
}

/// How it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub step: Step,
    pub steps: usize,
    pub restarts: usize,
    /// Under which it draws.
    pub name: &'static str,
}

/// PGD at work.
pub(super) struct Pgd {
    way: Way,
    ball: Ball,
    labels: Vec<u32>,
    samples: Vec<usize>,
    seed: Seed,
    at: Tensor,
    done: usize,
    /// The best point of each sample, and its loss.
    best: Tensor,
    highest: Vec<f64>,
}

impl Pgd {
    /// Begins where the inputs are.
    pub fn new(target: &dyn Target, start: Start<'_>, ball: Ball, way: Way) -> Result<Self> {
        Ok(Self {
            labels: predicted(target, start.input)?,
            samples: start.samples.to_vec(),
            seed: start.seed,
            at: ball.centre().clone(),
            best: ball.centre().clone(),
            highest: vec![f64::NEG_INFINITY; start.input.dim(0)?],
            done: 0,
            ball,
            way,
        })
    }

    /// Keeps those samples whose loss is higher here than anywhere before.
    fn keep(&mut self, losses: &[f64]) -> Result<()> {
        let better: Vec<u8> = losses.iter().zip(&self.highest).map(|(new, old)| u8::from(new > old)).collect();
        self.highest.iter_mut().zip(losses).for_each(|(old, new)| *old = old.max(*new));
        let mut shape = vec![1; self.at.rank()];
        shape[0] = better.len();
        let better = Tensor::from_vec(better, shape, self.at.device())?.broadcast_as(self.at.shape())?;
        self.best = better.where_cond(&self.at, &self.best)?;
        Ok(())
    }
}

impl Adversary for Pgd {
    fn advance(&mut self, target: &dyn Target) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        let slope = slope(target, &self.at, &self.labels)?;
        self.keep(&slope.losses)?;
        self.at = match self.way.step {
            Step::Length(length) => self.ball.step_by(&self.at, &slope.gradient, length)?,
            Step::Share(share) => self.ball.step(&self.at, &slope.gradient, share)?,
        };
        self.done += 1;
        if self.done.is_multiple_of(self.way.steps) {
            // The last point of a start was not looked at yet.
            self.keep(&losses_at(target, &self.at, &self.labels)?)?;
            let name = format!("{}.{}", self.way.name, self.done / self.way.steps);
            self.at = self.ball.drawn(self.seed, &name, &self.samples)?;
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.done, self.way.steps * self.way.restarts)
    }

    fn outcome(&self) -> Result<Tensor> {
        Ok(self.best.clone())
    }
}
