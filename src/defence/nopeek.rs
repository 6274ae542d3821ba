//! NoPeek: the client learns to send what has little in common with the image (Vepakomma et al. 2020).
//!
//! To the gradient that comes down the client adds that of α·dCor(x, z), z being what it sent (METHOD §5): distances as they
//! are, where some published codes square them. Batches of fewer than four images have no correlation worth having.
//!
//! *Imitation*: nothing is done to what crosses, so there is nothing to imitate: whoever knows the client's weights, or asks
//! it, has all there is to know.

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::Untouched;
use super::{Defence, Kind, Lever};
use crate::engine::correlation::distance_correlation;
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Section, symbol};
use crate::model::wire::Smashed;
use crate::random::At;
use crate::setting::{Plain, Setting, log};

/// Its card.
pub static KIND: Kind = Kind {
    id: "nopeek",
    title: "NoPeek",
    about: "In training the client also learns to send what has little in common with the image: a small distance correlation.",
    settings: &[Setting::new(
        "alpha",
        "NoPeek α",
        "",
        log(0.0, 1000.0),
        "Weight of the distance correlation between images and smashed data in what the client learns, beside the \
         cross-entropy. 0 is no defence.",
    )
    .published("Titcombe et al. 2021", "0.1 to 1, with squared distances")
    .default(Plain::Real(1.0))],
    method: &[SECTION],
    symbol: "α",
    strength: |values| values.real("alpha"),
    levers: &[Lever { key: "alpha", symbol: "α", words: "weight of NoPeek", range: [0.0, 20.0] }],
    make: |values, _| Ok(Box::new(NoPeek { alpha: values.real("alpha")? })),
    imitation: |_| Ok(Arc::new(Untouched)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "nopeek",
    title: "NoPeek",
    source: "METHOD §5",
    text: include_str!("../../assets/method/nopeek.md"),
    formulas: &[Formula {
        id: "dependence",
        title: "What the client learns",
        text: r"\min_{θ_c} ℓ + α · dCor(x, z)",
        symbols: &[symbol("α", "the weight of what image and smashed data have in common", Ink::Disguised)],
        live: |sight| Some(vec![Live::real("α", sight.values.real("alpha").ok()?)]),
        ..Formula::BASE
    }],
};

/// Fewer images say nothing of how far their smashed data depend on them.
const LEAST: usize = 4;

/// NoPeek at work.
#[derive(Debug)]
struct NoPeek {
    alpha: f64,
}

impl Defence for NoPeek {
    fn own_gradient(&mut self, x: &Tensor, sent: &Smashed, _: &Tensor, _: At<'_>) -> Result<Option<Tensor>> {
        if x.dim(0)? < LEAST {
            return Ok(None);
        }
        Ok(Some((distance_correlation(x, sent.tensor())?.gradient * self.alpha)?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::random::Seed;

    #[test]
    fn following_its_gradient_lowers_the_correlation() {
        let draw =
            |name, shape: &[usize]| Seed(3).stream(name, 0).uniform_tensor(-1.0, 1.0, shape, &Device::Cpu).unwrap();
        let x = draw("x", &[8, 1, 5, 5]);
        let mut z = (x.flatten_from(1).unwrap() + draw("z", &[8, 25])).unwrap();
        let mut nopeek = NoPeek { alpha: 2.0 };
        let before = distance_correlation(&x, &z).unwrap().value;
        for _ in 0..50 {
            let labels = Tensor::zeros(8, candle_core::DType::U32, &Device::Cpu).unwrap();
            let gradient = nopeek.own_gradient(&x, &Smashed::new(&z), &labels, At::ONCE).unwrap().unwrap();
            z = (z - (gradient * 5.0).unwrap()).unwrap();
        }
        let after = distance_correlation(&x, &z).unwrap().value;
        assert!(after < before - 0.1, "{before} → {after}");
        let few = Smashed::new(&z.narrow(0, 0, 3).unwrap());
        let labels = Tensor::zeros(3, candle_core::DType::U32, &Device::Cpu).unwrap();
        assert!(nopeek.own_gradient(&x.narrow(0, 0, 3).unwrap(), &few, &labels, At::ONCE).unwrap().is_none());
    }
}
