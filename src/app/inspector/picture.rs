//! The picture, large, each of its numbers a square; the place that is pointed at has a line around it.

use eframe::egui::{
    CursorIcon, EventFilter, Image, Key, Rect, Response, Role as Kind, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
    vec2,
};

use super::grid::mark;
use super::made::Made;

/// The line around the marked place needs so large a square at least.
const LEAST: f32 = 3.0;

/// Where one looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// Row and column.
    pub at: [usize; 2],
    /// Whether it stays where it is while the pointer moves.
    pub held: bool,
}

/// The largest size within `room` at which every number is equally many pixels of the screen.
pub fn sized(size: [usize; 2], room: Vec2, pixels_per_point: f32) -> Vec2 {
    let sides = vec2(size[0].max(1) as f32, size[1].max(1) as f32);
    let times = (room * pixels_per_point / sides).min_elem();
    let times = if times >= 1.0 { times.floor() } else { times };
    sides * times / pixels_per_point
}

/// Draws it, and lets the pointer and the arrow keys mark a place. Returns also how many pictures further the arrow keys
/// went.
pub fn picture_ui(ui: &mut Ui, made: &Made, room: Vec2, view: &mut Mark) -> (Response, isize) {
    let size = sized(made.size, room, ui.pixels_per_point());
    let [columns, rows] = made.size;
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let cell = size / vec2(columns as f32, rows as f32);
    view.at = [view.at[0].min(rows - 1), view.at[1].min(columns - 1)];
    let moved = ui.input(|input| input.pointer.is_moving() || input.pointer.any_pressed());
    if let Some(at) = response.hover_pos().filter(|_| moved && !view.held) {
        let place = (at - rect.min) / cell;
        view.at = [(place.y as usize).min(rows - 1), (place.x as usize).min(columns - 1)];
    }
    if response.clicked() {
        view.held = !view.held;
        response.request_focus();
    }
    let further = if response.has_focus() { keys(ui, &response, made, view) } else { 0 };
    let words = format!("{}, {}", made.inspected.name, made.words_at(view.at));
    response.widget_info(|| WidgetInfo::labeled(Kind::Image, true, &words));
    Image::from_texture((made.texture.id(), size)).paint_at(ui, rect);
    let line = if response.has_focus() {
        ui.visuals().selection.stroke
    } else {
        Stroke::new(1.0, ui.visuals().weak_text_color())
    };
    ui.painter().rect_stroke(rect, 0.0, line, StrokeKind::Outside);
    if cell.x >= LEAST {
        let corner = rect.min + vec2(view.at[1] as f32, view.at[0] as f32) * cell;
        mark(ui, Rect::from_min_size(corner, cell));
    }
    (response.on_hover_cursor(CursorIcon::Crosshair), further)
}

/// Arrows go to other pictures; with Shift they move the marked place.
fn keys(ui: &Ui, response: &Response, made: &Made, view: &mut Mark) -> isize {
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (pressed, shift) = ui.input(|input| {
        let count = |key| input.num_presses(key) as isize;
        let pressed = [Key::ArrowUp, Key::ArrowDown, Key::ArrowLeft, Key::ArrowRight].map(count);
        (pressed, input.modifiers.shift)
    });
    let [up, down, left, right] = pressed;
    if !shift {
        return right - left;
    }
    let to = |at: usize, by: isize, most: usize| at.saturating_add_signed(by).min(most - 1);
    view.at = [to(view.at[0], down - up, made.size[1]), to(view.at[1], right - left, made.size[0])];
    view.held |= pressed != [0; 4];
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_equally_many_pixels() {
        assert_eq!(sized([28, 28], vec2(300.0, 400.0), 1.0), vec2(280.0, 280.0));
        assert_eq!(sized([28, 14], vec2(300.0, 400.0), 1.5), vec2(16.0 * 28.0 / 1.5, 16.0 * 14.0 / 1.5));
        // One that is larger than the room is fitted into it.
        assert_eq!(sized([1000, 500], vec2(250.0, 250.0), 1.0), vec2(250.0, 125.0));
    }
}
