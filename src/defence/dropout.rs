//! Dropout on the smashed data: the client zeroes each number with a probability, in training and when it asks.
//!
//! z̃ = m ⊙ z, m ~ Bernoulli(1 − p) for each number, drawn anew each time, without rescaling (METHOD §5).
//!
//! *Imitation*: an attacker that learns drops out its own smashed data in the same way; one that searches compares with
//! what crosses on average, (1 − p)·z.

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::kind::Draws;
use super::{Defence, Kind, Lever};
use crate::engine::tape::masked;
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::random::{At, Seed, Stream};
use crate::setting::{Plain, Setting, real};

/// Its card.
pub static KIND: Kind = Kind {
    id: "dropout",
    title: "dropout",
    about: "The client sets each number that it sends to zero with a probability, in training and when it asks.",
    settings: &[Setting::new(
        "p",
        "Dropped",
        "of the numbers",
        real(0.0, 0.95),
        "Share of the numbers on the wire that are zeroed, drawn anew each time. 0 is no defence.",
    )
    .default(Plain::Real(0.3))],
    method: &[SECTION],
    symbol: "p",
    strength: |values| values.real("p"),
    levers: &[Lever { key: "p", symbol: "p", words: "numbers dropped", range: [0.0, 0.95] }],
    bytes: |_, numbers, before| Ok(before.whole_up(numbers)),
    make: |values, draws| Ok(Box::new(Dropout { p: values.real("p")?, draws })),
    imitation: |values| Ok(Arc::new(Declared { p: values.real("p")? })),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "dropout",
    title: "Dropout on the smashed data",
    source: "METHOD §5",
    text: include_str!("../../assets/method/dropout.md"),
    formulas: &[Formula {
        id: "dropped",
        title: "Dropout",
        place: Some(Place::Wire),
        text: r"\tilde{z} = m ⊙ z \quad m ~ Bernoulli(1 − p)",
        symbols: &[
            symbol("\\tilde{z}", "what is sent in place of the smashed data", Ink::Disguised),
            symbol("m", "0 or 1 for each number, drawn anew each time", Ink::Disguised),
            symbol("p", "the share of the numbers that are dropped", Ink::Disguised),
        ],
        live: |sight| {
            let p = sight.values.real("p").ok()?;
            Some(
                [Live::real("p", p)]
                    .into_iter()
                    .chain(sight.numbers().map(|_| Live::shape("z", sight.crossed)))
                    .collect(),
            )
        },
        ..Formula::BASE
    }],
};

/// Dropout at work.
#[derive(Debug)]
struct Dropout {
    p: f64,
    draws: Draws,
}

impl Defence for Dropout {
    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        dropped(&z, self.p, |i| self.draws.stream("mask", at, i))
    }
}

/// Zeroes of each sample the numbers that its stream picks; differentiable.
fn dropped(z: &Tensor, p: f64, stream: impl Fn(usize) -> Stream) -> Result<Tensor> {
    let size = z.elem_count() / z.dim(0)?.max(1);
    let mut mask = Vec::with_capacity(z.elem_count());
    for i in 0..z.dim(0)? {
        let mut stream = stream(i);
        mask.extend((0..size).map(|_| if stream.uniform(0.0, 1.0) < p { 0.0f32 } else { 1.0 }));
    }
    Ok(masked(z, &Tensor::from_vec(mask, z.shape(), z.device())?)?)
}

/// Dropout with its declared probability, as an attacker uses it.
#[derive(Clone, Copy, Debug)]
struct Declared {
    p: f64,
}

impl Imitation for Declared {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        Ok((z * (1.0 - self.p))?)
    }

    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(Dropper { p: self.p, seed: own.seed, name: format!("attack.{}.mask", own.name) }))))
    }
}

/// An attacker that drops out its own smashed data.
struct Dropper {
    p: f64,
    seed: Seed,
    name: String,
}

impl Imitator for Dropper {
    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        dropped(&z, self.p, |i| at.stream(self.seed, &self.name, i))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::setting::Values;

    fn dropout(p: f64) -> Box<dyn Defence> {
        let mut values = Values::of(KIND.settings);
        values.put("p", toml::Value::Float(p)).unwrap();
        (KIND.make)(&values, Draws::new(Seed(1), "dropout", 0)).unwrap()
    }

    fn numbers(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_share_of_the_numbers_is_zeroed_and_the_rest_left_alone() {
        let z = Tensor::full(3f32, (4, 8, 10, 10), &Device::Cpu).unwrap();
        let got = numbers(&dropout(0.3).up(z, At::ONCE).unwrap());
        let zeros = got.iter().filter(|v| **v == 0.0).count() as f64 / got.len() as f64;
        assert!((zeros - 0.3).abs() < 0.03, "{zeros}");
        assert!(got.iter().all(|v| *v == 0.0 || *v == 3.0));
    }

    #[test]
    fn a_sample_is_dropped_alike_in_any_batch_and_otherwise_each_time() {
        let one = |n: usize| Tensor::ones((n, 2, 5, 5), DType::F32, &Device::Cpu).unwrap();
        let (defence, ask) = (dropout(0.5), |samples, draw| At::Ask { samples, draw });
        let both = numbers(&defence.up(one(2), ask(&[4, 9], 1)).unwrap());
        assert_eq!(both[50..], numbers(&defence.up(one(1), ask(&[9], 1)).unwrap()));
        assert_ne!(both[50..], numbers(&defence.up(one(1), ask(&[9], 2)).unwrap()));
        let step = |step| At::Train { epoch: 0, step };
        assert_ne!(numbers(&defence.up(one(1), step(0)).unwrap()), numbers(&defence.up(one(1), step(1)).unwrap()));
    }
}
