//! The gradient that a client and a server would share for images, as the attacker can compute it.

use std::sync::Arc;

use candle_core::{Device, Tensor, Var};

use super::objective::loss_gradient;
use crate::attack::{Evidence, Knowledge};
use crate::defence::Entry;
use crate::defence::imitation::Imitation;
use crate::error::Result;
use crate::model::network::Network;
use crate::model::second::split_weight_gradients;

/// Both parties' layers, and what lies between.
pub struct Victim {
    client: Network,
    server: Network,
    entry: &'static Entry,
    defence: Option<Arc<dyn Imitation>>,
    /// (1, K); none where all classes count alike.
    class_weights: Option<Tensor>,
    /// Where the gradients that were seen are.
    pub device: Device,
    /// Number of classes.
    pub classes: usize,
    /// Shape of the images (C, H, W).
    pub image: [usize; 3],
}

impl Victim {
    /// With the weights that are known.
    ///
    /// # Errors
    /// Returns an error if they are not known.
    pub fn new(evidence: &Evidence, knowledge: &Knowledge) -> Result<Self> {
        let seen = evidence.server_gradients()?;
        let device = |t: &Tensor| t.device().clone();
        let device = seen.each.first().and_then(|all| all.first()).map_or(Device::Cpu, device);
        let row = |weights: &Arc<[f64]>| {
            let row: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
            Tensor::from_vec(row, (1, knowledge.classes), &device)
        };
        Ok(Self {
            client: knowledge.client()?.clone(),
            server: knowledge.server()?.clone(),
            entry: knowledge.entry,
            defence: knowledge.defence.clone(),
            class_weights: seen.class_weights.as_ref().map(row).transpose()?,
            device: device.clone(),
            classes: knowledge.classes,
            image: knowledge.image,
        })
    }

    /// The same as if it had no defence, where the client's own gradient cannot be followed through the one that it has.
    pub fn undefended(&self) -> Option<Self> {
        let Self { client, server, entry, class_weights, device, classes, image, .. } = self;
        (!self.follows_down()).then(|| Self {
            client: client.clone(),
            server: server.clone(),
            entry,
            defence: None,
            class_weights: class_weights.clone(),
            device: device.clone(),
            classes: *classes,
            image: *image,
        })
    }

    /// The defence, where it is known.
    pub fn defence(&self) -> Option<&dyn Imitation> {
        self.defence.as_deref()
    }

    /// Of what was seen of batch `i`, what [`Self::gradients`] are compared with: the client's and the server's, or the
    /// server's alone where the client's came another way than the attacker can follow.
    ///
    /// # Errors
    /// Returns an error if the attack does not declare to see them.
    pub fn compared(&self, evidence: &Evidence, i: usize) -> Result<Vec<Tensor>> {
        let (client, server) = (evidence.client_gradients()?, evidence.server_gradients()?);
        let client = client.each[i].iter().filter(|_| self.follows_down());
        Ok(client.chain(&server.each[i]).cloned().collect())
    }

    fn follows_down(&self) -> bool {
        self.defence().is_none_or(Imitation::plain_way_down)
    }

    /// Those for images (N, C, H, W), the defence's unknown beside them and classes (N, K) whose rows sum to 1: part of the
    /// graph of all three.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn gradients(&self, x: &Tensor, unknown: Option<&Var>, target: &Tensor) -> Result<Vec<Tensor>> {
        let input = match self.defence() {
            Some(defence) => defence.enter(self.entry, x, unknown.map(Var::as_tensor))?,
            None => (self.entry.enter)(x, None)?,
        };
        let up = |z: Tensor| self.defence().map_or(Ok(z.clone()), |defence| defence.up(z.clone()));
        let down = |z: &Tensor, g: Tensor| self.defence().map_or(Ok(g.clone()), |defence| defence.down(z, g.clone()));
        let loss = |logits: &Tensor| loss_gradient(logits, target, self.class_weights.as_ref());
        let [client, server] = split_weight_gradients(&self.client, &self.server, &input, up, down, loss)?;
        Ok(client.into_iter().filter(|_| self.follows_down()).chain(server).collect())
    }
}
