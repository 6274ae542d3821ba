//! The stage: hospital, wire, server and attacker, left to right as the data flow.

mod attacker;
pub mod film;
mod hospital;
pub mod pad;
mod server;
mod wire;

use eframe::egui::{
    Align, Color32, Frame, Image, Label, Layout, Response, RichText, Stroke, StrokeKind, TextureHandle, Ui, Vec2, vec2,
};

use super::showing::Source;
use super::state::Status;
use super::theme::Role;
use super::words::phase;
use super::{Act, Activity, Look};

const GAP: f32 = 8.0;
const MARGIN: f32 = 8.0;
/// With the line around it.
const EDGE: f32 = MARGIN + 1.0;
/// Height of a line of text with its spacing.
const LINE: f32 = 19.0;
/// Height of the sentence above the cards, with all spacing.
const LEAD: f32 = 36.0;
/// Height of a row of buttons.
const ROW: f32 = 26.0;
/// The columns of wire and server need as much.
const WIRE: f32 = 190.0;
const SERVER: f32 = 200.0;
/// The width that the four cards need.
pub const LEAST: f32 = 820.0;
/// The column beside a picture needs as much for its captions.
const SIDE: f32 = 92.0;

/// The height that the stage makes use of, in a window of this size.
pub fn height(window: Vec2) -> f32 {
    let most = (0.46 * window.y).clamp(290.0, 620.0);
    let above = LEAD + 2.0 * EDGE + 26.0 + LINE + 2.0 * ROW;
    (Sizes::fitting((window.x - 16.0).max(LEAST), most - LEAD).big + above).clamp(290.0, most)
}

/// Draws the stage over all the room there is.
pub fn stage_ui(ui: &mut Ui, look: Look<'_>, pad: &mut pad::PadView, acts: &mut Vec<Act>) {
    ui.add_space(2.0);
    ui.horizontal(|ui| lead_ui(ui, look, acts));
    ui.add_space(2.0);
    let room = vec2(ui.available_width().max(LEAST), ui.available_height() - 4.0);
    let sizes = Sizes::fitting(room.x, room.y);
    let outer = sizes.big + GAP + sizes.side + 2.0 * EDGE;
    let spare = 0.5 * (room.x - 2.0 * outer - 3.0 * GAP - WIRE - SERVER).max(0.0);
    ui.spacing_mut().item_spacing.x = GAP;
    ui.horizontal_top(|ui| {
        let patient = Role::Patient.color(ui);
        card(ui, "Hospital", patient, vec2(outer, room.y), |ui| hospital::hospital_ui(ui, look, sizes, pad, acts));
        let plain = ui.visuals().strong_text_color();
        card(ui, "Wire", plain, vec2(WIRE + spare, room.y), |ui| wire::wire_ui(ui, look, acts));
        card(ui, "Server", Role::Cleaned.color(ui), vec2(SERVER + spare, room.y), |ui| server::server_ui(ui, look));
        let attacker = Role::Attacker.color(ui);
        card(ui, "Attacker", attacker, vec2(outer, room.y), |ui| attacker::attacker_ui(ui, look, sizes, acts));
    });
}

/// What the training is at while pictures of it are shown.
fn training_words(activity: Activity) -> &'static str {
    match activity {
        Activity::Running => "Training goes on.",
        Activity::Paused => "Training waits.",
        Activity::Stopping => "Training is being saved.",
        Activity::Idle => "Training has ended.",
    }
}

/// One sentence, what the pictures were made with, and the way back to the run.
fn lead_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let showing = look.showing;
    let lead = match (&showing.trouble, showing.source) {
        (Some(trouble), _) => format!("This cannot be shown: {}", trouble.replace('\n', " ")),
        _ if showing.kept => {
            let attack = showing.scene.as_ref().and_then(|scene| scene.progress.as_ref());
            let words = attack.map_or_else(String::new, |progress| phase(&progress.attack));
            format!("{} The right was stolen earlier: {words}.", training_words(look.activity))
        }
        _ if showing.reconstruction().is_some() => {
            "Only the middle leaves the hospital. The right was made from it.".to_owned()
        }
        (_, Source::Run) if look.state.status == Status::Going => {
            "A network is being trained, split between a hospital and a server.".to_owned()
        }
        _ => "The hospital sends numbers, not the image. Watch what comes back out of them.".to_owned(),
    };
    let width = (0.56 * ui.available_width()).max(300.0);
    ui.allocate_ui_with_layout(vec2(width, LINE), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(width);
        let sentence = Label::new(RichText::new(&lead).size(15.0)).truncate();
        ui.add(sentence).on_hover_text(&lead);
    });
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if look.followed && showing.source != Source::Run {
            let tip = "Let the stage show the run again, in place of your own question";
            if ui.small_button("Back to the run").on_hover_text(tip).clicked() {
                acts.push(Act::Follow);
            }
        }
        let stamp = stamp(look);
        ui.add(Label::new(RichText::new(&stamp).weak()).truncate())
            .on_hover_text(format!("What the pictures were made with: {stamp}"));
    });
}

