//! The inverse network: He, Zhang & Lee (ACSAC 2019), black box.
//!
//! φ* = argmin E‖φ(f(x)) − x‖² over auxiliary images, with f as an oracle; the reconstruction is φ(z).
//!
//! *Naive* against PSGL: trained on f(pack(x, 0)). *Adaptive*: on f(pack(x̂, map)), the map from a head
//! that the attacker trains on its auxiliary images.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::decoder::Decoder;
use super::kind::{ADAM_EPSILON, Kind, Knows, Looker, Values};
use super::rows::Rows;
use super::surrogate::{CHUNK, Surrogate, Training, in_chunks};
use super::{Auxiliary, Doubt, Inversion, Knowledge, Observation, doubt_of};
use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::parameters::Init;
use crate::model::wire::Smashed;
use crate::setting::{Kind as Range, Plain, Setting, log, whole};

/// Its card.
pub static KIND: Kind = Kind {
    id: "inverse",
    title: "an inverse network",
    about: "An inverse network, trained on images of the attacker's own, turns the numbers back into an image.",
    looker: Looker {
        words: "somebody with similar images",
        brief: "similar images",
        tip: "An inverse network learns from images of the attacker's own to turn smashed data back. That takes seconds; \
              then it serves every image at once.",
    },
    knows: &[Knows::ClientOracle, Knows::Auxiliary],
    // To imitate the disguise it trains a head on the client's layers.
    knows_adaptive: &[Knows::ClientWeights, Knows::Auxiliary, Knows::Defence],
    images: 64,
    images_help: "Test images to reconstruct; each takes one pass.",
    settings: &[
        Setting::new(
            "epochs",
            "Decoder's epochs",
            "epochs",
            whole(0, 10_000),
            "How often the decoder's training goes through the attacker's own images. 0 plans steps: ten times, or as often \
             as makes 400 steps, so that few images are gone through more often. He 2019 has 50.",
        )
        .default(Plain::Whole(0)),
        Setting::new("batch", "Decoder's batch", "images", whole(1, 4096), "Images in one step of the decoder.")
            .default(Plain::Whole(32)),
        Setting::new("rate", "Decoder's rate", "", log(1e-7, 1.0), "Adam's step size at the start.")
            .default(Plain::Real(1e-3)),
        Setting::new(
            "halve_every",
            "Halve the rate every",
            "epochs",
            whole(1, 10_000),
            "After so many epochs the rate halves, again and again.",
        )
        .default(Plain::Whole(20)),
        Setting::new("epsilon", "Adam's epsilon", "", log(1e-12, 1.0), ADAM_EPSILON).default(Plain::Real(1e-8)),
        Setting::new(
            "amsgrad",
            "Amsgrad",
            "",
            Range::Switch,
            "Adam that never lets a step grow again, as He 2019 has it.",
        )
        .default(Plain::Switch(false)),
    ],
    least_images: (LEAST_IMAGES, "its decoder learns from"),
    learns: true,
    fills_the_table: true,
    make: |seen, knowledge, values| Ok(Box::new(Inverse::new(seen, knowledge, Settings::of(values)?)?)),
    watched,
};

/// A network that is watched while it learns takes so many steps: fewer teach it nothing where there are few images,
/// and nobody waits for more.
const WATCHED_STEPS: [usize; 2] = [200, 600];

/// As many epochs as make it [`WATCHED_STEPS`]; of more epochs the rate halves later. An attack that plans its steps itself
/// has enough.
fn watched(values: &Values, auxiliary: usize) -> Result<Values> {
    let (own, halve_every) = (values.whole("epochs")?, values.whole("halve_every")?);
    let mut watched = values.clone();
    if own == 0 {
        return Ok(watched);
    }
    let [least, most] = WATCHED_STEPS;
    let steps = auxiliary.div_ceil(values.whole("batch")?).max(1);
    let epochs = own.clamp(least.div_ceil(steps), most.div_ceil(steps));
    let halve_every = if epochs > own { halve_every.max(epochs.div_ceil(2)) } else { halve_every };
    for (key, value) in [("epochs", epochs), ("halve_every", halve_every)] {
        watched.put(key, toml::Value::Integer(value as i64))?;
    }
    Ok(watched)
}

/// How long and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Passes over the auxiliary images; 0 plans steps in place of them: as many passes as make 400 steps, and no fewer
    /// than ten, so that an attacker with few images trains as long as one with many.
    pub epochs: usize,
    /// Images a step.
    pub batch: usize,
    /// Adam's rate, ε and AMSGrad.
    pub adam: AdamSettings,
    /// Epochs after which the rate is halved.
    pub halve_every: usize,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        let [rate, epsilon] = [values.real("rate")?, values.real("epsilon")?];
        Ok(Self {
            epochs: values.whole("epochs")?,
            batch: values.whole("batch")?,
            adam: AdamSettings { rate, epsilon, amsgrad: values.switch("amsgrad")? },
            halve_every: values.whole("halve_every")?,
        })
    }
}

