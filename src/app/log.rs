//! The log: what happened, line by line, in a drawer below everything.

use eframe::egui::{Button, Label, RichText, ScrollArea, Ui};

use super::words::clock;
use super::{Act, Copied, Look};

/// Draws the log.
pub fn log_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let log = &look.state.log;
    ui.horizontal(|ui| {
        ui.label(RichText::new("Log").strong());
        if ui.button("Close log").on_hover_text("Put the log away; View, Log brings it back").clicked() {
            acts.push(Act::Log);
        }
        let copy = ui.add_enabled(!log.is_empty(), Button::new(Copied::Log.words()));
        if copy.on_hover_text(Copied::Log.help()).on_disabled_hover_text("Nothing has happened yet").clicked() {
            acts.push(Act::CopyAs(Copied::Log));
        }
    });
    if log.is_empty() {
        ui.label("What happens in a run is told here, line by line.");
        return;
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
