//! One iteration, in the order of the authors' code (METHOD section 4).

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use candle_nn::ops::sigmoid;

use super::{Discriminator, Settings, Simulator, TellingDecoder};
use crate::attack::Knowledge;
use crate::attack::stand_in::StandIn;
use crate::engine::loss::{carry_on, cross_entropy};
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::random::Stream;
use crate::state::State;

/// What a victim sent in one step, and what it shows.
#[derive(Clone, Debug)]
pub struct Victims {
    /// (N, …).
    pub smashed: Tensor,
    /// N.
    pub labels: Vec<u32>,
}

/// Its networks, with what trains them.
pub struct Workers {
    smashed: Vec<usize>,
    /// The simulator e.
    pub simulator: Simulator,
    /// The decoder d.
    pub decoder: TellingDecoder,
    /// Of smashed data, and of images where they count.
    judges: [Option<Discriminator>; 2],
    adam: [Adam; 4],
    /// λ₁ and λ₂.
    weights: [f64; 2],
}

/// Names of what the four optimisers train.
const TRAINED: [&str; 4] = ["simulator", "decoder", "smashed", "images"];

impl Workers {
    /// New ones for smashed data of this shape, without the batch.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit.
    pub fn new(knowledge: &Knowledge, settings: Settings, smashed: &[usize]) -> Result<Self> {
        let Knowledge { image, entry, classes, seed, .. } = *knowledge;
        let first = knowledge.auxiliary()?.range(0..1)?;
        let init = Init { seed, model: &knowledge.name, device: first.device() };
        let simulator = Simulator::new((entry.shape)(image), &knowledge.layers, init)?;
        let decoder = TellingDecoder::new(classes, smashed, image, init)?;
        let judge = |name, weight: f64, shape: &[usize]| {
            (weight > 0.0).then(|| Discriminator::new(name, classes, shape, init)).transpose()
        };
        let judges = [judge("judge", settings.lambda1, smashed)?, judge("critic", settings.lambda2, &image)?];
        let of = |parameters: &[&Parameters], rate| {
            let all = parameters.iter().flat_map(|one| one.trained()).map(|(name, var)| (name.clone(), var.clone()));
            Adam::of(all.collect::<Vec<_>>(), AdamSettings::new(rate))
        };
        let its = |judge: &Option<Discriminator>, rate| {
            of(&judge.iter().map(|one| &one.parameters).collect::<Vec<_>>(), rate)
        };
        let adam = [
            of(&[&simulator.parameters], settings.rate),
            of(&decoder.parameters(), settings.decoder_rate),
            its(&judges[0], settings.rate * settings.lambda1),
            its(&judges[1], settings.decoder_rate * settings.lambda2),
        ];
        Ok(Self {
            smashed: smashed.to_vec(),
            simulator,
            decoder,
            judges,
            adam,
            weights: [settings.lambda1, settings.lambda2],
        })
    }

    fn parameters(&self) -> Vec<&Parameters> {
        let judges = self.judges.iter().flatten().map(|judge| &judge.parameters);
        [&self.simulator.parameters].into_iter().chain(self.decoder.parameters()).chain(judges).collect()
    }

