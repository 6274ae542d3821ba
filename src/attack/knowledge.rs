//! What an attacker knows, as far as the attack's kind declares it.

use std::sync::Arc;

use candle_core::Tensor;

use super::evidence::undeclared;
use super::threat_model::Knows;
use crate::defence::auxiliary::Auxiliary;
use crate::defence::imitation::{Imitation, Imitator, Own, Study, attackers_stream};
use crate::defence::{Entry, Outgoing};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::spec::LayerSpec;
use crate::random::{At, Seed, Stream};

/// What an attack's name ends with where files and random draws go by it.
pub fn form(adaptive: bool) -> &'static str {
    if adaptive { "adaptive" } else { "naive" }
}

/// What the attacker is declared to know.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// Shape of the images (C, H, W).
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// The client's layers without their weights, that is their architecture, and how images enter the first of them: known
    /// to all attackers.
    pub layers: Vec<LayerSpec>,
    /// See [`Self::layers`].
    pub entry: &'static Entry,
    /// The client's layers with their weights.
    pub client: Option<Network>,
    /// The same as an oracle, which can be asked and not looked into; not needed where the weights are known.
    pub oracle: Option<Oracle>,
    /// The server's layers behind the cut with their weights; under a defence with several streams those of the one that
    /// sees the smashed data as they are.
    pub server: Option<Network>,
    /// Auxiliary images.
    pub auxiliary: Option<Auxiliary>,
    /// Images that the victim trained on, with their classes.
    pub samples: Option<Auxiliary>,
    /// The defence. With it an attack is adaptive, without it is naive.
    pub defence: Option<Arc<dyn Imitation>>,
    /// Where the attack's randomness comes from …
    pub seed: Seed,
    /// … and the name under which it is drawn.
    pub name: String,
}

/// A client that answers, and keeps its weights to itself.
#[derive(Clone, Debug)]
pub struct Oracle(Answers);

#[derive(Clone, Debug)]
enum Answers {
    /// To any image.
    Any(Network),
    /// To the auxiliary images alone, in their order (N, …): somebody kept them.
    Recorded(Tensor),
}

impl Oracle {
    /// One that has answered to the auxiliary images, in their order (N, …), and can be asked about no other: pairs of images
    /// and smashed data, through whatever defence there was.
    pub fn recorded(answers: Tensor) -> Self {
        Self(Answers::Recorded(answers))
    }
}

impl Knowledge {
    /// What of it an attack gets that is declared to know this; nothing else reaches it.
    #[must_use]
    pub fn masked(mut self, declared: &[Knows]) -> Self {
        let knows = |what| declared.contains(&what);
        if !knows(Knows::ClientWeights) {
            let client = self.client.take().map(|client| Oracle(Answers::Any(client)));
            self.oracle = self.oracle.or(client);
        }
        self.oracle = self.oracle.filter(|_| knows(Knows::ClientOracle));
        self.server = self.server.filter(|_| knows(Knows::ServerWeights));
        self.auxiliary = self.auxiliary.filter(|_| knows(Knows::Auxiliary));
        if !knows(Knows::AuxiliaryLabels) {
            self.auxiliary = self.auxiliary.map(Auxiliary::without_labels);
        }
        self.samples = self.samples.filter(|_| knows(Knows::Samples));
        self.defence = self.defence.filter(|_| knows(Knows::Defence));
        self
    }

    /// The same for an attacker with a network of its own in the client's place, which imitates no disguise of images: see
    /// [`Imitation::undisguised`]. It draws as its naive twin does, so that what the defence does on the wire is all that
    /// tells the two apart.
    #[must_use]
    pub fn undisguised(&self) -> Self {
        let Some(bare) = self.defence.as_ref().and_then(|defence| defence.undisguised()) else { return self.clone() };
        let name =
            self.name.strip_suffix(form(true)).map_or_else(|| self.name.clone(), |stem| stem.to_owned() + form(false));
        Self { defence: Some(bare), name, ..self.clone() }
    }

    /// Whether the client can be asked.
    ///
    /// # Errors
    /// Returns an error if neither its weights nor an oracle are known.
    pub fn check_oracle(&self) -> Result<()> {
        if self.oracle.is_some() { Ok(()) } else { self.client().map(|_| ()) }
    }

