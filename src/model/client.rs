//! The hospital's side: the first layers, and what a defence adds to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::network::Network;
use super::optimiser::{Optimiser, OptimiserSettings};
use super::parameters::{Init, Parameters};
use super::spec::LayerSpec;
use super::wire::{CutGradient, Smashed};
use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};

/// The client party: its layers and its own optimiser.
#[derive(Debug)]
pub struct Client {
    parameters: Parameters,
    body: Network,
    optimiser: Optimiser,
    /// The graph of the smashed data that was sent last, until its gradient comes back.
    sent: Option<(Tensor, Tape)>,
}

/// What a client is made of.
#[derive(Clone, Copy, Debug)]
pub struct ClientPlan<'a> {
    /// The client's layers.
    pub layers: &'a [LayerSpec],
    /// What the first of them sees, without the batch.
    pub input: [usize; 3],
    /// Shape of the smashed data, without the batch.
    pub smashed: &'a [usize],
    /// Number of classes.
    pub classes: usize,
    /// What an image of each class counts in a loss; all alike without.
    pub class_weights: Option<&'a Arc<[f64]>>,
}

impl Client {
    /// A client with fresh weights; `equip` adds those that its layers have not.
    ///
    /// # Errors
    /// Returns an error if the layers do not fit each other, or that of `equip`.
    pub fn new(
        plan: &ClientPlan<'_>,
        optimiser: OptimiserSettings,
        init: Init<'_>,
        equip: impl FnOnce(&mut Parameters) -> Result<()>,
    ) -> Result<Self> {
        let mut parameters = Parameters::default();
        Network::init("client", &plan.input, plan.layers, &mut parameters, init)?;
        equip(&mut parameters)?;
        Ok(Self {
            body: Network::of("client", plan.layers, &parameters)?,
            optimiser: Optimiser::new(&parameters, optimiser),
            parameters,
            sent: None,
        })
    }

    /// The client's weights, `client.0.weight` and so on.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The client's layers for passes that do not train them.
    pub fn body(&self) -> Network {
        self.body.frozen()
    }

    /// The client's layers for passes in which gradients of their weights are asked for and nothing else changes.
    pub fn evaluated(&self) -> Network {
        self.body.evaluated()
    }

    /// A step on a loss of the client's own, which it makes of its layers. Running statistics stay those of what is
    /// sent. The loss.
    ///
    /// # Errors
    /// Returns the error of `loss`.
    pub fn learn_own(&mut self, loss: impl FnOnce(&Network) -> Result<Tensor>) -> Result<f64> {
        let body = self.body.unrecorded();
        let mut tape = Tape::default();
        let loss = tape.record(|| loss(&body))?;
        self.optimiser.step(&tape.backward(&loss)?)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    /// Smashed data for the wire, its graph kept until the gradient comes back. `layers` are the layers for this pass, and `up`
    /// is what becomes of their output before it is sent.
    ///
    /// # Errors
    /// Returns an error if the input does not fit.
    pub fn send(
        &mut self,
        input: &Tensor,
        layers: impl FnOnce(Network) -> Result<Network>,
        up: impl FnOnce(Tensor) -> Result<Tensor>,
    ) -> Result<Smashed> {
        let mut tape = Tape::default();
        let z = tape.record(|| up(layers(self.body.clone())?.forward(input)?))?;
        let smashed = Smashed::new(&z);
        self.sent = Some((z, tape));
        Ok(smashed)
    }

    /// Smashed data for the wire, without a graph: nothing is learnt from it.
    ///
    /// # Errors
    /// Returns an error if the input does not fit.
    pub fn send_to_ask(
        &self,
        input: &Tensor,
        layers: impl FnOnce(Network) -> Result<Network>,
        up: impl FnOnce(Tensor) -> Result<Tensor>,
    ) -> Result<Smashed> {
        Ok(Smashed::new(&up(layers(self.body())?.forward(input)?)?))
    }

    /// Goes on from the gradient that came back: backward through the client's layers and one step, unless `change`,
    /// which sees the gradients first, refuses it.
    ///
    /// # Errors
    /// Returns an error if nothing was sent, or that of `change`.
    pub fn receive(
        &mut self,
        gradient: &CutGradient,
        change: impl FnOnce(&Parameters, &mut GradStore) -> Result<bool>,
    ) -> Result<()> {
        let sent = self.sent.take().ok_or_else(|| Error::Internal("a gradient came back for nothing sent".into()))?;
        let (z, mut tape) = sent;
        let end = tape.record(|| carry_on(&z, gradient.tensor()))?;
        let mut gradients = tape.backward(&end)?;
        tape.settle()?;
        if change(&self.parameters, &mut gradients)? { self.optimiser.step(&gradients) } else { Ok(()) }
    }

    /// Whether every operation that led to what was sent last is on its tape.
    pub fn covers_sent(&self) -> bool {
        self.sent.as_ref().is_some_and(|(z, tape)| tape.covers(z))
    }

    /// Learns at `factor` times its rate from now on.
    pub fn pace(&mut self, factor: f64) {
        self.optimiser.pace(factor);
    }

    /// The optimiser's state, for a checkpoint.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.optimiser.state()
    }

    /// Takes back the optimiser's state.
    ///
    /// # Errors
    /// Returns an error if it is another model's.
    pub fn load_optimiser(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.optimiser.load(state)
    }
}
