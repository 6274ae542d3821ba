//! Over the panes: settings.

use eframe::egui::Context;

use super::{Act, Look};

/// What is typed in it.
#[derive(Debug, Default)]
pub struct SettingsView {}

/// Draws it. False where it is closed.
pub fn settings_ui(_ctx: &Context, _look: Look<'_>, _view: &mut SettingsView, _acts: &mut Vec<Act>) -> bool {
    false
}
