//! A button that says why it cannot be pressed.

use eframe::egui::{Button, Ui};

/// A button that says what it does, or why it cannot.
pub(super) fn button(ui: &mut Ui, words: &str, tip: &str, may: Result<(), &str>) -> bool {
    let response = ui.add_enabled(may.is_ok(), Button::new(words));
    let response = match may {
        Ok(()) => response.on_hover_text(tip),
        Err(why) => response.on_disabled_hover_text(why),
    };
    response.clicked()
}
