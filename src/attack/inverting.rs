//! Inverting Gradients: Geiping, Bauermeister, Dröge & Moeller (`NeurIPS` 2020).
//!
//! x* = argmin 1 − cos(∂ℓ(x, y)/∂W, g) + α·TV(x), x in \[0, 1\], by Adam on the sign of the gradient; the labels are read off
//! the last layer's gradient. The cosine is over all weights together, TV is the mean of absolute vertical plus that of
//! absolute horizontal neighbour differences.
//!
//! | preset | iterations | α |
//! |---|---|---|
//! | small | 4000 | 10⁻⁶ |
//! | strong | 24,000 | 10⁻⁴ |
//! | breaching | 24,000 | .1: .2 on the mean of the two directions |

mod method;

use super::WeightGradients;
use super::dlg::{BATCH, KNOWS, KNOWS_ADAPTIVE, SEES};
use super::kind::{ANY_IMAGE, Kind, Looker, Make, Values};
use super::matching::objective::Distance;
use super::matching::{Matching, Settings, Way};
use crate::error::Result;
use crate::setting::{Kind as Range, Plain, Setting, log, whole};

/// The source of what is published of it.
pub const GEIPING_2020: &str = "Geiping 2020";

const PRESETS: &[&str] = &["small", "strong", "breaching"];

/// Its card.
pub static KIND: Kind = Kind {
    id: "inverting",
    title: "Inverting Gradients",
    about: "Searches the image whose weight gradient points where the one shared does, and that is smooth. Plain split \
            learning shares no weight gradient; split-fed training does.",
    looker: Looker {
        words: "whoever gets the weights' gradients, by their direction",
        brief: "gradients, by direction",
        tip: "Inverting Gradients searches for a smooth image whose weight gradient points where the one shared does. \
              Split-fed training shares it, plain split learning does not.",
    },
    sees: SEES,
    knows: KNOWS,
    knows_adaptive: KNOWS_ADAPTIVE,
    images: 4,
    images_help: "Test images to reconstruct, one gradient at a time.",
    settings: &[
        Setting::new(
            "preset",
            "Preset",
            "",
            Range::Choice(PRESETS),
            "Iterations and smoothness: small 4000 and 1e-6, strong 24,000 and 1e-4, breaching 24,000 and 0.1.",
        )
        .default(Plain::Word("small")),
        Setting::new(
            "iterations",
            "Iterations",
            "iterations",
            whole(0, 1_000_000),
            "Steps of Adam from one start; 0 takes the preset's.",
        )
        .default(Plain::Whole(0)),
        Setting::new(
            "rate",
            "Rate",
            "",
            log(1e-7, 10.0),
            "Adam's step size, in units of the pixel range; a tenth after 3/8, \
             5/8 and 7/8 of the steps.",
        )
        .published(GEIPING_2020, "0.1")
        .default(Plain::Real(0.1)),
        Setting::new(
            "signed",
            "By the sign",
            "",
            Range::Switch,
            "Steps by the sign of the gradient alone: they do not get shorter where it is flat.",
        )
        .default(Plain::Switch(true)),
        Setting::new(
            "restarts",
            "Starts",
            "starts",
            whole(1, 100),
            "Starts from other noise; the one nearest to the gradient counts.",
        )
        .published(GEIPING_2020, "1")
        .default(Plain::Whole(1)),
        BATCH,
    ],
    levers: &[WeightGradients::BATCH],
    method: &[method::SECTION],
    least_images: ANY_IMAGE,
    saves: |_, [c, h, w], targets| c * h * w * (targets + 6 * targets.min(8)),
    quick: &[("iterations", Plain::Whole(300))],
    paper: &[("preset", Plain::Word("strong"))],
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Matching::new(seen, known, settings(values)?)?))),
    watched: |values, _| {
        let mut watched = values.clone();
        let planned = settings(values)?.iterations;
        watched.put("iterations", toml::Value::Integer(planned.min(1500) as i64))?;
        watched.put("restarts", toml::Value::Integer(1))?;
        Ok(watched)
    },
    ..Kind::BASE
};

/// The settings of a document.
pub(super) fn settings(values: &Values) -> Result<Settings> {
    let (planned, tv) = match values.word("preset")?.as_str() {
        "strong" => (24_000, 1e-4),
        "breaching" => (24_000, 0.1),
        _ => (4000, 1e-6),
    };
    let own = values.whole("iterations")?;
    Ok(Settings {
        distance: Distance::Cosine,
        tv,
        way: Way::Adam { rate: values.real("rate")?, signed: values.switch("signed")?, boxed: true },
        iterations: if own == 0 { planned } else { own },
        restarts: values.whole("restarts")?,
        searches_labels: false,
    })
}

#[cfg(test)]
mod tests;
