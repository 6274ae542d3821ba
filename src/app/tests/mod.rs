//! The window's contents driven as a person would: by what controls are called, without a window.

use std::time::{Duration, Instant};

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;

mod anything;
mod behaviour;
mod comparing;
mod day;
mod frontier;
mod images;
mod inspect;
mod lectern;
mod lessons;
mod method;
mod pictures;
mod play;
mod share;
mod stage;
mod taught;
mod texts;
mod verdicts;

/// A window that nobody sees, and the folder that it keeps things in.
pub(super) struct Window {
    pub(super) harness: Harness<'static, App>,
    pub(super) home: tempfile::TempDir,
}

impl Window {
    pub(super) fn open(experiment: Experiment) -> Self {
        Self::sized(experiment, 1280.0, 800.0, |harness| harness)
    }

    pub(super) fn sized(
        experiment: Experiment,
        width: f32,
        height: f32,
        with: impl FnOnce(egui_kittest::HarnessBuilder<App>) -> egui_kittest::HarnessBuilder<App>,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let app = App::in_folder(Some(experiment), home.path().to_owned());
        let builder = with(Harness::builder().with_size([width, height]));
        let draw = |ui: &mut egui::Ui, app: &mut App| {
            app.logic(ui.ctx());
            app.ui(ui);
        };
        Self { harness: builder.build_ui_state(draw, app), home }
    }

    pub(super) fn app(&self) -> &App {
        self.harness.state()
    }

    /// Frames until `enough`; five minutes at most, which an adaptive attack on a slow machine may need.
    pub(super) fn until(&mut self, what: &str, enough: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(5);
        while !enough(self.app()) {
            assert!(Instant::now() < deadline, "waited too long for {what}: {:?}", self.app().state().log);
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.step();
    }

    /// Frames until nothing is at work any more.
    pub(super) fn rest(&mut self) {
        self.until("rest", |app| !app.busy());
        self.harness.step();
    }

    pub(super) fn act(&mut self, act: Act) {
        let ctx = self.harness.ctx.clone();
        self.harness.state_mut().act(act, &ctx);
        self.harness.step();
    }

    pub(super) fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.step();
        self.harness.step();
    }
}

pub(super) fn quick() -> Experiment {
    Experiment::preset("quick").unwrap()
}
