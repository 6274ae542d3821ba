//! Many patients, and what each attack made of them.

use eframe::egui::Ui;

use crate::app::Look;

/// What is chosen in this pane.
#[derive(Debug, Default)]
pub struct ImagesView {}

/// Draws the grid.
pub fn images_ui(ui: &mut Ui, _look: Look<'_>, _view: &mut ImagesView) {
    ui.label("Images");
}
