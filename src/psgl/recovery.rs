//! Step 4 of PSGL: proximal recovery on the server (METHOD §2.4; form [E, eqs. 2–5], sign and ℓ1 ours).
//!
//! One matrix D (channels × positions, or one image plane) is split into a low-rank part L, the
//! recovered features, and a sparse part S, the recovered gradient map:
//!
//! min μ(‖L‖* + λ‖S‖₁) + ½‖D − L − S‖²
//!
//! by accelerated proximal gradient with step ½. The threshold falls from .99σ₁(D) to exactly μ by
//! 60 % of the iterations.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::engine::svt::Svt;

/// Which norm keeps the gradient map small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapNorm {
    /// ℓ1: soft thresholding, entry by entry. Ours.
    #[default]
    L1,
    /// Nuclear norm, the nearest solvable form of the paper's eq. 2, whose minus sign makes it unsolvable.
    /// Since λ < 1, moving all of L into S always lowers it: λ‖L + S‖* ≤ λ‖L‖* + λ‖S‖* < ‖L‖* + λ‖S‖*.
    /// So the recovered part tends to **zero**, and the stream that sees it learns nothing.
    Nuclear,
}

/// The solver's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovery {
    /// Weight of both norms, the final threshold, relative to max|D| = 1.
    pub mu: f32,
    /// Number of proximal gradient steps.
    pub iterations: usize,
    /// Norm of the gradient map.
    pub map_norm: MapNorm,
}

/// A batch split into its two parts, both laid out as the input.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// L, the recovered (cleaned) features or image.
    pub low_rank: Vec<f32>,
    /// S, the recovered gradient map.
    pub gradient_map: Vec<f32>,
}

impl Recovery {
    /// λ = 1/√max(m, n), the weight of the map's norm beside the nuclear norm.
    pub fn lambda(rows: usize, cols: usize) -> f32 {
        1.0 / (rows.max(cols) as f32).sqrt()
    }

    /// Recovers every `rows` × `cols` matrix of `batch` (row-major, one after the other). Each matrix is
    /// solved by itself, so the result does not depend on its neighbours. A matrix of zeros gives zeros.
    ///
    /// # Panics
    /// Where the batch does not hold whole matrices.
    pub fn solve(&self, batch: &[f32], rows: usize, cols: usize) -> Recovered {
        let size = rows * cols;
        assert!(size > 0 && batch.len().is_multiple_of(size), "whole {rows}×{cols} matrices");
        let mut out = Recovered { low_rank: vec![0.0; batch.len()], gradient_map: vec![0.0; batch.len()] };
        out.low_rank
            .par_chunks_mut(size)
            .zip(out.gradient_map.par_chunks_mut(size))
            .zip(batch.par_chunks(size))
            .for_each_init(
                || Svt::new(rows, cols),
                |svt, ((low, map), d)| self.solve_one(svt, d, Self::lambda(rows, cols), low, map),
            );
        out
    }

    /// One matrix. `low` and `map` come in as zeros, the starting point.
    fn solve_one(&self, svt: &mut Svt, d: &[f32], lambda: f32, low: &mut [f32], map: &mut [f32]) {
        // Nothing can be recovered from what is not finite; NaN shows, and the run's own check speaks.
        if !d.iter().all(|v| v.is_finite()) {
            low.fill(f32::NAN);
            map.fill(f32::NAN);
            return;
        }
        let scale = d.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        if scale == 0.0 {
            return;
        }
        let d: Vec<f32> = d.iter().map(|v| v / scale).collect();
        let start = (0.99 * svt.largest(&d)).max(self.mu);
        let steps_down = ((0.6 * self.iterations as f64) as usize).max(1);
        let decay = (self.mu / start).powf(1.0 / steps_down as f32);
        let mut tau = start;
        let (mut momentum, mut momentum_before) = (1.0f32, 1.0f32);
        let (mut low_before, mut map_before) = (low.to_vec(), map.to_vec());
        // The points to which the two proximal maps are applied: y − r, r = ½(y_L + y_S − D).
        let (mut low_point, mut map_point) = (vec![0.0; d.len()], vec![0.0; d.len()]);
        for _ in 0..self.iterations {
            let pull = (momentum_before - 1.0) / momentum;
            for i in 0..d.len() {
                let y_low = low[i] + pull * (low[i] - low_before[i]);
                let y_map = map[i] + pull * (map[i] - map_before[i]);
                let residual = 0.5 * (y_low + y_map - d[i]);
                low_point[i] = y_low - residual;
                map_point[i] = y_map - residual;
            }
            low_before.copy_from_slice(low);
            map_before.copy_from_slice(map);
            svt.threshold(&low_point, tau / 2.0, low);
            match self.map_norm {
                MapNorm::L1 => soft_threshold(&map_point, lambda * tau / 2.0, map),
                MapNorm::Nuclear => svt.threshold(&map_point, lambda * tau / 2.0, map),
            }
            momentum_before = momentum;
            momentum = f32::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
            tau = (decay * tau).max(self.mu);
        }
        for v in low.iter_mut().chain(map) {
            *v *= scale;
        }
    }
}

/// The proximal map of τ‖·‖₁.
fn soft_threshold(values: &[f32], tau: f32, out: &mut [f32]) {
    for (out, &v) in out.iter_mut().zip(values) {
        // abs and copysign instead of signum, which gives ±1 at ±0.
        *out = (v.abs() - tau).max(0.0).copysign(v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Recovery = Recovery { mu: 0.55, iterations: 12, map_norm: MapNorm::L1 };

    #[test]
    fn zeros_stay_zeros_and_neighbours_do_not_matter() {
        let mut batch = vec![0.0; 3 * 20];
        for (i, v) in batch[20..].iter_mut().enumerate() {
            *v = ((i * 7) % 11) as f32 - 5.0;
        }
        let all = OURS.solve(&batch, 4, 5);
        assert!(all.low_rank[..20].iter().chain(&all.gradient_map[..20]).all(|v| *v == 0.0));
        let alone = OURS.solve(&batch[40..], 4, 5);
        assert_eq!(all.low_rank[40..], alone.low_rank);
        assert_eq!(all.gradient_map[40..], alone.gradient_map);
    }

    #[test]
    fn mu_always_matters_and_a_spike_goes_to_the_map() {
        let mut d: Vec<f32> = (0..144).map(|i| ((i / 12) as f32 * 0.3).sin() * ((i % 12) as f32 * 0.2).cos()).collect();
        d[30] += 4.0;
        let norm = |mu| {
            let low = Recovery { mu, iterations: 40, ..OURS }.solve(&d, 12, 12).low_rank;
            low.iter().map(|v| f64::from(v * v)).sum::<f64>()
        };
        assert!(norm(0.05) > norm(0.55) && norm(0.55) > norm(2.0));
        let map = Recovery { mu: 0.05, iterations: 40, ..OURS }.solve(&d, 12, 12).gradient_map;
        let largest = (0..144).max_by(|a, b| map[*a].abs().total_cmp(&map[*b].abs()));
        assert_eq!(largest, Some(30));
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        let mut d = vec![1.0; 20];
        d[3] = f32::NAN;
        assert!(OURS.solve(&d, 4, 5).low_rank.iter().any(|v| v.is_nan()));
    }
}
