//! Matrix product on slices: a safe face of the `gemm` crate.

use super::Real;

/// A matrix in a slice: rows, columns, and the steps between neighbours.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    cols: usize,
    row_step: usize,
    col_step: usize,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// Row-major values.
    ///
    /// # Panics
    /// Where the slice does not hold `rows · cols` values.
    pub fn new(values: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(values.len(), rows * cols, "a {rows}×{cols} matrix");
        Self { values, rows, cols, row_step: cols, col_step: 1 }
    }

    /// The transpose, without moving anything.
    #[must_use]
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_step: self.col_step, col_step: self.row_step, ..self }
    }
}

/// How a product is spread over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Stay on this thread: for kernels that spread over samples themselves.
    OneThread,
    /// Use the whole pool. Threads share out the result's entries, never a sum, so bits don't depend on them.
    AllThreads,
}

/// out = a·b, or out += a·b where `add`; out is row-major.
///
/// # Panics
/// Where the shapes do not fit.
pub fn product<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T], add: bool, spread: Spread) {
    assert_eq!(a.cols, b.rows, "inner sides of a product");
    assert_eq!(out.len(), a.rows * b.cols, "a product's result");
    if out.is_empty() {
        return;
    }
    let parallelism = match spread {
        Spread::OneThread => gemm::Parallelism::None,
        Spread::AllThreads => gemm::Parallelism::Rayon(rayon::current_num_threads()),
    };
    // SAFETY: the three slices hold exactly rows·cols values for the steps given (checked when a
    // `Matrix` is made, and above for `out`), and `out` is borrowed mutably, so nothing overlaps it.
    #[expect(unsafe_code, reason = "the gemm crate has only a pointer face")]
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            b.cols as isize,
            add,
            a.values.as_ptr(),
            a.col_step as isize,
            a.row_step as isize,
            b.values.as_ptr(),
            b.col_step as isize,
            b.row_step as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_transposes_and_sums() {
        let (a, b) = ([1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0f64, 0.0, 2.0, -1.0, 0.0, 3.0]);
        let mut out = [0.0; 4];
        product(Matrix::new(&a, 2, 3), Matrix::new(&b, 2, 3).t(), &mut out, false, Spread::OneThread);
        assert_eq!(out, [7.0, 8.0, 16.0, 14.0]);
        product(Matrix::new(&a, 3, 2).t(), Matrix::new(&b, 3, 2), &mut out, true, Spread::AllThreads);
        assert_eq!(out, [7.0 + 7.0, 8.0 + 12.0, 16.0 + 10.0, 14.0 + 14.0]);
    }
}
