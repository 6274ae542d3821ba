//! The hospital's card: the patient's image, its gradient map and its disguise; the pencil.

use eframe::egui::{Align, Button, Label, Layout, RichText, Stroke, StrokeKind, TextureHandle, Ui, vec2};

use super::maps::sent_ui;
use super::pad::{PadView, stroke_ui};
use super::plan::{BAND, Sizes};
use super::{Pane, Views, large_ui};
use crate::app::formula::lit::picture_ui;
use crate::app::showing::Source;
use crate::app::theme::Role;
use crate::app::{Act, Look, Purpose};
use crate::live::Shown;
use crate::method::Ink;

/// Said of the built-in brain planes wherever one is shown.
const STAND_IN: &str = "stand-in: average of 152 adults, no patient";
const STAYS: &str = "Only what the hospital's layers make of it crosses the wire.";

/// What the large picture is.
pub(super) fn caption(look: Look<'_>) -> String {
    match (is_own(look), look.drawing) {
        (true, true) => "draw here".to_owned(),
        (true, false) => "your image".to_owned(),
        (false, _) => look.noun().one.to_owned(),
    }
}

fn is_own(look: Look<'_>) -> bool {
    matches!(look.showing.image, Shown::Own(_)) && look.showing.source != Source::Run
}

pub(super) fn hospital_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, views: &mut Views<'_>, acts: &mut Vec<Act>) {
    let Some(original) = &look.textures.original else {
        ui.label("An image appears here. It never leaves the hospital.");
        return;
    };
    let own = is_own(look);
    let brain = look.showing.facts.as_ref().is_some_and(|facts| facts.data == "brainmri") && !own;
    let pad = &mut *views.pad;
    ui.horizontal_top(|ui| {
        let stays = format!("The {} never leaves the hospital.", if own { "image" } else { look.noun().one });
        let tip = if brain { STAND_IN } else { &stays };
        let response = large_ui(ui, original, sizes.big, &format!("{}: {tip}", caption(look)));
        let line = Stroke::new(1.5, Role::Patient.color(ui));
        ui.painter().rect_stroke(response.rect, 0.0, line, StrokeKind::Outside);
        picture_ui(ui, &response, Ink::Patient);
        stroke_ui(ui, &response, look, pad, acts);
        response.on_hover_text(tip);
        if let Some(sent) = look.textures.sent.as_ref().filter(|_| look.textures.map.is_some() && sizes.small > 0.0) {
            ui.vertical(|ui| {
                sent_ui(ui, look, sizes, views.maps);
                disguise_ui(ui, sent, sizes.small);
            });
        }
    });
    let size = vec2(ui.available_width(), BAND);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().item_spacing.y = 0.0;
        which_ui(ui, look, own || pad.drawing);
        let (words, tip) = if brain { (STAND_IN, STAND_IN) } else { ("never leaves the hospital", STAYS) };
        ui.add(Label::new(RichText::new(words).small()).truncate()).on_hover_text(tip);
    });
    ui.horizontal_wrapped(|ui| controls_ui(ui, look, pad, own, acts));
}

/// Which image it is, and its class.
fn which_ui(ui: &mut Ui, look: Look<'_>, own: bool) {
    let (Shown::Patient(at), Some(facts)) = (&look.showing.image, &look.showing.facts) else {
        ui.label(if own { "an image of your own" } else { "" });
        return;
    };
    let label = look.showing.scene.as_ref().and_then(|scene| scene.label).map(|label| facts.class(label));
    let class = label.map(|label| format!(", class\u{a0}{label}")).unwrap_or_default();
    let at = if look.showing.source == Source::Run { 0 } else { *at };
    ui.add(Label::new(format!("{} of {}{class}", at + 1, facts.patients)).truncate())
        .on_hover_text("Which test image, and its class. The classes take turns.");
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
    }
}

fn disguise_ui(ui: &mut Ui, sent: &TextureHandle, side: f32) {
    let pane = Pane {
        caption: "disguised",
        tip: "The image with its most telling pixels moved, which is what the hospital's layers see: the paper's \
              attacked image.",
        color: Some(Role::Disguised.color(ui)),
        ink: Some(Ink::Disguised),
    };
    pane.ui(ui, sent, side);
}
