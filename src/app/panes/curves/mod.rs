//! The Curves pane: its figures, their controls, and the values in words.

mod data;
mod epoch;
mod example;
mod export;
mod figure;
mod frames;
pub(super) mod ink;
mod legend;
mod paper_lines;
mod pinned;
mod place;
mod plot;
mod raw;
mod series;
mod sheet;
#[cfg(test)]
mod tests;
mod ticks;
mod view;

use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{
    self, Align, Button, Checkbox, ComboBox, Label, Layout, PopupCloseBehavior, RichText, ScrollArea, Slider,
    TextStyle, Ui, vec2,
};

pub use export::{csv, png, svg};
pub use frames::many_curves;
pub use view::{CurvesView, Shown};

use self::data::has_time;
use self::epoch::epoch_ui;
use self::example::STAMP;
use self::figure::{Against, Figure};
use self::legend::{Reading, legend_ui};
use self::plot::Drawn;
use self::series::Chart;
use self::view::shown;
use crate::app::choice::{selectable_if_ui, selectable_ui};
use crate::app::purpose::Purpose;
use crate::app::state::State;
use crate::app::theme::cut_short_ui;
use crate::app::{Act, Look};
use crate::texts::say;

/// From this width on all figures fit side by side.
const WIDE: f32 = 900.0;
/// From this width on the legend stands beside the plot.
const BESIDE: f32 = 600.0;
/// Room for a legend's entry.
const ENTRY: f32 = 185.0;

/// Draws the pane.
pub fn curves_ui(ui: &mut Ui, look: Look<'_>, view: &mut CurvesView, acts: &mut Vec<Act>) {
    look.document.name().clone_into(&mut view.preset);
    view.pinned.update(look);
    let (state, recorded) = shown(look.state, &view.preset);
    let experiment = state.summary.as_ref().map_or(look.document.experiment(), |summary| &summary.experiment);
    pane_ui(ui, state, recorded, experiment.train.epochs as f64, view, acts);
}

fn pane_ui(ui: &mut Ui, state: &State, recorded: bool, epochs: f64, view: &mut CurvesView, acts: &mut Vec<Act>) {
    let width = ui.available_width();
    if view.shown == Shown::All && width < WIDE {
        view.shown = Shown::Pair;
    }
    ui.horizontal_wrapped(|ui| controls_ui(ui, state, view, acts));
    if recorded && view.shown == Shown::Pair {
        cut_short_ui(ui, RichText::new(say(STAMP)).weak(), say(STAMP));
    }
    view.update(state);
    let stamp = recorded.then(|| say(STAMP));
    let by_epoch = |figure| figure == Figure::Test && view.tests_against == Against::Epoch;
    let x_to = |figure| (view.shown == Shown::Pair || by_epoch(figure)).then_some(epochs);
    match view.shown {
        Shown::Pair => pair_ui(ui, view, stamp, epochs),
        Shown::All => {
            if let Some(figure) = all_ui(ui, view, stamp, &x_to) {
                view.shown = Shown::One(figure);
            }
        }
        Shown::One(figure) => {
            let x_to = x_to(figure);
            one_ui(ui, view, stamp, x_to);
        }
    }
    view.reset = false;
}

/// What is drawn, and how.
fn controls_ui(ui: &mut Ui, state: &State, view: &mut CurvesView, acts: &mut Vec<Act>) {
    let title = view.shown.title();
    let all = ui.available_width() >= WIDE;
    let list = ComboBox::from_id_salt("figure").selected_text(title.clone()).width(180.0).show_ui(ui, |ui| {
        let figures = Figure::ALL.map(Shown::One);
        let whole = [Shown::Pair].into_iter().chain(figures).chain([Shown::All].into_iter().filter(|_| all));
        for shown in whole {
            if selectable_ui(ui, view.shown == shown, shown.title()).on_hover_text(shown.tip()).clicked() {
                view.shown = shown;
                ui.close();
            }
        }
    });
    list.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, t!("Figure: {title}", title)));
    list.response.on_hover_text(view.shown.tip());
    MenuButton::new(t!("View"))
        .config(MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside))
        .ui(ui, |ui| view_ui(ui, state, view));
    ui.menu_button(t!("Save"), |ui| save_ui(ui, acts));
    reset_ui(ui, view);
    if view.shown == Shown::Pair {
        epoch_ui(ui, view);
    }
}

