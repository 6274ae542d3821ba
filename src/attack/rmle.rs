//! Regularised maximum likelihood estimation: He, Zhang & Lee, "Model inversion attacks against
//! collaborative inference" (ACSAC 2019), white box.
//!
//! x* = argmin mean((f(x) − z)²) + λ·TV²(x), by Adam with AMSGrad from a grey image.
//!
//! *Naive* against a defence: through the client as it would be without it. *Adaptive*: through the defence's imitation;
//! what has to be found beside the image is searched with it (a map channel, say), and then the disguise is undone.
//!
//! Images are worked in batches, so that memory does not grow with their number; each has its own mean, its own
//! moments and so the same numbers in any company.

mod adaptive;
mod batch;
mod method;
mod objective;
mod rehearsal;

use adaptive::Adaptive;
use batch::{BATCH, Batch, GREY};
use candle_core::{Tensor, Var};
pub use objective::objective;

use super::kind::{ADAM_EPSILON, ANY_IMAGE, HE_2019, Kind, Looker, Make, Published, SETTLED, Values};
use super::threat_model::{Knows, Sees};
use super::{Doubt, Evidence, Inversion, Knowledge, Learner, Outcome, settled};
use crate::error::{Error, Result};
use crate::model::adam::AdamSettings;
use crate::setting::{Kind as Range, Plain, Setting, log, whole};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "rmle",
    title: "rMLE",
    about: "Regularised maximum likelihood: searches the image that would give the same numbers on the wire.",
    looker: Looker {
        words: "the server, with the client's weights",
        brief: "the server",
        tip: "White box: rMLE searches for the image whose smashed data are those on the wire.",
    },
    sees: &[Sees::Smashed],
    knows: &[Knows::ClientWeights],
    // To imitate the disguise it trains a head on the client's layers.
    knows_adaptive: &[Knows::ClientWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 8,
    images_help: "Test images to reconstruct, one at a time.",
    settings: &[
        Setting::new(
            "iterations",
            "Iterations",
            "iterations",
            whole(1, 100_000),
            "Steps of Adam on the image; 500 of rate 0.1 get further than many small ones.",
        )
        .published(HE_2019, "5000")
        .default(Plain::Whole(500)),
        Setting::new("rate", "Rate", "", log(1e-7, 10.0), "Adam's step size, in units of the pixel range.")
            .published(HE_2019, "0.01")
            .default(Plain::Real(0.1)),
        Setting::new("epsilon", "Adam's epsilon", "", log(1e-12, 1.0), ADAM_EPSILON)
            .published(HE_2019, "1e-3")
            .default(Plain::Real(1e-8)),
        Setting::new(
            "tv",
            "Smoothness λ",
            "",
            log(0.0, 1000.0),
            "Weight of the total variation: it prefers smooth images where the smashed data leave a choice. Deep cuts \
             want more, about 0.01.",
        )
        .default(Plain::Real(1e-3)),
        // As an attacker who knows the pixels' range would: on trained digits it lifts the worst of four seeds from 31
        // to 39 dB.
        Setting::new(
            "boxed",
            "Keep in range",
            "",
            Range::Switch,
            "Clamp the image to 0…1 after every step and not only at the end.",
        )
        .default(Plain::Switch(true)),
        Setting::new(
            "rehearse",
            "Rehearse smoothness",
            "",
            Range::Switch,
            "Adaptive only: try one, ten and a hundred times the smoothness on disguised images of its own, and take what comes \
             most like their truth.",
        )
        .since(8, Plain::Switch(false))
        .default(Plain::Switch(true)),
        SETTLED,
    ],
    published: &[
        Published::he("MNIST, LeNet-5 cut at conv1", 39.69, 0.997),
        Published::he("MNIST, LeNet-5 cut at ReLU2", 15.10, 0.600),
        Published::he("CIFAR-10, 6 conv + 2 fc cut at conv11", 37.59, 0.996),
        Published::he("CIFAR-10, 6 conv + 2 fc cut at ReLU22", 19.47, 0.694),
        Published::he("CIFAR-10, 6 conv + 2 fc cut at ReLU32", 13.38, 0.163),
    ],
    method: &[method::SECTION],
    least_images: ANY_IMAGE,
    // The images at work with their maps and three moments each, and those before them.
    saves: |_, [c, h, w], targets| c * h * w * (targets + 8 * targets.min(BATCH)),
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Rmle::new(seen, known, Settings::of(values)?)?))),
    quick: &[("images", Plain::Whole(32)), ("iterations", Plain::Whole(200))],
    paper: &[
        ("iterations", Plain::Whole(5000)),
        ("rate", Plain::Real(1e-2)),
        ("epsilon", Plain::Real(1e-3)),
        ("boxed", Plain::Switch(false)),
        ("rehearse", Plain::Switch(false)),
    ],
    // Enough iterations to be seen, and no more than one waits for.
    watched: |values, _| {
        let mut watched = values.clone();
        let iterations = values.whole("iterations")?.clamp(300, 500);
        watched.put("iterations", toml::Value::Integer(iterations as i64))?;
        Ok(watched)
    },
    ..Kind::BASE
};

