//! The attack on the shown image, and what of it serves the next question.

use std::sync::Arc;

use candle_core::Tensor;

use super::question::{Question, Shown};
use crate::attack::{Auxiliary, Evidence, Inversion, Knowledge, Outcome};
use crate::defence::{Entry, Stack};
use crate::error::{Error, Result};
use crate::experiment::AttackSpec;
use crate::model::spec::LayerSpec;
use crate::model::wire::Smashed;
use crate::run::weights::Weights;
use crate::split::SplitPlan;

/// A run's weights. They are compared by where they are, for they never change in place; held, so that the place is
/// not used again.
#[derive(Clone, Default)]
pub(super) struct Held(pub Option<Arc<Weights>>);

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().map(Arc::as_ptr) == other.0.as_ref().map(Arc::as_ptr)
    }
}

/// What an attack's work depends on, besides the shown image and the attacker's own.
#[derive(Clone, PartialEq)]
pub(super) struct Basis {
    attack: AttackSpec,
    layers: Vec<LayerSpec>,
    cut: usize,
    /// A network learns of the defence's strength where the attacker knows it. What rMLE found depends on it always.
    defences: Option<Stack>,
    entry: &'static Entry,
    adaptive: bool,
    seed: u64,
    weights: Held,
}

impl Basis {
    pub fn of(question: &Question, plan: &SplitPlan) -> Self {
        let depends = question.adaptive || !Theft::learns(&question.attack);
        Self {
            attack: question.attack.clone(),
            layers: plan.layers.clone(),
            cut: plan.cut,
            entry: plan.entry(),
            defences: depends.then(|| plan.defences.clone()),
            adaptive: question.adaptive,
            seed: question.experiment.seed,
            weights: Held(question.weights.clone()),
        }
    }
}

/// What an attack leaves to the next question of the same basis.
pub(super) struct Kept {
    basis: Basis,
    what: Left,
}

impl Kept {
    /// Whether it serves a question of this basis.
    pub fn serves(&self, basis: &Basis) -> bool {
        self.basis == *basis
    }
}

enum Left {
    /// A reconstruction to start from: between two strokes a drawing changes little.
    Image(Tensor),
    /// A network, learnt or learning: it serves any image.
    Network(Box<dyn Inversion>),
}

/// A running attack on one image.
pub(super) struct Theft {
    basis: Basis,
    inversion: Box<dyn Inversion>,
    /// What crossed for the shown image, where the attack was begun on another one.
    other: Option<Smashed>,
    /// Whether there is a picture before the first iteration.
    warm: bool,
}

impl Theft {
    /// Whether an attack learns from the attacker's own images, and needs seconds for that before it serves any image.
    pub fn learns(attack: &AttackSpec) -> bool {
        attack.kind.learns
    }

    /// Begins on what crossed for one image, or goes on with what was `kept`.
    ///
    /// # Errors
    /// Returns an error if the attacker lacks what the attack needs.
    pub fn begin(
        basis: Basis,
        question: &Question,
        knowledge: &Knowledge,
        seen: Evidence,
        kept: Option<Kept>,
    ) -> Result<Self> {
        let left = kept.filter(|kept| kept.serves(&basis)).map(|kept| kept.what);
        let smashed = seen.smashed()?.clone();
        let evidence = seen.masked(question.attack.kind.sees);
        let drawn = matches!(question.image, Shown::Own(_));
        let kind = question.attack.kind;
        let begin = || -> Result<Box<dyn Inversion>> {
            let auxiliary = knowledge.auxiliary.as_ref().map_or(0, Auxiliary::len);
            kind.make.from_evidence(&evidence, knowledge, &(kind.watched)(&question.attack.values, auxiliary)?)
        };
        let (inversion, other, warm) = match left {
            Some(Left::Network(network)) => (network, Some(smashed), false),
            Some(Left::Image(image)) if drawn => {
                let mut inversion = begin()?;
                let warm = inversion.start_from(&image)?;
                (inversion, None, warm)
            }
            _ => (begin()?, None, false),
        };
        Ok(Self { basis, inversion, other, warm })
    }

    /// One slice of work.
    ///
    /// # Errors
    /// Where the attack diverges.
    pub fn advance(&mut self) -> Result<()> {
        self.inversion.advance()
    }

    /// Whether all iterations are done.
    pub fn done(&self) -> bool {
        self.inversion.done()
    }

    /// Iterations done and planned.
    pub fn progress(&self) -> (usize, usize) {
        self.inversion.progress()
    }

    /// The attacker's own loss.
    pub fn loss(&self) -> f64 {
        self.inversion.loss()
    }

    /// What it has now: images (N, C, H, W), one for each that its evidence is of; none before there are any.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn stolen(&self) -> Result<Option<Outcome>> {
        if self.progress().0 == 0 && !self.warm {
            return Ok(None);
        }
        match &self.other {
            Some(smashed) => {
                let none = || Error::Internal("the attack serves one image alone".to_owned());
                self.inversion.reconstruct(smashed)?.ok_or_else(none).map(|images| Some(Outcome::of_images(images)))
            }
            None => self.inversion.outcome().map(Some),
        }
    }

    /// What is left of it for the next question; nothing where that gains nothing.
    ///
    /// # Errors
    /// Where there is no memory left.
    pub fn keep(self, question: &Question) -> Result<Option<Kept>> {
        let what = if Self::learns(&question.attack) {
            Left::Network(self.inversion)
        } else if matches!(question.image, Shown::Own(_)) && !question.adaptive {
            let Some(image) = self.inversion.outcome()?.images else { return Ok(None) };
            Left::Image(image)
        } else {
            return Ok(None);
        };
        Ok(Some(Kept { basis: self.basis, what }))
    }
}
