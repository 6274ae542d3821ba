//! The frontier's plot.

use std::ops::RangeInclusive;

use eframe::egui::{Color32, Pos2, TextStyle, Theme, Ui, pos2, vec2};
use egui_plot::{
    AxisHints, GridInput, GridMark, HLine, Line, LineStyle, MarkerShape, Plot, PlotPoint, PlotPoints, PlotTransform,
    PlotUi, Points,
};

use super::made::Set;
use super::{Shown, name, tip, words};
use crate::app::theme::Role;
use crate::report::axis::{Range, number};
use crate::report::labels::{Labels, Placed};
use crate::report::points::{Leak, Point, Scored, utility};
use crate::texts::say;

/// How near the pointer has to be to a point, in points of the screen.
const NEAR: f32 = 14.0;
/// Radius of a point.
const RADIUS: f32 = 5.0;

/// Radius of the ring around the chosen one.
const RING: f32 = 9.0;

/// Draws it, and tells the setting that was clicked.
pub(super) fn plot_ui(ui: &mut Ui, shown: Shown<'_>, chosen: Option<usize>, height: f32) -> Option<usize> {
    let Shown { set, points: all, leak, scored } = shown;
    let reach: Vec<_> = all.iter().map(|p| (p.utility.mean, p.utility.error.unwrap_or(0.0))).collect();
    let across = Range::of_most(&reach);
    let points = &at_edge(all, across);
    let theme = ui.theme();
    let text = ui.visuals().strong_text_color();
    let metric = utility(&set.all);
    // With room for the number above a point at the top.
    let most = match leak {
        Leak::Lineup | Leak::Found => 112.0,
        Leak::Ssim => 1.12,
        Leak::Psnr => set.points(leak, Scored::All).iter().map(|point| 1.12 * point.leak.mean).fold(10.0, f64::max),
    };
    // The pane may be low: numbers beside each line of the grid all the same.
    let y_axis = AxisHints::new_y()
        .label(axis(name(leak), leak.metric().map_or("%", |metric| metric.unit)))
        .formatter(tick)
        .min_thickness(38.0)
        .label_spacing(10.0..=14.0);
    let plot = Plot::new(("frontier", name(leak), &set.name))
        .width(ui.available_width() - 6.0)
        .height(height)
        .default_x_bounds(across.low, across.high)
        .default_y_bounds(0.0, most)
        .set_margin_fraction(vec2(0.02, 0.02))
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .show_x(false)
        .show_y(false)
        // Upright and level lines alike, whichever are closer together.
        .grid_color(ui.visuals().text_color().gamma_multiply(0.2))
        .grid_fade(0.0)
        .x_grid_spacer(|input| grid(&input))
        .y_grid_spacer(|input| grid(&input))
        .x_axis_formatter(tick)
        .x_axis_label(axis(say(metric.name), metric.unit))
        .custom_y_axes(vec![y_axis]);
    let response = plot.show(ui, |plot| {
        if let Some(chance) = leak.chance() {
            let style = LineStyle::Dotted { spacing: 6.0 };
            plot.hline(HLine::new("chance", chance).color(text.gamma_multiply(0.6)).style(style).allow_hover(false));
        }
        // The front that attackers leave who do not know the defences: what was promised.
        if scored == Scored::All {
            front(plot, &at_edge(set.points(leak, Scored::Naive), across), theme, LineStyle::Dotted { spacing: 5.0 });
        }
        families(plot, set, points, theme);
        front(plot, points, theme, LineStyle::Dashed { length: 7.0 });
        for point in points {
            point_ui(plot, set, point, theme, scored);
            if chosen == Some(point.setting) {
                let ring = PlotPoints::from(vec![[point.utility.mean, point.leak.mean]]);
                let ring = Points::new("", ring).id(("your-point", point.setting)).shape(MarkerShape::Circle);
                plot.points(ring.filled(false).radius(RING).color(text).allow_hover(false));
            }
        }
    });
    numbers(ui, &response.transform, points, across, text);
    let near = response.response.hover_pos().and_then(|at| nearest(&response.transform, points, at));
    // In words it has its own numbers, wherever it stands.
    let near = near.and_then(|near| all.iter().find(|point| point.setting == near.setting));
    if let Some(point) = near {
        let told = words(shown, point);
        response.response.clone().on_hover_text_at_pointer(format!("{told}\n{}", tip(set)));
    }
    near.filter(|_| response.response.clicked()).map(|point| point.setting)
}

