//! A way back through the recovery, for adversaries: training does without one, it takes the identity.
//!
//! The iteration's own derivative would be that of twelve singular value thresholdings in turn. In its place stands that of
//! what it ends in (BPDA, Athalye et al. 2018). Where S is not 0 it takes up what changes in D, so L stays; and L moves only
//! among the matrices of its rank r, to first order along their tangent space at L = UΣVᵀ:
//!
//! ∂L/∂D · G ≈ P_T(P_Ωᶜ G),  P_T(G) = UUᵀG + GVVᵀ − UUᵀGVVᵀ,
//!
//! Ω being where S is not 0. How much the thresholds shrink is left out: adversaries go by signs.

use candle_core::Tensor;
use faer::Mat;
use rayon::prelude::*;

use super::Recovery;
use crate::engine::made::made;
use crate::error::Result;

/// Singular values below this share of the largest count as none.
const NONE: f32 = 1e-4;

/// L of smashed data (N, C, H, W) as the server recovers it, differentiable by the stand-in, whose decompositions are made on
/// the processor, whatever the device.
///
/// # Errors
/// Returns an error if z has another rank.
pub fn recovered(z: &Tensor, recovery: &Recovery) -> Result<Tensor> {
    let (_, rows, height, width) = z.dims4()?;
    let cols = height * width;
    let [low_rank, map] = recovery.split(z, rows, cols)?;
    let numbers = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
    let back = Back { low_rank: numbers(&low_rank)?, map: numbers(&map)?, rows, cols };
    Ok(made(&[z], &low_rank, move |_, grad| Ok(vec![Some(back.of(grad)?)]))?)
}

struct Back {
    low_rank: Vec<f32>,
    map: Vec<f32>,
    rows: usize,
    cols: usize,
}

impl Back {
    /// P_Ωᶜ(P_T(G)) of one matrix, which is the other way round transposed.
    fn one(&self, i: usize, gradient: &[f32], out: &mut [f32]) {
        let (rows, cols, size) = (self.rows, self.cols, self.rows * self.cols);
        let (low_rank, map) = (&self.low_rank[i * size..][..size], &self.map[i * size..][..size]);
        let matrix = |of: &[f32]| Mat::<f32>::from_fn(rows, cols, |r, c| of[r * cols + c]);
        out.fill(0.0);
        // Only what is not finite has no decomposition, and nothing is to be learnt from that.
        let Ok(svd) = matrix(low_rank).thin_svd() else { return };
        let largest = svd.S()[0];
        let rank = (0..rows.min(cols)).filter(|k| svd.S()[*k] > NONE * largest).count();
        let (u, v) = (svd.U().subcols(0, rank), svd.V().subcols(0, rank));
        let g = matrix(gradient);
        let left = u * (u.transpose() * &g);
        let right = (&g - &left) * v * v.transpose();
        for r in 0..rows {
            for c in 0..cols {
                if map[r * cols + c] == 0.0 {
                    out[r * cols + c] = left[(r, c)] + right[(r, c)];
                }
            }
        }
    }

    /// That of every matrix.
    fn of(&self, grad: &Tensor) -> candle_core::Result<Tensor> {
        let (gradient, size) = (grad.flatten_all()?.to_vec1::<f32>()?, self.rows * self.cols);
        let mut out = vec![0.0; gradient.len()];
        let matrices = out.par_chunks_mut(size).zip(gradient.par_chunks(size)).enumerate();
        matrices.for_each(|(i, (out, gradient))| self.one(i, gradient, out));
        Tensor::from_vec(out, grad.shape(), grad.device())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::defence::psgl::recovery::MapNorm;
    use crate::random::Seed;

    const ROWS: usize = 12;
    const SIDE: usize = 5;
    const SIZE: usize = ROWS * SIDE * SIDE;

    /// A matrix of rank two with a few large entries on it.
    fn matrix() -> Vec<f32> {
        let mut stream = Seed(3).stream("matrix", 0);
        let mut draw = |n: usize| (0..n).map(|_| stream.normal() as f32).collect::<Vec<_>>();
        let (left, right) = (draw(2 * ROWS), draw(2 * SIDE * SIDE));
        let cols = SIDE * SIDE;
        let mut all: Vec<f32> = (0..SIZE)
            .map(|i| left[i / cols] * right[i % cols] + left[ROWS + i / cols] * right[cols + i % cols])
            .collect();
        (0..SIZE).step_by(37).for_each(|i| all[i] += 4.0);
        all
    }

    fn recovery() -> Recovery {
        Recovery { mu: 0.1, iterations: 40, map_norm: MapNorm::L1 }
    }

    /// How the derivative of ⟨weights, L⟩ along each of many directions is told by `gradient`: their correlation.
    fn agreement(gradient: &[f32], weights: &[f32]) -> f64 {
        let value = |d: &[f32]| -> f64 {
            let found = recovery().solve(d, ROWS, SIDE * SIDE).low_rank;
            found.iter().zip(weights).map(|(l, w)| f64::from(l * w)).sum()
        };
        let (d, step) = (matrix(), 1e-2f32);
        let mut both = Vec::new();
        for i in 0..200 {
            let mut stream = Seed(5).stream("direction", i);
            let direction: Vec<f32> = (0..SIZE).map(|_| stream.normal() as f32).collect();
            let moved = |by: f32| -> Vec<f32> { d.iter().zip(&direction).map(|(d, v)| d + by * v).collect() };
            let measured = (value(&moved(step)) - value(&moved(-step))) / f64::from(2.0 * step);
            let told: f64 = gradient.iter().zip(&direction).map(|(g, v)| f64::from(g * v)).sum();
            both.push((told, measured));
        }
        let (told, measured): (Vec<f32>, Vec<f32>) = both.iter().map(|(t, m)| (*t as f32, *m as f32)).unzip();
        crate::score::image::pearson(&told, &measured)
    }

    #[test]
    fn the_stand_in_tells_how_the_recovery_moves_and_better_than_the_identity() {
        let z = Var::from_vec(matrix(), (1, ROWS, SIDE, SIDE), &Device::Cpu).unwrap();
        let mut stream = Seed(4).stream("weights", 0);
        let weights: Vec<f32> = (0..SIZE).map(|_| stream.normal() as f32).collect();
        let low_rank = recovered(&z, &recovery()).unwrap();
        let own = recovery().solve(&matrix(), ROWS, SIDE * SIDE).low_rank;
        assert_eq!(low_rank.flatten_all().unwrap().to_vec1::<f32>().unwrap(), own);
        let end = (low_rank * Tensor::from_slice(&weights, z.shape(), &Device::Cpu).unwrap()).unwrap();
        let gradients = end.sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&z).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (ours, identity) = (agreement(&gradient, &weights), agreement(&weights, &weights));
        assert!(ours > 0.8 && ours > identity + 0.1, "{ours} {identity}");
    }

    #[test]
    fn nothing_recovered_gives_nothing_back() {
        let z = Var::from_vec(vec![0.0f32; SIZE], (1, ROWS, SIDE, SIDE), &Device::Cpu).unwrap();
        let gradients = recovered(&z, &recovery()).unwrap().sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&z).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(gradient, vec![0.0; SIZE]);
    }
}
