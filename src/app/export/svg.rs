//! What was drawn, as lines and letters that scale: egui's shapes as SVG. Pictures in it are the window's own pixels, and
//! letters outlines, so that it looks the same where the window's fonts are not at hand.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use eframe::egui::epaint::{CircleShape, ClippedShape, ColorMode, Mesh, PathShape, RectShape, TextShape};
use eframe::egui::{Color32, ColorImage, Pos2, Rect, Shape, Stroke, StrokeKind, TextureId, pos2, vec2};

use super::letters::{Placed, Type, escaped};
use super::pixels::{cut, png};
use crate::error::Result;
use crate::run::caption::lines;

/// Height of a caption's line, and of its letters.
const LINE: f32 = 16.0;
const LETTERS: f32 = 12.0;
/// Letters of a caption in a line of so many points, about.
const LETTER: f32 = 6.0;

/// A part of the window as it was drawn.
pub struct Drawing {
    /// Where it was, in points.
    pub rect: Rect,
    /// Its ground.
    pub ground: Color32,
    /// Of the letters below it.
    pub ink: Color32,
    /// All that was drawn in the window's lowest layer.
    pub shapes: Vec<ClippedShape>,
    /// What it is.
    pub caption: String,
}

impl Drawing {
    /// As SVG, one point a unit. `whole` are the window's pixels, so many to a point.
    ///
    /// # Errors
    /// Returns an error if a picture in it cannot be written.
    pub fn svg(&self, whole: &ColorImage, scale: f32) -> Result<String> {
        let most = (self.rect.width() / LETTER).max(20.0) as usize;
        let lines = lines(&self.caption, |line| line.chars().count() <= most);
        let (width, height) = (self.rect.width(), self.rect.height() + LINE * (lines.len() as f32 + 0.5));
        let mut page =
            Page { text: String::new(), origin: self.rect.min, clips: 0, letters: Type::new()?, whole, scale };
        let all = Rect::from_min_size(self.rect.min, vec2(width, height));
        page.rect(all, 0.0, &filled(self.ground));
        for clipped in &self.shapes {
            let clip = clipped.clip_rect.intersect(self.rect);
            let bounds = clipped.shape.visual_bounding_rect();
            if clip.is_positive() && bounds.is_finite() && bounds.intersects(clip) {
                page.clipped(&clipped.shape, clip, bounds)?;
            }
        }
        let ink = attribute("fill", &color(self.ink));
        for (i, line) in lines.iter().enumerate() {
            let words = page.letters.line(line, pos2(4.0, self.rect.height() + LINE * (i as f32 + 1.0)), LETTERS, &ink);
            page.text.push_str(&words);
        }
        let title = escaped(&self.caption);
        let head = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1} {height:.1}" width="{width:.1}" height="{height:.1}">"#
        );
        Ok(format!("{head}\n<title>{title}</title>\n{}{}</svg>\n", page.letters.definitions(), page.text))
    }
}

/// `rgb(1, 2, 3)`, and how opaque it is.
fn color(color: Color32) -> (String, f32) {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    (format!("rgb({r}, {g}, {b})"), f32::from(a) / 255.0)
}

