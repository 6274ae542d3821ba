//! Orders of attacks: which, at which model, when, and what was on the wire then.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::attack_gradients::{Gradients, Taking, Targets};
use super::scene::Opinion;
use crate::attack::form;
use crate::attack::threat_model::Knows;
use crate::error::{Error, Result};
use crate::experiment::{AttackSpec, any_schema_attack};
use crate::model::wire::Smashed;
use crate::random::At;
use crate::split::SplitModel;
use crate::state::State;

/// Targets whose pictures are kept.
pub const PICTURED: usize = 8;
/// Targets that a model is asked about at once, no fewer than are pictured.
const ASKED: usize = 25;

/// Which attack, at which model, when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttackId {
    /// The attack's fields.
    #[serde(deserialize_with = "any_schema_attack")]
    pub spec: AttackSpec,
    /// Whether it knows the defence.
    pub adaptive: bool,
    /// The model, by its name in the run.
    pub target: String,
    /// After which epoch.
    pub epoch: usize,
}

impl AttackId {
    /// In words: `rmle, adaptive, at dropout after epoch 6`.
    pub fn words(&self) -> String {
        let mode = if self.adaptive { ", adaptive" } else { "" };
        let when = if self.epoch == 0 { "untrained".to_owned() } else { format!("after epoch {}", self.epoch) };
        format!("{}{mode}, at {} {when}", self.spec.name(), self.target)
    }

    /// For file names and random streams: `dropout-e6-rmle-adaptive`.
    pub fn file_stem(&self) -> String {
        Self::file_stem_of(&self.target, self.epoch, self.spec.name(), self.adaptive)
    }

    /// The same of an attack that is known by its record alone.
    pub fn file_stem_of(target: &str, epoch: usize, name: &str, adaptive: bool) -> String {
        format!("{target}-e{epoch}-{name}-{}", form(adaptive))
    }
}

/// What was captured at a model when attacks fell due: what was on the wire, and the client's weights of that moment, so
/// that training may go on meanwhile. Captured once for all of them; an attack at fewer images takes the first ones.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The targets' smashed data.
    pub smashed: Tensor,
    /// What entered the client's layers, of the first few targets: images, or what a defence made of them.
    pub sent: Tensor,
    /// Gradient maps of the same; zero where no defence makes them.
    pub maps: Tensor,
    /// The client's weights.
    pub client: BTreeMap<String, Tensor>,
    /// The server's, where an attack knows them.
    pub server: BTreeMap<String, Tensor>,
    /// Gradients by weights, where an attack declares to see them.
    pub gradients: Gradients,
    /// What the server made of the first target; not known any more after a resume.
    pub opinion: Option<Opinion>,
}

impl Capture {
    /// The smashed data of the first `n` targets, or of all there are.
    ///
    /// # Errors
    /// Returns an error if the tensor cannot be made.
    pub fn first(&self, n: usize) -> Result<Tensor> {
        Ok(self.smashed.narrow(0, 0, n.min(self.smashed.dims()[0]))?.contiguous()?)
    }

    /// The same on this device: what a checkpoint kept was read to the processor.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub fn on(self: &Arc<Self>, device: &Device) -> Result<Arc<Self>> {
        if self.smashed.device().same_device(device) {
            return Ok(self.clone());
        }
        let one = |t: &Tensor| Ok::<_, Error>(t.to_device(device)?);
        let all = |all: &BTreeMap<String, Tensor>| {
            all.iter().map(|(name, t)| Ok((name.clone(), one(t)?))).collect::<Result<BTreeMap<_, _>>>()
        };
        let batch = |both: &[Vec<Tensor>; 2]| {
            let party = |i: usize| both[i].iter().map(one).collect::<Result<Vec<_>>>();
            Ok([party(0)?, party(1)?])
        };
        let gradients = self
            .gradients
            .iter()
            .map(|(batches, taken)| Ok((*batches, taken.iter().map(batch).collect::<Result<_>>()?)));
        Ok(Arc::new(Self {
            smashed: one(&self.smashed)?,
            sent: one(&self.sent)?,
            maps: one(&self.maps)?,
            client: all(&self.client)?,
            server: all(&self.server)?,
            gradients: gradients.collect::<Result<_>>()?,
            opinion: self.opinion.clone(),
        }))
    }
}

/// An attack that is due.
#[derive(Clone, Debug)]
pub struct Order {
    /// Which.
    pub id: AttackId,
    /// What it works on.
    pub capture: Arc<Capture>,
    /// How far it had come when the run was saved.
    pub begun: Option<Begun>,
}

/// An attack that was stopped amid its work.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its own state.
    pub state: State,
    /// Seconds that it had taken.
    pub seconds: f64,
    /// Where it was done and deciphered the test images for the table: what the model made of those so far.
    pub deciphered: Option<Vec<u32>>,
}

/// The questions that come before orders: a few targets at a time, so that a Stop need not wait for all of them.
pub struct Capturing {
    specs: Vec<AttackSpec>,
    epoch: usize,
    /// The victims' images, as many as the largest attack takes.
    targets: Targets,
    smashed: Vec<Tensor>,
    /// What is computed of them behind the questions.
    taking: Taking,
    /// What entered the client's layers, and the maps, of the first few.
    first: Option<[Tensor; 2]>,
}

