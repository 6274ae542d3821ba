//! Runs that were made.

use eframe::egui::Ui;

use crate::app::{Act, Look};

/// What is chosen in this pane.
#[derive(Debug, Default)]
pub struct RunsView {}

/// Draws the list.
pub fn runs_ui(ui: &mut Ui, _look: Look<'_>, _view: &mut RunsView, _acts: &mut Vec<Act>) {
    ui.label("Runs");
}
