//! Deep Leakage from Gradients: Zhu, Liu & Han (`NeurIPS` 2019).
//!
//! x*, y* = argmin ‖∂ℓ(x, softmax(y))/∂W − g‖² by L-BFGS, rate 1, from noise; y has as many logits as there are classes.
//!
//! Under a defence, *naive* compares with the gradient of undisguised images; *adaptive* searches through the defence's
//! imitation, as [`rmle`](super::rmle) does, and undoes the disguise of what it found.

mod method;

use super::WeightGradients;
use super::kind::{ANY_IMAGE, Kind, Looker, Make, Values};
use super::matching::objective::Distance;
use super::matching::{INNER, Matching, Settings, Way, batch};
use super::threat_model::{Knows, Sees};
use crate::error::Result;
use crate::setting::{Plain, Setting, whole};

/// The source of what is published of it.
pub const ZHU_2019: &str = "Zhu 2019";

/// What all that match gradients see.
pub(super) const SEES: &[Sees] = &[Sees::ClientGradient, Sees::ServerGradient];
/// What they know.
pub(super) const KNOWS: &[Knows] = &[Knows::ClientWeights, Knows::ServerWeights];
/// To undo a disguise they train a head on the client's layers.
pub(super) const KNOWS_ADAPTIVE: &[Knows] =
    &[Knows::ClientWeights, Knows::ServerWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence];
/// The number of steps of an attack by L-BFGS.
pub(super) const STEPS: Setting = Setting::new(
    "iterations",
    "Iterations",
    "steps",
    whole(1, 10_000),
    "Steps of L-BFGS from one start, of 20 inner iterations each; a search that settles ends earlier.",
)
.published(ZHU_2019, "300")
.default(Plain::Whole(300));
/// How often a search is begun anew.
pub(super) const RESTARTS: Setting = Setting::new(
    "restarts",
    "Starts",
    "starts",
    whole(1, 100),
    "Starts from other noise at most, until one explains the gradient; the one nearest to the gradient counts.",
)
.default(Plain::Whole(5));
/// How many images a gradient is of.
pub(super) const BATCH: Setting = batch(
    "Images that each gradient is of: the more, the harder to tell apart. Their order is not in a gradient; they are scored \
     in the order that fits best.",
);

/// Its card.
pub static KIND: Kind = Kind {
    id: "dlg",
    title: "DLG",
    about: "Deep leakage from gradients: searches image and label whose weight gradient is the one shared. Plain split \
            learning shares none; split-fed training does.",
    looker: Looker {
        words: "whoever gets the weights' gradients",
        brief: "gradients, by DLG",
        tip: "DLG searches for an image and a label whose weight gradient is the one shared. Split-fed training shares it, \
              plain split learning does not.",
    },
    sees: SEES,
    knows: KNOWS,
    knows_adaptive: KNOWS_ADAPTIVE,
    images: 4,
    images_help: "Test images to reconstruct, one gradient at a time.",
    settings: &[STEPS, RESTARTS, BATCH],
    levers: &[WeightGradients::BATCH],
    method: &[method::SECTION],
    least_images: ANY_IMAGE,
    saves: lbfgs_saves,
    quick: &[("restarts", Plain::Whole(1)), ("iterations", Plain::Whole(100))],
    paper: &[],
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Matching::new(seen, known, settings(values, true)?)?))),
    watched,
    ..Kind::BASE
};

/// The settings of a document, with classes that are searched or restored beforehand.
pub(super) fn settings(values: &Values, searches_labels: bool) -> Result<Settings> {
    Ok(Settings {
        distance: Distance::Squared,
        tv: 0.0,
        way: Way::Lbfgs,
        iterations: INNER * values.whole("iterations")?,
        restarts: values.whole("restarts")?,
        searches_labels,
    })
}

/// The pairs of L-BFGS in double precision, and the images.
pub(super) fn lbfgs_saves(_: &[usize], [c, h, w]: [usize; 3], targets: usize) -> usize {
    c * h * w * (targets + 410 * targets.min(8))
}

/// A few seconds' worth.
pub(super) fn watched(values: &Values, _: usize) -> Result<Values> {
    let mut watched = values.clone();
    let few = |key: &str, most: usize| Ok::<_, crate::error::Error>((values.whole(key)?.min(most)) as i64);
    watched.put("iterations", toml::Value::Integer(few("iterations", 60)?))?;
    watched.put("restarts", toml::Value::Integer(few("restarts", 3)?))?;
    Ok(watched)
}
