//! The levers.

use eframe::egui::Ui;

use crate::app::{Act, Look};

/// Draws the levers.
pub fn levers_ui(ui: &mut Ui, _look: Look<'_>, _acts: &mut Vec<Act>) {
    ui.label("Levers");
}
