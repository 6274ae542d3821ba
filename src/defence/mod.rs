//! Defences: what a client, and with it the server, does so that what crosses the wire tells less of the image.
//!
//! A defence is one file (or folder) with its [`Kind`]; [`workbench`](mod@crate::workbench) lists them. Several stand in a
//! stack, called in turn. At work a defence is a [`Defence`]: hooks along the way of an image and back, each of which
//! passes through what it is given unless the defence says otherwise. What an attacker can make of knowing a defence is
//! its [`Imitation`](imitation::Imitation).

pub mod auxiliary;
pub mod binarise;
pub mod cem;
pub mod clip;
pub mod dropout;
pub mod entry;
pub mod gaussian;
pub mod image_noise;
pub mod imitation;
pub mod kind;
pub mod laplace;
pub mod noise;
pub mod nopeek;
pub mod orthogonal;
pub mod psgl;
pub mod quantise;
pub mod ressfl;
pub mod rows;
pub mod rowwise;
pub mod stack;
pub mod top_k;
pub mod weight_noise;

use std::collections::BTreeMap;
use std::fmt;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};

pub use entry::{Entry, Outgoing};
pub use kind::{Bytes, Control, Kind, Lever, Setup};
pub use stack::Stack;

use crate::data::Part;
use crate::error::Result;
use crate::model::client::{Client, ClientPlan};
use crate::model::network::Network;
use crate::model::parameters::{Init, Parameters};
use crate::model::seat::Seat;
use crate::model::server::{Body, ServerPlan};
use crate::model::wire::{Message, Smashed};
use crate::random::At;

/// A defence at work on one model. Every hook passes through unless told otherwise; a stack calls them in turn, those on
/// the way back in reverse. Hooks of one batch see the whole batch (N, …).
pub trait Defence: fmt::Debug + Send {
    /// Adds weights of its own to the client's, which the client's optimiser trains with the layers.
    ///
    /// # Errors
    /// Returns an error if it cannot do with such a client.
    fn equip(&mut self, _client: &ClientPlan<'_>, _parameters: &mut Parameters, _init: Init<'_>) -> Result<()> {
        Ok(())
    }

    /// What the server does with smashed data in place of its plain layers; the first of a stack that has one gives it.
    ///
    /// # Errors
    /// Returns an error if it cannot do with such a server.
    fn body(
        &self,
        _server: &ServerPlan<'_>,
        _parameters: &mut Parameters,
        _init: Init<'_>,
    ) -> Result<Option<Box<dyn Body>>> {
        Ok(None)
    }

    /// Who sits in the server's chair, given who would.
    fn seat(&self, seat: Box<dyn Seat>) -> Box<dyn Seat> {
        seat
    }

    /// A slice of what it does before the first training step, as learning something of its own; true once that is done,
    /// and from then on whenever it is asked again. What it has done so far belongs in its [`state`](Self::state): a run
    /// may be stopped in between.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read or does not fit.
    fn begin(&mut self, _pass: &mut Pass<'_>) -> Result<bool> {
        Ok(true)
    }

    /// The same before every epoch, counted from 0, the first included.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read or does not fit.
    fn epoch(&mut self, _pass: &mut Pass<'_>, _epoch: usize) -> Result<bool> {
        Ok(true)
    }

    /// A training step of the client's own, before it sends: its loss, if it takes one.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    fn own_step(&mut self, _client: &mut Client, _x: &Tensor, _labels: &Tensor, _at: At<'_>) -> Result<Option<f64>> {
        Ok(None)
    }

    /// What becomes of images before the client's first layer. What it asks the server for goes through `line`.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    fn image(&self, images: Outgoing, _line: &mut Line<'_>, _at: At<'_>) -> Result<Outgoing> {
        Ok(images)
    }

    /// The client's layers for a pass that is sent: as they are, or with other weights; differentiable by their own.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn layers(&self, layers: Network, _at: At<'_>) -> Result<Network> {
        Ok(layers)
    }

    /// What becomes of the labels that the server is told (N).
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn labels(&self, labels: Tensor, _at: At<'_>) -> Result<Tensor> {
        Ok(labels)
    }

    /// What becomes of the client's last output before it is sent; differentiable.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn up(&self, z: Tensor, _at: At<'_>) -> Result<Tensor> {
        Ok(z)
    }

    /// Size σ of the noise that this adds to each number on the wire, which has the Fisher information 1/σ² of it; none without.
    fn noise(&self) -> Option<f64> {
        None
    }

    /// What the server makes of it again before its layers; differentiable.
    ///
    /// # Errors
    /// Returns an error if the payload does not fit.
    fn arrive(&self, payload: Tensor) -> Result<Tensor> {
        Ok(payload)
    }

    /// A gradient of the client's own by what it sent, beside the server's: of a loss that only it computes.
    ///
    /// # Errors
    /// Returns an error if the batch does not fit.
    fn own_gradient(&mut self, _x: &Tensor, _sent: &Smashed, _labels: &Tensor, _at: At<'_>) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// What the server, or whoever owns the labels, makes of the gradient before it goes down.
    ///
    /// # Errors
    /// Returns an error if it does not fit.
    fn answer(&self, gradient: Tensor, _at: At<'_>) -> Result<Tensor> {
        Ok(gradient)
    }

    /// What the client makes of the gradient that came down.
    ///
    /// # Errors
    /// Returns an error if it does not fit.
    fn down(&self, gradient: Tensor, _at: At<'_>) -> Result<Tensor> {
        Ok(gradient)
    }

    /// Changes the gradients by the client's weights before its step; false leaves the step out.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn learn(&mut self, _client: &Parameters, _gradients: &mut GradStore, _at: At<'_>) -> Result<bool> {
        Ok(true)
    }

    /// What a checkpoint keeps of it besides the weights it added.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        Ok(BTreeMap::new())
    }

    /// Takes back what [`Self::state`] gave.
    ///
    /// # Errors
    /// Returns an error if it is another defence's.
    fn load(&mut self, _state: &BTreeMap<String, Tensor>) -> Result<()> {
        Ok(())
    }
}

/// What a defence has at hand while nothing is sent: the client, and all that it is trained with.
#[derive(Debug)]
pub struct Pass<'a> {
    /// The client.
    pub client: &'a mut Client,
    /// How images enter its first layer.
    pub entry: &'static Entry,
    /// The training images.
    pub images: &'a Part,
    /// Where the networks run.
    pub device: &'a Device,
}

impl Pass<'_> {
    /// What the client's layers, as they are, make of the training images at `places`, before any defence, and the
    /// images' classes: (n, …) and (n). Nothing is learnt from it.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read or does not fit.
    pub fn smash(&self, places: &[usize]) -> Result<(Tensor, Tensor)> {
        let (x, labels) = self.images.batch(places, self.device)?;
        let input = Outgoing::clean(&x).input(self.entry)?;
        Ok((self.client.body().forward(&input)?, labels))
    }
}

/// The parties while images are prepared: the client as it is, and a server that can be asked.
#[derive(Debug)]
pub struct Line<'a> {
    /// The client.
    pub client: &'a Client,
    /// The server; what it is asked and answers has to stand in `crossed`.
    pub server: &'a dyn Seat,
    /// What crossed for the preparation.
    pub crossed: Vec<Message>,
}

#[cfg(test)]
mod tests;
