//! What an adaptive attacker does because it knows PSGL: it trains a head of its own in place of the
//! client's unknown one, and disguises its auxiliary images as the client would.

use candle_core::Tensor;

use super::Knowledge;
use super::state::State;
use crate::engine::loss::cross_entropy;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::client::{Disguised, Head, head_jacobian};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::psgl::Options;

/// Epochs that a head learns for.
pub const EPOCHS: u64 = 10;
const BATCH: usize = 32;
/// Auxiliary images that a head can be trained on at all.
pub const LEAST_IMAGES: usize = 1;
/// Images taken at once, so that neither memory nor waiting grows with their number.
pub const CHUNK: usize = 128;

/// The attacker's own head on the victim's client.
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
    smashed: Tensor,
    labels: Tensor,
    adam: Adam,
    epoch: u64,
}

impl Training {
    /// Begins with the smashed data of the auxiliary images.
    ///
    /// # Errors
    /// Where client or auxiliary images are not known.
    pub fn new(knowledge: &Knowledge, options: Options) -> Result<Self> {
        let auxiliary = knowledge.auxiliary()?;
        if auxiliary.images.dim(0)? < LEAST_IMAGES {
            return Err(Error::input("an adaptive attack needs auxiliary images: raise data.aux"));
        }
        let smashed = in_chunks(&auxiliary.images, |x| knowledge.smash(x))?;
        let mut parameters = Parameters::default();
        let device = smashed.device().clone();
        let init = Init { seed: knowledge.seed, model: &knowledge.name, device: &device };
        Head::init("surrogate", &smashed.dims()[1..], knowledge.classes, &mut parameters, init)?;
        let head = Head::of("surrogate", &parameters)?;
        Ok(Self {
            adam: Adam::new(&parameters, AdamSettings::new(1e-3)),
            surrogate: Surrogate { client: knowledge.client()?.clone(), parameters, head, options },
            labels: auxiliary.labels()?.clone(),
            smashed,
            epoch: 0,
        })
    }

    /// One epoch; the surrogate once all ten are done.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn advance(&mut self, knowledge: &Knowledge) -> Result<Option<Surrogate>> {
        let order = knowledge.stream("surrogate", self.epoch).permutation(self.smashed.dim(0)?);
        for batch in order.chunks(BATCH) {
            let index = index_tensor(batch, self.smashed.device())?;
            let (smashed, labels) = (self.smashed.index_select(&index, 0)?, self.labels.index_select(&index, 0)?);
            let mut tape = Tape::default();
            let head = &self.surrogate.head;
            let loss = tape.record(|| Ok::<_, Error>(cross_entropy(&head.forward(&smashed)?, &labels)?))?;
            self.adam.step(&tape.backward(&loss)?)?;
        }
        self.epoch += 1;
        Ok((self.epoch >= EPOCHS).then(|| self.surrogate.frozen()))
    }

    /// How far it is.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn state(&self) -> Result<State> {
        let mut state = self.surrogate.state();
        state.put_all("adam.", self.adam.state()?);
        state.put_wholes("epoch", &[self.epoch as usize])?;
        Ok(state)
    }

    /// Goes on from what [`Training::state`] gave.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another head.
    pub fn load(&mut self, state: &State) -> Result<()> {
        self.surrogate.parameters.load(&state.all("head."))?;
        self.adam.load(&state.all("adam."))?;
        let [epoch] = state.few("epoch", State::wholes)?;
        self.epoch = epoch as u64;
        Ok(())
    }

    /// The surrogate that [`Surrogate::state`] is of, in place of training one again.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another head.
    pub fn trained(self, state: &State) -> Result<Surrogate> {
        self.surrogate.parameters.load(&state.all("head."))?;
        Ok(self.surrogate.frozen())
    }
}

impl Surrogate {
    /// The same for passes that do not train it.
    fn frozen(&self) -> Self {
        let Self { client, parameters, head, options } = self;
        Self { client: client.clone(), parameters: parameters.clone(), head: head.frozen(), options: *options }
    }

    /// The head's weights, for [`Training::trained`].
    pub fn state(&self) -> State {
        let mut state = State::default();
        let shared = self.parameters.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        state.put_all("head.", shared.collect());
        state
    }

    /// Images disguised as the client would, as far as the attacker can tell.
    ///
    /// # Errors
    /// Where the images do not fit.
    pub fn disguise(&self, x: &Tensor) -> Result<Disguised> {
        let (alpha, beta) = head_jacobian(x, &self.client, &self.head)?;
        Disguised::new(x, &alpha, &beta, &self.options)
    }

    /// Smashed data of disguised images.
    ///
    /// # Errors
    /// Where the images do not fit.
    pub fn smash(&self, x: &Tensor) -> Result<Tensor> {
        self.client.forward(&self.disguise(x)?.packed)
    }
}

/// Applies `f` to a batch in chunks.
///
/// # Errors
/// Those of `f`.
pub fn in_chunks(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let n = x.dim(0)?;
    let parts = (0..n).step_by(CHUNK).map(|start| {
        let part = x.narrow(0, start, CHUNK.min(n - start))?.contiguous()?;
        Ok(f(&part)?.detach())
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
}

/// Row numbers for `index_select`.
///
/// # Errors
/// Where the device has no memory left.
pub fn index_tensor(rows: &[usize], device: &candle_core::Device) -> Result<Tensor> {
    let rows: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
    Ok(Tensor::from_vec(rows.clone(), rows.len(), device)?)
}
