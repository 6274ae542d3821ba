//! ReLU with the derivative 0 at 0, as PyTorch has it (candle's is 1 there).

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::own::own_kernels;
use super::tape::{apply1, apply2};
use super::{PIECE, Real, for_reals, values};

/// max(x, 0), any shape. NaN stays NaN.
///
/// # Errors
/// Where the numbers are not float32 or float64.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if own_kernels(x.device()) { apply1(&x.contiguous()?, Relu) } else { composed(x) }
}

/// The gradient of the input from that of the output and from the output itself, which counts as a constant: which
/// numbers passed is held fixed. Differentiable in the gradient.
///
/// # Errors
/// Where the shapes differ.
pub fn relu_input_gradient(grad: &Tensor, output: &Tensor) -> Result<Tensor> {
    if grad.shape() != output.shape() {
        candle_core::bail!("a gradient of {:?} came for {:?}", grad.shape(), output.shape());
    }
    if own_kernels(grad.device()) {
        return apply2(&output.detach().contiguous()?, &grad.contiguous()?, ReluGradient);
    }
    grad * output.detach().gt(0.0)?.to_dtype(grad.dtype())?
}

/// The same from candle's own operations, for other devices. Where x is 0 a constant is taken, so the gradient is 0; what
/// is no number is not below 0, and stays.
pub(super) fn composed(x: &Tensor) -> Result<Tensor> {
    x.le(0.0)?.where_cond(&x.zeros_like()?, x)
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), storage, T => values::<T>(storage, layout).map(forward))?;
        Ok((out, layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(y.apply_op2_no_bwd(&grad.contiguous()?, &ReluGradient)?))
    }
}

/// grad where y > 0, else 0.
struct ReluGradient;

impl CustomOp2 for ReluGradient {
    fn name(&self) -> &'static str {
        "relu gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), s1, T => {
            let (y, grad) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(masked(y, grad))
        })?;
        Ok((out, l1.shape().clone()))
    }

    fn bwd(&self, y: &Tensor, _: &Tensor, _: &Tensor, r: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((None, Some(y.apply_op2_no_bwd(&r.contiguous()?, &Self)?)))
    }
}

fn forward<T: Real>(x: &[T]) -> Vec<T> {
    // `x < 0` and not `x > 0` on the other side, so that NaN passes through and is noticed.
    x.par_iter().with_min_len(PIECE).map(|&v| if v < T::ZERO { T::ZERO } else { v }).collect()
}

/// `grad` where y > 0, else 0.
pub(super) fn masked<T: Real>(y: &[T], grad: &[T]) -> Vec<T> {
    let pass = |(&y, &g)| if y > T::ZERO { g } else { T::ZERO };
    y.par_iter().zip(grad).with_min_len(PIECE).map(pass).collect()
}