/// The settings' numbers, over no other and over no point; those of the front choose their places first. Where there is no
/// room the pointer tells which it is.
fn numbers(ui: &Ui, transform: &PlotTransform, points: &[Point], across: Range, color: Color32) {
    let font = TextStyle::Small.resolve(ui.style());
    let frame = *transform.frame();
    let area = [frame.left(), frame.top(), frame.right(), frame.bottom()].map(f64::from);
    let labels = Labels { area, radius: f64::from(RADIUS), height: f64::from(font.size) };
    let mut ordered: Vec<&Point> = points.iter().collect();
    ordered.sort_by_key(|point| !point.front);
    let at = |point: &Point, leak: f64| {
        let at = transform.position_from_point(&PlotPoint::new(point.utility.mean, leak));
        [at.x, at.y].map(f64::from)
    };
    let places: Vec<[f64; 2]> = ordered.iter().map(|point| at(point, point.leak.mean)).collect();
    let painter = ui.painter().with_clip_rect(frame);
    let arrow = |point: &Point| if point.utility.mean <= across.low { "\u{2039} " } else { "" };
    let words = ordered.iter().map(|point| format!("{}{}", arrow(point), point.setting + 1));
    let words: Vec<_> = words.map(|word| painter.layout_no_wrap(word, font.clone(), color)).collect();
    let widths: Vec<Vec<f64>> = words.iter().map(|word| vec![f64::from(word.size().x)]).collect();
    let others = points.iter().flat_map(|point| {
        [point.naive.as_ref(), point.adaptive.as_ref()].into_iter().flatten().map(|leak| at(point, leak.mean))
    });
    let placed = labels.placed(&places, &widths, &others.collect::<Vec<_>>());
    let screen = |[x, y]: [f64; 2]| pos2(x as f32, y as f32);
    for ((placed, from), word) in placed.into_iter().zip(places).zip(words) {
        let Some(Placed { at, far, .. }) = placed else { continue };
        if far {
            painter.line_segment([screen(from), screen(at)], (0.7, color.gamma_multiply(0.4)));
        }
        let corner = screen(at) - word.size() / 2.0;
        painter.galley(corner, word, color);
    }
}

/// What an axis says: `accuracy, %`.
fn axis(name: &str, unit: &str) -> String {
    if unit.is_empty() { name.to_owned() } else { format!("{name}, {unit}") }
}

/// What is written at a line of the grid: the plot's own numbers have no half where half stands.
fn tick(mark: GridMark, range: &RangeInclusive<f64>) -> String {
    number(mark.value, &Range { low: *range.start(), high: *range.end() }.ticks())
}

/// A few round numbers.
fn grid(input: &GridInput) -> Vec<GridMark> {
    let ticks = Range { low: input.bounds.0, high: input.bounds.1 }.ticks();
    let step_size = (input.bounds.1 - input.bounds.0) / ticks.len().max(1) as f64;
    ticks.into_iter().map(|value| GridMark { value, step_size }).collect()
}

/// The points as they are drawn: those with fewer right answers than the axis begins with stand at its edge, without an error.
fn at_edge(points: &[Point], across: Range) -> Vec<Point> {
    let mut points = points.to_vec();
    for point in points.iter_mut().filter(|point| point.utility.mean < across.low) {
        point.utility.mean = across.low;
        point.utility.error = None;
    }
    points
}

