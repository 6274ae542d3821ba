//! The fast gradient sign method: Goodfellow, Shlens & Szegedy, "Explaining and harnessing adversarial examples" (ICLR
//! 2015).
//!
//! x′ = clip(x + ε·sign(∂ℓ/∂x)), in one step.
//!
//! *Naive*: through the model as if it had no defence. *Adaptive*: through the defence.

use candle_core::Tensor;

use super::ball::Ball;
use super::target::{predicted, slope};
use super::{Adversary, Kind, Target};
use crate::error::Result;
use crate::setting::{Plain, Setting, log};

/// The words of a setting for how far pixels may move.
pub(super) const EPSILON: &str = "How far each pixel may move, in units of the pixel range: 8/255 is hardly seen.";

/// Its card.
pub static KIND: Kind = Kind {
    id: "fgsm",
    title: "FGSM",
    about: "Moves every pixel once by the same small step, each the way that hurts the diagnosis.",
    settings: &[Setting::new("epsilon", "Step ε", "", log(0.0, 1.0), EPSILON).default(Plain::Real(8.0 / 255.0))],
    budget: |values| {
        let epsilon = values.real("epsilon")?;
        Ok((format!("ε {}", brief(epsilon)), epsilon))
    },
    make: |target, start, values| {
        let ball = Ball::of_images(start.input, values.real("epsilon")?)?;
        Ok(Box::new(Fgsm { labels: predicted(target, start.input)?, moved: None, ball }))
    },
    ..Kind::BASE
};

/// A size in a few digits: `0.0314`.
pub(super) fn brief(size: f64) -> String {
    format!("{}", (size * 1e4).round() / 1e4)
}

struct Fgsm {
    labels: Vec<u32>,
    ball: Ball,
    moved: Option<Tensor>,
}

impl Adversary for Fgsm {
    fn advance(&mut self, target: &dyn Target) -> Result<()> {
        if self.moved.is_none() {
            let gradient = slope(target, self.ball.centre(), &self.labels)?.gradient;
            self.moved = Some(self.ball.step(self.ball.centre(), &gradient, 1.0)?);
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (usize::from(self.moved.is_some()), 1)
    }

    fn outcome(&self) -> Result<Tensor> {
        Ok(self.moved.clone().unwrap_or_else(|| self.ball.centre().clone()))
    }
}