    fn asked(&self) -> Result<&Network> {
        match self.oracle.as_ref().map(|oracle| &oracle.0) {
            Some(Answers::Any(network)) => Ok(network),
            Some(Answers::Recorded(_)) if self.client.is_none() => {
                Err(Error::input("the client's answers were recorded: it can be asked about no other images"))
            }
            Some(Answers::Recorded(_)) | None => self.client(),
        }
    }

    /// The client's layers.
    ///
    /// # Errors
    /// Where they are not known.
    pub fn client(&self) -> Result<&Network> {
        self.client.as_ref().ok_or_else(|| undeclared("the client's weights", "Knows::ClientWeights"))
    }

    /// The server's layers behind the cut.
    ///
    /// # Errors
    /// Returns an error if they are not known.
    pub fn server(&self) -> Result<&Network> {
        self.server.as_ref().ok_or_else(|| undeclared("the server's weights", "Knows::ServerWeights"))
    }

    /// The auxiliary images.
    ///
    /// # Errors
    /// Where there are none.
    pub fn auxiliary(&self) -> Result<&Auxiliary> {
        self.auxiliary.as_ref().ok_or_else(|| Error::input("this attack needs auxiliary images: raise data.aux"))
    }

    /// Images that the victim trained on.
    ///
    /// # Errors
    /// Where none are known.
    pub fn samples(&self) -> Result<&Auxiliary> {
        self.samples.as_ref().ok_or_else(|| undeclared("images that the victim trained on", "Knows::Samples"))
    }

    /// What an undefended client would send for these images.
    ///
    /// # Errors
    /// Where the client is not known.
    pub fn smash(&self, x: &Tensor) -> Result<Tensor> {
        self.asked()?.forward(&(self.entry.enter)(x, None)?)
    }

    /// The same for images of the attacker's own, the first of them image `from`: what was recorded, where that is all there is.
    ///
    /// # Errors
    /// Where the client is not known.
    pub fn smash_own(&self, x: &Tensor, from: usize) -> Result<Tensor> {
        match self.oracle.as_ref().map(|oracle| &oracle.0) {
            Some(Answers::Recorded(answers)) => Ok(answers.narrow(0, from, x.dim(0)?)?.contiguous()?),
            Some(Answers::Any(_)) | None => self.smash(x),
        }
    }

    /// What the client would send for images (N, C, H, W) of a search and what has to be found beside them, through the
    /// defence where it is known; differentiable by both.
    ///
    /// # Errors
    /// Returns an error if the client's weights are not known, or the shapes do not fit.
    pub fn sent(&self, images: &Tensor, unknown: Option<&Tensor>) -> Result<Tensor> {
        let client = self.client()?;
        match &self.defence {
            Some(defence) => defence.up(client.forward(&defence.enter(self.entry, images, unknown)?)?),
            None => client.forward(&(self.entry.enter)(images, None)?),
        }
    }

    /// What the defended client would send for these images, as far as an imitator can tell; the first of them is image
    /// `from` of the attacker's own.
    ///
    /// # Errors
    /// Returns an error if the client's weights are not known.
    pub fn smash_as(&self, imitator: &dyn Imitator, x: &Tensor, from: usize) -> Result<Tensor> {
        let samples: Vec<usize> = (from..from + x.dim(0)?).collect();
        let at = At::Ask { samples: &samples, draw: 0 };
        let input = imitator.image(Outgoing::clean(x), at)?.input(self.entry)?;
        imitator.up(imitator.layers(self.client()?.clone(), at)?.forward(&input)?, at)
    }

    /// Begins to learn to imitate the defence, where the attack is adaptive.
    ///
    /// # Errors
    /// Returns an error if it lacks what it learns from.
    pub fn study(&self) -> Result<Option<Box<dyn Study>>> {
        self.defence.as_ref().map(|defence| defence.study(&self.own()?)).transpose()
    }

    /// What an imitation is learnt from.
    ///
    /// # Errors
    /// Returns an error if the client's weights or the auxiliary images are not known.
    pub fn own(&self) -> Result<Own<'_>> {
        Ok(Own {
            client: self.client()?,
            entry: self.entry,
            images: self.auxiliary()?,
            classes: self.classes,
            seed: self.seed,
            name: &self.name,
        })
    }

    /// A random stream of the attack's own.
    pub fn stream(&self, purpose: &str, index: u64) -> Stream {
        attackers_stream(self.seed, &self.name, purpose, index)
    }
}
