//! The feature-space hijacking attack: Pasquini, Ateniese & Bernaschi (CCS 2021), with the server's chair.
//!
//! The attacker trains a pilot f̃ and a decoder d on images of its own, so that d(f̃(x̄)) ≈ x̄, and a critic D that tells
//! f̃(x̄) from what the victim sends. The victim's client gets ∂ mean D(f(x))/∂z in place of its task's gradient, and so
//! learns to send what the pilot would; then d decodes its images too. No label is used.
//!
//! *Naive* against a defence: the pilot sends what an undefended client would. *Adaptive*: through what the defence does on
//! the wire. A disguise of images is not imitated: to the hijacker it is part of what it trains the client to do.

mod checks;
mod decoded;
mod method;
mod networks;
mod settings;
pub mod step;

use candle_core::Tensor;

pub use settings::Settings;

use self::decoded::{Decoded, decoded};
use self::networks::{Part, Pilot, critic};
use self::step::{Scale, autoencode, judge};
use super::kind::{Kind, Looker, Make};
use super::stand_in::StandIn;
use super::threat_model::{Knows, Sees};
use super::{Evidence, Heard, Inversion, Knowledge, TrainingAttack};
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::decoder::Decoder;
use crate::model::parameters::{Init, Parameters};
use crate::model::spec::LayerSpec::{Relu, Sigmoid, Tanh};
use crate::model::wire::Crossing;
use crate::random::Stream;
use crate::setting::{Kind as Range, Plain, Setting, log, real, whole};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "fsha",
    title: "a hijacked training",
    about: "A server that trains the client for itself: it makes the client send what a network of its own would, which it \
            can decode.",
    looker: Looker {
        words: "a malicious server",
        brief: "malicious server",
        tip: "Feature-space hijacking: the server sends back gradients that train the client to be read. That takes a \
              training of its own; then every image is read at once.",
    },
    sees: &[Sees::Smashed, Sees::Training(Crossing::Smashed)],
    knows: &[Knows::Auxiliary],
    knows_adaptive: &[Knows::Auxiliary, Knows::Defence],
    images: 32,
    images_help: "Test images to reconstruct; each takes one pass.",
    settings: &[
        Setting::new(
            "steps",
            "Training steps",
            "steps",
            whole(0, 1_000_000),
            "How long the hijacked model trains, in steps, at the end of a run; 0 as long as the run did. The server decides \
             when a training is over.",
        )
        .published(PASQUINI_2021, "10000")
        .default(Plain::Whole(1500)),
        Setting::new(
            "warm_up",
            "Honest steps at first",
            "steps",
            whole(0, 1_000_000),
            "Steps in which the server stays honest, while pilot and decoder learn by themselves.",
        )
        .published(PASQUINI_2021, "0")
        .default(Plain::Whole(200)),
        Setting::new(
            "width",
            "Width of its networks",
            "channels",
            whole(1, 1024),
            "Channels after the pilot's first layer; the critic has four times as many, the decoder four and two.",
        )
        .published(PASQUINI_2021, "64")
        .default(Plain::Whole(16)),
        Setting::new("rate", "Pilot's rate", "", log(1e-7, 1.0), "Adam's step size for pilot and decoder.")
            .published(PASQUINI_2021, "1e-5")
            .default(Plain::Real(1e-3)),
        Setting::new("critic_rate", "Critic's rate", "", log(1e-7, 1.0), "Adam's step size for the critic.")
            .published(PASQUINI_2021, "1e-4")
            .default(Plain::Real(1e-3)),
        Setting::new(
            "penalty",
            "Gradient penalty",
            "",
            real(0.0, 1e6),
            "What it counts in the critic's loss that the critic's slopes are not 1.",
        )
        .published(PASQUINI_2021, "500")
        .default(Plain::Real(500.0)),
        Setting::new(
            "wasserstein",
            "Wasserstein critic",
            "",
            Range::Switch,
            "The critic's scores are compared by their means; otherwise they are the odds of being the attacker's own.",
        )
        .published(PASQUINI_2021, "on")
        .default(Plain::Switch(true)),
        Setting::new(
            "brake",
            "Brake",
            "times",
            real(0.0, 1e6),
            "How many times as large as usual the first gradient is that it sends: a client that trains by Adam takes smaller \
             steps for long afterwards. 0 does without, which suits stochastic gradient descent.",
        )
        .published(PASQUINI_2021, "0")
        .default(Plain::Real(30.0)),
        Setting::new(
            "tanh",
            "Tanh at the decoder's end",
            "",
            Range::Switch,
            "With it the decoder cannot leave the range of images, and learns more slowly to leave black.",
        )
        .published(PASQUINI_2021, "on")
        .default(Plain::Switch(false)),
    ],
    least_images: (LEAST_IMAGES, "its pilot learns from"),
    learns: true,
    // Three networks with three moments each; the critic's layers are the most of it.
    saves: |smashed, image, _| 3 * (2 * Decoder::numbers(smashed, image) + 9 * 64 * (smashed[0] + 64 * 14)),
    steps: |values| Ok(Some(values.whole("steps")?).filter(|steps| *steps > 0)),
    method: &[method::SECTION],
    quick: &[("steps", Plain::Whole(300)), ("warm_up", Plain::Whole(100))],
    paper: &[("steps", Plain::Whole(10000)), ("width", Plain::Whole(64)), ("rate", Plain::Real(1e-5)), ("critic_rate", Plain::Real(1e-4)), ("brake", Plain::Real(0.0)), ("warm_up", Plain::Whole(0)), ("tanh", Plain::Switch(true))],
    make: Make::InTheChair(|known, values| Ok(Box::new(Fsha::new(known, Settings::of(values)?)?))),
    ..Kind::BASE
};

