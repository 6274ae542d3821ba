//! The server's card: what it cleans, three opinions and a decision.

use eframe::egui::{Align, Color32, Label, Layout, RichText, Sense, Ui, vec2};

use super::{LINE, Pane};
use crate::app::streams::Stream;
use crate::app::theme::Role;
use crate::app::{Look, Source};
use crate::run::scene::{Opinion, Vote};

/// A bar with its words.
const BAR: f32 = LINE + 12.0;

pub(super) fn server_ui(ui: &mut Ui, look: Look<'_>) {
    let scene = look.showing.scene.as_ref();
    let Some(opinion) = scene.and_then(|scene| scene.opinion.as_ref()) else {
        ui.label("The server never sees an image. It goes on from the numbers it gets, and decides.");
        return;
    };
    let bars = if opinion.streams.is_empty() { 1.0 } else { 4.0 };
    let textures = look.textures;
    if let (Some(features), Some(recovered)) = (&textures.features, &textures.recovered) {
        let room = ui.available_height() - bars * BAR - 2.0 * LINE - 10.0;
        let side = (0.5 * (ui.available_width() - 8.0)).min(room).max(30.0);
        ui.horizontal_top(|ui| {
            let pane = Pane {
                caption: "cleaned",
                tip: "What the server keeps of the smashed data: the paper's recovered features, the low-rank part.",
                color: Some(Role::Cleaned.color(ui)),
            };
            pane.ui(ui, features, side);
            let pane = Pane {
                caption: "map found",
                tip: "What the server takes out: the paper's recovered gradient map, mean over the channels.",
                color: None,
            };
            pane.ui(ui, recovered, side);
        });
    } else {
        ui.add(Label::new(RichText::new("Nothing to clean: it goes on from the numbers as they are.").weak()).wrap());
    }
    ui.add_space(2.0);
    votes_ui(ui, look, opinion);
    accuracy_ui(ui, look);
}

fn votes_ui(ui: &mut Ui, look: Look<'_>, opinion: &Opinion) {
    let class = |class: usize| {
        let facts = look.showing.facts.as_ref();
        facts.map_or_else(|| class.to_string(), |facts| facts.class(class))
    };
    for (vote, stream) in opinion.streams.iter().zip([Stream::Disguised, Stream::Cleaned, Stream::Fused]) {
        vote_ui(ui, stream.label(), stream.tooltip(), stream.role().color(ui), &class(vote.class), *vote);
    }
    let stream = if opinion.streams.is_empty() { Stream::Vanilla } else { Stream::Decision };
    let vote = opinion.decision;
    let label = look.showing.scene.as_ref().and_then(|scene| scene.label);
    let verdict = match label {
        Some(label) if label == vote.class => ", right",
        Some(_) => ", wrong",
        None => "",
    };
    let words = format!("{}{verdict}", class(vote.class));
    vote_ui(ui, "decision", stream.tooltip(), stream.role().color(ui), &words, vote);
}

fn vote_ui(ui: &mut Ui, name: &str, tip: &str, color: Color32, class: &str, vote: Vote) {
    ui.horizontal(|ui| {
        ui.label(name).on_hover_text(tip);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let words = format!("{class}  {:.0} %", 100.0 * vote.share);
            ui.add(Label::new(RichText::new(words).strong()).truncate());
        });
    });
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
    ui.painter().rect_filled(rect, 3.0, ui.visuals().widgets.inactive.bg_fill);
    let mut filled = rect;
    filled.set_width(rect.width() * vote.share.clamp(0.0, 1.0));
    ui.painter().rect_filled(filled, 3.0, color);
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
    let Some(value) = last(if defended { Stream::Decision } else { Stream::Vanilla }) else { return };
    let words = format!("right on test images {value:.1} %");
    ui.add(Label::new(RichText::new(&words).weak()).truncate()).on_hover_text(&words);
}