    /// Keeps all of them.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn put_in(&self, state: &mut State) -> Result<()> {
        state.put_wholes("smashed", &self.smashed)?;
        for parameters in self.parameters() {
            let shared = parameters.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
            state.put_all("weights.", shared.collect());
        }
        for (name, adam) in TRAINED.iter().zip(&self.adam) {
            state.put_all(&format!("adam.{name}."), adam.state()?);
        }
        Ok(())
    }

    /// Those that [`Self::put_in`] kept; none if there were none.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another attack.
    pub fn of_state(knowledge: &Knowledge, settings: Settings, state: &State) -> Result<Option<Self>> {
        if !state.has("smashed") {
            return Ok(None);
        }
        let mut this = Self::new(knowledge, settings, &state.wholes("smashed")?)?;
        let weights = state.all("weights.");
        this.parameters().into_iter().try_for_each(|parameters| parameters.load(&weights))?;
        for (name, adam) in TRAINED.iter().zip(&mut this.adam) {
            adam.load(&state.all(&format!("adam.{name}.")))?;
        }
        Ok(Some(this))
    }

    /// One iteration against what the victim sent, with `server`, which has learnt from that already: the simulator, its
    /// discriminator, then on what the simulator sends now the decoder and its discriminator. The decoder's loss.
    ///
    /// # Errors
    /// Returns an error if the losses stop being finite.
    pub fn iterate(
        &mut self,
        knowledge: &Knowledge,
        stand_in: Option<&StandIn>,
        victims: &Victims,
        server: &Network,
        iteration: usize,
    ) -> Result<f64> {
        let (own, n) = (knowledge.auxiliary()?, victims.labels.len());
        let mut stream = knowledge.stream("batch", iteration as u64);
        let kept = super::learnt_from(own.len());
        let rows: Vec<usize> = (0..n).map(|_| stream.below(kept)).collect();
        let x = own.batch(&rows)?;
        let labels: Vec<u32> = rows.iter().map(|row| own.labels().map(|all| all[*row])).collect::<Result<_>>()?;
        let input =
            stand_in.map_or_else(|| (knowledge.entry.enter)(&x, None), |one| one.input(&x, &rows, iteration))?;
        let simulator = self.simulator.network.clone();
        let send = || -> Result<Tensor> {
            let z = simulator.forward(&input)?;
            stand_in.map_or(Ok(z.clone()), |one| one.up(&z, &rows, iteration))
        };
        let mine = |smashed| Victims { smashed, labels: labels.clone() };
        let loss = self.simulate(send, server, victims, &mine, &mut stream)?;
        let z = send()?.detach();
        let decoded = self.decode(&mine(z), &x, victims, &mut stream)?;
        if !(loss.is_finite() && decoded.is_finite()) {
            return Err(Error::Diverged(format!("sdar: the losses are {loss} and {decoded} at iteration {iteration}")));
        }
        Ok(decoded)
    }

    /// Simulator: CE(g(e(x̄)), ȳ) + λ₁ BCE(1, D(e(x̄), ȳ)); its discriminator on both.
    fn simulate(
        &mut self,
        send: impl Fn() -> Result<Tensor>,
        server: &Network,
        victims: &Victims,
        mine: &impl Fn(Tensor) -> Victims,
        stream: &mut Stream,
    ) -> Result<f64> {
        let mut tape = Tape::default();
        let z = tape.record(&send)?;
        let sent = Var::from_tensor(&z.detach())?;
        let labels = mine(z.detach()).labels;
        let truth = Tensor::from_vec(labels.clone(), labels.len(), z.device())?;
        let mut through = Tape::default();
        let loss = through.record(|| Ok::<_, Error>(cross_entropy(&server.forward(&sent)?, &truth)?))?;
        let mut slope = through.backward(&loss)?.remove(&sent).ok_or_else(missing)?;
        if let Some(judge) = &self.judges[0] {
            let (gradients, fooled) =
                judged(judge, victims, &Victims { smashed: sent.as_tensor().clone(), labels }, &sent, stream)?;
            slope = (slope + (fooled * self.weights[0])?)?;
            self.adam[2].step(&gradients)?;
        }
        let end = tape.record(|| carry_on(&z, &slope))?;
        self.adam[0].step(&tape.backward(&end)?)?;
        tape.settle()?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    /// Decoder: mean (d(z̄, ȳ) − x̄)² + λ₂ BCE(1, D(d(z, y), y)); its discriminator on images of its own and those.
    fn decode(&mut self, mine: &Victims, x: &Tensor, victims: &Victims, stream: &mut Stream) -> Result<f64> {
        let mut tape = Tape::default();
        let got = tape.record(|| self.decoder.forward(&mine.smashed, &mine.labels))?;
        let apart = (got.detach() - x)?;
        let end = tape.record(|| carry_on(&got, &(&apart * (2.0 / apart.elem_count() as f64))?))?;
        let mut gradients = tape.backward(&end)?;
        if let Some(judge) = &self.judges[1] {
            let mut tape = Tape::default();
            let stolen = tape.record(|| self.decoder.forward(&victims.smashed, &victims.labels))?;
            let shown = Var::from_tensor(&stolen.detach())?;
            let theirs = Victims { smashed: shown.as_tensor().clone(), labels: victims.labels.clone() };
            let real = Victims { smashed: x.clone(), labels: mine.labels.clone() };
            let (own, fooled) = judged(judge, &real, &theirs, &shown, stream)?;
            let end = tape.record(|| carry_on(&stolen, &(fooled * self.weights[1])?))?;
            let more = tape.backward(&end)?;
            for (_, var) in self.decoder.parameters().into_iter().flat_map(Parameters::trained) {
                if let (Some(first), Some(more)) = (gradients.get(var), more.get(var)) {
                    let sum = (first + more)?;
                    gradients.insert(var, sum);
                }
            }
            self.adam[3].step(&own)?;
        }
        self.adam[1].step(&gradients)?;
        Ok(f64::from(apart.sqr()?.mean_all()?.to_scalar::<f32>()?))
    }
}

/// A discriminator's pass over what it is to call real and what it is not: the gradients of BCE(1, real) + BCE(0, made) by
/// its weights, and that of BCE(1, made) by `by`, which is what is made.
fn judged(
    judge: &Discriminator,
    real: &Victims,
    made: &Victims,
    by: &Var,
    stream: &mut Stream,
) -> Result<(GradStore, Tensor)> {
    let mut tape = Tape::default();
    let logits = [real, made].map(|one| tape.record(|| judge.forward(&one.smashed, &one.labels, stream)));
    let [real, made] = logits;
    let (real, made) = (real?, made?);
    let n = real.dim(0)? as f64;
    let toward = |logits: &Tensor, truth: f64| -> Result<Tensor> { Ok(((sigmoid(&logits.detach())? - truth)? / n)?) };
    let mut back = |logits: &Tensor, slope: &Tensor| -> Result<GradStore> {
        let end = tape.record(|| carry_on(logits, slope))?;
        Ok(tape.backward(&end)?)
    };
    let fooled = back(&made, &toward(&made, 1.0)?)?.remove(by).ok_or_else(missing)?;
    let (mut gradients, more) = (back(&real, &toward(&real, 1.0)?)?, back(&made, &toward(&made, 0.0)?)?);
    for (_, var) in judge.parameters.trained() {
        if let (Some(first), Some(more)) = (gradients.get(var), more.get(var)) {
            let sum = (first + more)?;
            gradients.insert(var, sum);
        }
    }
    Ok((gradients, fooled))
}

fn missing() -> Error {
    Error::Internal("a gradient is missing in sdar".into())
}
