//! The log: what happened, line by line, in a drawer below everything, and what is looked for in it.

use std::collections::VecDeque;
use std::time::Duration;

use eframe::egui::text::LayoutJob;
use eframe::egui::{Button, FontSelection, Key, Label, RichText, ScrollArea, TextEdit, TextFormat, TextStyle, Ui};

use super::words::clock;
use super::{Act, Copied, Look};
use crate::texts::say;

/// How lines begin that tell of something wrong.
const WRONG: [&str; 3] = [later!("Warning: "), later!("Failed: "), later!("Error: ")];

/// What is looked for.
#[derive(Debug, Default)]
pub struct LogView {
    wanted: String,
    /// Only warnings and errors.
    wrong_alone: bool,
    /// The field wants the keyboard.
    wants_focus: bool,
    /// Places of the lines that are shown, of what log.
    found: Vec<usize>,
    of: Option<Of>,
}

/// Of a log of so many lines with this last one: what was looked for, and whether only among warnings.
type Of = (usize, Option<(Duration, String)>, String, bool);

impl LogView {
    /// The field is to get the keyboard.
    pub(super) fn find(&mut self) {
        self.wants_focus = true;
    }

    fn looks(&self) -> bool {
        self.wrong_alone || !self.wanted.trim().is_empty()
    }

    /// Looks anew where the log or what is wanted has changed.
    fn update(&mut self, log: &VecDeque<(Duration, String)>) {
        let same = self.of.as_ref().is_some_and(|(count, last, wanted, wrong_alone)| {
            *count == log.len()
                && last.as_ref() == log.back()
                && *wanted == self.wanted
                && *wrong_alone == self.wrong_alone
        });
        if !same {
            self.found = found(log, self.wanted.trim(), self.wrong_alone);
            self.of = Some((log.len(), log.back().cloned(), self.wanted.clone(), self.wrong_alone));
        }
    }
}

/// Places of the lines that hold what is wanted, whatever the letters' size.
fn found(log: &VecDeque<(Duration, String)>, wanted: &str, wrong_alone: bool) -> Vec<usize> {
    // Lines from before another language was chosen are English, if they are of none but these two.
    let wrong = |text: &str| WRONG.iter().any(|words| text.starts_with(words) || text.starts_with(say(words)));
    let fits = |(_, text): &(Duration, String)| {
        (!wrong_alone || wrong(text)) && (wanted.is_empty() || !hits(text, wanted).is_empty())
    };
    (0..log.len()).filter(|at| fits(&log[*at])).collect()
}

/// Where in a line what is wanted stands, in bytes.
fn hits(text: &str, wanted: &str) -> Vec<(usize, usize)> {
    let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    // A letter's small form may be several, each at the same place.
    let letters: Vec<(char, usize, usize)> = text
        .char_indices()
        .flat_map(|(at, letter)| letter.to_lowercase().map(move |small| (small, at, at + letter.len_utf8())))
        .collect();
    let mut hits = Vec::new();
    let mut at = 0;
    while at + wanted.len() <= letters.len() {
        let here = &letters[at..at + wanted.len()];
        if here.iter().map(|letter| letter.0).eq(wanted.iter().copied()) {
            hits.push((here[0].1, here[here.len() - 1].2));
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    hits
}

/// Draws the log.
pub fn log_ui(ui: &mut Ui, look: Look<'_>, view: &mut LogView, acts: &mut Vec<Act>) {
    let log = &look.state.log;
    view.update(log);
    ui.horizontal_wrapped(|ui| head_ui(ui, look, view, acts));
    // What was typed in this frame.
    view.update(log);
    if log.is_empty() {
        ui.label(t!("What happens in a run is told here, line by line."));
        return;
    }
    if view.found.is_empty() {
        let what = if view.wanted.trim().is_empty() {
            t!("is a warning").to_owned()
        } else {
            t!("has \u{201c}{wanted}\u{201d}", wanted = view.wanted.trim())
        };
        ui.label(t!("No line {what}.", what));
        return;
    }
    let wanted = view.wanted.trim();
    ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
        for (at, text) in view.found.iter().filter_map(|at| log.get(*at)) {
            ui.horizontal_top(|ui| {
                ui.weak(clock(at.as_secs_f64()));
                let label = if wanted.is_empty() { Label::new(text) } else { Label::new(marked(ui, text, wanted)) };
                ui.add(label.wrap());
            });
        }
    });
}

