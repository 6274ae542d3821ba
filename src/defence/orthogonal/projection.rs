//! Matrices with orthonormal rows, drawn by seed.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result as Candle, Shape, Tensor};
use rayon::prelude::*;
use std::sync::Arc;

use crate::engine::own::on_host;
use crate::engine::tape::apply1;
use crate::engine::trial::Trial;
use crate::engine::{Real, for_reals, values};
use crate::error::{Error, Result};
use crate::random::Seed;

/// Up to so many numbers the matrix is drawn whole; above, that would take seconds and much memory.
const DRAWN_WHOLE: usize = 512;

/// P, k × n with orthonormal rows.
#[derive(Debug)]
pub struct Projection {
    n: usize,
    k: usize,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The rows, one after the other.
    Rows(Vec<f64>),
    /// Signs change and places are mixed at random, blocks whose sizes are powers of two go through a Walsh–Hadamard
    /// transform, and k of the n numbers that come of it are kept.
    Mixed { signs: Vec<f64>, order: Vec<usize>, kept: Vec<usize> },
}

impl Projection {
    /// One for smashed data of `n` numbers that sends `k` of them.
    ///
    /// # Panics
    /// Panics if k is 0 or larger than n.
    pub fn drawn(n: usize, k: usize, seed: Seed) -> Self {
        assert!((1..=n).contains(&k), "{k} of {n} numbers");
        let mut stream = seed.stream("projection", n as u64);
        let form = if n <= DRAWN_WHOLE {
            let draws = (0..n * k).map(|_| stream.normal()).collect();
            Form::Rows(orthonormal(draws, n))
        } else {
            let signs = (0..n).map(|_| if stream.below(2) == 0 { -1.0 } else { 1.0 }).collect();
            let order = stream.permutation(n);
            let mut kept = stream.permutation(n);
            kept.truncate(k);
            Form::Mixed { signs, order, kept }
        };
        Self { n, k, form }
    }

    /// The one with these rows (k, n), which are orthonormal.
    ///
    /// # Errors
    /// Returns an error if it is no matrix, or its rows are not orthonormal.
    pub fn of_rows(rows: &Tensor) -> Result<Self> {
        let (k, n) = rows.dims2()?;
        let rows: Vec<f64> = rows.to_dtype(candle_core::DType::F64)?.flatten_all()?.to_vec1()?;
        let wrong = |i: usize, j: usize| {
            let product: f64 = (0..n).map(|at| rows[i * n + at] * rows[j * n + at]).sum();
            (product - f64::from(u8::from(i == j))).abs() > 1e-6
        };
        if (0..k).any(|i| (0..=i).any(|j| wrong(i, j))) {
            return Err(Error::input("the rows of a projection have to be orthonormal"));
        }
        Ok(Self { n, k, form: Form::Rows(rows) })
    }

    /// How many numbers it takes.
    pub fn takes(&self) -> usize {
        self.n
    }

    /// P z of each sample of z (N, …): what crosses, (N, k).
    ///
    /// # Errors
    /// Returns an error if a sample has other than n numbers.
    pub fn send(&self, z: &Tensor) -> Result<Tensor> {
        let (samples, values) = self.samples(z, self.n)?;
        let sent: Vec<f64> = values.chunks_exact(self.n).flat_map(|sample| self.sent(sample)).collect();
        Ok(Tensor::from_vec(sent, (samples, self.k), &Device::Cpu)?.to_dtype(z.dtype())?.to_device(z.device())?)
    }

    /// Pᵀ p of each sample of p (N, k): what the server goes on with, (N, n).
    ///
    /// # Errors
    /// Returns an error if a sample has other than k numbers.
    pub fn lift(&self, p: &Tensor) -> Result<Tensor> {
        let (samples, values) = self.samples(p, self.k)?;
        let lifted: Vec<f64> = values.chunks_exact(self.k).flat_map(|sample| self.lifted(sample)).collect();
        Ok(Tensor::from_vec(lifted, (samples, self.n), &Device::Cpu)?.to_dtype(p.dtype())?.to_device(p.device())?)
    }

    fn check(&self, t: &Tensor, size: usize) -> Result<usize> {
        let samples = t.dim(0)?;
        if t.elem_count() == samples * size {
            Ok(samples)
        } else {
            Err(Error::Internal(format!("a projection of {} numbers met {:?}", self.n, t.dims())))
        }
    }

    fn samples(&self, t: &Tensor, size: usize) -> Result<(usize, Vec<f64>)> {
        Ok((self.check(t, size)?, t.detach().to_dtype(candle_core::DType::F64)?.flatten_all()?.to_vec1()?))
    }

    fn sent(&self, z: &[f64]) -> Vec<f64> {
        match &self.form {
            Form::Rows(rows) => rows.chunks_exact(self.n).map(|row| dot(row, z)).collect(),
            Form::Mixed { signs, order, kept } => {
                let mut mixed: Vec<f64> = order.iter().map(|&at| signs[at] * z[at]).collect();
                transform(&mut mixed);
                kept.iter().map(|&at| mixed[at]).collect()
            }
        }
    }