/// `fill="…"`, with its opacity where there is any.
fn attribute(name: &str, (rgb, opacity): &(String, f32)) -> String {
    if *opacity >= 1.0 {
        format!(r#"{name}="{rgb}""#)
    } else {
        format!(r#"{name}="{rgb}" {name}-opacity="{opacity:.3}""#)
    }
}

fn filled(fill: Color32) -> String {
    if fill.a() == 0 { r#"fill="none""#.to_owned() } else { attribute("fill", &color(fill)) }
}

fn stroked(stroke: Stroke) -> String {
    if stroke.is_empty() {
        return String::new();
    }
    format!(r#" {} stroke-width="{:.2}""#, attribute("stroke", &color(stroke.color)), stroke.width)
}

/// The text as it grows.
struct Page<'a> {
    text: String,
    origin: Pos2,
    clips: usize,
    letters: Type,
    whole: &'a ColorImage,
    scale: f32,
}

impl Page<'_> {
    fn at(&self, pos: Pos2) -> Pos2 {
        (pos - self.origin).to_pos2()
    }

    /// A shape, cut off where it reaches out of `clip`.
    fn clipped(&mut self, shape: &Shape, clip: Rect, bounds: Rect) -> Result<()> {
        if clip.contains_rect(bounds) {
            return self.shape(shape, clip);
        }
        let (id, min) = (self.clips, self.at(clip.min));
        self.clips += 1;
        let _ = writeln!(
            self.text,
            r#"<clipPath id="c{id}"><rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}"/></clipPath><g clip-path="url(#c{id})">"#,
            min.x,
            min.y,
            clip.width(),
            clip.height()
        );
        self.shape(shape, clip)?;
        self.text.push_str("</g>\n");
        Ok(())
    }

    fn shape(&mut self, shape: &Shape, clip: Rect) -> Result<()> {
        match shape {
            Shape::Noop | Shape::Callback(_) => {}
            Shape::Vec(shapes) => shapes.iter().try_for_each(|shape| self.shape(shape, clip))?,
            Shape::Circle(circle) => self.circle(*circle),
            Shape::Ellipse(_) | Shape::Band(_) => self.pixels(shape.visual_bounding_rect(), clip)?,
            Shape::LineSegment { points, stroke } => self.path(points, false, "fill=\"none\"", &stroked(*stroke)),
            Shape::Path(path) => self.drawn(path),
            Shape::Rect(rect) if rect.brush.is_some() => self.pixels(rect.rect, clip)?,
            Shape::Rect(rect) => self.framed(rect),
            Shape::Text(text) => self.letters(text),
            Shape::Mesh(mesh) if mesh.texture_id != TextureId::default() => self.pixels(mesh.calc_bounds(), clip)?,
            Shape::Mesh(mesh) => self.mesh(mesh),
            Shape::QuadraticBezier(curve) => {
                self.path(
                    &curve.flatten(None),
                    curve.closed,
                    &filled(curve.fill),
                    &solid(&curve.stroke.color, curve.stroke.width),
                );
            }
            Shape::CubicBezier(curve) => {
                self.path(
                    &curve.flatten(None),
                    curve.closed,
                    &filled(curve.fill),
                    &solid(&curve.stroke.color, curve.stroke.width),
                );
            }
        }
        Ok(())
    }

    fn rect(&mut self, rect: Rect, radius: f32, looks: &str) {
        let min = self.at(rect.min);
        let _ = writeln!(
            self.text,
            r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" rx="{radius:.1}" {looks}/>"#,
            min.x,
            min.y,
            rect.width(),
            rect.height()
        );
    }

    fn framed(&mut self, shape: &RectShape) {
        let half = 0.5 * shape.stroke.width;
        // SVG's lines stand on the edge.
        let rect = match shape.stroke_kind {
            StrokeKind::Inside => shape.rect.shrink(half),
            StrokeKind::Middle => shape.rect,
            StrokeKind::Outside => shape.rect.expand(half),
        };
        if rect.is_positive() {
            let looks = filled(shape.fill) + &stroked(shape.stroke);
            self.rect(rect, f32::from(shape.corner_radius.nw), &looks);
        }
    }

    fn circle(&mut self, circle: CircleShape) {
        let at = self.at(circle.center);
        let looks = filled(circle.fill) + &stroked(circle.stroke);
        let _ = writeln!(self.text, r#"<circle cx="{:.2}" cy="{:.2}" r="{:.2}" {looks}/>"#, at.x, at.y, circle.radius);
    }

    fn drawn(&mut self, path: &PathShape) {
        self.path(&path.points, path.closed, &filled(path.fill), &solid(&path.stroke.color, path.stroke.width));
    }

    fn path(&mut self, points: &[Pos2], closed: bool, fill: &str, stroke: &str) {
        if points.len() < 2 || !points.iter().all(|point| point.is_finite()) {
            return;
        }
        let mut d = String::new();
        for (i, point) in points.iter().enumerate() {
            let at = self.at(*point);
            let _ = write!(d, "{}{:.2} {:.2}", if i == 0 { 'M' } else { 'L' }, at.x, at.y);
        }
        let end = if closed { "Z" } else { "" };
        let _ = writeln!(self.text, r#"<path d="{d}{end}" {fill}{stroke}/>"#);
    }

    /// Each row of letters, every letter where it stood.
    fn letters(&mut self, shape: &TextShape) {
        let job = &shape.galley.job;
        let mut offset = 0;
        for row in &shape.galley.rows {
            let (mut letters, mut style) = (Vec::new(), None);
            for glyph in &row.glyphs {
                let its = job.sections.iter().find(|section| section.byte_range.end.0 > offset).or(job.sections.last());
                let its = its.map(|section| (section.format.color, section.format.font_id.size));
                if its != style {
                    self.run_of_letters(&std::mem::take(&mut letters), style, shape);
                    style = its;
                }
                let at = self.at(shape.pos + row.pos.to_vec2() + glyph.pos.to_vec2());
                letters.push(Placed { letter: glyph.chr, at, advance: glyph.advance_width });
                offset = (offset + glyph.chr.len_utf8()).min(job.text.len());
            }
            self.run_of_letters(&letters, style, shape);
            offset += usize::from(row.ends_with_newline);
        }
    }

    fn run_of_letters(&mut self, letters: &[Placed], style: Option<(Color32, f32)>, shape: &TextShape) {
        let Some((own, size)) = style else { return };
        let own = if own == Color32::PLACEHOLDER { shape.fallback_color } else { own };
        let ink = shape.override_text_color.unwrap_or(own).gamma_multiply(shape.opacity_factor);
        let pivot = self.at(shape.pos);
        let turn = if shape.angle == 0.0 {
            String::new()
        } else {
            format!(r#" transform="rotate({:.2} {:.2} {:.2})""#, shape.angle.to_degrees(), pivot.x, pivot.y)
        };
        let text = self.letters.run(letters, size, &attribute("fill", &color(ink)), &turn);
        self.text.push_str(&text);
    }

    fn mesh(&mut self, mesh: &Mesh) {
        for corners in mesh.indices.chunks_exact(3) {
            let vertices: Vec<_> = corners.iter().filter_map(|i| mesh.vertices.get(*i as usize)).collect();
            if let [a, b, c] = vertices.as_slice() {
                self.path(&[a.pos, b.pos, c.pos], true, &filled(a.color), "");
            }
        }
    }

    /// The window's own pixels there.
    fn pixels(&mut self, rect: Rect, clip: Rect) -> Result<()> {
        let rect = rect.intersect(clip);
        if !rect.is_positive() {
            return Ok(());
        }
        let picture = cut(self.whole, rect, self.scale);
        if picture.pixels.is_empty() {
            return Ok(());
        }
        let (min, bytes) = (self.at(pos2(rect.left(), rect.top())), BASE64_STANDARD.encode(png(&picture)?));
        let _ = writeln!(
            self.text,
            r#"<image x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" preserveAspectRatio="none" image-rendering="pixelated" href="data:image/png;base64,{bytes}"/>"#,
            min.x,
            min.y,
            rect.width(),
            rect.height()
        );
        Ok(())
    }
}

/// A path's line; one whose colour varies is drawn in its first.
fn solid(color: &ColorMode, width: f32) -> String {
    match color {
        ColorMode::Solid(color) => stroked(Stroke::new(width, *color)),
        ColorMode::UV(_) => stroked(Stroke::new(width, Color32::GRAY)),
    }
}
