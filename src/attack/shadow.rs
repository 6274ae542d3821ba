//! The query-free attack with a shadow client: He, Zhang & Lee, "Model inversion attacks against collaborative inference"
//! (ACSAC 2019), section 6.
//!
//! Somebody with the server's weights cannot ask the client and does not know its weights. It trains a client of its own in
//! front of the server, whose weights stay as they are, until the two together know its labelled images:
//! f′ = argmin CE(g(f′(x_i)), y_i). Then it searches for the image with rMLE as if f′ were the client. How far that gets
//! depends on how near f′ came to f: many clients serve a server equally well.
//!
//! *Naive* against a defence: as if the client had none. *Adaptive*: what f′ sends goes through what the defence does on the
//! wire, in its training and in the search. A disguise of images is not searched for: with f′ in place of f the search
//! explains by it what is wrong with f′.

mod method;
mod moments;
#[cfg(test)]
mod tests;

use candle_core::Tensor;
use moments::Moments;

use super::kind::{HE_2019, Kind, Looker, Make, Published, Values};
use super::rmle::{self, Rmle};
use super::threat_model::{Knows, Sees};
use super::{Doubt, Evidence, Inversion, Knowledge, Outcome, doubt_of};
use crate::defence::imitation::index_tensor;
use crate::engine::loss::cross_entropy;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::setting::{Plain, Setting, log, whole};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "shadow",
    title: "a shadow client",
    about: "A shadow client: the server trains a client of its own in front of its layers, and searches for the image that \
            this one would send so.",
    looker: Looker {
        words: "the server, with similar images and their labels",
        brief: "a server that may not ask",
        tip: "It can neither ask the client nor see its weights. It trains a client of its own in front of the server's layers, \
              and looks for the image with that.",
    },
    sees: &[Sees::Smashed],
    knows: &[Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels],
    knows_adaptive: &[Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 32,
    images_help: "Test images to reconstruct; the shadow client is trained once for all of them.",
    settings: &[
        Setting::new(
            "steps",
            "Shadow's steps",
            "steps",
            whole(1, 1_000_000),
            "Steps of the shadow client's training, of 32 of the attacker's own images each.",
        )
        .default(Plain::Whole(1000)),
        Setting::new("iterations", "Iterations", "iterations", whole(1, 100_000), "Steps of Adam on the image.")
            .published(HE_2019, "500")
            .default(Plain::Whole(500)),
        Setting::new("rate", "Rate", "", log(1e-7, 10.0), "Adam's step size, in units of the pixel range.")
            .published(HE_2019, "0.1")
            .default(Plain::Real(0.1)),
        Setting::new(
            "tv",
            "Smoothness λ",
            "",
            log(0.0, 1000.0),
            "Weight of the total variation. The shadow client is not the client, so it wants more than rMLE does.",
        )
        .published(HE_2019, "2")
        .default(Plain::Real(TV)),
        Setting::new(
            "moments",
            "Match the wire",
            "",
            log(0.0, 1000.0),
            "How much the shadow client's training counts that the numbers it sends are on average as those on the wire, \
             channel by channel and place by place; 0 goes by the labels alone.",
        )
        .published(HE_2019, "0")
        .since(8, Plain::Real(0.0))
        .default(Plain::Real(MOMENTS)),
    ],
    published: &[
        Published::he("MNIST, LeNet-5 cut at conv1", 21.53, 0.912),
        Published::he("MNIST, LeNet-5 cut at ReLU2", 9.27, 0.465),
    ],
    method: &[method::SECTION],
    least_images: (1, "its shadow client learns from"),
    // The search's; the shadow client is no larger than the victim's.
    saves: rmle::KIND.saves,
    quick: &[("steps", Plain::Whole(400)), ("iterations", Plain::Whole(200))],
    paper: &[("tv", Plain::Real(2.0)), ("moments", Plain::Real(0.0))],
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Shadow::new(seen, known, Settings::of(values)?)?))),
    watched: |values, _| {
        let mut watched = values.clone();
        for (key, most) in [("steps", 300), ("iterations", 300)] {
            watched.put(key, toml::Value::Integer(values.whole(key)?.min(most) as i64))?;
        }
        Ok(watched)
    },
    ..Kind::BASE
};

/// The default weight of smoothness.
const TV: f64 = 0.1;
/// The default weight of the wire's moments.
const MOMENTS: f64 = 10.0;
/// Images in one step of the shadow client, and its rate.
const BATCH: usize = 32;
const RATE: f64 = 1e-3;

/// How long and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Steps of the shadow client's training.
    pub steps: usize,
    /// What the moments of the wire count in it.
    pub moments: f64,
    /// What the search does then.
    pub search: rmle::Settings,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        let adam = AdamSettings { amsgrad: true, ..AdamSettings::new(values.real("rate")?) };
        let (iterations, tv) = (values.whole("iterations")?, values.real("tv")?);
        Ok(Self {
            steps: values.whole("steps")?,
            moments: values.real("moments")?,
            search: rmle::Settings { iterations, adam, tv, boxed: true, rehearse: false, settled: 0.0 },
        })
    }
}

