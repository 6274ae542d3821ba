//! What UnSplit minimises in turn.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "unsplit",
    title: "UnSplit",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/unsplit.md"),
    formulas: &[Formula {
        id: "alternate",
        title: "What UnSplit minimises in turn",
        place: Some(Place::Attacker),
        text: r"\min_{x^*} mean((c(x^*) − z)^2) + λ · TV^2 + κ · \norm{x^*}^2 = ℓ \\ \min_{c} mean((c(x^*) − z)^2)",
        symbols: &[
            symbol("c", "the clone: the client's layers with weights of the attacker's", Ink::Attacker),
            symbol("ℓ", "the image's loss", Ink::Attacker),
            symbol("λ", "the weight of smoothness", Ink::Attacker),
            symbol("κ", "the weight of darkness, of a mean over pixels", Ink::Attacker),
            symbol("TV^2", "the mean squared difference of neighbours, down plus across", Ink::Attacker),
        ],
        live: |sight| {
            let step = sight.step?;
            let loss = step.loss.is_finite().then(|| Live::real("ℓ", step.loss));
            Some(loss.into_iter().chain([Live::told("step", format!("{} of {}", step.done, step.planned))]).collect())
        },
        ..Formula::BASE
    }],
};