/// What stands for utility, and what for leakage.
fn pair_choice_ui(ui: &mut Ui, view: &mut CurvesView) {
    for (place, name, figures) in [(0, t!("Utility"), &Figure::UTILITY[..]), (1, t!("Leakage"), &Figure::LEAKAGE[..])] {
        ui.horizontal(|ui| {
            ui.label(name);
            for figure in figures {
                if selectable_ui(ui, view.pair[place] == *figure, figure.title()).on_hover_text(figure.tip()).clicked()
                {
                    view.pair[place] = *figure;
                }
            }
        });
    }
}

/// Smoothing, scales and the way back.
fn view_ui(ui: &mut Ui, state: &State, view: &mut CurvesView) {
    let figure = match view.shown {
        Shown::Pair => return pair_choice_ui(ui, view),
        Shown::One(figure) => Some(figure),
        Shown::All => None,
    };
    let smooths = figure.is_none_or(Figure::smooths);
    let slider = Slider::new(&mut view.keep, 0.0..=0.99).fixed_decimals(2).show_value(true);
    ui.horizontal(|ui| {
        let name = ui.label(t!("smoothing"));
        ui.spacing_mut().slider_width = 90.0;
        ui.add_enabled(smooths, slider)
            .labelled_by(name.id)
            .on_hover_text(t!(
                "A running mean that forgets: so much of the past is kept at each step, without the pull towards zero \
                 at the start. The faint line behind is as it was measured."
            ))
            .on_disabled_hover_text(t!("This figure has few points; they are drawn as they were measured"));
    });
    ui.horizontal(|ui| {
        let turns = figure.is_none_or(Figure::turns);
        ui.label(t!("by"));
        for against in Against::ALL {
            let can = turns && (against != Against::Time || has_time(state));
            let now = figure.map_or(view.training_against, |figure| view.settings(figure, state).against);
            let button = selectable_if_ui(ui, can, turns && now == against, against.label());
            let button = button.on_hover_text(match against {
                Against::Step => t!("A step is a batch that was learnt from"),
                Against::Epoch => t!("An epoch is all training images once; a step is a fraction of it"),
                Against::Time => t!("Seconds since the run was started"),
            });
            let why = if turns {
                t!("Only a run that was watched here knows when each step was")
            } else {
                t!("This figure has an axis of its own")
            };
            if button.on_disabled_hover_text(why).clicked() {
                if figure != Some(Figure::Test) {
                    view.training_against = against;
                }
                if figure.is_none_or(|figure| figure == Figure::Test) {
                    view.tests_against = against;
                }
            }
        }
    });
    let can_log = figure.is_none_or(Figure::can_log);
    ui.add_enabled(can_log, Checkbox::new(&mut view.log_y, t!("log y")))
        .on_hover_text(t!("Logarithmic height; what is not above zero is left out"))
        .on_disabled_hover_text(t!("Accuracies are always drawn from 0 to 100 %, and gains have a sign"));
}

