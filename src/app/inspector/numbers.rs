//! Beside the picture: the numbers around the marked place, what all of them come to, and how they are spread.

use eframe::egui::{self, Label, Rect, RichText, Role as Kind, Sense, Ui, WidgetInfo, pos2, vec2};

use super::grid::Grid;
use super::inspected::Scale;
use super::made::Made;
use super::picture::Mark;
use super::stats::{BINS, Stats, number};
use crate::app::words::shape;

/// Width of all of it.
pub const WIDTH: f32 = 236.0;
/// A picture of at most so many rows and columns is written out whole.
const WHOLE: usize = 7;
/// Rows and columns around the marked place.
const AROUND: usize = 5;
const CELL: egui::Vec2 = egui::Vec2::new(46.0, 21.0);
const HISTOGRAM: f32 = 56.0;

/// The marked place and the numbers around it.
pub fn around_ui(ui: &mut Ui, made: &Made, mark: Mark) {
    ui.add(Label::new(RichText::new(made.words_at(mark.at)).strong().size(15.0)).wrap());
    if made.inspected.picture.shape[0] == 3 {
        ui.weak(t!("Choose one channel to see the numbers around it."));
        return;
    }
    let [columns, rows] = made.size;
    // The middle of the window is the marked place, except at the edge.
    let part = |at: usize, side: usize| {
        let count = if side <= WHOLE { side } else { AROUND };
        (at.saturating_sub(count / 2).min(side - count), count)
    };
    let ((top, high), (left, wide)) = (part(mark.at[0], rows), part(mark.at[1], columns));
    let place = |i: usize| [top + i / wide, left + i % wide];
    let values: Vec<Option<f32>> = (0..high * wide).map(|i| made.values_at(place(i)).first().copied()).collect();
    let cell = vec2(CELL.x.min((WIDTH / wide as f32).floor()), CELL.y);
    let marked = Some((mark.at[0] - top) * wide + mark.at[1] - left);
    let grid = Grid { values: &values, columns: wide, scale: made.inspected.scale, cell, marked };
    let what = if (high, wide) == (rows, columns) { t!("All its numbers") } else { t!("The numbers around it") };
    grid.ui(ui, what, Sense::hover()).on_hover_text(what);
}

/// What all numbers come to.
pub fn stats_ui(ui: &mut Ui, made: &Made) {
    let Stats { range: [least, most], mean, deviation, odd, .. } = made.stats;
    let [planes, height, width] = made.inspected.picture.shape;
    let sides = if planes == 1 { vec![height, width] } else { vec![planes, height, width] };
    let deviation = number(deviation as f32);
    ui.label(RichText::new(t!("min {least}   max {most}", least = number(least), most = number(most))).strong());
    ui.label(RichText::new(t!("mean {mean}   sd {deviation}", mean = number(mean as f32), deviation)).strong())
        .on_hover_text(t!("sd: the standard deviation, the root of the mean squared distance from the mean"));
    ui.label(t!("{count} numbers: {sides}", count = planes * height * width, sides = shape(&sides)));
    if odd > 0 {
        ui.label(t!("{odd} are no numbers, or infinite", odd));
    }
    histogram_ui(ui, &made.stats, made.inspected.scale);
    ui.add(Label::new(RichText::new(made.inspected.scale.words()).small()).wrap());
    ui.add(Label::new(RichText::new(made.inspected.note).small()).wrap());
}

/// How many numbers are how large, and below it the colour that each has in the picture.
fn histogram_ui(ui: &mut Ui, stats: &Stats, scale: Scale) {
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, HISTOGRAM), Sense::hover());
    let [least, most] = stats.range;
    let tallest = stats.bins.iter().copied().max().unwrap_or(0);
    let edge = |bin: usize| least + (most - least) * bin as f32 / BINS as f32;
    let highest = stats.bins.iter().position(|count| *count == tallest).unwrap_or(0);
    let words = t!(
        "Histogram from {least} to {most}: {tallest} lie between {from} and {to}, the most",
        least = number(least),
        most = number(most),
        tallest,
        from = number(edge(highest)),
        to = number(edge(highest + 1))
    );
    response.widget_info(|| WidgetInfo::labeled(Kind::Image, true, &words));
    let painter = ui.painter();
    painter.rect_filled(rect, 2.0, ui.visuals().extreme_bg_color);
    let (strip, step) = (6.0, rect.width() / BINS as f32);
    let floor = rect.bottom() - strip;
    for (bin, count) in stats.bins.iter().enumerate() {
        let (left, right) = (rect.left() + step * bin as f32, rect.left() + step * (bin + 1) as f32);
        let middle = 0.5 * (edge(bin) + edge(bin + 1));
        painter.rect_filled(
            Rect::from_min_max(pos2(left, floor), pos2(right, rect.bottom())),
            0.0,
            scale.color(middle),
        );
        if *count == 0 {
            continue;
        }
        // Roots, so that a few numbers beside a thousand zeros are seen too.
        let height = (*count as f32 / tallest as f32).sqrt() * (rect.height() - strip - 3.0);
        let bar = Rect::from_min_max(pos2(left, floor - height.max(1.0)), pos2(right - 1.0, floor));
        painter.rect_filled(bar, 0.0, ui.visuals().text_color());
    }
    if let Some(at) = response.hover_pos() {
        let bin = (((at.x - rect.left()) / step) as usize).min(BINS - 1);
        let words = t!(
            "{count} between {from} and {to}",
            count = stats.bins[bin],
            from = number(edge(bin)),
            to = number(edge(bin + 1))
        );
        response.on_hover_text(t!(
            "{words}\nA bar's height is the root of its count: few beside many are seen too.",
            words
        ));
    }
    ui.horizontal(|ui| {
        ui.set_width(WIDTH);
        ui.small(number(least));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.small(number(most)));
    });
}
