//! What attacks on diagnoses climb.

use crate::method::{Formula, Ink, Section, symbol};

/// All of them share it.
pub static SECTION: Section = Section {
    id: "manipulated",
    title: "Manipulated diagnosis",
    source: "METHOD §3",
    text: include_str!("../../../assets/method/manipulated.md"),
    formulas: &[
        Formula {
            id: "odds",
            title: "What manipulators climb",
            text: r"ℓ = \sum_{i} ω_i (log \sum_{k ≠ \hat{y}} exp(l_{i,k}) − l_{i,\hat{y}})",
            symbols: &[
                symbol("ω_i", "the vote of stream i", Ink::Decision),
                symbol("l_{i,k}", "what stream i says for class k: its logit", Ink::Decision),
                symbol("l_{i,\\hat{y}}", "what it says for the class that was predicted before", Ink::Decision),
            ],
            ..Formula::BASE
        },
        Formula {
            id: "manipulated",
            title: "A step of a manipulator",
            text: r"x_m = clip(x + ε · sign(\frac{∂ℓ}{∂x}))",
            symbols: &[
                symbol("x_m", "the manipulated image", Ink::Attacker),
                symbol("ε", "how far a pixel may move", Ink::Attacker),
            ],
            ..Formula::BASE
        },
    ],
};
