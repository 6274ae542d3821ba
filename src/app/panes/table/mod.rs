//! The table of the run: what it came to, and the attacks beside it.

mod attacks;
mod confusion;
mod people;
mod results;
mod rows;
mod set;
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
    people: people::PeopleView,
    /// The row that is looked into; the decision while none is chosen.
    chosen: Option<String>,
}

/// Draws what the run came to, and its attacks.
pub fn table_ui(ui: &mut Ui, look: Look<'_>, view: &mut TableView, acts: &mut Vec<Act>) {
    buttons_ui(ui, look.state, acts);
    let width = ui.available_width() - 8.0;
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        results::results_ui(ui, look.state, width, &mut view.chosen);
        ui.separator();
        attacks::attacks_ui(ui, look.state, &mut view.attacks);
        people::people_ui(ui, look.state, &mut view.people, width);
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
    use crate::app::test_look::{Shop, picture};
    use crate::experiment::fixture::DEFENDED;
    use crate::run::checkpoint::Position;
    use crate::run::facts::Facts;
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

    /// A finished run of two uneven classes.
    fn uneven() -> State {
        let mut state = state();
        let rows = &mut state.summary.as_mut().unwrap().rows;
        for (at, row) in rows.iter_mut().enumerate() {
            let (found, missed) = (32 - at, 10 + at);
            row.confusion = Some(vec![vec![found, missed], vec![3, 111]]);
            (row.majority, row.images, row.accuracy) = (73.1, 156, 100.0 * (found + 111) as f64 / 156.0);
            row.balanced_accuracy = 50.0 * (found as f64 / 42.0 + 111.0 / 114.0);
            (row.specificity, row.sensitivity) = (Some(100.0 * found as f64 / 42.0), Some(97.4));
            let around = |value: f64, by: f64| [value - by, value + by];
            row.ci = [
                ("accuracy".to_owned(), around(row.accuracy, 5.1)),
                ("balanced_accuracy".to_owned(), around(row.balanced_accuracy, 7.4)),
                ("specificity".to_owned(), around(75.0, 14.0)),
            ]
            .into();
        }
        let classes = ["malignant", "normal, benign"].map(str::to_owned).to_vec();
        state.facts = Some(std::sync::Arc::new(Facts { classes, grouped: true, ..Facts::default() }));
        state
    }

    #[test]
    fn a_row_says_how_sure_it_is_and_which_class_was_taken_for_which() {
        let mut harness = harness(uneven());
        harness.step();
        // Balanced accuracy leads: the classes are uneven.
        let places = ["balanced", "right", "majority"].map(|heading| harness.get_by_label(heading).rect().left());
        assert!(places.is_sorted(), "{places:?}");
        harness.get_by_label("80.8 % (73.4 to 88.2)");
        // The decision, until another row is chosen.
        harness.get_by_label(&format!("Which class was taken for which: {}", crate::app::words::row("fused").0));
        harness.get_by_label("15 of class malignant taken for normal, benign");
        harness.get_by_label("111 of class normal, benign taken for normal, benign");
        picture(&mut harness, "table-uneven");
        harness.set_pixels_per_point(1.5);
        picture(&mut harness, "table-uneven-at-150");
        harness.set_pixels_per_point(1.0);
        harness.get_by_role_and_label(Role::RadioButton, crate::app::words::row("vanilla_clean").0).click();
        harness.run_steps(2);
        harness.get_by_label("10 of class malignant taken for normal, benign");
        // Anywhere on the row.
        harness.get_by_label("80.8 % (73.4 to 88.2)").click();
        harness.run_steps(2);
        harness.get_by_label("15 of class malignant taken for normal, benign");
        harness.get_by_label("80.8 % (73.4 to 88.2)").hover();
        harness.run_steps(60);
        harness.get_by_label_contains("specificity 64.3 % (61.0 to 89.0)");
        harness.get_by_label("balanced").hover();
        harness.run_steps(60);
        harness.get_by_label_contains("95 % interval, by bootstrap over the patients of the test images");
    }

    #[test]
    fn twenty_classes_stand_upright_in_the_grid_and_older_runs_have_none() {
        let mut state = uneven();
        let classes: Vec<String> = (0..20).map(|i| format!("class of tissue {i}")).collect();
        state.facts = Some(std::sync::Arc::new(Facts { classes, ..Facts::default() }));
        for row in &mut state.summary.as_mut().unwrap().rows {
            row.confusion =
                Some((0..20).map(|i| (0..20).map(|j| if i == j { 1200 } else { i * j }).collect()).collect());
        }
        let mut harness = harness(state);
        harness.set_size(eframe::egui::vec2(1200.0, 900.0));
        harness.run_steps(3);
        harness.get_by_label("342 of class class of tissue 18 taken for class of tissue 19");
        picture(&mut harness, "table-twenty");
        for row in &mut harness.state_mut().0.state.summary.as_mut().unwrap().rows {
            row.confusion = None;
        }
        harness.run_steps(2);
        assert!(harness.query_by_label_contains("Which class was taken").is_none());
    }

    /// What is drawn: everything else, the table as it is looked at, and what was asked for.
    pub type Made = (Shop, TableView, Vec<Act>);

    pub fn harness(state: State) -> Harness<'static, Made> {
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
