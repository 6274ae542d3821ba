//! Structural similarity as a loss: differentiable by both images.

use candle_core::{Result, Tensor};

use super::conv::conv2d;
use super::tape::reshape;

/// Standard deviation of the window, in pixels.
const SIGMA: f64 = 1.5;
/// Its width.
const TAPS: usize = 11;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// The mean structural similarity of images (N, C, H, W) in \[0, 1\] over all places where the window fits, channels and
/// images: a scalar. As [`score::image::ssim`](crate::score::image::ssim) has it, but for sides below 11, for which the
/// window is made as narrow as they are (to an odd number of pixels).
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn ssim(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.shape() != b.shape() {
        candle_core::bail!("a similarity of images {:?} and {:?}", a.dims(), b.dims());
    }
    let (n, c, h, w) = a.dims4()?;
    let window = window(TAPS.min((h.min(w).max(1) - 1) / 2 * 2 + 1), a)?;
    let none = Tensor::zeros(1, a.dtype(), a.device())?;
    let blurred = |x: &Tensor| conv2d(&reshape(x, (n * c, 1, h, w))?, &window, &none, 1, 0);
    let (ma, mb) = (blurred(a)?, blurred(b)?);
    let (aa, bb, ab) = ((&ma * &ma)?, (&mb * &mb)?, (&ma * &mb)?);
    let variances = ((blurred(&(a * a)?)? - &aa)? + (blurred(&(b * b)?)? - &bb)?)?;
    let covariance = (blurred(&(a * b)?)? - &ab)?;
    let above = (((ab * 2.0)? + C1)? * ((covariance * 2.0)? + C2)?)?;
    let below = (((aa + bb)? + C1)? * (variances + C2)?)?;
    (above / below)?.mean_all()
}

/// A Gaussian of so many taps a side, (1, 1, taps, taps), whose entries sum to 1.
fn window(taps: usize, like: &Tensor) -> Result<Tensor> {
    let middle = (taps / 2) as f64;
    let line: Vec<f64> = (0..taps).map(|i| (-0.5 * ((i as f64 - middle) / SIGMA).powi(2)).exp()).collect();
    let sum: f64 = line.iter().sum();
    let plane: Vec<f64> = line.iter().flat_map(|a| line.iter().map(move |b| a * b / (sum * sum))).collect();
    Tensor::from_vec(plane, (1, 1, taps, taps), like.device())?.to_dtype(like.dtype())
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::random::Seed;
    use crate::score::image;

    #[test]
    fn it_is_the_score_of_images() {
        let draw =
            |name, shape: &[usize]| Seed(4).stream(name, 0).uniform_tensor(0.0, 1.0, shape, &Device::Cpu).unwrap();
        let shape = [3, 2, 16, 13];
        let (a, b) =
            (draw("a", &shape), ((draw("a", &shape) * 0.7).unwrap() + (draw("b", &shape) * 0.3).unwrap()).unwrap());
        let got = f64::from(ssim(&a, &b).unwrap().to_scalar::<f32>().unwrap());
        let one = |t: &Tensor, i| t.get(i).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let wanted = (0..3).map(|i| image::ssim(&one(&a, i), &one(&b, i), [2, 16, 13])).sum::<f64>() / 3.0;
        assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
        // Small images have a smaller window, and the same image is as alike as can be.
        for side in [1, 2, 7, 8] {
            let small = draw("small", &[1, 1, side, side]);
            assert!((ssim(&small, &small).unwrap().to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-5, "{side}");
        }
        assert!(ssim(&a, &b.narrow(0, 0, 1).unwrap()).is_err());
    }
}
