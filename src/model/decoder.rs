//! The network that turns smashed data back into images (He et al. 2019, the inverse network φ).

use candle_core::Tensor;

use super::adam::Adam;
use super::parameters::{Init, Parameters};
use crate::engine::activation::relu;
use crate::engine::conv::{Finish, conv2d_then};
use crate::engine::linear::linear;
use crate::engine::loss::carry_on;
use crate::engine::shuffle::depth_to_space;
use crate::engine::tape::{Tape, reshape};
use crate::error::{Error, Result};

/// Channels after the first layer, and after it.
const WIDE: usize = 64;
const NARROW: usize = 32;
/// Both.
pub const WIDTHS: [usize; 2] = [WIDE, NARROW];

/// conv 64, then for every halving that the client did a 2×2 transposed convolution, then two more
/// convolutions; the output is linear, so that it can't collapse as a sigmoid can, and is clamped only for scoring.
#[derive(Debug)]
pub struct Decoder {
    parameters: Parameters,
    smashed: Vec<usize>,
    image: [usize; 3],
    ups: usize,
    /// Channels after the first layer.
    wide: usize,
}

impl Decoder {
    /// A decoder with fresh weights, from smashed data (C, H, W or features) to images (C, H, W).
    ///
    /// # Errors
    /// Where the smashed data are neither.
    pub fn new(smashed: &[usize], image: [usize; 3], init: Init<'_>) -> Result<Self> {
        Self::of_widths(WIDTHS, smashed, image, init)
    }

    /// The same with so many channels after the first layer, and after it.
    ///
    /// # Errors
    /// Where the smashed data are neither (C, H, W) nor features.
    pub fn of_widths([wide, narrow]: [usize; 2], smashed: &[usize], image: [usize; 3], init: Init<'_>) -> Result<Self> {
        let [c, h, w] = image;
        let mut parameters = Parameters::default();
        let (ups, mut channels) = match *smashed {
            [channels, height, width] => {
                parameters.add("first", &[wide, channels, 3, 3], channels * 9, init)?;
                (doublings(height, h).max(doublings(width, w)), wide)
            }
            [features] => {
                let cells = h.div_ceil(4) * w.div_ceil(4);
                parameters.add("first", &[wide * cells, features], features, init)?;
                (2, wide)
            }
            _ => return Err(Error::Internal(format!("smashed data of shape {smashed:?}"))),
        };
        for up in 0..ups {
            // A transposed 2×2 convolution of stride 2 is a 1×1 convolution to four times the channels,
            // unfolded; PyTorch's default bound for it counts outputs × 4.
            parameters.add(&format!("up{up}"), &[4 * narrow, channels, 1, 1], 4 * narrow, init)?;
            channels = narrow;
        }
        parameters.add("mix", &[narrow, channels, 3, 3], channels * 9, init)?;
        parameters.add("last", &[c, narrow, 3, 3], narrow * 9, init)?;
        Ok(Self { parameters, smashed: smashed.to_vec(), image, ups, wide })
    }

    /// About how many numbers the weights of such a decoder are.
    pub fn numbers(smashed: &[usize], [c, h, w]: [usize; 3]) -> usize {
        let (first, ups) = match *smashed {
            [channels, height, width] => (9 * WIDE * channels, doublings(height, h).max(doublings(width, w))),
            _ => (WIDE * h.div_ceil(4) * w.div_ceil(4) * smashed.iter().product::<usize>(), 2),
        };
        // The first doubling is from WIDE channels, or else the layer that mixes.
        let (rest, mix) = if ups == 0 { (0, WIDE) } else { (WIDE + (ups - 1) * NARROW, NARROW) };
        first + 4 * NARROW * rest + 9 * NARROW * mix + 9 * c * NARROW
    }

