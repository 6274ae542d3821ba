//! The simulator-decoder attack with adversarial regularisation: Zhu, Zheng & Luo (NDSS 2025), from the server's chair, which
//! stays honest.
//!
//! The attacker trains a simulator e of the client's architecture on images of its own, so that the server's layers, which
//! it knows and which learn with the victim, tell apart what e sends as they do what the victim sends; a discriminator
//! keeps e's numbers like the victim's. A decoder d learns d(e(x̄), ȳ) ≈ x̄ and then reads what the victim sends. All of
//! them are told what an image shows.
//!
//! It learns one iteration with each step of the training; the rest of them come after it, on what it kept of the last
//! steps.
//!
//! *Naive* against a defence: e sends what an undefended client would. *Adaptive*: through the attacker's imitation of the
//! defence, learnt on a copy of e.

mod after;
mod method;
mod networks;
mod settings;
mod step;

pub use settings::Settings;

use self::after::After;
use self::networks::{Discriminator, Simulator, TellingDecoder};
use self::step::{Victims, Workers};
use super::kind::{Kind, Looker, Make};
use super::stand_in::StandIn;
use super::threat_model::{Knows, Sees};
use super::{Evidence, Heard, Inversion, Knowledge, TrainingAttack};
use crate::error::{Error, Result};
use crate::model::decoder::Decoder;
use crate::model::network::Network;
use crate::model::wire::Crossing;
use crate::setting::{Plain, Setting, log, real, whole};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "sdar",
    title: "a simulated client",
    about: "A server that watches the training with its own weights at hand: it trains a client of its own beside the victim's, \
            and a decoder for both.",
    looker: Looker {
        words: "the server that watches the training",
        brief: "watching server",
        tip: "An honest server that simulates the client: it trains a copy of its own on similar images until its own layers \
              take both for the same, and learns to decode that.",
    },
    sees: &[Sees::Smashed, Sees::Labels, Sees::Training(Crossing::Smashed), Sees::TrainingLabels],
    knows: &[Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels],
    knows_adaptive: &[Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 32,
    images_help: "Test images to reconstruct; each takes one pass.",
    settings: &[
        Setting::new(
            "iterations",
            "Iterations",
            "iterations",
            whole(0, 1_000_000),
            "How often its networks learn: once with each training step, and the rest of them after the training on what it \
             kept of the last steps.",
        )
        .published(ZHU_2025, "20000")
        .default(Plain::Whole(1500)),
        Setting::new("rate", "Simulator's rate", "", log(1e-7, 1.0), "Adam's step size for the simulator.")
            .published(ZHU_2025, "1e-3")
            .default(Plain::Real(1e-3)),
        Setting::new("decoder_rate", "Decoder's rate", "", log(1e-7, 1.0), "Adam's step size for the decoder.")
            .published(ZHU_2025, "5e-4")
            .default(Plain::Real(5e-4)),
        Setting::new(
            "lambda1",
            "Weight of likeness on the wire",
            "",
            real(0.0, 100.0),
            "What it counts for the simulator that a discriminator takes its numbers for the victim's; the discriminator's \
             rate is the simulator's times this. 0 does without.",
        )
        .published(ZHU_2025, "0.02")
        .default(Plain::Real(0.02)),
        Setting::new(
            "lambda2",
            "Weight of likeness of images",
            "",
            real(0.0, 100.0),
            "What it counts for the decoder that a discriminator takes the stolen images for real ones; that one's rate is the \
             decoder's times this. 0 does without: the published value changes nothing measurable.",
        )
        .published(ZHU_2025, "1e-5")
        .default(Plain::Real(0.0)),
    ],
    // The networks with three moments each, and what is kept of the last steps.
    saves: |smashed, image, _| {
        3 * (Decoder::numbers(smashed, image) + 9 * 64 * (smashed[0] + 3 * 64)) + KEPT.max(64 * smashed.iter().product::<usize>())
    },
    least_images: (LEAST_IMAGES, "its simulator learns from"),
    learns: true,
    method: &[method::SECTION],
    quick: &[("iterations", Plain::Whole(600))],
    paper: &[("iterations", Plain::Whole(20000)), ("lambda2", Plain::Real(1e-5))],
    make: Make::Listening(|known, values| Ok(Box::new(Sdar::new(known, Settings::of(values)?)?))),
    ..Kind::BASE
};

/// The source of what is published of it: Zhu, Zheng & Luo, "Passive inference attacks on split learning via adversarial
/// regularization", NDSS 2025.
const ZHU_2025: &str = "Zhu 2025";
/// One to learn from and one to check itself on.
const LEAST_IMAGES: usize = 2;
/// Iterations after which it learns to imitate a defence, on what its simulator is then.
const STUDY: usize = 200;
/// Numbers of the victim's that it keeps for the iterations after the training.
const KEPT: usize = 1 << 22;

/// Share of the auxiliary images on which the attacker checks itself.
const HELD_OUT: f64 = 0.1;

/// Of so many images, how many it learns from; the others it checks itself on.
fn learnt_from(all: usize) -> usize {
    all - ((all as f64 * HELD_OUT) as usize).clamp(1, all.max(2) - 1)
}