/// Utility and leakage, side by side or one below the other, over the same epochs.
fn pair_ui(ui: &mut Ui, view: &mut CurvesView, stamp: Option<&str>, epochs: f64) {
    let size = ui.available_size();
    let mut hidden = std::mem::take(&mut view.hidden);
    let mut epoch = view.epoch;
    let beside = size.x > 1.3 * size.y;
    let gap = 12.0;
    let one = if beside { vec2(0.5 * (size.x - gap), size.y) } else { vec2(size.x, 0.5 * (size.y - gap)) };
    let mut draw = |ui: &mut Ui, chart: &Chart| {
        ui.allocate_ui_with_layout(one, Layout::top_down(Align::Min), |ui| {
            ui.set_min_size(one);
            ui.set_max_size(one);
            ui.spacing_mut().item_spacing.y = 2.0;
            let title = RichText::new(chart.figure.title()).strong();
            let tip =
                t!("{tip} Drag a box to look closer; a double click or Fit shows all again.", tip = chart.figure.tip());
            ui.add(Label::new(title).truncate()).on_hover_text(tip);
            let entries = chart.entries();
            let columns = ((one.x / ENTRY) as usize).clamp(1, 3);
            let row = ui.text_style_height(&TextStyle::Body) + 6.0;
            let below = (entries.div_ceil(columns) as f32 * row).min(0.36 * one.y).max(row);
            let below = if chart.is_empty() { 0.0 } else { below };
            let height = (ui.available_height() - below - 6.0).max(60.0);
            let drawn = Drawn {
                chart,
                hidden: &hidden,
                height,
                small: true,
                wheel: false,
                reset: view.reset,
                stamp,
                x_to: Some(epochs).filter(|_| !chart.is_empty()),
                cursor: Some(&mut epoch),
            };
            let pointer = drawn.ui(ui);
            if !chart.is_empty() {
                let at = pointer.or(view.epoch.map(|at| at as f64));
                let reading = Reading::of(chart, at, &hidden);
                let list =
                    ScrollArea::vertical().id_salt(("legend", chart.figure)).auto_shrink(false).max_height(below);
                list.show(ui, |ui| legend_ui(ui, &reading, &mut hidden, columns));
            }
        });
    };
    let charts = view.charts();
    if beside {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for chart in charts {
                draw(ui, chart);
            }
        });
    } else {
        for chart in charts {
            draw(ui, chart);
        }
    }
    view.epoch = epoch;
    view.hidden = hidden;
}

fn reset_ui(ui: &mut Ui, view: &mut CurvesView) {
    let tip =
        t!("All that there is, as a double click in the plot. Drag a box to look closer; in a figure alone the wheel \
         zooms, too, with Ctrl where it scrolls the page, and the right button moves");
    if ui.button(t!("Fit")).on_hover_text(tip).clicked() {
        view.reset = true;
    }
}

fn save_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    // A short word in a row of three; in full for those who hear it alone.
    for (word, full, tip, purpose) in [
        (
            t!("Save CSV…"),
            t!("Save CSV…"),
            t!("Every value behind every figure: figure, series, x, y"),
            Purpose::CurvesCsv,
        ),
        (t!("PNG…"), t!("Save PNG…"), t!("This figure as a picture of 1600 × 1000 pixels"), Purpose::CurvesPng),
        (t!("SVG…"), t!("Save SVG…"), t!("This figure as lines and letters that scale"), Purpose::CurvesSvg),
    ] {
        let button = ui.button(word).on_hover_text(tip);
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, full));
        if button.clicked() {
            acts.push(Act::Ask(purpose));
            ui.close();
        }
    }
}