/// The source of what is published of it: Pasquini, Ateniese & Bernaschi, "Unleashing the tiger: inference attacks on split
/// learning", CCS 2021.
const PASQUINI_2021: &str = "Pasquini 2021";
/// One to learn from and one to check itself on.
const LEAST_IMAGES: usize = 2;
/// Share of the auxiliary images on which the attacker checks itself.
const HELD_OUT: f64 = 0.1;
/// Steps after which it learns to imitate a defence, on what its pilot is then.
const STUDY: usize = 100;

/// The attack at work.
pub struct Fsha {
    knowledge: Knowledge,
    settings: Settings,
    made: Option<Made>,
    stand_in: Option<StandIn>,
    iteration: usize,
    /// The decoder's, of every iteration.
    losses: Vec<f64>,
}

/// Its networks, once it knows what crosses.
struct Made {
    smashed: Vec<usize>,
    /// Root mean square of what the victim sends when its training is taken over: numbers of the pilot's are in this unit.
    unit: f64,
    pilot: Pilot,
    decoder: Decoder,
    critic: Part,
    /// Trains pilot and decoder.
    own: Adam,
    /// Trains the critic.
    judge: Adam,
}

impl Fsha {
    /// Of these settings.
    ///
    /// # Errors
    /// Returns an error if it has too few images.
    pub fn new(knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        if knowledge.auxiliary()?.len() < LEAST_IMAGES {
            return Err(Error::input("the attack fsha needs two auxiliary images or more: raise data.aux"));
        }
        let knowledge = knowledge.undisguised();
        Ok(Self { knowledge, settings, made: None, stand_in: None, iteration: 0, losses: Vec::new() })
    }

