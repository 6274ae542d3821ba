//! A stack of layers with its weights.

use candle_core::{DType, Tensor};

use super::change::Change;
use super::norm::Norm;
use super::parameters::{Init, Parameters};
use super::spec::LayerSpec;
use crate::engine::activation::relu;
use crate::engine::conv::{Finish, conv2d, conv2d_then};
use crate::engine::linear::linear;
use crate::engine::mean::mean_of_last;
use crate::engine::norm::Tail;
use crate::engine::pool::{Pool, pool};
use crate::engine::tape::{flat, reshape, sum};
use crate::error::{Error, Result};

/// Layers in order. Weights are shared with the [`Parameters`] they were made from.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
pub(super) enum Layer {
    /// Where it does without a bias, `bias` is zeros that nobody trains.
    Conv {
        weight: Tensor,
        bias: Tensor,
        biased: bool,
        stride: usize,
        padding: usize,
    },
    Linear {
        weight: Tensor,
        bias: Tensor,
    },
    Pool {
        kind: Pool,
        side: usize,
    },
    MeanPool,
    Norm(Norm),
    Relu,
    Sigmoid,
    Tanh,
    Flatten,
    Residual {
        inner: Network,
        project: Network,
    },
}

impl Network {
    /// Adds the weights of `specs` to `parameters`, named `{prefix}.{index}.weight`; a residual block's are
    /// `{prefix}.{index}.{index}.weight` and, on its skip connection, `{prefix}.{index}.project.{index}.weight`.
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
                LayerSpec::Conv { channels, kernel, bias, .. } => {
                    let weight = [*channels, shape[0], *kernel, *kernel];
                    let fan_in = shape[0] * kernel * kernel;
                    if *bias {
                        parameters.add(&name, &weight, fan_in, init)?;
                    } else {
                        parameters.add_unbiased(&name, &weight, fan_in, init)?;
                    }
                }
                LayerSpec::BatchNorm => parameters.add_norm(&name, shape[0], true, init)?,
                LayerSpec::GroupNorm(_) => parameters.add_norm(&name, shape[0], false, init)?,
                LayerSpec::Linear(features) => parameters.add(&name, &[*features, shape[0]], shape[0], init)?,
                LayerSpec::Residual { inner, project } => {
                    Self::init(&name, &shape, inner, parameters, init)?;
                    Self::init(&format!("{name}.project"), &shape, project, parameters, init)?;
                }
                _ => {}
            }
            shape = output;
        }
        Ok(())
    }

    /// The network of `specs` whose weights are in `parameters` under `prefix`, in training: its forward pass
    /// normalises by the batch and moves running statistics.
    ///
    /// # Errors
    /// Where a weight is missing.
    pub fn of(prefix: &str, specs: &[LayerSpec], parameters: &Parameters) -> Result<Self> {
        let get = |name: &str, part| Ok::<_, Error>(parameters.get(&format!("{name}.{part}"))?.as_tensor().clone());
        let layer = |(i, spec): (usize, &LayerSpec)| {
            let name = format!("{prefix}.{i}");
            Ok(match spec {
                LayerSpec::Conv { channels, stride, padding, bias, .. } => {
                    let weight = get(&name, "weight")?;
                    let biased = *bias;
                    let bias = if biased {
                        get(&name, "bias")?
                    } else {
                        Tensor::zeros(*channels, weight.dtype(), weight.device())?
                    };
                    Layer::Conv { weight, bias, biased, stride: *stride, padding: *padding }
                }
                LayerSpec::Linear(_) => Layer::Linear { weight: get(&name, "weight")?, bias: get(&name, "bias")? },
                LayerSpec::BatchNorm => Layer::Norm(Norm::batch(&name, parameters)?),
                LayerSpec::GroupNorm(groups) => Layer::Norm(Norm::group(&name, *groups, parameters)?),
                LayerSpec::MaxPool(side) => Layer::Pool { kind: Pool::Max, side: *side },
                LayerSpec::AvgPool(side) => Layer::Pool { kind: Pool::Mean, side: *side },
                LayerSpec::MeanPool => Layer::MeanPool,
                LayerSpec::Relu => Layer::Relu,
                LayerSpec::Sigmoid => Layer::Sigmoid,
                LayerSpec::Tanh => Layer::Tanh,
                LayerSpec::Flatten => Layer::Flatten,
                LayerSpec::Residual { inner, project } => Layer::Residual {
                    inner: Self::of(&name, inner, parameters)?,
                    project: Self::of(&format!("{name}.project"), project, parameters)?,
                },
            })
        };
        Ok(Self { layers: specs.iter().enumerate().map(layer).collect::<Result<_>>()? })
    }

    /// The output for a batch (N, …).
    ///
    /// # Errors
    /// Where the input's shape does not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_with(x, Tail::default())
    }

    /// The output for a batch, and behind the last layer a sum and a relu.
    fn forward_with(&self, x: &Tensor, tail: Tail<'_>) -> Result<Tensor> {
        let mut x = x.clone();
        let mut layers = self.layers.as_slice();
        while let Some((layer, mut rest)) = layers.split_first() {
            // What follows a convolution or a normalisation is done while its outputs are in the cache.
            x = match (layer, rest) {
                (Layer::Conv { weight, bias, stride, padding, .. }, [Layer::Relu, next @ ..]) => {
                    let (finish, next) = match next {
                        [Layer::Pool { kind: Pool::Max, side: 2 }, next @ ..] => (Finish::ReluPool, next),
                        _ => (Finish::Relu, next),
                    };
                    rest = next;
                    conv2d_then(&x, weight, bias, (*stride, *padding), finish)?
                }
                (layer, [Layer::Relu, next @ ..]) if layer.ends_in_norm() => {
                    rest = next;
                    layer.forward(&x, Tail { skip: None, relu: true })?
                }
                (layer, []) if layer.ends_in_norm() => return layer.forward(&x, tail),
                (layer, _) => layer.forward(&x, Tail::default())?,
            };
            layers = rest;
        }
        finish(&x, tail)
    }

    /// The layers, for passes that look at each of them.
    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The same network for passes in which its weights are not trained: no gradients of theirs are
    /// computed, and running statistics are used, not moved. The values stay shared, so it follows later
    /// training.
    #[must_use]
    pub fn frozen(&self) -> Self {
        self.map(Change::Freeze).unwrap_or_else(|_: Error| unreachable!("detaching cannot fail"))
    }

    /// The same network for training passes that leave running statistics as they are.
    #[must_use]
    pub fn unrecorded(&self) -> Self {
        self.map(Change::Silence).unwrap_or_else(|_: Error| unreachable!("sharing cannot fail"))
    }

    /// The same network for passes by running statistics, which stay as they are, in which gradients of its weights are
    /// asked for.
    #[must_use]
    pub fn evaluated(&self) -> Self {
        self.map(Change::Evaluate).unwrap_or_else(|_: Error| unreachable!("sharing cannot fail"))
    }

    /// Every weight and bias, in the layers' order: weight, bias, weight, …; of a residual block first its layers' and then
    /// those on its skip connection; nothing for a bias that a convolution does without.
    pub fn weights(&self) -> Vec<Tensor> {
        let of = |layer: &Layer| match layer {
            Layer::Conv { weight, biased: false, .. } => vec![weight.clone()],
            Layer::Conv { weight, bias, .. } | Layer::Linear { weight, bias } => vec![weight.clone(), bias.clone()],
            Layer::Norm(norm) => {
                let (gamma, beta) = norm.affine();
                vec![gamma.clone(), beta.clone()]
            }
            Layer::Residual { inner, project } => [inner.weights(), project.weights()].concat(),
            _ => Vec::new(),
        };
        self.layers.iter().flat_map(of).collect()
    }

    /// A copy with its own weights and statistics, which later training does not touch, for passes that do
    /// not train it.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn snapshot(&self) -> Result<Self> {
        self.map(Change::Copy)
    }

    /// The same with numbers of another type, its own copies: double precision for comparing gradients.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn to_dtype(&self, dtype: DType) -> Result<Self> {
        self.map(Change::Cast(dtype))
    }

    /// The same with a number added to each weight and bias of its convolutions and linear layers, the same tensors for the same
    /// weights; differentiable by the weights. Normalisations stay as they are.
    ///
    /// # Errors
    /// Where `by` fails or gives another shape.
    pub fn moved(&self, by: &mut dyn FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            layers.push(match layer {
                Layer::Conv { weight, bias, stride, padding, biased } => Layer::Conv {
                    weight: sum(weight, &by(weight)?)?,
                    bias: if *biased { sum(bias, &by(bias)?)? } else { bias.clone() },
                    stride: *stride,
                    padding: *padding,
                    biased: *biased,
                },
                Layer::Linear { weight, bias } => {
                    Layer::Linear { weight: sum(weight, &by(weight)?)?, bias: sum(bias, &by(bias)?)? }
                }
                Layer::Residual { inner, project } => {
                    Layer::Residual { inner: inner.moved(by)?, project: project.moved(by)? }
                }
                other => other.clone(),
            });
        }
        Ok(Self { layers })
    }

    fn map(&self, change: Change) -> Result<Self> {
        let weight = |t: &Tensor| change.weight(t);
        let layer = |layer: &Layer| {
            Ok(match layer {
                Layer::Conv { weight: w, bias, biased, stride, padding } => {
                    let (biased, stride, padding) = (*biased, *stride, *padding);
                    Layer::Conv { weight: weight(w)?, bias: weight(bias)?, biased, stride, padding }
                }
                Layer::Linear { weight: w, bias } => Layer::Linear { weight: weight(w)?, bias: weight(bias)? },
                Layer::Norm(norm) => Layer::Norm(norm.changed(change)?),
                Layer::Residual { inner, project } => {
                    Layer::Residual { inner: inner.map(change)?, project: project.map(change)? }
                }
                other => other.clone(),
            })
        };
        Ok(Self { layers: self.layers.iter().map(layer).collect::<Result<_>>()? })
    }
}

