//! The two gradient maps, sent by the hospital and found by the server, drawn so that they can be compared: of one
//! size, on one scale, with their correlation beneath.

use eframe::egui::{Image, Label, Response, RichText, TextureHandle, Ui};

use super::plan::Sizes;
use super::{CLOSER, Pane, inspected};
use crate::app::choice::selectable_ui;
use crate::app::subject::Subject;
use crate::app::words::decimal;
use crate::app::{Act, Look};
use crate::method::Ink;
use crate::texts::say;

/// Side of a map that is pointed at.
const LARGE: f32 = 200.0;

const SENT: &str = later!(
    "How much each pixel matters for the decision, as it crosses the wire: the size of the paper's saliency \
                    map, averaged over 2×2 pixels. Black is 0, the brightest is its own largest value."
);
const FOUND: &str = later!(
    "What the server takes out of the smashed data: the size of the paper's recovered gradient map, \
                     averaged over the channels. Black is 0, the brightest is its own largest value."
);
const SENT_SIGNED: &str = later!(
    "How much each pixel matters for the decision, and whether for or against: the paper's saliency \
                           map. Blue is below zero, black zero, orange above. Its size alone crosses the wire."
);
const FOUND_SIGNED: &str = later!(
    "What the server takes out of the smashed data: the paper's recovered gradient map, averaged \
                            over the channels with its signs. They are those of the features, not of the sent map."
);
const CORRELATION: &str = later!(
    "Pearson's correlation of the two maps' sizes, place by place: the sent one, averaged over what \
                           falls on a place of the found one, against the found one. 1 is the same pattern, 0 none in \
                           common. The two have different units, which it does not depend on."
);

/// How maps are drawn.
#[derive(Debug, Default)]
pub struct MapsView {
    /// With their signs; else their sizes alone, which is what crosses.
    pub signed: bool,
}

/// The sent map, in the hospital. Nothing where none is sent.
pub(super) fn sent_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, view: &MapsView, acts: &mut Vec<Act>) {
    let textures = look.textures;
    let sized = textures.sent_size.as_ref().filter(|_| !view.signed);
    let (texture, tip) = match (sized, &textures.map) {
        (Some(texture), _) => (texture, say(SENT)),
        (None, Some(texture)) => (texture, say(SENT_SIGNED)),
        (None, None) => return,
    };
    let response = map_ui(ui, look, (t!("map sent"), tip, Ink::Map), texture, sizes.map);
    inspected(&response, look, Subject::Map, acts);
}

/// The found map, in the server. Nothing where none is looked for.
pub(super) fn found_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, view: &MapsView, acts: &mut Vec<Act>) {
    let textures = look.textures;
    let sized = textures.found_size.as_ref().filter(|_| !view.signed);
    let (texture, tip) = match (sized, &textures.recovered) {
        (Some(texture), _) => (texture, say(FOUND)),
        (None, Some(texture)) => (texture, say(FOUND_SIGNED)),
        (None, None) => return,
    };
    let response = map_ui(ui, look, (t!("map found"), tip, Ink::Found), texture, sizes.map);
    inspected(&response, look, Subject::Found(sized.is_none()), acts);
}

fn map_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (caption, tip, ink): (&str, &str, Ink),
    texture: &TextureHandle,
    side: f32,
) -> Response {
    let pane = Pane { caption, tip, role: None, ink: Some(ink) };
    let response = pane.plain_ui(ui, texture, side);
    response.on_hover_ui(|ui| {
        ui.set_max_width(2.0 * LARGE + 10.0);
        ui.label(tip);
        let textures = look.textures;
        let (Some(sent), Some(found)) = (&textures.sent_size, &textures.found_size) else { return };
        ui.horizontal_top(|ui| {
            for (word, texture) in [(t!("sent"), sent), (t!("found"), found)] {
                ui.vertical(|ui| {
                    ui.label(word);
                    let size = texture.size_vec2();
                    let size = size * (LARGE / size.max_elem());
                    ui.add(Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(word));
                });
            }
        });
        ui.label(correlation(look));
        ui.label(say(CLOSER));
    })
}

fn correlation(look: Look<'_>) -> String {
    t!("correlation {value}", value = decimal(look.textures.correlation.unwrap_or(f64::NAN), 2))
}

/// How alike the two are, and whether they are drawn with their signs.
pub(super) fn compared_ui(ui: &mut Ui, look: Look<'_>, view: &mut MapsView) {
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(RichText::new(correlation(look)).strong())).on_hover_text(say(CORRELATION));
        let tip = t!("Draw both maps with their signs. What crosses the wire has none.");
        if selectable_ui(ui, view.signed, t!("signed")).on_hover_text(tip).clicked() {
            view.signed = !view.signed;
        }
    });
}