    fn lifted(&self, p: &[f64]) -> Vec<f64> {
        let mut z = vec![0.0; self.n];
        match &self.form {
            Form::Rows(rows) => {
                for (row, p) in rows.chunks_exact(self.n).zip(p) {
                    z.iter_mut().zip(row).for_each(|(z, entry)| *z += p * entry);
                }
            }
            Form::Mixed { signs, order, kept } => {
                let mut mixed = vec![0.0; self.n];
                kept.iter().zip(p).for_each(|(&at, p)| mixed[at] = *p);
                // Its own inverse.
                transform(&mut mixed);
                order.iter().zip(mixed).for_each(|(&at, value)| z[at] = signs[at] * value);
            }
        }
        z
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Makes rows of `n` numbers orthonormal, twice in turn: once leaves what rounding left (Gram–Schmidt).
fn orthonormal(mut rows: Vec<f64>, n: usize) -> Vec<f64> {
    for i in 0..rows.len() / n {
        let (before, rest) = rows.split_at_mut(i * n);
        let row = &mut rest[..n];
        for _ in 0..2 {
            for other in before.chunks_exact(n) {
                let along = dot(other, row);
                row.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
            }
        }
        let length = dot(row, row).sqrt();
        for v in row {
            *v /= length;
        }
    }
    rows
}

/// The orthonormal Walsh–Hadamard transform of each block, the largest power of two first and so on to the end.
fn transform(values: &mut [f64]) {
    let mut rest = values;
    while !rest.is_empty() {
        let size = 1 << rest.len().ilog2();
        let (block, others) = std::mem::take(&mut rest).split_at_mut(size);
        let mut half = 1;
        while half < size {
            for pair in block.chunks_exact_mut(2 * half) {
                let (low, high) = pair.split_at_mut(half);
                for (a, b) in low.iter_mut().zip(high) {
                    (*a, *b) = (*a + *b, *a - *b);
                }
            }
            half *= 2;
        }
        let scale = 1.0 / (size as f64).sqrt();
        for v in block {
            *v *= scale;
        }
        rest = others;
    }
}

/// Pᵀ P z of each sample of z (N, …), in z's shape; differentiable, as often as one likes.
///
/// # Errors
/// Returns an error if a sample has other than n numbers.
pub fn through(projection: &Arc<Projection>, z: &Tensor) -> Result<Tensor> {
    projection.check(z, projection.n)?;
    // From another device a batch comes to the processor for it; candle knows the way back.
    let here = z.to_device(&Device::Cpu)?.contiguous()?;
    let through = on_host(|| apply1(&here, Through(projection.clone())))?;
    Ok(through.to_device(z.device())?)
}

/// Projections to be tried on a device.
pub fn trials() -> Vec<Trial> {
    let trial = |n: usize| {
        Trial::new(format!("projection of {n} numbers"), &[&[3, n]], move |a| {
            through(&Arc::new(Projection::drawn(n, n / 2 + 1, Seed(2))), &a[0])
        })
    };
    [5, 35, 600].into_iter().map(trial).collect()
}

struct Through(Arc<Projection>);

impl CustomOp1 for Through {
    fn name(&self) -> &'static str {
        "projection"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Candle<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), storage, T => values::<T>(storage, layout).map(|z| both_ways(&self.0, z)))?;
        Ok((out, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Candle<Option<Tensor>> {
        // Pᵀ P is symmetric.
        Ok(Some(on_host(|| apply1(&grad.contiguous()?, Self(self.0.clone())))?))
    }
}

fn both_ways<T: Real>(projection: &Projection, z: &[T]) -> Vec<T> {
    let one = |sample: &[T]| {
        let sample: Vec<f64> = sample.iter().map(|v| v.to_f64()).collect();
        projection.lifted(&projection.sent(&sample)).into_iter().map(T::from_f64).collect::<Vec<T>>()
    };
    z.par_chunks_exact(projection.n).flat_map_iter(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever its form: P Pᵀ = 1, and what was sent once is sent the same way again.
    #[test]
    fn rows_are_orthonormal_and_what_is_lifted_crosses_as_before() {
        for (n, k) in [(5, 5), (84, 30), (512, 40), (513, 128), (1568, 392)] {
            let projection = Projection::drawn(n, k, Seed(3));
            let unit = Tensor::eye(k, candle_core::DType::F64, &Device::Cpu).unwrap();
            let back = projection.send(&projection.lift(&unit).unwrap()).unwrap();
            let gap = (back - &unit).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            assert!(gap < 1e-12, "{k} of {n}: {gap}");
            // Others for other seeds.
            let other = Projection::drawn(n, k, Seed(4));
            let ones = Tensor::ones((1, n), candle_core::DType::F64, &Device::Cpu).unwrap();
            let numbers = |p: &Projection| p.send(&ones).unwrap().to_vec2::<f64>().unwrap();
            assert_ne!(numbers(&projection), numbers(&other));
        }
        assert!(Projection::of_rows(&Tensor::new(&[[1f32, 0.0], [1.0, 1.0]], &Device::Cpu).unwrap()).is_err());
    }
}
