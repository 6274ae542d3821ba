//! What an adaptive attacker does because it knows PSGL: it trains a head of its own in place of the
//! client's unknown one, and disguises its auxiliary images as the client would.

use candle_core::Tensor;

use super::Knowledge;
use super::rows::Rows;
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
    /// Where client or auxiliary images are not known.
    pub fn new(knowledge: &Knowledge, options: Options) -> Result<Self> {
        let auxiliary = knowledge.auxiliary()?;
        if auxiliary.len() < LEAST_IMAGES {
            return Err(Error::input("an adaptive attack needs auxiliary images: raise data.aux"));
        }
        let mut smashed = Rows::default();
        while smashed.count() < auxiliary.len() {
            smashed.push(knowledge.smash(&auxiliary.range(smashed.count()..smashed.count() + CHUNK)?)?.detach());
        }
        let first = smashed.select([0])?;
        let mut parameters = Parameters::default();
        let init = Init { seed: knowledge.seed, model: &knowledge.name, device: first.device() };
        Head::init("surrogate", &first.dims()[1..], knowledge.classes, &mut parameters, init)?;
        let head = Head::of("surrogate", &parameters)?;
        Ok(Self {
            surrogate: Surrogate { client: knowledge.client()?.clone(), head, options },
            adam: Adam::new(&parameters, AdamSettings::new(1e-3)),
            labels: auxiliary.label_tensor()?,
            smashed,
            epoch: 0,
        })
    }

    /// One epoch; the surrogate once all ten are done.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn advance(&mut self, knowledge: &Knowledge) -> Result<Option<Surrogate>> {
        let order = knowledge.stream("surrogate", self.epoch).permutation(self.smashed.count());
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
        let Surrogate { client, head, options } = &self.surrogate;
        let ready = || Surrogate { client: client.clone(), head: head.frozen(), options: *options };
        Ok((self.epoch >= EPOCHS).then(ready))
    }
}

impl Surrogate {
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
