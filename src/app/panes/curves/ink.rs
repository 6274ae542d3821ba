//! How a curve is drawn: colour, line and marks, so that colour is not all that tells curves apart.

use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Theme, Vec2, pos2, vec2};
use egui_plot::{LineStyle, MarkerShape};

use crate::app::theme::Role;

/// Dashes of lines that stand still: the paper's figures, guesses.
pub const DASHED: LineStyle = LineStyle::Dashed { length: 6.0 };
/// Dots of such lines.
pub const DOTTED: LineStyle = LineStyle::Dotted { spacing: 5.0 };
/// Marks of several attacks, in their order.
pub const MARKS: [MarkerShape; 5] =
    [MarkerShape::Circle, MarkerShape::Square, MarkerShape::Diamond, MarkerShape::Up, MarkerShape::Down];

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// Whose colour; none has that of text.
    pub role: Option<Role>,
    /// Dashes or dots.
    pub style: LineStyle,
    /// In points.
    pub width: f32,
    /// What marks its points.
    pub mark: Option<MarkerShape>,
}

impl Ink {
    /// A role's curve.
    pub fn of(role: Role) -> Self {
        Self { role: Some(role), style: role.line_style(), width: role.line_width(), mark: Some(role.marker()) }
    }

    /// A line that stands still.
    pub fn rule(role: Option<Role>, style: LineStyle) -> Self {
        let width = if matches!(style, LineStyle::Dotted { .. }) { 1.1 } else { 1.5 };
        Self { role, style, width, mark: None }
    }

    /// Its colour.
    pub fn color(self, theme: Theme) -> Color32 {
        self.role.map_or_else(|| text_color(theme), |role| role.color_of(theme))
    }

    /// Its line and its mark in a small place.
    pub fn sample(self, painter: &Painter, rect: Rect, theme: Theme) {
        self.sample_in(painter, rect, self.color(theme));
    }

    /// The same in another colour.
    pub fn sample_in(self, painter: &Painter, rect: Rect, color: Color32) {
        let y = rect.center().y;
        let ends = [pos2(rect.left(), y), pos2(rect.right(), y)];
        let stroke = Stroke::new(self.width, color);
        match self.style {
            LineStyle::Solid => painter.line_segment(ends, stroke),
            LineStyle::Dashed { .. } => painter.add(Shape::Vec(Shape::dashed_line(&ends, stroke, 6.0, 3.5))),
            LineStyle::Dotted { .. } => painter.add(Shape::Vec(Shape::dotted_line(&ends, color, 5.0, 1.5))),
        };
        if let Some(mark) = self.mark {
            let corners = outline(mark, rect.center(), self.width + 2.0);
            painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
        }
    }
}

/// The colour of plain text in a theme.
pub fn text_color(theme: Theme) -> Color32 {
    theme.default_visuals().widgets.inactive.text_color()
}

/// A mark's corners.
pub fn outline(mark: MarkerShape, center: Pos2, radius: f32) -> Vec<Pos2> {
    let at = |corners: &[[f32; 2]]| corners.iter().map(|[x, y]| center + radius * vec2(*x, *y)).collect();
    match mark {
        MarkerShape::Square => at(&[[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]]),
        MarkerShape::Diamond => at(&[[0.0, -1.2], [1.2, 0.0], [0.0, 1.2], [-1.2, 0.0]]),
        MarkerShape::Up => at(&[[0.0, -1.15], [1.1, 0.85], [-1.1, 0.85]]),
        MarkerShape::Down => at(&[[-1.1, -0.85], [1.1, -0.85], [0.0, 1.15]]),
        _ => (0..16).map(|i| center + radius * Vec2::angled(i as f32 * std::f32::consts::TAU / 16.0)).collect(),
    }
}
