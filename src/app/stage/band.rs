//! The verdict on what was stolen, the largest word on the stage, told by form as well as by colour: filled, hollow or
//! hatched.

use eframe::egui::{
    Align2, Color32, FontId, Painter, Rect, Role as Kind, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};

use super::plan::BAND;
use crate::app::Role;
use crate::app::judged::{Said, Says};

/// The largest letters on the stage, and the least in one line; smaller ones take two.
pub(super) const LARGEST: f32 = 18.0;
const LEAST: f32 = 13.5;
/// Those of two lines.
const TWO_LINES: f32 = 12.5;
/// Between the lines of a hatched ground.
const HATCH: f32 = 9.0;

/// The line around what was stolen: its colour, and whether it is dashed.
pub(super) fn frame(ui: &Ui, says: Says) -> (Stroke, bool) {
    let plain = ui.visuals().weak_text_color();
    match says {
        Says::Recognised => (Stroke::new(3.0, Role::Attacker.color(ui)), false),
        Says::Guess => (Stroke::new(2.0, ui.visuals().text_color()), false),
        Says::TooWeak => (Stroke::new(2.0, plain), true),
        Says::Waiting => (Stroke::new(1.5, plain), false),
    }
}

/// Draws the line around a picture.
pub(super) fn framed(ui: &Ui, rect: Rect, says: Says) {
    let (stroke, dashed) = frame(ui, says);
    if dashed {
        let rect = rect.expand(0.5 * stroke.width);
        let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom(), rect.left_top()];
        ui.painter().extend(Shape::dashed_line(&corners, stroke, 6.0, 4.0));
    } else {
        ui.painter().rect_stroke(rect, 0.0, stroke, StrokeKind::Outside);
    }
}

/// Draws the band with letters as large as `largest` where they have room.
pub(super) fn band_ui(ui: &mut Ui, said: &Said, size: Vec2, largest: f32) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let times = largest / LARGEST;
    response.widget_info(|| WidgetInfo::labeled(Kind::Label, true, &said.words));
    let painter = ui.painter().with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
    let ink = ground(ui, &painter, rect, said.says);
    // The icon has a square of its own.
    icon(&painter, Rect::from_min_size(rect.min, vec2(size.y, size.y)), said.says, size.y / BAND, ink);
    let room = rect.width() - size.y - 6.0 * times;
    let lay = |size: f32, wrap: f32| painter.layout(said.words.clone(), FontId::proportional(size), ink, wrap);
    let natural = lay(largest, f32::INFINITY).size().x.max(1.0);
    let fitted = (largest * room / natural).min(largest);
    let galley =
        if fitted >= LEAST * times { lay(fitted.floor(), f32::INFINITY) } else { lay(TWO_LINES * times, room) };
    let at = Align2::LEFT_CENTER.anchor_size(pos2(rect.left() + size.y, rect.center().y), galley.size());
    if said.says == Says::TooWeak {
        // Words on a hatched ground have a plain one of their own.
        painter.rect_filled(at.expand2(vec2(4.0, 1.0)), 2.0, ui.visuals().panel_fill);
    }
    painter.galley(at.min, galley, ink);
    response.on_hover_text(&said.tip);
}

/// Draws the ground, and tells the ink on it.
fn ground(ui: &Ui, painter: &Painter, rect: Rect, says: Says) -> Color32 {
    let visuals = ui.visuals();
    match says {
        Says::Recognised => {
            painter.rect_filled(rect, 3.0, Role::Attacker.color(ui));
            return visuals.extreme_bg_color;
        }
        Says::Guess => {
            painter.rect_stroke(rect, 3.0, Stroke::new(2.0, visuals.text_color()), StrokeKind::Inside);
        }
        Says::TooWeak => {
            let line = Stroke::new(1.5, visuals.weak_text_color().gamma_multiply(0.6));
            let mut x = rect.left() - rect.height();
            while x < rect.right() {
                painter.line_segment([pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())], line);
                x += HATCH;
            }
            painter.rect_stroke(rect, 3.0, line, StrokeKind::Inside);
        }
        Says::Waiting => {
            painter.rect_filled(rect, 3.0, visuals.widgets.inactive.bg_fill.gamma_multiply(0.4));
        }
    }
    visuals.strong_text_color()
}

/// An eye that sees, one that is shut, a question mark, or three dots; so many times as large as in a plain band.
fn icon(painter: &Painter, rect: Rect, says: Says, times: f32, ink: Color32) {
    let (center, line) = (rect.center(), Stroke::new(2.0 * times, ink));
    let eye = times * Vec2::new(10.0, 6.0);
    match says {
        Says::Recognised => {
            painter.add(Shape::ellipse_stroke(center, eye, line));
            painter.circle_filled(center, 3.5 * times, ink);
        }
        Says::Guess => {
            painter.add(Shape::ellipse_stroke(center, eye, line));
            painter.line_segment([center + times * vec2(-9.0, 8.0), center + times * vec2(9.0, -8.0)], line);
        }
        Says::TooWeak => {
            painter.circle_filled(center, 11.0 * times, painter.ctx().global_style().visuals.panel_fill);
            painter.circle_stroke(center, 10.0 * times, line);
            painter.text(center, Align2::CENTER_CENTER, "?", FontId::proportional(15.0 * times), ink);
        }
        Says::Waiting => {
            for x in [-6.0, 0.0, 6.0] {
                painter.circle_filled(center + times * vec2(x, 0.0), 2.0 * times, ink);
            }
        }
    }
}
