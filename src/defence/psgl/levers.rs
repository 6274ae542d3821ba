//! The settings of PSGL that are pulled while one looks.

use crate::defence::Lever;

/// Its levers; what each does is said with the [settings](super::settings).
pub(super) static LEVERS: [Lever; 3] = [
    Lever { key: "gamma", symbol: "γ", words: "pixels that move", range: [0.0, 0.5] },
    Lever { key: "theta", symbol: "θ", words: "how far they move", range: [0.0, 1.0] },
    Lever { key: "mu", symbol: "μ", words: "cleaning", range: [0.01, 10.0] },
];
