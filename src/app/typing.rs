//! What is being typed: whose Undo is meant, the field's own or the document's.

use eframe::egui::output::OutputEvent;
use eframe::egui::text_edit::TextEditState;
use eframe::egui::{Context, Id};

/// The text field that has the keyboard, and whether anything was typed in it since.
#[derive(Debug, Default)]
pub struct Typing {
    field: Option<Id>,
    /// Its text before the first change; none where there was no change.
    before: Option<String>,
    /// Whether its text is another one now.
    changed: bool,
}

impl Typing {
    /// Takes in what the fields told in this frame; to be called once all of it is drawn.
    pub fn watch(&mut self, ctx: &Context) {
        let field = ctx.memory(eframe::egui::Memory::focused).filter(|id| TextEditState::load(ctx, *id).is_some());
        if field != self.field {
            *self = Self { field, ..Self::default() };
        }
        if field.is_none() {
            return;
        }
        ctx.output(|output| {
            for event in &output.events {
                // Of a change only; a text that was put there by the program is none.
                if let OutputEvent::ValueChanged(info) = event
                    && let Some(now) = &info.current_text_value
                    && let Some(prev) = &info.prev_text_value
                {
                    self.changed = self.before.get_or_insert_with(|| prev.clone()) != now;
                }
            }
        });
    }

    /// Whether a text field has the keyboard.
    pub fn in_field(&self) -> bool {
        self.field.is_some()
    }

    /// Whether Undo is the field's: something was typed that it can take back.
    pub fn takes_undo(&self) -> bool {
        self.changed
    }

    /// Whether Redo is the field's: something was typed, be it taken back meanwhile.
    pub fn takes_redo(&self) -> bool {
        self.before.is_some()
    }
}