    /// The networks for smashed data of this shape, without the batch.
    fn networks(&self, smashed: &[usize]) -> Result<Made> {
        let Knowledge { image, entry, seed, .. } = self.knowledge;
        let first = self.knowledge.auxiliary()?.range(0..1)?;
        let init = Init { seed, model: &self.knowledge.name, device: first.device() };
        let ending = self.knowledge.layers.last().filter(|layer| matches!(layer, Relu | Sigmoid | Tanh));
        let pilot = Pilot::new((entry.shape)(image), smashed, self.settings.width, ending, init)?;
        let width = self.settings.width;
        let decoder = Decoder::of_widths([4 * width, 2 * width], smashed, image, init)?;
        decoder.parameters().draw_as_glorot(init)?;
        let critic = critic(smashed, self.settings.width, init)?;
        let named = |prefix: &'static str, of: &Parameters| {
            of.trained().map(|(name, var)| (format!("{prefix}{name}"), var.clone())).collect::<Vec<_>>()
        };
        let both = [named("", &pilot.part.parameters), named("decoder.", decoder.parameters())].concat();
        let own = Adam::of(both, AdamSettings::new(self.settings.rate));
        let judge = Adam::new(&critic.parameters, AdamSettings::new(self.settings.critic_rate));
        Ok(Made { smashed: smashed.to_vec(), unit: 1.0, pilot, decoder, critic, own, judge })
    }

    /// How many auxiliary images it learns from; the others it checks itself on.
    fn learnt_from(&self) -> Result<usize> {
        let all = self.knowledge.auxiliary()?.len();
        Ok(all - ((all as f64 * HELD_OUT) as usize).clamp(1, all - 1))
    }

    /// Begins to learn to imitate the defence, or goes on with it; true while it is at that.
    fn studies(&mut self) -> Result<bool> {
        if self.knowledge.defence.is_none() || self.iteration < STUDY {
            return Ok(false);
        }
        let Some(Made { pilot, .. }) = &self.made else { return Ok(false) };
        let stand_in = if let Some(stand_in) = &mut self.stand_in {
            stand_in
        } else {
            let weights = pilot.part.parameters.snapshot()?;
            self.stand_in.insert(StandIn::new(&self.knowledge, weights, |weights| pilot.of(weights))?)
        };
        let busy = stand_in.busy();
        if busy {
            stand_in.advance()?;
        }
        Ok(busy)
    }

    /// Pilot and decoder learn from as many of the attacker's images as the victim has in a step. What the pilot sent.
    fn learn(&mut self, n: usize, stream: &mut Stream) -> Result<Tensor> {
        let kept = self.learnt_from()?;
        let rows: Vec<usize> = (0..n).map(|_| stream.below(kept)).collect();
        let (x, stand_in, at) = (self.knowledge.auxiliary()?.batch(&rows)?, self.stand_in.as_ref(), self.iteration);
        let input = stand_in.map_or_else(|| (self.knowledge.entry.enter)(&x, None), |one| one.input(&x, &rows, at))?;
        let made = self.made.as_mut().ok_or_else(|| Error::Internal("fsha without networks".to_owned()))?;
        let (sent, loss, gradients) = autoencode(&x.affine(2.0, -1.0)?, self.settings.tanh, || {
            let z = made.pilot.forward(&input)?;
            let z = stand_in.map_or(Ok(z.clone()), |one| one.up(&z, &rows, at))?;
            let y = made.decoder.forward(&z)?;
            Ok((z, y))
        })?;
        if !loss.is_finite() {
            return Err(Error::Diverged(format!("fsha: the decoder's loss is {loss} at step {at}")));
        }
        made.own.step(&gradients)?;
        self.losses.push(loss);
        Ok(sent)
    }

    /// What goes down in place of the honest gradient once the victim's client has sent `z` (N, …); the honest one where it
    /// says nothing: while its pilot warms up, and while it learns to imitate a defence.
    ///
    /// # Errors
    /// Returns an error if a loss is not finite.
    pub fn respond(&mut self, z: &Tensor) -> Result<Option<Tensor>> {
        if self.made.is_none() {
            self.made = Some(self.networks(&z.dims()[1..])?);
        }
        if self.studies()? {
            return Ok(None);
        }
        let warm_up = self.settings.warm_up;
        let down = if self.iteration < warm_up {
            let mut stream = self.knowledge.stream("batch", self.iteration as u64);
            self.learn(z.dim(0)?, &mut stream)?;
            None
        } else {
            if let Some(made) = self.made.as_mut().filter(|_| self.iteration == warm_up) {
                made.unit = f64::from(z.sqr()?.mean_all()?.to_scalar::<f32>()?).sqrt().max(1e-6);
            }
            Some(self.iterate(z)?)
        };
        self.iteration += 1;
        Ok(down)
    }

    /// One iteration: what goes down for the victim's `z`.
    fn iterate(&mut self, z: &Tensor) -> Result<Tensor> {
        let n = z.dim(0)?;
        let mut stream = self.knowledge.stream("batch", self.iteration as u64);
        let own = self.learn(n, &mut stream)?;
        let mut sides = vec![1; z.rank()];
        sides[0] = n;
        let epsilon = stream.uniform_tensor(0.0, 1.0, sides, z.device())?;
        let Settings { wasserstein, penalty, warm_up, brake, .. } = self.settings;
        let scale = if wasserstein { Scale::Means } else { Scale::Logits };
        let made = self.made.as_mut().ok_or_else(|| Error::Internal("fsha without networks".to_owned()))?;
        let critic = (&made.critic.network, &made.critic.parameters);
        let judged = judge(critic, scale, &(z / made.unit)?, &own, &epsilon, penalty)?;
        if !judged.critic.is_finite() {
            return Err(Error::Diverged(format!(
                "fsha: the critic's loss is {} at step {}",
                judged.critic, self.iteration
            )));
        }
        made.judge.step(&judged.gradients)?;
        if brake > 0.0 && self.iteration == warm_up {
            return Ok((braking(z, brake)? / made.unit)?);
        }
        Ok((judged.cut_gradient / made.unit)?)
    }
}

