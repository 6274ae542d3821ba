//! Fully connected layer: y = x·Wᵀ + b (N × I, O × I, O), with its three gradients.
//!
//! All four products are the `gemm` crate's. Forward it would spread a few rows badly over threads (a short
//! and long product), so the outputs are cut into pieces of columns here, always the same ones.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::fresh::Fresh;
use super::matrix::{Matrix, Spread, product};
use super::own::own_kernels;
use super::tape::{apply2, apply3};
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
    if own_kernels(x.device()) {
        apply3(&x.contiguous()?, &weight.contiguous()?, &bias.contiguous()?, Linear)
    } else {
        composed(x, weight, bias)
    }
}

/// The gradient of the input (N × I), from that of the output (N × O) and the weight (O × I). Differentiable in both.
///
/// # Errors
/// Where the shapes do not fit.
pub fn linear_input_gradient(grad: &Tensor, weight: &Tensor) -> Result<Tensor> {
    multiply(grad, weight, Product { transposed: [false, false] })
}

/// The gradient of the weight (O × I), from that of the output (N × O) and the input (N × I). Differentiable in both.
///
/// # Errors
/// Where the shapes do not fit.
pub fn linear_weight_gradient(grad: &Tensor, x: &Tensor) -> Result<Tensor> {
    multiply(grad, x, Product { transposed: [true, false] })
}

fn multiply(a: &Tensor, b: &Tensor, op: Product) -> Result<Tensor> {
    let side = |t: &Tensor, transposed: bool, first: bool| t.dim(usize::from(first == transposed));
    let [left, right] = op.transposed;
    if side(a, left, false)? != side(b, right, true)? {
        candle_core::bail!("a product of {:?} and {:?}", a.dims(), b.dims());
    }
    if own_kernels(a.device()) {
        return apply2(&a.contiguous()?, &b.contiguous()?, op);
    }
    let turned = |t: &Tensor, transposed: bool| if transposed { t.t() } else { Ok(t.clone()) };
    turned(a, left)?.matmul(&turned(b, right)?)
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
        let dx =
            x.track_op().then(|| grad.apply_op2_no_bwd(&weight.contiguous()?, &Product { transposed: [false, false] }));
        let dw =
            weight.track_op().then(|| grad.apply_op2_no_bwd(&x.contiguous()?, &Product { transposed: [true, false] }));
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

/// A·B, where A is a or aᵀ and B is b or bᵀ.
struct Product {
    transposed: [bool; 2],
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product of matrices"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((rows, cols), (b_rows, b_cols)) = (l1.shape().dims2()?, l2.shape().dims2()?);
        let [left, right] = self.transposed;
        let (out_rows, out_cols) = (if left { cols } else { rows }, if right { b_rows } else { b_cols });
        let out = for_reals!(self.name(), s1, T => {
            let a = Matrix::new(values::<T>(s1, l1)?, rows, cols);
            let b = Matrix::new(values::<T>(s2, l2)?, b_rows, b_cols);
            let (a, b) = (if left { a.t() } else { a }, if right { b.t() } else { b });
            let mut out = Fresh::<T>::zeros(out_rows * out_cols);
            product(a, b, &mut out, false, Spread::AllThreads);
            Ok::<_, candle_core::Error>(out)
        })?;
        Ok((out, (out_rows, out_cols).into()))
    }

    /// With r the gradient of A·B: that of A is r·Bᵀ, that of B is Aᵀ·r; each turned where its matrix was.
    fn bwd(&self, a: &Tensor, b: &Tensor, _: &Tensor, r: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [left, right] = self.transposed;
        let r = r.contiguous()?;
        let times = |x: &Tensor, y: &Tensor, transposed| x.apply_op2_no_bwd(y, &Self { transposed });
        let da = a.track_op().then(|| if left { times(b, &r, [right, true]) } else { times(&r, b, [false, !right]) });
        let db = b.track_op().then(|| if right { times(&r, a, [true, left]) } else { times(a, &r, [!left, false]) });
        Ok((da.transpose()?, db.transpose()?))
    }
}
