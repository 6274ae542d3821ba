//! Two-dimensional convolution with bias, and its three gradients.
//!
//! Each sample is unrolled (im2col) into a matrix of kernel windows, kept in the thread's cache, and
//! one matrix product does the rest:
//!
//! | | computes | shapes |
//! |---|---|---|
//! | forward | W·cols + b | (O × CKK)·(CKK × P) |
//! | input gradient | col2im(Wᵀ·g) | (CKK × O)·(O × P) |
//! | weight gradient | Σₙ g·colsᵀ | (O × P)·(P × CKK) |
//!
//! with C input and O output channels, K the kernel's side and P output positions. Samples are spread
//! over the threads.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::matrix::{Matrix, Spread, product};
use super::{Real, for_reals, values};

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
    let geometry = Geometry::new(x.dims4()?, weight.dims4()?, stride, padding)?;
    if bias.dims() != [geometry.outputs] {
        candle_core::bail!("a convolution of {} outputs met a bias of shape {:?}", geometry.outputs, bias.dims());
    }
    if x.device().is_cpu() {
        x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, Conv(geometry))
    } else {
        let bias = bias.reshape((1, geometry.outputs, 1, 1))?;
        x.conv2d(weight, padding, stride, 1, 1)?.broadcast_add(&bias)
    }
}

/// All sizes of one convolution.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    samples: usize,
    channels: usize,
    height: usize,
    width: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    out_height: usize,
    out_width: usize,
}

impl Geometry {
    fn new(
        (samples, channels, height, width): (usize, usize, usize, usize),
        (outputs, wanted, kernel, kernel_width): (usize, usize, usize, usize),
        stride: usize,
        padding: usize,
    ) -> Result<Self> {
        if channels != wanted || kernel != kernel_width {
            candle_core::bail!("a {outputs}×{wanted}×{kernel}×{kernel_width} convolution met {channels} channels");
        }
        if samples * channels * outputs * kernel * stride == 0 {
            candle_core::bail!("a convolution needs samples, channels, a kernel and a stride of at least 1");
        }
        let side = |n: usize| (n + 2 * padding).checked_sub(kernel).map(|room| room / stride + 1);
        let (Some(out_height), Some(out_width)) = (side(height), side(width)) else {
            candle_core::bail!("a {kernel}×{kernel} kernel with padding {padding} is larger than {height}×{width}");
        };
        Ok(Self { samples, channels, height, width, outputs, kernel, stride, padding, out_height, out_width })
    }

    fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// C·K·K: rows of the unrolled matrix.
    fn window(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// P: columns of the unrolled matrix.
    fn positions(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Output columns whose window column `kx` lies inside the image: first and one past the last.
    fn inside(&self, offset: usize, size: usize, outputs: usize) -> (usize, usize) {
        let first = self.padding.saturating_sub(offset).div_ceil(self.stride);
        let end = (size + self.padding).saturating_sub(offset).div_ceil(self.stride);
        (first.min(outputs), end.min(outputs))
    }

    /// Calls `visit(row of cols, first column, image index, count)` for each run of output columns whose
    /// pixels lie inside the image; neighbours in a run are `stride` pixels apart.
    fn for_each_run(&self, mut visit: impl FnMut(usize, usize, usize, usize)) {
        for c in 0..self.channels {
            for ky in 0..self.kernel {
                let (top, bottom) = self.inside(ky, self.height, self.out_height);
                for kx in 0..self.kernel {
                    let row = (c * self.kernel + ky) * self.kernel + kx;
                    let (left, right) = self.inside(kx, self.width, self.out_width);
                    if left >= right {
                        continue;
                    }
                    let x = left * self.stride + kx - self.padding;
                    for oy in top..bottom {
                        let y = oy * self.stride + ky - self.padding;
                        let pixel = (c * self.height + y) * self.width + x;
                        visit(row, oy * self.out_width + left, pixel, right - left);
                    }
                }
            }
        }
    }

    /// im2col: `cols` (CKK × P) must be zero where windows reach over the edge, and stays so between samples.
    fn unroll<T: Real>(&self, image: &[T], cols: &mut [T]) {
        let positions = self.positions();
        self.for_each_run(|row, column, pixel, count| {
            let to = &mut cols[row * positions + column..][..count];
            if self.stride == 1 {
                to.copy_from_slice(&image[pixel..pixel + count]);
            } else {
                for (to, from) in to.iter_mut().zip(image[pixel..].iter().step_by(self.stride)) {
                    *to = *from;
                }
            }
        });
    }

    /// col2im, the transpose of `unroll`: adds each window's values to the pixels they came from.
    fn fold<T: Real>(&self, cols: &[T], image: &mut [T]) {
        let positions = self.positions();
        self.for_each_run(|row, column, pixel, count| {
            let from = &cols[row * positions + column..][..count];
            if self.stride == 1 {
                for (to, &v) in image[pixel..pixel + count].iter_mut().zip(from) {
                    *to += v;
                }
            } else {
                for (to, &v) in image[pixel..].iter_mut().step_by(self.stride).zip(from) {
                    *to += v;
                }
            }
        });
    }

    fn scratch<T: Real>(&self) -> Vec<T> {
        vec![T::ZERO; self.window() * self.positions()]
    }

    fn forward<T: Real>(&self, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let positions = self.positions();
        let weight = Matrix::new(weight, self.outputs, self.window());
        let mut y = vec![T::ZERO; self.samples * self.outputs * positions];
        let samples = y.par_chunks_mut(self.outputs * positions).zip(x.par_chunks(self.image()));
        samples.for_each_init(
            || self.scratch(),
            |cols, (y, x)| {
                self.unroll(x, cols);
                for (y, &b) in y.chunks_exact_mut(positions).zip(bias) {
                    y.fill(b);
                }
                product(weight, Matrix::new(cols, self.window(), positions), y, true, Spread::OneThread);
            },
        );
        y
    }

    fn input_gradient<T: Real>(&self, grad: &[T], weight: &[T]) -> Vec<T> {
        let positions = self.positions();
        let weight = Matrix::new(weight, self.outputs, self.window());
        let mut dx = vec![T::ZERO; self.samples * self.image()];
        let samples = dx.par_chunks_mut(self.image()).zip(grad.par_chunks(self.outputs * positions));
        samples.for_each_init(
            || self.scratch(),
            |cols, (dx, grad)| {
                product(weight.t(), Matrix::new(grad, self.outputs, positions), cols, false, Spread::OneThread);
                self.fold(cols, dx);
            },
        );
        dx
    }

    fn weight_gradient<T: Real>(&self, x: &[T], grad: &[T]) -> Vec<T> {
        /// Partial sums, added in order at the end: enough for any machine this is likely to meet.
        const PARTS: usize = 8;
        let positions = self.positions();
        let part = self.samples.div_ceil(PARTS);
        let grads = grad.par_chunks(part * self.outputs * positions);
        let partial: Vec<Vec<T>> = x
            .par_chunks(part * self.image())
            .zip(grads)
            .map(|(x, grad)| {
                let mut sum = vec![T::ZERO; self.outputs * self.window()];
                let mut cols = self.scratch();
                for (x, grad) in x.chunks_exact(self.image()).zip(grad.chunks_exact(self.outputs * positions)) {
                    self.unroll(x, &mut cols);
                    let windows = Matrix::new(&cols, self.window(), positions);
                    product(Matrix::new(grad, self.outputs, positions), windows.t(), &mut sum, true, Spread::OneThread);
                }
                sum
            })
            .collect();
        let mut parts = partial.into_iter();
        let mut sum = parts.next().unwrap_or_else(|| vec![T::ZERO; self.outputs * self.window()]);
        for part in parts {
            for (sum, part) in sum.iter_mut().zip(part) {
                *sum += part;
            }
        }
        sum
    }

    fn bias_gradient<T: Real>(&self, grad: &[T]) -> Vec<T> {
        let mut sum = vec![T::ZERO; self.outputs];
        for sample in grad.chunks_exact(self.outputs * self.positions()) {
            for (sum, plane) in sum.iter_mut().zip(sample.chunks_exact(self.positions())) {
                let mut plane_sum = T::ZERO;
                for &v in plane {
                    plane_sum += v;
                }
                *sum += plane_sum;
            }
        }
        sum
    }
}

struct Conv(Geometry);

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
        let g = &self.0;
        let out = for_reals!(self.name(), s1, T => {
            let (x, weight, bias) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?, values::<T>(s3, l3)?);
            Ok::<_, candle_core::Error>(g.forward(x, weight, bias))
        })?;
        Ok((out, (g.samples, g.outputs, g.out_height, g.out_width).into()))
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
        let gradient = |of| ConvGradient { geometry: self.0, of };
        // Frozen weights (maps, attacks) need no gradient, nor does the first layer's input.
        let dx = x.track_op().then(|| grad.apply_op2_no_bwd(weight, &gradient(Of::Input)));
        let dw = weight.track_op().then(|| grad.apply_op2_no_bwd(x, &gradient(Of::Weight)));
        let db = bias.track_op().then(|| grad.apply_op2_no_bwd(bias, &gradient(Of::Bias)));
        Ok((dx.transpose()?, dw.transpose()?, db.transpose()?))
    }
}

/// Which gradient, from the output's gradient and (weight, input, bias) in this order.
enum Of {
    Input,
    Weight,
    Bias,
}

struct ConvGradient {
    geometry: Geometry,
    of: Of,
}

impl CustomOp2 for ConvGradient {
    fn name(&self) -> &'static str {
        "conv2d gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = &self.geometry;
        let out = for_reals!(self.name(), s1, T => {
            let (grad, other) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(match self.of {
                Of::Input => g.input_gradient(grad, other),
                Of::Weight => g.weight_gradient(other, grad),
                Of::Bias => g.bias_gradient(grad),
            })
        })?;
        let shape = match self.of {
            Of::Input => (g.samples, g.channels, g.height, g.width).into(),
            Of::Weight => (g.outputs, g.channels, g.kernel, g.kernel).into(),
            Of::Bias => Shape::from(g.outputs),
        };
        Ok((out, shape))
    }
}