/// The attack at work.
pub struct Sdar {
    knowledge: Knowledge,
    settings: Settings,
    workers: Option<Workers>,
    stand_in: Option<StandIn>,
    iteration: usize,
    /// What the victim sent last, batch by batch.
    kept: Vec<Victims>,
    /// The decoder's, of every iteration.
    losses: Vec<f64>,
}

impl Sdar {
    /// Of these settings.
    ///
    /// # Errors
    /// Returns an error if it has too few images.
    pub fn new(knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        if knowledge.auxiliary()?.len() < LEAST_IMAGES {
            return Err(Error::input("the attack sdar needs two auxiliary images or more: raise data.aux"));
        }
        let knowledge = knowledge.clone();
        let (workers, stand_in, kept, losses) = (None, None, Vec::new(), Vec::new());
        Ok(Self { knowledge, settings, workers, stand_in, iteration: 0, kept, losses })
    }

    fn ready(&mut self, smashed: &[usize]) -> Result<&mut Workers> {
        if self.workers.is_none() {
            self.workers = Some(Workers::new(&self.knowledge, self.settings, smashed)?);
        }
        self.workers.as_mut().ok_or_else(|| Error::Internal("sdar without networks".to_owned()))
    }

    /// A slice of learning to imitate the defence; true while it is at that.
    fn studies(&mut self) -> Result<bool> {
        let Some(workers) = &self.workers else { return Ok(false) };
        if self.knowledge.defence.is_none() || self.iteration < STUDY {
            return Ok(false);
        }
        let stand_in = if let Some(stand_in) = &mut self.stand_in {
            stand_in
        } else {
            let simulator = &workers.simulator;
            let weights = simulator.parameters.snapshot()?;
            self.stand_in.insert(StandIn::new(&self.knowledge, weights, |weights| simulator.of(weights))?)
        };
        let busy = stand_in.busy();
        if busy {
            stand_in.advance()?;
        }
        Ok(busy)
    }

    /// One iteration against what the victim sent, with the server's layers as they are by now; or a slice of study.
    fn work(&mut self, victims: &Victims, server: &Network) -> Result<()> {
        self.ready(&victims.smashed.dims()[1..])?;
        if self.studies()? {
            return Ok(());
        }
        let Some(workers) = &mut self.workers else { return Ok(()) };
        let loss = workers.iterate(&self.knowledge, self.stand_in.as_ref(), victims, server, self.iteration)?;
        self.losses.push(loss);
        self.iteration += 1;
        Ok(())
    }

    fn keep(&mut self, victims: Victims) {
        self.kept.push(victims);
        let numbers = |kept: &[Victims]| kept.iter().map(|one| one.smashed.elem_count()).sum::<usize>();
        while self.kept.len() > 1 && numbers(&self.kept) > KEPT {
            self.kept.remove(0);
        }
    }
}

impl TrainingAttack for Sdar {
    fn hear(&mut self, step: &Heard) -> Result<()> {
        let smashed = step.crossed(Crossing::Smashed)?.clone();
        let victims = Victims { smashed, labels: step.labels()?.to_vec1()? };
        if self.iteration < self.settings.iterations {
            self.work(&victims, step.server()?)?;
        }
        self.keep(victims);
        Ok(())
    }

    fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.put_reals("losses", &self.losses)?;
        state.put_wholes("place", &[self.iteration, self.kept.len()])?;
        for (i, victims) in self.kept.iter().enumerate() {
            state.put(&format!("kept.{i}"), &victims.smashed);
            state.put_wholes(
                &format!("labels.{i}"),
                &victims.labels.iter().map(|label| *label as usize).collect::<Vec<_>>(),
            )?;
        }
        if let Some(workers) = &self.workers {
            workers.put_in(&mut state)?;
        }
        if let Some(stand_in) = &self.stand_in {
            state.put_all("stand_in.", stand_in.state()?.tensors().clone());
        }
        Ok(state)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.losses = state.reals("losses")?;
        let [iteration, kept] = state.few("place", State::wholes)?;
        self.iteration = iteration;
        let device = self.knowledge.auxiliary()?.range(0..1)?.device().clone();
        let victims = |i: usize| -> Result<Victims> {
            let labels = state.wholes(&format!("labels.{i}"))?.into_iter().map(|label| label as u32).collect();
            Ok(Victims { smashed: state.tensor(&format!("kept.{i}"))?.to_device(&device)?, labels })
        };
        self.kept = (0..kept).map(victims).collect::<Result<_>>()?;
        self.workers = Workers::of_state(&self.knowledge, self.settings, state)?;
        let stand_in = state.part("stand_in.");
        if let Some(workers) = self.workers.as_ref().filter(|_| !stand_in.tensors().is_empty()) {
            let simulator = &workers.simulator;
            self.stand_in = Some(StandIn::of_state(&self.knowledge, &stand_in, |weights| simulator.of(weights))?);
        }
        Ok(())
    }

    fn attack(&self, seen: &Evidence, known: &Knowledge) -> Result<Box<dyn Inversion>> {
        let mut own = Self::new(&self.knowledge, self.settings)?;
        own.load(&self.state()?)?;
        Ok(Box::new(After::new(own, seen, known)?))
    }
}

#[cfg(test)]
mod tests;
