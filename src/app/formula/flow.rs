//! Paragraphs: words, marks and formulas in lines of a width.

use eframe::egui::{Context, Rect, pos2, vec2};

use super::boxes::{Face, Laid, Point, Shape, Tone, glyphs};
use super::layout::Setter;
use crate::method::prose::Piece;

/// Between lines, in the size of letters.
const LEADING: f32 = 0.62;
/// Size of marks.
const MARK: f32 = 0.8;

/// Lays a paragraph out in letters of a size.
pub(super) fn paragraph(ctx: &Context, pieces: &[Piece], size: f32, width: f32) -> Laid {
    let space = glyphs(ctx, " ", Face { size, slanted: false, tone: Tone::Text }).width;
    let mut lines = Lines { all: Laid::default(), line: Laid::default(), y: 0.0, first: true, size, width };
    // Between two pieces there is a space only where one is written.
    let mut apart = false;
    for piece in pieces {
        match piece {
            Piece::Words(text) | Piece::Strong(text) => {
                let tone = if matches!(piece, Piece::Strong(_)) { Tone::Strong } else { Tone::Text };
                apart |= text.starts_with(' ');
                for word in text.split_whitespace() {
                    lines.add(if apart { space } else { 0.0 }, glyphs(ctx, word, Face { size, slanted: false, tone }));
                    apart = true;
                }
                apart = text.ends_with(' ');
            }
            Piece::Mark(mark) => {
                lines.add(if apart { space } else { 0.0 }, tag(ctx, mark, size));
                apart = false;
            }
            Piece::Math(node) => {
                lines.add(if apart { space } else { 0.0 }, Setter { ctx, size }.lay(node));
                apart = false;
            }
        }
    }
    lines.end();
    lines.all
}

/// Whose word something is, in a small frame.
pub(super) fn tag(ctx: &Context, mark: &str, size: f32) -> Laid {
    let words = glyphs(ctx, mark, Face { size: MARK * size, slanted: false, tone: Tone::Text });
    let (side, up, down) = (0.28 * size, 0.78 * size, 0.2 * size);
    let width = words.width + 2.0 * side;
    let mut laid = Laid { width, up, down, ..Laid::default() };
    laid.shapes.push((vec2(0.0, -up), Shape::Tag(vec2(width, up + down)), Tone::Text, None));
    laid.put(vec2(side, -0.06 * size), words);
    laid.points.push((Rect::from_min_max(pos2(0.0, -up), pos2(width, down)), Point::Mark(mark.to_owned())));
    laid
}

struct Lines {
    all: Laid,
    line: Laid,
    y: f32,
    first: bool,
    size: f32,
    width: f32,
}

impl Lines {
    /// Adds a word, on the next line where there is no room on this one. What follows without a space stays with it.
    fn add(&mut self, space: f32, word: Laid) {
        if self.line.width > 0.0 && space > 0.0 && self.line.width + space + word.width > self.width {
            self.end();
        } else if self.line.width > 0.0 {
            self.line.width += space;
        }
        self.line.append(word);
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.shapes.is_empty() {
            return;
        }
        // Lines without formulas are equally far apart.
        let (up, down) = (line.up.max(0.74 * self.size), line.down.max(0.22 * self.size));
        self.y += if std::mem::take(&mut self.first) { 0.0 } else { up + LEADING * self.size };
        self.all.put(vec2(0.0, self.y), line);
        self.y += down;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_there_is_room_and_lose_no_word() {
        let ctx = Context::default();
        let mut output = ctx.run_ui(eframe::egui::RawInput::default(), |ui| {
            let words = "one two three four five six seven eight nine ten eleven twelve";
            let mark = Piece::Mark("E, eq. 1".to_owned());
            let laid = paragraph(
                ui.ctx(),
                &[Piece::Words(format!("{words} ")), mark, Piece::Words(".".to_owned())],
                14.0,
                120.0,
            );
            assert!(laid.width <= 120.0 && laid.height() > 4.0 * 14.0, "{laid:?}");
            let glyphs = laid.shapes.iter().filter(|shape| matches!(shape.1, Shape::Glyphs(_))).count();
            assert_eq!(glyphs, 12 + 2, "the mark and the full stop after it are two more");
            assert_eq!(laid.points.len(), 1);
        });
        output.textures_delta.clear();
    }
}
