//! How the learned prior did on images of the attacker's own that it held out, and what it hands over by that.

use candle_core::Tensor;

use crate::attack::Auxiliary;
use crate::attack::guess::{class_means, mean_image};
use crate::attack::likeness::likeness;
use crate::error::Result;

/// Shares of refined pixels in what may be handed over; the rest is the generator's.
const SHARES: [f64; 5] = [0.0, 1.0, 0.75, 0.5, 0.25];

/// What it is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Check {
    /// The share of refined pixels that is best by structural similarity: at a deep cut they come nearer pixel by pixel and
    /// look less like an image, and under a disguise each of the two has what the other lacks.
    pub share: f64,
    /// Mean squared error with that share.
    pub error: f64,
    /// The same of the better of two guesses: the mean of the images that were kept, and that of the class.
    pub guess: f64,
}

impl Check {
    /// Of the images after the first `kept` ones: what the generator made of them (N, C, H, W), and where they were tried
    /// refined pixels, and the generator's images that were fitted to these.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the labels are not known.
    pub fn new(
        images: &Auxiliary,
        kept: usize,
        generated: &Tensor,
        refined: Option<(&Tensor, &Tensor)>,
    ) -> Result<Self> {
        let truth = images.range(kept..images.len())?;
        let (mean, class_means) = (mean_image(images, kept)?, class_means(images, kept)?);
        let guess = likeness(&mean, &truth)?.0.min(likeness(&class_means, &truth)?.0);
        let (mut best, mut highest) = (Self { share: 0.0, error: f64::INFINITY, guess }, f64::NEG_INFINITY);
        for share in SHARES.into_iter().take(if refined.is_some() { SHARES.len() } else { 1 }) {
            let got =
                refined.filter(|_| share > 0.0).map(|(refined, fitted)| mixed(fitted, refined, share)).transpose()?;
            let (error, similarity) = likeness(got.as_ref().unwrap_or(generated), &truth)?;
            if similarity > highest {
                (best, highest) = (Self { share, error, guess }, similarity);
            }
        }
        Ok(best)
    }

    /// Whether pixels are refined at all.
    pub fn refines(self) -> bool {
        self.share > 0.0
    }

    /// Whether what is handed over is nearer to the truth than a guess; with NaN on either side it is not.
    pub fn beats_a_guess(self) -> bool {
        self.error < self.guess
    }

    /// All of it, for [`Self::of`].
    pub fn numbers(self) -> [f64; 3] {
        [self.share, self.error, self.guess]
    }

    /// What [`Self::numbers`] gave.
    pub fn of([share, error, guess]: [f64; 3]) -> Self {
        Self { share, error, guess }
    }
}

/// A share of refined pixels in the generator's images (N, C, H, W).
///
/// # Errors
/// Returns an error if the shapes differ.
pub(super) fn mixed(generated: &Tensor, refined: &Tensor, share: f64) -> Result<Tensor> {
    Ok(((generated * (1.0 - share))? + (refined * share)?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data::{Images, Part};

    #[test]
    fn it_takes_the_share_that_is_most_like_its_own_images() {
        let pixels: Vec<u8> = (0..6 * 144).map(|i| (i * 7919 % 251) as u8).collect();
        let own = Images { shape: [1, 12, 12], pixels, labels: vec![0; 6] };
        let own = Auxiliary::new(Part::from(own), &Device::Cpu);
        let truth = own.range(4..6).unwrap();
        let black = truth.zeros_like().unwrap();
        let share = |generated: &Tensor, refined: Option<&Tensor>| {
            Check::new(&own, 4, generated, refined.map(|refined| (refined, generated))).unwrap().share
        };
        assert_eq!([share(&black, Some(&truth)), share(&truth, Some(&black)), share(&black, None)], [1.0, 0.0, 0.0]);
        // Each errs the other way.
        let off = (truth.ones_like().unwrap() * 0.2).unwrap();
        let (over, under) = ((&truth + &off).unwrap(), (&truth - &off).unwrap());
        assert_eq!(share(&over, Some(&under)), 0.5);
        let check = Check::new(&own, 4, &truth, None).unwrap();
        assert!(check.beats_a_guess() && !check.refines() && Check::of(check.numbers()) == check);
        assert!(!Check { error: f64::NAN, ..check }.beats_a_guess());
    }
}
