//! What the hijacked client is made to learn.

use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "fsha",
    title: "Feature-space hijacking",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/fsha.md"),
    formulas: &[Formula {
        id: "hijack",
        title: "What a hijacked client learns",
        place: Some(Place::Attacker),
        text: r"\min_{θ_c} mean(D(z)) \quad \min_{d, p} mean((d(p(x_i)) − x_i)^2) = ℓ \\ x^* = d(z)",
        symbols: &[
            symbol(
                "D",
                "the critic, whose score is high on the client's numbers and low on the attacker's own",
                Ink::Attacker,
            ),
            symbol("d", "the decoder", Ink::Attacker),
            symbol("p", "the pilot, which is put in the client's place", Ink::Attacker),
            symbol("ℓ", "the decoder's loss on images of the attacker's own", Ink::Attacker),
            symbol("x_i", "images of the attacker's own", Ink::Attacker),
        ],
        live: |sight| {
            let step = sight.step?;
            let loss = step.loss.is_finite().then(|| Live::real("ℓ", step.loss));
            Some(loss.into_iter().chain([Live::told("step", format!("{} of {}", step.done, step.planned))]).collect())
        },
        ..Formula::BASE
    }],
};
