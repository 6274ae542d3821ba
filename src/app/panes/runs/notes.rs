//! A run's notes: a field that keeps itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::{ScrollArea, TextEdit, TextStyle, Ui};

use crate::app::RunEntry;
use crate::run::notes::MOST;

/// So long after the last letter the text is kept.
const PAUSE: Duration = Duration::from_millis(800);
/// Lines that are seen at once, at most.
const LINES: usize = 4;

/// What is typed.
#[derive(Debug, Default)]
pub struct NotesView {
    /// The run that it is about.
    of: Option<PathBuf>,
    text: String,
    /// As it was given to be kept last.
    kept: String,
    /// As the list had it last.
    listed: String,
    typed: Option<Instant>,
    /// Typed about another run, and not kept yet.
    before: Option<(PathBuf, String)>,
}

impl NotesView {
    /// What is to be kept now.
    pub fn due(&mut self, at_once: bool) -> Option<(PathBuf, String)> {
        if self.before.is_some() {
            return self.before.take();
        }
        let typed = self.typed?;
        if !at_once && typed.elapsed() < PAUSE {
            return None;
        }
        self.typed = None;
        if self.text == self.kept {
            return None;
        }
        self.kept.clone_from(&self.text);
        Some((self.of.clone()?, self.text.clone()))
    }

    /// A run's folder has another name, or is gone.
    pub fn moved(&mut self, from: &Path, to: Option<&PathBuf>) {
        if self.of.as_deref() == Some(from) {
            self.of = to.cloned();
            if to.is_none() {
                *self = Self::default();
            }
        }
    }

    /// Shows a run's notes, or what has become of them elsewhere, where nobody types.
    fn show(&mut self, run: &RunEntry, focused: bool) {
        let listed = &run.notes.text;
        if self.of.as_ref() != Some(&run.path) {
            let before = self.due(true);
            *self = Self { of: Some(run.path.clone()), before, ..Self::default() };
        } else if self.listed == *listed || focused || self.text != self.kept {
            return;
        }
        for text in [&mut self.text, &mut self.kept, &mut self.listed] {
            text.clone_from(listed);
        }
    }
}

/// Draws the field.
pub fn notes_ui(ui: &mut Ui, run: &RunEntry, view: &mut NotesView) {
    let id = ui.make_persistent_id("notes").with(&run.path);
    view.show(run, ui.memory(|memory| memory.has_focus(id)));
    ui.horizontal_top(|ui| {
        let label = ui.label(t!("Notes"));
        let line = ui.text_style_height(&TextStyle::Body);
        let area = ScrollArea::vertical().id_salt("notes").auto_shrink([false, true]);
        area.max_height(LINES as f32 * line + 10.0).show(ui, |ui| {
            let hint = if run.notes.shut.is_some() { t!("none") } else { t!("what it was for, what it showed") };
            let field = TextEdit::multiline(&mut view.text).id(id).desired_rows(1).hint_text(hint);
            let field = field.desired_width(ui.available_width() - 14.0).char_limit(MOST / 4);
            let field = ui.add_enabled(run.notes.shut.is_none(), field).labelled_by(label.id);
            if field.changed() {
                view.typed = Some(Instant::now());
                ui.ctx().request_repaint_after(PAUSE);
            }
            if field.lost_focus() && view.typed.is_some() {
                // Nobody types any more.
                view.typed = Some(Instant::now().checked_sub(PAUSE).unwrap_or_else(Instant::now));
                ui.ctx().request_repaint();
            }
            field
                .on_hover_text(t!(
                    "Kept in the run's folder as notes.md a moment after the last letter; reports show them."
                ))
                .on_disabled_hover_text(run.notes.shut.as_deref().unwrap_or_default());
        });
    });
}
