//! The curves: accuracy on the test set by epoch, and in training by step; each with its values in words.

use eframe::egui::{Align, Label, Layout, Rect, RichText, Sense, Shape, Stroke, TextStyle, Ui, UiBuilder, pos2, vec2};
use egui_plot::{AxisHints, GridInput, GridMark, Line, LineStyle, Plot, PlotPoints, Points};

use crate::app::state::{State, Status};
use crate::app::streams::{Curves, Stream};
use crate::app::{Act, Look};
use crate::error::{Error, Result};

/// Room for a curve's name and values.
const KEY_WIDTH: f32 = 205.0;

/// Room for a number under a plot.
const GRID_WIDTH: f32 = 46.0;

/// How the curves are looked at.
#[derive(Debug, Default)]
pub struct CurvesView {}

/// Every value behind the curves.
pub fn csv(_state: &State) -> Result<Vec<u8>> {
    Err(Error::input("not yet"))
}

/// The curves as pixels.
pub fn png(_state: &State, _view: &CurvesView, _theme: eframe::egui::Theme) -> Result<Vec<u8>> {
    Err(Error::input("not yet"))
}

/// The curves as lines that scale.
pub fn svg(_state: &State, _view: &CurvesView, _theme: eframe::egui::Theme) -> Result<Vec<u8>> {
    Err(Error::input("not yet"))
}

/// Draws both plots side by side.
pub fn curves_ui(ui: &mut Ui, look: Look<'_>, _view: &mut CurvesView, _acts: &mut Vec<Act>) {
    let state = look.state;
    let fresh = state.status == Status::Fresh;
    let epochs = look.document.experiment().train.epochs as f64;
    let experiment = look.document.experiment();
    let shown: Vec<Stream> = Stream::ALL
        .into_iter()
        .filter(|stream| stream.is_of(experiment) || state.training.last(*stream).is_some())
        .collect();
    let columns = ((ui.available_width() / KEY_WIDTH) as usize).clamp(1, shown.len() + 1);
    let rows = (shown.len() + 1).div_ceil(columns) as f32;
    let row = ui.text_style_height(&TextStyle::Body).max(12.0) + ui.spacing().item_spacing.y;
    let bottom = (ui.max_rect().bottom() - rows * row - 6.0).max(ui.cursor().top() + 100.0);
    ui.columns(2, |columns| {
        let test = Drawn {
            id: "test accuracy",
            title: "Test accuracy, by epoch",
            tip: "Share of right answers on test images after each epoch, in percent.",
            instead: if fresh {
                "Run draws the accuracy on test images here, after every epoch"
            } else {
                "After the first epoch"
            },
            x: "epoch",
            x_to: epochs,
            marks: true,
        };
        test.ui(&mut columns[0], &state.test, bottom);
        let training = Drawn {
            id: "training accuracy",
            title: "Training accuracy, by step",
            tip: "Share of right answers in each batch before it was learnt from, in percent, smoothed.",
            instead: if fresh { "and the accuracy in training here, at every step" } else { "After the first step" },
            x: "step",
            x_to: 1.0,
            marks: false,
        };
        training.ui(&mut columns[1], &state.training, bottom);
    });
    keys_ui(ui, state, &shown, columns);
}

struct Drawn<'a> {
    id: &'a str,
    title: &'a str,
    tip: &'a str,
    /// Stands in a plot without curves.
    instead: &'a str,
    x: &'a str,
    x_to: f64,
    marks: bool,
}

