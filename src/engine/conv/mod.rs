//! Two-dimensional convolution with bias, and its gradients, as candle operations.
//!
//! | file | what |
//! |---|---|
//! | `geometry` | sizes, and how images are laid out for the inner loops |
//! | `finish` | bias, relu and pooling while the outputs are in the cache, and the way back |
//! | `kernels` | the three products on plain numbers |
//! | `winograd` | the same with fewer multiplications, for many channels |
//! | `composed` | all three from candle's operations, for other devices |
//!
//! The convolution, its input gradient and its weight gradient are *closed under differentiation*: the
//! gradient of each is made of the other two, so second derivatives (gradient matching) need nothing more.

mod composed;
mod finish;
mod geometry;
mod kernels;
#[cfg(test)]
mod tests;
mod winograd;

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Tensor};

pub use finish::Finish;
use finish::Incoming;
use geometry::Geometry;

use super::activation::relu;
use super::own::own_kernels;
use super::pool::{Pool, pool};
use super::tape::{apply2, apply3};
use super::{Real, for_reals, held, values};

/// x (N, C, H, W), weight (O, C, K, K), bias (O) to (N, O, H′, W′), H′ = ⌊(H + 2·padding − K)/stride⌋ + 1.
///
/// # Errors
/// Where the shapes do not fit or the kernel is larger than the padded image.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use cutlayer::engine::conv::conv2d;
/// let x = Tensor::ones((1, 1, 4, 4), candle_core::DType::F32, &Device::Cpu)?;
/// let w = Tensor::ones((2, 1, 3, 3), candle_core::DType::F32, &Device::Cpu)?;
/// let b = Tensor::zeros(2, candle_core::DType::F32, &Device::Cpu)?;
/// assert_eq!(conv2d(&x, &w, &b, 1, 1)?.dims(), [1, 2, 4, 4]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    conv2d_then(x, weight, bias, (stride, padding), Finish::Plain)
}

/// [`conv2d`] and what follows it, in one pass over memory. The numbers are those of the separate layers.
///
/// # Errors
/// As [`conv2d`], and where there is no window to pool.
pub fn conv2d_then(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    (stride, padding): (usize, usize),
    finish: Finish,
) -> Result<Tensor> {
    let geometry = Geometry::new(x.dims4()?, weight.dims4()?, stride, padding)?;
    if bias.dims() != [geometry.outputs] {
        candle_core::bail!("a convolution of {} outputs met a bias of shape {:?}", geometry.outputs, bias.dims());
    }
    let (height, width) = finish.sides(&geometry);
    if height * width == 0 {
        candle_core::bail!("a 2×2 window does not fit {}×{}", geometry.out_height, geometry.out_width);
    }
    if own_kernels(x.device()) {
        let op = Conv { geometry, finish, winners: OnceLock::new() };
        return apply3(&x.contiguous()?, &weight.contiguous()?, &bias.contiguous()?, op);
    }
    let y = composed::forward(x, weight, bias, &geometry)?;
    match finish {
        Finish::Plain => Ok(y),
        Finish::Relu => relu(&y),
        Finish::ReluPool => pool(&relu(&y)?, Pool::Max, 2),
    }
}

/// The gradient of a convolution's input, shaped `x` (N, C, H, W), from that of its output (N, O, H′, W′) and
/// the weight (O, C, K, K). Differentiable in both.
///
/// # Errors
/// Where the shapes do not fit.
pub fn conv2d_input_gradient(
    grad: &Tensor,
    weight: &Tensor,
    x: (usize, usize, usize, usize),
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    let geometry = Geometry::new(x, weight.dims4()?, stride, padding)?;
    geometry.check_gradient(grad)?;
    if own_kernels(grad.device()) {
        apply2(&grad.contiguous()?, &weight.contiguous()?, InputGradient(geometry))
    } else {
        composed::input_gradient(grad, weight, &geometry)
    }
}

/// The gradient of a convolution's weight, shaped (O, C, K, K), from that of its output (N, O, H′, W′) and
/// the input (N, C, H, W). Differentiable in both.
///
/// # Errors
/// Where the shapes do not fit.
pub fn conv2d_weight_gradient(
    grad: &Tensor,
    x: &Tensor,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    let weight = (grad.dims4()?.1, x.dims4()?.1, kernel, kernel);
    let geometry = Geometry::new(x.dims4()?, weight, stride, padding)?;
    geometry.check_gradient(grad)?;
    if own_kernels(grad.device()) {
        apply2(&grad.contiguous()?, &x.contiguous()?, WeightGradient(geometry))
    } else {
        composed::weight_gradient(grad, x, &geometry)
    }
}

