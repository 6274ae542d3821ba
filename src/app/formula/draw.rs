//! Boxes drawn: each symbol in the colour and over the line of its picture, and named for who points at it or comes by the
//! keyboard.

use eframe::egui::{
    Color32, CornerRadius, EventFilter, Id, Key, Rect, Response, Role as Kind, Sense, Shape as Drawn, Stroke,
    StrokeKind, Tooltip, Ui, Vec2, WidgetInfo, vec2,
};

use super::boxes::{Laid, Point, Shape, Tone, baseline};
use super::lit;
use crate::app::theme::Role;
use crate::method::{Ink, Symbol};

/// Width of what is told of a symbol.
const TIP: f32 = 300.0;

/// Whose colour a symbol has.
pub(super) fn role(ink: Ink) -> Option<Role> {
    match ink {
        Ink::Patient => Some(Role::Patient),
        Ink::Disguised => Some(Role::Disguised),
        Ink::Cleaned => Some(Role::Cleaned),
        Ink::Fused => Some(Role::FusedStream),
        Ink::Decision => Some(Role::Decision),
        Ink::Attacker => Some(Role::Attacker),
        Ink::Plain | Ink::Map | Ink::Smashed | Ink::Found => None,
    }
}

fn color(ui: &Ui, symbol: Option<&Symbol>, tone: Tone) -> Color32 {
    let plain = if tone == Tone::Strong { ui.visuals().strong_text_color() } else { ui.visuals().text_color() };
    symbol.and_then(|symbol| role(symbol.ink)).map_or(plain, |role| role.color(ui))
}

/// The line below a symbol: dotted, dashed and so on, as the role's curves are drawn.
fn underline(ui: &Ui, rect: Rect, symbol: &Symbol) {
    let Some(role) = role(symbol.ink) else { return };
    let y = ui.painter().round_to_pixel_center(rect.bottom() + 2.0);
    let ends = [rect.left_bottom(), rect.right_bottom()].map(|end| eframe::egui::pos2(end.x, y));
    let stroke = Stroke::new(if role == Role::Decision { 1.8 } else { 1.0 }, role.color(ui));
    let painter = ui.painter();
    match role {
        Role::Disguised => painter.extend(Drawn::dotted_line(&ends, stroke.color, 2.6, 0.7)),
        Role::Cleaned => painter.extend(Drawn::dashed_line(&ends, stroke, 4.0, 2.0)),
        Role::Attacker => {
            painter.extend(Drawn::dashed_line_with_offset(&ends, stroke, &[4.0, 1.2], &[1.8, 1.8], 0.0));
        }
        Role::Patient | Role::FusedStream | Role::Decision => {
            painter.line_segment(ends, stroke);
        }
    }
}

/// Draws a box whose left end of the baseline is at a place; symbols of this ink stand out.
pub(super) fn paint(ui: &Ui, laid: &Laid, at: Vec2, standing_out: Option<Ink>) {
    let painter = ui.painter();
    for (rect, point) in &laid.points {
        let Point::Symbol(symbol) = point else { continue };
        if standing_out.is_some_and(|ink| ink == symbol.ink) {
            let fill = ui.visuals().selection.bg_fill.gamma_multiply(0.55);
            painter.rect_filled(rect.translate(at).expand(2.0), CornerRadius::same(2), fill);
        }
    }
    for (place, shape, tone, symbol) in &laid.shapes {
        let color = color(ui, *symbol, *tone);
        let place = *place + at;
        match shape {
            Shape::Glyphs(galley) => {
                painter.galley((place - vec2(0.0, baseline(galley))).to_pos2(), galley.clone(), color);
            }
            Shape::Path(points, thick) => {
                painter.add(Drawn::line(
                    points.iter().map(|point| (*point + place).to_pos2()).collect(),
                    Stroke::new(*thick, color),
                ));
            }
            Shape::Tag(size) => {
                let rect = Rect::from_min_size(place.to_pos2(), *size);
                painter.rect_stroke(
                    rect,
                    CornerRadius::same(3),
                    Stroke::new(1.0, color.gamma_multiply(0.7)),
                    StrokeKind::Inside,
                );
            }
        }
    }
    for (rect, point) in &laid.points {
        if let Point::Symbol(symbol) = point {
            underline(ui, rect.translate(at), symbol);
        }
    }
}

