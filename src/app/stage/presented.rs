//! The stage at presenter's size: its pictures side by side with large words, and what is done with them.

use eframe::egui::{Align, Color32, Label, Layout, Rect, RichText, Ui, UiBuilder, Vec2, pos2, vec2};

use super::band::band_ui;
use super::{Card, Views, attacker, hospital, inspected, large_ui, sentence, server, wire};
use crate::app::judged::said;
use crate::app::lit::lit_ui;
use crate::app::subject::Subject;
use crate::app::theme::Role;
use crate::app::words::shape;
use crate::app::{Act, Look};
use crate::lesson::Part;

/// How large words are.
#[derive(Clone, Copy, Debug)]
pub struct Large {
    /// Letters of what everybody reads.
    pub letters: f32,
    /// Letters of controls.
    pub controls: f32,
}

/// The middle columns are narrower than the two pictures that are compared.
const MIDDLE: f32 = 0.62;

/// The sentence of who attacks what.
pub fn said_who_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    let sentence = ui.scope(|ui| sentence::sentence_ui(ui, look, 1, acts)).response.rect;
    lit_ui(ui, look, Part::Sentence, sentence);
}

/// The verdict, as wide and as high as `size`.
pub fn verdict_ui(ui: &mut Ui, look: Look<'_>, size: Vec2, letters: f32) {
    let band = ui.scope(|ui| band_ui(ui, &said(look), size, letters)).response.rect;
    lit_ui(ui, look, Part::Verdict, band);
}

/// Draws the pictures: the original, its disguise where there is one, what crosses, and what was stolen.
pub fn presented_ui(ui: &mut Ui, look: Look<'_>, large: Large, views: &mut Views<'_>, acts: &mut Vec<Act>) {
    let room = ui.max_rect();
    let disguised = look.textures.sent.as_ref().filter(|_| look.textures.map.is_some());
    let middle = if disguised.is_some() { 2.0 } else { 1.0 };
    let gap = large.letters;
    // Above each picture its name, below it what is done with it.
    let around = 1.6 * large.letters + 2.2 * large.controls;
    let by_width = (room.width() - (1.0 + middle) * gap) / (2.0 + middle * MIDDLE);
    let big = by_width.min(room.height() - around).max(40.0).floor();
    let narrow = ((room.width() - (1.0 + middle) * gap - 2.0 * big) / middle).max(40.0).floor();
    let mut left = room.left();
    let mut column = |ui: &mut Ui, width: f32, part: Part, contents: &mut dyn FnMut(&mut Ui)| {
        let rect = Rect::from_min_max(pos2(left, room.top()), pos2(left + width, room.bottom()));
        left += width + gap;
        lit_ui(ui, look, part, rect);
        ui.scope_builder(
            UiBuilder::new().max_rect(rect).id_salt(left as i32).layout(Layout::top_down(Align::Min)),
            contents,
        );
    };
    column(ui, big, Part::Hospital, &mut |ui| {
        name_ui(ui, &hospital::caption(look), Role::Patient.color(ui), large.letters);
        hospital::original_ui(ui, look, big, views.pad, acts);
        let own = hospital::is_own(look);
        ui.horizontal_wrapped(|ui| hospital::controls_ui(ui, look, views.pad, own, acts));
    });
    if let Some(sent) = disguised {
        column(ui, narrow, Part::Hospital, &mut |ui| {
            name_ui(ui, t!("disguised"), Role::Disguised.color(ui), large.letters);
            let response = large_ui(ui, sent, narrow.min(big), t!("disguised: what the hospital's layers see"));
            inspected(&response, look, Subject::Disguised, acts);
        });
    }
    column(ui, narrow, Part::Wire, &mut |ui| {
        middle_ui(ui, look, large, vec2(narrow, room.height() - 1.6 * large.letters), acts);
    });
    column(ui, big, Part::Attacker, &mut |ui| {
        name_ui(ui, &Card::Attacker.caption(look), Role::Attacker.color(ui), large.letters);
        attacker::stolen_ui(ui, look, big, said(look).says, views.wipe, acts);
        ui.horizontal(|ui| attacker::film_ui(ui, look, acts));
    });
}

/// What a picture is.
fn name_ui(ui: &mut Ui, words: &str, color: Color32, letters: f32) {
    ui.add(Label::new(RichText::new(words).size(letters).color(color)).truncate());
}

/// What crosses, the cut, and what the server says.
fn middle_ui(ui: &mut Ui, look: Look<'_>, large: Large, room: Vec2, acts: &mut Vec<Act>) {
    let crossed = look.showing.scene.as_ref().map(|scene| shape(&scene.crossed));
    // In a narrow column its shape has no room.
    let crossed = crossed.filter(|_| room.x >= 9.5 * large.letters);
    let name = crossed.map_or_else(|| t!("wire").to_owned(), |crossed| t!("wire: {crossed}", crossed));
    name_ui(ui, &name, ui.visuals().strong_text_color(), large.letters);
    if let Some(smashed) = &look.textures.smashed {
        let side = room.x.min(room.y - 4.6 * large.letters).max(40.0);
        ui.vertical_centered(|ui| {
            let response = large_ui(ui, smashed, side, t!("smashed data, up: what the attacker works from"));
            inspected(&response, look, Subject::Smashed(0), acts);
        });
    }
    if let Some(facts) = &look.showing.facts {
        wire::cut_ui(ui, look, &facts.layers, acts);
    }
    if let Some((words, tip)) = server::decision(look) {
        let words = RichText::new(t!("server {words}", words)).size(large.letters).color(Role::Cleaned.color(ui));
        ui.add(Label::new(words).wrap()).on_hover_text(tip);
    }
}
