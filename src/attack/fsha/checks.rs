//! How a hijacker finds out by itself whether it got anywhere.

use candle_core::Tensor;

use super::{Fsha, Made, decoded};
use crate::attack::{Doubt, doubt_of};
use crate::defence::imitation::in_chunks;
use crate::error::Result;

/// A critic that tells more of the pairs apart has not been deceived.
const TOLD_APART: f64 = 75.0;

impl Fsha {
    /// Why it may not have done its best, as far as it can tell.
    pub(super) fn doubt(&self, made: &Made, observed: &Tensor) -> Result<Option<Doubt>> {
        let held = self.held_out(made)?;
        let [decoder, mean] = self.checked(made, &held)?;
        let converged = doubt_of(&self.losses, mean);
        let doubt = converged.or((decoder.is_nan() || decoder >= mean).then_some(Doubt::NoBetterThanGuessing));
        // A decoder reads its pilot's smashed data; of the victim's it knows nothing while they are of another kind.
        let apart = Self::told_apart(made, observed, &held[1])?;
        Ok(doubt.or((apart > TOLD_APART).then_some(Doubt::ToldApart(apart))))
    }

    /// Images that were held out (at most 128), and what the pilot makes of them.
    fn held_out(&self, made: &Made) -> Result<[Tensor; 2]> {
        let (own, kept) = (self.knowledge.auxiliary()?, self.learnt_from()?);
        let held = own.range(kept..own.len().min(kept + 128))?;
        let places: Vec<usize> = (kept..kept + held.dim(0)?).collect();
        let input = self.stand_in.as_ref().map_or_else(
            || (self.knowledge.entry.enter)(&held, None),
            |one| one.input(&held, &places, self.iteration),
        )?;
        let z = made.pilot.forward(&input)?.detach();
        Ok([held, z])
    }

    /// In how many percent of pairs the critic tells what the victim sent from what the pilot does; 50 where it is at a loss.
    fn told_apart(made: &Made, observed: &Tensor, own: &Tensor) -> Result<f64> {
        let critic = made.critic.network.frozen();
        let scores = |z: &Tensor| -> Result<Vec<f32>> {
            let parts = in_chunks(z, |z| Ok(critic.forward(z)?.detach().flatten_all()?))?;
            Ok(parts.to_vec1()?)
        };
        let (theirs, ours) = (scores(&(observed / made.unit)?)?, scores(own)?);
        let above = theirs
            .iter()
            .flat_map(|a| ours.iter().map(move |b| f64::from(u8::from(a > b)) + 0.5 * f64::from(u8::from(a == b))));
        let share = above.sum::<f64>() / (theirs.len() * ours.len()).max(1) as f64;
        Ok(100.0 * share.max(1.0 - share))
    }

    /// Mean squared errors, in [−1, 1], of the decoder behind the pilot and of the mean image, on the images held out.
    fn checked(&self, made: &Made, [held, z]: &[Tensor; 2]) -> Result<[f64; 2]> {
        let (own, kept) = (self.knowledge.auxiliary()?, self.learnt_from()?);
        let got = decoded(&made.decoder, self.settings.tanh, z)?;
        let mean = own.mean(&(0..kept).collect::<Vec<_>>())?;
        let error = |guess: &Tensor| -> Result<f64> {
            Ok(4.0 * f64::from(guess.broadcast_sub(held)?.sqr()?.mean_all()?.to_scalar::<f32>()?))
        };
        Ok([error(&got)?, error(&mean.broadcast_as(held.shape())?)?])
    }
}
