//! The images that rMLE works at once, and what is found beside them.

use candle_core::{Tensor, Var};

use super::Settings;
use crate::attack::{Doubt, doubt_of};
use crate::defence::imitation::Imitation;
use crate::error::Result;
use crate::model::adam::Adam;
use crate::state::State;

/// Where the search for a pixel begins.
pub(super) const GREY: f64 = 0.5;
/// Images worked at once.
pub(super) const BATCH: usize = 16;

/// Some neighbouring images and what is found beside them.
pub(super) struct Batch {
    /// Where the first one stands among all.
    pub from: usize,
    /// (N, C, H, W).
    pub image: Var,
    /// What is searched beside them, where the defence has something unknown.
    pub unknown: Option<Var>,
    pub adam: Adam,
    /// Steps taken.
    pub iteration: usize,
    /// Of every iteration.
    pub losses: Vec<f64>,
}

impl Batch {
    /// The samples of `target` from this one on, all grey: images of shape (C, H, W) and what is unknown beside them under
    /// a defence that is known.
    pub fn grey(
        from: usize,
        target: &Tensor,
        image: [usize; 3],
        defence: Option<&dyn Imitation>,
        settings: Settings,
    ) -> Result<Self> {
        let ([c, h, w], n) = (image, BATCH.min(target.dim(0)? - from));
        let grey = |shape: &[usize], value: f64| -> Result<Var> {
            let zeros = Tensor::zeros(shape, target.dtype(), target.device())?;
            Ok(Var::from_tensor(&(zeros + value)?)?)
        };
        let image = grey(&[n, c, h, w], GREY)?;
        let unknown = defence.and_then(|defence| defence.unknown(&[n, c, h, w]));
        let unknown = unknown.map(|unknown| grey(&unknown.shape, unknown.start)).transpose()?;
        let mut vars = vec![("image".to_owned(), image.clone())];
        vars.extend(unknown.iter().map(|unknown| ("unknown".to_owned(), unknown.clone())));
        Ok(Self { from, image, unknown, adam: Adam::of(vars, settings.adam), iteration: 0, losses: Vec::new() })
    }

    /// Why its search may not have come to an end.
    pub fn doubt(&self) -> Option<Doubt> {
        doubt_of(&self.losses, self.losses.first().copied().unwrap_or(1.0))
    }

    /// Starts from its part of these images (N, C, H, W).
    pub fn start_from(&self, all: &Tensor) -> Result<()> {
        Ok(self.image.set(&all.narrow(0, self.from, self.image.dim(0)?)?.contiguous()?)?)
    }

    /// Keeps all of it.
    pub fn put_in(&self, state: &mut State) -> Result<()> {
        state.put_wholes("batch", &[self.from, self.iteration])?;
        state.put("image", &self.image.as_detached_tensor());
        self.unknown.iter().for_each(|unknown| state.put("unknown", &unknown.as_detached_tensor()));
        state.put_all("adam.", self.adam.state()?);
        state.put_reals("losses", &self.losses)
    }

    /// Goes on from what [`Batch::put_in`] kept of it.
    pub fn load(&mut self, state: &State) -> Result<()> {
        let device = self.image.device().clone();
        self.image.set(&state.tensor("image")?.to_device(&device)?)?;
        if let Some(unknown) = &self.unknown {
            unknown.set(&state.tensor("unknown")?.to_device(&device)?)?;
        }
        self.adam.load(&state.all("adam."))?;
        [_, self.iteration] = state.few("batch", State::wholes)?;
        self.losses = state.reals("losses")?;
        Ok(())
    }
}
