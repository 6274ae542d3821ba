//! What simulator and decoder learn.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "sdar",
    title: "Simulator and decoder",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/sdar.md"),
    formulas: &[Formula {
        id: "simulate",
        title: "What simulator and decoder learn",
        place: Some(Place::Attacker),
        text: r"\min_{e} CE(g(e(x_i)), y_i) + λ_1 · BCE(1, D(e(x_i))) \\ \min_{d} mean((d(e(x_i)) − x_i)^2) = ℓ \\ x^* = d(z)",
        symbols: &[
            symbol("e", "the simulator, which has the client's layers", Ink::Attacker),
            symbol("d", "the decoder", Ink::Attacker),
            symbol("D", "the discriminator, high on what the client sent", Ink::Attacker),
            symbol("g", "the server's layers, as they are by now", Ink::Plain),
            symbol("λ_1", "the weight of likeness on the wire", Ink::Attacker),
            symbol("ℓ", "the decoder's loss on images of the attacker's own", Ink::Attacker),
            symbol("x_i", "images of the attacker's own", Ink::Attacker),
            symbol("y_i", "what they show", Ink::Attacker),
        ],
        live: |sight| {
            let step = sight.step?;
            let loss = step.loss.is_finite().then(|| Live::real("ℓ", step.loss));
            Some(loss.into_iter().chain([Live::told("step", format!("{} of {}", step.done, step.planned))]).collect())
        },
        ..Formula::BASE
    }],
};
