//! Distance correlation of what is known of the same samples twice (Székely, Rizzo & Bakirov 2007).

use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;

/// How much two descriptions of a batch have in common, and by what the second should change for that to grow.
#[derive(Clone, Debug)]
pub struct Dependence {
    /// The distance correlation, 0 to 1.
    pub value: f64,
    /// ∂value/∂z, shaped as z.
    pub gradient: Tensor,
}

/// dCor(x, z) of x (N, …) and z (N, …), neither squared nor corrected for N: Euclidean distances a, b between samples, each
/// less the means of its row and column plus that of all (A, B),
///
/// dCor² = mean(A ⊙ B) / √(mean(A ⊙ A) · mean(B ⊙ B)).
///
/// Distances that are 0, those on the diagonal among them, have the gradient 0. Where all samples of either are the same, the
/// value is 0 and so is its gradient. Sums are in float64.
///
/// # Errors
/// Returns an error if they are of different numbers of samples.
pub fn distance_correlation(x: &Tensor, z: &Tensor) -> Result<Dependence> {
    let samples = z.dim(0)?;
    if x.dim(0)? != samples {
        candle_core::bail!("a correlation of {} and {samples} samples", x.dim(0)?);
    }
    let numbers = |t: &Tensor| t.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>();
    let (x, values) = (numbers(x)?, numbers(z)?);
    let distances = distances(&values, samples);
    let (a, b) = (centred(&self::distances(&x, samples), samples), centred(&distances, samples));
    let mean = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>() / p.len().max(1) as f64;
    let (ab, aa, bb) = (mean(&a, &b), mean(&a, &a), mean(&b, &b));
    let scale = (aa * bb).sqrt();
    if ab <= 0.0 || scale <= 0.0 {
        return Ok(Dependence { value: 0.0, gradient: z.zeros_like()? });
    }
    let square = ab / scale;
    let value = square.sqrt();
    // By each b_ij; centring changes nothing, since A and B are centred. It stands at ij and at ji.
    let share = 2.0 / (2.0 * value * a.len() as f64);
    let pull = |i: usize, j: usize| {
        let at = i * samples + j;
        let apart = distances[at];
        if apart == 0.0 { 0.0 } else { share * (a[at] / scale - square * b[at] / bb) / apart }
    };
    let size = values.len() / samples.max(1);
    let of = |i: usize| {
        let mut gradient = vec![0.0; size];
        for j in 0..samples {
            let pull = pull(i, j);
            let (own, other) = (&values[i * size..(i + 1) * size], &values[j * size..(j + 1) * size]);
            gradient.iter_mut().zip(own.iter().zip(other)).for_each(|(g, (own, other))| *g += pull * (own - other));
        }
        gradient
    };
    let gradient: Vec<f64> = (0..samples).into_par_iter().flat_map_iter(of).collect();
    let gradient = Tensor::from_vec(gradient, z.shape(), &Device::Cpu)?;
    Ok(Dependence { value, gradient: gradient.to_dtype(z.dtype())?.to_device(z.device())? })
}

/// Euclidean distances between the samples, N × N.
fn distances(values: &[f64], samples: usize) -> Vec<f64> {
    let size = values.len() / samples.max(1);
    let row = |i: usize| &values[i * size..(i + 1) * size];
    let apart = |i: usize, j: usize| row(i).iter().zip(row(j)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    let above: Vec<Vec<f64>> =
        (0..samples).into_par_iter().map(|i| (i + 1..samples).map(|j| apart(i, j)).collect()).collect();
    let of = |i: usize, j: usize| match i.cmp(&j) {
        std::cmp::Ordering::Less => above[i][j - i - 1],
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => above[j][i - j - 1],
    };
    (0..samples * samples).map(|at| of(at / samples, at % samples)).collect()
}

/// Less the means of row and column, plus that of all.
fn centred(distances: &[f64], samples: usize) -> Vec<f64> {
    // Symmetric: columns have the rows' means.
    let means: Vec<f64> =
        distances.chunks_exact(samples.max(1)).map(|row| row.iter().sum::<f64>() / samples as f64).collect();
    let all = means.iter().sum::<f64>() / samples as f64;
    distances.iter().enumerate().map(|(at, d)| d - means[at / samples] - means[at % samples] + all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn a_copy_has_all_in_common_and_a_constant_nothing() {
        let x = Seed(1).stream("x", 0).uniform_tensor(0.0, 1.0, &[6, 2, 3], &Device::Cpu).unwrap();
        let scaled = (&x * -3.0).unwrap();
        assert!((distance_correlation(&x, &scaled).unwrap().value - 1.0).abs() < 1e-6);
        let none = distance_correlation(&x, &Tensor::ones((6, 4), DType::F32, &Device::Cpu).unwrap()).unwrap();
        assert_eq!((none.value, none.gradient.dims()), (0.0, &[6, 4][..]));
        assert!(none.gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|v| *v == 0.0));
        assert!(distance_correlation(&x, &x.narrow(0, 0, 5).unwrap()).is_err());
    }
}