/// One figure with its legend and its values.
fn one_ui(ui: &mut Ui, view: &mut CurvesView, stamp: Option<&str>, x_to: Option<f64>) {
    let mut hidden = std::mem::take(&mut view.hidden);
    let mut pointer = view.pointer;
    if let Some(chart) = view.charts().first() {
        let reading = Reading::of(chart, view.pointer, &hidden);
        let size = ui.available_size();
        let entries = chart.entries();
        let row = ui.text_style_height(&TextStyle::Body) + 4.0 + ui.spacing().item_spacing.y;
        let drawn = |hidden: &_, ui: &mut Ui, height: f32| {
            let x_to = x_to.filter(|_| !chart.is_empty());
            Drawn {
                chart,
                hidden,
                height,
                small: false,
                wheel: !view.scrolled,
                reset: view.reset,
                stamp,
                x_to,
                cursor: None,
            }
            .ui(ui)
        };
        if size.x >= BESIDE {
            let side = (0.3 * size.x).clamp(236.0, 330.0);
            ui.horizontal_top(|ui| {
                let plot = vec2(size.x - side - 8.0, size.y);
                ui.allocate_ui(plot, |ui| pointer = drawn(&hidden, ui, plot.y - 2.0));
                ui.allocate_ui(vec2(side, size.y), |ui| {
                    ui.vertical(|ui| {
                        heading_ui(ui, &reading, stamp.is_some(), true);
                        let list = ScrollArea::vertical().id_salt("legend").auto_shrink(false);
                        list.show(ui, |ui| legend_ui(ui, &reading, &mut hidden, 1));
                    });
                });
            });
        } else {
            let columns = ((size.x / (ENTRY)) as usize).clamp(1, 3);
            let rows = entries.div_ceil(columns) as f32;
            let below = (rows * row + 4.0).min((0.36 * size.y).max(2.0 * row));
            if chart.is_empty() {
                drawn(&hidden, ui, size.y);
                view.hidden = hidden;
                return;
            }
            pointer = drawn(&hidden, ui, (size.y - below - row - 4.0).max(70.0));
            heading_ui(ui, &reading, stamp.is_some(), false);
            let list = ScrollArea::vertical().id_salt("legend").auto_shrink(false).max_height(below);
            list.show(ui, |ui| legend_ui(ui, &reading, &mut hidden, columns));
        }
    }
    if pointer != view.pointer {
        ui.ctx().request_repaint();
    }
    view.pointer = pointer;
    view.hidden = hidden;
}

/// Which values are read out, and of what.
fn heading_ui(ui: &mut Ui, reading: &Reading<'_>, recorded: bool, wrap: bool) {
    if reading.chart().is_empty() {
        return;
    }
    let mut words = reading.words();
    if recorded {
        words = format!("{words}; {}", say(STAMP));
    }
    if reading.chart().dropped > 0 {
        words = t!(
            "{words}; {dropped} values that have no logarithm are left out",
            words,
            dropped = reading.chart().dropped
        );
    }
    let label = Label::new(RichText::new(&words).weak());
    ui.add(if wrap { label.wrap() } else { label.truncate() })
        .on_hover_text(t!("{words}\nValues where the pointer is in the plot, or the last ones", words));
}

/// All figures, small. Tells the one that was chosen.
fn all_ui(ui: &mut Ui, view: &CurvesView, stamp: Option<&str>, x_to: &dyn Fn(Figure) -> Option<f64>) -> Option<Figure> {
    let mut chosen = None;
    let columns = if ui.available_width() >= 1150.0 { 4 } else { 3 };
    let rows = Figure::ALL.len().div_ceil(columns) as f32;
    let line = ui.text_style_height(&TextStyle::Body) + 2.0 * ui.spacing().item_spacing.y + 4.0;
    let height = (ui.available_height() / rows - 2.0 * line).max(110.0);
    ScrollArea::vertical().id_salt("all").auto_shrink(false).show(ui, |ui| {
        for row in view.charts().chunks(columns) {
            ui.columns(columns, |uis| {
                for (ui, chart) in uis.iter_mut().zip(row) {
                    let figure = chart.figure;
                    let title = ui.add(Button::new(RichText::new(figure.title()).strong()).frame(false));
                    if title.on_hover_text(t!("{tip} Click for this one alone.", tip = figure.tip())).clicked() {
                        chosen = Some(figure);
                    }
                    let x_to = x_to(figure).filter(|_| !chart.is_empty());
                    let pointer = Drawn {
                        chart,
                        hidden: &view.hidden,
                        height,
                        small: true,
                        wheel: false,
                        reset: view.reset,
                        stamp,
                        x_to,
                        cursor: None,
                    }
                    .ui(ui);
                    let line = Reading::of(chart, pointer, &view.hidden).line(&view.hidden);
                    let line = if chart.is_empty() { String::new() } else { line };
                    cut_short_ui(ui, RichText::new(&line).small(), &line);
                }
            });
        }
    });
    chosen
}
