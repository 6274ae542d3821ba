//! What the analytic attack does, with its formula.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "analytic",
    title: "The analytic attack",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/analytic.md"),
    formulas: &[Formula {
        id: "divided",
        title: "What the analytic attack divides",
        place: Some(Place::Attacker),
        text: r"x = \frac{∂ℓ}{∂W_i} / \frac{∂ℓ}{∂b_i}",
        symbols: &[
            symbol("W_i", "row i of the first layer's weights", Ink::Patient),
            symbol("b_i", "its bias", Ink::Patient),
        ],
        live: |sight| {
            let step = sight.step?;
            Some(vec![Live::told("step", format!("{} of {}", step.done, step.planned))])
        },
        ..Formula::BASE
    }],
};
