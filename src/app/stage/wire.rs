//! The wire's card: what crosses, how many bytes, and the cut as a handle that moves from layer to layer.

use eframe::egui::{
    CursorIcon, EventFilter, Key, Label, Rect, Response, RichText, Role as Kind, Sense, Shape, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use super::plan::{LINE, Sizes};
use super::{Pane, inspected};
use crate::app::hidden::Control;
use crate::app::lit::lit_ui;
use crate::app::subject::Subject;
use crate::app::theme::Role;
use crate::app::words::{bytes, shape};
use crate::app::{Act, Look, Source};
use crate::lesson::Part;
use crate::method::Ink;
use crate::run::facts::LayerFacts;

pub(super) fn wire_ui(ui: &mut Ui, look: Look<'_>, sizes: Sizes, acts: &mut Vec<Act>) {
    let Some(facts) = &look.showing.facts else {
        ui.label(t!(
            "All that crosses: numbers from behind the hospital's last layer, and the changes that the server wants."
        ));
        return;
    };
    cut_ui(ui, look, &facts.layers, acts);
    let bottom = 3.0 * LINE + 8.0;
    if let Some(smashed) = &look.textures.smashed {
        // Never so large as the pictures that are compared.
        let side = (ui.available_height() - bottom - LINE - 14.0).min(ui.available_width());
        let side = side.min(0.9 * sizes.big).max(30.0).floor();
        let pane = Pane {
            caption: t!("smashed data, up"),
            tip: t!(
                "What the hospital's layers make of the image, channel beside channel: what the attacker works from."
            ),
            role: None,
            ink: Some(Ink::Smashed),
        };
        ui.horizontal(|ui| {
            ui.add_space((0.5 * (ui.available_width() - side)).floor().max(0.0));
            inspected(&pane.ui(ui, smashed, side), look, Subject::Smashed(0), acts);
        });
    }
    arrow_ui(ui, true);
    if let Some(scene) = &look.showing.scene {
        let image = (scene.crossed.iter().product::<usize>() * size_of::<f32>()) as u64;
        let words = format!("{}, {}", shape(&scene.crossed), bytes(image));
        ui.add(Label::new(RichText::new(words).strong()).truncate())
            .on_hover_text(t!("What crosses for one image: channels, height, width; four bytes each"));
    }
    totals_ui(ui, look);
}

/// Bytes since the start of the run, defended and undefended.
fn totals_ui(ui: &mut Ui, look: Look<'_>) {
    let wire = look.state.wire;
    if wire.iter().all(|count| count.smashed_bytes == 0) {
        return;
    }
    let line = |ui: &mut Ui, words: String, tip: &str| {
        ui.add(Label::new(RichText::new(&words).weak().small()).truncate()).on_hover_text(format!("{words}\n{tip}"));
    };
    let titles = look.document.experiment().defence_titles();
    let defended = if titles.is_empty() { t!("defended") } else { &titles };
    for (name, count) in [defended, t!("undefended")].iter().zip(wire).filter(|(_, count)| count.smashed_bytes > 0) {
        let [up, down] = [count.smashed_bytes, count.gradient_bytes].map(bytes);
        line(
            ui,
            t!("{name}: {up} up, {down} down", name, up, down),
            t!("Smashed data and gradients in training, so far"),
        );
    }
    let clean = wire[0].leaked_clean_bytes;
    if clean > 0 {
        let tip = t!("Smashed data of clean images, which the defence sends to be told the gradients.");
        line(ui, t!("{clean} of it undisguised", clean = bytes(clean)), tip);
    }
}

/// The network as a row of layers, the hospital's and the server's, with the cut between them.
pub(super) fn cut_ui(ui: &mut Ui, look: Look<'_>, layers: &[LayerFacts], acts: &mut Vec<Act>) {
    if layers.is_empty() {
        return;
    }
    let cut = shown_cut(look);
    let words = layers.get(cut.wrapping_sub(1)).map_or("", |layer| layer.words.as_str());
    let label = t!("Cut after layer {cut} of {layers}: {words}", cut, layers = layers.len(), words);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::slider(true, cut as f64, &label));
    lit_ui(ui, look, Part::Cut, rect);
    let step = rect.width() / layers.len() as f32;
    let edge = |after: usize| rect.left() + step * after as f32;
    let wanted = wanted_cut(ui, &response, cut, layers, |x| ((x - rect.left()) / step).round());
    if response.clicked() || response.drag_started() {
        // The arrow keys move it then.
        response.request_focus();
    }
    let fixed = look.hidden.has(Control::Cut);
    if let Some(wanted) = wanted.filter(|wanted| *wanted != cut && !fixed) {
        acts.push(Act::Cut(wanted));
    }
    let (ours, theirs) = (Role::Patient.color(ui), Role::Cleaned.color(ui));
    for (i, layer) in layers.iter().enumerate() {
        let block =
            Rect::from_min_max(pos2(edge(i) + 1.5, rect.top() + 9.0), pos2(edge(i + 1) - 1.5, rect.bottom() - 3.0));
        let color = if i < cut { ours } else { theirs };
        let faint = layer.crosses.is_none() && i + 1 != cut;
        ui.painter().rect_filled(block, 2.0, if faint { color.gamma_multiply(0.45) } else { color });
    }
    let held = response.hovered() || response.dragged() || response.has_focus();
    let line = Stroke::new(if held { 3.5 } else { 2.5 }, ui.visuals().strong_text_color());
    let x = edge(cut);
    ui.painter().line_segment([pos2(x, rect.top() + 2.0), pos2(x, rect.bottom())], line);
    let knob = vec![pos2(x - 6.0, rect.top()), pos2(x + 6.0, rect.top()), pos2(x, rect.top() + 8.0)];
    if !fixed {
        ui.painter().add(Shape::convex_polygon(knob, line.color, Stroke::NONE));
    }
    let response = response.on_hover_cursor(if fixed { CursorIcon::Default } else { CursorIcon::ResizeHorizontal });
    if let Some(at) = response.hover_pos().filter(|_| !response.dragged()) {
        let under = (((at.x - rect.left()) / step) as usize).min(layers.len() - 1);
        response.on_hover_text(layer_words(under, cut, &layers[under]));
    }
    ui.add(Label::new(t!("layer {cut} of {layers}: {words}", cut, layers = layers.len(), words)).truncate());
}

