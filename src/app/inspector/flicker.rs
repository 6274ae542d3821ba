//! Flicker: the original and the stolen image in turn at the same place, so that what differs moves.

use std::time::Duration;

use eframe::egui::{Context, Ui};

use crate::app::choice::selectable_ui;
use crate::app::subject::{Subject, Which};

/// Seconds of each: well below three flashes a second, which can harm people.
const EACH: f64 = 0.6;

/// Since when, in seconds of the window's clock; none where it is off.
#[derive(Default)]
pub struct Flicker(Option<f64>);

impl Flicker {
    /// What is to be seen now in the place of `subject`; none where it is off.
    pub fn now(&mut self, ctx: &Context, subject: Subject) -> Option<Subject> {
        let (since, both) = (self.0?, pair(subject)?);
        let passed = (ctx.input(|input| input.time) - since).max(0.0) / EACH;
        ctx.request_repaint_after(Duration::from_secs_f64(EACH * (1.0 - passed.fract()) + 0.001));
        Some(both[passed as usize % 2])
    }

    /// Ends it.
    pub fn end(&mut self) {
        self.0 = None;
    }
}

/// The switch, beside a picture that has a counterpart.
pub fn flicker_ui(ui: &mut Ui, subject: Subject, flicker: &mut Flicker) {
    if pair(subject).is_none() {
        return;
    }
    let tip = t!("The original and the stolen image in turn, at the same place: what differs moves");
    if selectable_ui(ui, flicker.0.is_some(), t!("Flicker")).on_hover_text(tip).clicked() {
        flicker.0 = if flicker.0.is_some() { None } else { Some(ui.input(|input| input.time)) };
    }
}

/// The original and what was stolen of it.
fn pair(subject: Subject) -> Option<[Subject; 2]> {
    match subject {
        Subject::Original | Subject::Stolen | Subject::Error => Some([Subject::Original, Subject::Stolen]),
        Subject::Kept(gallery, image, _) => {
            Some([Which::Original, Which::Stolen].map(|which| Subject::Kept(gallery, image, which)))
        }
        _ => None,
    }
}
