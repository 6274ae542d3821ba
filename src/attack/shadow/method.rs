//! What the shadow client learns.

use super::Settings;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "shadow",
    title: "Shadow client",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/shadow.md"),
    formulas: &[Formula {
        id: "shadow-client",
        title: "What the shadow client learns",
        place: Some(Place::Attacker),
        text: r"\min_{s} CE(g(s(x_i)), y_i) + ω · D(s(x_i), z) \\ \min_{x^*} mean((s(x^*) − z)^2) + λ · TV^2",
        symbols: &[
            symbol(
                "s",
                "the shadow client: layers like the victim's with weights of the attacker's own",
                Ink::Attacker,
            ),
            symbol("g", "the server's layers, whose weights stay as they are", Ink::Attacker),
            symbol("CE", "cross-entropy with the label", Ink::Plain),
            symbol("x_i", "images of the attacker's own", Ink::Attacker),
            symbol("y_i", "their labels", Ink::Attacker),
            symbol("ω", "what the wire's moments count; 0 in the paper", Ink::Plain),
            symbol(
                "D",
                "squared differences of what is sent and what is on the wire, in units of the latter: of each channel's mean and \
                 deviation, and of each place's mean",
                Ink::Plain,
            ),
        ],
        live: |sight| {
            let settings = Settings::of(sight.values).ok()?;
            let mut all = vec![Live::real("ω", settings.moments), Live::real("λ", settings.search.tv)];
            if let Some(step) = sight.step {
                all.push(Live::told("step", format!("{} of {}", step.done, step.planned)));
            }
            Some(all)
        },
        ..Formula::BASE
    }],
};
