//! Attacks that manipulate a diagnosis: they steal nothing, and move the image before the client sees it, or the smashed
//! data on the wire, by so little that nobody notices, until the answer is another (METHOD §3, §4).
//!
//! An attack is one file with its [`Kind`]; [`workbench`](mod@crate::workbench) lists them. At work it is an
//! [`Adversary`], made for a batch of inputs and a [`Target`]: what it can differentiate. The target is all that it knows.
//! *Naive*, that is the model as if it had no defence; *adaptive*, the whole way of an image through the defence, with
//! stand-ins for what has no derivative ([`View`]).
//!
//! No label is needed: an adversary leads away from what its target says of the input as it was. What came of it is
//! measured elsewhere ([`crate::run::diagnosis`]), by the real client and the real server.

mod ball;
pub mod fgsm;
pub mod jsma;
pub mod kind;
pub mod method;
pub mod pgd;
pub mod pgd_z;
pub mod table;
pub mod target;
mod view;

use candle_core::Tensor;

pub use kind::{Changes, Kind};
pub use target::{Stream, Target};
pub use view::View;

use crate::error::Result;
use crate::random::Seed;

/// What an adversary begins with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Inputs as they are: images (N, C, H, W) in \[0, 1\], or smashed data (N, …).
    pub input: &'a Tensor,
    /// The number of each, by which it draws: the same in any company.
    pub samples: &'a [usize],
    /// Where its randomness comes from.
    pub seed: Seed,
}

/// A running attack on a batch of inputs. It works in slices: one pass forward and back.
pub trait Adversary: Send {
    /// One slice; does nothing once [`Adversary::done`].
    ///
    /// # Errors
    /// Returns [`Error::Diverged`](crate::error::Error::Diverged) if the numbers stop being finite.
    fn advance(&mut self, target: &dyn Target) -> Result<()>;

    /// Slices done and planned.
    fn progress(&self) -> (usize, usize);

    /// Whether all of them are done.
    fn done(&self) -> bool {
        let (done, planned) = self.progress();
        done >= planned
    }

    /// The manipulated inputs, shaped as they came.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    fn outcome(&self) -> Result<Tensor>;
}

#[cfg(test)]
mod tests;
