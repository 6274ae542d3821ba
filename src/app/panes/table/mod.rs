//! The table of the run: what it came to, and the attacks beside it.

mod attacks;
mod results;
mod text;

use std::path::Path;

use eframe::egui::{Button, ScrollArea, Ui};

use crate::app::state::State;
use crate::app::{Act, Look, Purpose};
use crate::error::Result;

pub(super) use results::stream;
use text::Form;

/// How the table is looked at.
#[derive(Debug, Default)]
pub struct TableView {
    attacks: attacks::AttacksView,
}

/// Draws what the run came to, and its attacks.
pub fn table_ui(ui: &mut Ui, look: Look<'_>, view: &mut TableView, acts: &mut Vec<Act>) {
    buttons_ui(ui, look.state, acts);
    let width = ui.available_width() - 8.0;
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        results::results_ui(ui, look.state, width);
        ui.separator();
        attacks::attacks_ui(ui, look.state, &mut view.attacks);
    });
}

fn buttons_ui(ui: &mut Ui, state: &State, acts: &mut Vec<Act>) {
    let any = state.measured();
    let nothing = t!("Nothing was measured yet");
    ui.horizontal_wrapped(|ui| {
        for form in Form::ALL {
            let button = ui.add_enabled(any, Button::new(t!("Copy as {name}", name = form.name())).small());
            if button.on_hover_text(form.about()).on_disabled_hover_text(nothing).clicked() {
                match form.write(state) {
                    Ok(text) => acts.push(Act::Copy(text)),
                    Err(error) => tracing::warn!("{error}"),
                }
            }
        }
        let save = ui.add_enabled(any, Button::new(t!("Save\u{2026}")).small());
        let about = t!("Write the table to a file: .md, .csv or .tex, by its ending");
        if save.on_hover_text(about).on_disabled_hover_text(nothing).clicked() {
            acts.push(Act::Ask(Purpose::Table));
        }
    });
}

/// The table as Markdown, CSV or LaTeX, by the ending of `path`.
///
/// # Errors
/// Where the ending is another one, or nothing was measured yet.
pub fn text(state: &State, path: &Path) -> Result<String> {
    Form::of(path)?.write(state)
}

#[cfg(test)]
pub(super) mod tests {
    use eframe::egui::accesskit::Role;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::app::panes::fixture::made;
    use crate::app::test_look::Shop;
    use crate::experiment::fixture::DEFENDED;
    use crate::run::checkpoint::Position;
    use crate::run::summary::{AttackRecord, EpochRow};
    use crate::score::metrics::SSIM;

    fn record(name: &str, adaptive: bool, ssim: f64) -> AttackRecord {
        AttackRecord {
            name: name.to_owned(),
            adaptive,
            target: DEFENDED.to_owned(),
            epoch: 2,
            images: 8,
            iterations: 20,
            mse: 0.05 - ssim / 100.0,
            psnr: 13.0,
            ssim,
            ssim_se: 0.012_345_678_9,
            lineup: Some(87.5),
            seconds: 3.210_987_654_321,
            ..AttackRecord::default()
        }
    }

    /// A finished run.
    pub fn state() -> State {
        let mut summary = crate::app::panes::fixture::summary();
        summary.attacks = vec![
            record("rmle", false, 0.345_678_901_234),
            record("rmle", true, 0.734_567_8),
            record("inverse", true, 0.5),
            record("nearest", false, 0.304_9),
        ];
        State::of_run("quick, seed 7", Path::new("runs/x"), Vec::new(), Some(summary), Position::default(), Vec::new())
    }

    /// A run that goes on.
    pub fn going() -> State {
        let mut state = State::started("quick, seed 3".to_owned());
        let row = EpochRow {
            model: DEFENDED.to_owned(),
            epoch: 1,
            attacked: Some(40.0),
            recovered: Some(41.0),
            fused_stream: Some(42.0),
            accuracy: 43.5,
            ..EpochRow::default()
        };
        state.epochs.push((Some(1.0), row));
        state.attacks.push(record("rmle", false, 0.4));
        state
    }

    fn harness(state: State) -> Harness<'static, (Shop, TableView, Vec<Act>)> {
        Harness::builder().with_size([800.0, 700.0]).build_ui_state(
            |ui, (made, view, acts)| table_ui(ui, made.look(), view, acts),
            (made(state), TableView::default(), Vec::new()),
        )
    }

    #[test]
    fn headings_sort_and_buttons_copy() {
        let mut harness = harness(state());
        harness.step();
        harness.get_by_role_and_label(Role::Button, "SSIM").click();
        harness.step();
        assert_eq!(harness.state().1.attacks.by, Some((attacks::Column::Score(&SSIM), true)));
        for (button, first) in [("Copy as Markdown", "quick"), ("Copy as CSV", "# "), ("Copy as LaTeX", "% ")] {
            harness.get_by_label(button).click();
            harness.step();
            let act = harness.state_mut().2.pop();
            assert!(matches!(&act, Some(Act::Copy(text)) if text.starts_with(first)), "{act:?}");
        }
        harness.get_by_label("Save\u{2026}").click();
        harness.step();
        assert_eq!(harness.state().2, [Act::Ask(Purpose::Table)]);
    }

    #[test]
    fn a_fresh_window_says_what_will_be_here_and_a_going_run_what_is_known() {
        let mut fresh = harness(State::default());
        fresh.step();
        fresh.get_by_label_contains("appears here when it is done");
        fresh.get_by_label("Save\u{2026}").click();
        fresh.step();
        assert!(fresh.state().2.is_empty());
        let mut going = harness(going());
        going.step();
        going.get_by_label("43.5 %");
        going.get_by_label("0.400 \u{b1} 0.012");
    }
}
