//! The paper's claims beside what was measured here.

mod claims;
mod findings;
mod kept;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use eframe::egui::{
    Align, Frame, Label, Layout, RichText, ScrollArea, Sense, Shape, Stroke, StrokeKind, Ui, pos2, vec2,
};

use crate::app::{Act, Look};
use crate::run::summary::Summary;
use crate::texts::say;
use claims::{CLAIMS, Claim};
use findings::Verdict;

/// From this width on there are two columns.
const TWO_COLUMNS: f32 = 600.0;
/// With fewer test images a standard error is above a point.
const FEW: usize = 500;

/// Draws the cards.
pub fn cards_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    // Attacks that were launched at the finished run count like its own.
    let all = look.state.summary.as_deref().map(|summary| {
        if summary.attacks.len() == look.state.attacks.len() {
            return Cow::Borrowed(summary);
        }
        Cow::Owned(Summary { attacks: look.state.attacks.clone(), ..summary.clone() })
    });
    let summary = all.as_deref();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let intro = if summary.is_some() {
            t!("Sizes are compared and nothing is called reproduced: data, network and \u{3b3} are ours. [A]: the \
                 paper's abstract, [E]: its equations at second hand.")
        } else {
            t!("Each claim of the paper gets its verdict when a run is done; until then, what will be measured. \
                 [A]: the paper's abstract, [E]: its equations at second hand.")
        };
        ui.add(Label::new(RichText::new(intro).weak()).wrap());
        if let Some(few) = summary.map(|summary| summary.experiment.data.test).filter(|n| (1..FEW).contains(n)) {
            let words = t!("Only {few} test images: differences of several points are chance here.", few);
            ui.add(Label::new(RichText::new(words).strong()).wrap());
        }
        ui.add_space(4.0);
        let columns = if ui.available_width() > TWO_COLUMNS { 2 } else { 1 };
        ui.columns(columns, |columns| {
            let count = columns.len();
            for (i, claim) in CLAIMS.iter().enumerate() {
                card_ui(&mut columns[i % count], claim, summary, acts);
            }
        });
    });
}

fn card_ui(ui: &mut Ui, claim: &Claim, summary: Option<&Summary>, acts: &mut Vec<Act>) {
    // A column's own layout would stretch words and buttons to its width.
    let frame = Frame::group(ui.style());
    let layout = Layout::top_down(Align::Min);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.with_layout(layout, |ui| inside_ui(ui, claim, summary, acts));
    });
    ui.add_space(2.0);
}

fn inside_ui(ui: &mut Ui, claim: &Claim, summary: Option<&Summary>, acts: &mut Vec<Act>) {
    let finding = claim.judge.finding(summary);
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.add(Label::new(RichText::new(say(claim.title)).strong()).wrap());
    ui.horizontal_wrapped(|ui| {
        let verdict = finding.as_ref().map(|finding| finding.verdict);
        shape_ui(ui, verdict);
        let word = match verdict {
            Some(verdict) => verdict.word(),
            None if summary.is_some() => t!("not measured in this run"),
            None => t!("not measured yet"),
        };
        ui.label(RichText::new(word).strong()).on_hover_text(t!("The rule: {rule}", rule = say(claim.rule)));
        if let Some(finding) = &finding {
            ui.label(t!("here: {here}", here = finding.here));
        }
        // In one piece: a value and its mark belong together.
        ui.add(Label::new(RichText::new(t!("paper: {paper}", paper = claim.paper)).weak()).extend());
    });
    let sentence = finding.as_ref().map_or(say(claim.measures), |finding| finding.sentence.as_str());
    ui.add(Label::new(sentence).wrap());
    let (text, tip, act) = &claim.test;
    if ui.button(say(text)).on_hover_text(say(tip)).clicked() {
        acts.push(act());
    }
}

/// A disc agrees, half a disc points the same way, a triangle differs, a hollow square compares with nothing; a hollow
/// disc waits.
fn shape_ui(ui: &mut Ui, verdict: Option<Verdict>) {
    let side = 0.8 * ui.text_style_height(&eframe::egui::TextStyle::Body);
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let color = ui.visuals().strong_text_color();
    let stroke = Stroke::new(1.5, color);
    let (painter, radius) = (ui.painter(), 0.45 * side);
    match verdict {
        Some(Verdict::Agrees) => {
            painter.circle_filled(rect.center(), radius, color);
        }
        // Half of a disc.
        Some(Verdict::SameDirection) => {
            painter.circle_stroke(rect.center(), radius, stroke);
            let left = rect.with_max_x(rect.center().x);
            painter.with_clip_rect(left).circle_filled(rect.center(), radius, color);
        }
        Some(Verdict::Differs) => {
            let corners = vec![pos2(rect.center().x, rect.top()), rect.right_bottom(), rect.left_bottom()];
            painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
        }
        Some(Verdict::NotComparable) => {
            painter.rect_stroke(rect.shrink(1.0), 0.0, stroke, StrokeKind::Inside);
        }
        None => {
            painter.circle_stroke(rect.center(), radius, stroke);
        }
    }
}
