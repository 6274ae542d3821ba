//! Clipping to a norm, without which noise bounds nothing.

use candle_core::Tensor;

use crate::engine::tape::flat;
use crate::error::Result;
use crate::setting::{Plain, Setting, log};

/// Which norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The sum of sizes.
    One,
    /// The root of the sum of squares.
    Two,
}

/// The setting, for the defences that clip.
pub const CLIP: Setting = Setting::new(
    "clip",
    "Clip to",
    "",
    log(0.0, 1e6),
    "Norm that an image's numbers together are scaled down to where it is larger, before noise is added. 0 clips nothing; then \
     no privacy ε can be named.",
)
.default(Plain::Real(0.0));

/// Added under a root, so that numbers that are all zero have a gradient.
const TINY: f64 = 1e-24;

impl Norm {
    /// z·min(1, c/‖z‖) for each sample of z (N, …); c = 0 leaves it as it is. Differentiable.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn clipped(self, z: &Tensor, c: f64) -> Result<Tensor> {
        if c == 0.0 { Ok(z.clone()) } else { Ok(z.broadcast_mul(&self.factor(z, c)?)?) }
    }

    /// min(1, c/‖z‖) for each sample, (N, 1, …).
    fn factor(self, z: &Tensor, c: f64) -> Result<Tensor> {
        let flat = flat(z)?;
        let norm = match self {
            Self::One => flat.abs()?.sum_keepdim(1)?,
            Self::Two => (flat.sqr()?.sum_keepdim(1)? + TINY)?.sqrt()?,
        };
        let shape: Vec<usize> = z.dims().iter().enumerate().map(|(i, n)| if i == 0 { *n } else { 1 }).collect();
        // Divided by itself where nothing is clipped, which gives exactly 1.
        let c = (norm.zeros_like()? + c)?;
        Ok((&c / norm.maximum(&c)?)?.reshape(shape)?)
    }

    /// What comes back to z of a gradient by what was clipped, differentiable by the gradient: s·g, less
    /// s·(z·g)/‖z‖ along the norm's own gradient where a sample was scaled by s < 1.
    ///
    /// # Errors
    /// Returns an error if the shapes differ.
    pub fn back(self, z: &Tensor, gradient: &Tensor, c: f64) -> Result<Tensor> {
        if c == 0.0 {
            return Ok(gradient.clone());
        }
        let z = z.detach();
        let factor = self.factor(&z, c)?;
        let shrunk = factor.lt(1.0)?.to_dtype(z.dtype())?;
        // Where nothing is clipped this counts for nothing, whatever the norm.
        let norm = (factor.recip()? * c)?;
        let along = match self {
            Self::One => z.sign()?,
            Self::Two => z.broadcast_div(&norm)?,
        };
        let product = flat(&(&z * gradient)?)?.sum_keepdim(1)?.reshape(factor.shape())?;
        let share = ((product / norm)? * &factor)?.mul(&shrunk)?;
        Ok((gradient.broadcast_mul(&factor)? - along.broadcast_mul(&share)?)?)
    }
}

/// How private a sending is, in words: `ε` by the noise and the clip, for somebody whose image is replaced by another.
pub fn told(clip: f64, epsilon: Option<f64>) -> String {
    match epsilon {
        None if clip == 0.0 => "no \u{3b5}: without a clip nothing bounds what an image can move".to_owned(),
        None => "no \u{3b5}: the noise is too small for the bound, which holds up to 1".to_owned(),
        Some(epsilon) => format!("\u{3b5} {epsilon:.3} for one sending; images that are sent in every epoch add it up"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;
    use crate::model::jacobian::gradient;
    use crate::random::Seed;

    #[test]
    fn only_what_is_too_large_is_scaled_down() {
        let z = Tensor::new(&[[3f32, -4.0], [0.3, 0.4], [0.0, 0.0]], &Device::Cpu).unwrap();
        let two = Norm::Two.clipped(&z, 1.0).unwrap().to_vec2::<f32>().unwrap();
        assert!((two[0][0] - 0.6).abs() < 1e-6 && (two[0][1] + 0.8).abs() < 1e-6);
        assert_eq!(two[1..], [[0.3, 0.4], [0.0, 0.0]]);
        let one = Norm::One.clipped(&z, 1.0).unwrap().to_vec2::<f32>().unwrap();
        assert!((one[0][0] - 3.0 / 7.0).abs() < 1e-6 && one[1] == [0.3, 0.4]);
        assert_eq!(Norm::Two.clipped(&z, 0.0).unwrap().to_vec2::<f32>().unwrap(), z.to_vec2::<f32>().unwrap());
    }

    #[test]
    fn what_comes_back_is_the_derivative() {
        let draw = |name: &str| {
            let t = Seed(2).stream(name, 0).uniform_tensor(-1.0, 1.0, &[4, 2, 3], &Device::Cpu).unwrap();
            t.to_dtype(DType::F64).unwrap()
        };
        for (norm, c) in [(Norm::Two, 1.2), (Norm::One, 2.5), (Norm::Two, 0.0)] {
            let (z, g) = (Var::from_tensor(&draw("z")).unwrap(), draw("g"));
            let wanted = gradient(&(norm.clipped(&z, c).unwrap() * &g).unwrap().sum_all().unwrap(), &z).unwrap();
            let got = norm.back(&z, &g, c).unwrap();
            let gap = (got - wanted).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            assert!(gap < 1e-12, "{norm:?}: {gap}");
        }
        // Numbers that are all zero come back without harm.
        let zero = Var::zeros((1, 3), DType::F32, &Device::Cpu).unwrap();
        for norm in [Norm::One, Norm::Two] {
            let back = gradient(&norm.clipped(&zero, 1.0).unwrap().sum_all().unwrap(), &zero).unwrap();
            assert!(back.to_vec2::<f32>().unwrap()[0].iter().all(|v| v.is_finite()), "{norm:?}: {back}");
        }
    }
}
