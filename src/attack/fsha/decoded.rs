//! What the decoder makes of the targets, once the training is over.

use candle_core::Tensor;

use crate::attack::{Doubt, Inversion, Outcome};
use crate::defence::imitation::in_chunks;
use crate::error::Result;
use crate::model::decoder::Decoder;
use crate::model::wire::Smashed;

/// Images (N, C, H, W) in [0, 1] of smashed data.
pub fn decoded(decoder: &Decoder, tanh: bool, z: &Tensor) -> Result<Tensor> {
    in_chunks(z, |z| {
        let y = decoder.forward(z)?.detach();
        Ok((if tanh { y.tanh()? } else { y.clamp(-1.0, 1.0)? }).affine(0.5, 0.5)?)
    })
}

/// What the decoder makes of the targets.
pub struct Decoded {
    pub(super) decoder: Decoder,
    pub(super) tanh: bool,
    pub(super) unit: f64,
    pub(super) observed: Tensor,
    pub(super) images: Option<Tensor>,
    pub(super) loss: f64,
    pub(super) doubt: Option<Doubt>,
}

impl Decoded {
    fn of(&self, z: &Tensor) -> Result<Tensor> {
        decoded(&self.decoder, self.tanh, &(z / self.unit)?)
    }
}

impl Inversion for Decoded {
    fn advance(&mut self) -> Result<()> {
        self.images = Some(self.of(&self.observed)?);
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (usize::from(self.images.is_some()), 1)
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(self.doubt)
    }

    fn outcome(&self) -> Result<Outcome> {
        Ok(Outcome::of_images(self.images.clone().map_or_else(|| self.of(&self.observed), Ok)?))
    }

    fn reconstruct(&self, other: &Smashed) -> Result<Option<Tensor>> {
        self.of(other.tensor()).map(Some)
    }
}
