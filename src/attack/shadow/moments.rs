//! What everybody who listens at the wire knows of the numbers on it: how large they are in the mean and how they vary.

use candle_core::{D, Result, Tensor};

/// Moments of smashed data.
pub(super) struct Moments {
    /// Mean of each channel over samples and places (C, 1) …
    mean: Tensor,
    /// … and its deviation.
    deviation: Tensor,
    /// Mean of each number over samples (1, C, …).
    place: Tensor,
    /// Numbers that a channel's moments are of, and that a place's mean is of.
    of: [usize; 2],
}

/// Keeps the root's derivative finite at a channel that is the same everywhere.
const FLOOR: f64 = 1e-8;
/// Moments of so many numbers more than one count half: those of a few are no others'.
const HALF: f64 = 8.0;

impl Moments {
    /// Those of smashed data (N, C, …).
    ///
    /// # Errors
    /// Returns an error if there is no channel.
    pub fn of(z: &Tensor) -> Result<Self> {
        let rows = z.transpose(0, 1)?.contiguous()?.flatten_from(1)?;
        let mean = rows.mean_keepdim(D::Minus1)?;
        let variance = rows.broadcast_sub(&mean)?.sqr()?.mean_keepdim(D::Minus1)?;
        let of = [rows.dim(1)?, z.dim(0)?];
        Ok(Self { mean, deviation: (variance + FLOOR)?.sqrt()?, place: z.mean_keepdim(0)?, of })
    }

    /// How far these are from those that were seen, without a unit: squared differences of the channels' means and deviations,
    /// and of the places' means, each by the mean square of what was seen. A scalar, differentiable by these.
    ///
    /// # Errors
    /// Returns an error if the shapes differ.
    pub fn apart(&self, seen: &Self) -> Result<Tensor> {
        let [channels, places] = seen.of.map(|n| (n as f64 - 1.0) / (n as f64 - 1.0 + HALF));
        let squares = |a: &Tensor, b: &Tensor| (a - b)?.sqr()?.mean_all();
        let by_channel = (squares(&self.mean, &seen.mean)? + squares(&self.deviation, &seen.deviation)?)?;
        let unit = (seen.mean.sqr()? + seen.deviation.sqr()?)?.mean_all()?;
        let by_place = (squares(&self.place, &seen.place)? / (seen.place.sqr()?.mean_all()? + FLOOR)?)?;
        ((by_channel / unit)? * channels)? + (by_place * places)?
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Shape, Var};

    use super::*;
    use crate::random::Seed;

    fn random(index: u64, shape: impl Into<Shape>) -> Tensor {
        let drawn = Seed(3).stream("moments", index).uniform_tensor(-0.5, 1.5, shape, &Device::Cpu).unwrap();
        drawn.to_dtype(DType::F64).unwrap()
    }

    fn apart(a: &Tensor, b: &Tensor) -> f64 {
        Moments::of(a).unwrap().apart(&Moments::of(b).unwrap()).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (z, seen) = (random(0, (3, 2, 2, 2)), random(1, (5, 2, 2, 2)));
        let var = Var::from_tensor(&z).unwrap();
        let loss = Moments::of(&var).unwrap().apart(&Moments::of(&seen).unwrap()).unwrap();
        let gradient = loss.backward().unwrap().get(&var).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let values = z.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (i, found) in gradient.into_iter().enumerate() {
            let at = |step: f64| {
                let mut moved = values.clone();
                moved[i] += step;
                apart(&Tensor::from_vec(moved, z.shape(), &Device::Cpu).unwrap(), &seen)
            };
            let wanted = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((found - wanted).abs() < 1e-7, "{i}: {found} {wanted}");
        }
    }

    #[test]
    fn other_samples_in_any_order_are_no_farther_and_other_channels_are() {
        let z = random(0, (6, 3, 4, 4));
        let turned = z.index_select(&Tensor::new(&[3u32, 1, 5, 0, 2, 4], &Device::Cpu).unwrap(), 0).unwrap();
        assert!(apart(&turned, &z) < 1e-12);
        let exchanged = Tensor::cat(&[z.narrow(1, 1, 2).unwrap(), z.narrow(1, 0, 1).unwrap()], 1).unwrap();
        assert!(apart(&exchanged, &z) > 1e-3);
        assert!(apart(&(&z * 2.0).unwrap(), &z) > 0.5);
    }

    #[test]
    fn one_sample_says_nothing_of_a_place() {
        let z = random(0, (1, 2, 4, 4));
        let turned = z.transpose(2, 3).unwrap().contiguous().unwrap();
        assert!(apart(&turned, &z) < 1e-12);
        let flat = random(1, (1, 5));
        assert_eq!(apart(&(&flat + 1.0).unwrap(), &flat), 0.0);
    }

    #[test]
    fn nothing_on_the_wire_is_finite() {
        let nothing = Tensor::zeros((4, 2, 3, 3), DType::F64, &Device::Cpu).unwrap();
        assert!(apart(&nothing, &nothing).is_finite() && apart(&random(0, (4, 2, 3, 3)), &nothing).is_finite());
    }
}
