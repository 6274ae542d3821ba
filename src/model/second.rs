//! Gradients as functions that can be differentiated once more: by the weights for gradient matching, by the
//! input for a critic's gradient penalty.
//!
//! candle's `backward` forgets how it came to its gradients. Here the first backward pass is written out
//! layer by layer from operations that know their own gradients (the three products of a convolution are
//! closed under differentiation), so a second pass through it is candle's ordinary one. Where a network's
//! weights are trained, their gradients are part of that second pass; of a frozen one they are constants.
//!
//! | layer | what its way back is a function of |
//! |---|---|
//! | convolution, linear | the gradient behind it, its weight, and for the weight's gradient its input |
//! | sigmoid, tanh | the gradient and its output |
//! | relu, max-pooling | the gradient; which values won is held fixed, as it is almost everywhere |
//! | normalisation | the gradient, γ and, but for running statistics, the input through mean and variance |
//! | residual block | the sum of its two paths |

mod norm;

use candle_core::{D, Tensor};
use candle_nn::ops::log_softmax;

use self::norm::Normalised;
use super::network::{Layer, Network};
use crate::engine::activation::relu_input_gradient;
use crate::engine::channel::sum_by_channel;
use crate::engine::conv::{conv2d_input_gradient, conv2d_weight_gradient};
use crate::engine::linear::{linear_input_gradient, linear_weight_gradient};
use crate::engine::mean::shared_out;
use crate::engine::norm::Tail;
use crate::engine::pool::pool_input_gradient;
use crate::engine::tape::{reshape, sum};
use crate::error::{Error, Result};

/// The loss itself: a scalar.
///
/// # Errors
/// Where the shapes differ.
pub fn soft_cross_entropy(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    Ok((log_softmax(logits, D::Minus1)? * target)?.sum(1)?.mean_all()?.neg()?)
}

/// The gradients of a loss by the weights of a client and of a server behind it, each as [`Network::weight_gradients`] has
/// them. `up` is what crosses for the client's output, of the same shape, and `down` what comes back to that output of a gradient
/// by what crosses.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn split_weight_gradients(
    client: &Network,
    server: &Network,
    x: &Tensor,
    up: impl FnOnce(Tensor) -> Result<Tensor>,
    down: impl FnOnce(&Tensor, Tensor) -> Result<Tensor>,
    loss_gradient: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> Result<[Vec<Tensor>; 2]> {
    let ours = client.pass(x)?;
    let z = ours.last().map_or(x, |last| &last.output);
    let sent = up(z.clone())?;
    if sent.shape() != z.shape() {
        return Err(Error::input(format!(
            "what crosses is {:?} and the client's output {:?}: a gradient is not followed through such a defence",
            sent.dims(),
            z.dims()
        )));
    }
    let theirs = server.pass(&sent)?;
    let grad = loss_gradient(theirs.last().map_or(&sent, |last| &last.output))?;
    let [mut of_client, mut of_server] = [Vec::new(), Vec::new()];
    let arrived = server.back(&sent, &theirs, grad, Some(&mut of_server), true)?;
    client.back(x, &ours, down(z, arrived)?, Some(&mut of_client), false)?;
    of_client.reverse();
    of_server.reverse();
    Ok([of_client, of_server])
}

/// What a layer gave, and what its way back needs of the way there.
struct Passed {
    output: Tensor,
    kept: Kept,
}

enum Kept {
    Nothing,
    Normalised(Normalised),
    Block { inner: Vec<Passed>, project: Vec<Passed> },
}

impl Network {
    /// The gradients of a loss by every weight and bias, in the layers' order (weight, bias, weight, …; of a
    /// residual block first its layers' and then those on its skip connection; nothing for a bias that a
    /// convolution does without), as part of the graph of `x`, of what `loss_gradient` (logits to ∂loss/∂logits)
    /// is made of and of weights that are trained. Running statistics stay as they are.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn weight_gradients(
        &self,
        x: &Tensor,
        loss_gradient: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<Vec<Tensor>> {
        let passed = self.pass(x)?;
        let grad = loss_gradient(passed.last().map_or(x, |last| &last.output))?;
        let mut gradients = Vec::new();
        self.back(x, &passed, grad, Some(&mut gradients), false)?;
        gradients.reverse();
        Ok(gradients)
    }

