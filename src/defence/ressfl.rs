//! ResSFL's adversarial training: the client learns against a decoder of its own that draws images of what it sends (Li et al.,
//! CVPR 2022).
//!
//! To the gradient that comes down the client adds that of λ·max(0, SSIM(φ(z), x) − 0.5), z being what it sent and φ a small
//! decoder with a sigmoid at its end. φ itself learns to raise SSIM(φ(z), x), some steps on every fifth batch (METHOD §5). It
//! never leaves the client. The paper's narrow last layer of the client (8 channels) is a matter of the model's layers: cut
//! behind such a one.
//!
//! *Imitation*: nothing is done to what crosses, so there is nothing to imitate. An attacker's decoder should be larger than
//! the client's, as those here are: one that is not cannot show that the defence holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor, Var};
use candle_nn::ops::sigmoid;

use super::imitation::Untouched;
use super::kind::Draws;
use super::{Defence, Kind, Lever};
use crate::engine::similarity::ssim;
use crate::error::{Error, Result};
use crate::method::{Formula, Ink, Live, Section, symbol};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::decoder::Decoder;
use crate::model::jacobian::gradient;
use crate::model::parameters::Init;
use crate::model::wire::Smashed;
use crate::random::At;
use crate::setting::{Plain, Setting, Values, log, whole};

/// Its card.
pub static KIND: Kind = Kind {
    id: "ressfl",
    title: "ResSFL",
    about: "In training the client also learns against a small decoder of its own, which tries to draw the images of what it sends.",
    settings: &[
        Setting::new(
            "lambda",
            "ResSFL λ",
            "",
            log(0.0, 1000.0),
            "Weight of how alike the decoder's images are to the true ones (SSIM, as far as above 0.5), beside the \
             cross-entropy. 0 is no defence.",
        )
        .published("Li et al. 2022", "0.3")
        .default(Plain::Real(0.3)),
        Setting::new(
            "steps",
            "Decoder's steps",
            "steps",
            whole(1, 100),
            "Steps that the client's own decoder takes on every fifth batch.",
        )
        .published("Li et al. 2022", "1 or 3")
        .default(Plain::Whole(3)),
    ],
    method: &[SECTION],
    symbol: "λ",
    strength: |values| values.real("lambda"),
    levers: &[Lever { key: "lambda", symbol: "λ", words: "weight of ResSFL", range: [0.0, 20.0] }],
    make: |values, draws| Ok(Box::new(ResSfl::new(values, draws)?)),
    imitation: |_| Ok(Arc::new(Untouched)),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "ressfl",
    title: "ResSFL",
    source: "METHOD §5",
    text: include_str!("../../assets/method/ressfl.md"),
    formulas: &[Formula {
        id: "against-a-decoder",
        title: "What the client learns",
        text: r"\min_{θ_c} ℓ + λ · max(0, SSIM(φ(z), x) − 0.5)",
        symbols: &[
            symbol("λ", "the weight of how well the decoder draws", Ink::Disguised),
            symbol("φ", "the client's own decoder", Ink::Attacker),
        ],
        live: |sight| Some(vec![Live::real("λ", sight.values.real("lambda").ok()?)]),
        ..Formula::BASE
    }],
};

/// SSIM up to which nothing is to be feared.
pub const THRESHOLD: f64 = 0.5;
/// The decoder learns from one batch in so many.
const EVERY: u32 = 5;
/// Channels of the decoder: fewer than an attacker's.
const WIDTHS: [usize; 2] = [16, 16];

/// λ·max(0, SSIM(drawn, x) − 0.5) for images (N, C, H, W): a scalar, differentiable by the drawn ones.
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn penalty(drawn: &Tensor, x: &Tensor, lambda: f64) -> Result<Tensor> {
    Ok(((ssim(drawn, x)? - THRESHOLD)?.relu()? * lambda)?)
}

/// The defence at work.
#[derive(Debug)]
struct ResSfl {
    lambda: f64,
    steps: usize,
    draws: Draws,
    /// Batches so far.
    batches: u32,
    /// Made at the first batch: only then is it known how large images are.
    rival: Option<Rival>,
    /// What it goes on from, once it is made.
    waiting: BTreeMap<String, Tensor>,
}

/// The client's own decoder.
#[derive(Debug)]
struct Rival {
    decoder: Decoder,
    adam: Adam,
}

impl Rival {
    fn drawn(&self, z: &Tensor) -> Result<Tensor> {
        Ok(sigmoid(&self.decoder.forward(z)?)?)
    }

    /// A step towards images that are more alike.
    fn learn(&mut self, z: &Tensor, x: &Tensor) -> Result<()> {
        let loss = ssim(&self.drawn(z)?, x)?.neg()?;
        self.adam.step(&loss.backward()?)
    }

    fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let part = |prefix: &str| -> BTreeMap<String, Tensor> {
            let own = |(name, t): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), t.clone()));
            state.iter().filter_map(own).collect()
        };
        self.decoder.parameters().load(&part("decoder."))?;
        self.adam.load(&part("adam."))
    }
}

impl ResSfl {
    fn new(values: &Values, draws: Draws) -> Result<Self> {
        let (lambda, steps) = (values.real("lambda")?, values.whole("steps")?);
        Ok(Self { lambda, steps, draws, batches: 0, rival: None, waiting: BTreeMap::new() })
    }

