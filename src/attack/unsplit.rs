//! UnSplit: Erdoğan, Küpçü & Çiçek (WPES 2022), who know the architecture and nothing else.
//!
//! For each target an image x and a clone f̃ of the client with fresh weights are searched in turn:
//! x ← argmin mean (f̃(x) − z)² + λ TV²(x) + mean x², then f̃ ← argmin mean (f̃(x) − z)².
//!
//! *Naive* against a defence: through a clone of an undefended client. *Adaptive*: through the defence as it is known, with
//! what it adds to an image, such as a map, searched beside that.

mod labels;
mod method;
mod settings;

use candle_core::{Tensor, Var};

pub use labels::{CloneHead, Seen, by_feature_gradient, by_weight_gradient};
pub use settings::Settings;

use super::kind::{Kind, Looker, Make, SETTLED};
use super::rmle::objective;
use super::threat_model::{Knows, Sees};
use super::{Doubt, Evidence, Inversion, Knowledge, Outcome, doubt_of, settled};
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::setting::{Plain, Setting, log, real, whole};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "unsplit",
    title: "UnSplit",
    about: "It knows the layers and no weights: it searches for an image and for a client's weights in turn, until they give \
            the numbers that were seen.",
    looker: Looker {
        words: "somebody who knows the architecture",
        brief: "architecture alone",
        tip: "UnSplit searches for the image and for the client's weights in turn. Near the first layers that is enough.",
    },
    sees: &[Sees::Smashed],
    knows: &[],
    knows_adaptive: &[Knows::Defence],
    images: 4,
    images_help: "Test images to reconstruct; each takes a search of its own.",
    settings: &[
        Setting::new(
            "rounds",
            "Rounds",
            "rounds",
            whole(0, 100_000),
            "How often image and clone take turns. The first fifty or so give most of what there is.",
        )
        .published(ERDOGAN_2022, "1000")
        .default(Plain::Whole(40)),
        Setting::new(
            "steps",
            "Steps of a turn",
            "steps",
            whole(1, 100_000),
            "Steps on the image, and then as many on the clone.",
        )
        .published(ERDOGAN_2022, "100")
        .default(Plain::Whole(100)),
        Setting::new("rate", "Rate", "", log(1e-7, 1.0), "Adam's step size, with AMSGrad, for image and clone.")
            .published(ERDOGAN_2022, "1e-3")
            .default(Plain::Real(1e-3)),
        Setting::new("tv", "Smoothness", "", real(0.0, 100.0), "What total variation counts in the image's loss.")
            .published(ERDOGAN_2022, "0.1")
            .default(Plain::Real(0.1)),
        Setting::new(
            "darkness",
            "Darkness",
            "",
            real(0.0, 100.0),
            "What the mean square of the pixels counts in the image's loss: a large weight draws all of them to black.",
        )
        .published(ERDOGAN_2022, "1")
        .default(Plain::Real(0.1)),
        SETTLED,
    ],
    // The clone is as large as the client, whose first layers are small.
    saves: |smashed, image, targets| targets * image.iter().product::<usize>() + 4 * 9 * smashed[0] * smashed[0],
    watched: |values, _| {
        let mut watched = values.clone();
        watched.put("rounds", toml::Value::Integer(values.whole("rounds")?.min(WATCHED_ROUNDS) as i64))?;
        Ok(watched)
    },
    method: &[method::SECTION],
    quick: &[("images", Plain::Whole(2)), ("rounds", Plain::Whole(10))],
    paper: &[("rounds", Plain::Whole(1000))],
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(UnSplit::new(seen, known, Settings::of(values)?)?))),
    ..Kind::BASE
};

/// The source of what is published of it: Erdoğan, Küpçü & Çiçek, "UnSplit: data-oblivious model inversion, model stealing, and
/// label inference attacks against split learning", WPES 2022.
const ERDOGAN_2022: &str = "Erdogan 2022";
/// Nobody waits for more.
const WATCHED_ROUNDS: usize = 10;
/// What the search for a pixel begins with.
const GREY: f64 = 0.5;
/// Steps of one slice.
const SLICE: usize = 4;

/// A running UnSplit attack.
pub struct UnSplit {
    knowledge: Knowledge,
    settings: Settings,
    /// (N, …).
    target: Tensor,
    search: Search,
    /// Of the targets before the one at work (1, C, H, W) each.
    finished: Vec<Tensor>,
    doubt: Option<Doubt>,
}

