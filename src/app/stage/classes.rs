//! What the gradient that the attacker sees says of each class: the last layer's, a bar a class. Bars below the line are of
//! classes that occur, so that whoever sees the gradient has read the label.

use eframe::egui::{Align2, FontId, Label, Rect, RichText, Role as Kind, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::app::Look;
use crate::app::theme::Role;

/// Height of the bars with the classes' names below them.
const HEIGHT: f32 = 74.0;
const NAMES: f32 = 14.0;
/// The words above them take so much at most.
const WORDS: f32 = 40.0;
/// More classes have no room side by side.
const MOST: usize = 24;

/// Draws them where the attacker sees a gradient and there is room.
pub(super) fn classes_ui(ui: &mut Ui, look: Look<'_>) {
    let Some(scene) = look.showing.scene.as_ref().filter(|_| !look.showing.waits) else { return };
    let values = scene.classes.as_slice();
    if values.is_empty() || values.len() > MOST || ui.available_height() < HEIGHT + WORDS {
        return;
    }
    let facts = look.showing.facts.as_ref();
    let name = |class: usize| facts.map_or_else(|| class.to_string(), |facts| facts.class(class));
    let below: Vec<String> = (0..values.len()).filter(|class| values[*class] < 0.0).map(name).collect();
    let tip = t!(
        "The gradient by the last layer's bias: each class' share in the answer minus 1 where it is the true one, over {n} \
         images on average. Below 0: {below}",
        n = scene.stamp.batch,
        below = below.join(", ")
    );
    ui.add_space(6.0);
    let words = RichText::new(t!("What the last layer's gradient says of each class")).weak();
    ui.add(Label::new(words).wrap()).on_hover_text(&tip);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let alt = t!("Gradient by class, below 0: {below}", below = below.join(", "));
    response.widget_info(|| WidgetInfo::labeled(Kind::Label, true, &alt));
    response.on_hover_text(tip);
    bars_ui(ui, rect, values, &name);
}

fn bars_ui(ui: &Ui, rect: Rect, values: &[f32], name: &dyn Fn(usize) -> String) {
    let (bars, column) = (rect.with_max_y(rect.bottom() - NAMES), rect.width() / values.len() as f32);
    let most = values.iter().copied().fold(0.0_f32, f32::max);
    let least = values.iter().copied().fold(0.0_f32, f32::min);
    let scale = bars.height() / (most - least).max(f32::MIN_POSITIVE);
    let zero = bars.top() + most * scale;
    let (plain, read) = (ui.visuals().weak_text_color(), Role::Attacker.color(ui));
    for (class, value) in values.iter().enumerate() {
        let left = rect.left() + class as f32 * column;
        let color = if *value < 0.0 { read } else { plain };
        let [from, to] = [0.15, 0.85].map(|share| left + share * column);
        let tip = zero - value * scale;
        let bar = Rect::from_min_max(pos2(from, zero.min(tip)), pos2(to, zero.max(tip).max(zero.min(tip) + 1.0)));
        ui.painter().rect_filled(bar, 0.0, color);
        let words = ui.painter().layout_no_wrap(name(class), FontId::proportional(11.0), color);
        if words.size().x <= column {
            let at = pos2(left + 0.5 * column, rect.bottom());
            ui.painter().galley(Align2::CENTER_BOTTOM.anchor_size(at, words.size()).min, words, color);
        }
    }
    ui.painter().hline(rect.x_range(), zero, Stroke::new(1.0, ui.visuals().text_color()));
}
