//! What a run, the paper and the window call what only PSGL has.

use crate::score::names::{Word, word};

/// Its names.
pub(super) static WORDS: [Word; 10] = [
    word("psgl", "PSGL", "PSGL", "Proximal gradient split learning: the model under the defence."),
    word(
        "vanilla_attacked",
        "vanilla, attacked images (JSMA)",
        "undefended, disguised images",
        "The vanilla model on images that PSGL disguised.",
    ),
    word(
        "vanilla_recovered",
        "vanilla, images recovered by proximal gradient",
        "undefended, cleaned images",
        "The vanilla model on disguised images that were cleaned in image space.",
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
];
