//! PSGL's choices: as a document has them, `[psgl]`, and as computations want them.

use serde::{Deserialize, Serialize};

use super::KIND;
use super::fusion::DecisionWeights;
use super::recovery::{MapNorm, Recovery};
use super::strength::{Apply, Strength};
use crate::defence::Setup;
use crate::error::Result;
use crate::score::paper::MU;
use crate::setting::Values;

/// `[psgl]`, METHOD section 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct PsglSpec {
    /// Off is vanilla split learning.
    pub enabled: bool,
    /// γ, the share of pixels that move.
    pub gamma: f64,
    /// θ, how far they move.
    pub theta: f64,
    /// Sparse or dense.
    pub apply: Apply,
    /// The map's second case, α > 0 and β < 0.
    pub mirror: bool,
    /// The client's head or the server.
    pub jacobian: Jacobian,
    /// μ, the recovery's last threshold.
    pub mu: f64,
    /// Recovery iterations on features.
    pub iterations: usize,
    /// Recovery iterations on images.
    pub image_iterations: usize,
    /// The recovered map's norm.
    pub map_norm: MapNorm,
    /// A relu after the fusing convolution.
    pub fuse_relu: bool,
    /// Decision weights of the recovered, fused and attacked stream.
    pub weights: [f64; 3],
    /// Those weights, or the streams' own order.
    pub weights_from: WeightsFrom,
    /// What a trained client sends.
    pub send: Inference,
    /// Whether images are attacked at all.
    pub attack: bool,
    /// How the server answers.
    pub server: Answering,
}

impl Default for PsglSpec {
    fn default() -> Self {
        Self {
            enabled: true,
            gamma: 0.1,
            theta: 1.0,
            apply: Apply::Sparse,
            mirror: true,
            jacobian: Jacobian::Head,
            mu: MU.value,
            iterations: 12,
            image_iterations: 15,
            map_norm: MapNorm::L1,
            fuse_relu: true,
            weights: [0.5, 0.3, 0.2],
            weights_from: WeightsFrom::Setting,
            send: Inference::Attacked,
            attack: true,
            server: Answering::Streams,
        }
    }
}

impl PsglSpec {
    /// Strength of the intentional attack.
    pub fn strength(&self) -> Strength {
        Strength { apply: self.apply, gamma: self.gamma, theta: self.theta }
    }

    /// The server's solver on smashed data.
    pub fn feature_recovery(&self) -> Recovery {
        Recovery { mu: self.mu as f32, iterations: self.iterations, map_norm: self.map_norm }
    }

    /// The same solver on images.
    pub fn image_recovery(&self) -> Recovery {
        Recovery { iterations: self.image_iterations, ..self.feature_recovery() }
    }

    /// All of PSGL's choices.
    pub fn options(&self) -> Options {
        Options {
            strength: self.strength(),
            mirror: self.mirror,
            jacobian: self.jacobian,
            recovery: self.feature_recovery(),
            image_recovery: self.image_recovery(),
            fuse_relu: self.fuse_relu,
            weights: DecisionWeights::new(self.weights),
            weights_from: self.weights_from,
            inference: self.send,
            attack: self.attack,
            server: self.server,
        }
    }

    /// The defence with these settings.
    ///
    /// # Errors
    /// Returns an error if a number is too large for a document.
    pub fn setup(&self) -> Result<Setup> {
        Ok(Setup { kind: &KIND, values: Values::from(self, KIND.settings)? })
    }
}

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

/// How the server answers: as PSGL does, or with a part left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answering {
    /// Three streams, on received, recovered and fused features.
    #[default]
    Streams,
    /// The same without the recovery: L = z and S = 0.
    Unrecovered,
    /// The same without the convolution that fuses features: u = z.
    Unfused,
    /// One stream on received features, with as many weights as the three and their fusion.
    Large,
    /// One stream on received features, of the server's layers as they are.
    Plain,
}

impl Answering {
    /// Whether it is one network in place of three streams.
    pub fn is_one(self) -> bool {
        matches!(self, Self::Large | Self::Plain)
    }
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
    /// Whether images are attacked at all.
    pub attack: bool,
    /// How the server answers.
    pub server: Answering,
}
