//! The nearest image: of the attacker's own images the one whose smashed data is nearest to what was seen.
//!
//! i* = argmin ‖f(x_i) − z‖² over auxiliary images x_i, with f as an oracle; the reconstruction is x_{i*}. It can be no
//! better than what the attacker already has: what it adds to a guess from the label is which of these images it is. A
//! stronger attack that does not lead it has learnt nothing from the wire beyond that.
//!
//! *Naive* against a defence: with f as it would be undefended. *Adaptive*: with the attacker's imitation of the defence.
//! Its search is exact; but since it makes no image of its own, it can break a defence and never show
//! that one held.

use candle_core::Tensor;

use super::kind::{Kind, Looker, Make};
use super::threat_model::{Knows, Sees};
use super::{Auxiliary, Doubt, Evidence, Inversion, Knowledge, Learner, Outcome};
use crate::defence::imitation::CHUNK;
use crate::error::{Error, Result};
use crate::method::{Formula, Ink, Live, Place, Section, symbol};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "nearest",
    title: "the nearest image",
    about: "Of the attacker's own images the one whose numbers on the wire are nearest to those seen.",
    looker: Looker {
        words: "somebody who looks images up",
        brief: "look-up",
        tip: "The attacker sends images of its own through the client, and takes the one whose numbers are nearest to those \
              on the wire. It makes no new image.",
    },
    sees: &[Sees::Smashed],
    knows: &[Knows::ClientOracle, Knows::Auxiliary],
    // To imitate the disguise it trains a head on the client's layers.
    knows_adaptive: &[Knows::ClientWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 64,
    images_help: "Test images to reconstruct; each is compared with every image of the attacker's.",
    method: &[SECTION],
    least_images: (1, "it looks among"),
    saves: |_, _, targets| 8 * targets,
    make: Make::FromEvidence(|seen, knowledge, _| Ok(Box::new(Nearest::new(seen, knowledge)?))),
    ..Kind::BASE
};

/// Its formula.
const SECTION: Section = Section {
    id: "nearest",
    title: "The nearest image",
    source: "METHOD §6",
    text: include_str!("../../assets/method/nearest.md"),
    formulas: &[Formula {
        id: "look-up",
        title: "The nearest image",
        place: Some(Place::Attacker),
        text: r"x^* = x_i \quad i = \argmin_{j} \norm{f(x_j) − z}^2",
        symbols: &[
            symbol("x_i", "the attacker's image that is nearest to what was seen", Ink::Attacker),
            symbol("x_j", "an image of the attacker's own", Ink::Attacker),
        ],
        live: |sight| {
            let step = sight.step?;
            Some(vec![Live::told("x_j", format!("{} of {} images looked at, by parts", step.done, step.planned))])
        },
        ..Formula::BASE
    }],
};

/// A running search.
struct Nearest {
    knowledge: Knowledge,
    /// What was seen (N, D).
    seen: Tensor,
    learner: Learner,
    /// Chunks of auxiliary images that were looked at.
    looked: usize,
    /// Of each target the nearest image so far, with its squared distance.
    best: Vec<(f32, usize)>,
}

impl Nearest {
    fn new(evidence: &Evidence, knowledge: &Knowledge) -> Result<Self> {
        knowledge.check_oracle()?;
        let seen = evidence.smashed()?.tensor().flatten_from(1)?;
        let best = vec![(f32::INFINITY, 0); seen.dim(0)?];
        Ok(Self { knowledge: knowledge.clone(), seen, learner: Learner::new(knowledge)?, looked: 0, best })
    }

    fn chunks(&self) -> usize {
        let images = self.knowledge.auxiliary.as_ref().map_or(0, Auxiliary::len);
        images.div_ceil(CHUNK).max(1)
    }

    /// Looks at the next chunk.
    fn look(&mut self) -> Result<()> {
        let from = self.looked * CHUNK;
        let x = self.knowledge.auxiliary()?.range(from..from + CHUNK)?;
        let smashed = self.learner.smash(&self.knowledge, &x, from)?;
        nearer(&mut self.best, &self.seen, &smashed.flatten_from(1)?, from)?;
        self.looked += 1;
        Ok(())
    }
}

/// Of each row of `seen` (N, D) the nearest so far, with its squared distance, after a look at these rows (M, D), the first
/// of which is row `from` of all: ‖a − z‖² = ‖a‖² − 2 a·z + ‖z‖², of which the last is the same for all a.
pub(super) fn nearer(best: &mut [(f32, usize)], seen: &Tensor, own: &Tensor, from: usize) -> Result<()> {
    let size = own.sqr()?.sum_keepdim(1)?;
    let apart = size.broadcast_sub(&(own.matmul(&seen.t()?.contiguous()?)? * 2.0)?)?;
    let squares: Vec<f32> = seen.sqr()?.sum(1)?.to_vec1()?;
    for (i, row) in apart.to_vec2::<f32>()?.iter().enumerate() {
        for ((best, distance), square) in best.iter_mut().zip(row).zip(&squares) {
            if distance + square < best.0 {
                *best = (distance + square, from + i);
            }
        }
    }
    Ok(())
}

