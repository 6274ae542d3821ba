//! The stage: hospital, wire, server and attacker, left to right as the data flow.

use eframe::egui::{
    Align, Align2, Color32, FontId, Frame, Grid, Image, Label, Layout, RichText, Role as Kind, Sense, Shape, Stroke,
    StrokeKind, TextureHandle, Ui, WidgetInfo, pos2, vec2,
};

use super::Look;
use super::state::{State, Status};
use super::streams::Stream;
use super::textures::Textures;
use super::theme::Role;
use super::words::{bytes, decimal, shape};

const GAP: f32 = 8.0;
const MARGIN: f32 = 10.0;
/// With the line around it.
const EDGE: f32 = MARGIN + 1.0;
/// Height of a line of text with its spacing.
const LINE: f32 = 20.0;
/// The columns of wire and server need as much.
const WIRE: f32 = 220.0;
const SERVER: f32 = 176.0;
/// The column beside a picture needs as much for its captions.
const SIDE: f32 = 88.0;
/// Whole sentences need as much there.
const WORDY: f32 = 125.0;

/// Draws the stage over all the room there is.
pub fn stage_ui(ui: &mut Ui, look: Look<'_>, textures: &Textures) {
    let state = look.state;
    ui.add_space(2.0);
    let lead = if textures.stolen.is_some() {
        "Only the middle leaves the hospital. The right was made from it."
    } else if state.status == Status::Going {
        "A network is being trained, split between a hospital and a server. The attacker waits for what crosses."
    } else {
        "Press Run: a network is trained, split between a hospital and a server, while an attacker tries to see the \
         patient in what crosses between them."
    };
    ui.label(RichText::new(lead).size(15.0));
    ui.add_space(2.0);
    let room = ui.available_size() - vec2(0.0, 4.0);
    let sizes = Sizes::fitting(room.x, room.y);
    let outer = sizes.big + GAP + sizes.side + 2.0 * EDGE;
    let spare = 0.5 * (room.x - 2.0 * outer - 3.0 * GAP - WIRE - SERVER).max(0.0);
    ui.spacing_mut().item_spacing.x = GAP;
    ui.horizontal_top(|ui| {
        let patient = Role::Patient.color(ui);
        card(ui, "Hospital", patient, vec2(outer, room.y), |ui| hospital_ui(ui, look, textures, sizes));
        let plain = ui.visuals().strong_text_color();
        card(ui, "Wire", plain, vec2(WIRE + spare, room.y), |ui| wire_ui(ui, state));
        card(ui, "Server", Role::Cleaned.color(ui), vec2(SERVER + spare, room.y), |ui| server_ui(ui, look));
        let attacker = Role::Attacker.color(ui);
        card(ui, "Attacker", attacker, vec2(outer, room.y), |ui| attacker_ui(ui, look, textures, sizes));
    });
}

/// Sides of the pictures; the same in hospital and attacker, so that they can be compared.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Of the patient's image and of what was stolen.
    big: f32,
    /// Of those beside them.
    small: f32,
    /// Width of the column beside.
    side: f32,
    /// Whether there is room for lines of text below, since the window is narrow for its height.
    below: bool,
}

impl Sizes {
    fn fitting(width: f32, height: f32) -> Self {
        let by_height = height - 2.0 * EDGE - 26.0 - LINE;
        let column = 0.5 * (width - 3.0 * GAP - WIRE - SERVER) - 2.0 * EDGE - GAP;
        let big = by_height.min(column / 1.6).min(column - SIDE).max(96.0).floor();
        let small = ((big - LINE - 6.0) / 2.0).floor();
        Self { big, small, side: (0.6 * big).max(SIDE).floor(), below: by_height - big >= 3.2 * LINE }
    }
}

fn card(ui: &mut Ui, title: &str, color: Color32, size: eframe::egui::Vec2, contents: impl FnOnce(&mut Ui)) {
    let frame = Frame::group(ui.style()).fill(ui.visuals().faint_bg_color).inner_margin(MARGIN);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        frame.show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.label(RichText::new(title).size(17.0).strong().color(color));
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
    fn ui(&self, ui: &mut Ui, texture: &TextureHandle, side: f32) {
        ui.vertical(|ui| {
            let color = self.color.unwrap_or(ui.visuals().text_color());
            ui.add(Label::new(RichText::new(self.caption).color(color)).extend()).on_hover_text(self.tip);
            let size = texture.size_vec2();
            let size = size * (side / size.max_elem());
            let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size);
            let response = ui.add(image.alt_text(format!("{}: {}", self.caption, self.tip))).on_hover_text(self.tip);
            let line = self.color.unwrap_or(ui.visuals().widgets.noninteractive.bg_stroke.color);
            ui.painter().rect_stroke(response.rect, 0.0, Stroke::new(1.5, line), StrokeKind::Outside);
        });
    }
}

