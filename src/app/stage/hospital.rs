//! The hospital's card: the patient's image, its gradient map and its disguise; the pencil.

use eframe::egui::{Button, Label, RichText, TextureHandle, Ui};

use super::maps::sent_ui;
use super::pad::{PadView, stroke_ui};
use super::plan::Sizes;
use super::{Pane, Views};
use crate::app::showing::Source;
use crate::app::theme::Role;
use crate::app::{Act, Look, Purpose};
use crate::live::Shown;

/// Said of the built-in brain planes wherever one is shown.
const STAND_IN: &str = "stand-in: average of 152 adults, no patient";

pub(super) fn hospital_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, views: &mut Views<'_>, acts: &mut Vec<Act>) {
    let Some(original) = &look.textures.original else {
        ui.label("An image appears here. It never leaves the hospital.");
        return;
    };
    let noun = look.noun();
    let own = matches!(look.showing.image, Shown::Own(_)) && look.showing.source != Source::Run;
    let pad = &mut *views.pad;
    ui.horizontal_top(|ui| {
        let brain = look.showing.facts.as_ref().is_some_and(|facts| facts.data == "brainmri") && !own;
        let stays = format!("The {} never leaves the hospital.", if own { "image" } else { noun.one });
        let original_pane = Pane {
            caption: match (own, pad.drawing && pad.strokes.is_empty()) {
                (true, true) => "draw here",
                (true, false) => "your image",
                (false, _) => noun.one,
            },
            tip: if brain { STAND_IN } else { &stays },
            color: Some(Role::Patient.color(ui)),
        };
        let response = original_pane.ui(ui, original, sizes.big);
        stroke_ui(ui, &response, look, pad, acts);
        ui.vertical(|ui| {
            ui.set_width(sizes.side);
            if let Some(sent) = look.textures.sent.as_ref().filter(|_| look.textures.map.is_some()) {
                sent_ui(ui, look, sizes, views.maps);
                disguise_ui(ui, sent, sizes.small);
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
    ui.horizontal_wrapped(|ui| controls_ui(ui, look, pad, own, acts));
}

fn controls_ui(ui: &mut Ui, look: Look<'_>, pad: &mut PadView, own: bool, acts: &mut Vec<Act>) {
    let noun = look.noun();
    if pad.drawing {
        if ui.button("Clear").on_hover_text("An empty pad").clicked() {
            pad.clear(look, acts);
        }
        let undo = ui.add_enabled(!pad.strokes.is_empty(), Button::new("Undo stroke"));
        if undo.on_hover_text("Take the last stroke back").on_disabled_hover_text("No stroke yet").clicked() {
            pad.undo(acts);
        }
    } else {
        if ui.button("\u{2039}").on_hover_text(format!("Previous {}", noun.one)).clicked() {
            acts.push(Act::Patient(-1));
        }
        if ui.button("\u{203a}").on_hover_text(format!("Next {}", noun.one)).clicked() {
            acts.push(Act::Patient(1));
        }
        let tip = "Draw an image of your own: the attacker's picture follows each stroke";
        if ui.button("Draw").on_hover_text(tip).clicked() {
            pad.clear(look, acts);
        }
        if ui.button("Open\u{2026}").on_hover_text("Put an image of your own in its place").clicked() {
            acts.push(Act::Ask(Purpose::Image));
        }
    }
    if own || pad.drawing {
        let tip = format!("Back to the {}", noun.many);
        if ui.button(noun.title()).on_hover_text(tip).clicked() {
            *pad = PadView::default();
            acts.push(Act::Patients);
        }
        return;
    }
    if let (Shown::Patient(at), Some(facts)) = (&look.showing.image, &look.showing.facts) {
        let label = look.showing.scene.as_ref().and_then(|scene| scene.label).map(|label| facts.class(label));
        let class = label.map(|label| format!(", class\u{a0}{label}")).unwrap_or_default();
        let at = if look.showing.source == Source::Run { 0 } else { *at };
        ui.label(format!("{} of {}{class}", at + 1, facts.patients))
            .on_hover_text("Which test image, and its class. The classes take turns.");
    }
}

fn disguise_ui(ui: &mut Ui, sent: &TextureHandle, side: f32) {
    let pane = Pane {
        caption: "disguised",
        tip: "The image with its most telling pixels moved, which is what the hospital's layers see: the paper's \
              attacked image.",
        color: Some(Role::Disguised.color(ui)),
    };
    pane.ui(ui, sent, side);
}
