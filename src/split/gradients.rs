//! What a training step on a batch would change each party's weights by, without one being taken.
//!
//! In plain split learning neither party ever sees the other's; where clients share theirs, as split-fed training does,
//! whoever collects them does (Thapa et al. 2022).

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

use super::{SplitModel, arrive, layers, up};
use crate::engine::loss::{carry_on, weighed_cross_entropy};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::Parameters;
use crate::model::spec::LayerSpec;
use crate::model::wire::{CutGradient, Smashed};
use crate::random::At;

/// The stream of a server that sees the smashed data as they are, where there are several.
pub(crate) const ATTACKED: &str = "server.attacked";

impl SplitModel {
    /// The gradients of the mean loss over a batch of images (N, C, H, W) and labels (N), by every weight and bias of the
    /// client's layers and of the server's, each in the layers' order ([`Network::weights`]). The client's is of what it
    /// sends, the defences included, through the weights that they have it sent through, and of the gradient that would come down for it; the server's, of several streams,
    /// is of the one that sees the smashed data as they are. Normalised by running statistics, which do not move: as
    /// Geiping et al. 2020 take them. What a defence adds in the client's own step is not in it.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    pub fn weight_gradients(&self, x: &Tensor, labels: &Tensor, at: At<'_>) -> Result<[Vec<Tensor>; 2]> {
        let input = self.hide(x, at)?.outgoing.input(self.plan.entry())?;
        let told = self.defences.iter().try_fold(labels.clone(), |labels, defence| defence.labels(labels, at))?;
        let body = self.client.evaluated();
        let z = up(&self.defences, layers(&self.defences, body.clone(), at)?.forward(&input)?, at)?;
        let smashed = Smashed::new(&z);
        let lift = |z: &Tensor| arrive(&self.defences, z);
        let down = self.server.cut_gradient(&smashed, &told, &lift)?.tensor().clone();
        let down = self.defences.iter().rev().try_fold(down, |g, defence| defence.answer(g, at))?;
        let down = self.defences.iter().rev().try_fold(down, |g, defence| defence.down(g, at))?;
        let client = by_weights(&body, &carry_on(&z, CutGradient::new(&down).tensor())?.backward()?)?;
        let server = stream(self.server.parameters(), &self.plan.layers[self.plan.cut..])?.evaluated();
        // A leaf of its own, so that nothing goes back further.
        let arrived = Var::from_tensor(&lift(smashed.tensor())?.detach())?;
        let loss = weighed_cross_entropy(&server.forward(&arrived)?, &told, self.plan.class_weights.as_ref())?;
        Ok([client, by_weights(&server, &loss.backward()?)?])
    }
}

/// The server's layers that see the smashed data as they are.
fn stream(parameters: &Parameters, layers: &[LayerSpec]) -> Result<Network> {
    let streams = parameters.iter().any(|(name, _)| name.starts_with(ATTACKED));
    Network::of(if streams { ATTACKED } else { "server" }, layers, parameters)
}

fn by_weights(network: &Network, gradients: &GradStore) -> Result<Vec<Tensor>> {
    let missing = || Error::Internal("a weight has no gradient: the loss does not depend on it".into());
    network.weights().iter().map(|weight| Ok(gradients.get(weight).ok_or_else(missing)?.detach())).collect()
}
