//! Normal noise on the smashed data, clipped before if that is wanted.
//!
//! z̃ = z·min(1, C/‖z‖₂) + n, n ~ N(0, σ²) for each number, drawn anew each time (METHOD §5). To replace an image by another
//! moves the clipped z by at most 2C, so that one sending is (ε, δ)-private with ε = 2C·√(2 ln(1.25/δ))/σ (Dwork & Roth 2014,
//! theorem A.1), as far as that is no more than 1; without a clip there is no ε at all, and none is named.

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
    id: "gaussian",
    title: "normal noise",
    about: "The client adds normal noise to each number that it sends, in training and when it asks.",
    settings: &[
        Setting::new(
            "sigma",
            "Noise σ",
            "",
            real(0.0, 5.0),
            "Standard deviation of the noise on each number of the smashed data, drawn anew each time. 0 is no defence, and \
             clips nothing either.",
        )
        .default(Plain::Real(0.5)),
        CLIP,
    ],
    method: &[SECTION],
    symbol: "σ",
    strength: |values| values.real("sigma"),
    warning: |values| Some(format!("normal noise: {}", told(values.real("clip").ok()?, epsilon(values).ok()?))),
    levers: &[Lever { key: "sigma", symbol: "σ", words: "noise on the wire", range: [0.0, 5.0] }],
    bytes: |_, numbers, before| Ok(before.whole_up(numbers)),
    make: |values, draws| Ok(Box::new(Noise::new(declared(values)?, draws))),
    imitation: |values| Ok(Arc::new(declared(values)?)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "gaussian",
    title: "Normal noise on the smashed data",
    source: "METHOD §5",
    text: include_str!("../../assets/method/gaussian.md"),
    formulas: &[Formula {
        id: "normal-noise",
        title: "Normal noise",
        place: Some(Place::Wire),
        text: r"\tilde{z} = min(1, \frac{c}{\norm{z}}) · z + n \quad n ~ N(0, σ^2)",
        symbols: &[
            symbol("\\tilde{z}", "what is sent in place of the smashed data", Ink::Disguised),
            symbol("c", "the norm that z is clipped to; 0 clips nothing", Ink::Disguised),
            symbol("n", "a normal number for each of z, drawn anew each time", Ink::Disguised),
            symbol("σ", "the noise's standard deviation", Ink::Disguised),
        ],
        live: |sight| {
            let (sigma, clip) = (sight.values.real("sigma").ok()?, sight.values.real("clip").ok()?);
            let private = told(clip, epsilon(sight.values).ok()?);
            Some(vec![Live::real("σ", sigma), Live::real("c", clip), Live::told("ε", private)])
        },
        ..Formula::BASE
    }],
};

/// δ of what is told.
const DELTA: f64 = 1e-5;

/// ε of one sending at δ = 10⁻⁵, where the bound holds.
fn epsilon(values: &Values) -> Result<Option<f64>> {
    let (clip, sigma) = (values.real("clip")?, values.real("sigma")?);
    let epsilon = 2.0 * clip * (2.0 * (1.25 / DELTA).ln()).sqrt() / sigma;
    Ok((clip > 0.0 && epsilon <= 1.0).then_some(epsilon))
}

/// The normal distribution.
pub const NORMAL: Law = Law { norm: Norm::Two, draw: Stream::normal };

fn declared(values: &Values) -> Result<Declared> {
    Ok(Declared { law: NORMAL, scale: values.real("sigma")?, clip: values.real("clip")? })
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::defence::kind::Draws;
    use crate::random::{At, Seed};

    fn values(sigma: f64, clip: f64) -> Values {
        let mut values = Values::of(KIND.settings);
        values.put("sigma", toml::Value::Float(sigma)).unwrap();
        values.put("clip", toml::Value::Float(clip)).unwrap();
        values
    }

    #[test]
    fn numbers_move_by_as_much_as_it_says_once_they_are_clipped() {
        let make = |sigma, clip| (KIND.make)(&values(sigma, clip), Draws::new(Seed(1), "gaussian", 0)).unwrap();
        let z = Tensor::full(1f32, (4, 10_000), &Device::Cpu).unwrap();
        let of = |sigma, clip, at| make(sigma, clip).up(z.clone(), at).unwrap().to_vec2::<f32>().unwrap();
        for (clip, middle) in [(0.0, 1.0), (50.0, 0.5)] {
            let got = of(0.3, clip, At::ONCE).concat();
            let mean = got.iter().map(|v| f64::from(*v)).sum::<f64>() / got.len() as f64;
            let spread = (got.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / got.len() as f64).sqrt();
            assert!((mean - middle).abs() < 0.01 && (spread - 0.3).abs() < 0.01, "{clip}: {mean} ± {spread}");
        }
        let ask = |samples, draw| At::Ask { samples, draw };
        assert_eq!(of(0.3, 0.0, ask(&[4, 9, 2, 1], 1))[1], of(0.3, 0.0, ask(&[9], 1))[0]);
        assert_ne!(of(0.3, 0.0, ask(&[9], 1))[0], of(0.3, 0.0, ask(&[9], 2))[0]);
        assert_eq!(z.dtype(), DType::F32);
    }

    #[test]
    fn an_epsilon_is_named_only_where_there_is_one() {
        let told = |sigma, clip| (KIND.warning)(&values(sigma, clip)).unwrap();
        assert!(told(0.5, 0.0).contains("no \u{3b5}: without a clip"));
        assert!(told(0.5, 1.0).contains("no \u{3b5}: the noise is too small"));
        // 2 · 0.1 · √(2 ln 125000) / 4.
        assert!(told(4.0, 0.1).contains("\u{3b5} 0.242 for one sending"), "{}", told(4.0, 0.1));
    }
}
