//! How an attack is made: after the fact from what was recorded, or to be at work in a training.

use super::{Evidence, Inversion, Knowledge, TrainingAttack};
use crate::error::{Error, Result};
use crate::setting::Values;

/// How an attack is made, and with that where it stands.
#[derive(Clone, Copy, Debug)]
pub enum Make {
    /// After the fact, from what it saw of its targets.
    FromEvidence(fn(&Evidence, &Knowledge, &Values) -> Result<Box<dyn Inversion>>),
    /// Before a training, in which it listens. It knows nobody's weights yet.
    Listening(fn(&Knowledge, &Values) -> Result<Box<dyn TrainingAttack>>),
    /// Before a training, in which it takes the server's chair. It knows nobody's weights yet.
    InTheChair(fn(&Knowledge, &Values) -> Result<Box<dyn TrainingAttack>>),
}

impl Make {
    /// Whether it has a training of its own.
    pub fn trains(self) -> bool {
        !matches!(self, Self::FromEvidence(_))
    }

    /// Whether it takes the server's chair.
    pub fn hijacks(self) -> bool {
        matches!(self, Self::InTheChair(_))
    }

    /// The attack from what it saw.
    ///
    /// # Errors
    /// Returns an error if it lacks what it needs, or has to be at work in a training.
    pub fn from_evidence(self, seen: &Evidence, known: &Knowledge, values: &Values) -> Result<Box<dyn Inversion>> {
        match self {
            Self::FromEvidence(make) => make(seen, known, values),
            Self::Listening(_) | Self::InTheChair(_) => {
                Err(Error::input("this attack is at work while a model trains: run it to see what it gets"))
            }
        }
    }

    /// The attack before a training.
    ///
    /// # Errors
    /// Returns an error if it lacks what it needs, or is made after the fact.
    pub fn in_training(self, known: &Knowledge, values: &Values) -> Result<Box<dyn TrainingAttack>> {
        match self {
            Self::Listening(make) | Self::InTheChair(make) => make(known, values),
            Self::FromEvidence(_) => {
                Err(Error::Internal("an attack after the fact was put into a training".to_owned()))
            }
        }
    }

    /// What it costs beside its own work, in a sentence; none where nothing.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::FromEvidence(_) => None,
            Self::Listening(_) => Some(
                "It listens to a training: the run's is done again for it, from the same seed, which takes as long as that \
                 model's did, each time it is launched.",
            ),
            Self::InTheChair(_) => Some(
                "It takes the server's chair: a copy of the model trains with it there, from the same seed, which takes as long \
                 as that model's training did, each time it is launched. The run's own models stay honest.",
            ),
        }
    }
}
