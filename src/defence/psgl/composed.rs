//! The map and the disguise from candle's own operations, for devices that are not the CPU: nothing of them comes to the
//! processor.

use candle_core::{D, DType, Result, Tensor};

use super::strength::{Apply, Strength, moving};

/// Halvings after which the k-th largest magnitude is known: what is told apart are values in [0, 1] 10⁻¹⁵ apart.
const HALVINGS: usize = 50;

/// As [`saliency_map`](super::saliency::saliency_map).
pub(super) fn saliency_map(alpha: &Tensor, beta: &Tensor, mirror: bool) -> Result<Tensor> {
    // In double precision, in which the product of two large derivatives of single precision is finite.
    let wide = |t: &Tensor| t.detach().flatten_from(1)?.to_dtype(DType::F64);
    let (a, b) = (wide(alpha)?, wide(beta)?);
    let opposed = (&a * &b)?.neg()?.relu()?;
    let map = (opposed * a.sign()?.neg()?)?;
    let map = if mirror { map } else { map.relu()? };
    let peak = map.abs()?.max_keepdim(D::Minus1)?.maximum(1e-12)?;
    map.broadcast_div(&peak)?.reshape(alpha.shape())?.to_dtype(DType::F32)
}

/// As [`disguise`](super::saliency::disguise).
pub(super) fn disguise(x: &Tensor, map: &Tensor, strength: Strength) -> Result<Tensor> {
    let (image, rows) = (x.detach().to_dtype(DType::F32)?, map.detach().to_dtype(DType::F32)?.flatten_from(1)?);
    let moved = match strength.apply {
        Apply::Dense => rows,
        Apply::Sparse => match moving(strength, rows.dim(1)?).min(rows.dim(1)?) {
            0 => return Ok(image),
            k => {
                let magnitude = rows.abs()?;
                let cut = kth_largest(&magnitude, k)?;
                (rows.sign()? * magnitude.to_dtype(DType::F64)?.broadcast_ge(&cut)?.to_dtype(DType::F32)?)?
            }
        },
    };
    (image + (moved.reshape(x.shape())? * f64::from(strength.theta as f32))?)?.clamp(0f32, 1f32)
}

/// Of each row of magnitudes in [0, 1] one that k of them reach and that no larger one is between: (N, 1), float64.
fn kth_largest(magnitude: &Tensor, k: usize) -> Result<Tensor> {
    let wide = magnitude.to_dtype(DType::F64)?;
    // k reach the lower bound, and fewer the upper one.
    let mut low = wide.narrow(1, 0, 1)?.zeros_like()?;
    let mut high = (&low + 1.5)?;
    for _ in 0..HALVINGS {
        let middle = ((&low + &high)? * 0.5)?;
        let reach = wide.broadcast_ge(&middle)?.to_dtype(DType::F64)?.sum_keepdim(1)?;
        let enough = reach.ge(k as f64)?;
        (low, high) = (enough.where_cond(&middle, &low)?, enough.where_cond(&high, &middle)?);
    }
    Ok(low)
}