    /// The weights.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Smashed data (N, …) to images (N, C, H, W).
    ///
    /// # Errors
    /// Where z does not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        let [_, h, w] = self.image;
        let conv = |x: &Tensor, name: &str, padding, finish| -> Result<Tensor> {
            let (weight, bias) = (self.weight(name)?, self.bias(name)?);
            Ok(conv2d_then(x, &weight, &bias, (1, padding), finish)?)
        };
        let mut x = if self.smashed.len() == 1 {
            let flat = linear(z, &self.weight("first")?, &self.bias("first")?)?;
            reshape(&relu(&flat)?, (z.dim(0)?, self.wide, h.div_ceil(4), w.div_ceil(4)))?
        } else {
            conv(z, "first", 1, Finish::Relu)?
        };
        for up in 0..self.ups {
            // Each step lets go of what it came from: at full size that is the most of an attack's memory.
            x = conv(&x, &format!("up{up}"), 0, Finish::Relu)?;
            x = depth_to_space(&x)?;
        }
        x = fit(&x, h, w)?;
        x = conv(&x, "mix", 1, Finish::Relu)?;
        conv(&x, "last", 1, Finish::Plain)
    }

    /// A step of `adam`, which trains its weights, towards drawing `images` (N, C, H, W) of `z` (N, …): the mean squared error
    /// before it. None is taken where that is not finite.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    pub fn learn(&self, adam: &mut Adam, z: &Tensor, images: &Tensor) -> Result<f64> {
        let mut tape = Tape::default();
        let got = tape.record(|| self.forward(z))?;
        let apart = (got.detach() - images)?;
        let loss = f64::from(apart.sqr()?.mean_all()?.to_scalar::<f32>()?);
        if loss.is_finite() {
            // The gradient of the mean square.
            let end = tape.record(|| carry_on(&got, &(&apart * (2.0 / apart.elem_count() as f64))?))?;
            adam.step(&tape.backward(&end)?)?;
        }
        Ok(loss)
    }

    fn weight(&self, name: &str) -> Result<Tensor> {
        Ok(self.parameters.get(&format!("{name}.weight"))?.as_tensor().clone())
    }

    fn bias(&self, name: &str) -> Result<Tensor> {
        Ok(self.parameters.get(&format!("{name}.bias"))?.as_tensor().clone())
    }
}

/// How often `from` must be doubled to reach `to`.
fn doublings(from: usize, to: usize) -> usize {
    (0..usize::BITS).take_while(|n| (from << n) < to).count()
}

/// Crops the middle, or adds zeros around it, to `h` × `w`.
fn fit(x: &Tensor, h: usize, w: usize) -> Result<Tensor> {
    let mut x = x.clone();
    for (side, wanted) in [(2, h), (3, w)] {
        let n = x.dim(side)?;
        x = if n >= wanted {
            x.narrow(side, (n - wanted) / 2, wanted)?
        } else {
            let before = (wanted - n) / 2;
            x.pad_with_zeros(side, before, wanted - n - before)?
        };
    }
    Ok(x.contiguous()?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::random::Seed;

    /// The check on images held out draws some at once, and must not depend on how many.
    #[test]
    fn an_image_is_the_same_in_any_company() {
        for smashed in [&[6, 14, 14][..], &[16, 7, 7], &[120]] {
            let init = Init { seed: Seed(1), model: "m", device: &Device::Cpu };
            let decoder = Decoder::new(smashed, [1, 28, 28], init).unwrap();
            let size: usize = smashed.iter().product();
            let values: Vec<f32> = (0..128 * size).map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.3).collect();
            let z = Tensor::from_vec(values, [&[128], smashed].concat(), &Device::Cpu).unwrap();
            let bits = |from: usize, few: usize| -> Vec<u32> {
                let images = decoder.forward(&z.narrow(0, from, few).unwrap().contiguous().unwrap()).unwrap();
                images.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
            };
            let whole = bits(0, 128);
            for few in [64, 32, 20] {
                let chunks = (0..128).step_by(few).flat_map(|from| bits(from, few.min(128 - from)));
                assert!(chunks.eq(whole.iter().copied()), "{smashed:?}, {few} at once");
            }
        }
    }

    #[test]
    fn its_numbers_are_counted_without_it() {
        let init = Init { seed: Seed(0), model: "x", device: &Device::Cpu };
        for smashed in [&[8, 14, 14][..], &[32, 7, 7], &[4, 28, 28], &[120]] {
            let decoder = Decoder::new(smashed, [1, 28, 28], init).unwrap();
            let (real, told) = (decoder.parameters().count(), Decoder::numbers(smashed, [1, 28, 28]));
            // All but the biases.
            assert!(told <= real && real - told < 4000, "{smashed:?}: {told} of {real}");
        }
    }
}