/// What is looked for, and what can be done with the lines.
fn head_ui(ui: &mut Ui, look: Look<'_>, view: &mut LogView, acts: &mut Vec<Act>) {
    let log = &look.state.log;
    ui.label(RichText::new(t!("Log")).strong());
    let field = TextEdit::singleline(&mut view.wanted).desired_width(170.0).hint_text(t!("Find in the log"));
    let field = ui.add(field).accessible_name(t!("Find in the log"));
    let field = field
        .on_hover_text(t!("Shows the lines that hold it, large letters like small ones. Ctrl+F; Esc shows all again"));
    if std::mem::take(&mut view.wants_focus) {
        field.request_focus();
    }
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
        view.wanted.clear();
    }
    ui.checkbox(&mut view.wrong_alone, t!("Warnings only"))
        .on_hover_text(t!("Warnings and errors, and no other lines"));
    if view.looks() {
        ui.label(match (view.found.len(), log.len()) {
            (found, 1) => t!("{found} of 1 line", found),
            (found, all) => t!("{found} of {all} lines", found, all),
        });
        let copy = ui.add_enabled(!view.found.is_empty(), Button::new(t!("Copy these lines")));
        if copy.on_hover_text(t!("The lines below, as a text")).clicked() {
            let lines = view.found.iter().filter_map(|at| log.get(*at));
            let lines: Vec<String> = lines.map(|(at, text)| format!("{} {text}\n", clock(at.as_secs_f64()))).collect();
            acts.push(Act::Copy(lines.concat()));
        }
    }
    let copy = ui.add_enabled(!log.is_empty(), Button::new(Copied::Log.words()));
    if copy.on_hover_text(Copied::Log.help()).on_disabled_hover_text(t!("Nothing has happened yet")).clicked() {
        acts.push(Act::CopyAs(Copied::Log));
    }
    if ui.button(t!("Close log")).on_hover_text(t!("Put the log away; View, Log brings it back")).clicked() {
        acts.push(Act::Log);
    }
}

/// A line with what is wanted marked by its ground.
fn marked(ui: &Ui, text: &str, wanted: &str) -> LayoutJob {
    let plain = TextFormat {
        font_id: FontSelection::from(TextStyle::Body).resolve(ui.style()),
        color: ui.visuals().text_color(),
        ..TextFormat::default()
    };
    let selection = ui.visuals().selection;
    let mark = TextFormat { background: selection.bg_fill, color: selection.stroke.color, ..plain.clone() };
    let mut job = LayoutJob::default();
    let mut at = 0;
    for (from, to) in hits(text, wanted) {
        job.append(&text[at..from], 0.0, plain.clone());
        job.append(&text[from..to], 0.0, mark.clone());
        at = to;
    }
    job.append(&text[at..], 0.0, plain);
    job
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::app::test_look::Shop;

    #[test]
    fn what_is_looked_for_is_found_whatever_its_letters() {
        assert_eq!(hits("Epoch 1, epoch 2", "EPOCH"), [(0, 5), (9, 14)]);
        assert_eq!(hits("aaa", "aa"), [(0, 2)]);
        assert_eq!(hits("ÄRGER \u{0130}x", "ärg"), [(0, 4)]);
        assert_eq!(hits("\u{0130}x", "x"), [(2, 3)], "a letter whose small form is two");
        assert!(hits("short", "longer than it").is_empty() && hits("x", "").is_empty());
    }

    #[test]
    fn the_log_is_searched_counted_and_copied() {
        let mut shop = Shop::default();
        for (i, text) in ["Started quick", "Epoch 1 done", "Warning: slow disk", "epoch 2 done"].iter().enumerate() {
            shop.state.say(Duration::from_secs(i as u64), (*text).to_owned());
        }
        let draw = |ui: &mut Ui, (view, acts): &mut (LogView, Vec<Act>)| log_ui(ui, shop.look(), view, acts);
        let mut harness =
            Harness::builder().with_size([1000.0, 300.0]).build_ui_state(draw, (LogView::default(), Vec::new()));
        harness.state_mut().0.find();
        harness.run_steps(3);
        assert!(harness.get_by_label("Find in the log").is_focused());
        assert!(harness.query_by_label("Copy these lines").is_none(), "nothing is looked for");
        harness.get_by_label("Find in the log").type_text("EPOCH");
        harness.run_steps(3);
        harness.get_by_label("2 of 4 lines");
        assert!(harness.query_by_label("Started quick").is_none());
        harness.get_by_label("Epoch 1 done");
        harness.get_by_label("Copy these lines").click();
        harness.run_steps(2);
        assert_eq!(harness.state().1, [Act::Copy("0:01 Epoch 1 done\n0:03 epoch 2 done\n".to_owned())]);
        harness.get_by_label("Warnings only").click();
        harness.run_steps(3);
        harness.get_by_label("No line has “EPOCH”.");
        harness.state_mut().0.wanted.clear();
        harness.run_steps(3);
        harness.get_by_label("1 of 4 lines");
        harness.get_by_label("Warning: slow disk");
    }
}
