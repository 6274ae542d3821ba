//! What rMLE minimises.

use candle_core::Tensor;

use crate::error::Result;

/// mean((features − target)²) + `tv_weight` · TV²(image), a scalar; image (N, C, H, W).
///
/// # Errors
/// Where the shapes differ.
pub fn objective(features: &Tensor, target: &Tensor, image: &Tensor, tv_weight: f64) -> Result<Tensor> {
    let error = (features - target)?.sqr()?.mean_all()?;
    if tv_weight == 0.0 {
        return Ok(error);
    }
    Ok((error + (total_variation(image)? * tv_weight)?)?)
}

/// Mean of squared vertical plus mean of squared horizontal neighbour differences.
pub(super) fn total_variation(x: &Tensor) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let along = |side, n: usize| -> Result<Option<Tensor>> {
        if n < 2 {
            return Ok(None);
        }
        Ok(Some((x.narrow(side, 1, n - 1)? - x.narrow(side, 0, n - 1)?)?.sqr()?.mean_all()?))
    };
    match (along(2, h)?, along(3, w)?) {
        (Some(a), Some(b)) => Ok((a + b)?),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => Ok(x.zeros_like()?.mean_all()?),
    }
}
