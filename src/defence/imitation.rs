//! What an attacker makes of knowing a defence: it learns to do to its own images what the client does to the victim's,
//! and to undo it.

use std::fmt;
use std::sync::Arc;

use candle_core::{Tensor, Var};

use super::auxiliary::Auxiliary;
use super::entry::{Entry, Outgoing};
use crate::error::Result;
use crate::model::jacobian;
use crate::model::network::Network;
use crate::random::{At, Seed, Stream};
use crate::state::State;

/// A known defence, as an attacker uses it.
pub trait Imitation: fmt::Debug + Send + Sync {
    /// What an attack that searches for images has to find beside them, if anything.
    fn unknown(&self, _images: &[usize; 4]) -> Option<Unknown> {
        None
    }

    /// What crosses on average for the output of the client's layers; differentiable. A search through a defence that
    /// draws compares with that (expectation over transformation).
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn up(&self, z: Tensor) -> Result<Tensor> {
        Ok(z)
    }

    /// What comes back to the client's output z of a gradient by what [`Self::up`] makes of it; differentiable by the gradient,
    /// with [`Self::up`]'s own derivative as a constant. As it is told here, a number depends on that number alone, as
    /// where all are scaled, moved or rounded; a defence that mixes them has its own way.
    ///
    /// # Errors
    /// Returns an error if the shapes differ.
    fn down(&self, z: &Tensor, gradient: Tensor) -> Result<Tensor> {
        let leaf = Var::from_tensor(&z.detach())?;
        let up = self.up(leaf.as_tensor().clone())?;
        if up.id() == leaf.id() { Ok(gradient) } else { Ok((gradient * jacobian::gradient(&up.sum_all()?, &leaf)?)?) }
    }

    /// Whether the gradient at the cut comes from the server's layers that see the smashed data as they are: only then is
    /// the client's own gradient a function that the attacker can compute.
    fn plain_way_down(&self) -> bool {
        true
    }

    /// What enters the client's first layer for images (N, C, H, W) and that unknown; differentiable by both.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    fn enter(&self, entry: &Entry, images: &Tensor, _unknown: Option<&Tensor>) -> Result<Tensor> {
        (entry.enter)(images, None)
    }

    /// The same without a disguise of images, for an attacker with a network of its own in the client's place: that network
    /// differs from the client's, and a disguise that is imitated on it is not the one that was used. None where there is no
    /// disguise.
    fn undisguised(&self) -> Option<Arc<dyn Imitation>> {
        None
    }

    /// Begins to learn what it takes from the attacker's own images.
    ///
    /// # Errors
    /// Returns an error if there are too few of them.
    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>>;
}

/// What is searched beside images. It is clamped to \[0, 1\].
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// Its shape, batch first.
    pub shape: Vec<usize>,
    /// The value that it begins with.
    pub start: f64,
}

/// What an attacker has to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The client's layers.
    pub client: &'a Network,
    /// How images enter them.
    pub entry: &'static Entry,
    /// Images of the attacker's own.
    pub images: &'a Auxiliary,
    /// Number of classes.
    pub classes: usize,
    /// Where its randomness comes from …
    pub seed: Seed,
    /// … and the name under which it is drawn.
    pub name: &'a str,
}

impl Own<'_> {
    /// What an undefended client would send for these images.
    ///
    /// # Errors
    /// Returns an error if they do not fit.
    pub fn smash(&self, x: &Tensor) -> Result<Tensor> {
        self.client.forward(&(self.entry.enter)(x, None)?)
    }

    /// A random stream of the attacker's own.
    pub fn stream(&self, purpose: &str, index: u64) -> Stream {
        attackers_stream(self.seed, self.name, purpose, index)
    }
}

/// A random stream of the attacker of this name.
pub fn attackers_stream(seed: Seed, name: &str, purpose: &str, index: u64) -> Stream {
    seed.stream(&format!("attack.{name}.{purpose}"), index)
}

/// An attacker that learns to imitate a defence, in slices.
pub trait Study: Send {
    /// How many slices it takes.
    fn planned(&self) -> usize;

    /// One slice; the imitator once all are done. `own` is what it began with.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn advance(&mut self, own: &Own<'_>) -> Result<Option<Arc<dyn Imitator>>>;

    /// How far it is.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    fn state(&self) -> Result<State>;

    /// Goes on from what [`Study::state`] gave.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another defence.
    fn load(&mut self, state: &State) -> Result<()>;

    /// The imitator whose [`Imitator::state`] this is, in place of learning again.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another defence.
    fn learnt(self: Box<Self>, state: &State) -> Result<Arc<dyn Imitator>>;
}

/// An attacker that has learnt to imitate a defence. Every step passes through unless told otherwise.
pub trait Imitator: Send + Sync {
    /// Images disguised as the client would, as far as the attacker can tell.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    fn image(&self, images: Outgoing, _at: At<'_>) -> Result<Outgoing> {
        Ok(images)
    }

    /// The client's layers as the client would use them.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn layers(&self, layers: Network, _at: At<'_>) -> Result<Network> {
        Ok(layers)
    }

    /// What the client would send for the output of its layers.
    ///
    /// # Errors
    /// Returns an error if z does not fit.
    fn up(&self, z: Tensor, _at: At<'_>) -> Result<Tensor> {
        Ok(z)
    }

    /// What it has learnt, for [`Study::learnt`].
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    fn state(&self) -> Result<State> {
        Ok(State::default())
    }

    /// The best way it knows to undo the disguise of images that were found, chosen on images of the attacker's own.
    ///
    /// # Errors
    /// Returns an error if the images do not fit.
    fn undoing(&self, _own: &Own<'_>) -> Result<Option<Box<dyn Undoing>>> {
        Ok(None)
    }
}

/// A way to undo a disguise.
pub trait Undoing: Send {
    /// Mends images (N, C, H, W) that were found with the unknown beside them.
    ///
    /// # Errors
    /// Returns an error if the shapes do not fit.
    fn undo(&self, images: &Tensor, unknown: &Tensor) -> Result<Tensor>;
}

/// For a defence of which there is nothing to learn: its imitator is there at once.
pub struct Known(pub Arc<dyn Imitator>);

impl Study for Known {
    fn planned(&self) -> usize {
        1
    }

    fn advance(&mut self, _own: &Own<'_>) -> Result<Option<Arc<dyn Imitator>>> {
        Ok(Some(self.0.clone()))
    }

    fn state(&self) -> Result<State> {
        Ok(State::default())
    }

    fn load(&mut self, _state: &State) -> Result<()> {
        Ok(())
    }

    fn learnt(self: Box<Self>, _state: &State) -> Result<Arc<dyn Imitator>> {
        Ok(self.0)
    }
}

/// Of a defence that changes what the client learns and nothing that crosses: there is nothing to imitate.
#[derive(Clone, Copy, Debug)]
pub struct Untouched;

impl Imitation for Untouched {
    fn study(&self, _: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(*self))))
    }
}

impl Imitator for Untouched {}

/// Images taken at once, so that neither memory nor waiting grows with their number.
pub const CHUNK: usize = 128;

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
