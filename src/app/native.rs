//! What the windowing library asks of the program.

use std::time::Instant;

use eframe::egui;

use super::App;

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        Self::logic(self, ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let begin = Instant::now();
        Self::ui(self, ui);
        let laid_out = 1e3 * begin.elapsed().as_secs_f64();
        // The whole of the frame before, with what the graphics driver took of it, and the widgets of this one.
        if let Some(secs) = frame.info().cpu_usage {
            tracing::debug!(ms = 1e3 * secs, laid_out, shown = self.showing.reconstruction().is_some(), "frame");
        }
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.leave();
    }
}