    /// The decoder, made if it is not there yet.
    fn rival(&mut self, z: &Tensor, x: &Tensor) -> Result<&mut Rival> {
        if self.rival.is_none() {
            let (_, c, h, w) = x.dims4()?;
            let init = Init { seed: self.draws.seed(), model: &self.draws.named("decoder"), device: x.device() };
            let decoder = Decoder::of_widths(WIDTHS, &z.dims()[1..], [c, h, w], init)?;
            let adam = Adam::new(decoder.parameters(), AdamSettings::new(1e-3));
            let mut rival = Rival { decoder, adam };
            if !self.waiting.is_empty() {
                rival.load(&std::mem::take(&mut self.waiting))?;
            }
            self.rival = Some(rival);
        }
        self.rival.as_mut().ok_or_else(|| Error::Internal("a decoder was not made".to_owned()))
    }
}

impl Defence for ResSfl {
    fn own_gradient(&mut self, x: &Tensor, sent: &Smashed, _: &Tensor, _: At<'_>) -> Result<Option<Tensor>> {
        let (lambda, steps) = (self.lambda, self.steps);
        let learns = self.batches.is_multiple_of(EVERY);
        self.batches = self.batches.wrapping_add(1);
        let z = Var::from_tensor(sent.tensor())?;
        let rival = self.rival(&z, x)?;
        let own = gradient(&penalty(&rival.drawn(&z)?, x, lambda)?, &z)?;
        if learns {
            for _ in 0..steps {
                rival.learn(sent.tensor(), x)?;
            }
        }
        Ok(Some(own))
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = self.waiting.clone();
        state.insert("batches".to_owned(), Tensor::new(&[self.batches], &Device::Cpu)?);
        if let Some(rival) = &self.rival {
            let weights = rival.decoder.parameters().snapshot()?;
            state.extend(weights.into_iter().map(|(name, t)| (format!("decoder.{name}"), t)));
            state.extend(rival.adam.state()?.into_iter().map(|(name, t)| (format!("adam.{name}"), t)));
        }
        Ok(state)
    }

    fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let mut state = state.clone();
        let batches = state.remove("batches").ok_or_else(|| Error::input("the state of ResSFL lacks its batches"))?;
        self.batches = batches.flatten_all()?.get(0)?.to_scalar()?;
        match &mut self.rival {
            Some(rival) if !state.is_empty() => rival.load(&state),
            _ => {
                (self.rival, self.waiting) = (None, state);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn made() -> ResSfl {
        let mut values = Values::of(KIND.settings);
        values.put("lambda", toml::Value::Float(1.0)).unwrap();
        ResSfl::new(&values, Draws::new(Seed(1), "ressfl", 0)).unwrap()
    }

    fn numbers(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Smashed data that are the images, which are of a few large blocks: the easiest that there are.
    fn batch() -> (Tensor, Tensor, Tensor) {
        let blocks = Seed(2).stream("x", 0).uniform_tensor(0.0, 1.0, &[4, 1, 3, 3], &Device::Cpu).unwrap();
        let x = blocks.upsample_nearest2d(12, 12).unwrap();
        (x.clone(), x, Tensor::zeros(4, candle_core::DType::U32, &Device::Cpu).unwrap())
    }

    #[test]
    fn its_decoder_learns_to_draw_and_what_is_not_like_the_image_is_nothing_to_fear() {
        let (x, z, labels) = batch();
        let mut defence = made();
        let mut own = || {
            let gradient = defence.own_gradient(&x, &Smashed::new(&z), &labels, At::ONCE).unwrap().unwrap();
            let drawn = defence.rival.as_ref().unwrap().drawn(&z).unwrap();
            (numbers(&gradient), f64::from(ssim(&drawn, &x).unwrap().to_scalar::<f32>().unwrap()))
        };
        let (gradient, first) = own();
        assert!(first < THRESHOLD && gradient.iter().all(|v| *v == 0.0), "{first}");
        for _ in 0..300 {
            own();
        }
        let (gradient, later) = own();
        assert!(later > first + 0.2, "{first} → {later}");
        assert_eq!(gradient.iter().any(|v| *v != 0.0), later > THRESHOLD, "{later}");
    }

    #[test]
    fn it_goes_on_from_its_state_as_if_it_had_not_stopped() {
        let (x, z, labels) = batch();
        let step = |defence: &mut ResSfl| {
            defence.own_gradient(&x, &Smashed::new(&z), &labels, At::ONCE).unwrap();
        };
        let (mut whole, mut stopped) = (made(), made());
        for _ in 0..7 {
            step(&mut whole);
            step(&mut stopped);
            let mut next = made();
            next.load(&stopped.state().unwrap()).unwrap();
            // A state that is asked for before the next batch is the same.
            assert_eq!(next.state().unwrap().len(), stopped.state().unwrap().len());
            stopped = next;
        }
        step(&mut whole);
        step(&mut stopped);
        for ((a, x), (b, y)) in whole.state().unwrap().iter().zip(&stopped.state().unwrap()) {
            assert_eq!(
                (a, x.to_dtype(candle_core::DType::F32).map(|t| numbers(&t)).unwrap()),
                (b, y.to_dtype(candle_core::DType::F32).map(|t| numbers(&t)).unwrap())
            );
        }
        assert!(made().load(&BTreeMap::new()).is_err());
    }
}