/// What the handle says of a layer.
fn layer_words(i: usize, cut: usize, layer: &LayerFacts) -> String {
    let side = if i < cut { t!("the hospital's") } else { t!("the server's") };
    let crosses = match &layer.crosses {
        Some(sides) => t!("Cut after it, {sides} numbers would cross.", sides = shape(sides)),
        None => t!("The network cannot be cut after it.").to_owned(),
    };
    let how = t!("Drag the cut, or use the arrow keys: the theft starts again at once.");
    t!("Layer {i}, {words}, {side}. {crosses}\n{how}", i = i + 1, words = layer.words, side, crosses, how)
}

/// The cut of what is shown: the opening's is its own.
fn shown_cut(look: Look<'_>) -> usize {
    let experiment = look.document.experiment();
    match look.showing.source {
        Source::Opening => experiment.first_cut(),
        Source::Live => experiment.model.cut,
        Source::Run => look.showing.facts.as_ref().map_or(experiment.model.cut, |facts| facts.cut),
    }
}

/// Where the handle was dragged or moved by keys, among the cuts that can be.
fn wanted_cut(
    ui: &Ui,
    response: &Response,
    cut: usize,
    layers: &[LayerFacts],
    after: impl Fn(f32) -> f32,
) -> Option<usize> {
    let can = |cut: &usize| cut.checked_sub(1).and_then(|i| layers.get(i)).is_some_and(|layer| layer.crosses.is_some());
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (left, right) = ui.input(|input| (input.key_pressed(Key::ArrowLeft), input.key_pressed(Key::ArrowRight)));
        if right {
            return (cut + 1..=layers.len()).find(can);
        }
        if left {
            return (1..cut).rev().find(can);
        }
    }
    if !(response.dragged() || response.clicked()) {
        return None;
    }
    let at = after(response.interact_pointer_pos()?.x).max(1.0) as usize;
    (1..=layers.len()).filter(can).min_by_key(|cut| cut.abs_diff(at))
}

fn arrow_ui(ui: &mut Ui, up: bool) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Kind::Image, true, t!("From the hospital to the server")));
    let color = ui.visuals().strong_text_color();
    let (from, to) = if up { (rect.left(), rect.right()) } else { (rect.right(), rect.left()) };
    let (y, back) = (rect.center().y, if up { -9.0 } else { 9.0 });
    ui.painter().line_segment([pos2(from, y), pos2(to + back, y)], Stroke::new(2.0, color));
    let head = vec![pos2(to, y), pos2(to + back, y - 5.0), pos2(to + back, y + 5.0)];
    ui.painter().add(Shape::convex_polygon(head, color, Stroke::NONE));
}