/// How long and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Adam steps.
    pub iterations: usize,
    /// Adam's rate and ε.
    pub adam: AdamSettings,
    /// λ, the weight of total variation.
    pub tv: f64,
    /// Clamp to [0, 1] after every step, and not only at the end.
    pub boxed: bool,
    /// Adaptive, choose among smoothnesses by images of the attacker's own.
    pub rehearse: bool,
    /// Percent: see [`SETTLED`].
    pub settled: f64,
}

impl Settings {
    /// From the values of a document.
    ///
    /// # Errors
    /// Returns an error if one is missing.
    pub fn of(values: &Values) -> Result<Self> {
        Ok(Self {
            iterations: values.whole("iterations")?,
            adam: AdamSettings { rate: values.real("rate")?, epsilon: values.real("epsilon")?, amsgrad: true },
            tv: values.real("tv")?,
            boxed: values.switch("boxed")?,
            rehearse: values.switch("rehearse")?,
            settled: values.real("settled")?,
        })
    }
}

/// A running rMLE attack.
pub struct Rmle {
    settings: Settings,
    knowledge: Knowledge,
    target: Tensor,
    /// Images to start from in place of grey ones (N, C, H, W).
    start: Option<Tensor>,
    /// Adaptive only.
    adaptive: Option<Adaptive>,
    /// The images at work.
    batch: Batch,
    /// Those before them, as they are handed over.
    finished: Vec<Tensor>,
    /// Why a batch before may not have been searched to its end.
    doubt: Option<Doubt>,
    loss: f64,
}

impl Rmle {
    /// An attack on every observed sample, each by itself.
    ///
    /// # Errors
    /// Where the client's weights are not known, or an adaptive attack lacks auxiliary images.
    pub fn new(evidence: &Evidence, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        Self::with(evidence, knowledge, settings, Learner::new(knowledge)?)
    }

    /// The same of a learner that may have learnt already, of this knowledge.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(evidence: &Evidence, knowledge: &Knowledge, settings: Settings, learner: Learner) -> Result<Self> {
        let target = evidence.smashed()?.tensor().clone();
        knowledge.client()?;
        let adaptive = knowledge.defence.as_ref().map(|_| Adaptive::new(knowledge, settings, learner)).transpose()?;
        Ok(Self {
            batch: Batch::grey(0, &target, knowledge.image, knowledge.defence.as_deref(), settings)?,
            knowledge: knowledge.clone(),
            settings,
            target,
            start: None,
            adaptive,
            finished: Vec::new(),
            doubt: None,
            loss: f64::NAN,
        })
    }

    fn batches(&self) -> usize {
        self.target.dims()[0].div_ceil(BATCH).max(1)
    }

    /// What of the observation the batch at work explains.
    fn seen(&self) -> Result<Tensor> {
        Ok(self.target.narrow(0, self.batch.from, self.batch.image.dim(0)?)?.contiguous()?)
    }

    fn features(&self) -> Result<Tensor> {
        self.knowledge.sent(&self.batch.image, self.batch.unknown.as_ref().map(Var::as_tensor))
    }

    /// One step of Adam on the batch at work.
    fn step(&mut self) -> Result<()> {
        let (features, seen) = (self.features()?, self.seen()?);
        let tv = self.adaptive.as_ref().and_then(Adaptive::smoothness).unwrap_or(self.settings.tv);
        let loss = objective(&features, &seen, &self.batch.image, tv)?;
        self.loss = f64::from(loss.to_scalar::<f32>()?);
        let iteration = self.batch.iteration;
        if !self.loss.is_finite() {
            return Err(Error::Diverged(format!("rmle: the loss is {} at iteration {iteration}", self.loss)));
        }
        self.batch.losses.push(self.loss);
        // The batch's mean times the batch's size: each image's own mean, so none depends on its neighbours.
        let own = (loss * self.batch.image.dim(0)? as f64)?;
        self.batch.adam.step(&own.backward()?)?;
        if self.settings.boxed {
            self.batch.image.set(&self.batch.image.as_detached_tensor().clamp(0.0, 1.0)?)?;
        }
        if let Some(unknown) = &self.batch.unknown {
            // It is known to lie in [0, 1].
            unknown.set(&unknown.as_detached_tensor().clamp(0.0, 1.0)?)?;
        }
        self.batch.iteration += 1;
        if settled(&self.batch.losses, self.settings.settled) {
            self.batch.iteration = self.settings.iterations;
        }
        Ok(())
    }

    /// Puts the batch that is done away and takes up the next one, if there is one.
    fn go_on(&mut self) -> Result<()> {
        let (from, n) = (self.batch.from + self.batch.image.dim(0)?, self.target.dim(0)?);
        if self.batch.iteration < self.settings.iterations || from >= n {
            return Ok(());
        }
        self.doubt = self.doubt.or(self.batch.doubt());
        self.finished.push(self.handed_over()?);
        let (_, c, h, w) = self.batch.image.dims4()?;
        self.batch = Batch::grey(from, &self.target, [c, h, w], self.knowledge.defence.as_deref(), self.settings)?;
        self.start.as_ref().map_or(Ok(()), |start| self.batch.start_from(start))
    }

    /// The batch at work as it would be handed over now.
    fn handed_over(&self) -> Result<Tensor> {
        let image = self.batch.image.as_detached_tensor().clamp(0.0, 1.0)?;
        match (&self.adaptive, &self.batch.unknown) {
            (Some(adaptive), Some(unknown)) => adaptive.undo(&image, &unknown.as_detached_tensor()),
            _ => Ok(image.copy()?),
        }
    }
}

