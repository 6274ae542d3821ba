//! The inverse network: He, Zhang & Lee (ACSAC 2019), black box.
//!
//! φ* = argmin E‖φ(f(x)) − x‖² over auxiliary images, with f as an oracle; the reconstruction is φ(z).
//!
//! *Naive* against a defence: trained on what an undefended client would send. *Adaptive*: on what the attacker's imitation
//! of the defence sends.

use std::ops;

mod method;
mod settings;

use candle_core::Tensor;

pub use settings::Settings;

use settings::watched;

use super::guess::{class_means, mean_image};
use super::kind::{ADAM_EPSILON, HE_2019, Kind, Looker, Make, Published};
use super::threat_model::{Knows, Sees};
use super::{Auxiliary, Doubt, Evidence, Inversion, Knowledge, Learner, Outcome, doubt_of};
use crate::defence::imitation::{CHUNK, in_chunks};
use crate::defence::rows::Rows;
use crate::error::{Error, Result};
use crate::model::adam::Adam;
use crate::model::decoder::Decoder;
use crate::model::parameters::Init;
use crate::model::wire::Smashed;
use crate::setting::{Kind as Range, Plain, Setting, log, whole};
use crate::state::State;

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
    sees: &[Sees::Smashed],
    // The labels serve the decoder's check on itself: whether it beats a guess from the label.
    knows: &[Knows::ClientOracle, Knows::Auxiliary, Knows::AuxiliaryLabels],
    // To imitate the disguise it trains a head on the client's layers.
    knows_adaptive: &[Knows::ClientWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 64,
    images_help: "Test images to reconstruct; each takes one pass.",
    settings: &[
        Setting::new(
            "epochs",
            "Decoder's epochs",
            "epochs",
            whole(0, 10_000),
            "How often the decoder's training goes through the attacker's own images. 0 plans steps: ten times, or as often \
             as makes 400 steps, so that few images are gone through more often.",
        )
        .published(HE_2019, "50")
        .default(Plain::Whole(0)),
        Setting::new(
            "longer",
            "Adaptive, longer",
            "times",
            whole(1, 100),
            "Where steps are planned: how many times as many they are for a decoder that learns to undo a disguise as well, \
             which takes it longer.",
        )
        .since(9, Plain::Whole(1))
        .default(Plain::Whole(3)),
        Setting::new("batch", "Decoder's batch", "images", whole(1, 4096), "Images in one step of the decoder.")
            .published(HE_2019, "32")
            .default(Plain::Whole(32)),
        Setting::new("rate", "Decoder's rate", "", log(1e-7, 1.0), "Adam's step size at the start.")
            .published(HE_2019, "1e-3")
            .default(Plain::Real(1e-3)),
        Setting::new(
            "halve_every",
            "Halve the rate every",
            "epochs",
            whole(1, 10_000),
            "After so many epochs the rate halves, again and again.",
        )
        .published(HE_2019, "20")
        .default(Plain::Whole(20)),
        Setting::new("epsilon", "Adam's epsilon", "", log(1e-12, 1.0), ADAM_EPSILON)
            .published(HE_2019, "1e-3")
            .default(Plain::Real(1e-8)),
        Setting::new(
            "amsgrad",
            "Amsgrad",
            "",
            Range::Switch,
            "Adam that never lets a step grow again.",
        )
        .published(HE_2019, "on")
        .default(Plain::Switch(false)),
    ],
    levers: &[],
    published: &[
        Published::he("MNIST, LeNet-5 cut at conv1", 40.72, 0.995),
        Published::he("MNIST, LeNet-5 cut at ReLU2", 20.81, 0.805),
        Published::he("CIFAR-10, 6 conv + 2 fc cut at conv11", 49.02, 0.999),
        Published::he("CIFAR-10, 6 conv + 2 fc cut at ReLU22", 19.36, 0.680),
        Published::he("CIFAR-10, 6 conv + 2 fc cut at ReLU32", 13.95, 0.220),
        Published::he("MNIST, LeNet-5 cut at conv1, knowing the very training set", 39.64, 0.989),
        Published::he("MNIST, LeNet-5 cut at ReLU2, knowing the very training set", 20.35, 0.733),
        Published::he("MNIST, LeNet-5 cut at conv1, knowing unrelated images", 14.76, 0.719),
        Published::he("MNIST, LeNet-5 cut at ReLU2, knowing unrelated images", 7.72, 0.431),
    ],
    method: &[method::SECTION],
    least_images: (LEAST_IMAGES, "its decoder learns from"),
    // The decoder with three moments.
    saves: |smashed, image, _| 4 * Decoder::numbers(smashed, image),
    learns: true,
    fills_the_table: true,
    paper: &[
        ("epochs", Plain::Whole(50)),
        ("epsilon", Plain::Real(1e-3)),
        ("amsgrad", Plain::Switch(true)),
    ],
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Inverse::new(seen, known, Settings::of(values)?)?))),
    watched,
    ..Kind::BASE
};

