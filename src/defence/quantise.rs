//! Quantisation: the client rounds each number that it sends to one of a few levels.
//!
//! z̃ = lo + (hi − lo)·round(L·(z − lo)/(hi − lo))/L with L = 2ᵇ − 1 and lo, hi the sample's own least and largest number
//! (METHOD §5); where they are the same, z as it is. On the way back the rounding counts as nothing (straight through). On the
//! wire are b bits a number, and lo and hi.
//!
//! *Imitation*: an attacker rounds its own smashed data in the same way; a search goes back straight through it (BPDA, Athalye
//! et al. 2018).

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::rowwise::each_sample;
use super::{Bytes, Defence, Kind, Lever};
use crate::engine::replace::replaced;
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::random::At;
use crate::setting::{Plain, Setting, whole};

/// The bits of a number as it is.
const WHOLE: usize = 32;

/// Its card.
pub static KIND: Kind = Kind {
    id: "quantise",
    title: "quantisation",
    about: "The client rounds each number that it sends to a few levels between the image's least and largest.",
    settings: &[Setting::new(
        "bits",
        "Bits",
        "a number",
        whole(1, WHOLE as i64),
        "Bits of each number on the wire: so many levels lie between an image's least and largest number. 32 is no defence.",
    )
    .default(Plain::Whole(4))],
    method: &[SECTION],
    symbol: "b",
    strength: |values| Ok((WHOLE - values.whole("bits")?) as f64),
    levers: &[Lever { key: "bits", symbol: "b", words: "bits a number", range: [1.0, WHOLE as f64] }],
    bytes: |values, numbers, before| {
        Ok(Bytes { up: (values.whole("bits")? * numbers).div_ceil(8) + 2 * size_of::<f32>(), ..before })
    },
    make: |values, _| Ok(Box::new(Quantiser { bits: values.whole("bits")? })),
    imitation: |values| Ok(Arc::new(Quantiser { bits: values.whole("bits")? })),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "quantise",
    title: "Quantisation",
    source: "METHOD §5",
    text: include_str!("../../assets/method/quantise.md"),
    formulas: &[Formula {
        id: "quantised",
        title: "Quantisation",
        place: Some(Place::Wire),
        text: r"\tilde{z} = l + \frac{h − l}{2^b − 1} · round(\frac{z − l}{h − l} · (2^b − 1))",
        symbols: &[
            symbol("\\tilde{z}", "what is sent in place of the smashed data", Ink::Disguised),
            symbol("l", "the image's least number", Ink::Smashed),
            symbol("h", "the image's largest number", Ink::Smashed),
            symbol("b", "bits of a number on the wire", Ink::Disguised),
        ],
        live: |sight| Some(vec![Live::count("b", sight.values.whole("bits").ok()?)]),
        ..Formula::BASE
    }],
};

/// The level of each number of a sample, from 0 to 2ᵇ − 1, and the least and largest number; none where all are the same or
/// one is no number.
pub fn codes(sample: &[f32], bits: usize) -> Option<(Vec<u32>, [f32; 2])> {
    let [low, high] = sample.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[l, h], &v| [l.min(v), h.max(v)]);
    if !(high - low).is_finite() || high <= low || sample.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let (least, reach, last) = (f64::from(low), f64::from(high) - f64::from(low), ((1_u64 << bits) - 1) as f64);
    let code = |v: &f32| ((f64::from(*v) - least) / reach * last).round_ties_even() as u32;
    Some((sample.iter().map(code).collect(), [low, high]))
}

/// Each sample of z (N, …) rounded to 2ᵇ levels; differentiable straight through.
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn quantised(z: &Tensor, bits: usize) -> Result<Tensor> {
    let rounded = each_sample(z, |sample| {
        let Some((codes, [low, high])) = codes(sample, bits) else { return };
        let (low, step) = (f64::from(low), (f64::from(high) - f64::from(low)) / ((1_u64 << bits) - 1) as f64);
        sample.iter_mut().zip(codes).for_each(|(v, code)| *v = (low + step * f64::from(code)) as f32);
    })?;
    Ok(replaced(z, &rounded)?)
}

/// The defence at work, and as an attacker uses it: it is the same.
#[derive(Clone, Copy, Debug)]
struct Quantiser {
    bits: usize,
}

impl Defence for Quantiser {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        quantised(&z, self.bits)
    }
}

impl Imitation for Quantiser {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        quantised(&z, self.bits)
    }

    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(*self))))
    }
}

impl Imitator for Quantiser {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        quantised(&z, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::setting::Values;

    #[test]
    fn numbers_are_rounded_to_levels_and_gradients_go_straight_through() {
        let z = Var::new(&[[0f32, 1.0, 2.9, 3.0], [-5.0, -5.0, -5.0, -5.0]], &Device::Cpu).unwrap();
        let got = quantised(&z, 2).unwrap();
        assert_eq!(got.to_vec2::<f32>().unwrap(), [[0.0, 1.0, 3.0, 3.0], [-5.0; 4]]);
        let gradient = (&got * &got.detach()).unwrap().sum_all().unwrap().backward().unwrap().remove(&z).unwrap();
        assert_eq!(gradient.to_vec2::<f32>().unwrap(), got.to_vec2::<f32>().unwrap());
        // What is no number is sent as it is, so that it is noticed.
        let broken = Tensor::new(&[[0f32, f32::NAN, 1.0]], &Device::Cpu).unwrap();
        assert!(quantised(&broken, 2).unwrap().to_vec2::<f32>().unwrap()[0][1].is_nan());
        // Many bits leave nearly everything.
        let fine = quantised(&z, 31).unwrap().to_vec2::<f32>().unwrap();
        assert!(fine[0].iter().zip([0.0, 1.0, 2.9, 3.0]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn bits_are_counted_as_bytes_with_both_ends() {
        let mut values = Values::of(KIND.settings);
        let up = |values: &Values, numbers| (KIND.bytes)(values, numbers, Bytes::whole(numbers)).unwrap().up;
        assert_eq!((up(&values, 100), up(&values, 101)), (58, 59));
        values.put("bits", toml::Value::Integer(1)).unwrap();
        assert_eq!(up(&values, 100), 13 + 8);
    }
}
