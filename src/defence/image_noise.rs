//! Noise on the raw image: the client adds normal noise to each pixel and clips, before its first layer.
//!
//! x̃ = clip(x + n, 0, 1), n ~ N(0, σ²) for each pixel, drawn anew each time (the abstract's own rival, METHOD §5).
//!
//! *Imitation*: an attacker that learns adds noise to its own images in the same way. One that searches compares with what
//! crosses for the image without noise, which is what crosses on average as far as the client's layers are linear; what it
//! finds is the noisy image.

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::kind::Draws;
use super::{Defence, Kind, Lever, Line, Outgoing};
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::random::{At, Seed, Stream};
use crate::setting::{Plain, Setting, real};

/// Its card.
pub static KIND: Kind = Kind {
    id: "image-noise",
    title: "noise on the image",
    about: "The client adds normal noise to each pixel before its first layer, in training and when it asks.",
    settings: &[Setting::new(
        "sigma",
        "Noise σ",
        "of the range",
        real(0.0, 5.0),
        "Standard deviation of the noise on each pixel, in units of the pixel range, drawn anew each time; then pixels are \
         clipped. 0 is no defence.",
    )
    .default(Plain::Real(0.2))],
    method: &[SECTION],
    symbol: "σ",
    strength: |values| values.real("sigma"),
    levers: &[Lever { key: "sigma", symbol: "σ", words: "noise on pixels", range: [0.0, 1.0] }],
    make: |values, draws| Ok(Box::new(ImageNoise { sigma: values.real("sigma")?, draws })),
    imitation: |values| Ok(Arc::new(Declared { sigma: values.real("sigma")? })),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "image-noise",
    title: "Noise on the raw image",
    source: "METHOD §5",
    text: include_str!("../../assets/method/image-noise.md"),
    formulas: &[Formula {
        id: "noisy-image",
        title: "Noise on the image",
        place: Some(Place::Hospital),
        text: r"\hat{x} = clip(x + n, 0, 1) \quad n ~ N(0, σ^2)",
        symbols: &[
            symbol("\\hat{x}", "what enters the client's first layer in place of the image", Ink::Disguised),
            symbol("n", "a normal number for each pixel, drawn anew each time", Ink::Disguised),
            symbol("σ", "the noise's standard deviation, in units of the pixel range", Ink::Disguised),
        ],
        live: |sight| Some(vec![Live::real("σ", sight.values.real("sigma").ok()?)]),
        ..Formula::BASE
    }],
};

/// The noise at work.
#[derive(Debug)]
struct ImageNoise {
    sigma: f64,
    draws: Draws,
}

impl Defence for ImageNoise {
    fn image(&self, images: Outgoing, _: &mut Line<'_>, at: At<'_>) -> Result<Outgoing> {
        noisy(images, self.sigma, |i| self.draws.stream("noise", at, i))
    }
}

/// Adds to the pixels of each sample what its stream draws.
fn noisy(images: Outgoing, sigma: f64, stream: impl Fn(usize) -> Stream) -> Result<Outgoing> {
    let x = &images.images;
    let size = x.elem_count() / x.dim(0)?.max(1);
    let mut noise = Vec::with_capacity(x.elem_count());
    for i in 0..x.dim(0)? {
        let mut stream = stream(i);
        noise.extend((0..size).map(|_| (sigma * stream.normal()) as f32));
    }
    let moved = (x + Tensor::from_vec(noise, x.shape(), x.device())?)?.clamp(0.0, 1.0)?;
    Ok(Outgoing { images: moved, ..images })
}

/// The noise with its declared strength, as an attacker uses it.
#[derive(Clone, Copy, Debug)]
struct Declared {
    sigma: f64,
}

impl Imitation for Declared {
    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        let name = format!("attack.{}.noise", own.name);
        Ok(Box::new(Known(Arc::new(Noiser { sigma: self.sigma, seed: own.seed, name }))))
    }
}

/// An attacker that adds noise to its own images.
struct Noiser {
    sigma: f64,
    seed: Seed,
    name: String,
}

impl Imitator for Noiser {
    fn image(&self, images: Outgoing, at: At<'_>) -> Result<Outgoing> {
        noisy(images, self.sigma, |i| at.stream(self.seed, &self.name, i))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn pixels_move_by_as_much_as_it_says_and_stay_in_range() {
        let grey = Tensor::full(0.5f32, (4, 1, 40, 40), &Device::Cpu).unwrap();
        let of = |sigma, x: &Tensor| {
            let stream = |i| Seed(3).stream("noise", i as u64);
            noisy(Outgoing::clean(x), sigma, stream).unwrap().images.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let got = of(0.1, &grey);
        let variance = got.iter().map(|v| f64::from(v - 0.5).powi(2)).sum::<f64>() / got.len() as f64;
        assert!((variance.sqrt() - 0.1).abs() < 0.005, "{variance}");
        assert!(of(2.0, &grey).iter().all(|v| (0.0..=1.0).contains(v)));
    }

    #[test]
    fn a_sample_gets_the_same_noise_in_any_batch_and_other_noise_each_time() {
        let zero =
            |n: usize| Outgoing::clean(&(Tensor::ones((n, 1, 5, 5), DType::F32, &Device::Cpu).unwrap() * 0.5).unwrap());
        let draws = Draws::new(Seed(1), "image-noise", 0);
        let ask = |samples, draw| At::Ask { samples, draw };
        let of = |n, at| {
            let images = noisy(zero(n), 0.2, |i| draws.stream("noise", at, i)).unwrap().images;
            images.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        assert_eq!(of(2, ask(&[4, 9], 1))[25..], of(1, ask(&[9], 1)));
        assert_ne!(of(1, ask(&[9], 1)), of(1, ask(&[9], 2)));
    }
}
