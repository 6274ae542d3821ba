//! What DLG does, with its formula.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "dlg",
    title: "DLG: gradients tell image and label",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/dlg.md"),
    formulas: &[Formula {
        id: "matched",
        title: "What DLG minimises",
        place: Some(Place::Attacker),
        text: r"\min_{x^*, y^*} \norm{G(x^*, y^*) − G}^2 = d",
        symbols: &[
            symbol("d", "how far the found image's gradient is from the one shared", Ink::Attacker),
            symbol("y^*", "the label that is searched with the image, as shares of all classes", Ink::Attacker),
            symbol("G", "the weight gradient that was shared for the image", Ink::Smashed),
        ],
        live: |sight| {
            let step = sight.step?;
            Some(vec![Live::real("d", step.loss), Live::told("step", format!("{} of {}", step.done, step.planned))])
        },
        ..Formula::BASE
    }],
};
