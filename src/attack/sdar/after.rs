//! What it does once the training is over: the iterations that are left, on what it kept, and reading the targets.

use candle_core::Tensor;

use super::Sdar;
use super::step::Victims;
use crate::attack::{Doubt, Evidence, Inversion, Knowledge, Outcome, TrainingAttack, doubt_of};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::state::State;

/// Images decoded at once.
const CHUNK: usize = 128;

/// The attack on its targets.
pub struct After {
    own: Sdar,
    server: Network,
    targets: Victims,
}

impl After {
    /// On what was seen of the targets, with the server's layers as they are in the end.
    ///
    /// # Errors
    /// Returns an error if the attack lacks what it needs.
    pub fn new(mut own: Sdar, seen: &Evidence, known: &Knowledge) -> Result<Self> {
        let targets = Victims { smashed: seen.smashed()?.tensor().clone(), labels: seen.labels()?.to_vec1()? };
        own.ready(&targets.smashed.dims()[1..])?;
        Ok(Self { own, server: known.server()?.clone(), targets })
    }

    /// Images of smashed data and what they show.
    fn read(&self, z: &Tensor, labels: &[u32]) -> Result<Tensor> {
        let workers = self.own.workers.as_ref().ok_or_else(|| Error::Internal("sdar without networks".to_owned()))?;
        let n = labels.len();
        let parts = (0..n).step_by(CHUNK).map(|from| {
            let few = CHUNK.min(n - from);
            let z = z.narrow(0, from, few)?.contiguous()?;
            Ok(workers.decoder.forward(&z, &labels[from..from + few])?.detach())
        });
        Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?.clamp(0.0, 1.0)?)
    }

    /// Mean squared errors on images that were held out: of the decoder behind the simulator, and of the class means of the
    /// others.
    fn checked(&self) -> Result<[f64; 2]> {
        let Sdar { knowledge, workers, stand_in, iteration, .. } = &self.own;
        let own = knowledge.auxiliary()?;
        let (kept, all) = (super::learnt_from(own.len()), own.labels()?);
        let held: Vec<usize> = (kept..own.len().min(kept + CHUNK)).collect();
        let x = own.batch(&held)?;
        let input = stand_in
            .as_ref()
            .map_or_else(|| (knowledge.entry.enter)(&x, None), |one| one.input(&x, &held, *iteration))?;
        let workers = workers.as_ref().ok_or_else(|| Error::Internal("sdar without networks".to_owned()))?;
        let z = workers.simulator.network.frozen().forward(&input)?;
        let z = stand_in.as_ref().map_or(Ok(z.clone()), |one| one.up(&z, &held, *iteration))?;
        let got = self.read(&z, &held.iter().map(|row| all[*row]).collect::<Vec<_>>())?;
        let guess = |row: &usize| {
            let same: Vec<usize> = (0..kept).filter(|i| all[*i] == all[*row]).collect();
            own.mean(&if same.is_empty() { (0..kept).collect() } else { same })
        };
        let guesses = Tensor::cat(&held.iter().map(guess).collect::<Result<Vec<_>>>()?, 0)?;
        let error =
            |guess: &Tensor| -> Result<f64> { Ok(f64::from((guess - &x)?.sqr()?.mean_all()?.to_scalar::<f32>()?)) };
        Ok([error(&got)?, error(&guesses)?])
    }
}

impl Inversion for After {
    fn advance(&mut self) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        let kept = &self.own.kept;
        let victims = if kept.is_empty() { &self.targets } else { &kept[self.own.iteration % kept.len()] }.clone();
        self.own.work(&victims, &self.server)
    }

    fn progress(&self) -> (usize, usize) {
        (self.own.iteration, self.own.settings.iterations.max(self.own.iteration))
    }

    fn loss(&self) -> f64 {
        self.own.loss()
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        let [decoder, class_mean] = self.checked()?;
        let settled = doubt_of(&self.own.losses, class_mean);
        Ok(settled.or((decoder.is_nan() || decoder >= class_mean).then_some(Doubt::NoBetterThanGuessing)))
    }

    fn outcome(&self) -> Result<Outcome> {
        Ok(Outcome::of_images(self.read(&self.targets.smashed, &self.targets.labels)?))
    }

    fn state(&self) -> Result<Option<State>> {
        self.own.state().map(Some)
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.own.load(state)
    }
}
