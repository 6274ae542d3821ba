//! What happened, line by line.

use eframe::egui::{Label, ScrollArea, Ui};

use crate::app::words::clock;
use crate::app::{Act, Copied, Look};

/// Draws the log.
pub fn log_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let log = &look.state.log;
    if log.is_empty() {
        ui.label("What happens in a run is told here, line by line.");
        return;
    }
    if ui.button(Copied::Log.words()).on_hover_text(Copied::Log.help()).clicked() {
        acts.push(Act::CopyAs(Copied::Log));
    }
    ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
        for (at, text) in log {
            ui.horizontal_top(|ui| {
                ui.weak(clock(at.as_secs_f64()));
                ui.add(Label::new(text).wrap());
            });
        }
    });
}