/// What is told of what is pointed at: its name, and its value now.
pub(super) type Told<'a> = &'a dyn Fn(&'static Symbol) -> Option<String>;

/// Draws a box as a control of its own, told to screen readers in plain text. The arrow keys go from symbol to symbol. Its
/// symbols light up their pictures.
pub(super) fn laid_ui(ui: &mut Ui, laid: &Laid, plain: &str, told: Told<'_>) -> Response {
    let has_symbols = laid.points.iter().any(|(_, point)| matches!(point, Point::Symbol(_)));
    let sense = if has_symbols { Sense::focusable_noninteractive() } else { Sense::hover() };
    let margin = vec2(1.0, 4.0);
    let (rect, response) = ui.allocate_exact_size(vec2(laid.width, laid.height()) + 2.0 * margin, sense);
    response.widget_info(|| WidgetInfo::labeled(Kind::Label, true, plain));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let at = rect.min.to_vec2() + margin + vec2(0.0, laid.up);
    paint(ui, laid, at, lit::pictured(ui.ctx()));
    let under = response.hover_pos().and_then(|pointer| {
        let inside = |(place, _): &&(Rect, Point)| place.translate(at).expand(2.0).contains(pointer);
        // The smallest of those that lie in each other.
        laid.points.iter().filter(inside).min_by(|a, b| a.0.area().total_cmp(&b.0.area()))
    });
    let chosen = under.or_else(|| by_keys(ui, &response, laid));
    if response.has_focus() {
        ui.painter().rect_stroke(rect, CornerRadius::same(3), ui.visuals().selection.stroke, StrokeKind::Outside);
    }
    if let Some((place, point)) = chosen {
        point_ui(ui, &response, place.translate(at), point, told);
    }
    response
}

/// The symbol that was chosen with the arrow keys, while the box has the keyboard's focus.
fn by_keys<'a>(ui: &Ui, response: &Response, laid: &'a Laid) -> Option<&'a (Rect, Point)> {
    if !response.has_focus() || laid.points.is_empty() {
        return None;
    }
    let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (left, right) = ui.input(|input| (input.key_pressed(Key::ArrowLeft), input.key_pressed(Key::ArrowRight)));
    let last = laid.points.len() - 1;
    let place = response.id.with("chosen");
    let at: usize = ui.data(|data| data.get_temp(place)).unwrap_or(0);
    let at = at.saturating_add_signed(isize::from(right) - isize::from(left)).min(last);
    ui.data_mut(|data| data.insert_temp(place, at));
    laid.points.get(at)
}

/// The name of what is pointed at, and its value.
fn point_ui(ui: &Ui, response: &Response, place: Rect, point: &Point, told: Told<'_>) {
    let words = match point {
        Point::Symbol(symbol) => {
            lit::light(ui.ctx(), symbol.ink);
            ui.painter().rect_stroke(
                place.expand(2.0),
                CornerRadius::same(2),
                Stroke::new(1.0, color(ui, Some(symbol), Tone::Strong)),
                StrokeKind::Outside,
            );
            match told(symbol) {
                Some(value) => format!("{}: {value}", symbol.name),
                None => symbol.name.to_owned(),
            }
        }
        Point::Mark(mark) => format!("{mark}: {}", mark_words(mark)),
    };
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(words.clone()));
    let id = Id::unique("what a symbol is").with(response.id);
    let layer = response.layer_id;
    Tooltip::always_open(ui.ctx().clone(), layer, id, place.expand(4.0)).width(TIP).show(|ui| {
        ui.label(words);
    });
}

/// Whose word a mark says that something is.
pub(super) fn mark_words(mark: &str) -> String {
    let says = |letter: &str| mark.split([';', ',', ' ']).any(|word| word == letter);
    let mut words = Vec::new();
    if says("A") {
        words.push(t!("the paper's abstract"));
    }
    if says("E") {
        words.push(t!("the paper's equations, known at second hand"));
    }
    if says("here") {
        words.push(t!("our own choice, not the paper's word"));
    }
    words.join("; ")
}
