//! The frame that is dearest to draw, for `cutlayer bench`: far more curves, of far more points, than a person compares.

use eframe::egui::{CentralPanel, Context, Pos2, RawInput, Rect, Vec2};

use super::figure::{Against, Figure};
use super::ink::Ink;
use super::plot::Drawn;
use super::raw::{Raw, Values};
use super::series::{Chart, Settings};
use crate::app::theme::Role;

/// Curves.
const CURVES: usize = 60;
/// Points of each.
const POINTS: usize = 100_000;
/// The window, in points.
const WINDOW: Vec2 = Vec2::new(1280.0, 800.0);

/// Draws a frame with 60 curves of 100,000 points each whenever it is called: layout, shapes and triangles, all that the
/// processor does for it.
pub fn many_curves() -> impl FnMut() + Send {
    let settings = Settings { against: Against::Step, keep: 0.0, log_y: false, fitted: false };
    let chart = Chart::of_raw(Figure::Training, raw(), &settings);
    let (ctx, hidden) = (Context::default(), std::collections::BTreeSet::new());
    let mut frame = 0;
    move || {
        frame += 1;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, WINDOW)),
            time: Some(f64::from(frame) / 60.0),
            ..RawInput::default()
        };
        let drawn = ctx.run_ui(input, |ui| {
            CentralPanel::default().show(ui, |ui| {
                let height = ui.available_height();
                let (small, wheel, reset, stamp, x_to, cursor) = (false, true, false, None, None, None);
                Drawn { chart: &chart, hidden: &hidden, height, small, wheel, reset, stamp, x_to, cursor }.ui(ui);
            });
        });
        std::hint::black_box(ctx.tessellate(drawn.shapes, drawn.pixels_per_point));
    }
}

/// Curves that rise with the noise of single batches, as accuracies do.
fn raw() -> Raw {
    let curve = |i: usize| {
        let point = |step: usize| {
            let noise = (step * 7919 + i * 104_729) % 1009;
            let rise = 1.0 - (-(step as f64) * (1.0 + i as f64 / 30.0) / 20_000.0).exp();
            [step as f64, 80.0 * rise + noise as f64 / 100.0]
        };
        let points = (0..POINTS).map(point).collect();
        Values { name: format!("curve {i}"), tip: "", ink: Ink::of(Role::Patient), points, band: Vec::new() }
    };
    Raw { values: (0..CURVES).map(curve).collect(), rules: Vec::new(), x_label: "training steps" }
}
