//! What students are to see of a state that is shared with them.

use eframe::egui::{Checkbox, Context, Id, Label, Modal, RichText};

use super::hidden::{Control, Hidden};
use super::{Act, App, Look};

/// What is to be hidden from those who open the shared state.
#[derive(Debug, Default)]
pub struct ShareView {
    hide: Hidden,
}

/// Draws the choice of what students see. False where it is closed.
pub fn share_ui(ctx: &Context, look: Look<'_>, view: &mut ShareView, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("share for students")).show(ctx, |ui| {
        ui.set_width(420.0);
        ui.heading(t!("Share for students"));
        let words =
            t!("The state that you see, with some of its controls hidden: what students are not to pull, they do not \
                     have to look at. It is no lock: the menu View brings all back.");
        ui.add(Label::new(RichText::new(words)).wrap());
        ui.add_space(6.0);
        ui.label(RichText::new(t!("Students see")).strong());
        for control in Control::ALL {
            let mut seen = !view.hide.has(control);
            if ui.add(Checkbox::new(&mut seen, control.words())).changed() {
                view.hide.switch(control);
            }
        }
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let tip = t!("A text to mail or to put on a slide; Ctrl+V in the window opens it");
            if ui.button(t!("Copy for students")).on_hover_text(tip).clicked() {
                acts.push(Act::Share(view.hide));
                open = false;
            }
            if ui.button(t!("Close")).clicked() {
                open = false;
            }
        });
        if look.hidden.any() {
            ui.weak(t!("Some controls are hidden here too."));
        }
    });
    open && !modal.should_close()
}

impl App {
    /// Copies the state with some controls hidden.
    pub(super) fn share_for_students(&mut self, hide: Hidden, ctx: &Context) -> crate::error::Result<()> {
        let mut shared = self.shared();
        shared.hide = hide.list();
        let text = shared.to_text()?;
        ctx.copy_text(text);
        self.toasts.say(t!("Copied, with what students see"), false);
        Ok(())
    }
}
