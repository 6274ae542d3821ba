//! The epoch that is pointed out, stepped through without a pointer.

use eframe::egui::{Button, Role, Ui, WidgetInfo};

use super::view::CurvesView;

/// Draws the steps, and which epoch it is.
pub fn epoch_ui(ui: &mut Ui, view: &mut CurvesView) {
    let ends = view.charts().iter().map(|chart| chart.bounds(|_| false)[0].1);
    let last = ends.fold(0.0, f64::max).max(0.0) as usize;
    let step = |ui: &mut Ui, words: &str, name: &str, tip: &str, can: bool| {
        let button = ui.add_enabled(can, Button::new(words).small());
        button.widget_info(|| WidgetInfo::labeled(Role::Button, can, name));
        button.on_hover_text(tip).clicked()
    };
    let at = view.epoch.unwrap_or(last);
    let tip = t!("A click in a plot chooses one, too");
    if step(ui, "\u{2039}", t!("Previous epoch"), &t!("Look at the epoch before. {tip}", tip), at > 0 && last > 0) {
        view.epoch = Some(at - 1);
    }
    if step(
        ui,
        "\u{203a}",
        t!("Next epoch"),
        &t!("Look at the next epoch. {tip}", tip),
        view.epoch.is_some() && at < last,
    ) {
        view.epoch = Some(at + 1);
    }
    let Some(at) = view.epoch else { return };
    ui.label(t!("epoch: {at}", at));
    if ui.small_button(t!("The last")).on_hover_text(t!("Let the pictures be of the last epoch again")).clicked() {
        view.epoch = None;
    }
}
