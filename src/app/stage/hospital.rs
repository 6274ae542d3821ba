//! The hospital's card: the patient's image, its gradient map and its disguise; the pencil.

use eframe::egui::{
    Align, Button, CursorIcon, Label, Layout, Rect, RichText, Role as Kind, Sense, Stroke, StrokeKind, TextureHandle,
    Ui, WidgetInfo, vec2,
};

use super::maps::sent_ui;
use super::pad::{PadView, stroke_ui};
use super::plan::{BAND, Sizes};
use super::{CLOSER, Pane, Views, inspected, large_ui};
use crate::app::formula::lit::picture_ui;
use crate::app::hidden::Control;
use crate::app::showing::Source;
use crate::app::subject::Subject;
use crate::app::theme::Role;
use crate::app::words::capitalised;
use crate::app::{Act, Look, Purpose};
use crate::live::Shown;
use crate::method::Ink;
use crate::texts::say;

/// Said of the built-in brain planes wherever one is shown.
const STAND_IN: &str = later!("stand-in: average of 152 adults, no patient");
/// Side of the magnifying glass.
const GLASS: f32 = 20.0;
const STAYS: &str = later!("Only what the hospital's layers make of it crosses the wire.");

/// What the large picture is.
pub(super) fn caption(look: Look<'_>) -> String {
    match (is_own(look), look.drawing) {
        (true, true) => t!("draw here").to_owned(),
        (true, false) => t!("your image").to_owned(),
        (false, _) => say(look.noun().one).to_owned(),
    }
}

/// Whether it is an image of one's own.
pub(super) fn is_own(look: Look<'_>) -> bool {
    matches!(look.showing.image, Shown::Own(_)) && look.showing.source != Source::Run
}

pub(super) fn hospital_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, views: &mut Views<'_>, acts: &mut Vec<Act>) {
    let own = is_own(look);
    let brain = is_brain(look);
    let pad = &mut *views.pad;
    if look.textures.original.is_none() {
        ui.label(t!("An image appears here. It never leaves the hospital."));
        return;
    }
    ui.horizontal_top(|ui| {
        original_ui(ui, look, sizes.big, pad, acts);
        if let Some(sent) = look.textures.sent.as_ref().filter(|_| look.textures.map.is_some() && sizes.small > 0.0) {
            ui.vertical(|ui| {
                sent_ui(ui, look, sizes, views.maps, acts);
                disguise_ui(ui, look, sent, sizes.small, acts);
            });
        }
    });
    let size = vec2(ui.available_width(), BAND);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().item_spacing.y = 0.0;
        which_ui(ui, look, own || pad.drawing);
        let (words, tip) =
            if brain { (say(STAND_IN), say(STAND_IN)) } else { (t!("never leaves the hospital"), say(STAYS)) };
        ui.add(Label::new(RichText::new(words).small()).truncate()).on_hover_text(tip);
    });
    ui.horizontal_wrapped(|ui| controls_ui(ui, look, pad, own, acts));
}

/// Whether it is a built-in plane of a brain.
fn is_brain(look: Look<'_>) -> bool {
    look.showing.facts.as_ref().is_some_and(|facts| facts.data == "brainmri") && !is_own(look)
}

/// The image itself: drawn on while the pencil is out, looked into otherwise.
pub(super) fn original_ui(ui: &mut Ui, look: Look<'_>, side: f32, pad: &mut PadView, acts: &mut Vec<Act>) {
    let Some(original) = &look.textures.original else { return };
    let noun = if is_own(look) { t!("image") } else { say(look.noun().one) };
    let stays = t!("The {noun} never leaves the hospital.", noun);
    let tip = if is_brain(look) { say(STAND_IN) } else { &stays };
    let response = large_ui(ui, original, side, &format!("{}: {tip}", caption(look)));
    let line = Stroke::new(1.5, Role::Patient.color(ui));
    ui.painter().rect_stroke(response.rect, 0.0, line, StrokeKind::Outside);
    picture_ui(ui, &response, Ink::Patient);
    inspected(&response, look, Subject::Original, acts);
    stroke_ui(ui, &response, look, pad, acts);
    if pad.drawing {
        glass_ui(ui, response.rect, acts);
    } else {
        response.on_hover_cursor(CursorIcon::ZoomIn).on_hover_text(format!("{tip}\n{}", say(CLOSER)));
    }
}

