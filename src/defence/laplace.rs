//! Laplace noise on the smashed data, clipped before if that is wanted.
//!
//! z̃ = z·min(1, C/‖z‖₁) + n, n ~ Laplace(0, b) for each number, drawn anew each time (METHOD §5). To replace an image by
//! another moves the clipped z by at most 2C in sum, so that one sending is ε-private with ε = 2C/b (Dwork & Roth 2014,
//! theorem 3.6); without a clip there is no ε at all, and none is named.

use std::sync::Arc;

use super::clip::{CLIP, Norm, told};
use super::noise::{Declared, Law, Noise};
use super::{Kind, Lever};
use crate::error::Result;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::random::Stream;
use crate::setting::{Plain, Setting, Values, real};

/// Its card.
pub static KIND: Kind = Kind {
    id: "laplace",
    title: "Laplace noise",
    about: "The client adds Laplace noise to each number that it sends, in training and when it asks.",
    settings: &[
        Setting::new(
            "b",
            "Noise b",
            "",
            real(0.0, 5.0),
            "Scale of the noise on each number of the smashed data, whose standard deviation is √2 times that; drawn anew \
             each time. 0 is no defence, and clips nothing either.",
        )
        .default(Plain::Real(0.5)),
        CLIP,
    ],
    method: &[SECTION],
    symbol: "b",
    strength: |values| values.real("b"),
    warning: |values| Some(format!("Laplace noise: {}", told(values.real("clip").ok()?, epsilon(values).ok()?))),
    levers: &[Lever { key: "b", symbol: "b", words: "noise on the wire", range: [0.0, 5.0] }],
    bytes: |_, numbers, before| Ok(before.whole_up(numbers)),
    make: |values, draws| Ok(Box::new(Noise::new(declared(values)?, draws))),
    imitation: |values| Ok(Arc::new(declared(values)?)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "laplace",
    title: "Laplace noise on the smashed data",
    source: "METHOD §5",
    text: include_str!("../../assets/method/laplace.md"),
    formulas: &[Formula {
        id: "laplace-noise",
        title: "Laplace noise",
        place: Some(Place::Wire),
        text: r"\tilde{z} = min(1, \frac{c}{\norm{z}_1}) · z + n \quad n ~ Laplace(0, b)",
        symbols: &[
            symbol("\\tilde{z}", "what is sent in place of the smashed data", Ink::Disguised),
            symbol("c", "the norm that z is clipped to; 0 clips nothing", Ink::Disguised),
            symbol("n", "a number for each of z, drawn anew each time from the Laplace distribution", Ink::Disguised),
            symbol("b", "the noise's scale", Ink::Disguised),
        ],
        live: |sight| {
            let (b, clip) = (sight.values.real("b").ok()?, sight.values.real("clip").ok()?);
            let private = told(clip, epsilon(sight.values).ok()?);
            Some(vec![Live::real("b", b), Live::real("c", clip), Live::told("ε", private)])
        },
        ..Formula::BASE
    }],
};

/// ε of one sending.
fn epsilon(values: &Values) -> Result<Option<f64>> {
    let (clip, b) = (values.real("clip")?, values.real("b")?);
    Ok((clip > 0.0).then_some(2.0 * clip / b))
}

/// A number of the Laplace distribution of scale 1: the sign and the size by one uniform number each.
fn draw(stream: &mut Stream) -> f64 {
    let sign = if stream.below(2) == 0 { -1.0 } else { 1.0 };
    // 1 − u is never 0.
    -sign * (1.0 - stream.uniform(0.0, 1.0)).ln()
}

fn declared(values: &Values) -> Result<Declared> {
    Ok(Declared { law: Law { norm: Norm::One, draw }, scale: values.real("b")?, clip: values.real("clip")? })
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::defence::kind::Draws;
    use crate::random::{At, Seed};

    fn values(b: f64, clip: f64) -> Values {
        let mut values = Values::of(KIND.settings);
        values.put("b", toml::Value::Float(b)).unwrap();
        values.put("clip", toml::Value::Float(clip)).unwrap();
        values
    }

    #[test]
    fn numbers_move_by_as_much_as_it_says_once_they_are_clipped() {
        let make = |b, clip| (KIND.make)(&values(b, clip), Draws::new(Seed(1), "laplace", 0)).unwrap();
        let z = Tensor::full(1f32, (4, 10_000), &Device::Cpu).unwrap();
        for (clip, middle) in [(0.0, 1.0), (5000.0, 0.5)] {
            let got = make(0.3, clip).up(z.clone(), At::ONCE).unwrap().to_vec2::<f32>().unwrap().concat();
            let mean = got.iter().map(|v| f64::from(*v)).sum::<f64>() / got.len() as f64;
            // The mean distance from the middle is the scale.
            let scale = got.iter().map(|v| (f64::from(*v) - middle).abs()).sum::<f64>() / got.len() as f64;
            assert!((mean - middle).abs() < 0.01 && (scale - 0.3).abs() < 0.01, "{clip}: {mean} ± {scale}");
        }
    }

    #[test]
    fn an_epsilon_is_named_only_where_there_is_one() {
        let told = |b, clip| (KIND.warning)(&values(b, clip)).unwrap();
        assert!(told(0.5, 0.0).contains("no \u{3b5}: without a clip"));
        assert!(told(0.5, 2.0).contains("\u{3b5} 8.000 for one sending"), "{}", told(0.5, 2.0));
    }
}