    /// ∂(Σ `grad_of_output` · output)/∂x, shaped as x, as part of the graph of x, of `grad_of_output` and of weights
    /// that are trained: with ones and a critic's scores, the gradient whose norm a WGAN-GP's penalty holds to 1
    /// (Gulrajani et al. 2017, eq. 3). Running statistics stay as they are.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn input_gradient(&self, x: &Tensor, grad_of_output: &Tensor) -> Result<Tensor> {
        let passed = self.pass(x)?;
        let output = passed.last().map_or(x, |last| &last.output);
        if output.shape() != grad_of_output.shape() {
            let (wanted, found) = (output.dims(), grad_of_output.dims());
            return Err(Error::Internal(format!("a gradient {found:?} met an output {wanted:?}")));
        }
        self.back(x, &passed, grad_of_output.clone(), None, true)
    }

    /// The forward pass, layer by layer, with everything kept.
    fn pass(&self, x: &Tensor) -> Result<Vec<Passed>> {
        let mut all: Vec<Passed> = Vec::with_capacity(self.layers().len());
        for layer in self.layers() {
            let passed = layer.pass(all.last().map_or(x, |last| &last.output))?;
            all.push(passed);
        }
        Ok(all)
    }

    /// From the gradient of the output back to that of x, and to those of the weights in reverse. Where the input's is
    /// not wanted, what is returned stopped behind the first layer.
    fn back(
        &self,
        x: &Tensor,
        passed: &[Passed],
        mut grad: Tensor,
        mut weights: Option<&mut Vec<Tensor>>,
        to_input: bool,
    ) -> Result<Tensor> {
        for (i, layer) in self.layers().iter().enumerate().rev() {
            let input = if i == 0 { x } else { &passed[i - 1].output };
            grad = layer.back(input, &passed[i], grad, weights.as_deref_mut(), to_input || i > 0)?;
        }
        Ok(grad)
    }
}

impl Layer {
    fn pass(&self, x: &Tensor) -> Result<Passed> {
        Ok(match self {
            // Written out, for its normalised values; nothing is recorded.
            Self::Norm(norm) => {
                let normalised = Normalised::of(norm, x)?;
                Passed { output: normalised.output()?, kept: Kept::Normalised(normalised) }
            }
            Self::Residual { inner, project } => {
                let block = [inner.pass(x)?, project.pass(x)?];
                let [through, beside] = block.each_ref().map(|path| path.last().map_or(x, |last| &last.output));
                let output = sum(beside, through)?;
                let [inner, project] = block;
                Passed { output, kept: Kept::Block { inner, project } }
            }
            _ => Passed { output: self.forward(x, Tail::default())?, kept: Kept::Nothing },
        })
    }

    /// One layer of [`Network::back`]: pushes its bias' and its weight's gradient, returns its input's where wanted.
    fn back(
        &self,
        input: &Tensor,
        Passed { output, kept }: &Passed,
        grad: Tensor,
        weights: Option<&mut Vec<Tensor>>,
        to_input: bool,
    ) -> Result<Tensor> {
        Ok(match self {
            Self::Conv { weight, bias: _, biased, stride, padding } => {
                if let Some(gradients) = weights {
                    if *biased {
                        gradients.push(sum_by_channel(&grad)?);
                    }
                    gradients.push(conv2d_weight_gradient(&grad, input, weight.dim(2)?, *stride, *padding)?);
                }
                if !to_input {
                    return Ok(grad);
                }
                conv2d_input_gradient(&grad, weight, input.dims4()?, *stride, *padding)?
            }
            Self::Linear { weight, bias: _ } => {
                if let Some(gradients) = weights {
                    gradients.push(sum_by_channel(&grad)?);
                    gradients.push(linear_weight_gradient(&grad, input)?);
                }
                if !to_input {
                    return Ok(grad);
                }
                linear_input_gradient(&grad, weight)?
            }
            // The derivative at 0 is 0; the mask itself has none.
            Self::Relu => relu_input_gradient(&grad, output)?,
            Self::Sigmoid => (grad * (output - output.sqr()?)?)?,
            Self::Tanh => (&grad - (&grad * output.sqr()?)?)?,
            Self::Flatten => reshape(&grad, input.shape())?,
            Self::Pool { kind, side } => pool_input_gradient(&grad, input, *kind, *side)?,
            Self::MeanPool => {
                let (n, c, h, w) = input.dims4()?;
                reshape(&shared_out(&reshape(&grad, (n, c, 1))?, h * w)?, (n, c, h, w))?
            }
            Self::Norm(_) => {
                let Kept::Normalised(normalised) = kept else { return Err(mixed_up()) };
                if let Some(gradients) = weights {
                    gradients.extend(normalised.affine_gradients(&grad)?);
                }
                normalised.input_gradient(&grad)?
            }
            Self::Residual { inner, project } => {
                let Kept::Block { inner: through, project: beside } = kept else { return Err(mixed_up()) };
                if let Some(gradients) = weights {
                    let skip = project.back(input, beside, grad.clone(), Some(&mut *gradients), to_input)?;
                    let main = inner.back(input, through, grad, Some(gradients), to_input)?;
                    if to_input { sum(&skip, &main)? } else { main }
                } else {
                    let skip = project.back(input, beside, grad.clone(), None, true)?;
                    sum(&skip, &inner.back(input, through, grad, None, true)?)?
                }
            }
        })
    }
}

fn mixed_up() -> Error {
    Error::Internal("a layer kept what another one needs".into())
}
