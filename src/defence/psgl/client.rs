//! PSGL on the client: its head, and the disguise of images before they are sent (METHOD §2.1–2.2).

use std::sync::Arc;

use candle_core::{Tensor, Var};

use super::downsample::pack_clean;
use super::saliency::{disguise, saliency_map};
use super::{Inference, Jacobian, Options, streams};
use crate::defence::{Defence, Line, Outgoing};
use crate::engine::linear::linear;
use crate::engine::loss::{carry_on, weighed_cross_entropy};
use crate::engine::pool::{Pool, pool};
use crate::engine::tape::flat;
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientPlan};
use crate::model::jacobian::{gradient, jacobian_rows};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::seat::Lift;
use crate::model::server::{Body, ServerPlan};
use crate::model::wire::{Crossing, Smashed};
use crate::random::At;

/// PSGL at work on one model.
#[derive(Debug)]
pub struct Guard {
    options: Options,
    /// Missing where the server gives the Jacobian.
    head: Option<Head>,
    /// What an image of each class counts in the head's loss; all alike without.
    class_weights: Option<Arc<[f64]>>,
}

/// The auxiliary head: max-pool 2 and a linear layer on z, never sent. Also what an attacker trains in its place.
#[derive(Clone, Debug)]
pub struct Head {
    weight: Tensor,
    bias: Tensor,
}

impl Head {
    /// Adds a head for smashed data of shape (C, H, W) to `parameters`, as `{name}.weight` and `.bias`.
    ///
    /// # Errors
    /// Returns an error if the smashed data have another rank.
    pub fn init(
        name: &str,
        smashed: &[usize],
        classes: usize,
        parameters: &mut Parameters,
        init: Init<'_>,
    ) -> Result<()> {
        let [channels, height, width] = *smashed else {
            return Err(Error::input(format!(
                "a head wants smashed data of channels × height × width, found {smashed:?}"
            )));
        };
        let side = Self::side(height, width);
        let features = channels * (height / side) * (width / side);
        parameters.add(name, &[classes, features], features, init)
    }

    /// The head whose weights are in `parameters`.
    ///
    /// # Errors
    /// Returns an error if they are missing.
    pub fn of(name: &str, parameters: &Parameters) -> Result<Self> {
        let get = |part| Ok::<_, Error>(parameters.get(&format!("{name}.{part}"))?.as_tensor().clone());
        Ok(Self { weight: get("weight")?, bias: get("bias")? })
    }

    /// Smashed data a pixel wide is not pooled.
    fn side(height: usize, width: usize) -> usize {
        2.min(height).min(width)
    }

    /// Smashed data (N, C, H, W) to logits (N, K).
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        let side = Self::side(z.dim(2)?, z.dim(3)?);
        Ok(linear(&flat(&pool(z, Pool::Max, side)?)?, &self.weight, &self.bias)?)
    }

    /// The same head for passes that do not train it.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { weight: self.weight.detach(), bias: self.bias.detach() }
    }
}

/// α and β of the images under a head on the client's layers; both networks frozen.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn head_jacobian(x: &Tensor, body: &Network, head: &Head) -> Result<(Tensor, Tensor)> {
    let (alpha, beta) = jacobian_rows(&pack_clean(x)?, |packed| head.forward(&body.forward(packed)?))?;
    let x = Var::from_tensor(&x.detach())?;
    let packed = pack_clean(&x)?;
    let back = |row: &Tensor| gradient(&carry_on(&packed, row)?, &x);
    Ok((back(&alpha)?, back(&beta)?))
}

/// Images attacked by the Jacobian's rows α and β, with their map.
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn disguised(x: &Tensor, alpha: &Tensor, beta: &Tensor, options: &Options) -> Result<Outgoing> {
    let map = saliency_map(alpha, beta, options.mirror)?;
    Ok(Outgoing { images: disguise(x, &map, options.strength)?, map: Some(map) })
}

impl Guard {
    /// PSGL with these choices; its head comes with the client's weights.
    pub fn new(options: Options) -> Self {
        Self { options, head: None, class_weights: None }
    }

    /// α and β of the images, from the client's own head or, the paper's way, from the server's fused stream, which is
    /// first sent clean smashed data.
    fn jacobian(&self, x: &Tensor, line: &mut Line<'_>) -> Result<(Tensor, Tensor)> {
        if let Some(head) = &self.head {
            return head_jacobian(x, &line.client.body(), &head.frozen());
        }
        let x = Var::from_tensor(&x.detach())?;
        let z = line.client.body().forward(&pack_clean(&x)?)?;
        let probe = Smashed::new(&z);
        let as_it_is: Lift<'_> = &|z| Ok(z.clone());
        let [predicted, all] = line.server.jacobian(&probe, as_it_is)?;
        line.crossed.extend([
            probe.message(Crossing::Probe),
            predicted.message(Crossing::Predicted),
            all.message(Crossing::AllClasses),
        ]);
        let back = |g: &Tensor| gradient(&carry_on(&z, g)?, &x);
        let alpha = back(predicted.tensor())?;
        let beta = (back(all.tensor())? - &alpha)?;
        Ok((alpha, beta))
    }
}

impl Defence for Guard {
    fn equip(&mut self, client: &ClientPlan<'_>, parameters: &mut Parameters, init: Init<'_>) -> Result<()> {
        self.class_weights = client.class_weights.cloned();
        if self.options.jacobian == Jacobian::Head {
            Head::init("client.head", client.smashed, client.classes, parameters, init)?;
            self.head = Some(Head::of("client.head", parameters)?);
        }
        Ok(())
    }

    fn body(
        &self,
        server: &ServerPlan<'_>,
        parameters: &mut Parameters,
        init: Init<'_>,
    ) -> Result<Option<Box<dyn Body>>> {
        // One stream is a server as it is, of the layers that it was given.
        if self.options.server.is_one() {
            return Ok(None);
        }
        Ok(Some(Box::new(streams::Streams::new(server, self.options, parameters, init)?)))
    }

    /// The head's own step on the clean packed images, which moves head **and** layers before the map is made.
    fn own_step(&mut self, client: &mut Client, x: &Tensor, labels: &Tensor, _at: At<'_>) -> Result<Option<f64>> {
        let Some(head) = &self.head else { return Ok(None) };
        let packed = pack_clean(x)?;
        let weights = self.class_weights.as_ref();
        let logits = |body: &Network| head.forward(&body.forward(&packed)?);
        client.learn_own(|body| Ok(weighed_cross_entropy(&logits(body)?, labels, weights)?)).map(Some)
    }

    fn image(&self, images: Outgoing, line: &mut Line<'_>, at: At<'_>) -> Result<Outgoing> {
        let asked_clean = matches!(at, At::Ask { .. }) && self.options.inference == Inference::Clean;
        if asked_clean || !self.options.attack {
            let map = Some(images.images.zeros_like()?);
            return Ok(Outgoing { map, ..images });
        }
        let (alpha, beta) = self.jacobian(&images.images, line)?;
        disguised(&images.images, &alpha, &beta, &self.options)
    }
}
