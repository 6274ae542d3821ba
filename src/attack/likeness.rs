//! How near an attacker comes to the truth of images of its own.

use candle_core::Tensor;

use crate::error::Result;
use crate::score::image::{mse, ssim};

/// Mean squared error and mean structural similarity of images (N, C, H, W), or of one for all, to these.
///
/// # Errors
/// Returns an error if they cannot be read.
pub(super) fn likeness(got: &Tensor, truth: &Tensor) -> Result<(f64, f64)> {
    let (n, c, h, w) = truth.dims4()?;
    let got: Vec<f32> = got.broadcast_as(truth.shape())?.flatten_all()?.to_vec1()?;
    let truth: Vec<f32> = truth.flatten_all()?.to_vec1()?;
    let pairs = got.chunks(c * h * w).zip(truth.chunks(c * h * w));
    let similarity = pairs.map(|(got, truth)| ssim(got, truth, [c, h, w])).sum::<f64>() / n as f64;
    Ok((mse(&got, &truth), similarity))
}
