//! What iDLG does, with its formula.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "idlg",
    title: "iDLG: the label first",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/idlg.md"),
    formulas: &[Formula {
        id: "matched_label",
        title: "What iDLG minimises",
        place: Some(Place::Attacker),
        text: r"\min_{x^*} \norm{G(x^*, y) − G}^2 = e",
        symbols: &[
            symbol("e", "how far the found image's gradient is from the one shared", Ink::Attacker),
            symbol("y", "the label, read off the last layer's gradient", Ink::Attacker),
            symbol("G", "the weight gradient that was shared for the image", Ink::Smashed),
        ],
        live: |sight| {
            let step = sight.step?;
            Some(vec![Live::real("e", step.loss), Live::told("step", format!("{} of {}", step.done, step.planned))])
        },
        ..Formula::BASE
    }],
};
