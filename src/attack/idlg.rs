//! Improved Deep Leakage from Gradients: Zhao, Mopuri & Bilen (2020).
//!
//! The label is the one class whose entry of the last layer's gradient is negative; then the image alone is searched as
//! [`dlg`](super::dlg) does. Of several images the classes are those of the most negative entries, one after the other.

mod method;

use super::WeightGradients;
use super::dlg::{BATCH, KNOWS, KNOWS_ADAPTIVE, RESTARTS, SEES, STEPS, lbfgs_saves, settings, watched};
use super::kind::{ANY_IMAGE, Kind, Looker, Make};
use super::matching::Matching;
use crate::setting::Plain;

/// Its card.
pub static KIND: Kind = Kind {
    id: "idlg",
    title: "iDLG",
    about: "Improved deep leakage from gradients: reads the label off the last layer's gradient, then searches the image. \
            Plain split learning shares no weight gradient; split-fed training does.",
    looker: Looker {
        words: "whoever gets the weights' gradients, label first",
        brief: "gradients, by iDLG",
        tip: "iDLG reads the label off the last layer's gradient and searches for the image whose weight gradient is the one \
              shared. Split-fed training shares it, plain split learning does not.",
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
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Matching::new(seen, known, settings(values, false)?)?))),
    watched,
    ..Kind::BASE
};
