//! What a lesson speaks of is lit up: a line around it, over everything else.

use eframe::egui::{LayerId, Order, Rect, Stroke, StrokeKind, Ui};

use super::Look;
use crate::lesson::Part;

/// Draws the line around a part, if the lesson speaks of it.
pub fn lit_ui(ui: &Ui, look: Look<'_>, part: Part, rect: Rect) {
    if look.lit != Some(part) {
        return;
    }
    let layer = LayerId::new(Order::Middle, ui.scope_id().with("lit"));
    let painter = ui.ctx().layer_painter(layer).with_clip_rect(ui.clip_rect().expand(4.0));
    let stroke = Stroke::new(3.0, ui.visuals().warn_fg_color);
    painter.rect_stroke(rect.expand(2.0), 5.0, stroke, StrokeKind::Outside);
}
