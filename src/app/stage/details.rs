//! What the attacker's card keeps for who asks: which attack it is and how far, its scores, the error, the line-up.

use eframe::egui::{Image, Label, Popup, PopupCloseBehavior, RichText, Sense, Stroke, StrokeKind, Ui};

use super::{CLOSER, Pane, inspected};
use crate::app::lookers::Attacker;
use crate::app::subject::Subject;
use crate::app::theme::Role;
use crate::app::words::{decimal, named, phase};
use crate::app::{Act, Look};
use crate::score::judging::psnr_of;
use crate::score::metrics::{PSNR, SSIM};
use crate::texts::say;

/// Width of the details.
const WIDTH: f32 = 320.0;
/// Side of the picture of the error.
const ERROR: f32 = 96.0;
/// Side of a line-up's pictures.
const CANDIDATE: f32 = 34.0;

/// The button, and below it the details while they are open.
pub(super) fn details_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let button =
        ui.button(t!("Details")).on_hover_text(t!("Which attack it is, its scores, the error and the line-up"));
    let popup = Popup::from_toggle_button_response(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    popup.width(WIDTH).show(|ui| {
        ui.set_width(WIDTH);
        attack_ui(ui, look);
        ui.horizontal_top(|ui| {
            if let Some(error) = &look.textures.error {
                let tip =
                    t!("How far each pixel is from the original's: black is equal. The attacker does not see this.");
                let pane = Pane { caption: t!("error"), tip, role: None, ink: None };
                inspected(&pane.ui(ui, error, ERROR), look, Subject::Error, acts);
            }
            ui.vertical(|ui| score_ui(ui, look));
        });
        lineup_ui(ui, look, acts);
    });
}

/// Which attack it is, what it sees and knows, and how far it is.
fn attack_ui(ui: &mut Ui, look: Look<'_>) {
    if let Some(attacker) = Attacker::shown(look) {
        ui.add(Label::new(t!("It {words}.", words = attacker.words())).wrap());
    }
    let Some(scene) = &look.showing.scene else { return };
    let Some(progress) = scene.progress.as_ref().filter(|_| !look.showing.waits) else {
        ui.label(t!("No attack has begun."));
        return;
    };
    let film = &look.showing.film;
    let pinned = film.pinned.and_then(|at| film.frames.get(at)).map(|frame| frame.0);
    let mode = match (scene.stamp.defended, scene.stamp.adaptive) {
        (false, _) => "",
        (true, false) => t!(", naive"),
        (true, true) => t!(", adaptive"),
    };
    let step = pinned.unwrap_or(progress.iteration);
    ui.label(RichText::new(format!("{}{mode}", phase(&progress.attack))).strong());
    ui.label(t!("step {step} of {steps}", step, steps = progress.planned));
    ui.label(t!("its own loss {loss}", loss = decimal(progress.loss, 6)))
        .on_hover_text(t!("All that the attacker sees of its success"));
    if scene.labels.len() > 1 {
        let class =
            |label: &usize| look.showing.facts.as_ref().map_or_else(|| label.to_string(), |facts| facts.class(*label));
        let labels: Vec<String> = scene.labels.iter().map(class).collect();
        let words = t!("labels of its {n} images: {labels}", n = labels.len(), labels = labels.join(", "));
        ui.add(Label::new(words).wrap()).on_hover_text(t!("As the attacker names them, the shown image's first"));
    }
}

/// How near the stolen image is.
fn score_ui(ui: &mut Ui, look: Look<'_>) {
    if look.showing.scene.is_none() || look.showing.nothing_to_steal() {
        return;
    }
    let about = t!("Judged against the original, which the attacker does not have. Higher is a worse leak.");
    // Dashes keep the place of numbers that are about to come.
    let score = look.showing.shown_score();
    let [psnr, ssim] = score.map_or([f64::NAN; 2], |score| [psnr_of(score.mse), score.ssim]);
    ui.label(RichText::new(named(&PSNR, psnr)).strong()).on_hover_text(about);
    ui.label(RichText::new(named(&SSIM, ssim)).strong()).on_hover_text(about);
}

/// Eight images, one of them the original; the one most like the stolen image has a frame.
fn lineup_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let Some(lineup) = look.showing.shown_lineup() else { return };
    let Some(correct) = lineup.correct() else { return };
    let count = lineup.pictures.len();
    let verdict = match (lineup.picked, correct) {
        (_, true) => t!("correct"),
        (Some(_), false) => t!("wrong"),
        (None, false) => t!("nobody"),
    };
    let color = Role::Attacker.color(ui);
    ui.label(t!("picked from {count}: {verdict}", count, verdict)).on_hover_text(t!(
        "The line-up: the original among seven other images of its own class, which are the attacker's. Which does the \
         stolen image resemble most? By chance one in eight is right."
    ));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        for (i, texture) in look.textures.lineup.iter().enumerate() {
            let Some(texture) = texture else { continue };
            let size = texture.size_vec2() * (CANDIDATE / texture.size_vec2().max_elem());
            let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size);
            let image = image.alt_text(t!("line-up, {i} of {count}", i = i + 1, count)).sense(Sense::click());
            let response = ui.add(image).on_hover_text(say(CLOSER));
            inspected(&response, look, Subject::Candidate(i), acts);
            if lineup.picked == Some(i) {
                ui.painter().rect_stroke(response.rect, 0.0, Stroke::new(2.0, color), StrokeKind::Outside);
            }
        }
    });
}
