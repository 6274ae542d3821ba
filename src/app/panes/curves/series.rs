//! What is drawn of a figure: values smoothed, scaled and thinned out, made once.

use egui_plot::PlotPoint;

use super::data::collect;
use super::figure::{Against, Figure};
use super::ink::Ink;
use super::raw::{Raw, Rule};
use crate::app::accuracies::Smooth;
use crate::app::state::State;

/// Points that may be drawn of a curve in a frame, where it is longer.
const DRAWN: usize = 2400;
/// Values that become two: the least and the greatest of them.
const THINNED: usize = 8;
/// A curve that is longer has no dashes, and marks at a few points only.
const SHORT: usize = 64;
/// Marks of a long curve.
const FEW: usize = 8;

/// How a figure is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What it is drawn against.
    pub against: Against,
    /// What smoothing keeps of the past; 0 smooths nothing.
    pub keep: f64,
    /// Whether the height is logarithmic.
    pub log_y: bool,
    /// Whether shares go from the least to the greatest that there is, in place of 0 to 100 %.
    pub fitted: bool,
}

/// A figure, ready to be drawn. Where an axis is logarithmic, points are logarithms.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of an axis of its own")]
pub struct Chart {
    /// Which.
    pub figure: Figure,
    /// What x is.
    pub x_label: &'static str,
    /// Whether x is logarithmic.
    pub log_x: bool,
    /// Whether y is.
    pub log_y: bool,
    /// Whether shares are drawn from the least to the greatest.
    pub fitted: bool,
    /// Whether x counts something.
    pub whole_x: bool,
    /// Curves.
    pub series: Vec<Series>,
    /// Lines that stand still, where they can be drawn on these scales.
    pub rules: Vec<Rule>,
    /// Values that a logarithmic scale has no place for.
    pub dropped: usize,
    /// Curves of pinned runs, which stand pale behind.
    pub ghosts: Vec<Ghost>,
}

/// A pinned run's curves in a figure.
#[derive(Clone, Debug)]
pub struct Ghost {
    /// What the run is called, as the legend has it.
    pub name: String,
    /// Dashes or dots that tell it from other pinned runs.
    pub style: egui_plot::LineStyle,
    /// The curves, each in its own colour, the first one read out.
    pub series: Vec<Series>,
}

/// A curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// What it is.
    pub tip: &'static str,
    /// How it is drawn.
    pub ink: Ink,
    /// As it was measured, where it is smoothed.
    pub raw: Option<Layers>,
    /// As it is drawn.
    pub line: Layers,
    /// Where it is marked.
    pub marks: Vec<PlotPoint>,
    /// Where its values are estimates, their bands: (x, low, high) of each point, as they are drawn.
    pub band: Vec<[f64; 3]>,
}

/// A curve, and the same with ever fewer points.
#[derive(Clone, Debug)]
pub struct Layers(Vec<Vec<PlotPoint>>);

impl Chart {
    /// Makes a figure of a run.
    pub fn of(figure: Figure, state: &State, settings: &Settings) -> Self {
        Self::of_raw(figure, collect(figure, state, settings.against), settings)
    }

    /// Makes a figure of raw values.
    pub fn of_raw(figure: Figure, raw: Raw, settings: &Settings) -> Self {
        let log_x = figure == Figure::Recovery;
        let log_y = settings.log_y && figure.can_log();
        let keep = if figure.smooths() { settings.keep } else { 0.0 };
        let mut dropped = 0;
        let mut scaled = |points: &mut dyn Iterator<Item = [f64; 2]>| -> Vec<PlotPoint> {
            let place = |[x, y]: [f64; 2]| Some(PlotPoint::new(scale(x, log_x)?, scale(y, log_y)?));
            points
                .filter_map(|point| {
                    place(point).or_else(|| {
                        dropped += 1;
                        None
                    })
                })
                .collect()
        };
        let mut series = Vec::new();
        for values in raw.values {
            let mut smooth = Smooth::new(keep);
            let line = scaled(&mut values.points.iter().map(|[x, y]| [*x, smooth.add(*y)]));
            // Those that cannot be drawn are counted once.
            let raw = (keep > 0.0).then(|| {
                let place = |[x, y]: &[f64; 2]| Some(PlotPoint::new(scale(*x, log_x)?, scale(*y, log_y)?));
                Layers::of(values.points.iter().filter_map(place).collect())
            });
            if !line.is_empty() {
                series.push(Series { band: values.band, ..Series::of(values.name, values.tip, values.ink, raw, line) });
            }
        }
        let rules = raw.rules.into_iter().filter_map(|rule| {
            let at = scale(rule.at, if rule.level { log_y } else { log_x })?;
            Some(Rule { at, ..rule })
        });
        let whole_x = figure.turns() && settings.against != Against::Time || figure.by_epoch();
        let fitted = settings.fitted && figure == Figure::Test;
        let (rules, ghosts) = (rules.collect(), Vec::new());
        Self { figure, x_label: raw.x_label, log_x, log_y, fitted, whole_x, rules, series, dropped, ghosts }
    }

    /// Entries that its legend has.
    pub fn entries(&self) -> usize {
        self.series.len() + self.rules.len() + self.ghosts.len()
    }

    /// Whether its height begins above zero, which is to be marked.
    pub fn is_cut(&self, from: f64) -> bool {
        self.figure.percent() && from > 0.5
    }

