//! Batch and group normalisation (Ioffe & Szegedy 2015; Wu & He 2018) as PyTorch computes them, with a
//! skip connection and a relu in the same pass over memory.
//!
//! y = (x − mean)/√(variance + ε)·γ + β, ε 10⁻⁵. Values that share a mean and a variance form a *set*: a
//! channel over the whole batch, or a group of channels of one sample. A set is mostly small enough for the
//! processor's cache, so that forward and backward each pass over memory once; sets are spread over the
//! threads. With M values in a set, x̂ the normalised values and g the gradient of y,
//!
//! | | batch or group statistics | running statistics |
//! |---|---|---|
//! | input gradient | (γg − Σγg/M − x̂·Σγgx̂/M)/√(variance + ε) | γg/√(variance + ε) |
//! | γ, β | Σgx̂, Σg | Σgx̂, Σg |

mod kernel;
mod op;

use std::sync::{Arc, OnceLock};

use candle_core::{DType, Result, Tensor, Var};

use self::kernel::{Moments, Sets};
use self::op::Norm;
use super::activation::relu;
use super::own::own_kernels;
use super::tape::{apply2, apply3, join, reshape};

/// Added to the variance.
pub const EPSILON: f64 = 1e-5;
/// How much of a batch's statistics goes into the running ones.
const MOMENTUM: f64 = 0.1;

/// What is done behind the normalising, in the same pass: first the sum, then the relu.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tail<'a> {
    /// Added to what was normalised; of its shape.
    pub skip: Option<&'a Tensor>,
    /// max(·, 0), derivative 0 at 0.
    pub relu: bool,
}

/// Mean and unbiased variance of each channel of a batch.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// (C), float64, where the batch is.
    mean: Tensor,
    variance: Tensor,
}

impl BatchStatistics {
    /// Moves running statistics a tenth of the way to these.
    ///
    /// # Errors
    /// Where they are of another number of channels.
    pub fn record(&self, mean: &Var, variance: &Var) -> Result<()> {
        for (running, batch) in [(mean, &self.mean), (variance, &self.variance)] {
            let before = running.as_detached_tensor().to_dtype(DType::F64)?;
            let after = ((before * (1.0 - MOMENTUM))? + (batch * MOMENTUM)?)?;
            running.set(&after.to_dtype(running.dtype())?)?;
        }
        Ok(())
    }
}

/// Normalises each channel of x (N, C, …) by the batch's own mean and biased variance, in training;
/// γ and β are (C). The statistics are those to record.
///
/// # Errors
/// Where the shapes do not fit, or a channel has a single value.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use cutlayer::engine::norm::{Tail, batch_norm};
/// let x = Tensor::new(&[[1f32], [3.0]], &Device::Cpu)?;
/// let (gamma, beta) = (Tensor::new(&[1f32], &Device::Cpu)?, Tensor::new(&[0f32], &Device::Cpu)?);
/// let (y, _) = batch_norm(&x, &gamma, &beta, Tail::default())?;
/// assert!((y.to_vec2::<f32>()?[1][0] - 1.0).abs() < 1e-4);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn batch_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, tail: Tail<'_>) -> Result<(Tensor, BatchStatistics)> {
    let sets = Sets::new(x.dims(), None)?;
    if sets.size() < 2 {
        candle_core::bail!(
            "batch normalisation in training needs at least 2 values a channel, found {:?}: train on larger batches, or \
             put it where the image still has several positions",
            x.dims()
        );
    }
    let correction = sets.size() as f64 / (sets.size() - 1) as f64;
    check(x, gamma, beta, tail, sets)?;
    if !own_kernels(x.device()) {
        let (y, [mean, variance]) = composed(x, gamma, beta, tail, sets, None)?;
        let wide = |t: &Tensor| t.detach().flatten_all()?.to_dtype(DType::F64);
        return Ok((y, BatchStatistics { mean: wide(&mean)?, variance: (wide(&variance)? * correction)? }));
    }
    let (y, moments) = normalise(x, gamma, beta, tail, sets, None)?;
    let numbers = |of: fn(&Moments) -> f64, times: f64| {
        Tensor::from_vec(moments.iter().map(|m| of(m) * times).collect(), moments.len(), x.device())
    };
    Ok((y, BatchStatistics { mean: numbers(|m| m.mean, 1.0)?, variance: numbers(|m| m.variance, correction)? }))
}

