//! What was found of a set, drawn: facts, classes, notes and warnings.

use eframe::egui::{CollapsingHeader, Grid, Label, RichText, ScrollArea, Sense, Ui, vec2};

use super::reading::Seen;
use crate::app::theme::warning_ui;
use crate::texts::say;

/// Classes and files that are listed; of more the first.
const LISTED: usize = 200;

/// What they are.
pub fn facts_ui(ui: &mut Ui, seen: &Seen) {
    ui.add(Label::new(RichText::new(&seen.about).weak()).wrap());
    let [train, validation, test] = seen.images;
    let [c, h, w] = seen.shape;
    let colour = if c == 3 { t!("in colour") } else { t!("grey") };
    let all = train + validation + test;
    let words = if all == 1 {
        t!("One image of {h} × {w}, {colour}", h, w, colour)
    } else {
        t!(
            "{all} images of {h} × {w}, {colour}: {train} for training, {validation} for validation, {test} for testing",
            all,
            h,
            w,
            colour,
            train,
            validation,
            test
        )
    };
    ui.add(Label::new(RichText::new(words).strong()).wrap());
    let patients = seen.described.patients.map(|count| match count {
        1 => t!("Of one patient.").to_owned(),
        _ => t!("Of {count} patients.", count),
    });
    let range = t!("Pixels: {range}.", range = seen.range);
    ui.add(Label::new(format!("{} {range}", patients.unwrap_or_default()).trim()).wrap());
}

/// The classes and how many images each has, as numbers and as bars.
pub fn classes_ui(ui: &mut Ui, seen: &Seen, height: f32) {
    let most = seen.described.counts.iter().map(|all| all.iter().sum::<usize>()).max().unwrap_or(0).max(1);
    ScrollArea::vertical().id_salt("classes").max_height(height).show(ui, |ui| {
        Grid::new("classes").striped(true).spacing([10.0, 2.0]).show(ui, |ui| {
            for heading in [t!("class"), t!("training"), t!("validation"), t!("test"), ""] {
                ui.label(RichText::new(heading).weak());
            }
            ui.end_row();
            for (name, counts) in seen.classes.iter().zip(&seen.described.counts).take(LISTED) {
                class_ui(ui, name);
                for count in counts {
                    ui.label(count.to_string());
                }
                let share = counts.iter().sum::<usize>() as f32 / most as f32;
                let (rect, response) = ui.allocate_exact_size(vec2(60.0, 10.0), Sense::hover());
                let bar = rect.with_max_x(rect.left() + rect.width() * share);
                ui.painter().rect_filled(bar, 1.0, ui.visuals().widgets.inactive.fg_stroke.color);
                response.on_hover_text(counts.iter().sum::<usize>().to_string());
                ui.end_row();
            }
        });
        if seen.classes.len() > LISTED {
            ui.label(t!("and {count} more classes", count = seen.classes.len() - LISTED));
        }
    });
}

/// A class's name; the whole of a long one on hover.
fn class_ui(ui: &mut Ui, name: &str) {
    /// Letters that there is room for.
    const MOST: usize = 16;
    if name.chars().count() <= MOST {
        ui.label(name);
    } else {
        let short: String = name.chars().take(MOST - 1).collect();
        ui.label(short + "\u{2026}").on_hover_text(name);
    }
}

/// What was found, what may be wrong, and what was left out.
pub fn found_ui(ui: &mut Ui, seen: &Seen) {
    if seen.drawn {
        ui.add(Label::new(t!("Nothing says which images are for what: the parts were drawn.")).wrap());
    }
    for note in &seen.notes {
        ui.add(Label::new(note).wrap());
    }
    for warning in seen.unfit.iter().map(|unfit| say(unfit)).chain(seen.described.warnings.iter().map(String::as_str)) {
        ui.horizontal_wrapped(|ui| {
            warning_ui(ui);
            ui.add(Label::new(RichText::new(warning).strong()).wrap());
        });
    }
    if !seen.skipped.is_empty() {
        let words = t!("{count} left out", count = seen.skipped.len());
        CollapsingHeader::new(words).id_salt("left out").show(ui, |ui| {
            for one in seen.skipped.iter().take(LISTED) {
                ui.add(Label::new(one).wrap());
            }
        });
    }
}