/// The search for one target's image.
struct Search {
    /// Which of the targets it is.
    index: usize,
    image: Var,
    /// What is searched beside it, where the defence has something unknown.
    unknown: Option<Var>,
    clone: Network,
    parameters: Parameters,
    /// Of the image, and of the clone.
    adam: [Adam; 2],
    step: usize,
    /// Of the image's steps.
    losses: Vec<f64>,
}

/// The image's loss: mean (f̃(x) − z)² + `tv` · TV²(x) + `darkness` · mean x², a scalar.
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn image_loss(features: &Tensor, z: &Tensor, image: &Tensor, [tv, darkness]: [f64; 2]) -> Result<Tensor> {
    Ok((objective(features, z, image, tv)? + (image.sqr()?.mean_all()? * darkness)?)?)
}

impl UnSplit {
    /// An attack on every observed sample, each by itself.
    ///
    /// # Errors
    /// Returns an error if the smashed data are not seen.
    pub fn new(evidence: &Evidence, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        let target = evidence.smashed()?.tensor().clone();
        let search = Search::new(knowledge, settings, 0, &target)?;
        let (knowledge, finished, doubt) = (knowledge.clone(), Vec::new(), None);
        Ok(Self { knowledge, settings, target, search, finished, doubt })
    }

    fn steps_an_image(&self) -> usize {
        2 * self.settings.rounds * self.settings.steps
    }

    fn step(&mut self) -> Result<()> {
        let z = self.target.narrow(0, self.search.index, 1)?.contiguous()?;
        let loss = self.search.step(&self.knowledge, self.settings, &z)?;
        if !loss.is_finite() {
            return Err(Error::Diverged(format!("unsplit: the loss is {loss} at step {}", self.search.step)));
        }
        if settled(&self.search.losses, self.settings.settled) {
            self.search.step = self.steps_an_image();
        }
        let Search { index, step, .. } = self.search;
        if step == self.steps_an_image() && index + 1 < self.target.dim(0)? {
            self.doubt = self.doubt.or(self.search.doubt());
            self.finished.push(self.search.found()?);
            self.search = Search::new(&self.knowledge, self.settings, index + 1, &self.target)?;
        }
        Ok(())
    }
}

impl Search {
    fn new(knowledge: &Knowledge, settings: Settings, index: usize, target: &Tensor) -> Result<Self> {
        let [c, h, w] = knowledge.image;
        let grey = |shape: &[usize], value: f64| -> Result<Var> {
            Ok(Var::from_tensor(&(Tensor::zeros(shape, target.dtype(), target.device())? + value)?)?)
        };
        let image = grey(&[1, c, h, w], GREY)?;
        let unknown = knowledge.defence.as_ref().and_then(|defence| defence.unknown(&[1, c, h, w]));
        let unknown = unknown.map(|unknown| grey(&unknown.shape, unknown.start)).transpose()?;
        let mut vars = vec![("image".to_owned(), image.clone())];
        vars.extend(unknown.iter().map(|unknown| ("unknown".to_owned(), unknown.clone())));
        let (mut parameters, layers) = (Parameters::default(), &knowledge.layers);
        let name = format!("{}.clone{index}", knowledge.name);
        let init = Init { seed: knowledge.seed, model: &name, device: target.device() };
        Network::init("clone", &(knowledge.entry.shape)(knowledge.image), layers, &mut parameters, init)?;
        let clone = Network::of("clone", layers, &parameters)?;
        let rate = AdamSettings { amsgrad: true, ..AdamSettings::new(settings.rate) };
        let adam = [Adam::of(vars, rate), Adam::new(&parameters, rate)];
        Ok(Self { index, image, unknown, clone, parameters, adam, step: 0, losses: Vec::new() })
    }

    /// The clone's numbers for the image, as they would cross.
    fn features(knowledge: &Knowledge, clone: &Network, image: &Tensor, unknown: Option<&Tensor>) -> Result<Tensor> {
        match &knowledge.defence {
            Some(defence) => defence.up(clone.forward(&defence.enter(knowledge.entry, image, unknown)?)?),
            None => clone.forward(&(knowledge.entry.enter)(image, None)?),
        }
    }

