//! A stack of layers with its weights.

use candle_core::{DType, Tensor};

use super::parameters::{Init, Parameters};
use super::spec::LayerSpec;
use crate::engine::activation::relu;
use crate::engine::conv::{Finish, conv2d, conv2d_then};
use crate::engine::linear::linear;
use crate::engine::pool::{Pool, pool};
use crate::error::{Error, Result};

/// Layers in order. Weights are shared with the [`Parameters`] they were made from.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
pub(super) enum Layer {
    Conv { weight: Tensor, bias: Tensor, stride: usize, padding: usize },
    Linear { weight: Tensor, bias: Tensor },
    Pool { kind: Pool, side: usize },
    Relu,
    Sigmoid,
    Tanh,
    Flatten,
    Residual(Network),
}

impl Network {
    /// Adds the weights of `specs` to `parameters`, named `{prefix}.{index}.weight`.
    ///
    /// # Errors
    /// Where the layers do not fit each other.
    pub fn init(
        prefix: &str,
        input: &[usize],
        specs: &[LayerSpec],
        parameters: &mut Parameters,
        init: Init<'_>,
    ) -> Result<()> {
        let mut shape = input.to_vec();
        for (i, spec) in specs.iter().enumerate() {
            let name = format!("{prefix}.{i}");
            let output = spec.output_shape(&shape).map_err(|e| Error::input(format!("{name}: {e}")))?;
            match spec {
                LayerSpec::Conv { channels, kernel, .. } => {
                    let weight = [*channels, shape[0], *kernel, *kernel];
                    parameters.add(&name, &weight, shape[0] * kernel * kernel, init)?;
                }
                LayerSpec::Linear(features) => parameters.add(&name, &[*features, shape[0]], shape[0], init)?,
                LayerSpec::Residual(inner) => Self::init(&name, &shape, inner, parameters, init)?,
                _ => {}
            }
            shape = output;
        }
        Ok(())
    }

    /// The network of `specs` whose weights are in `parameters` under `prefix`.
    ///
    /// # Errors
    /// Where a weight is missing.
    pub fn of(prefix: &str, specs: &[LayerSpec], parameters: &Parameters) -> Result<Self> {
        let weights = |name: &str| -> Result<(Tensor, Tensor)> {
            let get = |part| Ok::<_, Error>(parameters.get(&format!("{name}.{part}"))?.as_tensor().clone());
            Ok((get("weight")?, get("bias")?))
        };
        let layer = |(i, spec): (usize, &LayerSpec)| {
            let name = format!("{prefix}.{i}");
            Ok(match spec {
                LayerSpec::Conv { stride, padding, .. } => {
                    let (weight, bias) = weights(&name)?;
                    Layer::Conv { weight, bias, stride: *stride, padding: *padding }
                }
                LayerSpec::Linear(_) => {
                    let (weight, bias) = weights(&name)?;
                    Layer::Linear { weight, bias }
                }
                LayerSpec::MaxPool(side) => Layer::Pool { kind: Pool::Max, side: *side },
                LayerSpec::AvgPool(side) => Layer::Pool { kind: Pool::Mean, side: *side },
                LayerSpec::Relu => Layer::Relu,
                LayerSpec::Sigmoid => Layer::Sigmoid,
                LayerSpec::Tanh => Layer::Tanh,
                LayerSpec::Flatten => Layer::Flatten,
                LayerSpec::Residual(inner) => Layer::Residual(Self::of(&name, inner, parameters)?),
            })
        };
        Ok(Self { layers: specs.iter().enumerate().map(layer).collect::<Result<_>>()? })
    }

    /// The output for a batch (N, …).
    ///
    /// # Errors
    /// Where the input's shape does not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        let mut layers = self.layers.as_slice();
        while let Some((layer, mut rest)) = layers.split_first() {
            x = if let Layer::Conv { weight, bias, stride, padding } = layer {
                // What follows a convolution is done while its outputs are in the cache.
                let (finish, taken) = match rest {
                    [Layer::Relu, Layer::Pool { kind: Pool::Max, side: 2 }, ..] => (Finish::ReluPool, 2),
                    [Layer::Relu, ..] => (Finish::Relu, 1),
                    _ => (Finish::Plain, 0),
                };
                rest = &rest[taken..];
                conv2d_then(&x, weight, bias, (*stride, *padding), finish)?
            } else {
                layer.forward(&x)?
            };
            layers = rest;
        }
        Ok(x)
    }

    /// The layers, for passes that look at each of them.
    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The same network for passes in which its weights are not trained: no gradients of theirs are
    /// computed. The values stay shared, so it follows later training.
    #[must_use]
    pub fn frozen(&self) -> Self {
        self.map(&|t| Ok(t.detach())).unwrap_or_else(|_: Error| unreachable!("detaching cannot fail"))
    }

    /// A copy with its own weights, which later training does not touch.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn snapshot(&self) -> Result<Self> {
        self.map(&|t| Ok(t.detach().copy()?))
    }

    /// The same with numbers of another type, its own copies: double precision for comparing gradients.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn to_dtype(&self, dtype: DType) -> Result<Self> {
        self.map(&|t| Ok(t.to_dtype(dtype)?))
    }

    fn map(&self, change: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let layer = |layer: &Layer| {
            Ok(match layer {
                Layer::Conv { weight, bias, stride, padding } => {
                    Layer::Conv { weight: change(weight)?, bias: change(bias)?, stride: *stride, padding: *padding }
                }
                Layer::Linear { weight, bias } => Layer::Linear { weight: change(weight)?, bias: change(bias)? },
                Layer::Residual(inner) => Layer::Residual(inner.map(change)?),
                other => other.clone(),
            })
        };
        Ok(Self { layers: self.layers.iter().map(layer).collect::<Result<_>>()? })
    }
}

impl Layer {
    /// One layer by itself.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Conv { weight, bias, stride, padding } => conv2d(x, weight, bias, *stride, *padding)?,
            Self::Linear { weight, bias } => linear(x, weight, bias)?,
            Self::Pool { kind, side } => pool(x, *kind, *side)?,
            Self::Relu => relu(x)?,
            Self::Sigmoid => candle_nn::ops::sigmoid(x)?,
            Self::Tanh => x.tanh()?,
            Self::Flatten => x.flatten_from(1)?,
            Self::Residual(inner) => (x + inner.forward(x)?)?,
        })
    }
}