impl Layer {
    /// Whether its last operation is a normalisation, which can add and clip in the same pass.
    fn ends_in_norm(&self) -> bool {
        match self {
            Self::Norm(_) => true,
            Self::Residual { inner, .. } => inner.layers.last().is_some_and(Self::ends_in_norm),
            _ => false,
        }
    }

    /// One layer by itself, and behind it a sum and a relu.
    pub(super) fn forward(&self, x: &Tensor, tail: Tail<'_>) -> Result<Tensor> {
        let y = match self {
            Self::Norm(norm) => return norm.forward(x, tail),
            Self::Residual { inner, project } => {
                let skip = project.forward(x)?;
                // Within another block's end there are two sums, of which a normalisation does one.
                return match tail.skip {
                    None => inner.forward_with(x, Tail { skip: Some(&skip), ..tail }),
                    Some(_) => finish(&inner.forward_with(x, Tail { skip: Some(&skip), relu: false })?, tail),
                };
            }
            Self::Conv { weight, bias, stride, padding, .. } => conv2d(x, weight, bias, *stride, *padding)?,
            Self::Linear { weight, bias } => linear(x, weight, bias)?,
            Self::Pool { kind, side } => pool(x, *kind, *side)?,
            Self::MeanPool => {
                let (samples, channels, height, width) = x.dims4()?;
                let rows = reshape(x, (samples, channels, height * width))?;
                reshape(&mean_of_last(&rows)?, (samples, channels, 1, 1))?
            }
            Self::Relu => relu(x)?,
            Self::Sigmoid => candle_nn::ops::sigmoid(x)?,
            Self::Tanh => x.tanh()?,
            Self::Flatten => flat(x)?,
        };
        finish(&y, tail)
    }
}

/// What a [`Tail`] asks for, in passes of its own.
fn finish(x: &Tensor, tail: Tail<'_>) -> Result<Tensor> {
    // The skip connection first, as a block always was.
    let x = tail.skip.map_or(Ok(x.clone()), |skip| sum(skip, x))?;
    Ok(if tail.relu { relu(&x)? } else { x })
}
