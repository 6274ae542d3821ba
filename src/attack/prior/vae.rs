//! The generator that the attacker trains on its own images: a variational autoencoder (Kingma & Welling 2014), whose
//! decoder makes an image of a few numbers.

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};

use crate::engine::activation::relu;
use crate::engine::conv::{Finish, conv2d_then};
use crate::engine::linear::linear;
use crate::engine::loss::carry_on;
use crate::engine::shuffle::depth_to_space;
use crate::engine::tape::{Tape, flat, reshape};
use crate::error::{Error, Result};
use crate::model::parameters::{Init, Parameters};

/// Images up to this side have a dense encoder and a smaller latent.
pub(super) const DENSE: usize = 32;
/// Hidden numbers of the dense encoder and of the decoder behind its latent.
const ENCODER: usize = 400;
const DECODER: usize = 128;
/// A decoder that doubles more than twice begins at this side or less.
const BASE: usize = 8;
/// Channels before the last doubling, the one before it, …; further in there are as many as in the last of these.
const CHANNELS: [usize; 3] = [16, 32, 64];

/// Encoder and decoder.
#[derive(Debug)]
pub struct Vae {
    parameters: Parameters,
    image: [usize; 3],
    /// How often the decoder doubles the sides.
    ups: usize,
    dense: bool,
    /// For passes that do not train it.
    frozen: bool,
}

/// The loss of a batch, of one image on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Binary cross-entropy, summed over the pixels.
    pub images: f64,
    /// Divergence of the latents from a standard normal, summed over the latent.
    pub latents: f64,
}

impl Vae {
    /// One with fresh weights, for images (C, H, W).
    ///
    /// # Errors
    /// Returns an error if the device has no memory left.
    pub fn new(image: [usize; 3], init: Init<'_>) -> Result<Self> {
        let [c, h, w] = image;
        let (side, pixels) = (h.max(w), c * h * w);
        let dense = side <= DENSE;
        let ups =
            if dense { 2 } else { (0..usize::BITS as usize).find(|n| side.div_ceil(1 << n) <= BASE).unwrap_or(0) };
        let latent = Self::latent_of(image);
        let mut vae = Self { parameters: Parameters::default(), image, ups, dense, frozen: false };
        let (base, wide) = (vae.base(), vae.channels(0));
        let cells = wide * base[0] * base[1];
        let parameters = &mut vae.parameters;
        if dense {
            parameters.add("in0", &[ENCODER, pixels], pixels, init)?;
            parameters.add("latent", &[2 * latent, ENCODER], ENCODER, init)?;
            parameters.add("out", &[DECODER, latent], latent, init)?;
            parameters.add("cells", &[cells, DECODER], DECODER, init)?;
        } else {
            parameters.add("latent", &[2 * latent, cells], cells, init)?;
            parameters.add("cells", &[cells, latent], latent, init)?;
        }
        for up in 0..ups {
            let (from, to) = (vae.channels(up), vae.channels(up + 1));
            // Inwards the same way back.
            if !dense {
                vae.parameters.add(&format!("in{}", ups - 1 - up), &[from, to, 3, 3], 9 * to, init)?;
            }
            vae.parameters.add(&format!("up{up}"), &[4 * to, from, 3, 3], 9 * from, init)?;
        }
        Ok(vae)
    }

    /// Numbers that an image is made of.
    pub fn latent_of([_, h, w]: [usize; 3]) -> usize {
        if h.max(w) <= DENSE { 16 } else { 32 }
    }

    /// Channels after so many doublings.
    fn channels(&self, ups: usize) -> usize {
        match self.ups - ups {
            0 => self.image[0],
            left => CHANNELS[(left - 1).min(CHANNELS.len() - 1)],
        }
    }

    /// Height and width before any doubling.
    fn base(&self) -> [usize; 2] {
        [self.image[1], self.image[2]].map(|side| side.div_ceil(1 << self.ups))
    }

    /// The weights.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// About how many numbers the weights for images (C, H, W) are.
    pub fn numbers(image: [usize; 3]) -> usize {
        let [c, h, w] = image;
        if h.max(w) <= DENSE {
            // The layers on both sides of the latent, and the doublings.
            return ENCODER * c * h * w + 2 * DECODER * h * w + 40_000;
        }
        // Base and latent of an image of 64 pixels; each further doubling has as many channels as the first.
        530_000 + 190_000 * (h.max(w) / 64).max(1).ilog2() as usize
    }

