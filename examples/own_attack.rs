//! An attack of one's own, in a program that has all the others too: the mean of those `k` of the attacker's images whose
//! smashed data are nearest to what was seen. `cargo run --release --example own_attack -- run quick --out my-run`

use std::process::ExitCode;

use candle_core::{D, Tensor};
use cutlayer::attack::kind::{Kind, Looker, Make};
use cutlayer::attack::threat_model::Knows;
use cutlayer::attack::{Doubt, Evidence, Inversion, Knowledge, Outcome};
use cutlayer::error::Result;
use cutlayer::setting::{Plain, Setting, whole};

/// Its card.
pub static OWN: Kind = Kind {
    id: "own",
    title: "the mean of near images",
    about: "The mean of those of the attacker's images whose numbers on the wire are nearest to those seen.",
    looker: Looker { words: "somebody who averages", brief: "averages", tip: "It takes the mean of near images." },
    knows: &[Knows::ClientOracle, Knows::Auxiliary],
    knows_adaptive: &[Knows::ClientOracle, Knows::Auxiliary, Knows::Defence],
    images: 32,
    images_help: "Test images to reconstruct.",
    settings: &[Setting::new("k", "Near images", "images", whole(1, 1000), "How many images the mean is of.")
        .default(Plain::Whole(5))],
    least_images: (1, "it averages"),
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Own::new(seen, known, values.whole("k")?)?))),
    ..Kind::BASE
};

struct Own {
    knowledge: Knowledge,
    /// What was seen (N, D).
    seen: Tensor,
    k: usize,
    /// What it makes of it (N, C, H, W): grey before it has looked.
    found: Tensor,
    done: bool,
    loss: f64,
}

impl Own {
    fn new(evidence: &Evidence, knowledge: &Knowledge, k: usize) -> Result<Self> {
        let seen = evidence.smashed()?.tensor().flatten_from(1)?;
        let ([c, h, w], n) = (knowledge.image, seen.dim(0)?);
        let found = Tensor::full(0.5f32, (n, c, h, w), seen.device())?;
        Ok(Self { knowledge: knowledge.clone(), seen, k, found, done: false, loss: f64::NAN })
    }
}

impl Inversion for Own {
    fn advance(&mut self) -> Result<()> {
        let images = self.knowledge.auxiliary()?.images()?;
        let own = self.knowledge.smash(&images)?.flatten_from(1)?;
        let mut found = Vec::new();
        for z in self.seen.chunk(self.seen.dim(0)?, 0)? {
            let apart = own.broadcast_sub(&z)?.sqr()?.mean(D::Minus1)?;
            let near = apart.arg_sort_last_dim(true)?.narrow(0, 0, self.k.min(apart.dim(0)?))?.contiguous()?;
            self.loss = f64::from(apart.index_select(&near, 0)?.mean_all()?.to_scalar::<f32>()?);
            found.push(images.index_select(&near, 0)?.mean_keepdim(0)?);
        }
        (self.found, self.done) = (Tensor::cat(&found, 0)?, true);
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (usize::from(self.done), 1)
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(Some(Doubt::OnlyOwnImages))
    }

    fn outcome(&self) -> Result<Outcome> {
        Ok(Outcome::of_images(self.found.clone()))
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|command| command == "run") {
        arguments.extend(["--set", "attack=[{ name = \"own\" }]"].map(Into::into));
    }
    cutlayer::workbench().attack(&OWN).main_with(arguments)
}
