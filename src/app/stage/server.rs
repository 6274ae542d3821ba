//! The server's card: what it cleans, three opinions and a decision.

use eframe::egui::{Align, Color32, Label, Layout, RichText, Sense, Ui, vec2};

use super::classes::classes_ui;
use super::maps::{MapsView, compared_ui, found_ui};
use super::plan::{Sizes, VOTE};
use super::{Pane, inspected};
use crate::app::accuracies::Accuracy;
use crate::app::subject::Subject;
use crate::app::theme::{Role, mark_ui};
use crate::app::{Act, Look, Source};
use crate::method::Ink;
use crate::run::scene::{Opinion, Vote};

/// Height of a score's bar.
const BAR: f32 = 5.0;

pub(super) fn server_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, view: &mut MapsView, acts: &mut Vec<Act>) {
    let scene = look.showing.scene.as_ref();
    let Some(opinion) = scene.and_then(|scene| scene.opinion.as_ref()) else {
        ui.label(t!("The server never sees an image. It goes on from the numbers it gets, and decides."));
        return;
    };
    if let Some(features) = look.textures.features.as_ref().filter(|_| look.textures.recovered.is_some()) {
        ui.horizontal_top(|ui| {
            let pane = Pane {
                caption: t!("cleaned"),
                tip: t!(
                    "What the server keeps of the smashed data: the paper's recovered features, the low-rank part."
                ),
                role: Some(Role::Cleaned),
                ink: Some(Ink::Cleaned),
            };
            inspected(&pane.ui(ui, features, sizes.map), look, Subject::Cleaned(0), acts);
            found_ui(ui, look, sizes, view, acts);
        });
        compared_ui(ui, look, view);
    } else {
        let words = t!("Nothing to clean: it goes on from the numbers as they are.");
        ui.add(Label::new(RichText::new(words).weak()).wrap());
        ui.add_space(6.0);
    }
    ui.spacing_mut().item_spacing.y = 1.0;
    votes_ui(ui, look, opinion);
    accuracy_ui(ui, look);
    classes_ui(ui, look);
}

fn votes_ui(ui: &mut Ui, look: Look<'_>, opinion: &Opinion) {
    let class = |class: usize| {
        let facts = look.showing.facts.as_ref();
        facts.map_or_else(|| class.to_string(), |facts| facts.class(class))
    };
    for (vote, stream) in opinion.streams.iter().zip([Accuracy::Disguised, Accuracy::Cleaned, Accuracy::Fused]) {
        vote_ui(ui, stream.label(), stream.tooltip(), stream.role(), &class(vote.class), *vote);
    }
    let Some((words, tip)) = decision(look) else { return };
    ui.add_space(2.0);
    ui.add(Label::new(RichText::new(words).strong().size(15.0)).wrap()).on_hover_text(tip);
    bar_ui(ui, opinion.decision.share, decided(opinion).role().color(ui));
}

/// Which of its streams decides.
fn decided(opinion: &Opinion) -> Accuracy {
    if opinion.streams.is_empty() { Accuracy::Vanilla } else { Accuracy::Decision }
}

/// What the server says, and what that is; none before it was asked.
pub(super) fn decision(look: Look<'_>) -> Option<(String, &'static str)> {
    let scene = look.showing.scene.as_ref()?;
    let opinion = scene.opinion.as_ref()?;
    let facts = look.showing.facts.as_ref();
    let class = |class: usize| facts.map_or_else(|| class.to_string(), |facts| facts.class(class));
    let vote = opinion.decision;
    let truth = scene.label.map(class).map_or_else(String::new, |truth| t!(" (truth {truth})", truth));
    let words =
        t!("says {class}, {share:.0} % sure{truth}", class = class(vote.class), share = 100.0 * vote.share, truth);
    Some((words, decided(opinion).tooltip()))
}

fn vote_ui(ui: &mut Ui, name: &str, tip: &str, role: Role, class: &str, vote: Vote) {
    let size = vec2(ui.available_width(), VOTE - BAR - 3.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        mark_ui(ui, role);
        ui.label(name).on_hover_text(tip);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let words = format!("{class}  {:.0} %", 100.0 * vote.share);
            ui.add(Label::new(RichText::new(words).strong()).truncate());
        });
    });
    bar_ui(ui, vote.share, role.color(ui));
}

/// A share as a bar.
fn bar_ui(ui: &mut Ui, share: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), BAR), Sense::hover());
    ui.painter().rect_filled(rect, 0.5 * BAR, ui.visuals().widgets.inactive.bg_fill);
    let mut filled = rect;
    filled.set_width(rect.width() * share.clamp(0.0, 1.0));
    ui.painter().rect_filled(filled, 0.5 * BAR, color);
}

/// How often the run's decision is right, once that is measured.
fn accuracy_ui(ui: &mut Ui, look: Look<'_>) {
    // Beside a network of another make it would say nothing.
    let trained = look.showing.scene.as_ref().is_some_and(|scene| scene.stamp.trained.is_some());
    if look.showing.source != Source::Run && !trained {
        return;
    }
    let last = |stream| look.state.test.last(stream);
    let defended = look.showing.scene.as_ref().is_some_and(|scene| scene.stamp.defended);
    let Some(value) = last(if defended { Accuracy::Decision } else { Accuracy::Vanilla }) else { return };
    let words = t!("right on test images {value:.1} %", value);
    ui.add(Label::new(RichText::new(&words).weak()).truncate()).on_hover_text(&words);
}
