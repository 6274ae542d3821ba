//! Presenter's size: stage, verdict and lesson alone, so large that they are read from the last row; and the full screen.
//!
//! All of it is a share of the window, whatever its pixels and the size of its text. Words have letters of 1/30 of the
//! window's height and the verdict of 1/12: seen from eight heights away, where the last row usually is, capitals of the
//! words are about ten minutes of arc and those of the verdict 24, where good eyes need five.

use eframe::egui::{
    self, Align, CentralPanel, Context, Frame, Key, Label, Layout, Margin, Modifiers, Popup, RichText, ScrollArea,
    TextStyle, Ui, UiBuilder, Vec2, ViewportCommand, vec2,
};

use super::stage::{self, Large};
use super::{Act, Look, View, bar, panes};

/// The window that the sizes below are of, in points; in a larger one all is larger.
const DESIGN: Vec2 = Vec2::new(1280.0, 720.0);
/// Letters of the words.
const TEXT: f32 = 24.0;
/// Those of controls, which the presenter reads.
const CONTROL: f32 = 20.0;
/// Those of the verdict: their capitals are 40 high.
const VERDICT: f32 = 58.0;
const BAND: f32 = 80.0;
/// The share of the width that a lesson gets.
const LESSON: f32 = 0.36;
const MARGIN: f32 = 14.0;

/// How much larger than as designed everything is in a window of this size.
fn scale(window: Vec2) -> f32 {
    (window / DESIGN).min_elem().clamp(0.4, 8.0)
}

/// Letters and controls of this size.
fn enlarge(ui: &mut Ui, size: f32) {
    let plain = TextStyle::Body.resolve(ui.style()).size;
    let times = size / plain;
    let style = ui.style_mut();
    for (kind, font) in &mut style.text_styles {
        font.size = if *kind == TextStyle::Heading { 1.25 * size } else { size };
    }
    let spacing = &mut style.spacing;
    spacing.item_spacing *= times.sqrt();
    spacing.button_padding *= times;
    spacing.interact_size *= times;
    spacing.icon_width *= times;
    spacing.icon_width_inner *= times;
    spacing.icon_spacing *= times;
    spacing.combo_width *= times;
    spacing.slider_rail_height *= times;
}

/// Fills the screen, or leaves it.
pub fn full_screen(ctx: &Context) {
    ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!fills_the_screen(ctx)));
}

fn fills_the_screen(ctx: &Context) -> bool {
    ctx.input(|input| input.viewport().fullscreen == Some(true))
}

/// Esc leaves the full screen, where nothing else is open that it closes first.
pub fn escaped(ctx: &Context, free: bool) -> Option<Act> {
    let free = free && fills_the_screen(ctx) && !Popup::is_any_open(ctx) && !ctx.text_edit_focused();
    (free && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))).then_some(Act::FullScreen)
}

/// The little that stays of the bar.
pub fn bar_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    enlarge(ui, CONTROL * scale(ui.ctx().content_rect().size()));
    ui.add_space(3.0);
    ui.horizontal(|ui| {
        bar::menu_ui(ui, look, acts);
        bar::buttons_ui(ui, look, true, acts);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = t!("Everything as it was before (Shift+F11)");
            if ui.button(t!("Leave presenter's size")).on_hover_text(tip).clicked() {
                acts.push(Act::Present);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| bar::progress_ui(ui, look));
        });
    });
    ui.add_space(3.0);
}

/// Draws the stage, the verdict and the lesson. Returns where they are.
pub fn present_ui(ui: &mut Ui, look: Look<'_>, view: &mut View, acts: &mut Vec<Act>) -> egui::Rect {
    let ground = Frame::new().fill(ui.visuals().panel_fill).inner_margin(Margin::same(MARGIN as i8));
    let all = CentralPanel::no_frame().frame(ground).show(ui, |ui| {
        let times = scale(ui.ctx().content_rect().size());
        enlarge(ui, CONTROL * times);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| page_ui(ui, look, times, view, acts));
    });
    all.response.rect
}

fn page_ui(ui: &mut Ui, look: Look<'_>, times: f32, view: &mut View, acts: &mut Vec<Act>) {
    let (room, top) = (ui.available_size(), ui.cursor().top());
    let letters = TEXT * times;
    ui.add(Label::new(RichText::new(stage::lead(look)).size(letters)).wrap());
    stage::said_who_ui(ui, look, acts);
    ui.add_space(6.0 * times);
    let band = vec2(room.x, BAND * times);
    let gap = 10.0 * times;
    // As much as is left above the verdict; less than that is no picture.
    let height = (room.y - (ui.cursor().top() - top) - band.y - 2.0 * gap).max(240.0 * times);
    let (row, _) = ui.allocate_exact_size(vec2(room.x, height), egui::Sense::hover());
    let lesson = if look.lesson.is_some() { LESSON * room.x } else { 0.0 };
    let (left, right) = row.split_left_right_at_x(row.right() - lesson);
    ui.scope_builder(UiBuilder::new().max_rect(left).id_salt("presented pictures"), |ui| {
        let large = Large { letters, controls: CONTROL * times };
        stage::presented_ui(ui, look, large, &mut stage::Views::of(view), acts);
    });
    if look.lesson.is_some() {
        let inside = right.with_min_x(right.left() + 2.0 * gap);
        ui.scope_builder(UiBuilder::new().max_rect(inside).id_salt("presented lesson"), |ui| {
            // What is read has letters a little larger than the pane's own.
            enlarge(ui, letters - 1.0);
            panes::lesson::lesson_ui(ui, look, acts);
        });
    }
    ui.add_space(gap);
    stage::verdict_ui(ui, look, band, VERDICT * times);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_a_share_of_the_window() {
        for (width, height) in [(1280.0, 720.0), (1920.0, 1080.0), (853.3, 480.0), (3840.0, 2160.0)] {
            let times = scale(vec2(width, height));
            assert!((TEXT * times / height - 1.0 / 30.0).abs() < 1e-3, "{width} × {height}");
            assert!(VERDICT * times / height > 1.0 / 12.5);
        }
        // In a higher window the width decides, so that the verdict still has one line.
        assert_eq!(scale(vec2(1280.0, 1600.0)), 1.0);
        assert_eq!(scale(vec2(1280.0, 800.0)), 1.0);
    }
}
