//! Proximal gradient split learning, one file a section of the paper (METHOD §2).
//!
//! | step | where | file |
//! |---|---|---|
//! | 1 intentional attack with a gradient map | client | [`saliency`] |
//! | 2 reversible downsampling | client | [`downsample`] |
//! | 4 proximal recovery | server | [`recovery`] |
//! | 5, 7 fusion of features and of decisions | server | [`fusion`] |
//!
//! Steps 3 (smashed data) and 6 (gradient isolation) are how client and server are put together, in
//! [`crate::model`].

pub mod downsample;
pub mod fusion;
pub mod recovery;
pub mod saliency;

use serde::{Deserialize, Serialize};

use fusion::DecisionWeights;
use recovery::Recovery;
use saliency::Strength;

/// Where the client gets the Jacobian of its map from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jacobian {
    /// A small head on the client, trained there and never sent. Ours.
    #[default]
    Head,
    /// The server, which is first sent clean smashed data: the paper's way.
    Server,
}

/// What a client sends when it asks for a diagnosis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inference {
    /// The image, attacked as in training.
    #[default]
    Attacked,
    /// The image as it is, with a zero map.
    Clean,
}

/// Where the weights of the decision come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightsFrom {
    /// As they are set.
    #[default]
    Setting,
    /// The same three numbers, handed out in the order of the streams' training accuracies.
    Streams,
}

/// All of PSGL's choices, checked and in the form that the computation wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Strength of the intentional attack.
    pub strength: Strength,
    /// Also move pixels with β < 0 < α.
    pub mirror: bool,
    /// Where the map comes from.
    pub jacobian: Jacobian,
    /// The server's solver on smashed data.
    pub recovery: Recovery,
    /// The same solver on images, for those who want them back.
    pub image_recovery: Recovery,
    /// Whether fuse has a relu.
    pub fuse_relu: bool,
    /// Weights of the three streams' decisions.
    pub weights: DecisionWeights,
    /// Whether these are kept or handed out anew.
    pub weights_from: WeightsFrom,
    /// What is sent at inference.
    pub inference: Inference,
}
