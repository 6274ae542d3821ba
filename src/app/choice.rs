//! One of several things to choose from: the chosen one is outlined and bold. Only what starts something is filled.

use eframe::egui::{Button, Response, RichText, Role, Stroke, Ui, WidgetInfo};

/// A choice, chosen or not.
pub fn selectable_ui(ui: &mut Ui, chosen: bool, words: impl Into<String>) -> Response {
    selectable_if_ui(ui, true, chosen, words)
}

/// The same, which perhaps cannot be chosen now.
pub fn selectable_if_ui(ui: &mut Ui, enabled: bool, chosen: bool, words: impl Into<String>) -> Response {
    let words = words.into();
    let visuals = ui.visuals();
    let line = if chosen { Stroke::new(1.5, visuals.strong_text_color()) } else { Stroke::NONE };
    let text = if chosen { RichText::new(&words).strong() } else { RichText::new(&words) };
    let text = if chosen { text.color(visuals.strong_text_color()) } else { text };
    let button = Button::new(text).frame_when_inactive(chosen).fill(visuals.panel_fill).stroke(line);
    let response = ui.add_enabled(enabled, button);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, enabled, chosen, &words));
    response
}
