//! Model-inversion attacks: from the wire back to the image.
//!
//! The threat model is in the types. An attack is made from [`Evidence`], what it saw on the wire, and [`Knowledge`], both
//! with no more in them than its kind declares. The victim's images are reachable from neither, so an attack that cheats
//! does not compile, for want of a method (E0599) and of nothing else:
//!
//! ```
//! use cutlayer::attack::Evidence;
//! fn listen(seen: &Evidence) -> cutlayer::error::Result<candle_core::Tensor> {
//!     Ok(seen.smashed()?.tensor().clone())
//! }
//! ```
//!
//! ```compile_fail,E0599
//! use cutlayer::attack::Evidence;
//! fn cheat(seen: &Evidence) -> candle_core::Tensor {
//!     seen.images().clone() // there is no such thing
//! }
//! ```
//!
//! Scores are computed elsewhere ([`crate::run::attack_job`]), where the truth is known; an attack picks
//! what it hands over by its own loss or its own auxiliary images, never by the score.

pub mod adversarial;

pub mod analytic;
pub mod dlg;
mod evidence;
#[cfg(test)]
mod fixture;
pub mod fsha;
#[cfg(test)]
mod golden;
mod guess;
pub mod idlg;
pub mod insider;
pub mod inverse;
pub mod inverting;
pub mod kind;
mod knowledge;
mod learner;
mod likeness;
mod make;
pub mod matching;
pub mod nearest;
mod outcome;
pub mod prior;
pub mod rmle;
pub mod sdar;
pub mod shadow;
mod stand_in;
pub mod threat_model;
mod training;
pub mod unsplit;

use std::fmt;

use candle_core::Tensor;

pub use evidence::{Evidence, WeightGradients};
pub use knowledge::{Knowledge, Oracle, form};
pub use learner::Learner;
pub use outcome::Outcome;
pub use training::{Heard, TrainingAttack};

pub use crate::defence::auxiliary::Auxiliary;
use crate::error::{Error, Result};
use crate::model::wire::Smashed;
use crate::state::{State, wrong};

/// Why an attacker may not have done its best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// It took fewer steps than any such attack needs.
    FewSteps {
        /// Taken.
        done: usize,
        /// The fewest that are enough.
        least: usize,
    },
    /// Its own loss was still falling: over its last fifth by so much, in percent of what it was to begin with.
    StillFalling(f64),
    /// On images of its own that were held out it is no better than a guess from the label.
    NoBetterThanGuessing,
    /// What it found leaves so much of the gradient that it matched unexplained, in percent.
    Unexplained(f64),
    /// Its critic still tells the victim's smashed data from its own, in so many percent of pairs; 50 is chance.
    ToldApart(f64),
    /// It hands over images that it had already, so others may get more.
    OnlyOwnImages,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewSteps { done, least } => write!(f, "it took only {done} steps, {least} are the fewest"),
            Self::StillFalling(percent) => {
                write!(f, "its own loss was still falling, in its last fifth by {percent:.1} % of what it began with")
            }
            Self::NoBetterThanGuessing => {
                write!(f, "on images of its own that were held out it is no better than a guess from the label")
            }
            Self::Unexplained(percent) => {
                write!(f, "what it found leaves {percent:.0} % of the gradient unexplained")
            }
            Self::ToldApart(percent) => write!(
                f,
                "its critic still tells the victim's smashed data from its own, in {percent:.0} % of pairs where 50 is chance"
            ),
            Self::OnlyOwnImages => write!(f, "it hands over images that it had already, so others may get more"),
        }
    }
}

impl Doubt {
    /// Keeps a doubt, or that there is none.
    ///
    /// # Errors
    /// Returns an error if the tensor cannot be made.
    pub fn put_in(state: &mut State, name: &str, doubt: Option<Self>) -> Result<()> {
        let numbers = match doubt {
            None => [0.0; 3],
            Some(Self::FewSteps { done, least }) => [1.0, done as f64, least as f64],
            Some(Self::StillFalling(percent)) => [2.0, percent, 0.0],
            Some(Self::NoBetterThanGuessing) => [3.0, 0.0, 0.0],
            Some(Self::OnlyOwnImages) => [4.0, 0.0, 0.0],
            Some(Self::Unexplained(percent)) => [5.0, percent, 0.0],
            Some(Self::ToldApart(percent)) => [6.0, percent, 0.0],
        };
        state.put_reals(name, &numbers)
    }

    /// The doubt that [`Self::put_in`] kept.
    ///
    /// # Errors
    /// Returns an error if there is none of this name.
    pub fn of_state(state: &State, name: &str) -> Result<Option<Self>> {
        let [kind, a, b] = state.few(name, State::reals)?;
        Ok(match kind as u8 {
            0 => None,
            1 => Some(Self::FewSteps { done: a as usize, least: b as usize }),
            2 => Some(Self::StillFalling(a)),
            3 => Some(Self::NoBetterThanGuessing),
            4 => Some(Self::OnlyOwnImages),
            5 => Some(Self::Unexplained(a)),
            6 => Some(Self::ToldApart(a)),
            _ => return Err(wrong(name)),
        })
    }
}

