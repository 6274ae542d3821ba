//! Adversarial inputs for the attacked rows of the table: JSMA and FGSM against a plain split model.

use candle_core::{D, Tensor, Var};

use crate::defence::psgl::saliency::{Strength, disguise, saliency_map};
use crate::engine::loss::cross_entropy;
use crate::error::Result;
use crate::model::jacobian::{gradient, jacobian_rows};
use crate::split::SplitModel;

/// Images attacked by the saliency map of the whole model, as PSGL's own client would with it.
/// Gives the map and the attacked images, both (N, C, H, W).
///
/// # Errors
/// Where the model is not plain.
pub fn jsma(model: &SplitModel, x: &Tensor, strength: Strength, mirror: bool) -> Result<(Tensor, Tensor)> {
    let map = jsma_map(model, x, mirror)?;
    let attacked = disguise(x, &map, strength)?;
    Ok((map, attacked))
}

/// The saliency map alone, for several strengths.
///
/// # Errors
/// Where the model is not plain.
pub fn jsma_map(model: &SplitModel, x: &Tensor, mirror: bool) -> Result<Tensor> {
    let (alpha, beta) = jacobian_rows(x, |x| model.plain_logits(x))?;
    saliency_map(&alpha, &beta, mirror)
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
