//! How the learned prior did on images of the attacker's own that it held out.

use candle_core::Tensor;

use crate::attack::Auxiliary;
use crate::attack::guess::{class_means, mean_image};
use crate::error::Result;
use crate::score::image::{mse, ssim};

/// What it is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Check {
    /// Of the generator's images.
    pub generated: Likeness,
    /// Of refined pixels; the worst there is where they were not tried.
    pub refined: Likeness,
    /// Mean squared error of the better of two guesses: the mean of the images that were kept, and that of the class.
    pub guess: f64,
}

/// How near images came to the truth, on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likeness {
    /// Mean squared error.
    pub error: f64,
    /// Structural similarity.
    pub ssim: f64,
}

impl Likeness {
    const WORST: Self = Self { error: f64::INFINITY, ssim: f64::NEG_INFINITY };

    fn of(got: &Tensor, truth: &Tensor) -> Result<Self> {
        let (n, c, h, w) = truth.dims4()?;
        let got: Vec<f32> = got.broadcast_as(truth.shape())?.flatten_all()?.to_vec1()?;
        let truth: Vec<f32> = truth.flatten_all()?.to_vec1()?;
        let pairs = || got.chunks(c * h * w).zip(truth.chunks(c * h * w));
        let ssim = pairs().map(|(got, truth)| ssim(got, truth, [c, h, w])).sum::<f64>() / n as f64;
        Ok(Self { error: mse(&got, &truth), ssim })
    }
}

impl Check {
    /// Of the images after the first `kept` ones and what was made of them (N, C, H, W).
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the labels are not known.
    pub fn new(images: &Auxiliary, kept: usize, generated: &Tensor, refined: Option<&Tensor>) -> Result<Self> {
        let truth = images.range(kept..images.len())?;
        let (mean, class_means) = (mean_image(images, kept)?, class_means(images, kept)?);
        Ok(Self {
            generated: Likeness::of(generated, &truth)?,
            refined: refined.map_or(Ok(Likeness::WORST), |refined| Likeness::of(refined, &truth))?,
            guess: Likeness::of(&mean, &truth)?.error.min(Likeness::of(&class_means, &truth)?.error),
        })
    }

    /// Whether refined pixels are to be handed over: by structural similarity, for at a deep cut they come nearer pixel by
    /// pixel and look less like an image.
    pub fn refine(&self) -> bool {
        self.refined.ssim > self.generated.ssim
    }

    /// Whether what is handed over is nearer to the truth than a guess; with NaN on either side it is not.
    pub fn beats_a_guess(self) -> bool {
        let chosen = if self.refine() { self.refined } else { self.generated };
        chosen.error < self.guess
    }

    /// All of it, for [`Self::of`].
    pub fn numbers(&self) -> [f64; 5] {
        [self.generated.error, self.generated.ssim, self.refined.error, self.refined.ssim, self.guess]
    }

    /// What [`Self::numbers`] gave.
    pub fn of([error, ssim, refined, refined_ssim, guess]: [f64; 5]) -> Self {
        let refined = Likeness { error: refined, ssim: refined_ssim };
        Self { generated: Likeness { error, ssim }, refined, guess }
    }
}
