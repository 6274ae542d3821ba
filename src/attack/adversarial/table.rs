//! Adversarial inputs for the attacked rows of the table: JSMA and FGSM against a plain split model, each in one step.

use candle_core::{D, Tensor, Var};

use crate::defence::psgl::PsglSpec;
use crate::defence::psgl::recovery::Recovery;
use crate::defence::psgl::saliency::{disguise, saliency_map};
use crate::defence::psgl::strength::Strength;
use crate::engine::loss::cross_entropy;
use crate::error::Result;
use crate::model::jacobian::{gradient, jacobian_rows};
use crate::split::SplitModel;

/// JSMA as PSGL's own client would do it with the whole model, and the cleaning of its images in image space: what the
/// table's attacked and recovered rows are of.
#[derive(Clone, Copy, Debug)]
pub struct Disguise {
    strength: Strength,
    mu: f64,
    recovery: Recovery,
    mirror: bool,
}

impl From<&PsglSpec> for Disguise {
    fn from(spec: &PsglSpec) -> Self {
        Self { strength: spec.strength(), mu: spec.mu, recovery: spec.image_recovery(), mirror: spec.mirror }
    }
}

impl Disguise {
    /// Its own γ: the share of pixels that move.
    pub fn gamma(&self) -> f64 {
        self.strength.gamma
    }

    /// Its own μ: the threshold of the cleaning.
    pub fn mu(&self) -> f64 {
        self.mu
    }

    /// The saliency map of images (N, C, H, W), for any strength.
    ///
    /// # Errors
    /// Returns an error if the model is not plain.
    pub fn map(&self, model: &SplitModel, x: &Tensor) -> Result<Tensor> {
        let (alpha, beta) = jacobian_rows(x, |x| model.plain_logits(x))?;
        saliency_map(&alpha, &beta, self.mirror)
    }

    /// Images attacked by their map, at a strength γ.
    ///
    /// # Errors
    /// Returns an error if images and map differ in shape.
    pub fn attacked(&self, x: &Tensor, map: &Tensor, gamma: f64) -> Result<Tensor> {
        disguise(x, map, Strength { gamma, ..self.strength })
    }

    /// Every plane of images (N, C, H, W) cleaned with a threshold μ: the images, and the gradient maps that were found.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn cleaned(&self, images: &Tensor, mu: f64) -> Result<(Tensor, Tensor)> {
        let (_, _, h, w) = images.dims4()?;
        let recovery = Recovery { mu: mu as f32, ..self.recovery };
        let [low_rank, gradient_map] = recovery.split(images, h, w)?;
        Ok((low_rank, gradient_map))
    }
}

/// Fast gradient sign method (Goodfellow et al. 2015): x + ε·sign(∂CE/∂x), clipped to [0, 1]. The label
/// is the model's own prediction, since an attacker on the device has no other.
///
/// # Errors
/// Where the model is not plain.
pub fn fgsm(model: &SplitModel, x: &Tensor, epsilon: f64) -> Result<Tensor> {
    let input = Var::from_tensor(&x.detach())?;
    let logits = model.plain_logits(&input)?;
    let loss = cross_entropy(&logits, &logits.detach().argmax(D::Minus1)?)?;
    let step = (gradient(&loss, &input)?.sign()? * epsilon)?;
    Ok((x + step)?.clamp(0.0, 1.0)?)
}
