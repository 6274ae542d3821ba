//! The plot on the screen.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::{
    Align2, Color32, FontId, Galley, Id, Label, PointerButton, Rect, Stroke, TextStyle, Theme, Ui, UiBuilder, Vec2,
    vec2,
};
use egui_plot::{
    AxisHints, FilledArea, GridInput, GridMark, HLine, Line, LineStyle, Plot, PlotPoints, PlotResponse, Points, VLine,
};

use super::example::BRIEF;
use super::ink;
use super::place::{Frame, place};
use super::series::{Chart, Series};
use super::ticks::Axis;
use crate::app::theme::Role;
use crate::texts::say;

/// Room for a number under a plot, and beside it.
const MARK: Vec2 = vec2(46.0, 30.0);
/// How much of its colour a curve keeps before it is smoothed.
const FAINT: f32 = 0.35;

/// How much of its colour a pinned run's curve keeps, and how wide it is.
const PALE: f32 = 0.55;
const GHOST: f32 = 1.4;

/// How much of its colour a band has.
pub const BAND: f32 = 0.16;

/// From this width on a plot has room for all of the stamp.
const ROOMY: f32 = 480.0;

/// How a chart is drawn.
pub struct Drawn<'a> {
    /// What.
    pub chart: &'a Chart,
    /// Names of what is left out.
    pub hidden: &'a BTreeSet<String>,
    /// Its height.
    pub height: f32,
    /// Whether it is one of several: no moving, no names of axes.
    pub small: bool,
    /// Whether the wheel alone zooms; else it takes Ctrl, since the wheel scrolls the page.
    pub wheel: bool,
    /// Back to all that there is.
    pub reset: bool,
    /// What it says across itself.
    pub stamp: Option<&'a str>,
    /// To where x is to go at least.
    pub x_to: Option<f64>,
    /// The epoch that is pointed out; none for a figure that has none.
    pub cursor: Option<&'a mut Option<usize>>,
}

