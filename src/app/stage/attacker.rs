//! The attacker's card: the stolen image beside the original under a wipe, the verdict, and the film of how it emerged.

use eframe::egui::{
    Align2, Button, Color32, CursorIcon, EventFilter, FontId, Key, Label, Pos2, Rect, Response, Sense, Slider, Stroke,
    TextStyle, TextureHandle, Ui, WidgetInfo, pos2, vec2,
};

use super::band::{LARGEST, band_ui, framed};
use super::details::details_ui;
use super::plan::{BAND, Sizes};
use super::{CLOSER, inspected, large_ui};
use crate::app::formula::lit::picture_ui;
use crate::app::judged::{Says, said};
use crate::app::lit::lit_ui;
use crate::app::play::wait_ui;
use crate::app::state::Status;
use crate::app::subject::Subject;
use crate::app::theme::Role;
use crate::app::{Act, Look, Source};
use crate::data::known::known;
use crate::lesson::Part;
use crate::method::Ink;
use crate::texts::say;

/// The wipe between original and stolen image.
#[derive(Debug, Default)]
pub struct WipeView {
    /// How far the original covers the stolen image, from the left; none where it does not.
    pub share: Option<f32>,
    /// How often it was moved.
    pub times: usize,
}

/// A line so near to the left edge is taken away.
const GONE: f32 = 0.02;
const OF_THE_WIRE: &str = later!("What the attacker makes of the numbers on the wire: the paper's reconstruction.");
const OF_A_GRADIENT: &str = later!("What the attacker makes of the weights' gradient: the paper's reconstruction.");

/// What was stolen is.
fn stolen_tip(look: Look<'_>) -> &'static str {
    say(if look.showing.gradient_of() == 0 { OF_THE_WIRE } else { OF_A_GRADIENT })
}

/// What was stolen, with the class that the attacker names.
pub(super) fn caption(look: Look<'_>) -> String {
    let label = look.showing.scene.as_ref().filter(|_| !look.showing.waits).and_then(|scene| scene.labels.first());
    let Some(label) = label else { return t!("stolen").to_owned() };
    let label = look.showing.facts.as_ref().map_or_else(|| label.to_string(), |facts| facts.class(*label));
    t!("stolen, with its label: {label}", label)
}

pub(super) fn attacker_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, wipe: &mut WipeView, acts: &mut Vec<Act>) {
    let said = said(look);
    stolen_ui(ui, look, sizes.big, said.says, wipe, acts);
    let band = ui.scope(|ui| band_ui(ui, &said, vec2(sizes.big, BAND), LARGEST)).response.rect;
    lit_ui(ui, look, Part::Verdict, band);
    ui.horizontal(|ui| film_ui(ui, look, acts));
}

/// What was stolen, under the wipe, in the frame that the verdict gives it.
pub(super) fn stolen_ui(ui: &mut Ui, look: Look<'_>, side: f32, says: Says, wipe: &mut WipeView, acts: &mut Vec<Act>) {
    if let Some(stolen) = &look.textures.stolen {
        let response = large_ui(ui, stolen, side, &t!("stolen: {stolen}", stolen = stolen_tip(look)));
        if let Some(original) = &look.textures.original {
            let response = wipe_ui(ui, &response, original, stolen_tip(look), wipe);
            inspected(&response, look, Subject::Stolen, acts);
        }
        framed(ui, response.rect, says);
        picture_ui(ui, &response, Ink::Attacker);
    } else {
        nothing_stolen_ui(ui, look, side, says);
    }
}

/// The original over the stolen image, as far as somebody dragged across or moved by the arrow keys; it goes where the
/// line comes to the left edge. A click is not a drag: the response is for that.
fn wipe_ui(ui: &mut Ui, picture: &Response, original: &TextureHandle, what: &str, wipe: &mut WipeView) -> Response {
    let rect = picture.rect;
    let response = ui.interact(rect, ui.scope_id().with("wipe"), Sense::click_and_drag());
    let share = f64::from(wipe.share.unwrap_or(0.0));
    response.widget_info(|| WidgetInfo::slider(true, share, t!("Wipe: the original over the stolen image")));
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let by = f32::from(i8::from(pressed(Key::ArrowRight)) - i8::from(pressed(Key::ArrowLeft)));
        if by != 0.0 {
            wipe.share = Some((wipe.share.unwrap_or(0.0) + 0.05 * by).clamp(0.0, 1.0)).filter(|share| *share > 0.0);
            wipe.times += 1;
        }
    }
    wipe.times += usize::from(response.drag_started());
    if response.dragged() {
        let at = response.interact_pointer_pos().map(|at| (at.x - rect.left()) / rect.width());
        wipe.share = at.map(|at| at.clamp(0.0, 1.0)).filter(|share| *share > GONE);
    }
    if let Some(share) = wipe.share {
        let x = rect.left() + share * rect.width();
        let left = Rect::from_min_max(rect.min, pos2(x, rect.bottom()));
        let part = Rect::from_min_max(Pos2::ZERO, pos2(share, 1.0));
        ui.painter().image(original.id(), left, part, Color32::WHITE);
        let line = Stroke::new(2.0, Role::Patient.color(ui));
        ui.painter().vline(x, rect.y_range(), line);
        ui.painter().circle(pos2(x, rect.center().y), 6.0, line.color, Stroke::new(1.5, ui.visuals().extreme_bg_color));
    }
    let response = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
    // Who has dragged knows how, and the verdict is right below.
    if wipe.times > 0 {
        return response;
    }
    let how = t!("Drag across it: the original is to the left of the line, which goes at the left edge.");
    response.on_hover_text(format!("{what}\n{how}\n{}", say(CLOSER)))
}

