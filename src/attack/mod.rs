//! Model-inversion attacks: from the wire back to the image.
//!
//! The threat model is in the types. An attack is made from an [`Observation`], what it saw on the
//! wire, and [`Knowledge`], what it is declared to know. The victim's images are reachable from
//! neither, so an attack that cheats does not compile, for want of a method (E0599) and of nothing else:
//!
//! ```
//! use cutlayer::attack::Observation;
//! fn listen(seen: &Observation) -> candle_core::Tensor {
//!     seen.smashed().tensor().clone()
//! }
//! ```
//!
//! ```compile_fail,E0599
//! use cutlayer::attack::Observation;
//! fn cheat(seen: &Observation) -> candle_core::Tensor {
//!     seen.images().clone() // there is no such thing
//! }
//! ```
//!
//! Scores are computed elsewhere ([`crate::run::attacks`]), where the truth is known; an attack picks
//! what it hands over by its own loss or its own auxiliary images, never by the score.

pub mod adversarial;
pub mod decoder;
pub mod inverse;
pub mod rmle;
pub mod surrogate;
pub mod undo;

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::wire::Smashed;
use crate::psgl::Options;
use crate::psgl::downsample::pack_clean;
use crate::random::{Seed, Stream};

/// What the attacker saw on the wire.
#[derive(Clone, Debug)]
pub struct Observation {
    smashed: Smashed,
}

impl Observation {
    /// Listens to this.
    pub fn new(smashed: Smashed) -> Self {
        Self { smashed }
    }

    /// The smashed data.
    pub fn smashed(&self) -> &Smashed {
        &self.smashed
    }
}

/// Images of the same kind as the victim's, that the attacker has (never trained on by the victim, never scored).
#[derive(Clone, Debug)]
pub struct Auxiliary {
    /// (N, C, H, W) in [0, 1].
    pub images: Tensor,
    /// (N), u32.
    pub labels: Tensor,
}

/// What the attacker is declared to know.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// Shape of the images (C, H, W).
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// The client's layers: their weights, or f as an oracle.
    pub client: Option<Network>,
    /// Whether the client's first layer sees packed images (its architecture, known to all attackers).
    pub packs: bool,
    /// Auxiliary images.
    pub auxiliary: Option<Auxiliary>,
    /// PSGL's settings. With them an attack is adaptive, without it is naive.
    pub defence: Option<Options>,
    /// Where the attack's randomness comes from …
    pub seed: Seed,
    /// … and the name under which it is drawn.
    pub name: String,
}

impl Knowledge {
    /// The client's layers.
    ///
    /// # Errors
    /// Where they are not known.
    pub fn client(&self) -> Result<&Network> {
        self.client.as_ref().ok_or_else(|| Error::Internal("this attack needs the client's weights".into()))
    }

    /// The auxiliary images.
    ///
    /// # Errors
    /// Where there are none.
    pub fn auxiliary(&self) -> Result<&Auxiliary> {
        self.auxiliary.as_ref().ok_or_else(|| Error::input("this attack needs auxiliary images: raise data.aux"))
    }

    /// What an undefended client would send for these images.
    ///
    /// # Errors
    /// Where the client is not known.
    pub fn smash(&self, x: &Tensor) -> Result<Tensor> {
        let client = self.client()?;
        if self.packs { client.forward(&pack_clean(x)?) } else { client.forward(x) }
    }

    /// A random stream of the attack's own.
    pub fn stream(&self, purpose: &str, index: u64) -> Stream {
        self.seed.stream(&format!("attack.{}.{purpose}", self.name), index)
    }
}

/// A running attack. It works in slices of a few milliseconds, so that it can be watched, paused and stopped.
pub trait Inversion: Send {
    /// One slice of work; does nothing once [`Inversion::done`].
    ///
    /// # Errors
    /// Where the numbers stop being finite.
    fn advance(&mut self) -> Result<()>;

    /// Iterations done and planned.
    fn progress(&self) -> (usize, usize);

    /// Whether all of them are done.
    fn done(&self) -> bool {
        let (done, planned) = self.progress();
        done >= planned
    }

    /// The attacker's own loss, which falls as it gets on.
    fn loss(&self) -> f64;

    /// The reconstruction now (N, C, H, W), of every observed sample.
    ///
    /// # Errors
    /// Where there is no memory left.
    fn reconstruction(&self) -> Result<Tensor>;

    /// That of the first sample alone (C, H, W), for those who watch.
    ///
    /// # Errors
    /// Where there is no memory left.
    fn first(&self) -> Result<Tensor> {
        Ok(self.reconstruction()?.get(0)?)
    }

    /// What the trained attack makes of other smashed data; none for attacks that optimise each image anew.
    ///
    /// # Errors
    /// Where z does not fit.
    fn reconstruct(&self, _other: &Smashed) -> Result<Option<Tensor>> {
        Ok(None)
    }
}
