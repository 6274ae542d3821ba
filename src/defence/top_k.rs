//! Activation top-k: of each sample the client sends only the numbers that are largest in size.
//!
//! z̃ = m ⊙ z, m = 1 at the k = ⌈(1 − p)·n⌉ largest |z| of a sample, else 0 (METHOD §5). Of equal ones the first are kept, so
//! that every message is as long. On the wire are k numbers of four bytes with their places.
//!
//! *Imitation*: nothing is random, so an attacker keeps the largest of its own numbers in the same way; a search goes back
//! through those that are kept.

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::rowwise::each_sample;
use super::{Bytes, Defence, Kind, Lever};
use crate::engine::tape::masked;
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::random::At;
use crate::setting::{Plain, Setting, Values, real};

/// Its card.
pub static KIND: Kind = Kind {
    id: "top-k",
    title: "top-k",
    about: "The client sends only the largest numbers of each image, in training and when it asks.",
    settings: &[Setting::new(
        "p",
        "Left out",
        "of the numbers",
        real(0.0, 0.99),
        "Share of an image's numbers that do not cross: the smallest in size. 0 is no defence.",
    )
    .default(Plain::Real(0.8))],
    method: &[SECTION],
    symbol: "p",
    strength: |values| values.real("p"),
    levers: &[Lever { key: "p", symbol: "p", words: "numbers left out", range: [0.0, 0.99] }],
    bytes: |values, numbers, before| {
        let place = if numbers <= 1 << 16 { 2 } else { 4 };
        Ok(Bytes { up: (size_of::<f32>() + place) * kept(values.real("p")?, numbers), ..before })
    },
    make: |values, _| Ok(Box::new(TopK::of(values)?)),
    imitation: |values| Ok(Arc::new(TopK::of(values)?)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "top-k",
    title: "The largest numbers",
    source: "METHOD §5",
    text: include_str!("../../assets/method/top-k.md"),
    formulas: &[Formula {
        id: "largest",
        title: "The largest numbers",
        place: Some(Place::Wire),
        text: r"\tilde{z} = m ⊙ z \quad k = (1 − p) · n_z",
        symbols: &[
            symbol("\\tilde{z}", "what is sent in place of the smashed data", Ink::Disguised),
            symbol("m", "1 at the k numbers that are largest in size, else 0", Ink::Disguised),
            symbol("k", "numbers of an image that cross, rounded up", Ink::Disguised),
            symbol("p", "the share of the numbers that do not cross", Ink::Disguised),
            symbol("n_z", "numbers that the client's layers give for one image", Ink::Smashed),
        ],
        live: |sight| {
            let p = sight.values.real("p").ok()?;
            let n = sight.numbers()?;
            Some(vec![Live::real("p", p), Live::count("k", kept(p, n)), Live::count("n_z", n)])
        },
        ..Formula::BASE
    }],
};

/// How many of so many numbers cross where a share p is left out: at least one.
fn kept(p: f64, numbers: usize) -> usize {
    // Of 100 numbers and p = .8 it is 20 that are kept, whatever the rounding of 1 − p.
    (((1.0 - p) * numbers as f64 - 1e-9).ceil() as usize).clamp(1, numbers.max(1))
}

/// The k largest in size of each sample of z (N, …), zeros in the others' places; differentiable.
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn top_k(z: &Tensor, k: usize) -> Result<Tensor> {
    let mask = each_sample(z, |sample| {
        let mut order: Vec<usize> = (0..sample.len()).collect();
        if k < order.len() {
            // What is no number counts as the largest: it stays, and is noticed.
            order.select_nth_unstable_by(k, |&a, &b| sample[b].abs().total_cmp(&sample[a].abs()).then(a.cmp(&b)));
        }
        let kept = &order[..k.min(order.len())];
        sample.fill(0.0);
        for &i in kept {
            sample[i] = 1.0;
        }
    })?;
    Ok(masked(z, &mask)?)
}

/// The defence at work, and as an attacker uses it: it is the same.
#[derive(Clone, Copy, Debug)]
struct TopK {
    p: f64,
}

impl TopK {
    fn of(values: &Values) -> Result<Self> {
        Ok(Self { p: values.real("p")? })
    }

    fn sent(self, z: &Tensor) -> Result<Tensor> {
        top_k(z, kept(self.p, z.elem_count() / z.dim(0)?.max(1)))
    }
}

impl Defence for TopK {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        self.sent(&z)
    }
}

impl Imitation for TopK {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        self.sent(&z)
    }

    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(*self))))
    }
}

impl Imitator for TopK {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        self.sent(&z)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn the_largest_of_each_sample_cross_and_teach() {
        let z = Var::new(&[[1f32, -4.0, 0.5, 2.0], [3.0, 3.0, -3.0, 3.0]], &Device::Cpu).unwrap();
        let got = top_k(&z, 2).unwrap();
        assert_eq!(got.to_vec2::<f32>().unwrap(), [[0.0, -4.0, 0.0, 2.0], [3.0, 3.0, 0.0, 0.0]]);
        let gradient = got.sum_all().unwrap().backward().unwrap().remove(&z).unwrap();
        assert_eq!(gradient.to_vec2::<f32>().unwrap(), [[0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]);
        let broken = Tensor::new(&[[1f32, f32::NAN, 5.0]], &Device::Cpu).unwrap();
        assert!(top_k(&broken, 1).unwrap().to_vec2::<f32>().unwrap()[0][1].is_nan());
    }

    #[test]
    fn a_message_has_as_many_numbers_as_it_says() {
        assert_eq!([(0.8, 100), (0.99, 10), (0.3, 10), (0.5, 5)].map(|(p, n)| kept(p, n)), [20, 1, 7, 3]);
        let mut values = Values::of(KIND.settings);
        values.put("p", toml::Value::Float(0.8)).unwrap();
        let bytes = |numbers| (KIND.bytes)(&values, numbers, Bytes::whole(numbers)).unwrap();
        assert_eq!((bytes(100), bytes(1 << 17).up), (Bytes { up: 120, down: 400 }, 26215 * 8));
    }
}
