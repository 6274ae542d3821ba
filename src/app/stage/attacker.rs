//! The attacker's card: the stolen image, how near it is, the line-up, and the film of how it emerged.

use eframe::egui::{Align2, Button, FontId, Image, Label, RichText, Sense, Slider, Stroke, StrokeKind, Ui, vec2};

use super::Pane;
use super::plan::{ROW, Sizes};
use crate::app::state::Status;
use crate::app::theme::{Role, cut_short_ui};
use crate::app::words::{decimal, named, phase};
use crate::app::{Act, Look};
use crate::run::scene::{Lineup, Scene};
use crate::score::judging::psnr_of;
use crate::score::metrics::{PSNR, SSIM};

pub(super) fn attacker_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, acts: &mut Vec<Act>) {
    let Some(stolen) = &look.textures.stolen else {
        nothing_stolen_ui(ui, look, sizes);
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
            if let Some(error) = &look.textures.error {
                let pane = Pane {
                    caption: "error",
                    tip: "How far each pixel is from the original's: black is equal. The attacker does not see this.",
                    color: None,
                };
                pane.ui(ui, error, sizes.small);
            }
            score_ui(ui, look);
        });
    });
    lineup_ui(ui, look);
    film_ui(ui, look, acts);
}

/// The place where the stolen image will be.
fn nothing_stolen_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes) {
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
            ui.add(Label::new(why_nothing(look)).wrap());
            progress_ui(ui, look);
        });
    });
}

/// Why there is no stolen image, or not yet.
fn why_nothing(look: Look<'_>) -> String {
    let showing = look.showing;
    let run = showing.source == crate::app::Source::Run;
    let begins = showing.scene.as_ref().is_some_and(|scene| scene.progress.is_some());
    match &showing.trouble {
        Some(trouble) => format!("No picture: {trouble}"),
        None if run && showing.facts.as_ref().is_some_and(|facts| !facts.attacked) => {
            "This experiment has no attacks.".to_owned()
        }
        None if begins => "It first learns from images of its own.".to_owned(),
        None if run && look.state.status == Status::Going => "The attack waits for the network.".to_owned(),
        None if run => {
            "The run ended before its next attack. What was stolen before is in Images and Table.".to_owned()
        }
        None => "Made from the numbers on the wire alone.".to_owned(),
    }
}

/// How near the stolen image is, which attack made it, and what that says of the defence.
fn score_ui(ui: &mut Ui, look: Look<'_>) {
    let Some(scene) = &look.showing.scene else { return };
    if look.showing.nothing_to_steal() {
        let about = "The image is blank. Whatever the attacker makes of it, nothing leaks.";
        ui.add(Label::new(RichText::new("nothing to steal").strong()).wrap()).on_hover_text(about);
    } else {
        let about = "Judged against the original, which the attacker does not have. Higher is a worse leak.";
        // Dashes keep the place of numbers that are about to come.
        let score = look.showing.shown_score();
        let [psnr, ssim] = score.map_or([f64::NAN; 2], |score| [psnr_of(score.mse), score.ssim]);
        let text = format!("{}\n{}", PSNR.with_unit(&decimal(psnr, PSNR.short)), named(&SSIM, ssim));
        ui.add(Label::new(RichText::new(&text).strong()).wrap()).on_hover_text(about);
        if scene.stamp.defended {
            verdict_ui(ui, look, scene);
        }
    }
    progress_ui(ui, look);
}

/// Height of an attack's name in three lines of small text, and of its steps.
const NAME_AND_STEPS: f32 = 56.0;

/// Which attack it is, and how far.
fn progress_ui(ui: &mut Ui, look: Look<'_>) {
    let Some(scene) = &look.showing.scene else { return };
    if let Some(progress) = scene.progress.as_ref().filter(|_| !look.showing.waits) {
        let film = &look.showing.film;
        let pinned = film.pinned.and_then(|at| film.frames.get(at)).map(|frame| frame.0);
        let step = pinned.unwrap_or(progress.iteration);
        let (attack, steps) = (phase(&progress.attack), format!("step {step} of {}", progress.planned));
        let loss = decimal(progress.loss, 6);
        // Line-up and film stand below, and must not be pushed out of the card: with larger text the name gives way.
        let room = ui.max_rect().bottom() - 2.0 * ROW - ui.cursor().top();
        let text = if room < NAME_AND_STEPS { steps } else { format!("{attack}\n{steps}") };
        ui.add(Label::new(RichText::new(text).small()).wrap()).on_hover_text(format!(
            "{attack}: the attack and how far it is. Its own loss, which is all that it sees of its success: {loss}"
        ));
    }
}

