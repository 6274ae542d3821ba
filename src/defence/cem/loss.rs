//! How widely smashed data lie about the centres of their class: the bound on what they tell of their images.

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};

/// The centres of one class, each of as many numbers as a sample has.
pub type Centres = Vec<Vec<f32>>;

/// How a variance counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// ln(v + 0.0011) − ln 0.001, never below 0.
    Log,
    /// v + 0.001.
    Linear,
}

/// What a batch comes to.
#[derive(Clone, Debug)]
pub struct Spread {
    /// The centre of its class that each sample is nearest to; none where its class has no centres.
    pub nearest: Vec<Option<usize>>,
    /// The mean over the classes of the batch.
    pub value: f64,
    /// ∂value/∂z, shaped as z.
    pub gradient: Tensor,
}

/// In published code added to a variance, and again under the logarithm.
const SHIFT: f64 = 1e-3;
const UNDER_LOG: f64 = 1e-4;

impl Measure {
    /// What a variance counts, and its derivative.
    fn of(self, variance: f64) -> [f64; 2] {
        match self {
            // No variance is below 0, so the published code's relu about it never acts.
            Self::Log => {
                let shifted = variance + SHIFT + UNDER_LOG;
                [shifted.ln() - SHIFT.ln(), 1.0 / shifted]
            }
            Self::Linear => [variance + SHIFT, 1.0],
        }
    }
}

/// CEM's loss of z (N, …) of these classes (N): for each class of the batch Σ_j (n_j/n)·mean_d m(v_jd), v_jd the mean squared
/// distance in d of the n_j samples that are nearest to centre j, m the measure; and of that the mean over the classes. Those
/// without centres count for nothing.
///
/// # Errors
/// Returns an error if there is a class that `centres` has no place for, or if they are of another size.
pub fn spread(z: &Tensor, labels: &[u32], centres: &[Centres], measure: Measure) -> Result<Spread> {
    let samples = labels.len();
    let values: Vec<f64> = z.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1()?;
    let size = values.len() / samples.max(1);
    let fits = z.dim(0)? == samples && centres.iter().flatten().all(|centre| centre.len() == size);
    if !fits || labels.iter().any(|label| *label as usize >= centres.len()) {
        return Err(Error::Internal(format!("centres of another size or of fewer classes than {:?}", z.dims())));
    }
    let sample = |i: usize| &values[i * size..(i + 1) * size];
    let nearest: Vec<Option<usize>> = (0..samples).map(|i| nearest(sample(i), &centres[labels[i] as usize])).collect();
    let mut classes: Vec<u32> = (0..samples).filter(|i| nearest[*i].is_some()).map(|i| labels[i]).collect();
    classes.sort_unstable();
    let counts: Vec<(u32, usize)> = classes.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
    let (mut value, mut gradient) = (0.0, vec![0.0; values.len()]);
    for &(class, count) in &counts {
        for (j, centre) in centres[class as usize].iter().enumerate() {
            let own: Vec<usize> = (0..samples).filter(|i| labels[*i] == class && nearest[*i] == Some(j)).collect();
            let share = own.len() as f64 / count as f64 / counts.len() as f64 / size as f64;
            for (d, middle) in centre.iter().map(|v| f64::from(*v)).enumerate().filter(|_| !own.is_empty()) {
                let variance = own.iter().map(|i| (sample(*i)[d] - middle).powi(2)).sum::<f64>() / own.len() as f64;
                let [counted, slope] = measure.of(variance);
                value += share * counted;
                for i in &own {
                    gradient[i * size + d] += share * slope * 2.0 * (sample(*i)[d] - middle) / own.len() as f64;
                }
            }
        }
    }
    let gradient = Tensor::from_vec(gradient, z.shape(), &Device::Cpu)?.to_dtype(z.dtype())?.to_device(z.device())?;
    Ok(Spread { nearest, value, gradient })
}

/// The nearest of some centres; of equally near ones the first.
fn nearest(sample: &[f64], centres: &[Vec<f32>]) -> Option<usize> {
    let far = |centre: &[f32]| sample.iter().zip(centre).map(|(a, b)| (a - f64::from(*b)).powi(2)).sum::<f64>();
    let all = centres.iter().enumerate().map(|(j, centre)| (j, far(centre)));
    all.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(j, _)| j)
}
