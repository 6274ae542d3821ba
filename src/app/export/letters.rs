//! Letters as outlines, each defined once in a drawing and used wherever it stands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ab_glyph::{Font as _, FontRef, OutlineCurve};
use eframe::egui::Pos2;

use crate::error::{Error, Result};

/// The font of letters that the window's own has not.
const OTHERS: &str = "'DejaVu Sans', sans-serif";

/// A letter in its place: on the baseline, so wide.
pub struct Placed {
    pub letter: char,
    pub at: Pos2,
    pub advance: f32,
}

/// The window's font, and the letters of it that a drawing has.
pub struct Type {
    font: FontRef<'static>,
    used: BTreeMap<char, String>,
}

impl Type {
    /// No letter yet.
    ///
    /// # Errors
    /// Returns an error if there is no font.
    pub fn new() -> Result<Self> {
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT);
        let font = font.map_err(|e| Error::Internal(format!("the drawing's letters: {e}")))?;
        Ok(Self { font, used: BTreeMap::new() })
    }

    /// Letters beside one another, of a height, in this colour (an attribute); `turn` is one more attribute or empty.
    pub fn run(&mut self, letters: &[Placed], size: f32, ink: &str, turn: &str) -> String {
        let scale = self.scale(size);
        let words: String = letters.iter().map(|placed| placed.letter).collect();
        if words.trim().is_empty() {
            return String::new();
        }
        let mut text = format!("<g aria-label=\"{}\" {ink}{turn}>", escaped(words.trim()));
        for Placed { letter, at, advance } in letters.iter().filter(|placed| !placed.letter.is_whitespace()) {
            let id = self.font.glyph_id(*letter);
            let own = self.font.h_advance_unscaled(id);
            if id.0 == 0 || own <= 0.0 {
                let other = escaped(&letter.to_string());
                let _ = write!(
                    text,
                    r#"<text x="{:.2}" y="{:.2}" font-family="{OTHERS}" font-size="{size:.1}">{other}</text>"#,
                    at.x, at.y
                );
                continue;
            }
            let code = u32::from(*letter);
            let font = &self.font;
            self.used.entry(*letter).or_insert_with(|| outline(font, *letter));
            // Of two letters that are drawn as one sign the second is laid out behind it, and without a width.
            let x = if *advance > 0.0 { at.x } else { at.x - scale * own };
            // Outlines have y upwards.
            let _ = write!(
                text,
                r##"<use href="#l{code}" transform="translate({x:.2} {:.2}) scale({scale:.5} -{scale:.5})"/>"##,
                at.y
            );
        }
        text.push_str("</g>\n");
        text
    }

    /// A height in units of the font.
    fn scale(&self, size: f32) -> f32 {
        size / self.font.units_per_em().unwrap_or(1000.0)
    }

    /// A line of words of a height that begins at `at`.
    pub fn line(&mut self, words: &str, at: Pos2, size: f32, ink: &str) -> String {
        let scale = self.scale(size);
        let mut x = at.x;
        let mut place = |letter| {
            let advance = scale * self.font.h_advance_unscaled(self.font.glyph_id(letter));
            let placed = Placed { letter, at: Pos2::new(x, at.y), advance };
            x += advance;
            placed
        };
        let letters: Vec<Placed> = words.chars().map(&mut place).collect();
        self.run(&letters, size, ink, "")
    }

    /// The definitions of all letters that were used.
    pub fn definitions(&self) -> String {
        let mut text = String::from("<defs>\n");
        for (letter, outline) in &self.used {
            let _ = writeln!(text, r#"<path id="l{}" d="{outline}"/>"#, u32::from(*letter));
        }
        text + "</defs>\n"
    }
}

/// A text as XML has it.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // SVG is XML, which has no other control characters.
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A letter's outline in the font's own units, y upwards.
fn outline(font: &FontRef<'_>, letter: char) -> String {
    let mut d = String::new();
    let Some(outline) = font.outline(font.glyph_id(letter)) else { return d };
    let mut end = None;
    for curve in outline.curves {
        let (from, to, bend) = match curve {
            OutlineCurve::Line(a, b) => (a, b, format!("L{:.0} {:.0}", b.x, b.y)),
            OutlineCurve::Quad(a, b, c) => (a, c, format!("Q{:.0} {:.0} {:.0} {:.0}", b.x, b.y, c.x, c.y)),
            OutlineCurve::Cubic(a, b, c, to) => {
                (a, to, format!("C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}", b.x, b.y, c.x, c.y, to.x, to.y))
            }
        };
        if end != Some(from) {
            let _ = write!(d, "M{:.0} {:.0}", from.x, from.y);
        }
        d.push_str(&bend);
        end = Some(to);
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_defined_once_and_stands_where_it_was_laid_out() {
        let mut letters = Type::new().unwrap();
        let text = letters.line("too <low>", Pos2::new(3.0, 10.0), 12.0, "fill=\"red\"");
        assert!(text.starts_with("<g aria-label=\"too &lt;low&gt;\" fill=\"red\">"), "{text}");
        assert_eq!(text.matches("href=\"#l111\"").count(), 3, "three times o");
        assert!(text.contains("translate(3.00 10.00)"), "{text}");
        let defined = letters.definitions();
        assert_eq!((defined.matches("<path").count(), defined.matches("id=\"l111\"").count()), (6, 1));
        // "fl" is one sign of the font.
        let pair = [('f', 3.0, 7.0), ('l', 10.0, 0.0)];
        let pair = pair.map(|(letter, x, advance)| Placed { letter, at: Pos2::new(x, 10.0), advance });
        let text = letters.run(&pair, 12.0, "", "");
        assert!(text.contains("translate(3.00") && !text.contains("translate(10.00") && !text.contains("scale(0.0000"));
        // What the font does not have is left to another one.
        assert!(letters.line("漢", Pos2::ZERO, 12.0, "").contains(">漢</text>"));
        assert!(letters.line("  ", Pos2::ZERO, 12.0, "").is_empty());
    }
}
