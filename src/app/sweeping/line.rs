//! The line above the list of runs that tells of a sweep at work.

use eframe::egui::{Label, ProgressBar, Ui};

use super::SweepAct;
use crate::app::words::duration;
use crate::app::{Act, Look, Popup};

/// Draws it, while the window runs a sweep.
pub fn line_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    if !look.sweeping.at_work() {
        return;
    }
    let seen = look.sweeping.seen();
    ui.horizontal(|ui| {
        stop_ui(ui, look, acts);
        if ui.button(t!("Cells…")).on_hover_text(t!("How far each cell of the sweep is.")).clicked() {
            acts.push(Act::Popup(Some(Popup::Sweep)));
        }
        let share = seen.ended() as f32 / seen.cells.len().max(1) as f32;
        ui.add(ProgressBar::new(share).desired_width(90.0));
        ui.add(Label::new(told(look)).truncate());
    });
}

/// The button that lets the cells save and end.
pub(super) fn stop_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let stopping = look.sweeping.is_stopping();
    let tip = t!("The cells save what they have; the sweep can be gone on with.");
    let button = ui.add_enabled(!stopping, eframe::egui::Button::new(t!("Stop the sweep"))).on_hover_text(tip);
    if button.clicked() {
        acts.push(Act::Sweep(SweepAct::Stop));
    }
}

/// How far it is, and how long it still takes.
pub(super) fn told(look: Look<'_>) -> String {
    let seen = look.sweeping.seen();
    if seen.name.is_empty() {
        return t!("The sweep begins…").to_owned();
    }
    let told = seen.told();
    match seen.seconds_left.filter(|_| look.sweeping.at_work()) {
        _ if look.sweeping.is_stopping() => t!("{told}; the cells are saving", told),
        Some(seconds) => t!("{told}; {time} left", told, time = duration(seconds)),
        None => told,
    }
}