fn hospital_ui(ui: &mut Ui, look: Look<'_>, textures: &Textures, sizes: Sizes) {
    let Some(original) = &textures.original else {
        ui.label("A patient's image appears here. It never leaves the hospital.");
        return;
    };
    ui.horizontal_top(|ui| {
        let patient = Pane {
            caption: "patient",
            tip: "The patient's image. It never leaves the hospital.",
            color: Some(Role::Patient.color(ui)),
        };
        patient.ui(ui, original, sizes.big);
        ui.vertical(|ui| {
            ui.set_width(sizes.side);
            match (&textures.map, &textures.sent) {
                (Some(map), Some(sent)) => disguise_ui(ui, map, sent, sizes.small),
                (None, Some(_)) => {
                    ui.label("No disguise here: the undefended model's layers see the image as it is.");
                }
                _ if sizes.side < WORDY => {
                    let shows = if look.experiment.psgl.enabled { "its disguise" } else { "what leaks" };
                    ui.label(format!("Never leaves the hospital.\n\nRun shows {shows}."));
                }
                _ if look.experiment.psgl.enabled => {
                    ui.label(
                        "This image never leaves the hospital.\n\nRun shows here which of its pixels tell most, and \
                         how the hospital disguises it before its own layers look at it.",
                    );
                }
                _ => {
                    ui.label(
                        "This image never leaves the hospital.\n\nIn this experiment there is no disguise: the \
                         hospital's layers look at it as it is.",
                    );
                }
            }
        });
    });
    if let Some(facts) = look.state.facts.as_ref().filter(|_| sizes.below) {
        ui.add(Label::new(format!("{} images, {} at a time", facts.images, facts.batch)).truncate())
            .on_hover_text("What the hospital learns from, and how many make a step.");
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

fn wire_ui(ui: &mut Ui, state: &State) {
    let Some(facts) = &state.facts else {
        ui.label(
            "All that crosses: numbers from behind the hospital's last layer going up, and how the server wants them \
             changed coming down.",
        );
        return;
    };
    let models = ["PSGL", "undefended"];
    let trained =
        || models.iter().zip(&facts.models).zip(&state.wire).filter_map(|((n, m), w)| Some((n, m.as_ref()?, w)));
    arrow_ui(ui, true, "smashed data, up", "What the hospital's layers make of an image, sent to the server.");
    let mut last = None;
    for (name, model, _) in trained().filter(|(_, model, _)| last.replace(&model.smashed) != Some(&model.smashed)) {
        ui.label(RichText::new(format!("{} numbers", shape(&model.smashed))).strong())
            .on_hover_text(format!("For one image, {name}: channels, height, width"));
    }
    arrow_ui(
        ui,
        false,
        "gradients, down",
        "How the server wants those numbers changed; the hospital learns from that.",
    );
    ui.add_space(4.0);
    Grid::new("bytes").num_columns(3).spacing([8.0, 3.0]).show(ui, |ui| {
        ui.weak("");
        ui.weak("up");
        ui.weak("down");
        ui.end_row();
        if let Some((_, model, _)) = trained().next() {
            bytes_row(ui, "one image", model.image.smashed_bytes, model.image.gradient_bytes);
        }
        for (name, _, wire) in trained() {
            bytes_row(ui, name, wire.smashed_bytes, wire.gradient_bytes);
        }
    });
    let clean: u64 = state.wire[0].leaked_clean_bytes;
    if clean > 0 {
        ui.label(format!("{} of it undisguised", bytes(clean)))
            .on_hover_text("Smashed data of clean images, which this form of PSGL sends to be told the gradients.");
    }
}

fn bytes_row(ui: &mut Ui, name: &str, up: u64, down: u64) {
    ui.label(name);
    ui.label(bytes(up));
    ui.label(bytes(down));
    ui.end_row();
}

fn arrow_ui(ui: &mut Ui, up: bool, caption: &str, tip: &str) {
    ui.label(caption).on_hover_text(tip);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Kind::Image, true, caption));
    let color = ui.visuals().strong_text_color();
    let (from, to) = if up { (rect.left(), rect.right()) } else { (rect.right(), rect.left()) };
    let (y, tip, back) = (rect.center().y, to, if up { -9.0 } else { 9.0 });
    ui.painter().line_segment([pos2(from, y), pos2(to + back, y)], Stroke::new(2.0, color));
    let head = vec![pos2(tip, y), pos2(tip + back, y - 5.0), pos2(tip + back, y + 5.0)];
    ui.painter().add(Shape::convex_polygon(head, color, Stroke::NONE));
}

fn server_ui(ui: &mut Ui, look: Look<'_>) {
    let state = look.state;
    if state.test.is_empty() && state.training.is_empty() {
        ui.label(if look.experiment.psgl.enabled {
            "The server never sees an image. It cleans the numbers it gets, looks at them in three ways, and decides. \
             How often it is right appears here."
        } else {
            "The server never sees an image. It goes on from the numbers it gets, and decides. How often it is right \
             appears here."
        });
        return;
    }
    let tested = !state.test.is_empty();
    let curves = if tested { &state.test } else { &state.training };
    ui.label(if tested { "right on test images" } else { "right in training, so far" });
    for stream in Stream::ALL {
        if let Some(value) = curves.last(stream) {
            score_ui(ui, stream, value);
        }
    }
}