    /// Mean and logarithm of the variance of the latents (N, 2k) of images (N, C, H, W).
    fn encoded(&self, images: &Tensor) -> Result<Tensor> {
        let x = if self.dense {
            relu(&self.linear("in0", &flat(images)?)?)?
        } else {
            let mut x = images.clone();
            for layer in 0..self.ups {
                x = self.conv(&format!("in{layer}"), &x, 2, Finish::Relu)?;
            }
            flat(&x)?
        };
        self.linear("latent", &x)
    }

    /// The mean latents (N, k) of images (N, C, H, W).
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn encode(&self, images: &Tensor) -> Result<Tensor> {
        Ok(self.encoded(images)?.detach().narrow(1, 0, Self::latent_of(self.image))?.contiguous()?)
    }

    /// Logits of the pixels (N, C, H, W) of latents (N, k).
    ///
    /// # Errors
    /// Returns an error if the latents do not fit.
    pub fn logits(&self, latents: &Tensor) -> Result<Tensor> {
        let [_, h, w] = self.image;
        let inner = if self.dense { relu(&self.linear("out", latents)?)? } else { latents.clone() };
        let [rows, columns] = self.base();
        let cells = relu(&self.linear("cells", &inner)?)?;
        let mut x = reshape(&cells, (latents.dim(0)?, self.channels(0), rows, columns))?;
        for up in 0..self.ups {
            let finish = if up + 1 == self.ups { Finish::Plain } else { Finish::Relu };
            // A convolution of the picture at twice the size, computed at this size.
            x = depth_to_space(&self.conv(&format!("up{up}"), &x, 1, finish)?)?;
        }
        if x.dims()[2..] != [h, w] {
            x = x.narrow(2, 0, h)?.narrow(3, 0, w)?.contiguous()?;
        }
        Ok(x)
    }

    /// Images (N, C, H, W) in [0, 1] of latents (N, k).
    ///
    /// # Errors
    /// Returns an error if the latents do not fit.
    pub fn images(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(candle_nn::ops::sigmoid(&self.logits(latents)?.detach())?)
    }

    /// The loss of images (N, C, H, W) whose latents are drawn by `noise` (N, k), standard normal, and its gradients:
    /// cross-entropy and ½ Σ (μ² + σ² − 1 − ln σ²), both of weight one.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn learn(&self, images: &Tensor, noise: &Tensor) -> Result<(Loss, GradStore)> {
        let (n, k) = noise.dims2()?;
        let mut inwards = Tape::default();
        let encoded = inwards.record(|| self.encoded(images))?;
        let (mean, log_variance) = (encoded.detach().narrow(1, 0, k)?, encoded.detach().narrow(1, k, k)?);
        let spread = (&log_variance * 0.5)?.exp()?;
        let latents = Var::from_tensor(&(&mean + (noise * &spread)?)?)?;
        let mut outwards = Tape::default();
        let logits = outwards.record(|| self.logits(&latents))?;
        let l = logits.detach();
        let shares = candle_nn::ops::sigmoid(&l)?;
        // ln(1 + eˡ) without overflow.
        let soft = (l.relu()? + (l.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
        let per = 1.0 / n as f64;
        let number = |t: Tensor| -> Result<f64> { Ok(per * t.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?) };
        let variance = spread.sqr()?;
        let loss = Loss {
            images: number((soft - (&l * images)?)?)?,
            latents: 0.5 * number(((mean.sqr()? + &variance)? - (&log_variance + 1.0)?)?)?,
        };
        let end = outwards.record(|| carry_on(&logits, &((shares - images)? * per)?))?;
        let mut gradients = outwards.backward(&end)?;
        let down = gradients.remove(&latents).ok_or_else(|| Error::Internal("a latent has no gradient".to_owned()))?;
        let of_mean = (&down + (&mean * per)?)?;
        let of_log_variance = ((down * noise)? * (&spread * 0.5)?)?;
        let of_log_variance = (of_log_variance + ((variance - 1.0)? * (0.5 * per))?)?;
        let end = inwards.record(|| carry_on(&encoded, &Tensor::cat(&[&of_mean, &of_log_variance], 1)?))?;
        let mut rest = inwards.backward(&end)?;
        for (_, weight) in self.parameters.trained() {
            if let Some(gradient) = rest.remove(weight) {
                gradients.insert(weight, gradient);
            }
        }
        Ok((loss, gradients))
    }

    /// The same for passes that do not train it: no gradients of its weights are computed. It follows later training.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { parameters: self.parameters.clone(), frozen: true, ..*self }
    }

    fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = self.layer(name)?;
        Ok(linear(x, &weight, &bias)?)
    }

    fn conv(&self, name: &str, x: &Tensor, stride: usize, finish: Finish) -> Result<Tensor> {
        let (weight, bias) = self.layer(name)?;
        Ok(conv2d_then(x, &weight, &bias, (stride, 1), finish)?)
    }

    fn layer(&self, name: &str) -> Result<(Tensor, Tensor)> {
        let get = |part| -> Result<Tensor> {
            let weight = self.parameters.get(&format!("{name}.{part}"))?;
            Ok(if self.frozen { weight.as_detached_tensor() } else { weight.as_tensor().clone() })
        };
        Ok((get("weight")?, get("bias")?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::random::{Seed, Stream};

    fn tensor(stream: &mut Stream, shape: &[usize]) -> Tensor {
        let values: Vec<f64> = (0..shape.iter().product()).map(|_| stream.uniform(0.0, 1.0)).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn double(image: [usize; 3]) -> Vae {
        let vae = Vae::new(image, Init { seed: Seed(1), model: "m", device: &Device::Cpu }).unwrap();
        let weights = vae.parameters.iter().map(|(name, var)| (name.clone(), var.to_dtype(DType::F64).unwrap()));
        Vae { parameters: Parameters::of(weights.collect()).unwrap(), ..vae }
    }

    /// Dense and convolutional; sides that no power of two divides; one and three channels.
    const SIZES: [[usize; 3]; 4] = [[1, 28, 28], [3, 9, 14], [1, 36, 45], [3, 40, 33]];

    #[test]
    fn the_gradient_is_that_of_differences() {
        for image in SIZES {
            let vae = double(image);
            let mut stream = Seed(2).stream("vae", 0);
            let images = tensor(&mut stream, &[&[3], &image[..]].concat());
            let noise = (tensor(&mut stream, &[3, Vae::latent_of(image)]) - 0.5).unwrap();
            let loss = || {
                let loss = vae.learn(&images, &noise).unwrap().0;
                loss.images + loss.latents
            };
            let gradients = vae.learn(&images, &noise).unwrap().1;
            for (name, weight) in vae.parameters.iter() {
                let before = weight.as_detached_tensor().copy().unwrap();
                let way = (tensor(&mut stream, weight.dims()) - 0.3).unwrap();
                let moved = |by: f64| {
                    weight.set(&(&before + (&way * by).unwrap()).unwrap()).unwrap();
                    loss()
                };
                // So short a way that hardly a relu turns on it.
                let difference = (moved(1e-7) - moved(-1e-7)) / 2e-7;
                weight.set(&before).unwrap();
                let slope = (gradients.get(weight).unwrap() * &way).unwrap().sum_all().unwrap();
                let slope = slope.to_scalar::<f64>().unwrap();
                assert!(
                    (slope - difference).abs() < 1e-4 * (1.0 + slope.abs()),
                    "{image:?} {name}: {slope} {difference}"
                );
            }
        }
    }

    #[test]
    fn a_latent_becomes_an_image_of_any_size_in_range() {
        for image in SIZES.into_iter().chain([[1, 1, 3], [1, 128, 100]]) {
            let init = Init { seed: Seed(1), model: "m", device: &Device::Cpu };
            let vae = Vae::new(image, init).unwrap();
            let latents = Tensor::zeros((2, Vae::latent_of(image)), DType::F32, &Device::Cpu).unwrap();
            let made = vae.images(&latents).unwrap();
            assert_eq!(made.dims()[1..], image, "{image:?}");
            assert!(made.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|v| (0.0..=1.0).contains(v)));
            assert_eq!(vae.encode(&made).unwrap().dims(), latents.dims());
            let (told, real) = (Vae::numbers(image), vae.parameters.count());
            assert!(told * 3 > real && told < 3 * real + 100_000, "{image:?}: {told} of {real}");
        }
    }
}
