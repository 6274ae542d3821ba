//! Projected gradient descent on the wire: whoever holds it moves the smashed data, and never sees the image (METHOD §3).
//!
//! z ← Π(z + α·sign(∂ℓ/∂z)), where Π takes every number back to within ε·rms(z) of where it was, rms(z) being the root of
//! that sample's mean square: smashed data have no range of their own. The rest is as in [`pgd`](super::pgd).
//!
//! *Naive*: through the server's layers as if nothing stood before them; of several streams the one that sees z as it is.
//! *Adaptive*: through what the server makes of z, in all streams.

use super::ball::Ball;
use super::fgsm::brief;
use super::pgd::{PAPER, Pgd, QUICK, RESTARTS, STEPS, Step, Way, starts};
use super::{Changes, Kind};
use crate::attack::threat_model::{Knows, Sees};
use crate::setting::{Plain, Setting, log};

/// Its card.
pub static KIND: Kind = Kind {
    id: "pgd-z",
    title: "PGD on the wire",
    about: "Moves the smashed data on their way up, no number farther than a share of their own size.",
    changes: Changes::Smashed,
    sees: &[Sees::Smashed],
    knows: &[Knows::ServerWeights],
    knows_adaptive: &[Knows::ServerWeights, Knows::Defence],
    settings: &[
        Setting::new(
            "epsilon",
            "Radius ε",
            "of rms(z)",
            log(0.0, 10.0),
            "How far each number on the wire may move, in units of the root mean square of all that were sent for the image.",
        )
        .default(Plain::Real(0.1)),
        Setting::new("step", "Step α", "of ε", log(0.0, 1.0), "How far a number moves in a step, as a share of the radius.")
            .default(Plain::Real(0.25)),
        STEPS,
        RESTARTS,
    ],
    budget: |values| {
        let (epsilon, step, steps) = (values.real("epsilon")?, values.real("step")?, values.whole("steps")?);
        let starts = starts(values.whole("restarts")?);
        Ok((format!("ε {} rms(z), {} × {steps}{starts}", brief(epsilon), brief(epsilon * step)), epsilon))
    },
    make: |target, start, values| {
        let ball = Ball::relative(start.input, values.real("epsilon")?)?;
        let step = Step::Share(values.real("step")?);
        let (steps, restarts) = (values.whole("steps")?, values.whole("restarts")?);
        Ok(Box::new(Pgd::new(target, start, ball, Way { step, steps, restarts, name: "adversary.pgd-z" })?))
    },
    quick: QUICK,
    paper: PAPER,
};