/// Steps below which no attack here can have converged.
const LEAST_STEPS: usize = 100;
/// A loss that falls by less over the last fifth, in percent of what the attack began with, has settled.
const SETTLED_PERCENT: f64 = 1.0;
/// After how many steps it is looked at whether a search has settled.
const LOOKED_AT: usize = 25;

/// What the losses of all steps tell: whether there were enough, and whether they had settled. `begin` is what a loss is
/// compared with: that of a guess.
pub(crate) fn doubt_of(losses: &[f64], begin: f64) -> Option<Doubt> {
    let n = losses.len();
    if n < LEAST_STEPS {
        return Some(Doubt::FewSteps { done: n, least: LEAST_STEPS });
    }
    let percent = 100.0 * fell(losses) / begin.max(f64::MIN_POSITIVE);
    (percent > SETTLED_PERCENT).then_some(Doubt::StillFalling(percent))
}

/// Whether a search may end by its own loss: it fell over the last fifth of its steps by less than `percent` of what it began
/// with. Looked at once in a while, since losses go up and down; never where `percent` is 0.
pub(crate) fn settled(losses: &[f64], percent: f64) -> bool {
    let (n, begin) = (losses.len(), losses.first().copied().unwrap_or(f64::NAN));
    percent > 0.0 && n >= LEAST_STEPS && n.is_multiple_of(LOOKED_AT) && 100.0 * fell(losses) < percent * begin
}

/// By how much losses fell from the last fifth but one to the last.
fn fell(losses: &[f64]) -> f64 {
    let (n, fifth) = (losses.len(), losses.len() / 5);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    mean(&losses[n - 2 * fifth..n - fifth]) - mean(&losses[n - fifth..])
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

    /// Why the attacker may not have done its best, as far as it can tell by itself once it is done; none where it
    /// converged. A doubted attack can break a defence, never show that it held.
    ///
    /// # Errors
    /// Returns an error if the attacker cannot check itself.
    fn doubt(&self) -> Result<Option<Doubt>>;

    /// What it hands over now, of every observed sample.
    ///
    /// # Errors
    /// Where there is no memory left.
    fn outcome(&self) -> Result<Outcome>;

    /// The images of that alone (N, C, H, W).
    ///
    /// # Errors
    /// Returns an error if it makes none.
    fn reconstruction(&self) -> Result<Tensor> {
        self.outcome()?.images.ok_or_else(|| Error::input("this attack makes no images"))
    }

    /// The image of the first sample alone (C, H, W), for those who watch; none where it makes none.
    ///
    /// # Errors
    /// Where there is no memory left.
    fn first(&self) -> Result<Option<Tensor>> {
        Ok(self.outcome()?.images.map(|images| images.get(0)).transpose()?)
    }

    /// Everything that is needed to go on from here, for [`Inversion::load`]: what is cheaper to make again from the same
    /// evidence and knowledge stays out. None where the attack had better begin again, as one of a single slice may.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    fn state(&self) -> Result<Option<State>> {
        Ok(None)
    }

    /// Goes on from what [`Inversion::state`] gave, of an attack that was made from the same evidence, knowledge and
    /// settings as this one.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another attack; this one is then good for nothing.
    fn load(&mut self, _state: &State) -> Result<()> {
        Err(Error::input("this attack does not go on from a state"))
    }

    /// Starts from an image (1, C, H, W) that is near what is searched, in place of the usual one. False where the attack
    /// has no such start.
    ///
    /// # Errors
    /// Returns an error if the image has another shape.
    fn start_from(&mut self, _image: &Tensor) -> Result<bool> {
        Ok(false)
    }

    /// What the trained attack makes of other smashed data; none for attacks that optimise each image anew.
    ///
    /// # Errors
    /// Where z does not fit.
    fn reconstruct(&self, _other: &Smashed) -> Result<Option<Tensor>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_comes_back_from_a_state() {
        let mut state = State::default();
        for doubt in [
            None,
            Some(Doubt::FewSteps { done: 3, least: 100 }),
            Some(Doubt::StillFalling(2.5)),
            Some(Doubt::NoBetterThanGuessing),
            Some(Doubt::OnlyOwnImages),
            Some(Doubt::Unexplained(7.5)),
            Some(Doubt::ToldApart(97.0)),
        ] {
            Doubt::put_in(&mut state, "doubt", doubt).unwrap();
            assert_eq!(Doubt::of_state(&state, "doubt").unwrap(), doubt);
        }
    }

    #[test]
    fn losses_tell_whether_an_attack_has_settled() {
        let falling = |n: usize, rate: f64| (0..n).map(|i| (-rate * i as f64).exp()).collect::<Vec<_>>();
        assert_eq!(doubt_of(&falling(20, 1.0), 1.0), Some(Doubt::FewSteps { done: 20, least: 100 }));
        // Half of the way in five hundred steps: still far to go.
        assert!(matches!(doubt_of(&falling(500, 0.0014), 1.0), Some(Doubt::StillFalling(percent)) if percent > 5.0));
        assert_eq!(doubt_of(&falling(500, 0.05), 1.0), None);
        assert_eq!(doubt_of(&[0.3; 200], 0.0), None);
        let words = Doubt::FewSteps { done: 20, least: 100 }.to_string();
        assert_eq!(words, "it took only 20 steps, 100 are the fewest");
    }
}
