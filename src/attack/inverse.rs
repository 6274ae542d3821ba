//! The inverse network: He, Zhang & Lee (ACSAC 2019), black box.
//!
//! φ* = argmin E‖φ(f(x)) − x‖² over auxiliary images, with f as an oracle; the reconstruction is φ(z).
//!
//! *Naive* against PSGL: trained on f(pack(x, 0)). *Adaptive*: on f(pack(x̂, map)), the map from a head
//! that the attacker trains on its auxiliary images.

use candle_core::Tensor;

use super::decoder::Decoder;
use super::surrogate::{CHUNK, Surrogate, Training, in_chunks, index_tensor};
use super::{Doubt, Inversion, Knowledge, Observation, doubt_of};
use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::parameters::Init;
use crate::model::wire::Smashed;

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

/// Where steps are planned: passes at least, and steps at least.
const PLANNED: [usize; 2] = [10, 400];
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
    Asking(Option<Surrogate>, Vec<Tensor>),
    /// Training the decoder.
    Decoding(Pairs),
}

/// Training pairs: smashed data and images, the last few held out.
struct Pairs {
    smashed: Tensor,
    images: Tensor,
}

impl Inverse {
    /// An attack on every observed sample.
    ///
    /// # Errors
    /// Where client or auxiliary images are not known.
    pub fn new(observation: &Observation, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        if knowledge.auxiliary()?.images.dim(0)? < 2 {
            return Err(Error::input("the inverse network needs two auxiliary images or more: raise data.aux"));
        }
        knowledge.client()?;
        let observed = observation.smashed().tensor().clone();
        let decoder = Self::fresh(knowledge, &observed, 0)?;
        Ok(Self {
            adam: Adam::new(decoder.parameters(), settings.adam),
            knowledge: knowledge.clone(),
            settings,
            observed,
            stage: match knowledge.defence {
                Some(options) if knowledge.packs => Stage::Surrogate(Training::new(knowledge, options)?),
                _ => Stage::Asking(None, Vec::new()),
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
                    self.stage = Stage::Asking(Some(surrogate), Vec::new());
                }
            }
            Stage::Asking(surrogate, parts) => {
                let images = &self.knowledge.auxiliary()?.images;
                let (n, from) = (images.dim(0)?, parts.len() * CHUNK);
                if from < n {
                    let x = images.narrow(0, from, CHUNK.min(n - from))?.contiguous()?;
                    parts.push(match surrogate {
                        Some(surrogate) => surrogate.smash(&x)?,
                        None => self.knowledge.smash(&x)?,
                    });
                } else {
                    self.stage = Stage::Decoding(Pairs { smashed: Tensor::cat(parts, 0)?, images: images.clone() });
                }
            }
        }
        Ok(false)
    }

    /// Auxiliary images that are trained on.
    fn trained_on(&self) -> usize {
        let n = self.knowledge.auxiliary().and_then(|a| Ok(a.images.dim(0)?)).unwrap_or(2);
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
        let index = index_tensor(batch, self.observed.device())?;
        let smashed = pairs.smashed.index_select(&index, 0)?;
        let mut tape = Tape::default();
        let got = tape.record(|| self.decoder.forward(&smashed))?;
        let apart = (got.detach() - pairs.images.index_select(&index, 0)?)?;
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
        let held = pairs.images.dim(0)? - kept;
        let truth = pairs.images.narrow(0, kept, held)?.contiguous()?;
        let seen = pairs.images.narrow(0, 0, kept)?;
        let mean = seen.mean_keepdim(0)?;
        let labels: Vec<u32> = self.knowledge.auxiliary()?.labels.to_vec1()?;
        let class_mean = |label: &u32| -> Result<Tensor> {
            let same: Vec<usize> = (0..kept).filter(|i| labels[*i] == *label).collect();
            if same.is_empty() {
                return Ok(mean.clone());
            }
            Ok(seen.index_select(&index_tensor(&same, seen.device())?, 0)?.mean_keepdim(0)?)
        };
        let class_means = labels[kept..kept + held].iter().map(class_mean).collect::<Result<Vec<_>>>()?;
        let got = in_chunks(&pairs.smashed.narrow(0, kept, held)?.contiguous()?, |z| self.decoder.forward(z))?;
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
