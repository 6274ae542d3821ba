//! Which class was taken for which, drawn: a row of the grid for each class, a column for what its images were taken for.

use std::f32::consts::FRAC_PI_2;

use eframe::egui::epaint::TextShape;
use eframe::egui::{
    Align2, Color32, FontId, Label, Rect, RichText, Role, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2,
    vec2,
};

use super::set::Set;
use crate::app::theme::shade;
use crate::app::words::{decimal, row};
use crate::run::summary::Row;

/// Letters of a class's name that there is room for.
const LETTERS: usize = 16;
/// So wide the columns may be together for names to lie above them, else they stand; and the words below at least.
const WIDE: f32 = 420.0;
/// Between names and grid, and around a number.
const GAP: f32 = 6.0;

/// What the grid is laid out by.
struct Plan {
    /// Names as they are drawn.
    names: Vec<String>,
    /// Width of a column and height of a row.
    cell: [f32; 2],
    /// Room for the names on the left and above.
    margin: [f32; 2],
    /// Whether the names above stand upright.
    upright: bool,
    font: FontId,
}

/// Draws the answers of a row, class by class; nothing where they are not known.
pub(super) fn confusion_ui(ui: &mut Ui, one: &Row, set: Set<'_>) {
    let Some(counts) = one.confusion.as_deref().filter(|counts| !counts.is_empty()) else { return };
    ui.label(RichText::new(t!("Which class was taken for which: {row}", row = row(&one.name).0)).strong());
    let plan = Plan::of(ui, counts, set);
    let [margin, cell] = [plan.margin, plan.cell].map(|size| vec2(size[0], size[1]));
    let (all, _) = ui.allocate_exact_size(margin + cell * counts.len() as f32, Sense::hover());
    plan.names_ui(ui, all);
    for (class, of_class) in counts.iter().enumerate() {
        for (other, count) in of_class.iter().enumerate() {
            let at = all.min + margin + vec2(cell.x * other as f32, cell.y * class as f32);
            let total = of_class.iter().sum();
            let words = cell_words(*count, total, &set.class(class), &set.class(other));
            let one = Cell { class, other, count: *count, total };
            one.show(ui, Rect::from_min_size(at, cell), &plan.font, words);
        }
    }
    let legend =
        t!("A row for each class, a column for what its images were taken for; outlined are the right answers. The \
         stronger the shade, the larger its share of the row.");
    ui.scope(|ui| {
        ui.set_max_width(all.width().max(WIDE));
        ui.add(Label::new(RichText::new(legend).weak()).wrap());
    });
}

impl Plan {
    fn of(ui: &Ui, counts: &[Vec<usize>], set: Set<'_>) -> Self {
        let font = TextStyle::Body.resolve(ui.style());
        let size = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size();
        let names: Vec<String> = (0..counts.len()).map(|class| short(&set.class(class))).collect();
        let longest = names.iter().map(|name| size(name).x).fold(0.0, f32::max);
        let most = counts.iter().flatten().max().copied().unwrap_or(0);
        let number = size(&most.to_string());
        let height = number.y + GAP;
        let narrow = (number.x + 2.0 * GAP).max(height);
        let lying = narrow.max(longest + 2.0 * GAP);
        let upright = lying * counts.len() as f32 > WIDE && longest + 2.0 * GAP > narrow;
        let cell = [if upright { narrow } else { lying }, height];
        let margin = [longest + GAP, if upright { longest + GAP } else { height }];
        Self { names, cell, margin, upright, font }
    }

    fn names_ui(&self, ui: &Ui, all: Rect) {
        let (painter, color) = (ui.painter(), ui.visuals().text_color());
        let [left, top] = self.margin;
        for (i, name) in self.names.iter().enumerate() {
            let y = all.top() + top + self.cell[1] * (i as f32 + 0.5);
            let right = pos2(all.left() + left - GAP, y);
            painter.text(right, Align2::RIGHT_CENTER, name, self.font.clone(), color);
            let above = pos2(all.left() + left + self.cell[0] * (i as f32 + 0.5), all.top() + top - 0.5 * GAP);
            if self.upright {
                let galley = painter.layout_no_wrap(name.clone(), self.font.clone(), color);
                let at = above - vec2(0.5 * galley.size().y, 0.0);
                painter.add(TextShape::new(at, galley, color).with_angle(-FRAC_PI_2));
            } else {
                painter.text(above, Align2::CENTER_BOTTOM, name, self.font.clone(), color);
            }
        }
    }
}

/// A class's name where there is little room. Names often differ at their ends, so the middle gives way.
fn short(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LETTERS {
        return name.to_owned();
    }
    let (first, last) = (LETTERS / 2, LETTERS - LETTERS / 2 - 1);
    letters[..first].iter().chain(&['\u{2026}']).chain(&letters[letters.len() - last..]).collect()
}

/// What a cell says to who cannot see it, and to who points at it.
fn cell_words(count: usize, total: usize, class: &str, other: &str) -> [String; 2] {
    let words = t!("{count} of class {class} taken for {other}", count, class, other);
    let share = if total == 0 { 0.0 } else { 100.0 * count as f64 / total as f64 };
    let more = t!("{words}: {share} % of its {total}", words, share = decimal(share, 1), total);
    [words, more]
}

/// So many of a class's images were taken for a class.
struct Cell {
    class: usize,
    other: usize,
    count: usize,
    total: usize,
}

impl Cell {
    fn show(self, ui: &Ui, rect: Rect, font: &FontId, words: [String; 2]) {
        let [words, more] = words;
        let response = ui.interact(rect, ui.scope_id().with(("confusion", self.class, self.other)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
        let share = if self.total == 0 { 0.0 } else { self.count as f32 / self.total as f32 };
        let ((ground, ink), inner) = (shade(ui, share), rect.shrink(1.0));
        ui.painter().rect_filled(inner, 2.0, ground);
        if self.class == self.other {
            let line = Stroke::new(1.5, ui.visuals().strong_text_color());
            ui.painter().rect_stroke(inner, 2.0, line, StrokeKind::Inside);
        }
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, self.count.to_string(), font.clone(), ink);
        response.on_hover_text(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_what_it_counts() {
        let words = cell_words(3, 41, "malignant", "benign");
        assert_eq!(
            words,
            ["3 of class malignant taken for benign", "3 of class malignant taken for benign: 7.3 % of its 41"]
        );
        assert!(cell_words(0, 0, "a", "b")[1].ends_with("0.0 % of its 0"));
    }

    #[test]
    fn the_middle_of_a_long_name_gives_way() {
        assert_eq!(short("adipose tissue b"), "adipose tissue b");
        assert_eq!(short("cancer-associated stroma"), "cancer-a\u{2026} stroma");
    }
}
