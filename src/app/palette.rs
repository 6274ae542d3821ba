//! Over the panes: every command, preset, lesson, setting and run, found by typing a few letters of it.
//!
//! What can be found is a list of [`Entry`]s, whoever makes them.

mod entries;
mod search;
#[cfg(test)]
mod tests;

use std::ops::Range;

use eframe::egui::text::LayoutJob;
use eframe::egui::{
    Align, Align2, Button, Color32, Context, Id, Key, Modal, Modifiers, RichText, ScrollArea, Stroke, TextEdit,
    TextFormat, TextStyle, Ui, WidgetInfo, vec2,
};

use self::entries::{Entry, entries};
use self::search::{Found, found};
use super::command::why_not;
use super::theme::cut_short_ui;
use super::{Act, Look};
use crate::texts::say;

/// What is typed in it.
#[derive(Debug, Default)]
pub struct PaletteView {
    query: String,
    items: Vec<Entry>,
    /// Of which list of runs, and how many.
    runs: Option<(u64, usize)>,
    found: Vec<Found>,
    /// What was looked for.
    of: Option<String>,
    chosen: usize,
    /// The chosen one was moved to and may be out of sight.
    moved: bool,
    opened: bool,
}

/// Draws it. False where it is closed.
pub fn palette_ui(ctx: &Context, look: Look<'_>, view: &mut PaletteView, acts: &mut Vec<Act>) -> bool {
    view.prepare(ctx, look);
    let mut done = false;
    let screen = ctx.content_rect();
    let area = Modal::default_area(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 60.0));
    let modal = Modal::new(Id::unique("palette")).area(area).show(ctx, |ui| {
        ui.set_width((screen.width() - 60.0).min(560.0));
        let enter = keys(ui, view);
        let field = TextEdit::singleline(&mut view.query).desired_width(f32::INFINITY);
        let field = ui
            .add(field.hint_text(t!("A command, a lesson, a setting or a run")))
            .accessible_name(t!("Search commands"));
        if !std::mem::replace(&mut view.opened, true) {
            field.request_focus();
        }
        if field.changed() {
            view.look();
        }
        ui.add_space(4.0);
        let clicked = list_ui(ui, look, view, (screen.height() - 230.0).clamp(120.0, 380.0));
        let chosen = clicked.or(enter.then_some(view.chosen));
        if let Some(item) = chosen.and_then(|at| view.found.get(at)).map(|found| &view.items[found.item])
            && why_not(&item.act, &look).is_none()
        {
            acts.push(item.act.clone());
            done = true;
        }
        ui.separator();
        about_ui(ui, look, view);
    });
    !done && !modal.should_close()
}

/// Up and down, before the field takes them. True for Enter.
fn keys(ui: &Ui, view: &mut PaletteView) -> bool {
    let last = view.found.len().saturating_sub(1);
    ui.input_mut(|input| {
        for (key, by) in [(Key::ArrowDown, 1), (Key::ArrowUp, -1), (Key::PageDown, 8), (Key::PageUp, -8)] {
            if input.consume_key(Modifiers::NONE, key) {
                view.chosen = view.chosen.saturating_add_signed(by).min(last);
                view.moved = true;
            }
        }
        input.consume_key(Modifiers::NONE, Key::Enter)
    })
}

/// What was found. The place of the one that was clicked.
fn list_ui(ui: &mut Ui, look: Look<'_>, view: &mut PaletteView, height: f32) -> Option<usize> {
    let mut clicked = None;
    if view.found.is_empty() {
        ui.label(t!("Nothing is called \u{201c}{query}\u{201d}.", query = view.query.trim()));
        return None;
    }
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let mut group = "";
        for (i, found) in view.found.iter().enumerate() {
            let item = &view.items[found.item];
            if std::mem::replace(&mut group, item.group) != item.group {
                ui.add_space(if i == 0 { 0.0 } else { 5.0 });
                ui.label(RichText::new(say(item.group)).small().weak());
            }
            let why = why_not(&item.act, &look);
            let chosen = i == view.chosen;
            let words = emphasised(ui, &item.words, &found.letters);
            let button = Button::selectable(chosen, words).truncate().shortcut_text(&item.beside);
            let response = ui.add_enabled(why.is_none(), button.min_size(vec2(ui.available_width(), 24.0)));
            response
                .widget_info(|| WidgetInfo::selected(eframe::egui::Role::Button, why.is_none(), chosen, &item.words));
            if chosen && std::mem::take(&mut view.moved) {
                response.scroll_to_me(None);
            }
            if response.on_hover_text(&item.help).on_disabled_hover_text(why.unwrap_or_default()).clicked() {
                clicked = Some(i);
            }
        }
    });
    clicked
}

/// What the chosen one does, or why it cannot be done.
fn about_ui(ui: &mut Ui, look: Look<'_>, view: &PaletteView) {
    let item = view.found.get(view.chosen).map(|found| &view.items[found.item]);
    let text = match item {
        Some(item) => match why_not(&item.act, &look) {
            Some(why) => format!("{why}."),
            None => item.help.clone(),
        },
        None => t!("Try fewer letters. Up and Down choose, Enter does it, Escape closes.").to_owned(),
    };
    cut_short_ui(ui, RichText::new(&text).weak(), &text);
}

/// The words, with a line below the letters that match.
fn emphasised(ui: &Ui, words: &str, letters: &[u32]) -> LayoutJob {
    let line = Stroke::new(1.5, ui.visuals().text_color());
    let format = |matches: bool| TextFormat {
        font_id: TextStyle::Button.resolve(ui.style()),
        // The button's own.
        color: Color32::PLACEHOLDER,
        underline: if matches { line } else { Stroke::NONE },
        valign: Align::Center,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    for (range, matches) in parts(words, letters) {
        job.append(&words[range], 0.0, format(matches));
    }
    job
}

/// Runs of letters that match, and of those that do not.
fn parts(words: &str, letters: &[u32]) -> Vec<(Range<usize>, bool)> {
    let mut parts: Vec<(Range<usize>, bool)> = Vec::new();
    for (i, (at, c)) in words.char_indices().enumerate() {
        let matches = letters.contains(&(i as u32));
        match parts.last_mut() {
            Some((range, before)) if *before == matches => range.end = at + c.len_utf8(),
            _ => parts.push((at..at + c.len_utf8(), matches)),
        }
    }
    parts
}

impl PaletteView {
    /// Makes the list where it is new or runs have come.
    fn prepare(&mut self, ctx: &Context, look: Look<'_>) {
        let runs = Some((look.library.generation, look.library.runs.len()));
        if self.runs != runs {
            self.runs = runs;
            self.items = entries(ctx, look);
            self.look();
        }
    }

    /// Looks for what is typed.
    fn look(&mut self) {
        if self.of.as_ref() != Some(&self.query) {
            self.chosen = 0;
            self.of = Some(self.query.clone());
        }
        self.found = found(&self.items, &self.query);
        self.chosen = self.chosen.min(self.found.len().saturating_sub(1));
        self.moved = true;
    }
}
