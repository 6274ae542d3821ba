//! The hospital's card: the patient's image, its gradient map and its disguise; the pencil.

use eframe::egui::{Button, Label, RichText, TextureHandle, Ui};

use super::pad::{PadView, stroke_ui};
use super::{Pane, Sizes};
use crate::app::showing::Source;
use crate::app::theme::Role;
use crate::app::{Act, Look, Purpose};
use crate::live::Shown;

/// Said of the built-in brain planes wherever one is shown.
const STAND_IN: &str = "stand-in: average of 152 adults, no patient";

pub(super) fn hospital_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, pad: &mut PadView, acts: &mut Vec<Act>) {
    let Some(original) = &look.textures.original else {
        ui.label("A patient's image appears here. It never leaves the hospital.");
        return;
    };
    let own = matches!(look.showing.image, Shown::Own(_)) && look.showing.source != Source::Run;
    ui.horizontal_top(|ui| {
        let brain = look.showing.facts.as_ref().is_some_and(|facts| facts.data == "brainmri") && !own;
        let patient = Pane {
            caption: match (own, pad.drawing && pad.strokes.is_empty()) {
                (true, true) => "draw here",
                (true, false) => "your image",
                (false, _) => "patient",
            },
            tip: if brain { STAND_IN } else { "The patient's image. It never leaves the hospital." },
            color: Some(Role::Patient.color(ui)),
        };
        let response = patient.ui(ui, original, sizes.big);
        stroke_ui(ui, &response, look, pad, acts);
        ui.vertical(|ui| {
            ui.set_width(sizes.side);
            if let (Some(map), Some(sent)) = (&look.textures.map, &look.textures.sent) {
                disguise_ui(ui, map, sent, sizes.small);
            } else {
                ui.add(Label::new("Never leaves the hospital.").wrap());
                ui.add_space(4.0);
                ui.add(Label::new(RichText::new("No disguise: its layers see the image as it is.").weak()).wrap());
            }
            if brain {
                ui.add(Label::new(RichText::new(STAND_IN).small()).wrap());
            }
        });
    });
    ui.horizontal(|ui| controls_ui(ui, look, pad, own, acts));
}

fn controls_ui(ui: &mut Ui, look: Look<'_>, pad: &mut PadView, own: bool, acts: &mut Vec<Act>) {
    if pad.drawing {
        if ui.button("Clear").on_hover_text("An empty pad").clicked() {
            pad.clear(look, acts);
        }
        let undo = ui.add_enabled(!pad.strokes.is_empty(), Button::new("Undo stroke"));
        if undo.on_hover_text("Take the last stroke back").on_disabled_hover_text("No stroke yet").clicked() {
            pad.undo(acts);
        }
    } else {
        if ui.button("\u{2039}").on_hover_text("Previous patient").clicked() {
            acts.push(Act::Patient(-1));
        }
        if ui.button("\u{203a}").on_hover_text("Next patient").clicked() {
            acts.push(Act::Patient(1));
        }
        let tip = "Draw an image of your own: the attacker's picture follows each stroke";
        if ui.button("Draw").on_hover_text(tip).clicked() {
            pad.clear(look, acts);
        }
        if ui.button("Open\u{2026}").on_hover_text("Put an image of your own in the patient's place").clicked() {
            acts.push(Act::Ask(Purpose::Image));
        }
    }
    if own || pad.drawing {
        if ui.button("Patients").on_hover_text("Back to the patients' images").clicked() {
            *pad = PadView::default();
            acts.push(Act::Patients);
        }
        return;
    }
    let facts = look.showing.facts.as_ref().filter(|_| ui.available_width() > 50.0);
    if let (Shown::Patient(at), Some(facts)) = (&look.showing.image, facts) {
        let label = look.showing.scene.as_ref().and_then(|scene| scene.label).map(|label| facts.class(label));
        let class = label.map(|label| format!(", class {label}")).unwrap_or_default();
        let at = if look.showing.source == Source::Run { 0 } else { *at };
        ui.add(Label::new(format!("{} of {}{class}", at + 1, facts.patients)).truncate())
            .on_hover_text("Which test image, and its class. The classes take turns.");
    }
}

fn disguise_ui(ui: &mut Ui, map: &TextureHandle, sent: &TextureHandle, side: f32) {
    let pane = Pane {
        caption: "gradient map",
        tip: "Which pixels matter most for the diagnosis: the paper's saliency map. Blue is below zero, black zero, \
              orange above.",
        color: None,
    };
    pane.ui(ui, map, side);
    let pane = Pane {
        caption: "disguised",
        tip: "The image with its most telling pixels moved, which is what the hospital's layers see: the paper's \
              attacked image.",
        color: Some(Role::Disguised.color(ui)),
    };
    pane.ui(ui, sent, side);
}