impl Drawn<'_> {
    fn ui(&self, ui: &mut Ui, curves: &Curves, bottom: f32) {
        ui.label(RichText::new(self.title).strong()).on_hover_text(self.tip);
        let most = (ui.available_width() / GRID_WIDTH).max(2.0).into();
        let plot = Plot::new(self.id)
            .height(bottom - ui.cursor().top())
            .include_x(0.0)
            .include_x(self.x_to)
            .include_y(0.0)
            .include_y(100.0)
            .set_margin_fraction(vec2(0.02, 0.03))
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_axis_zoom_drag(false)
            .show_axes(true)
            .x_grid_spacer(move |input| whole_steps(&input, most))
            .y_grid_spacer(|_| (0..=5).map(|i| GridMark { value: 20.0 * f64::from(i), step_size: 20.0 }).collect())
            .custom_x_axes(vec![AxisHints::new_x().formatter(|mark, _| whole(mark.value)).label_spacing(16.0..=24.0)])
            .y_axis_formatter(|mark, _| format!("{:.0} %", mark.value))
            .y_axis_min_width(38.0)
            .label_formatter(|at| match at {
                egui_plot::HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
                    Some(format!("{plot_name}\n{} {:.0}: {:.1} %", self.x, position.x, position.y))
                }
                _ => None,
            });
        let response = plot
            .show(ui, |plot| {
                // The first ones on top.
                for stream in Stream::ALL.into_iter().rev() {
                    let points = curves.points(stream);
                    if points.is_empty() {
                        continue;
                    }
                    let role = stream.role();
                    let color = role.color_of(plot.ctx().theme());
                    let line = Line::new(stream.label(), PlotPoints::Borrowed(points)).color(color);
                    plot.line(line.width(role.line_width()).style(self.style(stream)));
                    if self.marks {
                        let marks = Points::new(stream.label(), PlotPoints::Borrowed(points)).color(color);
                        plot.points(marks.radius(role.line_width() + 1.0).id((self.id, stream.label())));
                    }
                }
            })
            .response;
        if curves.is_empty() {
            let mut place = Rect::from_center_size(response.rect.center(), vec2(0.7 * response.rect.width(), 44.0));
            // The axis' numbers are part of the plot's rectangle.
            place = place.translate(vec2(18.0, -9.0));
            ui.painter().rect_filled(place, 4.0, ui.visuals().extreme_bg_color);
            let inside = UiBuilder::new().max_rect(place.shrink(4.0)).layout(Layout::top_down(Align::Center));
            ui.scope_builder(inside, |ui| ui.add(Label::new(self.instead).wrap()));
        }
    }

    fn style(&self, stream: Stream) -> LineStyle {
        // Long lines are thinned out only where they are solid.
        if self.marks { stream.role().line_style() } else { LineStyle::Solid }
    }
}

/// What each curve is, and its last values.
fn keys_ui(ui: &mut Ui, state: &State, shown: &[Stream], columns: usize) {
    let size = vec2(ui.available_width() / columns as f32, ui.text_style_height(&TextStyle::Body));
    let any = !(state.test.is_empty() && state.training.is_empty());
    let cells: Vec<Option<Stream>> = shown.iter().copied().map(Some).chain(any.then_some(None)).collect();
    for row in cells.chunks(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            for cell in row {
                ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
                    ui.set_min_width(size.x);
                    let Some(stream) = *cell else {
                        ui.weak("now: test | training");
                        return;
                    };
                    key_ui(ui, stream);
                    ui.add_space(5.0);
                    let value =
                        |curves: &Curves| curves.last(stream).map_or("\u{2013}".to_owned(), |v| format!("{v:.1}"));
                    let measured = state.training.last(stream).is_some();
                    let values = format!(" {} | {} %", value(&state.test), value(&state.training));
                    let text = format!("{}{}", stream.label(), if measured { &values } else { "" });
                    ui.add(Label::new(text).truncate()).on_hover_text(stream.tooltip());
                });
            }
        });
    }
}

fn key_ui(ui: &mut Ui, stream: Stream) {
    let (rect, _) = ui.allocate_exact_size(vec2(20.0, 12.0), Sense::hover());
    let (role, y) = (stream.role(), rect.center().y);
    let stroke = Stroke::new(role.line_width(), role.color(ui));
    let ends = [pos2(rect.left(), y), pos2(rect.right(), y)];
    match role.line_style() {
        LineStyle::Solid => ui.painter().line_segment(ends, stroke),
        LineStyle::Dashed { .. } => ui.painter().add(Shape::Vec(Shape::dashed_line(&ends, stroke, 6.0, 3.0))),
        LineStyle::Dotted { .. } => ui.painter().add(Shape::Vec(Shape::dotted_line(&ends, stroke.color, 5.0, 1.7))),
    };
}

/// Grid lines at whole numbers only: there is no half epoch.
fn whole_steps(input: &GridInput, most: f64) -> Vec<GridMark> {
    let (from, to) = input.bounds;
    let mut step = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
        if (to - from) / step <= most || step > 1e9 {
            break;
        }
        step *= factor;
    }
    let (first, last) = ((from / step).ceil() as i64, (to / step).floor() as i64);
    (first..=last).map(|i| GridMark { value: i as f64 * step, step_size: step }).collect()
}

fn whole(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_lines_are_few_and_whole() {
        for to in [1.0, 2.0, 6.0, 10.0, 77.0, 4920.0] {
            let marks = whole_steps(&GridInput { bounds: (0.0, to), base_step_size: 0.1 }, 8.0);
            assert!(marks.len() <= 9 && marks.len() >= 2, "{to}: {}", marks.len());
            assert!(marks.iter().all(|mark| mark.value.fract() == 0.0 || mark.step_size > 1.0), "{to}");
        }
    }
}