/// Where steps are planned: passes at least, and steps at least.
const PLANNED: [usize; 2] = [10, 400];
/// Auxiliary images that it needs: one to learn from, one to check itself on.
pub const LEAST_IMAGES: usize = 2;
/// Share of the auxiliary images on which the attacker checks itself.
const HELD_OUT: f64 = 0.1;
/// Fresh starts for a decoder that does not beat the mean image.
const ATTEMPTS: u64 = 3;

/// A running inverse-network attack.
pub struct Inverse {
    settings: Settings,
    knowledge: Knowledge,
    observed: Tensor,
    stage: Stage,
    decoder: Decoder,
    adam: Adam,
    attempt: u64,
    step: usize,
    order: Vec<usize>,
    loss: f64,
    /// Of every step of this attempt.
    losses: Vec<f64>,
}

/// What the attack is at.
enum Stage {
    /// Adaptive: training a head of its own.
    Surrogate(Training),
    /// Asking the client, or the surrogate, for smashed data of the auxiliary images, chunk by chunk.
    Asking(Option<Surrogate>, Rows),
    /// Training the decoder.
    Decoding(Pairs),
}

/// Training pairs: smashed data and images, the last few held out.
struct Pairs {
    smashed: Rows,
    images: Auxiliary,
}

impl Inverse {
    /// An attack on every observed sample.
    ///
    /// # Errors
    /// Where client or auxiliary images are not known.
    pub fn new(observation: &Observation, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        if knowledge.auxiliary()?.len() < LEAST_IMAGES {
            return Err(Error::input("the inverse network needs two auxiliary images or more: raise data.aux"));
        }
        knowledge.check_oracle()?;
        let observed = observation.smashed().tensor().clone();
        let decoder = Self::fresh(knowledge, &observed, 0)?;
        Ok(Self {
            adam: Adam::new(decoder.parameters(), settings.adam),
            knowledge: knowledge.clone(),
            settings,
            observed,
            stage: match knowledge.defence {
                Some(options) if knowledge.packs => Stage::Surrogate(Training::new(knowledge, options)?),
                _ => Stage::Asking(None, Rows::default()),
            },
            decoder,
            attempt: 0,
            step: 0,
            order: Vec::new(),
            loss: f64::NAN,
            losses: Vec::new(),
        })
    }

    fn fresh(knowledge: &Knowledge, observed: &Tensor, attempt: u64) -> Result<Decoder> {
        let model = format!("attack.{}.{attempt}", knowledge.name);
        let init = Init { seed: knowledge.seed, model: &model, device: observed.device() };
        Decoder::new(&observed.dims()[1..], knowledge.image, init)
    }

    /// One slice of what comes before the decoder's training. True once that may begin.
    fn prepare(&mut self) -> Result<bool> {
        match &mut self.stage {
            Stage::Decoding(_) => return Ok(true),
            Stage::Surrogate(training) => {
                if let Some(surrogate) = training.advance(&self.knowledge)? {
                    self.stage = Stage::Asking(Some(surrogate), Rows::default());
                }
            }
            Stage::Asking(surrogate, parts) => {
                let images = self.knowledge.auxiliary()?;
                let from = parts.count();
                if from < images.len() {
                    let x = images.range(from..from + CHUNK)?;
                    parts.push(match surrogate {
                        Some(surrogate) => surrogate.smash(&x)?,
                        None => self.knowledge.smash(&x)?,
                    });
                } else {
                    self.stage = Stage::Decoding(Pairs { smashed: std::mem::take(parts), images: images.clone() });
                }
            }
        }
        Ok(false)
    }

    /// Auxiliary images that are trained on.
    fn trained_on(&self) -> usize {
        let n = self.knowledge.auxiliary().map_or(2, Auxiliary::len);
        n - ((n as f64 * HELD_OUT) as usize).clamp(1, n - 1)
    }

    fn steps_an_epoch(&self) -> usize {
        self.trained_on().div_ceil(self.settings.batch)
    }

    fn planned_steps(&self) -> usize {
        let an_epoch = self.steps_an_epoch();
        let [epochs, steps] = PLANNED;
        if self.settings.epochs == 0 { (epochs * an_epoch).max(steps) } else { self.settings.epochs * an_epoch }
    }

    /// How often the rate is halved by then. Where steps are planned, short epochs count for less: with two steps each
    /// the rate would otherwise be gone before anything is learnt.
    fn halvings(&self, epoch: usize) -> i32 {
        let [epochs, steps] = PLANNED;
        let done = if self.settings.epochs == 0 { epoch * self.steps_an_epoch() * epochs / steps } else { epoch };
        (done.min(epoch) / self.settings.halve_every.max(1)) as i32
    }

