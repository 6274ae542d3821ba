//! The images that rMLE works at once, and what is found beside them.

use candle_core::{Tensor, Var};

use super::Settings;
use crate::attack::state::State;
use crate::attack::{Doubt, doubt_of};
use crate::error::Result;
use crate::model::adam::Adam;

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
    /// The map channel (N, 1, ⌈H/2⌉, ⌈W/2⌉), where the attack is adaptive.
    pub map: Option<Var>,
    pub adam: Adam,
    /// Steps taken.
    pub iteration: usize,
    /// Of every iteration.
    pub losses: Vec<f64>,
}

impl Batch {
    /// The samples of `target` from this one on, all grey: images of shape (C, H, W) and, where the attack is
    /// adaptive, their maps.
    pub fn grey(from: usize, target: &Tensor, image: [usize; 3], adaptive: bool, settings: Settings) -> Result<Self> {
        let ([c, h, w], n) = (image, BATCH.min(target.dim(0)? - from));
        let grey = |shape: (usize, usize, usize, usize), value: f64| -> Result<Var> {
            let zeros = Tensor::zeros(shape, target.dtype(), target.device())?;
            Ok(Var::from_tensor(&(zeros + value)?)?)
        };
        let image = grey((n, c, h, w), GREY)?;
        let map = adaptive.then(|| grey((n, 1, h.div_ceil(2), w.div_ceil(2)), 0.05)).transpose()?;
        let mut vars = vec![("image".to_owned(), image.clone())];
        vars.extend(map.iter().map(|map| ("map".to_owned(), map.clone())));
        Ok(Self { from, image, map, adam: Adam::of(vars, settings.adam), iteration: 0, losses: Vec::new() })
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
        self.map.iter().for_each(|map| state.put("map", &map.as_detached_tensor()));
        state.put_all("adam.", self.adam.state()?);
        state.put_reals("losses", &self.losses)
    }

    /// Goes on from what [`Batch::put_in`] kept of it.
    pub fn load(&mut self, state: &State) -> Result<()> {
        let device = self.image.device().clone();
        self.image.set(&state.tensor("image")?.to_device(&device)?)?;
        if let Some(map) = &self.map {
            map.set(&state.tensor("map")?.to_device(&device)?)?;
        }
        self.adam.load(&state.all("adam."))?;
        [_, self.iteration] = state.few("batch", State::wholes)?;
        self.losses = state.reals("losses")?;
        Ok(())
    }
}
