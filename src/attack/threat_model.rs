//! The threat model: what an attacker may see of what crosses the wire, and what it may know besides. Each attack's card
//! declares both ([`kind`](super::kind)); [`Evidence`](super::Evidence) and [`Knowledge`](super::Knowledge) hand over
//! nothing else.

use crate::model::wire::Crossing;

/// Something that an attacker may see cross the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// The smashed data of its targets.
    Smashed,
    /// Their classes, which go up with the smashed data where the server computes the loss.
    Labels,
    /// Gradients by the client's weights, of training on its targets. Plain split learning sends none; split-fed training,
    /// whose clients average what they learnt, shares them with whoever averages.
    ClientGradient,
    /// Gradients by the server's weights, of the same: the server computes them itself.
    ServerGradient,
    /// What crosses for this in every training step, where the attack is at work in a training.
    Training(Crossing),
    /// The classes of the training images, as the server is told them.
    TrainingLabels,
}

impl Sees {
    /// `the smashed data`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Smashed => "the smashed data",
            Self::Labels => "the labels",
            Self::ClientGradient => "the client's weight gradients",
            Self::ServerGradient => "the server's weight gradients",
            Self::Training(Crossing::Smashed) => "the smashed data of training",
            Self::Training(Crossing::Probe) => "the probes of training",
            Self::Training(Crossing::Predicted | Crossing::AllClasses) => "the answers to probes",
            Self::Training(Crossing::CutGradient) => "the gradients at the cut",
            Self::TrainingLabels => "the labels of training",
        }
    }
}

/// Something that an attacker may know besides the architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// The weights of the client's layers.
    ClientWeights,
    /// What the client makes of the attacker's images.
    ClientOracle,
    /// The weights of the server's layers.
    ServerWeights,
    /// Images of the same kind as the victim's.
    Auxiliary,
    /// Their classes.
    AuxiliaryLabels,
    /// Images that the victim trained on, with their classes: the strongest case, as of an insider.
    Samples,
    /// The defence, with its settings.
    Defence,
}

impl Knows {
    /// `the client's weights`.
    pub fn words(self) -> &'static str {
        match self {
            Self::ClientWeights => "the client's weights",
            Self::ClientOracle => "what the client makes of similar images",
            Self::ServerWeights => "the server's weights",
            Self::Auxiliary => "similar images",
            Self::AuxiliaryLabels => "their labels",
            Self::Samples => "images that the victim trained on",
            Self::Defence => "the defence",
        }
    }
}
