//! CEM, conditional entropy maximisation: the client learns to send what lies widely about the middle of its class (Xia et al.,
//! ICML 2025).
//!
//! Before each epoch but the first the smashed data of each class get a few centres by k-means. In each step the client adds to
//! its loss [`loss::spread`] at the weight 0.002·λ, so that smashed data come to lie close to their centres, and sends them with
//! normal noise of standard deviation σ, which then covers what is left (METHOD §5). The smaller the spread beside the noise,
//! the more images would give the same, and the larger the error that any attacker has to make. The published weight changes
//! with the learning rate; here it is what theirs is at their rate of 0.05. Centres are of at most 128 images of a class, drawn
//! anew each epoch.
//!
//! *Imitation*: an attacker that learns adds noise to its own smashed data; one that searches compares with them as they are.

pub mod loss;
mod means;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use loss::{Centres, Measure, spread};
use means::Means;

use super::gaussian::NORMAL;
use super::kind::Draws;
use super::noise::{Declared, Noise};
use super::{Defence, Kind, Lever, Pass};
use crate::error::{Error, Result};
use crate::method::{Formula, Ink, Live, Section, symbol};
use crate::model::client::ClientPlan;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec;
use crate::model::wire::Smashed;
use crate::random::At;
use crate::setting::{self, Plain, Setting, Values, log, real, whole};

/// Its card.
pub static KIND: Kind = Kind {
    id: "cem",
    title: "CEM",
    about: "In training the client also learns to send what lies close to the middle of its class, and noise covers the rest.",
    settings: &[
        Setting::new(
            "lambda",
            "CEM λ",
            "",
            log(0.0, 1000.0),
            "Weight of how widely smashed data lie about the centres of their class, beside the cross-entropy: it counts 0.002 \
             times. 0 is no defence, and adds no noise either.",
        )
        .published("Xia et al. 2025", "16")
        .default(Plain::Real(16.0)),
        Setting::new(
            "sigma",
            "Noise σ",
            "",
            real(0.0, 5.0),
            "Standard deviation of the noise on each number of the smashed data, drawn anew each time.",
        )
        .published("Xia et al. 2025", "0.01 to 0.15")
        .default(Plain::Real(0.1)),
        Setting::new(
            "centres",
            "Centres",
            "a class",
            whole(0, 64),
            "How many centres a class has. 0 leaves it to the client's last layer: 3 after a sigmoid or tanh, else 9.",
        )
        .default(Plain::Whole(0)),
        Setting::new(
            "measure",
            "Spread counts",
            "",
            setting::Kind::Choice(&["log", "linear"]),
            "How the variance about a centre counts: by its logarithm, or as it is.",
        )
        .default(Plain::Word("log")),
    ],
    method: &[SECTION],
    symbol: "λ",
    strength: |values| values.real("lambda"),
    levers: &[
        Lever { key: "lambda", symbol: "λ", words: "weight of CEM", range: [0.0, 32.0] },
        Lever { key: "sigma", symbol: "σ", words: "noise on the wire", range: [0.0, 1.0] },
    ],
    bytes: |_, numbers, before| Ok(before.whole_up(numbers)),
    make: |values, draws| {
        let log = values.word("measure")? == "log";
        Ok(Box::new(Cem {
            weight: WEIGHT * values.real("lambda")?,
            noise: Noise::new(noise(values)?, draws.clone()),
            count: values.whole("centres")?,
            measure: if log { Measure::Log } else { Measure::Linear },
            draws,
            centres: Vec::new(),
            done: [0, 0],
            work: None,
        }))
    },
    imitation: |values| Ok(Arc::new(noise(values)?)),
    ..Kind::BASE
};

/// Normal noise without a clip.
fn noise(values: &Values) -> Result<Declared> {
    Ok(Declared { law: NORMAL, scale: values.real("sigma")?, clip: 0.0 })
}

/// What λ counts.
const WEIGHT: f64 = 0.002;

/// Its formula.
const SECTION: Section = Section {
    id: "cem",
    title: "Conditional entropy maximisation",
    source: "METHOD §5",
    text: include_str!("../../../assets/method/cem.md"),
    formulas: &[Formula {
        id: "spread",
        title: "What the client learns",
        text: r"\min_{θ_c} ℓ + 0.002 · λ · \sum_{j} \frac{n_j}{n} · mean(ln \frac{v_j + 0.0011}{0.001})",
        symbols: &[
            symbol("λ", "the weight of the spread", Ink::Disguised),
            symbol("n", "images of a class in the batch", Ink::Plain),
            symbol("n_j", "those of them whose smashed data are nearest to centre j", Ink::Plain),
            symbol("v_j", "how far these lie from it: the mean square, number by number", Ink::Smashed),
        ],
        live: |sight| Some(vec![Live::real("λ", sight.values.real("lambda").ok()?)]),
        ..Formula::BASE
    }],
};