    fn train_step(&mut self) -> Result<()> {
        let Stage::Decoding(pairs) = &self.stage else { return Ok(()) };
        let (epoch, within) = (self.step / self.steps_an_epoch(), self.step % self.steps_an_epoch());
        if within == 0 {
            self.adam.settings.rate = self.settings.adam.rate * 0.5f64.powi(self.halvings(epoch));
            let index = self.attempt << 32 | epoch as u64;
            self.order = self.knowledge.stream("order", index).permutation(self.trained_on());
        }
        let batch = self.order.chunks(self.settings.batch).nth(within).unwrap_or(&[]);
        let smashed = pairs.smashed.select(batch.iter().copied())?;
        let mut tape = Tape::default();
        let got = tape.record(|| self.decoder.forward(&smashed))?;
        let apart = (got.detach() - pairs.images.batch(batch)?)?;
        self.loss = f64::from(apart.sqr()?.mean_all()?.to_scalar::<f32>()?);
        if !self.loss.is_finite() {
            return Err(Error::Diverged(format!("inverse: the loss is {} at step {}", self.loss, self.step)));
        }
        self.losses.push(self.loss);
        // The gradient of the mean square.
        let end = tape.record(|| carry_on(&got, &(&apart * (2.0 / apart.elem_count() as f64))?))?;
        self.adam.step(&tape.backward(&end)?)?;
        self.step += 1;
        Ok(())
    }

    /// Mean squared errors on the images held out: of the decoder, of the mean image and of the class means, both of the
    /// images trained on.
    fn checked(&self) -> Result<Option<[f64; 3]>> {
        let Stage::Decoding(pairs) = &self.stage else { return Ok(None) };
        let kept = self.trained_on();
        let (images, labels) = (&pairs.images, pairs.images.labels());
        let held = images.len() - kept;
        let truth = images.range(kept..kept + held)?;
        let mean = images.mean(&(0..kept).collect::<Vec<_>>())?;
        let mut known = BTreeMap::new();
        let class_mean = |label: &u32| -> Result<Tensor> {
            if let Some(known) = known.get(label) {
                return Ok(Tensor::clone(known));
            }
            let same: Vec<usize> = (0..kept).filter(|i| labels[*i] == *label).collect();
            let of_class = if same.is_empty() { mean.clone() } else { images.mean(&same)? };
            known.insert(*label, of_class.clone());
            Ok(of_class)
        };
        let class_means = labels[kept..].iter().map(class_mean).collect::<Result<Vec<_>>>()?;
        let chunks = (kept..images.len()).step_by(CHUNK).map(|from| {
            let z = pairs.smashed.select(from..images.len().min(from + CHUNK))?;
            Ok(self.decoder.forward(&z)?.detach())
        });
        let got = Tensor::cat(&chunks.collect::<Result<Vec<_>>>()?, 0)?;
        let error = |guess: &Tensor| -> Result<f64> {
            Ok(f64::from(guess.broadcast_sub(&truth)?.sqr()?.mean_all()?.to_scalar::<f32>()?))
        };
        Ok(Some([error(&got)?, error(&mean.broadcast_as(truth.shape())?)?, error(&Tensor::cat(&class_means, 0)?)?]))
    }

    /// Whether the trained decoder beats the mean image on the images held out.
    fn beats_the_mean_image(&self) -> Result<bool> {
        Ok(self.checked()?.is_none_or(|[decoder, mean, _]| decoder < mean))
    }
}

impl Inversion for Inverse {
    fn advance(&mut self) -> Result<()> {
        if self.done() || !self.prepare()? {
            return Ok(());
        }
        self.train_step()?;
        let finished = self.done();
        if finished && self.attempt + 1 < ATTEMPTS && !self.beats_the_mean_image()? {
            self.attempt += 1;
            self.step = 0;
            self.losses.clear();
            self.decoder = Self::fresh(&self.knowledge, &self.observed, self.attempt)?;
            self.adam = Adam::new(self.decoder.parameters(), self.settings.adam);
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.step, self.planned_steps())
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        let Some([decoder, mean, class_mean]) = self.checked()? else {
            return Ok(doubt_of(&[], 1.0));
        };
        // With NaN on either side it is no better.
        let better = decoder < mean.min(class_mean);
        Ok(doubt_of(&self.losses, mean).or((!better).then_some(Doubt::NoBetterThanGuessing)))
    }

    fn reconstruction(&self) -> Result<Tensor> {
        Ok(in_chunks(&self.observed, |z| self.decoder.forward(z))?.clamp(0.0, 1.0)?)
    }

    fn reconstruct(&self, other: &Smashed) -> Result<Option<Tensor>> {
        Ok(Some(in_chunks(other.tensor(), |z| self.decoder.forward(z))?.clamp(0.0, 1.0)?))
    }
}
