//! Formulas beside the pictures, and the page of the method: what the core has as data, drawn.

mod boxes;
mod draw;
mod flow;
mod layout;
pub mod lit;
mod page;
mod panel;
mod sight;

use eframe::egui::{Button, Context, Key, Popup, Response, RichText, Role, Ui, WidgetInfo};

pub use page::{MethodView, method_ui};
pub use panel::{FormulaView, below_ui, beside_ui};

use self::draw::{Told, laid_ui};
use self::layout::Setter;
use crate::app::Act;
use crate::method::{Node, Place};

/// What the button for a part's formulas is called.
pub fn button_words(place: Place) -> &'static str {
    match place {
        Place::Hospital => t!("Formula of the disguise"),
        Place::Wire => t!("Formula of the smashed data"),
        Place::Server => t!("Formulas of the server"),
        Place::Attacker => t!("Formula of the attack"),
    }
}

/// The small button that opens a part's formulas, or closes them.
pub fn button_ui(ui: &mut Ui, place: Place, open: Option<Place>) -> Option<Act> {
    let chosen = open == Some(place);
    let words = RichText::new("ƒ").size(14.0).strong();
    let button = ui.add(Button::selectable(chosen, words).frame_when_inactive(true).small());
    button.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, button_words(place)));
    let tip = t!("{formula}, with the numbers of this picture", formula = button_words(place));
    button.on_hover_text(tip).clicked().then_some(Act::Formula((!chosen).then_some(place)))
}

/// Escape closes the formulas, unless something else is to be closed first.
pub fn closed_by_key(ctx: &Context, view: &FormulaView) -> Option<Act> {
    let free = !Popup::is_any_open(ctx) && !ctx.text_edit_focused();
    let pressed = view.open.is_some() && free && ctx.input(|input| input.key_pressed(Key::Escape));
    pressed.then_some(Act::Formula(None))
}

/// Draws a formula in letters of a size, in the room that there is.
fn formula_ui(ui: &mut Ui, node: &Node, size: f32, plain: &str, told: Told<'_>) -> Response {
    let laid = Setter { ctx: ui.ctx(), size }.fit(node, ui.available_width() - 4.0);
    laid_ui(ui, &laid, plain, told)
}

#[cfg(test)]
mod tests;