impl Drawn<'_> {
    /// Draws it, and tells the x that the pointer is at.
    pub fn ui(mut self, ui: &mut Ui) -> Option<f64> {
        let theme = ui.theme();
        let cursor = self.cursor.as_ref().and_then(|at| **at);
        let ends = self.chart.bounds(|name| self.hides(name));
        // The last number under the plot is half as wide as this.
        let size = vec2(ui.available_width() - 10.0, self.height);
        let response = self.plot(size, ui.visuals().text_color().gamma_multiply(0.45)).show(ui, |plot| {
            if self.wheel && !self.small && plot.response().hovered() {
                let scroll = plot.ctx().input(|input| input.smooth_scroll_delta().y);
                if scroll != 0.0 {
                    plot.zoom_bounds_around_hovered(Vec2::splat((scroll / 300.0).exp()));
                }
            }
            let x = plot.plot_bounds().range_x();
            let view = if plot.auto_bounds().x { (f64::NEG_INFINITY, f64::INFINITY) } else { (*x.start(), *x.end()) };
            for rule in self.chart.rules.iter().filter(|rule| !self.hides(&rule.name)) {
                let (color, width, style) = (rule.ink.color(theme), rule.ink.width, rule.ink.style);
                if rule.floor {
                    let [(left, right), (bottom, _)] = ends;
                    let right = self.x_to.map_or(right, |to| to.max(right));
                    let area = FilledArea::new("", &[left, right], &[bottom.min(rule.at); 2], &[rule.at; 2]);
                    let area = area.id((&rule.name, "floor")).fill_color(color.gamma_multiply(BAND));
                    plot.add(area.allow_hover(false));
                }
                if rule.level {
                    plot.hline(
                        HLine::new(&rule.name, rule.at).color(color).width(width).style(style).allow_hover(false),
                    );
                } else {
                    plot.vline(
                        VLine::new(&rule.name, rule.at).color(color).width(width).style(style).allow_hover(false),
                    );
                }
            }
            if let Some(at) = cursor {
                let line = VLine::new("the epoch", at as f64).color(ink::text_color(theme)).width(1.5);
                plot.vline(line.allow_hover(false));
            }
            for ghost in self.chart.ghosts.iter().filter(|ghost| !self.hides(&ghost.name)) {
                for series in &ghost.series {
                    let points = PlotPoints::Borrowed(series.line.between(view.0, view.1));
                    let line = Line::new("", points).id((&ghost.name, &series.name)).width(GHOST);
                    let color = series.ink.color(theme).gamma_multiply(PALE);
                    plot.line(line.color(color).style(ghost.style).allow_hover(false));
                }
            }
            // The first ones on top; all faint ones below.
            let shown = || self.chart.series.iter().rev().filter(|series| !self.hides(&series.name));
            for series in shown() {
                if let Some(raw) = &series.raw {
                    let points = PlotPoints::Borrowed(raw.between(view.0, view.1));
                    let color = series.ink.color(theme).gamma_multiply(FAINT);
                    plot.line(
                        Line::new("", points).id((&series.name, "raw")).color(color).width(1.0).allow_hover(false),
                    );
                }
            }
            for series in shown() {
                draw_series(plot, series, theme, view);
            }
        });
        self.words_ui(ui, theme, &response);
        if self.chart.is_cut(response.transform.bounds().min()[1]) && !self.chart.is_empty() {
            cut_ui(ui, *response.transform.frame());
        }
        if let (Some(cursor), Some(at)) = (self.cursor.take(), response.response.interact_pointer_pos())
            && response.response.clicked()
            && !self.chart.is_empty()
        {
            let x = response.transform.value_from_position(at).x.round().max(0.0) as usize;
            *cursor = if *cursor == Some(x) { None } else { Some(x) };
        }
        response
            .response
            .hover_pos()
            .filter(|_| !self.chart.is_empty())
            .map(|at| response.transform.value_from_position(at).x)
    }

    fn hides(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }

    fn plot<'p>(&self, size: Vec2, grid_color: Color32) -> Plot<'p> {
        let chart = self.chart;
        let [x, y] = chart.bounds(|name| self.hides(name));
        let most = vec2(((size.x - 40.0) / MARK.x).max(2.0), ((size.y - 20.0) / MARK.y).clamp(2.0, 8.0));
        let (most_x, most_y) = (f64::from(most.x), f64::from(most.y));
        let x_axis = Axis { log: chart.log_x, whole: chart.whole_x, percent: false };
        let y_axis = Axis { log: chart.log_y, whole: false, percent: chart.figure.percent() };
        let mut x_hints = AxisHints::new_x()
            .formatter(move |mark, range| x_axis.words(mark.value, (*range.start(), *range.end()), most_x))
            .label_spacing(16.0..=24.0);
        if !self.small && size.y > 190.0 {
            x_hints = x_hints.label(chart.x_label);
        }
        let y_hints = AxisHints::new_y()
            .formatter(move |mark, range| y_axis.words(mark.value, (*range.start(), *range.end()), most_y))
            .label_spacing(12.0..=18.0)
            .min_thickness(38.0);
        // Of the small ones only those that stand for themselves.
        let zooms = !self.small || self.cursor.is_some();
        let mut plot = Plot::new((chart.figure, chart.x_label, chart.log_y, chart.fitted, self.small))
            .width(size.x)
            .height(size.y)
            .include_x(x.0)
            .include_x(x.1)
            .include_y(y.0)
            .include_y(y.1)
            .set_margin_fraction(vec2(0.02, 0.03))
            .allow_scroll(false)
            .allow_zoom(!self.small)
            .allow_drag(!self.small)
            .allow_boxed_zoom(zooms)
            .allow_axis_zoom_drag(!self.small)
            .boxed_zoom_pointer_button(PointerButton::Primary)
            .pan_pointer_button(PointerButton::Secondary)
            .grid_color(grid_color)
            .show_axes(!chart.is_empty())
            .show_grid(!chart.is_empty())
            .show_x(true)
            .show_y(false)
            .x_grid_spacer(move |input| grid(x_axis, &input, most_x))
            .y_grid_spacer(move |input| grid(y_axis, &input, most_y))
            .custom_x_axes(vec![x_hints])
            .custom_y_axes(vec![y_hints]);
        if let Some(to) = self.x_to {
            plot = plot.include_x(to);
        }
        if self.cursor.is_some() {
            let together = Id::unique("utility and leakage");
            plot = plot.link_axis(together, [true, false]).link_cursor(together, [true, false]);
        }
        if self.reset { plot.reset() } else { plot }
    }

    /// Words of the lines and the stamp, each where it covers nothing; or what will appear.
    fn words_ui(&self, ui: &mut Ui, theme: Theme, response: &PlotResponse<()>) {
        let rect = *response.transform.frame();
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let ground = ui.visuals().extreme_bg_color;
        if self.chart.is_empty() {
            let place = Rect::from_center_size(rect.center(), vec2(0.8 * rect.width(), 60.0_f32.min(rect.height())));
            painter.rect_filled(place, 4.0, ground);
            let inside = UiBuilder::new().max_rect(place.shrink(4.0));
            ui.new_child(inside).add(Label::new(self.chart.figure.empty()).wrap());
            return;
        }
        let font = if self.small { TextStyle::Small } else { TextStyle::Body }.resolve(ui.style());
        let font = FontId::new(font.size * 0.92, font.family);
        let lay =
            |text: &str, color| painter.layout(text.to_owned(), font.clone(), color, (rect.width() - 24.0).max(40.0));
        let galleys: Vec<Arc<Galley>> =
            self.chart.rules.iter().map(|rule| lay(&rule.note, rule.ink.color(theme))).collect();
        // A long one would cover curves.
        let brief = |text| if rect.width() < ROOMY { say(BRIEF) } else { text };
        let stamp = self.stamp.map(|text| lay(brief(text), ui.visuals().text_color()));
        if galleys.is_empty() && stamp.is_none() {
            return;
        }
        let bounds = response.transform.bounds();
        let span = |range: std::ops::RangeInclusive<f64>| (*range.start(), *range.end());
        let frame = Frame { rect, x: span(bounds.range_x()), y: span(bounds.range_y()) };
        let room = vec2(6.0, 1.0);
        let placed = place(
            self.chart,
            frame,
            &|name| self.hides(name),
            stamp.as_ref().map(|galley| galley.size() + room),
            &|i| galleys[i].size() + room,
        );
        for words in placed {
            let Some(galley) = words.rule.map_or(stamp.as_ref(), |i| galleys.get(i)) else { continue };
            painter.rect_filled(words.rect, 3.0, ground.gamma_multiply(0.85));
            let at = Align2::CENTER_CENTER.anchor_size(words.rect.center(), galley.size());
            painter.galley(at.min, galley.clone(), ui.visuals().text_color());
        }
    }
}

