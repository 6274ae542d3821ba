//! Recovery of one matrix at a time, for sides that do not fit the cache 16 fold.

use super::{MapNorm, Recovery};
use crate::engine::svt::Svt;

impl Recovery {
    /// One matrix. `low` and `map` come in as zeros, the starting point.
    pub(super) fn solve_alone(&self, svt: &mut Svt, d: &[f32], lambda: f32, low: &mut [f32], map: &mut [f32]) {
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
        let (mut tau, decay) = self.schedule(svt.largest(&d));
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