/// A magnifying glass in the corner of the pad, where a click draws.
fn glass_ui(ui: &mut Ui, picture: Rect, acts: &mut Vec<Act>) {
    let rect = Rect::from_min_size(picture.right_top() + vec2(-GLASS - 2.0, 2.0), vec2(GLASS, GLASS));
    let response = ui.interact(rect, ui.scope_id().with("glass"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Kind::Button, true, t!("Inspect the drawing")));
    let visuals = ui.style().interact(&response);
    ui.painter().rect_filled(rect, 3.0, visuals.weak_bg_fill);
    let line = Stroke::new(1.8, visuals.text_color());
    ui.painter().circle_stroke(rect.center() - vec2(1.5, 1.5), 0.24 * GLASS, line);
    ui.painter().line_segment([rect.center() + vec2(2.0, 2.0), rect.max - vec2(4.0, 4.0)], line);
    if response.clicked() {
        acts.push(Act::Inspect(Subject::Original, None));
    }
    response.on_hover_text(t!("Look closer: the drawing's numbers"));
}

/// Which image it is, and its class.
fn which_ui(ui: &mut Ui, look: Look<'_>, own: bool) {
    let (Shown::Patient(at), Some(facts)) = (&look.showing.image, &look.showing.facts) else {
        ui.label(if own { t!("an image of your own") } else { "" });
        return;
    };
    let label = look.showing.scene.as_ref().and_then(|scene| scene.label).map(|label| facts.class(label));
    let class = label.map(|label| t!(", class\u{a0}{label}", label)).unwrap_or_default();
    let at = if look.showing.source == Source::Run { 0 } else { *at };
    ui.add(Label::new(t!("{at} of {patients}{class}", at = at + 1, patients = facts.patients, class)).truncate())
        .on_hover_text(t!("Which test image, and its class. The classes take turns."));
}

/// What is done with it.
pub(super) fn controls_ui(ui: &mut Ui, look: Look<'_>, pad: &mut PadView, own: bool, acts: &mut Vec<Act>) {
    if look.hidden.has(Control::Image) {
        return;
    }
    let noun = look.noun();
    if pad.drawing {
        if ui.button(t!("Clear")).on_hover_text(t!("An empty pad")).clicked() {
            pad.clear(look, acts);
        }
        let undo = ui.add_enabled(!pad.strokes.is_empty(), Button::new(t!("Undo stroke")));
        if undo.on_hover_text(t!("Take the last stroke back")).on_disabled_hover_text(t!("No stroke yet")).clicked() {
            pad.undo(acts);
        }
    } else {
        if ui.button("\u{2039}").on_hover_text(t!("Previous {one}", one = say(noun.one))).clicked() {
            acts.push(Act::Patient(-1));
        }
        if ui.button("\u{203a}").on_hover_text(t!("Next {one}", one = say(noun.one))).clicked() {
            acts.push(Act::Patient(1));
        }
        let tip = t!("Draw an image of your own: the attacker's picture follows each stroke");
        if ui.button(t!("Draw")).on_hover_text(tip).clicked() {
            pad.clear(look, acts);
        }
        if ui.button(t!("Open\u{2026}")).on_hover_text(t!("Put an image of your own in its place")).clicked() {
            acts.push(Act::Ask(Purpose::Image));
        }
    }
    if own || pad.drawing {
        let tip = t!("Back to the {many}", many = say(noun.many));
        if ui.button(capitalised(say(noun.many))).on_hover_text(tip).clicked() {
            *pad = PadView::default();
            acts.push(Act::Patients);
        }
    }
}

fn disguise_ui(ui: &mut Ui, look: Look<'_>, sent: &TextureHandle, side: f32, acts: &mut Vec<Act>) {
    let pane = Pane {
        caption: t!("disguised"),
        tip: t!("The image with its most telling pixels moved, which is what the hospital's layers see: the paper's \
              attacked image."),
        role: Some(Role::Disguised),
        ink: Some(Ink::Disguised),
    };
    inspected(&pane.ui(ui, sent, side), look, Subject::Disguised, acts);
}