/// Two strokes across the foot of the axis: it does not begin at zero.
fn cut_ui(ui: &Ui, frame: Rect) {
    let stroke = Stroke::new(1.8, ui.visuals().strong_text_color());
    let painter = ui.painter().with_clip_rect(frame.expand(8.0).intersect(ui.clip_rect()));
    let foot = frame.left_bottom() - vec2(0.0, 9.0);
    painter.rect_filled(Rect::from_center_size(foot, vec2(10.0, 5.0)), 0.0, ui.visuals().panel_fill);
    for y in [-3.0, 3.0] {
        painter.line_segment([foot + vec2(-6.0, y + 3.0), foot + vec2(6.0, y - 3.0)], stroke);
    }
}

fn draw_series<'a>(plot: &mut egui_plot::PlotUi<'a>, series: &'a Series, theme: Theme, view: (f64, f64)) {
    let (ink, color) = (series.ink, series.ink.color(theme));
    if is_banded(series) {
        let column = |i: usize| series.band.iter().map(|band| band[i]).collect::<Vec<f64>>();
        let area = FilledArea::new("", &column(0), &column(1), &column(2)).id((&series.name, "band"));
        plot.add(area.fill_color(color.gamma_multiply(BAND)).allow_hover(false));
    }
    let points = series.line.between(view.0, view.1);
    let line = Line::new(&series.name, PlotPoints::Borrowed(points)).color(color).width(ink.width);
    plot.line(line.style(ink.style).allow_hover(false).allow_band(ink.style == LineStyle::Solid));
    if let Some(mark) = ink.mark {
        let marks = Points::new("", PlotPoints::Borrowed(&series.marks)).id((&series.name, "marks"));
        plot.points(marks.shape(mark).color(color).radius(ink.width + 1.5).allow_hover(false));
    }
}

/// Whether a curve's band is drawn: of the answers that count. Five bands would hide each other; the legend reads out
/// those of the streams.
pub fn is_banded(series: &Series) -> bool {
    !series.band.is_empty() && matches!(series.ink.role, Some(Role::Decision | Role::Patient | Role::Attacker))
}

fn grid(axis: Axis, input: &GridInput, most: f64) -> Vec<GridMark> {
    let marks = axis.marks(input.bounds, most);
    let step_size = (input.bounds.1 - input.bounds.0) / marks.len().max(1) as f64;
    marks.into_iter().map(|value| GridMark { value, step_size }).collect()
}