impl Inversion for Rmle {
    /// The images of the batch at work with their moments, and those before them as they are handed over.
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        self.batch.put_in(&mut state)?;
        if !self.finished.is_empty() {
            state.put("finished", &Tensor::cat(&self.finished, 0)?);
        }
        self.start.iter().for_each(|start| state.put("start", start));
        Doubt::put_in(&mut state, "doubt", self.doubt)?;
        state.put_reals("loss", &[self.loss])?;
        if let Some(adaptive) = &self.adaptive {
            adaptive.put_in(&mut state)?;
        }
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        let (device, n) = (self.target.device().clone(), self.target.dim(0)?);
        let [from, _] = state.few("batch", State::wholes)?;
        if from >= n {
            return Err(Error::input(format!("the attack's state is of more images than {n}")));
        }
        let (_, c, h, w) = self.batch.image.dims4()?;
        self.batch = Batch::grey(from, &self.target, [c, h, w], self.knowledge.defence.as_deref(), self.settings)?;
        self.batch.load(state)?;
        if from > 0 {
            let all = state.tensor("finished")?.to_device(&device)?;
            let batch = |at| Ok(all.narrow(0, at, BATCH.min(from - at))?.contiguous()?);
            self.finished = (0..from).step_by(BATCH).map(batch).collect::<Result<_>>()?;
        }
        if state.has("start") {
            self.start = Some(state.tensor("start")?.to_device(&device)?);
        }
        self.doubt = Doubt::of_state(state, "doubt")?;
        [self.loss] = state.few("loss", State::reals)?;
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.load(&self.knowledge, self.settings, state)?;
        }
        Ok(())
    }

    /// Black pixels are lifted to .01: at 0 a relu behind them may be dead, and no gradient would ever come back.
    fn start_from(&mut self, image: &Tensor) -> Result<bool> {
        let start = image.clamp(0.01, 1.0)?;
        self.batch.start_from(&start)?;
        self.start = Some(start);
        Ok(true)
    }

    fn advance(&mut self) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        if let Some(adaptive) = &mut self.adaptive
            && adaptive.prepares(&self.knowledge, self.settings)?
        {
            return Ok(());
        }
        self.step()?;
        self.go_on()
    }

    /// Counted by the image, as if all were worked at once: of four batches, a step on one is a quarter. The rehearsal's steps
    /// come before.
    fn progress(&self) -> (usize, usize) {
        let planned = self.settings.iterations;
        let done = (self.finished.len() * planned + self.batch.iteration) / self.batches();
        let rehearsed = self.adaptive.as_ref().map_or((0, 0), |adaptive| adaptive.rehearsed(self.settings));
        (rehearsed.0 + done, rehearsed.1 + planned)
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(self.doubt.or(self.batch.doubt()))
    }

    fn outcome(&self) -> Result<Outcome> {
        let current = self.handed_over()?;
        let (_, c, h, w) = current.dims4()?;
        let waiting = self.target.dim(0)? - self.batch.from - current.dim(0)?;
        let mut parts = self.finished.clone();
        parts.push(current);
        if waiting > 0 {
            parts.push(match &self.start {
                Some(start) => start.narrow(0, start.dim(0)? - waiting, waiting)?,
                None => Tensor::full(GREY as f32, (waiting, c, h, w), self.target.device())?,
            });
        }
        Ok(Outcome::of_images(Tensor::cat(&parts, 0)?))
    }

    fn first(&self) -> Result<Option<Tensor>> {
        let batch = self.finished.first().map_or_else(|| self.handed_over(), |batch| Ok(batch.clone()))?;
        Ok(Some(batch.get(0)?))
    }
}