/// CEM at work.
#[derive(Debug)]
struct Cem {
    weight: f64,
    noise: Noise,
    count: usize,
    measure: Measure,
    draws: Draws,
    /// Of each class.
    centres: Vec<Centres>,
    /// For which epoch they are, and of how many classes.
    done: [usize; 2],
    /// The class at work. It begins again where a run goes on: the weights are the same.
    work: Option<Means>,
}

/// Images of a class that its centres are of.
const MOST: usize = 128;
/// Of these at once.
const CHUNK: usize = 32;

impl Cem {
    /// Some smashed data of a class, and the centres that are moved among them.
    fn means(&self, pass: &Pass<'_>, [epoch, class]: [usize; 2]) -> Result<Means> {
        let of_class = |(place, label): (usize, &u32)| (*label as usize == class).then_some(place);
        let own: Vec<usize> = pass.images.labels().iter().enumerate().filter_map(of_class).collect();
        let mut stream = self.draws.stream("centres", At::Train { epoch, step: 0 }, class);
        let mut places: Vec<usize> = stream.permutation(own.len()).into_iter().map(|i| own[i]).collect();
        places.truncate(MOST);
        let mut samples = Vec::with_capacity(places.len());
        for chunk in places.chunks(CHUNK) {
            let z = pass.smash(chunk)?.0.flatten_from(1)?.to_device(&Device::Cpu)?;
            samples.extend(z.to_vec2::<f32>()?);
        }
        Ok(Means::new(samples, self.centres.get(class).cloned(), self.count, &mut stream))
    }
}

impl Defence for Cem {
    fn equip(&mut self, client: &ClientPlan<'_>, _: &mut Parameters, _: Init<'_>) -> Result<()> {
        let bounded = matches!(client.layers.last(), Some(LayerSpec::Sigmoid | LayerSpec::Tanh));
        if self.count == 0 {
            self.count = if bounded { 3 } else { 9 };
        }
        self.centres = vec![Centres::new(); client.classes];
        Ok(())
    }

    fn epoch(&mut self, pass: &mut Pass<'_>, epoch: usize) -> Result<bool> {
        if epoch == 0 {
            return Ok(true);
        }
        if self.done[0] != epoch {
            (self.done, self.work) = ([epoch, 0], None);
        }
        let class = self.done[1];
        if class == self.centres.len() {
            return Ok(true);
        }
        match &mut self.work {
            None => self.work = Some(self.means(pass, [epoch, class])?),
            Some(means) => {
                if let Some(centres) = means.advance() {
                    self.centres[class] = centres;
                    (self.done, self.work) = ([epoch, class + 1], None);
                }
            }
        }
        Ok(self.done[1] == self.centres.len())
    }

    fn noise(&self) -> Option<f64> {
        self.noise.noise()
    }

    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        self.noise.up(z, at)
    }

    fn own_gradient(&mut self, _: &Tensor, sent: &Smashed, labels: &Tensor, _: At<'_>) -> Result<Option<Tensor>> {
        if self.centres.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let labels = labels.to_dtype(DType::U32)?.to_vec1::<u32>()?;
        Ok(Some((spread(sent.tensor(), &labels, &self.centres, self.measure)?.gradient * self.weight)?))
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let done = self.done.map(|n| n as u32);
        let mut state = BTreeMap::from([("done".to_owned(), Tensor::new(&done, &Device::Cpu)?)]);
        for (class, centres) in self.centres.iter().enumerate().filter(|(_, centres)| !centres.is_empty()) {
            let shape = (centres.len(), centres[0].len());
            state.insert(format!("centres.{class}"), Tensor::from_vec(centres.concat(), shape, &Device::Cpu)?);
        }
        Ok(state)
    }

    fn load(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let done =
            state.get("done").ok_or_else(|| Error::input("the state of CEM lacks how far it is"))?.to_vec1::<u32>()?;
        let [epoch, class] = done[..] else { return Err(Error::input("the state of CEM is another's")) };
        (self.done, self.work) = ([epoch as usize, class as usize], None);
        for (class, centres) in self.centres.iter_mut().enumerate() {
            let kept = state.get(&format!("centres.{class}"));
            *centres = kept.map_or(Ok(Vec::new()), Tensor::to_vec2::<f32>)?;
        }
        Ok(())
    }
}
