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
                (doublings(height, h).min(doublings(width, w)), wide)
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
            [channels, height, width] => (9 * WIDE * channels, doublings(height, h).min(doublings(width, w))),
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
            // A place of the smashed data stays where its pixels are: what convolutions without padding took from the edge is added
            // around it, what pooling rounded off behind it.
            let cells = |side: usize| side.div_ceil(1 << self.ups);
            conv(&around(z, [cells(h), cells(w)])?, "first", 1, Finish::Relu)?
        };
        for up in 0..self.ups {
            // Each step lets go of what it came from: at full size that is the most of an attack's memory.
            x = conv(&x, &format!("up{up}"), 0, Finish::Relu)?;
            x = depth_to_space(&x)?;
        }
        x = x.narrow(2, 0, h)?.narrow(3, 0, w)?.contiguous()?;
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

/// How often a side can be doubled and is no longer than another.
fn doublings(from: usize, to: usize) -> usize {
    (1..usize::BITS).take_while(|n| from.max(1) << n <= to).count()
}

/// With zeros around the maps, as many on either side or one more behind, so that their sides are these.
fn around(z: &Tensor, sides: [usize; 2]) -> Result<Tensor> {
    let mut z = z.clone();
    for (dim, wanted) in [(2, sides[0]), (3, sides[1])] {
        let missing = wanted.saturating_sub(z.dim(dim)?);
        if missing > 0 {
            z = z.pad_with_zeros(dim, missing / 2, missing - missing / 2)?;
        }
    }
    Ok(z.contiguous()?)
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

    /// What a place of the smashed data tells is drawn where the client saw it.
    #[test]
    fn places_stay_where_their_pixels_are() {
        // Without padding in the second convolution a place is two pixels wide and the first one stands four pixels in; pooled
        // thrice, the last four pixels of 28 are rounded off.
        for (side, width, first) in [(14, 2, 0), (10, 2, 4), (26, 1, 1), (3, 8, 0), (7, 4, 0)] {
            let init = Init { seed: Seed(1), model: "m", device: &Device::Cpu };
            let decoder = Decoder::new(&[2, side, side], [1, 28, 28], init).unwrap();
            let image = |at: Option<usize>| -> Vec<f32> {
                let mut values = vec![0.0_f32; 2 * side * side];
                if let Some(at) = at {
                    values[at * side + at] = 9.0;
                }
                let z = Tensor::from_vec(values, (1, 2, side, side), &Device::Cpu).unwrap();
                decoder.forward(&z).unwrap().flatten_all().unwrap().to_vec1().unwrap()
            };
            let at = side / 2;
            let changed: Vec<usize> = image(Some(at))
                .iter()
                .zip(image(None))
                .enumerate()
                .filter(|(_, (a, b))| (*a - b).abs() > 1e-6)
                .map(|(i, _)| i / 28)
                .collect();
            let (low, high) = (changed[0], changed[changed.len() - 1]);
            let middle = (first + at * width) as f64 + width as f64 / 2.0;
            let drawn = (low + high + 1) as f64 / 2.0;
            assert!((drawn - middle).abs() <= width as f64 / 2.0, "{side}: rows {low} to {high}, not around {middle}");
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
