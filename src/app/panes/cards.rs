//! The paper's claims beside what was measured here.

use eframe::egui::Ui;

use crate::app::{Act, Look};

/// Draws the cards.
pub fn cards_ui(ui: &mut Ui, _look: Look<'_>, _acts: &mut Vec<Act>) {
    ui.label("Cards");
}
