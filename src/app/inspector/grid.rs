//! Numbers in their places, each on its colour.

use eframe::egui::{
    Align2, Color32, FontId, Response, Role as Kind, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2,
};

use super::inspected::Scale;
use super::stats::{number, short};
use crate::app::theme::{image_color, map_color};

/// Cells narrower than this have no numbers.
const LEAST: f32 = 27.0;

/// A few numbers, row by row.
pub struct Grid<'a> {
    /// The numbers; none where there is no such place.
    pub values: &'a [Option<f32>],
    /// How many are in a row.
    pub columns: usize,
    /// Their colours.
    pub scale: Scale,
    /// The size of each cell.
    pub cell: Vec2,
    /// The one that has a line around it.
    pub marked: Option<usize>,
}

impl Scale {
    /// The colour of a number.
    pub fn color(self, value: f32) -> Color32 {
        match self {
            Self::Image => image_color([value; 3]),
            Self::Grey(least, most) => {
                let share = if most > least { (value - least) / (most - least) } else { 0.0 };
                image_color([share; 3])
            }
            Self::Signed(most) => map_color(if most > 0.0 { value / most } else { 0.0 }),
        }
    }

    /// Which number is which colour, in words.
    pub fn words(self) -> String {
        match self {
            Self::Image => t!("0 is black, 1 is white; what lies beyond is cut off").to_owned(),
            Self::Grey(least, most) => {
                t!("{least} is black, {most} is white", least = number(least), most = number(most))
            }
            Self::Signed(most) => {
                t!("{least} is blue, 0 black, {most} orange", least = number(-most), most = number(most))
            }
        }
    }
}

/// Black or white, whichever is seen better on a colour.
pub fn ink_on(color: Color32) -> Color32 {
    let [r, g, b, _] = color.to_array().map(f32::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 120.0 { Color32::BLACK } else { Color32::WHITE }
}

impl Grid<'_> {
    /// Draws it. `label` is what it is; its numbers are told too.
    pub fn ui(&self, ui: &mut Ui, label: &str, sense: Sense) -> Response {
        let rows = self.values.len().div_ceil(self.columns.max(1));
        let size = vec2(self.columns as f32 * self.cell.x, rows as f32 * self.cell.y);
        let (rect, response) = ui.allocate_exact_size(size, sense);
        let kind = if sense.senses_click() { Kind::Button } else { Kind::Label };
        response.widget_info(|| {
            let all: Vec<String> =
                self.values.iter().map(|value| value.map_or_else(|| t!("none").to_owned(), short)).collect();
            WidgetInfo::labeled(kind, true, format!("{label}: {}", all.join(", ")))
        });
        let place = |i: usize| {
            let at = vec2((i % self.columns) as f32 * self.cell.x, (i / self.columns) as f32 * self.cell.y);
            eframe::egui::Rect::from_min_size(rect.min + at, self.cell)
        };
        let painter = ui.painter();
        let font = FontId::proportional((0.36 * self.cell.x).min(0.66 * self.cell.y).clamp(8.0, 13.0));
        for (i, value) in self.values.iter().enumerate() {
            let Some(value) = *value else { continue };
            let color = self.scale.color(value);
            painter.rect_filled(place(i), 0.0, color);
            if self.cell.x >= LEAST {
                painter.text(place(i).center(), Align2::CENTER_CENTER, short(value), font.clone(), ink_on(color));
            }
        }
        painter.rect_stroke(rect, 0.0, ui.visuals().widgets.noninteractive.bg_stroke, StrokeKind::Outside);
        if let Some(marked) = self.marked {
            mark(ui, place(marked));
        }
        if response.has_focus() {
            painter.rect_stroke(rect, 0.0, ui.visuals().selection.stroke, StrokeKind::Outside);
        }
        response
    }
}

/// A line around a place that is seen on any colour.
pub fn mark(ui: &Ui, rect: eframe::egui::Rect) {
    ui.painter().rect_stroke(rect, 0.0, Stroke::new(3.5, Color32::BLACK), StrokeKind::Outside);
    ui.painter().rect_stroke(rect, 0.0, Stroke::new(1.8, Color32::WHITE), StrokeKind::Outside);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_scale_and_its_words_say_so() {
        assert_eq!(Scale::Image.color(0.5), Color32::from_gray(128));
        assert_eq!(
            [Scale::Grey(2.0, 4.0).color(2.0), Scale::Grey(2.0, 4.0).color(4.0)],
            [Color32::BLACK, Color32::WHITE]
        );
        assert_eq!(Scale::Grey(2.0, 2.0).color(2.0), Color32::BLACK);
        assert_eq!(Scale::Signed(0.5).color(0.5), map_color(1.0));
        assert_eq!(Scale::Signed(0.0).color(0.0), map_color(0.0));
        assert_eq!(Scale::Grey(-0.5, 2.0).words(), "\u{2212}0.5000 is black, 2.000 is white");
        assert_eq!([ink_on(Color32::BLACK), ink_on(Color32::WHITE)], [Color32::WHITE, Color32::BLACK]);
    }
}
