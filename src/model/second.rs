//! Weight gradients as functions that can be differentiated once more, for gradient matching.
//!
//! candle's `backward` forgets how it came to its gradients. Here the first backward pass is written out
//! layer by layer from operations that know their own gradients (the three products of a convolution are
//! closed under differentiation), so a second pass through it is candle's ordinary one.

use candle_core::{D, Tensor};
use candle_nn::ops::{log_softmax, softmax};

use super::network::{Layer, Network};
use crate::engine::conv::{conv2d_input_gradient, conv2d_weight_gradient};
use crate::engine::norm::Tail;
use crate::engine::pool::Pool;
use crate::error::{Error, Result};

/// ∂/∂logits of the mean of −Σ_k target_k · log softmax(logits)_k, for targets (N, K) whose rows sum to 1.
///
/// # Errors
/// Where the shapes differ.
pub fn soft_cross_entropy_gradient(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    Ok(((softmax(logits, D::Minus1)? - target)? * (1.0 / logits.dim(0)? as f64))?)
}

/// The loss itself: a scalar.
///
/// # Errors
/// Where the shapes differ.
pub fn soft_cross_entropy(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    Ok((log_softmax(logits, D::Minus1)? * target)?.sum(1)?.mean_all()?.neg()?)
}

impl Network {
    /// The gradients of a loss by every weight and bias, in the layers' order (weight, bias, weight, …), as
    /// part of the graph of `x` and of what `loss_gradient` (logits to ∂loss/∂logits) is made of. The
    /// network's own weights count as constants.
    ///
    /// # Errors
    /// Where a layer has no second derivative here (max-pooling, normalisation), or the shapes do not fit.
    pub fn weight_gradients(
        &self,
        x: &Tensor,
        loss_gradient: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<Vec<Tensor>> {
        let mut passed = vec![x.clone()];
        for layer in self.layers() {
            let output = layer.forward(&passed[passed.len() - 1], Tail::default())?;
            passed.push(output);
        }
        let mut grad = loss_gradient(&passed[passed.len() - 1])?;
        let mut gradients = Vec::new();
        for (i, layer) in self.layers().iter().enumerate().rev() {
            let (input, output) = (&passed[i], &passed[i + 1]);
            let last = i == 0;
            match layer {
                Layer::Conv { weight, bias: _, stride, padding } => {
                    gradients.push(grad.sum((0, 2, 3))?);
                    gradients.push(conv2d_weight_gradient(&grad, input, weight.dim(2)?, *stride, *padding)?);
                    if !last {
                        grad = conv2d_input_gradient(&grad, weight, input.dims4()?, *stride, *padding)?;
                    }
                }
                Layer::Linear { weight, bias: _ } => {
                    gradients.push(grad.sum(0)?);
                    gradients.push(grad.t()?.matmul(input)?);
                    if !last {
                        grad = grad.matmul(weight)?;
                    }
                }
                // The derivative at 0 is 0; the mask itself has none.
                Layer::Relu => grad = (grad * output.detach().gt(0.0)?.to_dtype(output.dtype())?)?,
                Layer::Sigmoid => grad = (grad * (output - output.sqr()?)?)?,
                Layer::Tanh => grad = (&grad - (&grad * output.sqr()?)?)?,
                Layer::Flatten => grad = grad.reshape(input.shape())?,
                Layer::Pool { kind: Pool::Mean, side } => grad = spread(&grad, input, *side)?,
                _ => {
                    return Err(Error::input(
                        "max-pooling, normalisation and residual blocks have no second derivative yet",
                    ));
                }
            }
        }
        gradients.reverse();
        Ok(gradients)
    }
}

/// The gradient of mean-pooling: each value shared out over its window, nothing to the rows and columns left over.
fn spread(grad: &Tensor, input: &Tensor, side: usize) -> Result<Tensor> {
    let (n, c, h, w) = input.dims4()?;
    let (oh, ow) = (h / side, w / side);
    let spread = (grad * (1.0 / (side * side) as f64))?
        .reshape((n, c, oh, 1, ow, 1))?
        .broadcast_as((n, c, oh, side, ow, side))?
        .reshape((n, c, oh * side, ow * side))?;
    Ok(spread.pad_with_zeros(2, 0, h - oh * side)?.pad_with_zeros(3, 0, w - ow * side)?)
}
