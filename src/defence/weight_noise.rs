//! Noise on the client's weights: each pass that is sent goes through weights with normal numbers added.
//!
//! w̃ = w + σ·rms(w)·n, n ~ N(0, 1) for each entry, σ relative to each tensor's root mean square, drawn anew for each step of
//! training and each time that the client asks (the abstract's own rival, METHOD §5). Of convolutions and linear layers;
//! normalisations keep theirs.
//!
//! *Imitation*: an attacker that learns draws weights of its own about those that it knows; one that searches goes through the
//! weights without noise, the middle of what is drawn.

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::kind::Draws;
use super::{Defence, Kind, Lever};
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::model::network::Network;
use crate::random::{At, Seed, Stream};
use crate::setting::{Plain, Setting, real};

/// Its card.
pub static KIND: Kind = Kind {
    id: "weight-noise",
    title: "noise on the weights",
    about: "What the client sends goes through weights to which normal noise was added, in training and when it asks.",
    settings: &[Setting::new(
        "sigma",
        "Noise σ",
        "of the weights",
        real(0.0, 5.0),
        "Standard deviation of the noise on each weight, relative to the root mean square of its tensor; drawn anew for each \
         step of training and each time that the client asks. 0 is no defence.",
    )
    .default(Plain::Real(0.2))],
    method: &[SECTION],
    symbol: "σ",
    strength: |values| values.real("sigma"),
    levers: &[Lever { key: "sigma", symbol: "σ", words: "noise on weights", range: [0.0, 1.0] }],
    make: |values, draws| Ok(Box::new(WeightNoise { sigma: values.real("sigma")?, draws })),
    imitation: |values| Ok(Arc::new(Declared { sigma: values.real("sigma")? })),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "weight-noise",
    title: "Noise on the client's weights",
    source: "METHOD §5",
    text: include_str!("../../assets/method/weight-noise.md"),
    formulas: &[Formula {
        id: "noisy-weights",
        title: "Noise on the weights",
        place: Some(Place::Hospital),
        text: r"\tilde{w} = w + σ · rms(w) · n \quad n ~ N(0, 1)",
        symbols: &[
            symbol("\\tilde{w}", "what the pass goes through in place of a weight", Ink::Disguised),
            symbol("n", "a normal number for each weight, drawn anew each time", Ink::Disguised),
            symbol("σ", "the noise's size beside the weights' own", Ink::Disguised),
        ],
        live: |sight| Some(vec![Live::real("σ", sight.values.real("sigma").ok()?)]),
        ..Formula::BASE
    }],
};

/// The noise at work.
#[derive(Debug)]
struct WeightNoise {
    sigma: f64,
    draws: Draws,
}

impl Defence for WeightNoise {
    fn layers(&self, layers: Network, at: At<'_>) -> Result<Network> {
        noisy(&layers, self.sigma, &mut self.draws.stream("noise", pass(at), 0))
    }
}

/// All that is asked at once goes through the same weights, whatever parts it is asked in.
fn pass(at: At<'_>) -> At<'static> {
    match at {
        At::Train { epoch, step } => At::Train { epoch, step },
        At::Ask { draw, .. } => At::Ask { samples: &[], draw },
    }
}

/// The layers with noise on each weight, drawn in their order.
fn noisy(layers: &Network, sigma: f64, stream: &mut Stream) -> Result<Network> {
    layers.moved(&mut |weight: &Tensor| {
        let values = weight.detach().flatten_all()?.to_vec1::<f32>()?;
        let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len().max(1) as f64;
        let scale = sigma * square.sqrt();
        let noise: Vec<f32> = values.iter().map(|_| (scale * stream.normal()) as f32).collect();
        Ok(Tensor::from_vec(noise, weight.shape(), weight.device())?)
    })
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

/// An attacker that draws weights about those that it knows.
struct Noiser {
    sigma: f64,
    seed: Seed,
    name: String,
}

impl Imitator for Noiser {
    fn layers(&self, layers: Network, at: At<'_>) -> Result<Network> {
        // Other weights for each chunk of its images: it learns what holds for all.
        noisy(&layers, self.sigma, &mut at.stream(self.seed, &self.name, 0))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::model::parameters::{Init, Parameters};
    use crate::model::spec::LayerSpec::{Conv, Flatten, Linear, Relu};

    fn client() -> (Network, Parameters) {
        let layers = [Conv { channels: 8, kernel: 3, stride: 1, padding: 1, bias: true }, Relu, Flatten, Linear(12)];
        let mut parameters = Parameters::default();
        let init = Init { seed: Seed(0), model: "m", device: &Device::Cpu };
        Network::init("client", &[1, 12, 12], &layers, &mut parameters, init).unwrap();
        (Network::of("client", &layers, &parameters).unwrap(), parameters)
    }

    #[test]
    fn weights_move_by_their_own_size_and_are_still_trained() {
        let (network, parameters) = client();
        let x = Tensor::ones((2, 1, 12, 12), DType::F32, &Device::Cpu).unwrap();
        let moved = noisy(&network, 0.5, &mut Seed(1).stream("noise", 0)).unwrap();
        let plain = network.forward(&x).unwrap();
        let other = moved.forward(&x).unwrap();
        let apart =
            |a: &Tensor, b: &Tensor| (a - b).unwrap().sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(apart(&plain, &other) > 1e-4);
        let gradients = other.sqr().unwrap().mean_all().unwrap().backward().unwrap();
        assert!(parameters.trained().all(|(_, var)| gradients.get(var).is_some()));
        let weight = parameters.get("client.3.weight").unwrap();
        let mut sizes = Vec::new();
        network
            .moved(&mut |w| {
                sizes.push(w.elem_count());
                Ok(w.zeros_like()?)
            })
            .unwrap();
        assert!(sizes.contains(&weight.elem_count()) && sizes.len() == 4);
    }

    #[test]
    fn one_round_of_questions_goes_through_the_same_weights() {
        let defence = WeightNoise { sigma: 0.3, draws: Draws::new(Seed(1), "weight-noise", 0) };
        let (network, _) = client();
        let x = Tensor::ones((1, 1, 12, 12), DType::F32, &Device::Cpu).unwrap();
        let of = |at| defence.layers(network.frozen(), at).unwrap().forward(&x).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(of(At::Ask { samples: &[3], draw: 1 }), of(At::Ask { samples: &[7, 8], draw: 1 }));
        assert_ne!(of(At::Ask { samples: &[3], draw: 1 }), of(At::Ask { samples: &[3], draw: 2 }));
        assert_ne!(of(At::Train { epoch: 0, step: 1 }), of(At::Train { epoch: 0, step: 2 }));
    }
}
