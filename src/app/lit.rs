//! What a lesson speaks of is lit up: a line around it, over everything else.

use eframe::egui::{Id, LayerId, Order, Rect, Stroke, StrokeKind, Ui};

use super::Look;
use crate::lesson::{Part, Progress};

/// Draws the line around a part, if the lesson speaks of it.
pub fn lit_ui(ui: &Ui, look: Look<'_>, part: Part, rect: Rect) {
    if look.lit != Some(part) {
        return;
    }
    follow_ui(ui, look, rect);
    let layer = LayerId::new(Order::Middle, ui.scope_id().with("lit"));
    let painter = ui.ctx().layer_painter(layer).with_clip_rect(ui.clip_rect().expand(4.0));
    let stroke = Stroke::new(3.0, ui.visuals().warn_fg_color);
    painter.rect_stroke(rect.expand(2.0), 5.0, stroke, StrokeKind::Outside);
}

/// Where it is on a page that is scrolled, it is scrolled to once: as the step begins, and where the window has another
/// size.
fn follow_ui(ui: &Ui, look: Look<'_>, rect: Rect) {
    let now = (look.lesson.map(Progress::place), ui.ctx().content_rect().size());
    // Once: while it moves, what is drawn is a frame behind, and it would go too far.
    if changed(ui, Id::unique("what was lit last"), now, 1).is_some() {
        ui.scroll_to_rect(rect.expand(6.0), None);
    }
}

/// Something is other than it was.
pub struct Change<T> {
    /// What it was; none where it is the first of all.
    pub before: Option<T>,
}

/// Whether `now` is new: in so many frames from the change on, each of which may be drawn in several passes.
pub fn changed<T>(ui: &Ui, id: Id, now: T, frames: u64) -> Option<Change<T>>
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let frame = ui.ctx().cumulative_frame_nr();
    ui.data_mut(|data| {
        let known: Option<(T, Option<T>, u64)> = data.get_temp(id);
        let (_, before, since) = known.filter(|(last, ..)| *last == now).unwrap_or_else(|| {
            let new = (now, known.map(|(last, ..)| last), frame);
            data.insert_temp(id, new);
            new
        });
        (frame < since + frames).then_some(Change { before })
    })
}
