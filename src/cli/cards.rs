//! The attacks' cards, as `cutlayer attack --help` shows them.

use std::fmt::Write as _;

use crate::attack::kind::Kind;
use crate::workbench::attacks;

/// A paragraph of each attack: what it does, sees and knows, and what has been published of it.
pub(super) fn cards() -> String {
    let mut text = "Attacks:\n".to_owned();
    for kind in attacks() {
        card(&mut text, kind);
    }
    text
}

fn card(text: &mut String, kind: &Kind) {
    let _ = writeln!(text, "  {}: {}", kind.id, kind.about);
    let _ = writeln!(text, "    It sees {} and knows {}.", kind.sees_words(), kind.knows_words(false));
    let _ = writeln!(text, "    Adaptive it knows {}.", kind.knows_words(true));
    for one in kind.published {
        let _ = writeln!(text, "    {}: {:.2} dB, SSIM {:.3}, {}", one.mark, one.psnr, one.ssim, one.of);
    }
}