/// Normalises each channel of x (N, C, …) by running statistics (C), which are constants, in evaluation.
///
/// # Errors
/// Where the shapes do not fit.
pub fn batch_norm_by(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    [mean, variance]: [&Tensor; 2],
    tail: Tail<'_>,
) -> Result<Tensor> {
    let sets = Sets::new(x.dims(), None)?;
    if mean.dims() != [sets.channels] || variance.dims() != [sets.channels] {
        candle_core::bail!("running statistics of {:?} met {} channels", mean.dims(), sets.channels);
    }
    check(x, gamma, beta, tail, sets)?;
    if !own_kernels(x.device()) {
        return Ok(composed(x, gamma, beta, tail, sets, Some([mean, variance]))?.0);
    }
    let numbers = |t: &Tensor| t.detach().to_dtype(DType::F64)?.to_vec1::<f64>();
    let pairs = numbers(mean)?.into_iter().zip(numbers(variance)?);
    let moments = pairs.map(|(mean, variance)| Moments { mean, variance }).collect();
    Ok(normalise(x, gamma, beta, tail, sets, Some(moments))?.0)
}

/// Normalises each of `groups` groups of neighbouring channels of each sample of x (N, C, …) by its own
/// mean and biased variance, in training and evaluation alike; γ and β are (C).
///
/// # Errors
/// Where the shapes do not fit, or the groups do not divide the channels.
pub fn group_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, groups: usize, tail: Tail<'_>) -> Result<Tensor> {
    let sets = Sets::new(x.dims(), Some(groups))?;
    check(x, gamma, beta, tail, sets)?;
    if !own_kernels(x.device()) {
        return Ok(composed(x, gamma, beta, tail, sets, None)?.0);
    }
    Ok(normalise(x, gamma, beta, tail, sets, None)?.0)
}

fn check(x: &Tensor, gamma: &Tensor, beta: &Tensor, tail: Tail<'_>, sets: Sets) -> Result<()> {
    if gamma.dims() != [sets.channels] || beta.dims() != [sets.channels] {
        candle_core::bail!("a normalisation of {:?} channels met {}", gamma.dims(), sets.channels);
    }
    if let Some(skip) = tail.skip.filter(|skip| skip.shape() != x.shape()) {
        candle_core::bail!("a skip connection of shape {:?} met {:?}", skip.dims(), x.dims());
    }
    Ok(())
}

/// By the kernels.
fn normalise(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    tail: Tail<'_>,
    sets: Sets,
    fixed: Option<Vec<Moments>>,
) -> Result<(Tensor, Vec<Moments>)> {
    let made = Arc::new(OnceLock::new());
    let op = Norm { sets, fixed, relu: tail.relu, made: made.clone() };
    let row = |t: &Tensor| reshape(t, (1, sets.channels));
    let (x, affine) = (x.contiguous()?, join(&row(gamma)?, &row(beta)?, 0)?);
    let y = match tail.skip {
        None => apply2(&x, &affine, op)?,
        Some(skip) => apply3(&x, &affine, &skip.contiguous()?, op)?,
    };
    Ok((y, made.get().cloned().unwrap_or_default()))
}

