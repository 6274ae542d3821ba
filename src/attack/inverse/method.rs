//! What the inverse network learns.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "inverse",
    title: "Inverse network",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/inverse.md"),
    formulas: &[Formula {
        id: "decoder",
        title: "What the inverse network learns",
        place: Some(Place::Attacker),
        text: r"\min_{φ} mean((φ(f(x_i)) − x_i)^2) = ℓ \\ x^* = φ(z)",
        symbols: &[
            symbol("φ", "the decoder, which turns smashed data back into an image", Ink::Attacker),
            symbol("ℓ", "the decoder's loss on images of the attacker's own", Ink::Attacker),
            symbol("x_i", "images of the attacker's own", Ink::Attacker),
            symbol("f", "the client's layers, which the attacker can only ask", Ink::Patient),
        ],
        live: |sight| {
            let step = sight.step?;
            let loss = step.loss.is_finite().then(|| Live::real("ℓ", step.loss));
            Some(loss.into_iter().chain([Live::told("step", format!("{} of {}", step.done, step.planned))]).collect())
        },
        ..Formula::BASE
    }],
};
