//! Names: what `summary.json` and `metrics.csv` call a thing, what the paper calls it, and the window's word. Metrics have
//! theirs in [`metrics`](super::metrics).
//!
//! The paper's "attacked", "recovered" and "reconstructed" are near-synonyms for opposite parties. The window says
//! *disguised* (by the defence), *cleaned* (by the server) and *stolen* (by an attacker); files and the terminal keep the
//! paper's terms. `docs/words.md` shows this table.

/// A run's model without a defence.
pub const UNDEFENDED: &str = "vanilla";

/// One thing's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// In `summary.json` or `metrics.csv`.
    pub key: &'static str,
    /// The paper's term, as the terminal has it.
    pub paper: &'static str,
    /// The window's.
    pub window: &'static str,
    /// What it is, in a sentence.
    pub help: &'static str,
}

/// One row of the table: key, the paper's term, the window's, and what it is.
pub const fn word(key: &'static str, paper: &'static str, window: &'static str, help: &'static str) -> Word {
    Word { key, paper, window, help }
}

/// All names but those that a defence brings; [`workbench`](mod@crate::workbench) finds both.
pub const WORDS: [Word; 17] = [
    word("defended", "defended", "defended", "The model under the defence, on clean images."),
    word("vanilla", "vanilla", "undefended", "The same network without a defence, trained equally long."),
    word(
        "vanilla_clean",
        "vanilla, clean images",
        "undefended, clean images",
        "The vanilla model on test images as they are.",
    ),
    word(
        "vanilla_fgsm",
        "vanilla, attacked images (FGSM)",
        "undefended, FGSM images",
        "The vanilla model on images changed by FGSM.",
    ),
    word(
        "vanilla_inverted",
        "vanilla, images stolen by the inverse network",
        "undefended, stolen images",
        "The vanilla model on images that an inverse network made from its smashed data: the paper's \"reconstructed\".",
    ),
    word(
        "acc_fused",
        "accuracy of the fused decision",
        "fused decision",
        "Of a training step, before it was learnt from; of a defended model with one stream, its decision.",
    ),
    word("acc_vanilla", "accuracy of vanilla", "undefended", "Of a training step, before it was learnt from."),
    word("class_mean", "label only: class mean", "guess: class mean", "A floor: made from the label alone."),
    word(
        "class_image",
        "label only: random image of the class",
        "guess: random image of the class",
        "A floor: made from the label alone.",
    ),
    word("mean", "mean image", "guess: mean image", "A floor: the mean of the attacker's own images."),
    word("noise", "noise", "guess: noise", "A floor."),
    word(
        "nearest",
        "nearest image by the truth (oracle)",
        "oracle: nearest image",
        "A ceiling: chosen with the truth, so no attack and no floor.",
    ),
    word("broke", "broke", "broke", "The attack leads every guess, target by target, beyond chance (Holm)."),
    word(
        "held",
        "held",
        "held",
        "An attacker who knows the defence, did its best and had 32 targets or more is no better than a guess.",
    ),
    word(
        "proves nothing",
        "proves nothing",
        "proves nothing",
        "The attack is no better than a guess, and nothing follows for a defence.",
    ),
    word(
        "too weak to judge",
        "too weak to judge",
        "too weak to judge",
        "Too few targets, an attacker that did not converge, or a model of no use.",
    ),
    word("not measured", "not measured", "not measured", "No attack, or none that was judged by these rules."),
];
