//! UnSplit's label inference: the class whose gradient, made by a clone of the head, is nearest to the one that was seen.

use candle_core::{D, Tensor};
use candle_nn::ops::softmax;

use crate::error::Result;

/// For each of N single samples and each class c, the mean squared difference between ∂CE(clone(u), c)/∂W and the gradient
/// received: `features` u (N, F), the clone's `weight` (K, F) and `bias` (K), `received` (N, K, F) to (N, K). The class
/// with the smallest is the one inferred.
///
/// That is what the authors' code compares. It is a gradient of the head's weights, which never crosses the wire of a
/// split where the client keeps the head.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn by_weight_gradient(features: &Tensor, (weight, bias): (&Tensor, &Tensor), received: &Tensor) -> Result<Tensor> {
    let slopes = slopes(features, weight, bias)?;
    let each = slopes.unsqueeze(3)?.broadcast_mul(&features.unsqueeze(1)?.unsqueeze(1)?)?;
    Ok(each.broadcast_sub(&received.unsqueeze(1)?)?.flatten_from(2)?.sqr()?.mean(D::Minus1)?)
}

/// The same of ∂CE(clone(u), c)/∂u, which does cross: `received` (N, F).
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn by_feature_gradient(features: &Tensor, (weight, bias): (&Tensor, &Tensor), received: &Tensor) -> Result<Tensor> {
    let slopes = slopes(features, weight, bias)?;
    let (n, classes, _) = slopes.dims3()?;
    let each = slopes.reshape((n * classes, classes))?.matmul(weight)?.reshape((n, classes, ()))?;
    Ok(each.broadcast_sub(&received.unsqueeze(1)?)?.sqr()?.mean(D::Minus1)?)
}

/// softmax(logits) − one-hot(c) for every class c: (N, K, K), the second side counting c.
fn slopes(features: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let shares = softmax(&features.matmul(&weight.t()?)?.broadcast_add(bias)?, D::Minus1)?;
    let classes = shares.dim(1)?;
    let each = Tensor::eye(classes, shares.dtype(), shares.device())?;
    Ok(shares.unsqueeze(1)?.broadcast_sub(&each.unsqueeze(0)?)?)
}