/// A thin line from strength to strength of each defence.
fn families(plot: &mut PlotUi<'_>, set: &Set, points: &[Point], theme: Theme) {
    let color = Role::Attacker.color_of(theme).gamma_multiply(0.4);
    for family in set.all.families() {
        let own = family.iter().filter_map(|place| points.iter().find(|point| point.setting == *place));
        let places: Vec<[f64; 2]> = own.map(|point| [point.utility.mean, point.leak.mean]).collect();
        let line = Line::new("", PlotPoints::from(places)).id(("family", family[0]));
        plot.line(line.color(color).width(1.0).allow_hover(false));
    }
}

/// A line from point to point of the front.
fn front(plot: &mut PlotUi<'_>, points: &[Point], theme: Theme, style: LineStyle) {
    let mut front: Vec<[f64; 2]> =
        points.iter().filter(|point| point.front).map(|point| [point.utility.mean, point.leak.mean]).collect();
    front.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let id = if matches!(style, LineStyle::Dashed { .. }) { "front" } else { "front-of-the-naive" };
    let line = Line::new("", PlotPoints::from(front)).id(id).color(Role::Patient.color_of(theme)).width(1.5);
    plot.line(line.style(style).allow_hover(false));
}

/// Naive hollow, adaptive full, a line between the two; an undefended one in the patient's colour.
fn point_ui(plot: &mut PlotUi<'_>, set: &Set, point: &Point, theme: Theme, scored: Scored) {
    let defended = set.all.settings[point.setting].defended();
    let color = if defended { Role::Attacker } else { Role::Patient }.color_of(theme);
    let x = point.utility.mean;
    let id = |what: &str| (what.to_owned(), point.setting);
    let known = point.adaptive.as_ref().filter(|_| scored == Scored::All);
    if let Some((naive, adaptive)) = point.naive.as_ref().zip(known) {
        let line = Line::new("", PlotPoints::from(vec![[x, naive.mean], [x, adaptive.mean]])).id(id("link"));
        plot.line(line.color(color).width(1.2).allow_hover(false));
    }
    for (spread, full) in [(point.naive.as_ref(), !defended), (known, true)] {
        if let Some(spread) = spread {
            let marks =
                Points::new("", PlotPoints::from(vec![[x, spread.mean]])).id(id(if full { "full" } else { "hollow" }));
            plot.points(marks.shape(MarkerShape::Circle).filled(full).radius(RADIUS).color(color).allow_hover(false));
        }
    }
    for (ends, error) in [(true, point.utility.error), (false, point.leak.error)] {
        let Some(error) = error.filter(|error| *error > 0.0) else { continue };
        let y = point.leak.mean;
        let line = if ends { vec![[x - error, y], [x + error, y]] } else { vec![[x, y - error], [x, y + error]] };
        let line = Line::new("", PlotPoints::from(line)).id(id(if ends { "across" } else { "up" }));
        plot.line(line.color(color.gamma_multiply(0.7)).width(1.0).allow_hover(false));
    }
}

/// The point under the pointer.
fn nearest<'a>(transform: &PlotTransform, points: &'a [Point], at: Pos2) -> Option<&'a Point> {
    let away = |point: &Point| {
        let places = [Some(&point.leak), point.naive.as_ref(), point.adaptive.as_ref()].into_iter().flatten();
        let place = |leak: f64| transform.position_from_point(&PlotPoint::new(point.utility.mean, leak));
        places.map(|spread| place(spread.mean).distance(at)).fold(f32::INFINITY, f32::min)
    };
    points
        .iter()
        .map(|point| (point, away(point)))
        .filter(|(_, away)| *away <= NEAR)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(point, _)| point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_at_a_half_says_so() {
        let range = 96.3..=97.7;
        let told = |value| tick(GridMark { value, step_size: 0.4 }, &range);
        assert_eq!((told(96.5).as_str(), told(97.0).as_str(), told(97.5).as_str()), ("96.5", "97.0", "97.5"));
        assert_eq!(tick(GridMark { value: 20.0, step_size: 20.0 }, &(0.0..=112.0)), "20");
    }
}