fn score_ui(ui: &mut Ui, stream: Stream, value: f64) {
    let color = stream.role().color(ui);
    ui.horizontal(|ui| {
        ui.label(stream.label()).on_hover_text(stream.tooltip());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(format!("{value:.1} %")).strong());
        });
    });
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
    ui.painter().rect_filled(rect, 3.0, ui.visuals().widgets.inactive.bg_fill);
    let mut filled = rect;
    filled.set_width(rect.width() * (value / 100.0).clamp(0.0, 1.0) as f32);
    ui.painter().rect_filled(filled, 3.0, color);
    ui.add_space(2.0);
}

fn attacker_ui(ui: &mut Ui, look: Look<'_>, textures: &Textures, sizes: Sizes) {
    let state = look.state;
    let Some(stolen) = &textures.stolen else {
        nothing_stolen_ui(ui, look.experiment.attacks.is_empty(), sizes);
        return;
    };
    ui.horizontal_top(|ui| {
        let pane = Pane {
            caption: "stolen",
            tip: "What the attacker makes of the numbers on the wire: the paper's reconstruction.",
            color: Some(Role::Attacker.color(ui)),
        };
        pane.ui(ui, stolen, sizes.big);
        ui.vertical(|ui| {
            ui.set_width(sizes.side);
            if let Some(error) = &textures.error {
                let pane = Pane {
                    caption: "error",
                    tip: "How far each pixel is from the patient's: black is equal. The attacker does not see this.",
                    color: None,
                };
                pane.ui(ui, error, sizes.small);
            }
            if !sizes.below {
                ui.add_space(4.0);
                attack_ui(ui, state, true);
            }
        });
    });
    if sizes.below {
        attack_ui(ui, state, false);
    }
}

/// The place where the stolen image will be.
fn nothing_stolen_ui(ui: &mut Ui, no_attacks: bool, sizes: Sizes) {
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            let color = Role::Attacker.color(ui);
            ui.label(RichText::new("stolen").color(color));
            let (rect, _) = ui.allocate_exact_size(vec2(sizes.big, sizes.big), Sense::hover());
            ui.painter().rect_stroke(rect, 0.0, Stroke::new(1.5, color), StrokeKind::Outside);
            let font = FontId::proportional(0.4 * sizes.big);
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, "?", font, color);
        });
        ui.vertical(|ui| {
            ui.set_width(sizes.side);
            ui.label(if no_attacks {
                "This experiment has no attacks."
            } else if sizes.side < WORDY {
                "Made from the numbers on the wire alone.\n\nRun shows how."
            } else {
                "Whoever listens on the wire tries to make the patient's image again, from those numbers \
                 alone.\n\nPress Run and watch it come out here."
            });
        });
    });
}

/// Which attack, and how it goes: in a narrow column, or in lines.
fn attack_ui(ui: &mut Ui, state: &State, narrow: bool) {
    let Some(progress) = state.scene.as_ref().and_then(|scene| scene.progress.as_ref()) else { return };
    let line = |ui: &mut Ui, text: RichText, tip: &str| {
        ui.add(if narrow { Label::new(text).wrap() } else { Label::new(text).truncate() }).on_hover_text(tip);
    };
    let join = |a: String, b: String| if narrow { format!("{a}\n{b}") } else { format!("{a}, {b}") };
    let about = "The attack, what it is aimed at and when. An adaptive one knows the defence.";
    line(ui, RichText::new(&progress.attack).strong(), about);
    let so_far = format!("step {} of {}", progress.iteration, progress.planned);
    let own = format!("own loss {}", loss(progress.loss));
    let about = "What the attacker itself can see of its success: how well its image explains the numbers.";
    line(ui, RichText::new(join(so_far, own)), about);
    if let Some(score) = &state.score {
        let about = "Judged against the patient's image, which the attacker does not have. Higher is a worse leak.";
        let psnr = format!("PSNR {} dB", decimal(score.psnr, 1));
        line(ui, RichText::new(join(psnr, format!("SSIM {}", decimal(score.ssim, 2)))), about);
    }
}

/// Losses span many powers of ten.
fn loss(value: f64) -> String {
    if value.is_finite() && value.abs() < 1e-3 && value != 0.0 { format!("{value:.1e}") } else { decimal(value, 4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_fit_from_the_smallest_window_on() {
        for (width, height) in [(884.0, 250.0), (1084.0, 260.0), (1264.0, 310.0), (1904.0, 430.0), (3800.0, 480.0)] {
            let sizes = Sizes::fitting(width, height);
            let columns = 2.0 * (sizes.big + GAP + sizes.side + 2.0 * EDGE) + WIRE + SERVER;
            assert!(columns + 3.0 * GAP <= width, "{width}: {sizes:?}");
            assert!(sizes.big + 2.0 * EDGE + LINE < height && sizes.small < sizes.side, "{height}: {sizes:?}");
        }
    }
}