/// A gradient like `z` (N, …) that asks for larger numbers everywhere, `times` as large as one is once the critic's slopes
/// are 1 in each channel. Adam divides by the root of a mean of squares over a thousand steps, in which this one stays the
/// largest; that all of it points one way makes it reach every weight.
fn braking(z: &Tensor, times: f64) -> Result<Tensor> {
    let (n, channels) = (z.dim(0)? as f64, if z.rank() > 2 { z.dim(1)? as f64 } else { 1.0 });
    // Each of n samples has a slope of √channels, and counts one n-th.
    let usual = (channels / n).sqrt();
    Ok((z.ones_like()? * (-times * usual / (z.elem_count() as f64).sqrt()))?)
}

impl TrainingAttack for Fsha {
    fn hear(&mut self, _step: &Heard) -> Result<()> {
        Ok(())
    }

    fn answer(&mut self, step: &Heard) -> Result<Option<Tensor>> {
        self.respond(step.crossed(Crossing::Smashed)?)
    }

    fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.put_reals("losses", &self.losses)?;
        state.put_wholes("iteration", &[self.iteration])?;
        let Some(made) = &self.made else { return Ok(state) };
        state.put_wholes("smashed", &made.smashed)?;
        state.put_reals("unit", &[made.unit])?;
        for parameters in [&made.pilot.part.parameters, &made.critic.parameters, made.decoder.parameters()] {
            let shared = parameters.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
            state.put_all("weights.", shared.collect());
        }
        state.put_all("own.", made.own.state()?);
        state.put_all("judge.", made.judge.state()?);
        if let Some(stand_in) = &self.stand_in {
            state.put_all("stand_in.", stand_in.state()?.tensors().clone());
        }
        Ok(state)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.losses = state.reals("losses")?;
        [self.iteration] = state.few("iteration", State::wholes)?;
        if !state.has("smashed") {
            return Ok(());
        }
        let mut made = self.networks(&state.wholes("smashed")?)?;
        [made.unit] = state.few("unit", State::reals)?;
        let weights = state.all("weights.");
        for parameters in [&made.pilot.part.parameters, &made.critic.parameters, made.decoder.parameters()] {
            parameters.load(&weights)?;
        }
        made.own.load(&state.all("own."))?;
        made.judge.load(&state.all("judge."))?;
        let stand_in = state.part("stand_in.");
        if !stand_in.tensors().is_empty() {
            let pilot = &made.pilot;
            self.stand_in = Some(StandIn::of_state(&self.knowledge, &stand_in, |weights| pilot.of(weights))?);
        }
        self.made = Some(made);
        Ok(())
    }

    fn attack(&self, seen: &Evidence, _known: &Knowledge) -> Result<Box<dyn Inversion>> {
        let observed = seen.smashed()?.tensor();
        let fresh;
        let made = if let Some(made) = &self.made {
            made
        } else {
            fresh = self.networks(&observed.dims()[1..])?;
            &fresh
        };
        let doubt = self.doubt(made, observed)?;
        let copy = self.networks(&made.smashed)?.decoder;
        copy.parameters().load(&made.decoder.parameters().snapshot()?)?;
        let (tanh, unit, observed, loss) = (self.settings.tanh, made.unit, observed.clone(), self.loss());
        Ok(Box::new(Decoded { decoder: copy, tanh, unit, observed, images: None, loss, doubt }))
    }
}

#[cfg(test)]
mod tests;
