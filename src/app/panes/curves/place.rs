//! Places for words in a plot, so that they cover neither each other nor, where it can be helped, a curve.

use eframe::egui::{Pos2, Rect, Vec2, pos2};
use egui_plot::PlotPoint;

use super::series::Chart;

/// Room between a line and its words.
const GAP: f32 = 3.0;
/// Samples of a curve, and of a line that stands still.
const SAMPLES: usize = 160;

/// A plot's frame on the screen or on paper, and what it covers.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Where it is.
    pub rect: Rect,
    /// From where to where x goes.
    pub x: (f64, f64),
    /// And y.
    pub y: (f64, f64),
}

impl Frame {
    /// Where a point is.
    pub fn at(&self, point: PlotPoint) -> Pos2 {
        let share = |value: f64, (from, to): (f64, f64)| ((value - from) / (to - from)) as f32;
        let (x, y) = (share(point.x, self.x), share(point.y, self.y));
        pos2(self.rect.left() + x * self.rect.width(), self.rect.bottom() - y * self.rect.height())
    }

    /// Whether a value is in view.
    fn sees(&self, at: f64, level: bool) -> bool {
        let (from, to) = if level { self.y } else { self.x };
        (from..=to).contains(&at)
    }
}

/// Words that have been placed.
pub struct Placed {
    /// Which rule's; none is the stamp.
    pub rule: Option<usize>,
    /// Where.
    pub rect: Rect,
}

/// Places the stamp, if there is one, and the words of each rule that is in view. Words without a place are
/// left out; the legend has them all.
pub fn place(
    chart: &Chart,
    frame: Frame,
    hidden: &dyn Fn(&str) -> bool,
    stamp: Option<Vec2>,
    size: &dyn Fn(usize) -> Vec2,
) -> Vec<Placed> {
    let busy = busy(chart, frame, hidden);
    let mut placed: Vec<Placed> = Vec::new();
    let put = |placed: &mut Vec<Placed>, rule: Option<usize>, rects: Vec<Rect>| {
        let free = |rect: &Rect| {
            frame.rect.contains_rect(*rect) && placed.iter().all(|other| !other.rect.expand(1.0).intersects(*rect))
        };
        let covered = |rect: &Rect| busy.iter().filter(|point| rect.contains(**point)).count();
        if let Some(rect) = rects.into_iter().filter(free).min_by_key(covered) {
            placed.push(Placed { rule, rect });
        }
    };
    for (i, rule) in chart.rules.iter().enumerate() {
        if hidden(&rule.name) || !frame.sees(rule.at, rule.level) {
            continue;
        }
        let at = frame.at(PlotPoint::new(rule.at, rule.at));
        put(&mut placed, Some(i), beside(frame.rect, at, rule.level, size(i)));
    }
    if let Some(size) = stamp {
        put(&mut placed, None, anywhere(frame.rect, size));
    }
    placed
}

/// Places beside a line: above or below a level one, right or left of an upright one.
fn beside(frame: Rect, at: Pos2, level: bool, size: Vec2) -> Vec<Rect> {
    let mut rects = Vec::new();
    for share in [1.0, 0.0, 0.5, 0.75, 0.25] {
        let along = |from: f32, room: f32| from + GAP + share * (room - 2.0 * GAP);
        for before in [true, false] {
            let min = if level {
                pos2(along(frame.left(), frame.width() - size.x), if before { at.y - GAP - size.y } else { at.y + GAP })
            } else {
                // Upright lines have their words at the top first.
                let y = frame.bottom() - (along(frame.top(), frame.height() - size.y) - frame.top()) - size.y;
                pos2(if before { at.x + GAP } else { at.x - GAP - size.x }, y)
            };
            rects.push(Rect::from_min_size(min, size));
        }
    }
    rects
}

fn anywhere(frame: Rect, size: Vec2) -> Vec<Rect> {
    let room = frame.shrink(2.0 * GAP).size() - size;
    let across = [1.0, 0.0, 0.5, 0.75, 0.25];
    let shares = across.into_iter().flat_map(|y| [0.5, 1.0, 0.0].map(|x| [x, y]));
    let rect = |[x, y]: [f32; 2]| {
        let min = frame.min + Vec2::splat(2.0 * GAP) + Vec2::new(x * room.x, y * room.y);
        Rect::from_min_size(min, size)
    };
    shares.map(rect).collect()
}

/// Where curves and lines are.
fn busy(chart: &Chart, frame: Frame, hidden: &dyn Fn(&str) -> bool) -> Vec<Pos2> {
    let mut busy = Vec::new();
    for series in chart.series.iter().filter(|series| !hidden(&series.name)) {
        let points = series.line.between(frame.x.0, frame.x.1);
        if points.len() > SAMPLES {
            busy.extend(points.iter().step_by(points.len() / SAMPLES).map(|point| frame.at(*point)));
            continue;
        }
        for pair in points.windows(2) {
            let (a, b) = (frame.at(pair[0]), frame.at(pair[1]));
            let steps = SAMPLES / points.len();
            busy.extend((0..steps).map(|i| a + i as f32 / steps as f32 * (b - a)));
        }
        busy.extend(points.last().map(|point| frame.at(*point)));
    }
    for rule in chart.rules.iter().filter(|rule| !hidden(&rule.name) && frame.sees(rule.at, rule.level)) {
        let at = frame.at(PlotPoint::new(rule.at, rule.at));
        let share = |i: usize| i as f32 / SAMPLES as f32;
        busy.extend((0..SAMPLES).step_by(4).map(|i| {
            if rule.level {
                pos2(frame.rect.left() + share(i) * frame.rect.width(), at.y)
            } else {
                pos2(at.x, frame.rect.top() + share(i) * frame.rect.height())
            }
        }));
    }
    busy
}