/// A running attack with a shadow client.
pub struct Shadow {
    settings: Settings,
    evidence: Evidence,
    knowledge: Knowledge,
    /// Of the wire.
    moments: Moments,
    parameters: Parameters,
    /// The shadow client in training.
    client: Network,
    adam: Adam,
    order: Vec<usize>,
    /// Of every step of its training.
    losses: Vec<f64>,
    /// The search, once that is over.
    search: Option<Rmle>,
}

impl Shadow {
    /// An attack on every observed sample.
    ///
    /// # Errors
    /// Returns an error if the server's weights or labelled images are not known.
    pub fn new(evidence: &Evidence, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        let (knowledge, seen) = (knowledge.undisguised(), evidence.smashed()?.tensor());
        let device = seen.device().clone();
        knowledge.server()?;
        knowledge.auxiliary()?.labels()?;
        let (mut parameters, model) = (Parameters::default(), format!("attack.{}", knowledge.name));
        let init = Init { seed: knowledge.seed, model: &model, device: &device };
        let input = (knowledge.entry.shape)(knowledge.image);
        Network::init("shadow", &input, &knowledge.layers, &mut parameters, init)?;
        Ok(Self {
            client: Network::of("shadow", &knowledge.layers, &parameters)?,
            adam: Adam::new(&parameters, AdamSettings::new(RATE)),
            moments: Moments::of(seen)?,
            parameters,
            settings,
            evidence: evidence.clone(),
            knowledge,
            order: Vec::new(),
            losses: Vec::new(),
            search: None,
        })
    }

    /// One step of the shadow client in front of the server.
    fn learn(&mut self) -> Result<()> {
        let (step, own) = (self.losses.len(), self.knowledge.auxiliary()?);
        let an_epoch = own.len().div_ceil(BATCH);
        let (epoch, within) = (step / an_epoch, step % an_epoch);
        // Amid an epoch there is no order yet where the attack has gone on from a state.
        if within == 0 || self.order.is_empty() {
            self.order = self.knowledge.stream("order", epoch as u64).permutation(own.len());
        }
        let batch = self.order.chunks(BATCH).nth(within).unwrap_or(&[]);
        let images = own.batch(batch)?;
        let labels = own.label_tensor()?.index_select(&index_tensor(batch, images.device())?, 0)?;
        let mut tape = Tape::default();
        let loss = tape.record(|| -> Result<Tensor> {
            let sent = self.client.forward(&(self.knowledge.entry.enter)(&images, None)?)?;
            let sent = self.knowledge.defence.as_ref().map_or(Ok(sent.clone()), |defence| defence.up(sent))?;
            let labelled = cross_entropy(&self.knowledge.server()?.forward(&sent)?, &labels)?;
            if self.settings.moments == 0.0 {
                return Ok(labelled);
            }
            Ok((labelled + (Moments::of(&sent)?.apart(&self.moments)? * self.settings.moments)?)?)
        })?;
        let number = f64::from(loss.to_scalar::<f32>()?);
        if !number.is_finite() {
            return Err(Error::Diverged(format!("shadow: the loss is {number} at step {step}")));
        }
        self.losses.push(number);
        self.adam.step(&tape.backward(&loss)?)?;
        Ok(tape.settle()?)
    }

    /// The search, with the shadow client in the client's place.
    fn begin(&self) -> Result<Rmle> {
        let knowledge = Knowledge { client: Some(self.client.snapshot()?), ..self.knowledge.clone() };
        Rmle::new(&self.evidence, &knowledge, self.settings.search)
    }
}

impl Inversion for Shadow {
    /// Shadow client, optimiser and search.
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        let shared = self.parameters.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        state.put_all("shadow.", shared.collect());
        state.put_all("adam.", self.adam.state()?);
        state.put_reals("losses", &self.losses)?;
        if let Some(search) = &self.search {
            state.put_all("search.", search.state()?.unwrap_or_default().tensors().clone());
        }
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.losses = state.reals("losses")?;
        self.parameters.load(&state.all("shadow."))?;
        self.adam.load(&state.all("adam."))?;
        self.order.clear();
        let search = state.part("search.");
        if !search.tensors().is_empty() {
            let mut begun = self.begin()?;
            begun.load(&search)?;
            self.search = Some(begun);
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        if self.losses.len() < self.settings.steps {
            return self.learn();
        }
        if let Some(search) = &mut self.search {
            return search.advance();
        }
        self.search = Some(self.begin()?);
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        let (done, planned) = self.search.as_ref().map_or((0, self.settings.search.iterations), Inversion::progress);
        (self.losses.len() + done, self.settings.steps + planned)
    }

    /// The shadow client's cross-entropy, then the search's.
    fn loss(&self) -> f64 {
        let last = || self.losses.last().copied().unwrap_or(f64::NAN);
        self.search.as_ref().map(Inversion::loss).filter(|loss| loss.is_finite()).unwrap_or_else(last)
    }

    /// It cannot find out how near its client came to the victim's, for it may not ask that one.
    fn doubt(&self) -> Result<Option<Doubt>> {
        let learnt = doubt_of(&self.losses, (self.knowledge.classes as f64).ln());
        let searched = self.search.as_ref().map_or(Ok(None), Inversion::doubt)?;
        Ok(learnt.or(searched))
    }

    /// Grey while the shadow client learns.
    fn outcome(&self) -> Result<Outcome> {
        match &self.search {
            Some(search) => search.outcome(),
            None => self.begin()?.outcome(),
        }
    }
}
