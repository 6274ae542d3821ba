//! Two runs beside each other, drawn: what differs, and their test accuracies in one plot.

use eframe::egui::{Align, Label, Layout, RichText, TextStyle, Ui, vec2};
use egui_plot::{GridMark, HoverPosition, Line as Drawn, LineStyle, Plot, PlotPoints, Points};

use super::RunsView;
use super::compare::{Comparison, Group};
use crate::app::{Act, Look};

/// The comparison, made once.
#[derive(Debug, Default)]
pub struct VersusView {
    made: Option<(Key, Option<Comparison>)>,
}

/// Of which runs in which list.
type Key = (Vec<std::path::PathBuf>, u64);

/// Draws what differs between the ticked runs.
pub fn versus_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>) {
    if view.ticked.len() < 2 {
        ui.add(Label::new(t!("Tick a second finished run: what differs between the two appears here.")).wrap());
        return;
    }
    let current = view
        .versus
        .made
        .as_ref()
        .is_some_and(|((of, in_list), _)| *of == view.ticked && *in_list == look.library.generation);
    if !current {
        let pair = [0, 1].map(|at| look.library.find(&view.ticked[at]));
        let made = if let [Some(a), Some(b)] = pair { Comparison::of(a, b) } else { None };
        view.versus.made = Some(((view.ticked.clone(), look.library.generation), made));
    }
    let Some((_, Some(compared))) = &view.versus.made else {
        ui.label(t!("One of the two is no longer a finished run."));
        return;
    };
    let (mut swap, mut clear) = (false, false);
    for (letter, name) in ["A", t!("B")].into_iter().zip(&compared.names) {
        ui.add(Label::new(RichText::new(format!("{letter}: {name}")).strong()).truncate()).on_hover_text(name);
    }
    ui.horizontal_wrapped(|ui| {
        if ui.button(t!("Copy as Markdown")).on_hover_text(t!("The table below, for a note or a paper.")).clicked() {
            acts.push(Act::Copy(compared.markdown()));
        }
        swap = ui.button(t!("Swap")).on_hover_text(t!("Take B less A the other way round.")).clicked();
        clear = ui.button(t!("Untick both")).clicked();
    });
    if compared.groups.is_empty() {
        ui.label(t!("The two do not differ in anything that is listed here."));
    }
    if !compared.groups.is_empty() {
        ui.scope(|ui| groups_ui(ui, &compared.groups));
    }
    let marked = compared.groups.iter().flat_map(|group| &group.lines).any(|line| line.better.is_some());
    let key = if marked { t!("Underlined: the better of the two, where one is. ") } else { "" };
    ui.add(Label::new(RichText::new(format!("{key}{}", compared.equal_words())).weak()).wrap());
    curves_ui(ui, compared);
    if swap {
        view.ticked.swap(0, 1);
    }
    if clear {
        view.ticked.clear();
    }
}

/// Shares of the width: what, A, B, and the difference.
const COLUMNS: [f32; 4] = [0.4, 0.22, 0.22, 0.16];
const GAP: f32 = 8.0;
/// Room for the bar that floats over the right edge.
const SCROLL_BAR: f32 = 12.0;

fn cell(ui: &mut Ui, at: usize, text: RichText, tip: &str) {
    let width = COLUMNS[at] * (ui.max_rect().width() - 3.0 * GAP - SCROLL_BAR).max(200.0);
    let size = vec2(width, ui.text_style_height(&TextStyle::Body));
    let layout = if at == 3 { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.set_min_width(width);
        let label = ui.add(Label::new(text).truncate());
        if !tip.is_empty() {
            label.on_hover_text(tip);
        }
    });
}

fn row_ui(ui: &mut Ui, cells: [(RichText, &str); 4]) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        for (at, (text, tip)) in cells.into_iter().enumerate() {
            cell(ui, at, text, tip);
        }
    });
}

/// One heading for all, since all have the same columns.
fn groups_ui(ui: &mut Ui, groups: &[Group]) {
    ui.spacing_mut().item_spacing.y = 3.0;
    let weak = |text: &str| RichText::new(text).weak();
    row_ui(
        ui,
        [
            (weak(""), ""),
            (weak("A"), ""),
            (weak(t!("B")), ""),
            (weak(t!("B \u{2212} A")), t!("The second less the first.")),
        ],
    );
    for group in groups {
        ui.add(Label::new(RichText::new(&group.title).strong()).wrap());
        for line in &group.lines {
            let [a, b] = [0, 1].map(|i| {
                let text = RichText::new(&line.values[i]);
                if line.better == Some(i) { text.strong().underline() } else { text }
            });
            let change = if line.change.is_empty() { "" } else { t!("B less A.") };
            row_ui(
                ui,
                [
                    (RichText::new(&line.label), &line.tip),
                    (a, &line.values[0]),
                    (b, &line.values[1]),
                    (RichText::new(&line.change), change),
                ],
            );
        }
        ui.add_space(3.0);
    }
}

fn curves_ui(ui: &mut Ui, compared: &Comparison) {
    if compared.curves.is_empty() {
        return;
    }
    ui.add_space(4.0);
    ui.label(RichText::new(t!("Test accuracy, by epoch: A solid, B dashed")).strong())
        .on_hover_text(t!("Share of right answers on test images after each epoch, in percent."));
    let epochs = compared.curves.iter().flat_map(|curve| curve.points.iter().flatten()).map(|p| p.x);
    let last = epochs.fold(1.0, f64::max);
    let plot = Plot::new("compared accuracies")
        .height(150.0)
        .include_x(0.0)
        .include_x(last)
        .include_y(0.0)
        .include_y(100.0)
        .set_margin_fraction(vec2(0.02, 0.04))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .y_grid_spacer(|_| (0..=4).map(|i| GridMark { value: 25.0 * f64::from(i), step_size: 25.0 }).collect())
        .x_grid_spacer(move |_| {
            // There is no half epoch, and no room for more than a few numbers.
            let step = (last / 8.0).ceil().max(1.0);
            (0..=8).map(|i| GridMark { value: step * f64::from(i), step_size: step }).collect()
        })
        .x_axis_formatter(
            |mark, _| if mark.value.fract() == 0.0 { format!("{:.0}", mark.value) } else { String::new() },
        )
        .y_axis_formatter(|mark, _| format!("{:.0} %", mark.value))
        .y_axis_min_width(38.0)
        .label_formatter(|at| match at {
            HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
                Some(t!("{plot_name}\nepoch {x:.0}: {y:.1} %", plot_name, x = position.x, y = position.y))
            }
            _ => None,
        });
    plot.show(ui, |plot| {
        for curve in compared.curves.iter().rev() {
            let color = curve.accuracy.role().color_of(plot.ctx().theme());
            let styles = [("A", LineStyle::Solid), (t!("B"), LineStyle::Dashed { length: 8.0 })];
            for ((letter, style), points) in styles.into_iter().zip(&curve.points) {
                let name = format!("{letter}: {}", curve.accuracy.label());
                plot.line(Drawn::new(&name, PlotPoints::Borrowed(points)).color(color).width(2.0).style(style));
                let marks = Points::new(&name, PlotPoints::Borrowed(points)).color(color).radius(2.5);
                plot.points(marks.id((letter, curve.accuracy.label())));
            }
        }
    });
    for curve in &compared.curves {
        let color = curve.accuracy.role().color(ui);
        let label = ui.add(Label::new(RichText::new(Comparison::read_out(curve)).color(color)).wrap());
        label.on_hover_text(curve.accuracy.tooltip());
    }
}