/// What one finished theft says of the defence; how often it holds is in the table.
fn verdict_ui(ui: &mut Ui, look: Look<'_>, scene: &Scene) {
    let mode = if scene.stamp.adaptive { "adaptive" } else { "naive" };
    let done = scene.progress.as_ref().is_some_and(|progress| progress.iteration >= progress.planned);
    let picked = look.showing.shown_lineup().as_ref().and_then(Lineup::correct);
    let (words, tip) = match picked.filter(|_| done) {
        Some(true) => (
            format!("picked: {mode}"),
            "The stolen image picks the original out of eight of its class. By chance one in eight does, so one image is \
             no verdict: the table has it, over many.",
        ),
        Some(false) => (
            format!("not picked: {mode}"),
            "The stolen image does not pick the original out of eight. One image says little in a defence's favour: the \
             table has the rate over many.",
        ),
        None => (mode.to_owned(), "The attack is not over."),
    };
    let tip = format!(
        "{tip} An adaptive attacker knows the defence, a naive one does not: a defence is as good as against the adaptive \
         one."
    );
    cut_short_ui(ui, words.into(), &tip);
}

/// Eight images, one of them the original; the one most like the stolen image has a frame.
fn lineup_ui(ui: &mut Ui, look: Look<'_>) {
    let Some(lineup) = look.showing.shown_lineup() else { return };
    let Some(correct) = lineup.correct() else { return };
    let count = lineup.pictures.len();
    let verdict = match (lineup.picked, correct) {
        (_, true) => "correct",
        (Some(_), false) => "wrong",
        (None, false) => "nobody",
    };
    let words = format!("picked from {count}: {verdict}");
    let color = Role::Attacker.color(ui);
    ui.horizontal(|ui| {
        let font = eframe::egui::TextStyle::Body.resolve(ui.style());
        let text = ui.painter().layout_no_wrap(words.clone(), font, color).size().x + 8.0;
        let side = ((ui.available_width() - text) / count as f32 - 3.0).min(22.0);
        ui.spacing_mut().item_spacing.x = 3.0;
        // Too small to be told apart: the words are worth more.
        let shown = if side < 9.0 { &[][..] } else { look.textures.lineup.as_slice() };
        for (i, texture) in shown.iter().enumerate() {
            let Some(texture) = texture else { continue };
            let size = texture.size_vec2() * (side / texture.size_vec2().max_elem());
            let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size);
            let response = ui.add(image.alt_text(format!("line-up, {} of {count}", i + 1)));
            if lineup.picked == Some(i) {
                ui.painter().rect_stroke(response.rect, 0.0, Stroke::new(2.0, color), StrokeKind::Outside);
            }
        }
        cut_short_ui(
            ui,
            words.as_str().into(),
            "The line-up: the original among seven other images of its own class, which are the attacker's. Which does \
             the stolen image resemble most? By chance one in eight is right.",
        );
    });
}

/// The film of how it emerged: play, and a handle to any moment.
fn film_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let film = &look.showing.film;
    if film.frames.len() < 2 {
        return;
    }
    ui.horizontal(|ui| {
        let (word, tip) =
            if film.playing { ("Freeze", "Stop the film") } else { ("Play", "Play how the stolen image emerged") };
        if ui.add(Button::new(word)).on_hover_text(tip).clicked() {
            acts.push(Act::Play);
        }
        let last = film.frames.len() - 1;
        let mut at = film.pinned.unwrap_or(last);
        ui.spacing_mut().slider_width = (ui.available_width() - 70.0).max(40.0);
        let slider = ui.add(Slider::new(&mut at, 0..=last).show_value(false));
        slider.widget_info(|| {
            let words = format!("Film of the reconstruction, step {}", film.frames[at].0);
            eframe::egui::WidgetInfo::slider(true, at as f64, words)
        });
        let changed = slider.changed();
        slider.on_hover_text("Any moment of the attack; at its end it follows the latest");
        if changed {
            acts.push(Act::Pin(Some(at)));
        }
        ui.weak(format!("step {}", film.frames[at].0));
    });
}
