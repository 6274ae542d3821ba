//! What PSGL computes beside the layers, to be tried on a device; and the settings of its reference step.

use candle_core::Tensor;

use super::fusion::{DecisionWeights, decide};
use super::recovery::back::recovered;
use super::recovery::{MapNorm, Recovery};
use super::saliency::{disguise, saliency_map};
use super::strength::{Apply, Strength};
use super::{PsglSpec, downsample};
use crate::defence::Stack;
use crate::engine::trial::Trial;
use crate::error::Result;

/// Its reference step, in `tests/golden`: a file's name.
pub const REFERENCE: &str = "psgl_step";

/// The stack of that step, of which so large a share of the pixels moves.
///
/// # Errors
/// Returns an error if it cannot be made.
pub fn reference(gamma: f64) -> Result<Stack> {
    let spec =
        PsglSpec { enabled: true, gamma, theta: 1.0, iterations: 12, image_iterations: 15, ..PsglSpec::default() };
    Stack::new(std::iter::once(spec.setup()?))
}

/// The saliency map and the disguise, the recovery in several shapes, packing and the decision.
pub fn trials() -> Vec<Trial> {
    let image: &[usize] = &[5, 1, 7, 9];
    let mut all = Vec::new();
    for mirror in [false, true] {
        all.push(Trial::new(format!("saliency map, mirrored {mirror}"), &[image, image], move |a| {
            saliency_map(&a[0], &a[1], mirror)
        }));
    }
    for (apply, gamma) in [(Apply::Sparse, 0.0), (Apply::Sparse, 0.13), (Apply::Sparse, 1.0), (Apply::Dense, 0.0)] {
        all.push(Trial::new(format!("disguise {apply:?} {gamma}"), &[image, image, image], move |a| {
            let map = saliency_map(&a[1], &a[2], true)?;
            disguise(&a[0].affine(0.5, 0.5)?, &map, Strength { apply, gamma, theta: 0.7 })
        }));
    }
    // Few rows, few columns, a row alone, and more on a side than go into a group.
    for [n, rows, cols] in [[3, 6, 35], [3, 28, 28], [2, 21, 5], [2, 1, 9], [5, 16, 49], [1, 70, 90]] {
        for (mu, iterations, map_norm) in [(0.5, 12, MapNorm::L1), (0.05, 30, MapNorm::L1), (0.3, 8, MapNorm::Nuclear)]
        {
            let recovery = Recovery { mu, iterations, map_norm };
            let name = format!("recovery of {n} {rows}×{cols}, μ {mu}, {iterations} times, {map_norm:?}");
            all.push(Trial::new(name, &[&[n, rows, cols]], move |a| {
                // One of the matrices is nothing at all, unless there is one alone.
                let rest = a[0].narrow(0, 0, n.max(2) - 1)?;
                let d = if n > 1 { Tensor::cat(&[&rest, &a[0].narrow(0, 0, 1)?.zeros_like()?], 0)? } else { rest };
                let parts = recovery.split(&d, rows, cols)?;
                Ok(Tensor::cat(&parts, 0)?)
            }));
        }
    }
    all.push(Trial::new("the way back through a recovery", &[&[2, 6, 5, 7]], |a| {
        recovered(&a[0], &Recovery { mu: 0.3, iterations: 12, map_norm: MapNorm::L1 })
    }));
    all.push(Trial::new("packing", &[image, image], |a| downsample::pack(&a[0], &a[1])));
    all.push(Trial::new("decision", &[&[7, 4], &[7, 4], &[7, 4]], |a| {
        let decision = decide(&a[0], &a[1], &a[2], DecisionWeights::new([0.5, 0.3, 0.2]))?;
        Ok(Tensor::cat(&[decision.scores, decision.weights], 1)?)
    }));
    all
}
