//! Derivatives by the input: a network's Jacobian, as far as two passes back give it.

use candle_core::{D, Tensor, Var};
use candle_nn::encoding::one_hot;

use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};

/// α = ∂logit_ŷ/∂x and β = Σ_{k≠ŷ} ∂logit_k/∂x, both shaped as x (N, C, H, W).
///
/// Two backward passes are enough for any number of classes, because Σ_k J_k comes from one.
/// `logits_of` should use frozen weights: then no gradients of theirs are computed.
///
/// # Errors
/// Where the logits do not depend on x.
pub fn jacobian_rows(x: &Tensor, logits_of: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<(Tensor, Tensor)> {
    let x = Var::from_tensor(&x.detach())?;
    let mut tape = Tape::default();
    let logits = tape.record(|| logits_of(&x))?;
    let mut back = |logit: &Tensor| {
        let end = tape.record(|| carry_on(&logits, logit))?;
        tape.backward(&end)?.remove(&x).ok_or_else(missing)
    };
    let ones = logits.ones_like()?;
    let predicted = logits.detach().argmax(D::Minus1)?;
    let alpha = back(&one_hot(predicted, logits.dim(D::Minus1)?, 1f64, 0.0)?.to_dtype(logits.dtype())?)?;
    let beta = (back(&ones)? - &alpha)?;
    Ok((alpha, beta))
}

/// The logit of the predicted class: logits (N, K) to (N, 1).
///
/// # Errors
/// Where the logits are not a matrix.
pub fn predicted_logit(logits: &Tensor) -> Result<Tensor> {
    let predicted = logits.detach().argmax_keepdim(D::Minus1)?;
    Ok(logits.gather(&predicted, 1)?)
}

/// ∂of/∂by; a missing gradient is an error, never a zero.
///
/// # Errors
/// Where `of` does not depend on `by`.
pub fn gradient(of: &Tensor, by: &Var) -> Result<Tensor> {
    match of.backward()?.remove(by) {
        Some(gradient) => Ok(gradient),
        None => Err(missing()),
    }
}

fn missing() -> Error {
    Error::Internal("a gradient is missing: the output does not depend on it".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn an_output_that_ignores_the_image_is_an_error() {
        let constant = |x: &Tensor| Ok(Tensor::ones((x.dim(0)?, 3), DType::F32, &Device::Cpu)?);
        let x = Tensor::zeros((1, 1, 1, 4), DType::F32, &Device::Cpu).unwrap();
        assert!(jacobian_rows(&x, constant).is_err());
    }
}
