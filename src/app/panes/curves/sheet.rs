//! Paper that plotters draws on: lines, marks and words, in pixels of the finished picture.

use std::sync::OnceLock;

use eframe::egui::{Color32, FontDefinitions, FontFamily, Pos2, Rect, Shape, Stroke, Theme, Vec2, vec2};
use egui_plot::LineStyle;
use plotters::coord::Shift;
use plotters::prelude::{Circle, DrawingArea, DrawingBackend, PathElement, Polygon, RGBAColor, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, ShapeStyle, TextStyle, register_font};

use super::ink::{Ink, outline};
use crate::error::{Error, Result};

/// Paper to draw on, measured in pixels of the finished picture.
pub struct Sheet<'a, D: DrawingBackend> {
    /// What is drawn on.
    pub area: &'a DrawingArea<D, Shift>,
    /// Dark or light.
    pub theme: Theme,
    fine: f32,
}

/// Where words are held.
#[derive(Clone, Copy)]
pub struct Anchor(HPos, VPos);

/// At their left end.
pub const LEFT: Anchor = Anchor(HPos::Left, VPos::Center);
/// At their right end.
pub const RIGHT: Anchor = Anchor(HPos::Right, VPos::Center);
/// In their middle.
pub const CENTER: Anchor = Anchor(HPos::Center, VPos::Center);
/// In the middle of their top.
pub const TOP: Anchor = Anchor(HPos::Center, VPos::Top);

impl<'a, D: DrawingBackend> Sheet<'a, D> {
    /// Paper for a theme; `fine` pixels are drawn for each that is counted.
    ///
    /// # Errors
    /// Where there is no font.
    pub fn new(area: &'a DrawingArea<D, Shift>, theme: Theme, fine: f32) -> Result<Self> {
        static FONT: OnceLock<bool> = OnceLock::new();
        if !FONT.get_or_init(register) {
            return Err(Error::Internal("curves: no font".to_owned()));
        }
        Ok(Self { area, theme, fine })
    }

    /// The paper's colour.
    pub fn ground(&self) -> Color32 {
        self.theme.default_visuals().extreme_bg_color
    }

    /// Where a place is in the pixels that are drawn.
    fn at(&self, at: Pos2) -> (i32, i32) {
        ((self.fine * at.x).round() as i32, (self.fine * at.y).round() as i32)
    }

    /// A line through points.
    ///
    /// # Errors
    /// Where it cannot be drawn; likewise below.
    pub fn line(&self, points: &[Pos2], color: Color32, width: f32, style: LineStyle) -> Result<()> {
        let stroke = ShapeStyle {
            color: color_of(color),
            filled: false,
            stroke_width: (self.fine * width).round().max(1.0) as u32,
        };
        let pieces = match style {
            LineStyle::Solid => vec![points.to_vec()],
            LineStyle::Dashed { length } => pieces(points, 1.6 * length, length),
            LineStyle::Dotted { spacing } => pieces(points, 2.0 * width.max(1.5), 1.4 * spacing),
        };
        for piece in pieces.iter().filter(|piece| piece.len() > 1) {
            let points: Vec<(i32, i32)> = piece.iter().map(|point| self.at(*point)).collect();
            if self.fine == 1.0 {
                self.area.draw(&PathElement::new(points, stroke)).map_err(|e| wrong(&e))?;
                continue;
            }
            // In pixels a sharp corner of a path would stick out, by as much as it is sharp.
            for ends in points.windows(2).filter(|ends| ends[0] != ends[1]) {
                self.area.draw(&PathElement::new(ends.to_vec(), stroke)).map_err(|e| wrong(&e))?;
                let corner = Circle::new(ends[1], stroke.stroke_width / 2, stroke.color.filled());
                if stroke.stroke_width > 3 {
                    self.area.draw(&corner).map_err(|e| wrong(&e))?;
                }
            }
        }
        Ok(())
    }

    /// A filled rectangle.
    pub fn rect(&self, rect: Rect, color: Color32) -> Result<()> {
        let [from, to] = [rect.min, rect.max].map(|at| self.at(at));
        self.area.draw(&Rectangle::new([from, to], color_of(color).filled())).map_err(|e| wrong(&e))
    }

    /// What a closed line is around, filled.
    pub fn area(&self, corners: &[Pos2], color: Color32) -> Result<()> {
        let corners: Vec<(i32, i32)> = corners.iter().map(|corner| self.at(*corner)).collect();
        self.area.draw(&Polygon::new(corners, color_of(color).filled())).map_err(|e| wrong(&e))
    }

    /// An ink's mark.
    pub fn mark(&self, ink: Ink, at: Pos2, radius: f32) -> Result<()> {
        let Some(mark) = ink.mark else { return Ok(()) };
        let corners: Vec<(i32, i32)> = outline(mark, at, radius).into_iter().map(|corner| self.at(corner)).collect();
        let fill = color_of(ink.color(self.theme)).filled();
        self.area.draw(&Polygon::new(corners, fill)).map_err(|e| wrong(&e))
    }

    fn style(&self, size: f32, color: Color32, anchor: Anchor) -> TextStyle<'static> {
        let font = ("sans-serif", f64::from(self.fine * size)).into_font();
        TextStyle { font, color: color_of(color).to_backend_color(), pos: Pos::new(anchor.0, anchor.1) }
    }

    /// Words.
    pub fn text(&self, text: &str, at: Pos2, size: f32, color: Color32, anchor: Anchor) -> Result<()> {
        self.area.draw_text(text, &self.style(size, color, anchor), self.at(at)).map_err(|e| wrong(&e))
    }

    /// The room that words take.
    pub fn room(&self, text: &str, size: f32) -> Result<Vec2> {
        let style = self.style(size, Color32::PLACEHOLDER, LEFT);
        let (x, y) = self.area.estimate_text_size(text, &style).map_err(|e| wrong(&e))?;
        Ok(vec2(x as f32, y as f32) / self.fine)
    }
}

/// Why something could not be drawn.
pub fn wrong(e: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("curves: {e}"))
}

/// egui's colour as plotters has it.
pub fn color_of(color: Color32) -> RGBAColor {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    RGBAColor(r, g, b, f64::from(a) / 255.0)
}

/// A line in dashes, by epaint's own measure.
fn pieces(points: &[Pos2], dash: f32, gap: f32) -> Vec<Vec<Pos2>> {
    let stroke = Stroke::new(1.0, Color32::PLACEHOLDER);
    let segment =
        |shape: Shape| if let Shape::LineSegment { points, .. } = shape { Some(points.to_vec()) } else { None };
    Shape::dashed_line(points, stroke, dash, gap).into_iter().filter_map(segment).collect()
}

/// Gives plotters the window's own font, so that pictures need none of the system's.
fn register() -> bool {
    let fonts = FontDefinitions::default();
    let first = fonts.families.get(&FontFamily::Proportional).and_then(|names| names.first());
    let Some(data) = first.and_then(|name| fonts.font_data.get(name)) else { return false };
    // Fonts are registered once, for good.
    let bytes: &'static [u8] = Box::leak((*data.font).as_ref().to_vec().into_boxed_slice());
    register_font("sans-serif", FontStyle::Normal, bytes).is_ok()
}