/// The place where the stolen image will be.
fn nothing_stolen_ui(ui: &mut Ui, look: Look<'_>, side: f32, says: Says) {
    let shape = look.showing.facts.as_ref().map_or([1, 1, 1], |facts| facts.patient.shape);
    let sides = vec2(shape[2].max(1) as f32, shape[1].max(1) as f32);
    let (rect, _) = ui.allocate_exact_size(sides * (side / sides.max_elem()), Sense::hover());
    framed(ui, rect, says);
    let color = ui.visuals().weak_text_color();
    let font = FontId::proportional(0.4 * side);
    ui.painter().text(rect.center() - vec2(0.0, 0.08 * side), Align2::CENTER_CENTER, "?", font, color);
    let words = Rect::from_min_max(pos2(rect.left() + 8.0, rect.center().y + 0.15 * side), rect.max - vec2(8.0, 4.0));
    ui.place(words, Label::new(why_nothing(look)).wrap());
}

/// As much of a message as there is room for; the whole of it stands above the stage.
fn beginning(trouble: &str) -> String {
    const LETTERS: usize = 160;
    let some: String = trouble.chars().take(LETTERS).collect();
    if some.len() < trouble.len() { some + "…" } else { some }
}

/// Why there is no stolen image, or not yet.
fn why_nothing(look: Look<'_>) -> String {
    let showing = look.showing;
    let run = showing.source == Source::Run;
    let begins = showing.scene.as_ref().is_some_and(|scene| scene.progress.is_some());
    match &showing.trouble {
        Some(_) if known(&look.document.experiment().data.name).is_some() => {
            t!("The images are not here yet.").to_owned()
        }
        Some(trouble) => t!("No picture: {trouble}", trouble = beginning(trouble)),
        None if run && showing.facts.as_ref().is_some_and(|facts| !facts.attacked) => {
            t!("This experiment has no attacks.").to_owned()
        }
        None if !run && look.play.waits => t!("The attacker is held.").to_owned(),
        None if begins => t!("It first learns from images of its own.").to_owned(),
        None if run && look.state.status == Status::Going => t!("The attack waits for the network.").to_owned(),
        None if run => {
            t!("The run ended before its next attack. What was stolen before is in Images and Table.").to_owned()
        }
        None if showing.gradient_of() > 0 => t!("Made from the weights' gradient alone.").to_owned(),
        None => t!("Made from the numbers on the wire alone.").to_owned(),
    }
}

/// The film of how it emerged: play, and a handle to any moment; and the details.
pub(super) fn film_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let film = &look.showing.film;
    if film.frames.len() >= 2 {
        let (word, tip) = if film.playing {
            (t!("Freeze"), t!("Stop the film"))
        } else {
            (t!("Play"), t!("Play how the stolen image emerged"))
        };
        if ui.add(Button::new(word)).on_hover_text(tip).clicked() {
            acts.push(Act::Play);
        }
        let last = film.frames.len() - 1;
        let mut at = film.pinned.unwrap_or(last);
        let times = TextStyle::Button.resolve(ui.style()).size / 13.5;
        ui.spacing_mut().slider_width = (ui.available_width() - 76.0 * times).max(40.0);
        let slider = ui.add(Slider::new(&mut at, 0..=last).show_value(false));
        slider.widget_info(|| {
            let words = t!("Film of the reconstruction, step {frames}", frames = film.frames[at].0);
            WidgetInfo::slider(true, at as f64, words)
        });
        let changed = slider.changed();
        slider.on_hover_text(t!(
            "Step {frames}. Any moment of the attack; at its end it follows the latest",
            frames = film.frames[at].0
        ));
        if changed {
            acts.push(Act::Pin(Some(at)));
        }
    }
    details_ui(ui, look, acts);
    let progress = look.showing.scene.as_ref().and_then(|scene| scene.progress.as_ref());
    let going = progress.is_some_and(|progress| progress.iteration < progress.planned);
    if look.showing.source != Source::Run && (look.play.waits || (look.play.attacker.slow() && going)) {
        wait_ui(ui, look, &mut |act| acts.push(Act::PlayAs(act)));
    }
}
