//! What an attacker does because it knows PSGL: it trains a head of its own in place of the client's unknown one, and
//! disguises its auxiliary images as the client would.

use std::sync::Arc;

use candle_core::Tensor;

use super::Options;
use super::client::{Head, disguised, head_jacobian};
use super::downsample::pack_with_channel;
use super::undo::Undo;
use crate::defence::imitation::{CHUNK, Imitation, Imitator, Own, Study, Undoing, Unknown, Untouched, index_tensor};
use crate::defence::rows::Rows;
use crate::defence::{Entry, Outgoing};
use crate::engine::loss::cross_entropy;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::random::At;
use crate::state::State;

/// Epochs that a head learns for.
const EPOCHS: u64 = 10;
const BATCH: usize = 32;
/// What a search begins with in the map channel.
const MAP: f64 = 0.05;

/// PSGL with its declared settings.
#[derive(Clone, Debug)]
pub struct Known(pub Options);

impl Imitation for Known {
    /// The map channel that is sent with an image (N, 1, ⌈H/2⌉, ⌈W/2⌉).
    fn unknown(&self, [n, _, h, w]: &[usize; 4]) -> Option<Unknown> {
        // Without the attack the map is empty, which everybody knows.
        self.0.attack.then(|| Unknown { shape: vec![*n, 1, h.div_ceil(2), w.div_ceil(2)], start: MAP })
    }

    /// It comes from the fused stream, through the recovery, unless there is one stream alone.
    fn plain_way_down(&self) -> bool {
        self.0.server.is_one()
    }

    fn enter(&self, entry: &Entry, images: &Tensor, unknown: Option<&Tensor>) -> Result<Tensor> {
        unknown.map_or_else(|| (entry.enter)(images, None), |channel| pack_with_channel(images, channel))
    }

    fn undisguised(&self) -> Option<Arc<dyn Imitation>> {
        Some(Arc::new(Untouched))
    }

    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        if self.0.attack { Ok(Box::new(Training::new(own, self.0)?)) } else { Untouched.study(own) }
    }
}

/// The attacker's own head on the victim's client.
#[derive(Debug)]
pub struct Surrogate {
    client: Network,
    /// The head's weights.
    parameters: Parameters,
    head: Head,
    options: Options,
}

/// A head in training, an epoch a slice.
pub struct Training {
    surrogate: Surrogate,
    smashed: Rows,
    labels: Tensor,
    adam: Adam,
    epoch: u64,
}

impl Training {
    /// Begins with the smashed data of the auxiliary images.
    ///
    /// # Errors
    /// Returns an error if there is no auxiliary image.
    fn new(own: &Own<'_>, options: Options) -> Result<Self> {
        if own.images.is_empty() {
            return Err(Error::input("an adaptive attack needs auxiliary images: raise data.aux"));
        }
        let mut smashed = Rows::default();
        while smashed.count() < own.images.len() {
            smashed.push(own.smash(&own.images.range(smashed.count()..smashed.count() + CHUNK)?)?.detach());
        }
        let first = smashed.select([0])?;
        let mut parameters = Parameters::default();
        let init = Init { seed: own.seed, model: own.name, device: first.device() };
        Head::init("surrogate", &first.dims()[1..], own.classes, &mut parameters, init)?;
        let head = Head::of("surrogate", &parameters)?;
        Ok(Self {
            adam: Adam::new(&parameters, AdamSettings::new(1e-3)),
            surrogate: Surrogate { client: own.client.clone(), parameters, head, options },
            labels: own.images.label_tensor()?,
            smashed,
            epoch: 0,
        })
    }
}

impl Study for Training {
    fn planned(&self) -> usize {
        EPOCHS as usize
    }

    /// One epoch.
    fn advance(&mut self, own: &Own<'_>) -> Result<Option<Arc<dyn Imitator>>> {
        let order = own.stream("surrogate", self.epoch).permutation(self.smashed.count());
        for batch in order.chunks(BATCH) {
            let index = index_tensor(batch, self.labels.device())?;
            let smashed = self.smashed.select(batch.iter().copied())?;
            let labels = self.labels.index_select(&index, 0)?;
            let mut tape = Tape::default();
            let head = &self.surrogate.head;
            let loss = tape.record(|| Ok::<_, Error>(cross_entropy(&head.forward(&smashed)?, &labels)?))?;
            self.adam.step(&tape.backward(&loss)?)?;
        }
        self.epoch += 1;
        let ready = || -> Arc<dyn Imitator> { Arc::new(self.surrogate.frozen()) };
        Ok((self.epoch >= EPOCHS).then(ready))
    }

    fn state(&self) -> Result<State> {
        let mut state = self.surrogate.state()?;
        state.put_all("adam.", self.adam.state()?);
        state.put_wholes("epoch", &[self.epoch as usize])?;
        Ok(state)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.surrogate.parameters.load(&state.all("head."))?;
        self.adam.load(&state.all("adam."))?;
        let [epoch] = state.few("epoch", State::wholes)?;
        self.epoch = epoch as u64;
        Ok(())
    }

    fn learnt(self: Box<Self>, state: &State) -> Result<Arc<dyn Imitator>> {
        self.surrogate.parameters.load(&state.all("head."))?;
        Ok(Arc::new(self.surrogate.frozen()))
    }
}

impl Surrogate {
    /// The same for passes that do not train it.
    fn frozen(&self) -> Self {
        let Self { client, parameters, head, options } = self;
        Self { client: client.clone(), parameters: parameters.clone(), head: head.frozen(), options: *options }
    }
}

impl Imitator for Surrogate {
    fn image(&self, images: Outgoing, _: At<'_>) -> Result<Outgoing> {
        let (alpha, beta) = head_jacobian(&images.images, &self.client, &self.head)?;
        disguised(&images.images, &alpha, &beta, &self.options)
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        let shared = self.parameters.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        state.put_all("head.", shared.collect());
        Ok(state)
    }

    fn undoing(&self, own: &Own<'_>) -> Result<Option<Box<dyn Undoing>>> {
        Ok(Some(Box::new(Undo::choose(own, self, &self.options)?)))
    }
}