    /// Whether there is no curve.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.ghosts.is_empty()
    }

    /// A point's values, whatever the scales.
    pub fn values(&self, point: PlotPoint) -> [f64; 2] {
        let unscale = |value: f64, log: bool| if log { 10_f64.powf(value) } else { value };
        [unscale(point.x, self.log_x), unscale(point.y, self.log_y)]
    }

    /// From where to where its curves and lines go: x, then y.
    pub fn bounds(&self, hidden: impl Fn(&str) -> bool) -> [(f64, f64); 2] {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        let widen = |bounds: (f64, f64), value: f64| (bounds.0.min(value), bounds.1.max(value));
        let (mut x, mut y) = (none, none);
        let ghosts = self.ghosts.iter().filter(|ghost| !hidden(&ghost.name)).flat_map(|ghost| &ghost.series);
        for series in self.series.iter().filter(|series| !hidden(&series.name)).chain(ghosts) {
            // The coarsest layer has the extremes of all.
            for layers in series.raw.iter().chain([&series.line]) {
                for point in layers.coarsest() {
                    x = widen(x, point.x);
                    y = widen(y, point.y);
                }
            }
            if self.figure == Figure::Difference {
                y = series.band.iter().fold(y, |y, [_, low, high]| widen(widen(y, *low), *high));
            }
        }
        for rule in self.rules.iter().filter(|rule| !hidden(&rule.name)) {
            if rule.level { y = widen(y, rule.at) } else { x = widen(x, rule.at) }
        }
        if self.fitted && y.0 <= y.1 {
            // Round ends, with room for the marks.
            y = (((y.0 - 1.0) / 5.0).floor().max(0.0) * 5.0, (((y.1 + 1.0) / 5.0).ceil() * 5.0).min(100.0));
        } else if self.figure.percent() {
            y = (0.0, 100.0);
        } else if !self.log_y {
            y = widen(y, 0.0);
        }
        if matches!(self.figure, Figure::Ssim | Figure::Distance) && !self.log_y {
            y = widen(y, 1.0);
        }
        if !self.log_x {
            x = widen(x, 0.0);
        }
        let proper = |(from, to): (f64, f64)| match () {
            () if from > to => (0.0, 1.0),
            () if to - from < 1e-9 => (from, from + 1.0),
            () => (from, to),
        };
        [proper(x), proper(y)]
    }
}

/// Where a value is on a scale; nowhere if it has no logarithm.
fn scale(value: f64, log: bool) -> Option<f64> {
    if log { (value > 0.0).then(|| value.log10()) } else { Some(value) }
}

impl Series {
    fn of(name: String, tip: &'static str, mut ink: Ink, raw: Option<Layers>, line: Vec<PlotPoint>) -> Self {
        let marks = if line.len() <= SHORT {
            line.clone()
        } else {
            // Dashes of many short pieces cannot be told from a solid line, and are slow.
            ink.style = egui_plot::LineStyle::Solid;
            let step = line.len() as f64 / FEW as f64;
            (0..FEW).map(|i| line[((i as f64 + 0.5) * step) as usize]).collect()
        };
        Self { name, tip, ink, raw, line: Layers::of(line), marks, band: Vec::new() }
    }

    /// The point nearest to x.
    pub fn at(&self, x: f64) -> Option<PlotPoint> {
        let points = &self.line.0[0];
        let next = points.partition_point(|point| point.x < x);
        let near = [next.checked_sub(1), Some(next)].into_iter().flatten().filter_map(|i| points.get(i));
        near.min_by(|a, b| (a.x - x).abs().total_cmp(&(b.x - x).abs())).copied()
    }

    /// The band at a point; none where its values are no estimates.
    pub fn band_at(&self, point: PlotPoint) -> Option<[f64; 2]> {
        let next = self.band.partition_point(|band| band[0] < point.x);
        self.band.get(next).map(|[_, low, high]| [*low, *high])
    }

    /// The last point.
    pub fn last(&self) -> Option<PlotPoint> {
        self.line.0[0].last().copied()
    }
}

impl Layers {
    fn of(points: Vec<PlotPoint>) -> Self {
        let mut layers = vec![points];
        while let Some(last) = layers.last().filter(|last| last.len() > DRAWN) {
            let thinned = last.chunks(THINNED).flat_map(extremes).collect();
            layers.push(thinned);
        }
        Self(layers)
    }

    /// All points.
    #[cfg(test)]
    pub fn all(&self) -> &[PlotPoint] {
        &self.0[0]
    }

    fn coarsest(&self) -> &[PlotPoint] {
        self.0.last().map_or(&[], Vec::as_slice)
    }

    /// What is to be drawn between two x: as many points as can be seen, one more on each side.
    pub fn between(&self, from: f64, to: f64) -> &[PlotPoint] {
        let part = |layer: &'_ Vec<PlotPoint>| {
            let first = layer.partition_point(|point| point.x < from).saturating_sub(1);
            let last = (layer.partition_point(|point| point.x <= to) + 1).min(layer.len());
            first..last.max(first)
        };
        for layer in &self.0 {
            let range = part(layer);
            if range.len() <= DRAWN {
                return &layer[range];
            }
        }
        self.coarsest()
    }
}

/// The least and the greatest of some neighbours, in their order; at the ends x must stay.
fn extremes(points: &[PlotPoint]) -> impl Iterator<Item = PlotPoint> + use<> {
    let by_y = |a: &&PlotPoint, b: &&PlotPoint| a.y.total_cmp(&b.y);
    let (low, high) = (points.iter().min_by(by_y), points.iter().max_by(by_y));
    let mut pair = [low, high].map(Option::<&PlotPoint>::copied);
    pair.sort_by(|a, b| a.map(|p| p.x).partial_cmp(&b.map(|p| p.x)).unwrap_or(std::cmp::Ordering::Equal));
    let pair: Vec<PlotPoint> = pair.into_iter().flatten().collect();
    pair.into_iter()
}
