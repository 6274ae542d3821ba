//! Over the panes: palette.

use eframe::egui::Context;

use super::{Act, Look};

/// What is typed in it.
#[derive(Debug, Default)]
pub struct PaletteView {}

/// Draws it. False where it is closed.
pub fn palette_ui(_ctx: &Context, _look: Look<'_>, _view: &mut PaletteView, _acts: &mut Vec<Act>) -> bool {
    false
}