impl Geometry {
    fn check_gradient(&self, grad: &Tensor) -> Result<()> {
        let wanted = [self.samples, self.outputs, self.out_height, self.out_width];
        if grad.dims() != wanted {
            candle_core::bail!("a convolution's gradient is {:?}, wanted {wanted:?}", grad.dims());
        }
        Ok(())
    }
}

/// The gradient of an output that nothing follows.
fn plain<T>(grad: &[T]) -> Incoming<'_, T> {
    Incoming { grad, finish: Finish::Plain, values: &[], winners: &[] }
}

struct Conv {
    geometry: Geometry,
    finish: Finish,
    /// Which value each pooling window gave, kept for the way back.
    winners: OnceLock<Vec<u8>>,
}

impl CustomOp3 for Conv {
    fn name(&self) -> &'static str {
        "conv2d"
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
        let g = &self.geometry;
        let out = for_reals!(self.name(), s1, T => {
            let (x, weight, bias) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?, values::<T>(s3, l3)?);
            let output = g.forward(x, weight, bias, self.finish);
            self.winners.get_or_init(|| output.winners);
            Ok::<_, candle_core::Error>(output.values)
        })?;
        let (height, width) = self.finish.sides(g);
        Ok((out, (g.samples, g.outputs, height, width).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        match grad.dtype() {
            DType::F64 => self.gradients::<f64>(x, weight, bias, y, grad),
            _ => self.gradients::<f32>(x, weight, bias, y, grad),
        }
    }
}

impl Conv {
    fn gradients<T: Real>(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (held_grad, held_y) = (held(&grad), held(y));
        let values = if self.finish == Finish::Plain { &[] } else { held_y.values::<T>()? };
        let winners = self.winners.get().map_or(&[][..], Vec::as_slice);
        let incoming = Incoming { grad: held_grad.values::<T>()?, finish: self.finish, values, winners };
        let tensor = |values: Vec<T>, of: &Tensor| Tensor::from_vec(values, of.shape(), of.device());
        // Frozen weights (maps, attacks) need no gradient, nor does the first layer's input.
        let dx = x.track_op().then(|| tensor(self.geometry.input_gradient(incoming, held(weight).values::<T>()?), x));
        let (mut dw, mut db) = (None, None);
        if weight.track_op() || bias.track_op() {
            let (w, b) = self.geometry.weight_gradient(incoming, held(x).values::<T>()?);
            (dw, db) = (Some(tensor(w, weight)?), Some(tensor(b, bias)?));
        }
        Ok((dx.transpose()?, dw.filter(|_| weight.track_op()), db.filter(|_| bias.track_op())))
    }
}

/// (grad, weight) to the input's gradient.
struct InputGradient(Geometry);

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "conv2d input gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = &self.0;
        let out = for_reals!(self.name(), s1, T => {
            let (grad, weight) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(g.input_gradient(plain(grad), weight))
        })?;
        Ok((out, (g.samples, g.channels, g.height, g.width).into()))
    }

    /// With r the gradient of dx: that of grad is W ∗ r, that of W is the weight gradient with r as the input.
    fn bwd(&self, grad: &Tensor, weight: &Tensor, _: &Tensor, r: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = &self.0;
        let dgrad = grad.track_op().then(|| convolve(r, weight, g)).transpose()?;
        let dw = weight
            .track_op()
            .then(|| conv2d_weight_gradient(&grad.detach(), &r.detach(), g.kernel, g.stride, g.padding));
        Ok((dgrad, dw.transpose()?))
    }
}

/// (grad, x) to the weight's gradient.
struct WeightGradient(Geometry);

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d weight gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = &self.0;
        let out = for_reals!(self.name(), s1, T => {
            let (grad, x) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(g.weight_gradient(plain(grad), x).0)
        })?;
        Ok((out, (g.outputs, g.channels, g.kernel, g.kernel).into()))
    }

    /// With r the gradient of dW: that of grad is r ∗ x, that of x is the input gradient with r as the weight.
    fn bwd(&self, grad: &Tensor, x: &Tensor, _: &Tensor, r: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = &self.0;
        let dgrad = grad.track_op().then(|| convolve(x, r, g)).transpose()?;
        let shape = (g.samples, g.channels, g.height, g.width);
        let dx = x.track_op().then(|| conv2d_input_gradient(&grad.detach(), &r.detach(), shape, g.stride, g.padding));
        Ok((dgrad, dx.transpose()?))
    }
}

/// The convolution alone, no longer differentiable.
fn convolve(x: &Tensor, weight: &Tensor, g: &Geometry) -> Result<Tensor> {
    let bias = Tensor::zeros(g.outputs, x.dtype(), x.device())?;
    conv2d(&x.detach(), &weight.detach(), &bias, g.stride, g.padding)
}
