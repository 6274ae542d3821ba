//! The curves as files: every value, a picture, or lines and letters that scale.

use eframe::egui::{Rect, Theme, Vec2, pos2, vec2};
use egui_plot::LineStyle;
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea, SVGBackend};

use super::data::collect;
use super::example::{BRIEF, STAMP};
use super::figure::{Against, Figure};
use super::ink::{Ink, text_color};
use super::legend::Reading;
use super::place::{Frame, place};
use super::plot::{BAND, is_banded};
use super::series::Chart;
use super::sheet::{CENTER, LEFT, RIGHT, Sheet, TOP, color_of, wrong};
use super::ticks::Axis;
use super::view::{CurvesView, shown};
use crate::app::state::State;
use crate::error::Result;
use crate::texts::{english, say};

/// Size of a picture, in pixels.
const SIZE: (u32, u32) = (1600, 1000);
/// A picture's pixels come from so many times so many, which are averaged.
const FINE: u32 = 2;
/// Room for a number beside an axis, in pixels.
const MARK: Vec2 = vec2(90.0, 60.0);

/// Every value behind the curves: figure, series, x, y. Lines that stand still have an x or a y alone.
///
/// # Errors
/// Where there is no memory left.
pub fn csv(state: &State, view: &CurvesView) -> Result<Vec<u8>> {
    // Programs read it.
    english(|| values(state, view))
}

fn values(state: &State, view: &CurvesView) -> Result<Vec<u8>> {
    let (state, recorded) = shown(state, &view.preset);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["figure", "series", "x", "y"]).map_err(|e| wrong(&e))?;
    for figure in Figure::ALL {
        let by_epoch = matches!(figure, Figure::Test | Figure::Difference);
        let natural = if by_epoch { Against::Epoch } else { Against::Step };
        let raw = collect(figure, state, natural);
        let name = format!("{}{}", if recorded { "recorded example: " } else { "" }, figure.title());
        for values in &raw.values {
            for [x, low, high] in &values.band {
                for (end, y) in [("low", low), ("high", high)] {
                    let name_of_end = format!("{}, {end} end of its band", values.name);
                    csv.write_record([&name, &name_of_end, &x.to_string(), &y.to_string()]).map_err(|e| wrong(&e))?;
                }
            }
            for [x, y] in &values.points {
                csv.write_record([&name, &values.name, &x.to_string(), &y.to_string()]).map_err(|e| wrong(&e))?;
            }
        }
        for rule in &raw.rules {
            let (at, none) = (rule.at.to_string(), String::new());
            let (x, y) = if rule.level { (&none, &at) } else { (&at, &none) };
            csv.write_record([&name, &rule.name, x, y]).map_err(|e| wrong(&e))?;
        }
    }
    csv.into_inner().map_err(|e| wrong(&e))
}

/// The curves as pixels.
///
/// # Errors
/// Where it cannot be drawn.
pub fn png(state: &State, view: &CurvesView, theme: Theme) -> Result<Vec<u8>> {
    let (width, height) = (SIZE.0 * FINE, SIZE.1 * FINE);
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
    Sheet::new(&area, theme, FINE as f32)?.draw(state, view)?;
    drop(area);
    let picture = image::RgbImage::from_raw(width, height, pixels).ok_or_else(|| wrong(&"no picture"))?;
    let picture = image::imageops::thumbnail(&picture, SIZE.0, SIZE.1);
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).map_err(|e| wrong(&e))?;
    Ok(bytes.into_inner())
}

/// The curves as lines that scale.
///
/// # Errors
/// Where it cannot be drawn.
pub fn svg(state: &State, view: &CurvesView, theme: Theme) -> Result<Vec<u8>> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    Sheet::new(&area, theme, 1.0)?.draw(state, view)?;
    drop(area);
    Ok(text.into_bytes())
}

