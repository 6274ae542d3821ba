//! What the learned prior minimises.

use super::Settings;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "prior",
    title: "Learned prior",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/prior.md"),
    formulas: &[Formula {
        id: "latent",
        title: "What the learned prior minimises",
        place: Some(Place::Attacker),
        text: r"\min_{w} \norm{f(G(w)) − z}^2 / \norm{z}^2 + λ · \norm{w}^2 / k = ℓ \\ x^* = G(w)",
        symbols: &[
            symbol("G", "the generator, which makes an image of a few numbers", Ink::Attacker),
            symbol("w", "those numbers, which are searched", Ink::Attacker),
            symbol("k", "how many they are", Ink::Attacker),
            symbol("λ", "the weight of the prior on them", Ink::Attacker),
            symbol("ℓ", "the attacker's own loss: first the generator's, then the search's", Ink::Attacker),
            symbol("f", "the client's layers, whose weights this attacker knows", Ink::Patient),
        ],
        live: |sight| {
            let settings = Settings::of(sight.values).ok()?;
            let mut all = vec![Live::real("λ", settings.prior)];
            if let Some(step) = sight.step {
                all.extend(step.loss.is_finite().then(|| Live::real("ℓ", step.loss)));
                all.push(Live::told("step", format!("{} of {}", step.done, step.planned)));
            }
            Some(all)
        },
        ..Formula::BASE
    }],
};
