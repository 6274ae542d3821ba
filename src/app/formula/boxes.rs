//! What formulas and paragraphs are laid out of: boxes with a baseline, from glyphs of the fonts and from lines for what no
//! font has.

use std::sync::Arc;

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Color32, Context, FontFamily, FontId, Galley, Rect, Vec2, pos2, vec2};

use crate::method::Symbol;

/// What is drawn at a place.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Glyphs; the place is the left end of their baseline.
    Glyphs(Arc<Galley>),
    /// A line through points, so many points thick.
    Path(Vec<Vec2>, f32),
    /// The outline of a mark, so large.
    Tag(Vec2),
}

/// What may be pointed at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Point {
    /// A symbol.
    Symbol(&'static Symbol),
    /// Whose word something is.
    Mark(String),
}

/// What a glyph is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Words.
    Text,
    /// Words that stand out, and all of formulas.
    Strong,
}

/// A box: places are right of its left end and below its baseline.
#[derive(Clone, Debug, Default)]
pub(super) struct Laid {
    pub width: f32,
    /// From the baseline up, and down.
    pub up: f32,
    pub down: f32,
    pub shapes: Vec<(Vec2, Shape, Tone, Option<&'static Symbol>)>,
    pub points: Vec<(Rect, Point)>,
}

impl Laid {
    pub fn height(&self) -> f32 {
        self.up + self.down
    }

    /// An empty box.
    pub fn space(width: f32) -> Self {
        Self { width, ..Self::default() }
    }

    /// Puts another box in this one, which grows.
    pub fn put(&mut self, at: Vec2, other: Self) {
        self.width = self.width.max(at.x + other.width);
        self.up = self.up.max(other.up - at.y);
        self.down = self.down.max(other.down + at.y);
        self.shapes
            .extend(other.shapes.into_iter().map(|(place, shape, tone, symbol)| (at + place, shape, tone, symbol)));
        self.points.extend(other.points.into_iter().map(|(rect, point)| (rect.translate(at), point)));
    }

    /// Puts another box at the right end.
    pub fn append(&mut self, other: Self) {
        self.put(vec2(self.width, 0.0), other);
    }

    /// Adds a line.
    pub fn line(&mut self, points: impl IntoIterator<Item = Vec2>, thick: f32) {
        self.shapes.push((Vec2::ZERO, Shape::Path(points.into_iter().collect(), thick), Tone::Strong, None));
    }

    /// All of it is this symbol.
    pub fn name(mut self, symbol: &'static Symbol) -> Self {
        self.shapes.iter_mut().for_each(|shape| shape.3 = Some(symbol));
        let rect = Rect::from_min_max(pos2(0.0, -self.up), pos2(self.width, self.down));
        self.points.push((rect, Point::Symbol(symbol)));
        self
    }
}

/// How glyphs are set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Face {
    pub size: f32,
    pub slanted: bool,
    pub tone: Tone,
}

/// A run of glyphs. Where the font of the window's words lacks one, it is taken from the other font.
pub(super) fn glyphs(ctx: &Context, text: &str, face: Face) -> Laid {
    let font = FontId::proportional(face.size);
    let whole = ctx.fonts_mut(|fonts| fonts.has_glyphs(&font, text));
    let family = if whole { FontFamily::Proportional } else { FontFamily::Monospace };
    let format = TextFormat {
        font_id: FontId::new(face.size, family),
        color: Color32::PLACEHOLDER,
        italics: face.slanted,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap.max_width = f32::INFINITY;
    let galley = ctx.fonts_mut(|fonts| fonts.layout_job(job));
    let glyphs = galley.rows.first().map_or(&[][..], |row| &row.glyphs);
    // Slanted letters lean over their end.
    let lean = if face.slanted { 0.05 * face.size } else { 0.0 };
    let width = glyphs.iter().map(|glyph| glyph.advance_width).sum::<f32>() + lean;
    let [up, down] = extent(text).map(|share| share * face.size);
    Laid { width, up, down, shapes: vec![(Vec2::ZERO, Shape::Glyphs(galley), face.tone, None)], points: Vec::new() }
}

/// How far glyphs reach above and below their baseline, in their size: fonts tell it only of all their glyphs at once, which
/// would leave formulas full of holes.
fn extent(text: &str) -> [f32; 2] {
    let low = |c: char| "acegmnopqrsuvwxyzαγεηικμνοπρστυφχψω+\u{2212}=<>·×~".contains(c);
    let deep = |c: char| "gjpqyβγζημξρςφχψ()[],;|∑".contains(c);
    let up = if text.chars().all(low) { 0.53 } else { 0.74 };
    let down = if text.chars().any(deep) { 0.22 } else { 0.02 };
    [up, down]
}

/// Where glyphs are drawn so that their baseline is at the place.
pub(super) fn baseline(galley: &Galley) -> f32 {
    let glyph = galley.rows.first().and_then(|row| Some((row.pos.y, row.glyphs.first()?.pos.y)));
    glyph.map_or(0.0, |(row, glyph)| row + glyph)
}