    /// One step on the image or on the clone, whose turn it is; its loss.
    fn step(&mut self, knowledge: &Knowledge, settings: Settings, z: &Tensor) -> Result<f64> {
        let image_turn = (self.step / settings.steps).is_multiple_of(2);
        self.step += 1;
        let mut tape = Tape::default();
        if image_turn {
            let (image, clone) = (self.image.as_tensor(), self.clone.frozen());
            let unknown = self.unknown.as_ref().map(Var::as_tensor);
            let loss = tape.record(|| {
                let features = Self::features(knowledge, &clone, image, unknown)?;
                image_loss(&features, z, image, [settings.tv, settings.darkness])
            })?;
            self.adam[0].step(&tape.backward(&loss)?)?;
            if let Some(unknown) = &self.unknown {
                unknown.set(&unknown.as_detached_tensor().clamp(0.0, 1.0)?)?;
            }
            let loss = f64::from(loss.to_scalar::<f32>()?);
            self.losses.push(loss);
            return Ok(loss);
        }
        let (image, unknown) = (self.image.as_detached_tensor(), self.unknown.as_ref().map(Var::as_detached_tensor));
        let loss = tape.record(|| {
            let features = Self::features(knowledge, &self.clone, &image, unknown.as_ref())?;
            objective(&features, z, &image, 0.0)
        })?;
        self.adam[1].step(&tape.backward(&loss)?)?;
        tape.settle()?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    fn found(&self) -> Result<Tensor> {
        Ok(self.image.as_detached_tensor().clamp(0.0, 1.0)?.copy()?)
    }

    fn doubt(&self) -> Option<Doubt> {
        doubt_of(&self.losses, self.losses.first().copied().unwrap_or(1.0))
    }

    fn put_in(&self, state: &mut State) -> Result<()> {
        state.put_wholes("place", &[self.index, self.step])?;
        state.put("image", &self.image.as_detached_tensor());
        self.unknown.iter().for_each(|unknown| state.put("unknown", &unknown.as_detached_tensor()));
        let shared = self.parameters.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        state.put_all("weights.", shared.collect());
        for (name, adam) in ["image.", "clone."].iter().zip(&self.adam) {
            state.put_all(&format!("adam.{name}"), adam.state()?);
        }
        state.put_reals("losses", &self.losses)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        let device = self.image.device().clone();
        [_, self.step] = state.few("place", State::wholes)?;
        self.image.set(&state.tensor("image")?.to_device(&device)?)?;
        if let Some(unknown) = &self.unknown {
            unknown.set(&state.tensor("unknown")?.to_device(&device)?)?;
        }
        self.parameters.load(&state.all("weights."))?;
        for (name, adam) in ["image.", "clone."].iter().zip(&mut self.adam) {
            adam.load(&state.all(&format!("adam.{name}")))?;
        }
        self.losses = state.reals("losses")?;
        Ok(())
    }
}

impl Inversion for UnSplit {
    fn advance(&mut self) -> Result<()> {
        for _ in 0..SLICE {
            if self.done() {
                break;
            }
            self.step()?;
        }
        Ok(())
    }

    /// Counted by the image, as if all were worked at once.
    fn progress(&self) -> (usize, usize) {
        let (n, planned) = (self.target.dims()[0].max(1), self.steps_an_image());
        ((self.search.index * planned + self.search.step) / n, planned)
    }

    fn loss(&self) -> f64 {
        self.search.losses.last().copied().unwrap_or(f64::NAN)
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(self.doubt.or(self.search.doubt()))
    }

    fn outcome(&self) -> Result<Outcome> {
        let mut all = self.finished.clone();
        all.push(self.search.found()?);
        let grey = (all[0].zeros_like()? + GREY)?;
        all.resize(self.target.dim(0)?, grey);
        Ok(Outcome::of_images(Tensor::cat(&all, 0)?))
    }

    fn first(&self) -> Result<Option<Tensor>> {
        let first = self.finished.first().map_or_else(|| self.search.found(), |image| Ok(image.clone()))?;
        Ok(Some(first.get(0)?))
    }

    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        self.search.put_in(&mut state)?;
        if !self.finished.is_empty() {
            state.put("finished", &Tensor::cat(&self.finished, 0)?);
        }
        Doubt::put_in(&mut state, "doubt", self.doubt)?;
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        let [index, _] = state.few("place", State::wholes)?;
        if index >= self.target.dim(0)? {
            return Err(Error::input("the attack's state is of more images"));
        }
        self.search = Search::new(&self.knowledge, self.settings, index, &self.target)?;
        self.search.load(state)?;
        self.finished = (0..index)
            .map(|i| Ok(state.tensor("finished")?.narrow(0, i, 1)?.to_device(self.target.device())?))
            .collect::<Result<_>>()?;
        self.doubt = Doubt::of_state(state, "doubt")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
