//! The three products from candle's convolution alone, for devices that are not the CPU.
//!
//! Each goes back by the other two, as the kernels do: candle's own gradient of a convolution takes the height's remainder for
//! the width's, so it fails on images that are not square where windows leave some of them out; and the transposed convolution
//! that it is made of has no fast kernel.

use candle_core::{Result, Tensor};

use super::{Geometry, conv2d_input_gradient, conv2d_weight_gradient, convolve};
use crate::engine::made::made;

/// The convolution with its bias.
pub fn forward(x: &Tensor, weight: &Tensor, bias: &Tensor, g: &Geometry) -> Result<Tensor> {
    let (plain_x, plain_weight) = (x.detach().contiguous()?, weight.detach().contiguous()?);
    let y = plain_x.conv2d(&plain_weight, g.padding, g.stride, 1, 1)?;
    let y = y.broadcast_add(&bias.detach().reshape((1, g.outputs, 1, 1))?)?;
    let g = *g;
    made(&[x, weight, bias], &y, move |arguments, grad| {
        let (x, weight, bias) = (arguments[0], arguments[1], arguments[2]);
        let grad = grad.detach().contiguous()?;
        let shape = (g.samples, g.channels, g.height, g.width);
        let dx = x
            .track_op()
            .then(|| conv2d_input_gradient(&grad, &weight.detach(), shape, g.stride, g.padding))
            .transpose()?;
        let dw = weight
            .track_op()
            .then(|| conv2d_weight_gradient(&grad, &x.detach(), g.kernel, g.stride, g.padding))
            .transpose()?;
        let db = bias.track_op().then(|| grad.sum((0, 2, 3))).transpose()?;
        Ok(vec![dx, dw, db])
    })
}

pub fn input_gradient(grad: &Tensor, weight: &Tensor, g: &Geometry) -> Result<Tensor> {
    let dx = spread(&grad.detach().contiguous()?, &weight.detach(), g)?;
    let g = *g;
    made(&[grad, weight], &dx, move |arguments, r| {
        let (grad, weight) = (arguments[0], arguments[1]);
        let dgrad = grad.track_op().then(|| convolve(r, weight, &g)).transpose()?;
        let dw = weight
            .track_op()
            .then(|| conv2d_weight_gradient(&grad.detach(), &r.detach(), g.kernel, g.stride, g.padding))
            .transpose()?;
        Ok(vec![dgrad, dw])
    })
}

pub fn weight_gradient(grad: &Tensor, x: &Tensor, g: &Geometry) -> Result<Tensor> {
    // Samples take the place of channels, the stride that of the dilation.
    let turned = |t: &Tensor| t.detach().transpose(0, 1)?.contiguous();
    let dw = turned(x)?.conv2d(&turned(grad)?, g.padding, 1, g.stride, 1)?.transpose(0, 1)?;
    let dw = dw.narrow(2, 0, g.kernel)?.narrow(3, 0, g.kernel)?;
    let g = *g;
    made(&[grad, x], &dw, move |arguments, r| {
        let (grad, x) = (arguments[0], arguments[1]);
        let dgrad = grad.track_op().then(|| convolve(x, r, &g)).transpose()?;
        let shape = (g.samples, g.channels, g.height, g.width);
        let dx = x
            .track_op()
            .then(|| conv2d_input_gradient(&grad.detach(), &r.detach(), shape, g.stride, g.padding))
            .transpose()?;
        Ok(vec![dgrad, dx])
    })
}

/// The input's gradient: the output's, its numbers a stride apart, convolved with the kernel turned by half a circle.
fn spread(grad: &Tensor, weight: &Tensor, g: &Geometry) -> Result<Tensor> {
    // A window that never moved may have any stride.
    let apart = |positions: usize| if positions == 1 { 1 } else { g.stride };
    let reach = |side: usize, positions: usize| side + 2 * g.padding - (positions - 1) * apart(positions) - g.kernel;
    let grad = stretched(grad, 2, apart(g.out_height), reach(g.height, g.out_height))?;
    let grad = stretched(&grad, 3, apart(g.out_width), reach(g.width, g.out_width))?;
    let turned = weight.transpose(0, 1)?.contiguous()?;
    let turned = if g.kernel == 1 { turned } else { turned.flip(&[2, 3])?.contiguous()? };
    let margin = g.kernel - 1;
    let dx = grad.contiguous()?.conv2d(&turned, margin.saturating_sub(g.padding), 1, 1, 1)?;
    let cut = g.padding.saturating_sub(margin);
    dx.narrow(2, cut, g.height)?.narrow(3, cut, g.width)?.contiguous()
}

/// Puts the numbers along a dimension so far apart, and `behind` zeros behind the last.
fn stretched(t: &Tensor, dim: usize, apart: usize, behind: usize) -> Result<Tensor> {
    let count = t.dim(dim)?;
    if apart == 1 {
        return t.pad_with_zeros(dim, 0, behind);
    }
    let mut shape = t.dims().to_vec();
    shape[dim] = count * apart;
    let all = t.unsqueeze(dim + 1)?.pad_with_zeros(dim + 1, 0, apart - 1)?.reshape(shape)?;
    let length = (count - 1) * apart + 1 + behind;
    if length <= count * apart {
        all.narrow(dim, 0, length)
    } else {
        all.pad_with_zeros(dim, 0, length - count * apart)
    }
}
