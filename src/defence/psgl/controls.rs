//! What PSGL is held against to tell whether it helps to answer right (METHOD §3): the same without its attack, and one
//! stream in place of three.

use crate::defence::Control;
use crate::setting::Plain;

/// Its controls; all but the last have as many weights as PSGL.
pub(super) static CONTROLS: [Control; 4] = [
    Control {
        words: "the same three streams on images that were not attacked",
        set: &[("attack", Plain::Switch(false))],
    },
    Control {
        words: "one stream as large as the three on images that were not attacked",
        set: &[("attack", Plain::Switch(false)), ("server", Plain::Word("large"))],
    },
    Control { words: "one stream as large as the three on attacked images", set: &[("server", Plain::Word("large"))] },
    Control { words: "one stream of the usual size on attacked images", set: &[("server", Plain::Word("plain"))] },
];

#[cfg(test)]
mod tests;