/// Where steps are planned: passes at least, and steps at least.
const PLANNED: [usize; 2] = [10, 400];
/// Auxiliary images that it needs: one to learn from, one to check itself on.
pub const LEAST_IMAGES: usize = 2;
/// Share of the auxiliary images on which the attacker checks itself.
const HELD_OUT: f64 = 0.1;
/// Held-out images that the decoder draws at once: of 64 × 64 pixels its features take 60 MB, those of a whole [`CHUNK`]
/// four times as much.
const DRAWN: usize = 32;
/// Fresh starts for a decoder that does not beat the mean image.
const ATTEMPTS: u64 = 3;

/// A running inverse-network attack.
pub struct Inverse {
    settings: Settings,
    knowledge: Knowledge,
    observed: Tensor,
    learner: Learner,
    stage: Stage,
    decoder: Decoder,
    adam: Adam,
    attempt: u64,
    step: usize,
    order: Vec<usize>,
    loss: f64,
    /// Of every step of this attempt.
    losses: Vec<f64>,
    /// How it did on the images held out, once it is done: see [`Inverse::checked`].
    check: Option<[f64; 3]>,
}

/// What the attack is at, once it has learnt to imitate a defence that it knows.
enum Stage {
    /// Asking the client, or the imitator, for smashed data of the auxiliary images, chunk by chunk.
    Asking(Rows),
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
    pub fn new(evidence: &Evidence, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        if knowledge.auxiliary()?.len() < LEAST_IMAGES {
            return Err(Error::input("the inverse network needs two auxiliary images or more: raise data.aux"));
        }
        knowledge.check_oracle()?;
        let observed = evidence.smashed()?.tensor().clone();
        let decoder = Self::fresh(knowledge, &observed, 0)?;
        Ok(Self {
            adam: Adam::new(decoder.parameters(), settings.adam),
            knowledge: knowledge.clone(),
            settings,
            observed,
            learner: Learner::new(knowledge)?,
            stage: Stage::Asking(Rows::default()),
            decoder,
            attempt: 0,
            step: 0,
            order: Vec::new(),
            loss: f64::NAN,
            losses: Vec::new(),
            check: None,
        })
    }

    fn fresh(knowledge: &Knowledge, observed: &Tensor, attempt: u64) -> Result<Decoder> {
        let model = format!("attack.{}.{attempt}", knowledge.name);
        let init = Init { seed: knowledge.seed, model: &model, device: observed.device() };
        Decoder::new(&observed.dims()[1..], knowledge.image, init)
    }

