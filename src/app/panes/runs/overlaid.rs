//! The overlaid curves drawn: the plot, and its legend with the last values in words.

use std::collections::BTreeSet;

use eframe::egui::{Align, Checkbox, Color32, Label, Layout, RichText, Sense, TextStyle, Theme, Ui, WidgetInfo, vec2};
use egui_plot::{FilledArea, GridMark, Line, LineStyle, Plot, PlotPoints, PlotUi, Points};

use super::compare::spread;
use super::overlay::{Measure, Overlay, Strand};
use crate::app::choice::selectable_if_ui;
use crate::app::panes::curves::ink::{Ink, MARKS};
use crate::app::theme::{HUES, hue};

/// Height of the plot.
const HEIGHT: f32 = 170.0;
/// How much of its colour a band has.
const BAND: f32 = 0.22;
/// Room for a line's sample.
const SAMPLE: f32 = 30.0;

/// How the curves are looked at.
#[derive(Debug, Default)]
pub struct OverlaidView {
    pub measure: Measure,
    /// Whether twins are drawn; none where they are as long as there are few columns.
    pub twins: Option<bool>,
    hidden: BTreeSet<String>,
}

/// How a strand is drawn: hue by hue, and with other dashes where those begin again.
fn ink(strand: &Strand) -> Ink {
    let styles = [LineStyle::Solid, LineStyle::Dashed { length: 12.0 }, LineStyle::Dotted { spacing: 6.0 }];
    let style = if strand.twin { LineStyle::Dashed { length: 5.0 } } else { styles[strand.column / HUES % 3] };
    let width = if strand.twin { 1.2 } else { 2.0 };
    Ink { role: None, style, width, mark: Some(MARKS[strand.column % MARKS.len()]) }
}

/// Draws what can be chosen, the plot and the legend. `measured` tells which of the measures there is anything of.
pub fn overlaid_ui(
    ui: &mut Ui,
    overlay: &Overlay,
    columns: usize,
    measured: impl Fn(Measure) -> bool,
    view: &mut OverlaidView,
) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(t!("By epoch")).strong());
        for measure in Measure::ALL {
            let response = selectable_if_ui(ui, measured(measure), view.measure == measure, measure.name());
            let response = response.on_hover_text(measure.help());
            if response.on_disabled_hover_text(t!("None of these runs measured it.")).clicked() {
                view.measure = measure;
            }
        }
        if overlay.strands.iter().any(|strand| strand.twin) {
            let mut twins = view.twins.unwrap_or(columns <= 2);
            let tip = t!("The undefended model that was trained beside a defended one, thin and dashed.");
            if ui.checkbox(&mut twins, t!("undefended twins")).on_hover_text(tip).changed() {
                view.twins = Some(twins);
            }
        }
    });
    let twins = view.twins.unwrap_or(columns <= 2);
    let strands: Vec<&Strand> = overlay.strands.iter().filter(|strand| twins || !strand.twin).collect();
    if strands.is_empty() {
        ui.label(t!("There are no such values by epoch."));
        return;
    }
    let measure = view.measure;
    plot_ui(ui, strands.iter().copied().filter(|strand| !view.hidden.contains(&strand.name)), measure);
    if strands.iter().any(|strand| !strand.band.is_empty()) {
        let words = t!("A band is one standard deviation over seeds to either side of the mean.");
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    }
    for strand in strands {
        entry_ui(ui, strand, measure, &mut view.hidden);
    }
}

