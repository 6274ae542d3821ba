//! The attacks' cards, as `cutlayer attack --help` shows them.

use std::fmt::Write as _;

use crate::attack::kind::Kind;
use crate::score::metrics::{PSNR, SSIM};
use crate::workbench::attacks;

/// Columns of a line at most, its indent among them: what is longer is wrapped without one.
const WIDTH: usize = 96;

/// A paragraph of each attack: what it does, sees and knows, and what has been published of it.
pub(super) fn cards() -> String {
    attacks().iter().fold("Attacks:\n".to_owned(), |text, kind| text + &card(kind))
}

fn card(kind: &Kind) -> String {
    let mut text = format!("  {}\n", kind.id);
    put(&mut text, kind.about);
    put(&mut text, &format!("It sees {} and knows {}.", kind.sees_words(), kind.knows_words(false)));
    put(&mut text, &format!("Adaptive it knows {}.", kind.knows_words(true)));
    if let Some(words) = kind.make.words() {
        put(&mut text, words);
    }
    for one in kind.published {
        let psnr = PSNR.with_unit(&format!("{:.2}", one.psnr));
        put(&mut text, &format!("{}: {psnr}, {} {:.3}, {}", one.mark, SSIM.name, one.ssim, one.of));
    }
    text
}

/// Adds a sentence on lines of its own.
fn put(text: &mut String, sentence: &str) {
    let indent = "   ";
    text.push_str(indent);
    let mut column = indent.len();
    for word in sentence.split(' ') {
        let length = word.chars().count() + 1;
        if column + length > WIDTH {
            let _ = write!(text, "\n{indent}");
            column = indent.len();
        }
        let _ = write!(text, " {word}");
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_stay_indented() {
        let mut text = String::new();
        put(&mut text, "word ".repeat(30).trim_end());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines.iter().all(|line| line.starts_with("    word") && line.len() <= WIDTH), "{text}");
        let all = cards();
        assert!(attacks().iter().all(|kind| all.contains(&format!("\n  {}\n", kind.id))), "{all}");
    }
}
