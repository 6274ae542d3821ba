//! Step 4 of PSGL: proximal recovery on the server (METHOD §2.4; form [E, eqs. 2–5], sign and ℓ1 ours).
//!
//! One matrix D (channels × positions, or one image plane) is split into a low-rank part L, the
//! recovered features, and a sparse part S, the recovered gradient map:
//!
//! min μ(‖L‖* + λ‖S‖₁) + ½‖D − L − S‖²
//!
//! by accelerated proximal gradient with step ½. The threshold falls from .99σ₁(D) to exactly μ by
//! 60 % of the iterations.
//!
//! Small matrices are solved many at once, one in each SIMD lane; large ones one at a time. Which way is
//! told by the shape alone, so a matrix's result has the same bits alone and in a batch, with any number
//! of threads.

mod alone;
pub mod back;
mod device;
mod group;

use candle_core::Tensor;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::engine::fresh::Fresh;
use crate::engine::own::own_kernels;
use crate::engine::svt::Svt;
use crate::error::{Error, Result};
use group::Group;

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

    /// L and S of the matrices that `z` holds, `rows` × `cols` each and one after the other: both shaped as z, where z is, and
    /// without its graph. On other devices than the processor the values are the same to rounding.
    ///
    /// # Errors
    /// Returns an error if it does not hold whole matrices.
    pub fn split(&self, z: &Tensor, rows: usize, cols: usize) -> Result<[Tensor; 2]> {
        let z = z.detach();
        if !own_kernels(z.device()) {
            let (low_rank, gradient_map) = device::solve(self, &z.reshape(((), rows, cols))?)?;
            return Ok([low_rank.reshape(z.shape())?, gradient_map.reshape(z.shape())?]);
        }
        if !z.elem_count().is_multiple_of((rows * cols).max(1)) {
            return Err(Error::Internal(format!("{:?} holds no whole {rows}×{cols} matrices", z.dims())));
        }
        let parts = self.solve(&z.flatten_all()?.to_vec1()?, rows, cols);
        let tensor = |values| Tensor::from_vec(values, z.shape(), z.device());
        Ok([tensor(parts.low_rank)?, tensor(parts.gradient_map)?])
    }

    /// Recovers every `rows` × `cols` matrix of `batch` (row-major, one after the other). Each matrix is
    /// solved by itself, so the result does not depend on its neighbours. A matrix of zeros gives zeros.
    ///
    /// # Panics
    /// Where the batch does not hold whole matrices.
    pub fn solve(&self, batch: &[f32], rows: usize, cols: usize) -> Recovered {
        let size = rows * cols;
        assert!(size > 0 && batch.len().is_multiple_of(size), "whole {rows}×{cols} matrices");
        if self.iterations == 0 {
            return Recovered { low_rank: vec![0.0; batch.len()], gradient_map: vec![0.0; batch.len()] };
        }
        let arch = Arch::new();
        let lanes = arch.dispatch(Width);
        let narrow = batch.len() / size <= FEW;
        let grouped = lanes >= FEWEST_LANES && (2..=WIDEST_SIDE).contains(&rows.min(cols)) && size <= LARGEST;
        let together = if !grouped {
            1
        } else if narrow {
            lanes.min(NARROW)
        } else {
            lanes
        };
        let (mut low_rank, mut gradient_map) = (Fresh::new(batch.len()), Fresh::new(batch.len()));
        low_rank
            .pieces(size * together)
            .zip(gradient_map.pieces(size * together))
            .zip(batch.par_chunks(size * together))
            .for_each_init(
                || None,
                |svt, ((low_rank, gradient_map), batch)| {
                    let (low_rank, gradient_map) = (low_rank.open(), gradient_map.open());
                    if grouped {
                        run(arch, narrow, Group { recovery: self, rows, cols, batch, low_rank, gradient_map });
                    } else {
                        let svt = svt.get_or_insert_with(|| Svt::new(rows, cols));
                        self.solve_alone(svt, batch, Self::lambda(rows, cols), low_rank, gradient_map);
                    }
                },
            );
        Recovered { low_rank: low_rank.finish(), gradient_map: gradient_map.finish() }
    }

    /// First threshold for a matrix with this largest singular value, and by what it falls each step.
    fn schedule(&self, largest: f32) -> (f32, f32) {
        let start = (START * largest).max(self.mu);
        let decay = if start > 0.0 { (self.mu / start).powf(1.0 / self.steps_down() as f32) } else { 1.0 };
        (start, decay)
    }

    /// Steps after which the threshold has fallen to μ.
    pub fn steps_down(&self) -> usize {
        ((0.6 * self.iterations as f64) as usize).max(1)
    }
}

/// Share of the largest singular value at which the threshold starts.
const START: f32 = 0.99;

/// Matrices with a larger smaller side are solved one at a time: from there on a group leaves the cache.
/// So are single rows and columns, which need no eigenvectors.
const WIDEST_SIDE: usize = 64;

/// As are matrices with more entries.
const LARGEST: usize = 1 << 17;

/// And all, where vectors are short.
const FEWEST_LANES: usize = 4;

/// Up to so many matrices go into narrow groups, so that there is more than one group for the threads.
const FEW: usize = 16;

/// Lanes of a narrow group.
const NARROW: usize = 8;

/// Asks for the number of lanes.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// Solves a group with the machine's vectors, or with those of [`NARROW`] lanes where it has wider ones.
/// The bits are the same.
fn run(arch: Arch, narrow: bool, group: Group<'_>) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let (true, Arch::V4(wide)) = (narrow, arch) {
        return Simd::vectorize(*wide, group);
    }
    arch.dispatch(group);
}

#[cfg(test)]
mod tests;
