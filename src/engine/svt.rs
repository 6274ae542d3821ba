//! Singular value thresholding by the Gram matrix of the smaller side.
//!
//! The proximal map of τ‖·‖* shrinks every singular value by τ and drops those below it. With
//! D = UΣVᵀ and m ≤ n, it equals U·diag(max(σ−τ, 0)/σ)·Uᵀ·D, so only the eigenvectors of the small
//! m × m matrix DDᵀ are needed, and of these only the ones above the threshold.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par};

use super::matrix::{Matrix, Spread, product};

/// Room for thresholding matrices of one size; one for each thread, used again and again.
pub struct Svt {
    rows: usize,
    cols: usize,
    /// The smaller side.
    side: usize,
    gram: Vec<f32>,
    eigenvalues: faer::diag::Diag<f32>,
    eigenvectors: Mat<f32>,
    /// Kept eigenvectors, one a row, and the same shrunk.
    basis: Vec<f32>,
    shrunk: Vec<f32>,
    coordinates: Vec<f32>,
    stack: MemBuffer,
}

impl Svt {
    /// For matrices of `rows` × `cols`.
    pub fn new(rows: usize, cols: usize) -> Self {
        let side = rows.min(cols);
        let scratch = self_adjoint_evd_scratch::<f32>(side, ComputeEigenvectors::Yes, Par::Seq, faer::Spec::default());
        Self {
            rows,
            cols,
            side,
            gram: vec![0.0; side * side],
            eigenvalues: faer::diag::Diag::zeros(side),
            eigenvectors: Mat::zeros(side, side),
            basis: Vec::new(),
            shrunk: Vec::new(),
            coordinates: Vec::new(),
            stack: MemBuffer::new(scratch),
        }
    }

    /// Eigenvalues (ascending) and eigenvectors of the Gram matrix of the smaller side.
    fn decompose(&mut self, d: &[f32]) {
        let d = Matrix::new(d, self.rows, self.cols);
        if self.rows <= self.cols {
            product(d, d.t(), &mut self.gram, false, Spread::OneThread);
        } else {
            product(d.t(), d, &mut self.gram, false, Spread::OneThread);
        }
        let gram = faer::MatRef::from_row_major_slice(&self.gram, self.side, self.side);
        let done = self_adjoint_evd(
            gram,
            self.eigenvalues.as_mut(),
            Some(self.eigenvectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut self.stack),
            faer::Spec::default(),
        );
        // It can fail only where the matrix is not finite, which callers rule out; then nothing is kept.
        if done.is_err() {
            self.eigenvalues.column_vector_mut().fill(0.0);
        }
    }

    /// The largest singular value of `d` (row-major).
    pub fn largest(&mut self, d: &[f32]) -> f32 {
        self.decompose(d);
        self.eigenvalues.column_vector()[self.side - 1].max(0.0).sqrt()
    }

    /// Writes the proximal map of τ‖·‖* at `d` (row-major, finite) to `out`.
    ///
    /// # Panics
    /// Where a slice does not hold rows · cols values.
    pub fn threshold(&mut self, d: &[f32], tau: f32, out: &mut [f32]) {
        self.decompose(d);
        let side = self.side;
        self.basis.clear();
        self.shrunk.clear();
        for i in 0..side {
            let sigma = self.eigenvalues.column_vector()[i].max(0.0).sqrt();
            if sigma <= tau {
                continue;
            }
            let factor = (sigma - tau) / sigma;
            self.basis.extend(self.eigenvectors.col(i).iter());
            self.shrunk.extend(self.eigenvectors.col(i).iter().map(|v| v * factor));
        }
        let kept = self.basis.len() / side;
        if kept == 0 {
            out.fill(0.0);
            return;
        }
        let (basis, shrunk) = (Matrix::new(&self.basis, kept, side), Matrix::new(&self.shrunk, kept, side));
        let d = Matrix::new(d, self.rows, self.cols);
        self.coordinates.resize(kept * self.rows.max(self.cols), 0.0);
        if self.rows <= self.cols {
            product(basis, d, &mut self.coordinates, false, Spread::OneThread);
            let coordinates = Matrix::new(&self.coordinates, kept, self.cols);
            product(shrunk.t(), coordinates, out, false, Spread::OneThread);
        } else {
            product(d, basis.t(), &mut self.coordinates, false, Spread::OneThread);
            let coordinates = Matrix::new(&self.coordinates, self.rows, kept);
            product(coordinates, shrunk, out, false, Spread::OneThread);
        }
    }
}