impl<D: DrawingBackend> Sheet<'_, D> {
    /// The figure of the view, or all of them.
    fn draw(&self, state: &State, view: &CurvesView) -> Result<()> {
        let (state, recorded) = shown(state, &view.preset);
        self.area.fill(&color_of(self.ground())).map_err(|e| wrong(&e))?;
        let figures = view.figures(state);
        let columns = if figures.len() > 2 { 4 } else { 1 };
        let rows = figures.len().div_ceil(columns);
        let cell = vec2(SIZE.0 as f32 / columns as f32, SIZE.1 as f32 / rows as f32);
        for (i, figure) in figures.iter().enumerate() {
            let min = pos2((i % columns) as f32 * cell.x, (i / columns) as f32 * cell.y);
            let chart = Chart::of(*figure, state, &view.settings(*figure, state));
            self.chart(&chart, Rect::from_min_size(min, cell), view, state, recorded)?;
        }
        self.area.present().map_err(|e| wrong(&e))
    }

    fn chart(&self, chart: &Chart, cell: Rect, view: &CurvesView, state: &State, recorded: bool) -> Result<()> {
        let large = cell.width() > 1000.0;
        let size = if large { 26.0 } else { 17.0 };
        let ink = text_color(self.theme);
        let hidden = |name: &str| view.hidden.contains(name);
        let cell = cell.shrink(0.8 * size);
        let title = format!("{}: {}", chart.figure.title(), if recorded { say(STAMP) } else { &state.title });
        let title = if large { title } else { chart.figure.title().into_owned() };
        self.text(&title, pos2(cell.left(), cell.top() + 0.6 * size), 1.1 * size, ink, LEFT)?;
        let legend = self.legend(chart, cell, view, size)?;
        let mut rect = cell;
        rect.min += vec2(4.2 * size, 2.2 * size);
        rect.max.x -= 0.5 * size;
        rect.max.y = legend - 3.2 * size;
        let grown = |(from, to): (f64, f64), part: f64| (from - part * (to - from), to + part * (to - from));
        let [x, y] = chart.bounds(hidden);
        let frame = Frame { rect, x: grown(x, 0.02), y: grown(y, 0.03) };
        self.axes(chart, frame, size)?;
        self.rules(chart, frame, view, size)?;
        for series in chart.series.iter().rev().filter(|series| !hidden(&series.name)) {
            let color = series.ink.color(self.theme);
            let line =
                |points: &[egui_plot::PlotPoint]| points.iter().map(|point| frame.at(*point)).collect::<Vec<_>>();
            if is_banded(series) {
                let end = |x: f64, y: f64| frame.at(egui_plot::PlotPoint::new(x, y));
                let low = series.band.iter().map(|[x, low, _]| end(*x, *low));
                let high = series.band.iter().rev().map(|[x, _, high]| end(*x, *high));
                self.area(&low.chain(high).collect::<Vec<_>>(), color.gamma_multiply(BAND))?;
            }
            if let Some(raw) = &series.raw {
                self.line(&line(raw.between(x.0, x.1)), color.gamma_multiply(0.35), 1.0, LineStyle::Solid)?;
            }
            self.line(&line(series.line.between(x.0, x.1)), color, thick(series.ink, size), series.ink.style)?;
            for point in &series.marks {
                self.mark(series.ink, frame.at(*point), thick(series.ink, size) + 0.11 * size)?;
            }
        }
        self.words(chart, frame, view, recorded, size)?;
        if chart.is_empty() {
            self.text(chart.figure.empty(), rect.center(), 0.8 * size, ink, CENTER)?;
        }
        Ok(())
    }

    /// Frame, grid and numbers.
    fn axes(&self, chart: &Chart, frame: Frame, size: f32) -> Result<()> {
        let (rect, ink) = (frame.rect, text_color(self.theme));
        let faint = ink.gamma_multiply(0.22);
        let small = 0.8 * size;
        let most = vec2(rect.width() / MARK.x * 26.0 / size, rect.height() / MARK.y * 26.0 / size);
        let (most_x, most_y) = (f64::from(most.x.min(14.0)), f64::from(most.y.min(10.0)));
        let axis = Axis { log: chart.log_x, whole: chart.whole_x, percent: false };
        for mark in axis.marks(frame.x, most_x) {
            let x = frame.at(egui_plot::PlotPoint::new(mark, 0.0)).x;
            self.line(&[pos2(x, rect.top()), pos2(x, rect.bottom())], faint, 1.0, LineStyle::Solid)?;
            self.text(&axis.words(mark, frame.x, most_x), pos2(x, rect.bottom() + 0.4 * size), small, ink, TOP)?;
        }
        let axis = Axis { log: chart.log_y, whole: false, percent: chart.figure.percent() };
        for mark in axis.marks(frame.y, most_y) {
            let y = frame.at(egui_plot::PlotPoint::new(0.0, mark)).y;
            self.line(&[pos2(rect.left(), y), pos2(rect.right(), y)], faint, 1.0, LineStyle::Solid)?;
            self.text(&axis.words(mark, frame.y, most_y), pos2(rect.left() - 0.4 * size, y), small, ink, RIGHT)?;
        }
        let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom(), rect.left_top()];
        self.line(&corners, ink.gamma_multiply(0.5), 1.0, LineStyle::Solid)?;
        let under = pos2(rect.center().x, rect.bottom() + 1.5 * size);
        self.text(chart.x_label, under, small, ink, TOP)?;
        self.text(&chart.figure.y_label(), pos2(rect.left(), rect.top() - 0.6 * size), small, ink, LEFT)
    }

    fn rules(&self, chart: &Chart, frame: Frame, view: &CurvesView, size: f32) -> Result<()> {
        for rule in chart.rules.iter().filter(|rule| !view.hidden.contains(&rule.name)) {
            let at = frame.at(egui_plot::PlotPoint::new(rule.at, rule.at));
            let ends = if rule.level {
                [pos2(frame.rect.left(), at.y), pos2(frame.rect.right(), at.y)]
            } else {
                [pos2(at.x, frame.rect.top()), pos2(at.x, frame.rect.bottom())]
            };
            self.line(&ends, rule.ink.color(self.theme), thick(rule.ink, size), rule.ink.style)?;
        }
        Ok(())
    }

    /// Words of the lines, and the stamp.
    fn words(&self, chart: &Chart, frame: Frame, view: &CurvesView, recorded: bool, size: f32) -> Result<()> {
        let small = 0.75 * size;
        let room = |text: &str| self.room(text, small).map(|size| size + vec2(8.0, 4.0));
        let rooms = chart.rules.iter().map(|rule| room(&rule.note)).collect::<Result<Vec<_>>>()?;
        let stamp = if frame.rect.width() > 800.0 { say(STAMP) } else { say(BRIEF) };
        let stamp_room = if recorded && !chart.is_empty() { Some(room(stamp)?) } else { None };
        for words in place(chart, frame, &|name| view.hidden.contains(name), stamp_room, &|i| rooms[i]) {
            let (text, color) = match words.rule.and_then(|i| chart.rules.get(i)) {
                Some(rule) => (rule.note.as_str(), rule.ink.color(self.theme)),
                None => (stamp, text_color(self.theme)),
            };
            self.rect(words.rect, self.ground().gamma_multiply(0.85))?;
            self.text(text, words.rect.center(), small, color, CENTER)?;
        }
        Ok(())
    }

    /// What each line is, with its last value; tells where it begins.
    fn legend(&self, chart: &Chart, cell: Rect, view: &CurvesView, size: f32) -> Result<f32> {
        let small = 0.8 * size;
        let reading = Reading::of(chart, None, &view.hidden);
        let shown = |name: &str| !view.hidden.contains(name);
        let series = chart.series.iter().filter(|series| shown(&series.name));
        let words = |rule: &super::raw::Rule| format!("{}  {}", rule.name, rule.value);
        let rules = chart.rules.iter().filter(|rule| shown(&rule.name)).map(|rule| (rule.ink, words(rule)));
        let entries: Vec<(Ink, String)> =
            series.map(|one| (one.ink, format!("{}  {}", one.name, reading.value(one)))).chain(rules).collect();
        let mut widest: f32 = 1.0;
        for (_, text) in &entries {
            widest = widest.max(self.room(text, small)?.x + 5.0 * small);
        }
        let columns = ((cell.width() / widest) as usize).clamp(1, 4);
        let line = 1.35 * small;
        let top = cell.bottom() - entries.len().div_ceil(columns) as f32 * line;
        for (i, (ink, text)) in entries.iter().enumerate() {
            let left = cell.left() + (i % columns) as f32 * cell.width() / columns as f32;
            let y = top + ((i / columns) as f32 + 0.5) * line;
            let ends = [pos2(left, y), pos2(left + 2.6 * small, y)];
            self.line(&ends, ink.color(self.theme), thick(*ink, size), ink.style)?;
            self.mark(*ink, pos2(left + 1.3 * small, y), thick(*ink, size) + 0.11 * size)?;
            self.text(text, pos2(left + 3.2 * small, y), small, text_color(self.theme), LEFT)?;
        }
        Ok(top)
    }
}

/// A line's width where letters have a size.
fn thick(ink: Ink, size: f32) -> f32 {
    1.4 * ink.width * size / 26.0
}
