//! Binarisation: the client sends for each number only on which side of the image's mean it lies.
//!
//! z̃ = the mean of the sample's numbers above its mean, or of those that are not (METHOD §5). On the way back that counts as
//! nothing (straight through). On the wire are one bit a number, and both means.
//!
//! *Imitation*: an attacker does the same to its own smashed data; a search goes back straight through it (BPDA).

use std::sync::Arc;

use candle_core::Tensor;

use super::imitation::{Imitation, Imitator, Known, Own, Study};
use super::rowwise::each_sample;
use super::{Bytes, Defence, Kind};
use crate::engine::replace::replaced;
use crate::error::Result;
use crate::method::{Formula, Ink, Place, Section, symbol};
use crate::random::At;
use crate::setting::{self, Plain, Setting};

/// Its card.
pub static KIND: Kind = Kind {
    id: "binarise",
    title: "binarisation",
    about: "The client sends two levels in place of an image's numbers: the mean of the high ones and that of the others.",
    settings: &[Setting::new(
        "on",
        "Two levels",
        "",
        setting::Kind::Switch,
        "Send one bit a number and two means. Switched off it is no defence.",
    )
    .default(Plain::Switch(true))],
    method: &[SECTION],
    symbol: "on",
    strength: |values| Ok(f64::from(u8::from(values.switch("on")?))),
    bytes: |_, numbers, before| Ok(Bytes { up: numbers.div_ceil(8) + 2 * size_of::<f32>(), ..before }),
    make: |_, _| Ok(Box::new(Binariser)),
    imitation: |_| Ok(Arc::new(Binariser)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "binarise",
    title: "Two levels",
    source: "METHOD §5",
    text: include_str!("../../assets/method/binarise.md"),
    formulas: &[Formula {
        id: "two-levels",
        title: "Two levels",
        place: Some(Place::Wire),
        text: r"\tilde{z} = \cases{h & z > m \\ l & z ≤ m}",
        symbols: &[
            symbol("\\tilde{z}", "what is sent in place of the smashed data", Ink::Disguised),
            symbol("m", "the mean of the image's numbers", Ink::Smashed),
            symbol("h", "the mean of those above it", Ink::Disguised),
            symbol("l", "the mean of the others", Ink::Disguised),
        ],
        ..Formula::BASE
    }],
};

/// Which numbers of a sample lie above its mean, and the mean of these and of the others; none where all are the same or one
/// is no number.
pub fn sides(sample: &[f32]) -> Option<(Vec<bool>, [f64; 2])> {
    let mean = sample.iter().map(|v| f64::from(*v)).sum::<f64>() / sample.len().max(1) as f64;
    let above: Vec<bool> = sample.iter().map(|v| f64::from(*v) > mean).collect();
    let mean_of = |side: bool| {
        let of = sample.iter().zip(&above).filter(|(_, above)| **above == side);
        let (sum, count) = of.fold((0.0, 0_usize), |(sum, count), (v, _)| (sum + f64::from(*v), count + 1));
        sum / count as f64
    };
    let means = [mean_of(true), mean_of(false)];
    means.iter().all(|mean| mean.is_finite()).then_some((above, means))
}

/// Two levels in place of the numbers of each sample of z (N, …); differentiable straight through.
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn binarised(z: &Tensor) -> Result<Tensor> {
    let two = each_sample(z, |sample| {
        let Some((above, [high, low])) = sides(sample) else { return };
        sample.iter_mut().zip(above).for_each(|(v, above)| *v = (if above { high } else { low }) as f32);
    })?;
    Ok(replaced(z, &two)?)
}

/// The defence at work, and as an attacker uses it: it is the same.
#[derive(Clone, Copy, Debug)]
struct Binariser;

impl Defence for Binariser {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        binarised(&z)
    }
}

impl Imitation for Binariser {
    fn up(&self, z: Tensor) -> Result<Tensor> {
        binarised(&z)
    }

    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(*self))))
    }
}

impl Imitator for Binariser {
    fn up(&self, z: Tensor, _: At<'_>) -> Result<Tensor> {
        binarised(&z)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::setting::Values;

    #[test]
    fn two_means_cross_and_gradients_go_straight_through() {
        let z = Var::new(&[[0f32, 1.0, 5.0, 7.0], [2.0, 2.0, 2.0, 2.0]], &Device::Cpu).unwrap();
        let got = binarised(&z).unwrap();
        assert_eq!(got.to_vec2::<f32>().unwrap(), [[0.5, 0.5, 6.0, 6.0], [2.0; 4]]);
        let gradient = (&got * &got.detach()).unwrap().sum_all().unwrap().backward().unwrap().remove(&z).unwrap();
        assert_eq!(gradient.to_vec2::<f32>().unwrap(), got.to_vec2::<f32>().unwrap());
        let bytes = (KIND.bytes)(&Values::of(KIND.settings), 100, Bytes::whole(100)).unwrap();
        assert_eq!(bytes, Bytes { up: 13 + 8, down: 400 });
    }
}
