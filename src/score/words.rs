//! One table of names: what `summary.json` and `metrics.csv` call a thing, what the paper calls it, and the window's word.
//! Metrics have theirs in [`metrics`](super::metrics).
//!
//! The paper's "attacked", "recovered" and "reconstructed" are near-synonyms for opposite parties. The window says
//! *disguised* (by the defence), *cleaned* (by the server) and *stolen* (by an attacker); files and the terminal keep the
//! paper's terms. README shows this table.

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

const fn word(key: &'static str, paper: &'static str, window: &'static str, help: &'static str) -> Word {
    Word { key, paper, window, help }
}

/// All names.
pub const WORDS: [Word; 27] = [
    word("psgl", "PSGL", "PSGL", "Proximal gradient split learning: the model under the defence."),
    word("defended", "defended", "defended", "The model under the defence, on clean images."),
    word("vanilla", "vanilla", "undefended", "The same network without a defence, trained equally long."),
    word(
        "vanilla_clean",
        "vanilla, clean images",
        "undefended, clean images",
        "The vanilla model on test images as they are.",
    ),
    word(
        "vanilla_attacked",
        "vanilla, attacked images (JSMA)",
        "undefended, disguised images",
        "The vanilla model on images that PSGL disguised.",
    ),
    word(
        "vanilla_fgsm",
        "vanilla, attacked images (FGSM)",
        "undefended, FGSM images",
        "The vanilla model on images changed by FGSM.",
    ),
    word(
        "vanilla_recovered",
        "vanilla, images recovered by proximal gradient",
        "undefended, cleaned images",
        "The vanilla model on disguised images that were cleaned in image space.",
    ),
    word(
        "vanilla_inverted",
        "vanilla, images stolen by the inverse network",
        "undefended, stolen images",
        "The vanilla model on images that an inverse network made from its smashed data: the paper's \"reconstructed\".",
    ),
    word(
        "stream_attacked",
        "PSGL, stream a (attacked)",
        "PSGL, disguised stream",
        "The stream on attacked features alone.",
    ),
    word(
        "stream_recovered",
        "PSGL, stream r (recovered)",
        "PSGL, cleaned stream",
        "The stream on recovered features alone.",
    ),
    word("stream_fused", "PSGL, stream f (fused)", "PSGL, fused stream", "The stream on fused features alone."),
    word(
        "fused",
        "PSGL, fused decision",
        "PSGL, fused decision",
        "The weighted vote of the three streams: PSGL's answer.",
    ),
    word("acc_a", "accuracy of stream a", "disguised stream", "Of a training step, before it was learnt from."),
    word("acc_r", "accuracy of stream r", "cleaned stream", "Of a training step, before it was learnt from."),
    word("acc_f", "accuracy of stream f", "fused stream", "Of a training step, before it was learnt from."),
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

/// A thing by its key; what is not in the table keeps its key as its name.
pub fn of(key: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.key == key)
}

/// The paper's term for a key.
pub fn paper(key: &str) -> &str {
    of(key).map_or(key, |word| word.paper)
}

/// The window's word for a key.
pub fn window(key: &str) -> &str {
    of(key).map_or(key, |word| word.window)
}

/// What a key means, in a sentence; empty for one that is not in the table.
pub fn help(key: &str) -> &'static str {
    of(key).map_or("", |word| word.help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::floor::Guess;
    use crate::score::verdict::Standing;

    #[test]
    fn every_key_stands_once_and_the_readme_shows_the_table() {
        let readme = include_str!("../../README.md");
        for (i, word) in WORDS.iter().enumerate() {
            assert!(WORDS[..i].iter().all(|other| other.key != word.key), "{} twice", word.key);
            let row = format!("| `{}` | {} | {} |", word.key, word.paper, word.window);
            assert!(readme.contains(&row), "README lacks: {row}");
        }
        for guess in Guess::ALL {
            assert_eq!(paper(guess.name()), guess.words());
        }
        for standing in
            [Standing::Broke, Standing::Held, Standing::ProvesNothing, Standing::TooWeak, Standing::NotMeasured]
        {
            assert_eq!(window(standing.word()), standing.word());
        }
        assert_eq!((paper("other"), window("other"), help("other")), ("other", "other", ""));
    }
}