impl Inversion for Nearest {
    /// Where it looks next, and the nearest so far.
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        self.learner.put_in(&mut state)?;
        state.put_wholes("looked", &[self.looked])?;
        let (distances, rows): (Vec<f64>, Vec<usize>) =
            self.best.iter().map(|(distance, row)| (f64::from(*distance), *row)).unzip();
        state.put_reals("distances", &distances)?;
        state.put_wholes("rows", &rows)?;
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.learner.load(state)?;
        [self.looked] = state.few("looked", State::wholes)?;
        let (distances, rows) = (state.reals("distances")?, state.wholes("rows")?);
        if distances.len() != self.best.len() || rows.len() != self.best.len() {
            return Err(Error::input("the attack's state is of another number of images"));
        }
        self.best = distances.into_iter().map(|distance| distance as f32).zip(rows).collect();
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        if self.learner.busy() {
            self.learner.advance(&self.knowledge)?;
        } else {
            self.look()?;
        }
        if self.looked > 0 && !self.loss().is_finite() {
            return Err(Error::Diverged("nearest: the smashed data are not finite".to_owned()));
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        let (done, planned) = self.learner.progress();
        (done + self.looked, planned + self.chunks())
    }

    /// The mean squared distance, a number of the smashed data.
    fn loss(&self) -> f64 {
        if self.looked == 0 {
            return f64::NAN;
        }
        let numbers = self.seen.elem_count().max(1) as f64;
        self.best.iter().map(|(distance, _)| f64::from(*distance)).sum::<f64>() / numbers
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(Some(Doubt::OnlyOwnImages))
    }

    /// Grey before anything was looked at.
    fn outcome(&self) -> Result<Outcome> {
        let rows: Vec<usize> = self.best.iter().map(|(_, row)| *row).collect();
        let found = self.knowledge.auxiliary()?.batch(&rows)?;
        Ok(Outcome::of_images(if self.looked == 0 { (found.zeros_like()? + 0.5)? } else { found }))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::data::{Images, Part};
    use crate::defence::Stack;
    use crate::defence::entry::AS_THEY_ARE;
    use crate::model::adam::AdamSettings;
    use crate::model::optimiser::OptimiserSettings;
    use crate::model::spec::LayerSpec::{Flatten, Linear, Relu};
    use crate::random::{At, Seed};
    use crate::split::{SplitModel, SplitPlan, UNDEFENDED};

    #[test]
    fn it_finds_the_image_whose_smashed_data_is_nearest() {
        let plan = SplitPlan {
            name: UNDEFENDED.to_owned(),
            layers: vec![Flatten, Linear(6), Relu, Linear(3)],
            cut: 3,
            image: [1, 4, 4],
            classes: 3,
            defences: Stack::default(),
            optimiser: OptimiserSettings::Adam(AdamSettings::new(1e-3)),
            class_weights: None,
        };
        let model = SplitModel::new(plan, Seed(1), &Device::Cpu).unwrap();
        let n = CHUNK + 7;
        let pixels = (0..n * 16).map(|i| (i * 7919 % 251) as u8).collect();
        let images = Part::from(Images { shape: [1, 4, 4], pixels, labels: vec![0; n] });
        let knowledge = Knowledge {
            image: [1, 4, 4],
            classes: 3,
            layers: model.plan.layers[..model.plan.cut].to_vec(),
            client: Some(model.client.body()),
            oracle: None,
            server: None,
            entry: &AS_THEY_ARE,
            auxiliary: Some(Auxiliary::new(images.clone(), &Device::Cpu)),
            samples: None,
            defence: None,
            seed: Seed(0),
            name: "test".to_owned(),
        }
        .masked(KIND.knows);
        assert!(knowledge.client.is_none(), "an oracle answers, and shows no weights");
        // Each target is one of the attacker's own, moved a little.
        let rows = [CHUNK + 3, 5];
        let targets = images.tensor_of(&rows, &Device::Cpu).unwrap();
        let moved = ((targets.clone() * 0.999).unwrap() + 0.0005).unwrap();
        let mut attack =
            Nearest::new(&Evidence::new(model.ask(&moved, At::ONCE).unwrap().0).unwrap(), &knowledge).unwrap();
        assert_eq!((attack.progress(), attack.doubt().unwrap()), ((0, 2), Some(Doubt::OnlyOwnImages)));
        while !attack.done() {
            attack.advance().unwrap();
        }
        assert_eq!(attack.best.iter().map(|best| best.1).collect::<Vec<_>>(), rows);
        let far = (attack.reconstruction().unwrap() - targets).unwrap().abs().unwrap().max_all().unwrap();
        assert_eq!(far.to_scalar::<f32>().unwrap(), 0.0);
        assert!(attack.loss() < 1e-4, "{}", attack.loss());
    }
}
