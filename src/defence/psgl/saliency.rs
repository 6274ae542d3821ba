//! Step 1 of PSGL: the client attacks its own images (METHOD §2.1; \[A\], map [E, eq. 1]).
//!
//! The map is that of a reversed, non-targeted Jacobian saliency attack (JSMA). With J_k = ∂logit_k/∂x,
//! ŷ the predicted class, α = J_ŷ and β = Σ_{k≠ŷ} J_k, a pixel with α < 0 < β hurts ŷ when raised
//! (map = −αβ, the paper's case), one with β < 0 < α when lowered (map = αβ, ours). It is divided by
//! its largest magnitude, image by image.

use candle_core::Tensor;
use rayon::prelude::*;

use super::composed;
use super::strength::{Apply, Strength, moving};
use crate::engine::own::own_kernels;
use crate::error::Result;

/// The gradient map in [−1, 1], shaped as α and β (N, C, H, W); `mirror` adds the case β < 0 < α.
/// An image whose map is zero everywhere keeps it so.
///
/// # Errors
/// Where α and β differ in shape.
pub fn saliency_map(alpha: &Tensor, beta: &Tensor, mirror: bool) -> Result<Tensor> {
    let size = alpha.elem_count() / alpha.dim(0)?.max(1);
    if !own_kernels(alpha.device()) {
        return Ok(composed::saliency_map(alpha, beta, mirror)?);
    }
    let (a, b) = (host(alpha)?, host(beta)?);
    let mut map = vec![0.0f32; a.len()];
    map.par_chunks_mut(size).zip(a.par_chunks(size)).zip(b.par_chunks(size)).for_each(|((map, a), b)| {
        // In double precision: the product of two large derivatives may be too large for single.
        let product = |a: f32, b: f32| {
            let moves = (a < 0.0 && b > 0.0) || (mirror && a > 0.0 && b < 0.0);
            if moves { -(f64::from(a) * f64::from(b)).copysign(f64::from(a)) } else { 0.0 }
        };
        let peak = a.iter().zip(b).fold(0.0f64, |peak, (&a, &b)| peak.max(product(a, b).abs())).max(1e-12);
        for ((map, &a), &b) in map.iter_mut().zip(a).zip(b) {
            *map = (product(a, b) / peak) as f32;
        }
    });
    Ok(Tensor::from_vec(map, alpha.shape(), alpha.device())?)
}

/// The attacked (disguised) image x̂, clipped to [0, 1]; x and map (N, C, H, W).
///
/// Sparse: all ties at the k-th magnitude move, zero entries never do.
///
/// # Errors
/// Where image and map differ in shape.
pub fn disguise(x: &Tensor, map: &Tensor, strength: Strength) -> Result<Tensor> {
    let size = x.elem_count() / x.dim(0)?.max(1);
    if !own_kernels(x.device()) {
        return Ok(composed::disguise(x, map, strength)?);
    }
    let (mut image, map) = (host(x)?, host(map)?);
    let theta = strength.theta as f32;
    let moving = moving(strength, size);
    image.par_chunks_mut(size).zip(map.par_chunks(size)).for_each(|(image, map)| match strength.apply {
        Apply::Dense => {
            for (v, m) in image.iter_mut().zip(map) {
                *v = (*v + theta * m).clamp(0.0, 1.0);
            }
        }
        Apply::Sparse => {
            let Some(cut) = kth_largest_magnitude(map, moving) else { return };
            for (v, m) in image.iter_mut().zip(map) {
                if *m != 0.0 && m.abs() >= cut {
                    *v += theta.copysign(*m);
                }
                *v = v.clamp(0.0, 1.0);
            }
        }
    });
    Ok(Tensor::from_vec(image, x.shape(), x.device())?)
}

/// The k-th largest |v|, counted from 1; none for k = 0.
fn kth_largest_magnitude(values: &[f32], k: usize) -> Option<f32> {
    let mut magnitudes: Vec<f32> = values.iter().map(|v| v.abs()).collect();
    let last = k.min(magnitudes.len()).checked_sub(1)?;
    let (_, kth, _) = magnitudes.select_nth_unstable_by(last, |a, b| b.total_cmp(a));
    Some(*kth)
}

fn host(t: &Tensor) -> Result<Vec<f32>> {
    Ok(t.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn row(values: &[f32]) -> Tensor {
        Tensor::from_slice(values, (1, 1, 1, values.len()), &Device::Cpu).unwrap()
    }

    fn list(t: &Tensor) -> Vec<f32> {
        host(t).unwrap()
    }

    #[test]
    fn the_map_has_both_cases_with_their_signs() {
        let (alpha, beta) = (row(&[-1.0, 2.0, 1.0, -1.0, 0.0]), row(&[2.0, -2.0, 1.0, -1.0, 3.0]));
        assert_eq!(list(&saliency_map(&alpha, &beta, true).unwrap()), [0.5, -1.0, 0.0, 0.0, 0.0]);
        assert_eq!(list(&saliency_map(&alpha, &beta, false).unwrap()), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(list(&saliency_map(&alpha, &alpha, true).unwrap()), [0.0; 5]);
    }

    #[test]
    fn ties_all_move_zeros_never_do() {
        let x = row(&[0.5; 5]);
        let sparse = |gamma| Strength { apply: Apply::Sparse, gamma, theta: 0.25 };
        let map = row(&[1.0, -0.5, 0.5, 0.0, 0.1]);
        assert_eq!(list(&disguise(&x, &map, sparse(0.4)).unwrap()), [0.75, 0.25, 0.75, 0.5, 0.5]);
        assert_eq!(list(&disguise(&x, &map, sparse(1.0)).unwrap()), [0.75, 0.25, 0.75, 0.5, 0.75]);
        assert_eq!(list(&disguise(&x, &map, sparse(0.1)).unwrap()), [0.5; 5]);
        assert_eq!(list(&disguise(&x, &row(&[0.0; 5]), sparse(0.4)).unwrap()), [0.5; 5]);
        let dense = Strength { apply: Apply::Dense, gamma: 0.0, theta: 1.0 };
        assert_eq!(list(&disguise(&x, &map, dense).unwrap()), [1.0, 0.0, 1.0, 0.5, 0.6]);
    }
}
