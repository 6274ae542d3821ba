//! What each curve is, whether it is shown, and its value where the pointer is, or its last.

use std::collections::BTreeSet;

use eframe::egui::{Align, Checkbox, Label, Layout, RichText, Sense, TextStyle, Ui, vec2};

use super::ink::Ink;
use super::series::{Chart, Series};
use super::ticks::Axis;
use crate::app::words::decimal;
use crate::texts::say;

/// Room for a line's sample.
const SAMPLE: f32 = 26.0;

/// With less room beside the sample a value is told without its band.
const NARROW: f32 = 150.0;
/// What a pinned run is, in the legend.
const PINNED: &str = later!(
    "A run that was pinned in Runs: its curves stand pale behind, in the same colours. The value is that of its \
                      first curve."
);

/// The values that are read out: at an x, or the last ones.
pub struct Reading<'a> {
    chart: &'a Chart,
    at: Option<f64>,
}

impl<'a> Reading<'a> {
    /// The values nearest to where the pointer is; the last ones where it is elsewhere.
    pub fn of(chart: &'a Chart, pointer: Option<f64>, hidden: &BTreeSet<String>) -> Self {
        let shown = chart.series.iter().filter(|series| !hidden.contains(&series.name));
        let near = pointer.and_then(|x| {
            let points = shown.filter_map(|series| series.at(x)).map(|point| point.x);
            points.min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs()))
        });
        Self { chart, at: near }
    }

    /// What is read.
    pub fn chart(&self) -> &Chart {
        self.chart
    }

    /// `at step 120`, `last values`.
    pub fn words(&self) -> String {
        let Some(at) = self.at else {
            let smoothed = self.chart.series.iter().any(|series| series.raw.is_some());
            return if smoothed { t!("last values, smoothed") } else { t!("last values") }.to_owned();
        };
        let x = self.chart.values(egui_plot::PlotPoint::new(at, 0.0))[0];
        let axis = Axis { log: false, whole: false, percent: false };
        let name = self.chart.x_label.split(',').next().unwrap_or_default();
        let digits = if x.fract().abs() < 1e-9 { 10.0 } else { 0.02 * x.abs().max(0.1) };
        let number = axis.words(x, (0.0, digits), 2.0);
        if self.chart.x_label == t!("seconds") {
            t!("at {number} s", number)
        } else {
            t!("at {name} {number}", name, number)
        }
    }

    /// A curve's value.
    pub fn value(&self, series: &Series) -> String {
        let point = self.at.map_or_else(|| series.last(), |x| series.at(x));
        let Some(point) = point else { return "\u{2013}".to_owned() };
        let value = self.chart.figure.value(self.chart.values(point)[1]);
        let band = series.band_at(point).map(|[low, high]| {
            let to = if low < 0.0 { t!(" to ") } else { "\u{2013}" };
            format!(" ({}{to}{})", decimal(low, digits_of(high - low)), decimal(high, digits_of(high - low)))
        });
        value + &band.unwrap_or_default()
    }

    /// All values in a line.
    pub fn line(&self, hidden: &BTreeSet<String>) -> String {
        let shown = self.chart.series.iter().filter(|series| !hidden.contains(&series.name));
        let values: Vec<String> = shown.map(|series| format!("{} {}", series.name, self.value(series))).collect();
        format!("{}: {}", self.words(), values.join(", "))
    }
}

/// Digits that a band as wide as this needs.
fn digits_of(width: f64) -> usize {
    if width < 1.0 { 2 } else { 0 }
}

/// Draws an entry for each curve and each line, `columns` side by side.
pub fn legend_ui(ui: &mut Ui, reading: &Reading<'_>, hidden: &mut BTreeSet<String>, columns: usize) {
    let chart = reading.chart;
    let curves =
        chart.series.iter().map(|series| (series.name.as_str(), series.tip, series.ink, reading.value(series)));
    let rules = chart.rules.iter().map(|rule| (rule.name.as_str(), rule.tip, rule.ink, rule.value.clone()));
    let ghosts = chart.ghosts.iter().map(|ghost| {
        let first = ghost.series.first();
        let ink = Ink { mark: None, ..Ink::rule(first.and_then(|series| series.ink.role), ghost.style) };
        (ghost.name.as_str(), say(PINNED), ink, first.map_or_else(String::new, |series| reading.value(series)))
    });
    let entries: Vec<_> = curves.chain(rules).chain(ghosts).collect();
    let columns = columns.clamp(1, entries.len().max(1));
    let gap = if columns > 1 { 10.0 } else { 0.0 };
    let width = (ui.available_width() - gap * (columns - 1) as f32) / columns as f32;
    let size = vec2(width, ui.text_style_height(&TextStyle::Body) + 4.0);
    for row in entries.chunks(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for (name, tip, ink, value) in row {
                ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = 4.0;
                    ui.set_min_size(size);
                    entry_ui(ui, name, tip, *ink, value, hidden);
                });
            }
        });
    }
}

fn entry_ui(ui: &mut Ui, name: &str, tip: &str, ink: Ink, value: &str, hidden: &mut BTreeSet<String>) {
    let (rect, _) = ui.allocate_exact_size(vec2(SAMPLE, 14.0), Sense::hover());
    ink.sample(ui.painter(), rect, ui.theme());
    let mut shown = !hidden.contains(name);
    // The value first, from the right, so that a long name gives way and not the number.
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if shown {
            // In little room the band is told to who points at the value.
            let narrow = ui.available_width() < NARROW;
            let brief = if narrow { value.split(" (").next().unwrap_or(value) } else { value };
            let label = ui.add(Label::new(RichText::new(brief).strong()).extend());
            if narrow {
                label.on_hover_text(value);
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.style_mut().wrap_mode = Some(eframe::egui::TextWrapMode::Truncate);
            let response = ui.add(Checkbox::new(&mut shown, name)).on_hover_text(format!("{name}\n{tip}"));
            if response.changed() {
                if shown {
                    hidden.remove(name);
                } else {
                    hidden.insert(name.to_owned());
                }
            }
        });
    });
}