impl Capturing {
    /// Begins to order every form of these attacks; `targets` are the victims' images.
    ///
    /// # Errors
    /// Returns an error if there are none.
    pub fn new(specs: Vec<AttackSpec>, epoch: usize, targets: &Targets) -> Result<Self> {
        let targets = targets.first(specs.iter().map(|spec| spec.images).max().unwrap_or(0))?;
        let taking = Taking::of(&specs, targets.images.dim(0)?);
        Ok(Self { specs, epoch, targets, smashed: Vec::new(), taking, first: None })
    }

    /// Asks the model as it is now about the next few; the orders once it has been asked about all.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn advance(&mut self, model: &SplitModel) -> Result<Option<Vec<Order>>> {
        Ok(self.capture(model)?.map(|capture| self.orders(model, &capture)))
    }

    /// The same without a pause.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn all(mut self, model: &SplitModel) -> Result<Vec<Order>> {
        loop {
            if let Some(orders) = self.advance(model)? {
                return Ok(orders);
            }
        }
    }

    /// The same, for what is captured alone.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    pub fn capture(&mut self, model: &SplitModel) -> Result<Option<Arc<Capture>>> {
        let (all, from) = (self.targets.images.dim(0)?, self.smashed.len() * ASKED);
        if from < all {
            self.ask(model, from, ASKED.min(all - from))?;
        } else {
            self.taking.advance(model, &self.targets, self.epoch)?;
        }
        let asked = from + ASKED >= all;
        if asked && self.taking.done() { self.captured(model).map(Some) } else { Ok(None) }
    }

    /// Asks about `n` targets from this one on.
    fn ask(&mut self, model: &SplitModel, from: usize, n: usize) -> Result<()> {
        let x = self.targets.images.narrow(0, from, n)?.contiguous()?;
        let samples = self.targets.places.get(from..from + n).unwrap_or_default();
        let (smashed, outgoing) = model.ask(&x, At::Ask { samples, draw: self.epoch })?;
        if self.first.is_none() {
            let first = |t: &Tensor| Ok::<_, Error>(t.narrow(0, 0, PICTURED.min(t.dim(0)?))?.contiguous()?);
            let map = outgoing.map.map_or_else(|| x.zeros_like(), Ok)?;
            self.first = Some([first(&outgoing.images)?, first(&map)?]);
        }
        self.smashed.push(smashed.tensor().clone());
        Ok(())
    }

    fn captured(&self, model: &SplitModel) -> Result<Arc<Capture>> {
        let smashed = Tensor::cat(&self.smashed, 0)?;
        let [sent, maps] = self.first.clone().ok_or_else(|| Error::Internal("an order before its questions".into()))?;
        let client = model.client.parameters().snapshot()?;
        let opinion = Some(Opinion::of(&model.answer_to(&Smashed::new(&smashed).narrow(0, 1)?)?)?);
        let server =
            if self.specs.iter().any(knows_server) { model.server.parameters().snapshot()? } else { BTreeMap::new() };
        let gradients = self.taking.taken();
        Ok(Arc::new(Capture { smashed, sent, maps, client, server, gradients, opinion }))
    }

    fn orders(&self, model: &SplitModel, capture: &Arc<Capture>) -> Vec<Order> {
        let order = |spec: &AttackSpec, adaptive| Order {
            id: AttackId { spec: spec.clone(), adaptive, target: model.plan.name.clone(), epoch: self.epoch },
            capture: capture.clone(),
            begun: None,
        };
        let all = |spec| forms(spec, model.plan.defended()).map(move |adaptive| (spec, adaptive));
        self.specs.iter().flat_map(all).map(|(spec, adaptive)| order(spec, adaptive)).collect()
    }
}

/// Whether an attack knows the server's weights, in either form.
pub fn knows_server(spec: &AttackSpec) -> bool {
    [false, true].iter().any(|adaptive| spec.kind.knowledge(*adaptive).contains(&Knows::ServerWeights))
}

/// Whether an attack is due after `epoch` epochs of `last`: after the last one, and earlier where it says so.
pub fn is_due(spec: &AttackSpec, epoch: usize, last: usize) -> bool {
    let regular = spec.every > 0 && epoch > 0 && epoch.is_multiple_of(spec.every);
    epoch == last || regular || spec.early.contains(&epoch)
}

/// The forms in which an attack is launched: without and with knowledge of the defence, if there is one to know.
pub fn forms(spec: &AttackSpec, defended: bool) -> impl Iterator<Item = bool> + use<> {
    let forms = [(false, spec.naive || !defended), (true, spec.adaptive && defended)];
    forms.into_iter().filter(|(_, wanted)| *wanted).map(|(adaptive, _)| adaptive)
}

impl Order {
    /// Number of its targets.
    pub fn images(&self) -> usize {
        self.id.spec.images.min(self.capture.smashed.dims()[0])
    }

    /// The smashed data of its targets; shared with the other orders.
    ///
    /// # Errors
    /// Returns an error if the tensor cannot be made.
    pub fn smashed(&self) -> Result<Tensor> {
        self.capture.first(self.images())
    }
}