    /// One slice of what comes before the decoder's training. True once that may begin.
    fn prepare(&mut self) -> Result<bool> {
        if self.learner.busy() {
            self.learner.advance(&self.knowledge)?;
            return Ok(false);
        }
        let Stage::Asking(parts) = &mut self.stage else { return Ok(true) };
        let images = self.knowledge.auxiliary()?;
        let from = parts.count();
        if from < images.len() {
            let x = images.range(from..from + CHUNK)?;
            parts.push(self.learner.smash(&self.knowledge, &x, from)?);
        } else {
            self.stage = Stage::Decoding(Pairs { smashed: std::mem::take(parts), images: images.clone() });
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
        if self.settings.epochs > 0 {
            return self.settings.epochs * an_epoch;
        }
        let [epochs, steps] = PLANNED;
        let longer = if self.knowledge.defence.is_some() { self.settings.longer } else { 1 };
        longer * (epochs * an_epoch).max(steps)
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
        // Amid an epoch there is no order yet where the attack has gone on from a state.
        if within == 0 || self.order.is_empty() {
            self.adam.settings.rate = self.settings.adam.rate * 0.5f64.powi(self.halvings(epoch));
            let index = self.attempt << 32 | epoch as u64;
            self.order = self.knowledge.stream("order", index).permutation(self.trained_on());
        }
        let batch = self.order.chunks(self.settings.batch).nth(within).unwrap_or(&[]);
        let smashed = pairs.smashed.select(batch.iter().copied())?;
        self.loss = self.decoder.learn(&mut self.adam, &smashed, &pairs.images.batch(batch)?)?;
        if !self.loss.is_finite() {
            return Err(Error::Diverged(format!("inverse: the loss is {} at step {}", self.loss, self.step)));
        }
        self.losses.push(self.loss);
        self.step += 1;
        Ok(())
    }

    /// Mean squared errors on the images held out: of the decoder, of the mean image and of the class means, both of the
    /// images trained on.
    fn checked(&self) -> Result<Option<[f64; 3]>> {
        let Stage::Decoding(pairs) = &self.stage else { return Ok(None) };
        let (kept, images) = (self.trained_on(), &pairs.images);
        let truth = images.range(kept..images.len())?;
        let mean = mean_image(images, kept)?;
        let chunks = (kept..images.len()).step_by(CHUNK).map(|from| from..images.len().min(from + CHUNK));
        let drawn = chunks.flat_map(few_at_once).map(|few| {
            let z = pairs.smashed.select(few)?;
            Ok(self.decoder.forward(&z)?.detach())
        });
        let got = Tensor::cat(&drawn.collect::<Result<Vec<_>>>()?, 0)?;
        let error = |guess: &Tensor| -> Result<f64> {
            Ok(f64::from(guess.broadcast_sub(&truth)?.sqr()?.mean_all()?.to_scalar::<f32>()?))
        };
        Ok(Some([error(&got)?, error(&mean.broadcast_as(truth.shape())?)?, error(&class_means(images, kept)?)?]))
    }

    /// Whether the trained decoder beats the mean image on the images held out.
    fn beats_the_mean_image(&self) -> bool {
        self.check.is_none_or(|[decoder, mean, _]| decoder < mean)
    }
}

/// Parts a chunk into [`DRAWN`] images at a time. What is left over goes with the last of them: a handful alone takes
/// another way through the convolutions, and its last bits differ.
fn few_at_once(chunk: ops::Range<usize>) -> impl Iterator<Item = ops::Range<usize>> {
    let pieces = (chunk.len() / DRAWN).max(1);
    (0..pieces).map(move |piece| {
        let from = chunk.start + piece * DRAWN;
        from..if piece + 1 == pieces { chunk.end } else { from + DRAWN }
    })
}

impl Inversion for Inverse {
    /// Decoder, optimiser and place in the order. What the client makes of the auxiliary images is asked again.
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        self.learner.put_in(&mut state)?;
        let shared = self.decoder.parameters().iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        state.put_all("decoder.", shared.collect());
        state.put_all("adam.", self.adam.state()?);
        state.put_wholes("place", &[self.attempt as usize, self.step])?;
        state.put_reals("loss", &[self.loss])?;
        state.put_reals("losses", &self.losses)?;
        if let Some(check) = &self.check {
            state.put_reals("check", check)?;
        }
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.learner.load(state)?;
        self.decoder.parameters().load(&state.all("decoder."))?;
        self.adam.load(&state.all("adam."))?;
        let [attempt, step] = state.few("place", State::wholes)?;
        (self.attempt, self.step) = (attempt as u64, step);
        self.order.clear();
        [self.loss] = state.few("loss", State::reals)?;
        self.losses = state.reals("losses")?;
        self.check = if state.has("check") { Some(state.few("check", State::reals)?) } else { None };
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        if self.done() || !self.prepare()? {
            return Ok(());
        }
        self.train_step()?;
        if !self.done() {
            return Ok(());
        }
        self.check = self.checked()?;
        if self.attempt + 1 < ATTEMPTS && !self.beats_the_mean_image() {
            self.check = None;
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
        let check = self.check.map_or_else(|| self.checked(), |check| Ok(Some(check)))?;
        let Some([decoder, mean, class_mean]) = check else {
            return Ok(doubt_of(&self.losses, 1.0));
        };
        // With NaN on either side it is no better.
        let better = decoder < mean.min(class_mean);
        Ok(doubt_of(&self.losses, mean).or((!better).then_some(Doubt::NoBetterThanGuessing)))
    }

    fn outcome(&self) -> Result<Outcome> {
        Ok(Outcome::of_images(in_chunks(&self.observed, |z| self.decoder.forward(z))?.clamp(0.0, 1.0)?))
    }

    fn reconstruct(&self, other: &Smashed) -> Result<Option<Tensor>> {
        Ok(Some(in_chunks(other.tensor(), |z| self.decoder.forward(z))?.clamp(0.0, 1.0)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_parted_without_a_handful_at_its_end() {
        let parts = |chunk| few_at_once(chunk).collect::<Vec<_>>();
        assert_eq!(parts(5..133), [5..37, 37..69, 69..101, 101..133]);
        assert_eq!(parts(0..97), [0..32, 32..64, 64..97]);
        for few in [0..1, 0..31, 0..63] {
            assert_eq!(parts(few.clone()), [few]);
        }
    }
}
