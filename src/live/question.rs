//! What the live mirror is asked.

use std::sync::Arc;
use std::time::Duration;

use crate::experiment::{AttackSpec, Experiment};
use crate::run::scene::Picture;
use crate::run::weights::Weights;
use crate::split::UNDEFENDED;
use crate::workbench;

/// Which image is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// A test image, by its place in the class-balanced order that attacks' targets are taken from.
    Patient(usize),
    /// An image of one's own, of the experiment's shape.
    Own(Picture),
}

impl Default for Shown {
    fn default() -> Self {
        Self::Patient(0)
    }
}

/// One image under one model and one defence, attacked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Data, network, cut and the defence's settings.
    pub experiment: Experiment,
    /// Defended, or undefended.
    pub defended: bool,
    /// The image.
    pub image: Shown,
    /// Weights of a run, used where they fit; else fresh ones, drawn by the experiment's seed.
    pub weights: Option<Arc<Weights>>,
    /// Whether the attacker knows the defence.
    pub adaptive: bool,
    /// Who attacks, and how.
    pub attack: AttackSpec,
    /// Spread the attack over so much time, so that it can be watched; none for as fast as it can be.
    pub spread: Option<Duration>,
}

impl Question {
    /// About the first image, attacked by the first of all attacks.
    pub fn new(experiment: Experiment) -> Self {
        let attack = attack_of(&experiment, workbench::attacks()[0].id);
        Self {
            defended: experiment.defended(),
            experiment,
            image: Shown::default(),
            weights: None,
            adaptive: false,
            attack,
            spread: None,
        }
    }

    /// The opening: an undefended client, cut as early as can be; of these weights the undefended model's, where there
    /// are any.
    pub fn opening(experiment: &Experiment, weights: Option<Arc<Weights>>) -> Self {
        let mut experiment = experiment.undefended();
        let plain = weights.as_ref().and_then(|weights| weights.models.get(UNDEFENDED));
        if let Some(plain) = plain {
            // A twin may pool where the defended network does not.
            experiment.model.layers = Some(plain.layers.clone());
        }
        experiment.model.cut = experiment.first_cut();
        Self { spread: Some(Duration::from_millis(2800)), weights, ..Self::new(experiment) }
    }
}

/// An attack of this kind with the experiment's own settings, where it has them, and those of the first if it launches
/// several; the first of all kinds where there is none of this name.
pub fn attack_of(experiment: &Experiment, kind: &str) -> AttackSpec {
    let own = experiment.attacks.iter().find(|spec| spec.kind.id == kind).cloned();
    own.or_else(|| AttackSpec::named(kind).ok()).unwrap_or_else(|| AttackSpec::of(workbench::attacks()[0]))
}