/// What the pictures were made with.
fn stamp(look: Look<'_>) -> String {
    let showing = look.showing;
    let Some(scene) = &showing.scene else { return String::new() };
    let defence = if scene.stamp.defended { "under PSGL" } else { "undefended" };
    let weights = match &scene.stamp.trained {
        Some(trained) => format!("trained: {trained}"),
        None => "never trained".to_owned(),
    };
    let source = match showing.source {
        Source::Opening => "opening",
        Source::Live => "live",
        Source::Run => "run",
    };
    // Of a run the wire's handle tells; the undefended twin counts a pooling layer more.
    let cut = match showing.source {
        Source::Run => String::new(),
        _ => format!(", cut after layer {}", scene.stamp.cut),
    };
    format!("{source}: {defence}, {weights}{cut}")
}

/// Sides of the pictures; the same in hospital and attacker, so that they can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Of the patient's image and of what was stolen.
    big: f32,
    /// Of those beside them.
    small: f32,
    /// Width of the column beside.
    side: f32,
}

impl Sizes {
    fn fitting(width: f32, height: f32) -> Self {
        // Title and caption above, two rows of controls below.
        let by_height = height - 2.0 * EDGE - 26.0 - LINE - 2.0 * ROW;
        let column = 0.5 * (width - 3.0 * GAP - WIRE - SERVER) - 2.0 * EDGE - GAP;
        let big = by_height.min(column / 1.55).min(column - SIDE).max(80.0).floor();
        let small = ((big - LINE - 4.0) / 2.0).floor();
        Self { big, small, side: (column - big).clamp(SIDE.min(0.55 * big), (0.75 * big).max(SIDE)).floor() }
    }
}

fn card(ui: &mut Ui, title: &str, color: Color32, size: Vec2, contents: impl FnOnce(&mut Ui)) {
    let frame = Frame::group(ui.style()).fill(ui.visuals().faint_bg_color).inner_margin(MARGIN);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        frame.show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            ui.set_max_size(ui.available_size());
            ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
            ui.label(RichText::new(title).size(16.0).strong().color(color));
            contents(ui);
        });
    });
}

/// A picture with its caption.
struct Pane<'a> {
    caption: &'a str,
    tip: &'a str,
    /// Of the caption and the frame; none for the plain ones.
    color: Option<Color32>,
}

impl Pane<'_> {
    /// Draws it so that its longer side has this many points; the response is the picture's.
    fn ui(&self, ui: &mut Ui, texture: &TextureHandle, side: f32) -> Response {
        ui.vertical(|ui| {
            let color = self.color.unwrap_or(ui.visuals().text_color());
            let caption = Label::new(RichText::new(self.caption).color(color)).truncate();
            ui.add(caption).on_hover_text(self.tip);
            let size = texture.size_vec2();
            let size = size * (side / size.max_elem());
            let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size);
            let response = ui.add(image.alt_text(format!("{}: {}", self.caption, self.tip))).on_hover_text(self.tip);
            let line = self.color.unwrap_or(ui.visuals().widgets.noninteractive.bg_stroke.color);
            ui.painter().rect_stroke(response.rect, 0.0, Stroke::new(1.5, line), StrokeKind::Outside);
            response
        })
        .inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_fit_from_the_smallest_window_on() {
        for (width, height) in
            [(LEAST, 240.0), (884.0, 250.0), (1084.0, 270.0), (1264.0, 330.0), (1904.0, 460.0), (3800.0, 520.0)]
        {
            let sizes = Sizes::fitting(width, height);
            let columns = 2.0 * (sizes.big + GAP + sizes.side + 2.0 * EDGE) + WIRE + SERVER;
            assert!(columns + 3.0 * GAP <= width + 1.0, "{width}: {sizes:?}");
            assert!(sizes.big + 2.0 * EDGE + LINE + 2.0 * ROW < height, "{height}: {sizes:?}");
        }
    }
}
