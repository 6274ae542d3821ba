//! What Inverting Gradients does, with its formula.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "inverting",
    title: "Inverting Gradients",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/inverting.md"),
    formulas: &[Formula {
        id: "aligned",
        title: "What Inverting Gradients minimises",
        place: Some(Place::Attacker),
        text: r"\min_{x^*} 1 − cos(G(x^*, y), G) + α · TV = a",
        symbols: &[
            symbol("a", "how far the found image's gradient points elsewhere", Ink::Attacker),
            symbol("α", "the weight of smoothness", Ink::Attacker),
            symbol(
                "TV",
                "total variation: the mean absolute difference of neighbours, down plus across",
                Ink::Attacker,
            ),
            symbol("y", "the labels, read off the last layer's gradient", Ink::Attacker),
            symbol("G", "the weight gradient that was shared for the image", Ink::Smashed),
        ],
        live: |sight| {
            let step = sight.step?;
            Some(vec![Live::real("a", step.loss), Live::told("step", format!("{} of {}", step.done, step.planned))])
        },
        ..Formula::BASE
    }],
};