fn plot_ui<'a>(ui: &mut Ui, strands: impl Iterator<Item = &'a Strand> + Clone, measure: Measure) {
    let theme = ui.theme();
    let (most, ..) = measure.scale();
    let epochs = strands.clone().flat_map(|strand| &strand.points).map(|point| point.x);
    let last = epochs.fold(1.0, f64::max);
    let plot = Plot::new(("overlaid curves", measure.name()))
        .width(ui.available_width() - 14.0)
        .height(HEIGHT)
        .include_x(0.0)
        .include_x(last)
        .include_y(0.0)
        .include_y(most)
        .set_margin_fraction(vec2(0.02, 0.04))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .y_grid_spacer(move |_| {
            (0..=4).map(|i| GridMark { value: 0.25 * most * f64::from(i), step_size: 0.25 * most }).collect()
        })
        .x_grid_spacer(move |_| {
            // There is no half epoch, and no room for more than a few numbers.
            let step = (last / 8.0).ceil().max(1.0);
            (0..=8).map(|i| GridMark { value: step * f64::from(i), step_size: step }).collect()
        })
        .x_axis_formatter(
            |mark, _| if mark.value.fract() == 0.0 { format!("{:.0}", mark.value) } else { String::new() },
        )
        .y_axis_formatter(
            move |mark, _| if most > 1.0 { format!("{:.0} %", mark.value) } else { format!("{:.2}", mark.value) },
        )
        .y_axis_min_width(38.0)
        .show_x(false)
        .show_y(false);
    plot.show(ui, |plot| {
        // The first ones are drawn last, over the others.
        let all: Vec<&Strand> = strands.collect();
        for strand in all.into_iter().rev() {
            strand_ui(plot, strand, theme);
        }
    });
}

fn strand_ui<'a>(plot: &mut PlotUi<'a>, strand: &'a Strand, theme: Theme) {
    let (ink, color) = (ink(strand), color(strand, theme));
    let id = |what: &str| (what.to_owned(), strand.name.clone());
    if strand.band.len() > 1 {
        let column = |i: usize| strand.band.iter().map(|band| band[i]).collect::<Vec<f64>>();
        let area = FilledArea::new("", &column(0), &column(1), &column(2)).id(id("band"));
        plot.add(area.fill_color(color.gamma_multiply(BAND)).allow_hover(false));
    }
    let points = || PlotPoints::Borrowed(&strand.points);
    let line = Line::new(&strand.name, points()).id(id("line")).color(color).width(ink.width).style(ink.style);
    plot.line(line.allow_hover(false));
    // The spread of a single epoch is a stroke.
    if let [[x, low, high]] = strand.band[..] {
        let stroke = Line::new("", PlotPoints::from(vec![[x, low], [x, high]])).id(id("band"));
        plot.line(stroke.color(color).width(1.5).allow_hover(false));
    }
    if let Some(mark) = ink.mark {
        let marks = Points::new("", points()).id(id("marks")).shape(mark).color(color).radius(ink.width + 1.0);
        plot.points(marks.allow_hover(false));
    }
}

fn color(strand: &Strand, theme: Theme) -> Color32 {
    hue(strand.column, theme)
}

/// A line of the legend: its sample, whether it is shown, and its last value.
fn entry_ui(ui: &mut Ui, strand: &Strand, measure: Measure, hidden: &mut BTreeSet<String>) {
    let (_, digits, unit) = measure.scale();
    let last = strand.last.as_ref().map_or(String::new(), |last| format!("{}{unit}", spread(last, digits)));
    let mut shown = !hidden.contains(&strand.name);
    let size = vec2(ui.available_width() - 12.0, ui.text_style_height(&TextStyle::Body) + 4.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        let (rect, _) = ui.allocate_exact_size(vec2(SAMPLE, 14.0), Sense::hover());
        ink(strand).sample_in(ui.painter(), rect, color(strand, ui.theme()));
        // The value first, from the right, so that a long name gives way and not the number.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if shown {
                ui.add(Label::new(RichText::new(&last).strong()).extend());
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.style_mut().wrap_mode = Some(eframe::egui::TextWrapMode::Truncate);
                let response = ui.add(Checkbox::new(&mut shown, &strand.name));
                response.widget_info(|| {
                    let words = t!("{name}, last epoch: {last}", name = strand.name, last);
                    WidgetInfo::selected(eframe::egui::Role::CheckBox, true, shown, words)
                });
                if response.on_hover_text(&strand.name).changed() {
                    if shown {
                        hidden.remove(&strand.name)
                    } else {
                        hidden.insert(strand.name.clone())
                    };
                }
            });
        });
    });
}
