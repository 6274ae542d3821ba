//! Fully connected layer: y = x·Wᵀ + b (N × I, O × I, O), with its three gradients.
//!
//! All four products are the `gemm` crate's. Forward it would spread a few rows badly over threads (a short
//! and long product), so the outputs are cut into pieces of columns here, always the same ones.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::fresh::Fresh;
use super::matrix::{Matrix, Spread, product};
use super::tape::apply3;
use super::{Real, for_reals, values};

/// x (N, inputs), weight (outputs, inputs), bias (outputs) to (N, outputs).
///
/// # Errors
/// Where the shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let ((_, inputs), (outputs, wanted)) = (x.dims2()?, weight.dims2()?);
    if inputs != wanted || bias.dims() != [outputs] {
        candle_core::bail!("a linear layer of {wanted} inputs and {outputs} outputs met {inputs} inputs");
    }
    if x.device().is_cpu() {
        apply3(&x.contiguous()?, &weight.contiguous()?, &bias.contiguous()?, Linear)
    } else {
        composed(x, weight, bias)
    }
}

/// The same from candle's own operations, for other devices.
pub(super) fn composed(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.matmul(&weight.t()?)?.broadcast_add(bias)
}

struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((n, inputs), (outputs, _)) = (l1.shape().dims2()?, l2.shape().dims2()?);
        let out = for_reals!(self.name(), s1, T => {
            let (x, weight, bias) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?, values::<T>(s3, l3)?);
            Ok::<_, candle_core::Error>(forward(x, weight, bias, inputs))
        })?;
        Ok((out, (n, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        // Frozen weights (maps, attacks) need no gradient, nor does the first layer's input.
        let dx = x.track_op().then(|| grad.apply_op2_no_bwd(&weight.contiguous()?, &Product { transposed: false }));
        let dw = weight.track_op().then(|| grad.apply_op2_no_bwd(&x.contiguous()?, &Product { transposed: true }));
        let db = bias.track_op().then(|| grad.sum(0));
        Ok((dx.transpose()?, dw.transpose()?, db.transpose()?))
    }
}

/// x·Wᵀ + b.
fn forward<T: Real>(x: &[T], weight: &[T], bias: &[T], inputs: usize) -> Vec<T> {
    /// Outputs that a thread computes at once.
    const COLUMNS: usize = 64;
    let (n, outputs) = (x.len() / inputs, bias.len());
    let x = Matrix::new(x, n, inputs);
    let piece = |(weight, bias): (&[T], &[T])| {
        let mut y = bias.repeat(n);
        product(x, Matrix::new(weight, bias.len(), inputs).t(), &mut y, true, Spread::OneThread);
        y
    };
    if outputs <= COLUMNS {
        return piece((weight, bias));
    }
    let pieces: Vec<Vec<T>> = weight.par_chunks(COLUMNS * inputs).zip(bias.par_chunks(COLUMNS)).map(piece).collect();
    let mut y = Vec::with_capacity(n * outputs);
    for row in 0..n {
        for piece in &pieces {
            let columns = piece.len() / n;
            y.extend_from_slice(&piece[row * columns..][..columns]);
        }
    }
    y
}

/// a·b, or aᵀ·b.
struct Product {
    transposed: bool,
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "linear gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((rows, cols), (b_rows, b_cols)) = (l1.shape().dims2()?, l2.shape().dims2()?);
        let out_rows = if self.transposed { cols } else { rows };
        let out = for_reals!(self.name(), s1, T => {
            let a = Matrix::new(values::<T>(s1, l1)?, rows, cols);
            let a = if self.transposed { a.t() } else { a };
            let mut out = Fresh::<T>::zeros(out_rows * b_cols);
            product(a, Matrix::new(values::<T>(s2, l2)?, b_rows, b_cols), &mut out, false, Spread::AllThreads);
            Ok::<_, candle_core::Error>(out)
        })?;
        Ok((out, (out_rows, b_cols).into()))
    }
}
