//! How long the learned prior learns and searches, in a run and where somebody watches.

use crate::attack::kind::Values;
use crate::error::Result;

/// Where steps are planned: for images up to 32 pixels and for larger ones.
const PLANNED: [usize; 2] = [1000, 2000];
/// Somebody who watches waits for no more steps, iterations and restarts.
const WATCHED: [usize; 3] = [400, 100, 4];

/// How long and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Steps of the generator's training; 0 plans them.
    pub steps: usize,
    /// Steps of Adam on a latent.
    pub iterations: usize,
    /// Latents that are tried for each target.
    pub restarts: usize,
    /// λ, the weight of the prior on the latent.
    pub prior: f64,
    /// Steps of Adam on the pixels afterwards; 0 never tries them.
    pub pixels: usize,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        Ok(Self {
            steps: values.whole("steps")?,
            iterations: values.whole("iterations")?,
            restarts: values.whole("restarts")?,
            prior: values.real("prior")?,
            pixels: values.whole("pixels")?,
        })
    }

    /// Steps of the generator's training for images (C, H, W).
    pub fn planned_steps(&self, [_, h, w]: [usize; 3]) -> usize {
        let planned = PLANNED[usize::from(h.max(w) > super::vae::DENSE)];
        if self.steps == 0 { planned } else { self.steps }
    }
}

/// Fewer steps, iterations and restarts than one waits for otherwise.
pub(super) fn watched(values: &Values, _: usize) -> Result<Values> {
    let [steps, iterations, restarts] = WATCHED;
    let mut watched = values.clone();
    let own = values.whole("steps")?;
    let fewer = [
        ("steps", if own == 0 { steps } else { own.min(steps) }),
        ("iterations", values.whole("iterations")?.min(iterations)),
        ("restarts", values.whole("restarts")?.min(restarts)),
        ("pixels", values.whole("pixels")?.min(iterations)),
    ];
    for (key, value) in fewer {
        watched.put(key, toml::Value::Integer(value as i64))?;
    }
    Ok(watched)
}
