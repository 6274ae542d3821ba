//! The files of a victim that another program trained, as arguments.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::run::victim::Paths;

/// Its files.
#[derive(Debug, Args)]
pub(super) struct VictimFiles {
    /// A victim's smashed data: an .npz with `smashed` and, for scoring alone, `images` and `labels`.
    #[arg(long, value_name = "Z.npz", value_hint = ValueHint::FilePath, conflicts_with = "run", requires = "out")]
    smashed: Option<PathBuf>,
    /// A victim's client: `input` and `layers`, as in an experiment.
    #[arg(long, value_name = "MODEL.toml", value_hint = ValueHint::FilePath, requires = "smashed")]
    model: Option<PathBuf>,
    /// Its weights: a state dict of PyTorch's nn.Sequential, as safetensors.
    #[arg(long, value_name = "CLIENT.safetensors", value_hint = ValueHint::FilePath, requires = "model")]
    client: Option<PathBuf>,
    /// The attacker's own: an .npz with `images`, and `smashed` if the client was asked about them.
    #[arg(long, value_name = "A.npz", value_hint = ValueHint::FilePath, requires = "smashed")]
    aux: Option<PathBuf>,
}

impl VictimFiles {
    /// Where they are, if there is a victim.
    pub fn paths(&self) -> Option<Paths> {
        let (model, client, own) = (self.model.clone(), self.client.clone(), self.aux.clone());
        self.smashed.clone().map(|smashed| Paths { model, client, smashed, own })
    }
}