/// The same from candle's own operations, by mean and variance (C) where they are given. What was used comes along.
fn composed(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    tail: Tail<'_>,
    sets: Sets,
    fixed: Option<[&Tensor; 2]>,
) -> Result<(Tensor, [Tensor; 2])> {
    let (samples, channels, positions) = (sets.samples, sets.channels, sets.positions);
    let split = match sets.groups {
        None => (samples, channels, positions),
        Some(groups) => (samples, groups, channels / groups * positions),
    };
    let values = x.reshape(split)?;
    let means = |t: &Tensor| if sets.groups.is_some() { t.mean_keepdim(2) } else { t.mean_keepdim((0, 2)) };
    let (mean, variance) = match fixed {
        None => {
            let mean = means(&values)?;
            let variance = means(&values.broadcast_sub(&mean)?.sqr()?)?;
            (mean, variance)
        }
        Some([mean, variance]) => {
            let column = |t: &Tensor| t.detach().reshape((1, channels, 1))?.to_dtype(x.dtype());
            (column(mean)?, column(variance)?)
        }
    };
    let y = values.broadcast_sub(&mean)?.broadcast_div(&(&variance + EPSILON)?.sqrt()?)?;
    let y = y.reshape((samples, channels, positions))?;
    let y = y.broadcast_mul(&gamma.reshape((1, channels, 1))?)?.broadcast_add(&beta.reshape((1, channels, 1))?)?;
    let y = y.reshape(x.shape())?;
    let y = tail.skip.map_or(Ok(y.clone()), |skip| y + skip)?;
    let y = if tail.relu { relu(&y)? } else { y };
    Ok((y, [mean, variance]))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::random::Seed;

    fn noise(name: &str, shape: &[usize]) -> Var {
        let values = Seed(3).stream(name, 0).uniform_tensor(-1.0, 2.0, shape, &Device::Cpu).unwrap();
        Var::from_tensor(&values.to_dtype(DType::F64).unwrap()).unwrap()
    }

    fn largest_gap(a: &Tensor, b: &Tensor) -> f64 {
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn what_other_devices_compute_is_the_same() {
        let shape = [3, 4, 5, 2];
        let (x, skip) = (noise("x", &shape), noise("skip", &shape));
        let (gamma, beta) = (noise("gamma", &[4]), noise("beta", &[4]));
        let same = |value: f64| Tensor::full(value, 4, &Device::Cpu).unwrap();
        let (mean, variance) = (same(0.3), same(0.7));
        let fixed = Some([&mean, &variance]);
        for (groups, fixed) in [(None, None), (None, fixed), (Some(2), None)] {
            for tail in [Tail::default(), Tail { skip: Some(&skip), relu: true }] {
                let sets = Sets::new(&shape, groups).unwrap();
                let given = fixed.map(|_| vec![Moments { mean: 0.3, variance: 0.7 }; 4]);
                let (y, moments) = normalise(&x, &gamma, &beta, tail, sets, given).unwrap();
                let (other, others) = composed(&x, &gamma, &beta, tail, sets, fixed).unwrap();
                assert!(largest_gap(&y, &other) < 1e-12);
                let [means, variances] = others.map(|t| t.flatten_all().unwrap().to_vec1::<f64>().unwrap());
                assert!(moments.len() == sets.count() && means.len() == sets.count());
                for (moments, (mean, variance)) in moments.iter().zip(means.iter().zip(&variances)) {
                    assert!((moments.mean - mean).abs() < 1e-12 && (moments.variance - variance).abs() < 1e-12);
                }
                let gradients = [y, other].map(|y| y.sqr().unwrap().sum_all().unwrap().backward().unwrap());
                for var in [&x, &gamma, &beta] {
                    let [a, b] = gradients.each_ref().map(|gradients| gradients.get(var).unwrap());
                    assert!(largest_gap(a, b) < 1e-10);
                }
                let [a, b] = gradients.each_ref().map(|gradients| gradients.get(&skip));
                assert!(a.is_some() == tail.skip.is_some() && a.zip(b).is_none_or(|(a, b)| largest_gap(a, b) < 1e-10));
            }
        }
    }

    #[test]
    fn a_batch_is_recorded_as_pytorch_records_it() {
        let x = Tensor::new(&[[1f32, 4.0], [2.0, 4.0], [6.0, 1.0]], &Device::Cpu).unwrap();
        let (ones, zeros) = (Tensor::ones(2, DType::F32, &Device::Cpu).unwrap(), Tensor::new(&[0f32; 2], &Device::Cpu));
        let zeros = zeros.unwrap();
        let (mean, variance) = (Var::from_tensor(&zeros).unwrap(), Var::from_tensor(&ones).unwrap());
        batch_norm(&x, &ones, &zeros, Tail::default()).unwrap().1.record(&mean, &variance).unwrap();
        // Means 3 and 3, unbiased variances 7 and 3.
        let near = |var: &Var, wanted: [f32; 2]| {
            var.to_vec1::<f32>().unwrap().iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6)
        };
        assert!(near(&mean, [0.3, 0.3]) && near(&variance, [1.6, 1.2]), "{mean} {variance}");
    }

    #[test]
    fn many_values_far_from_zero_keep_their_variance() {
        let values: Vec<f32> = (0..400_000).map(|i| 1000.0 + if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
        let x = Tensor::from_vec(values, (4, 1, 100, 1000), &Device::Cpu).unwrap();
        let (gamma, beta) = (Tensor::new(&[1f32], &Device::Cpu).unwrap(), Tensor::new(&[0f32], &Device::Cpu).unwrap());
        let (y, statistics) = batch_norm(&x, &gamma, &beta, Tail::default()).unwrap();
        let first = |t: &Tensor| t.to_vec1::<f64>().unwrap()[0];
        assert!((first(&statistics.mean) - 1000.0).abs() < 1e-6 && (first(&statistics.variance) - 0.25).abs() < 1e-6);
        assert!((y.max_all().unwrap().to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-4);
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let shape = [4, 6, 40, 37];
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let x = Var::from_tensor(&noise("x", &shape).to_dtype(DType::F32).unwrap()).unwrap();
                let affine = |name| Var::from_tensor(&noise(name, &[6]).to_dtype(DType::F32).unwrap()).unwrap();
                let (gamma, beta) = (affine("gamma"), affine("beta"));
                let y = batch_norm(&x, &gamma, &beta, Tail { skip: None, relu: true }).unwrap().0;
                let z = group_norm(&y, &gamma, &beta, 3, Tail { skip: Some(&x), relu: true }).unwrap();
                let gradients = z.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                let all = [&x, &gamma, &beta].map(|var| gradients.get(var).unwrap().flatten_all().unwrap());
                all.map(|t| t.to_vec1::<f32>().unwrap())
            })
        };
        let one = run(1);
        assert!(one == run(2) && one == run(5));
    }
}
