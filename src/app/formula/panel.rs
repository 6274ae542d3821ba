//! The formulas of a part of the stage, beside the panes: the pictures that are compared stay uncovered.

use eframe::egui::{self, Button, Frame, Label, Panel, RichText, Role as Kind, ScrollArea, Ui, WidgetInfo};

use super::draw::laid_ui;
use super::flow::tag;
use super::formula_ui;
use super::sight::{AtWork, at_work};
use crate::app::choice::selectable_ui;
use crate::app::panes::SIDE_BY_SIDE;
use crate::app::{Act, Look};
use crate::method::{Live, Node, Place, Symbol};

/// Size of formulas, and of the symbols in the list.
const FORMULA: f32 = 17.0;
const LISTED: f32 = 14.0;
/// Width of the panel where it is beside the panes, which keep what they need to stand side by side.
const WIDTHS: [f32; 2] = [430.0, 640.0];
/// In less width a formula's mark has a line of its own.
const ROOMY: f32 = 470.0;

/// Which formulas are open.
#[derive(Debug, Default)]
pub struct FormulaView {
    /// Of which part of the stage.
    pub open: Option<Place>,
    /// Which of that part's formulas.
    chosen: &'static str,
    /// Those that were at work last: they stay until there are others.
    last: Option<(Place, Vec<AtWork>)>,
}

/// Draws the panel at the right of the panes, if it is open.
pub fn beside_ui(ui: &mut Ui, look: Look<'_>, view: &mut FormulaView, acts: &mut Vec<Act>) {
    let Some(place) = view.open else { return };
    let width = (ui.available_width() - SIDE_BY_SIDE - 8.0).clamp(WIDTHS[0], WIDTHS[1]).min(0.6 * ui.available_width());
    let panel = Panel::right("formulas").resizable(true).default_size(width).min_size(0.5 * width);
    panel.frame(frame(ui)).show(ui, |ui| panel_ui(ui, look, place, view, acts));
}

/// Draws it below everything, where stage and panes are scrolled as one page.
pub fn below_ui(ui: &mut Ui, look: Look<'_>, view: &mut FormulaView, acts: &mut Vec<Act>) {
    let Some(place) = view.open else { return };
    let height = 0.42 * ui.available_height();
    let panel = Panel::bottom("formulas below").resizable(true).default_size(height).min_size(90.0);
    panel.frame(frame(ui)).show(ui, |ui| panel_ui(ui, look, place, view, acts));
}

fn frame(ui: &Ui) -> Frame {
    Frame::new().fill(ui.visuals().panel_fill).inner_margin(egui::Margin::symmetric(10, 6))
}

fn panel_ui(ui: &mut Ui, look: Look<'_>, place: Place, view: &mut FormulaView, acts: &mut Vec<Act>) {
    if let Some(all) = at_work(look, place) {
        view.last = Some((place, all));
    }
    let all = view.last.as_ref().filter(|(of, _)| *of == place).map_or(&[][..], |(_, all)| all);
    let chosen = all.iter().find(|one| one.formula.id == view.chosen).or(all.first());
    let roomy = ui.available_width() >= ROOMY;
    ui.horizontal(|ui| {
        ui.label(RichText::new(title(place)).strong().size(15.0));
        if let Some(one) = chosen.filter(|_| roomy) {
            mark_ui(ui, one);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let close = ui.add(Button::new(t!("Close")).small());
            close.widget_info(|| WidgetInfo::labeled(Kind::Button, true, t!("Close the formulas")));
            if close.on_hover_text(t!("Escape does the same")).clicked() {
                acts.push(Act::Formula(None));
            }
            if let Some(one) = chosen {
                let tip = t!("Method: {title} ({source})", title = one.section.title, source = one.section.source);
                if ui.add(Button::new(t!("Read the section")).small()).on_hover_text(tip).clicked() {
                    acts.push(Act::Method(Some(one.section.id)));
                }
            }
        });
    });
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let Some(chosen) = chosen else {
            ui.add(Label::new(why_none(look, place)).wrap());
            return;
        };
        if all.len() > 1 {
            ui.horizontal_wrapped(|ui| {
                for one in all {
                    if selectable_ui(ui, one.formula.id == chosen.formula.id, one.formula.title).clicked() {
                        view.chosen = one.formula.id;
                    }
                }
            });
        }
        if !roomy {
            mark_ui(ui, chosen);
        }
        chosen_ui(ui, chosen);
    });
}

/// What a part does, above its formulas.
fn title(place: Place) -> &'static str {
    match place {
        Place::Hospital => t!("In the hospital"),
        Place::Wire => t!("On the wire"),
        Place::Server => t!("In the server"),
        Place::Attacker => t!("The attacker"),
    }
}

/// Why a part has no formula now.
fn why_none(look: Look<'_>, place: Place) -> &'static str {
    let defended = look.showing.scene.as_ref().is_some_and(|scene| scene.stamp.defended);
    match place {
        _ if look.showing.waits || look.showing.scene.is_none() => t!("The pictures are about to come."),
        Place::Hospital if !defended => {
            t!("Undefended nothing is disguised and there is no map: the hospital's layers see the image as it is.")
        }
        Place::Hospital => t!("This defence leaves the image as it is."),
        Place::Wire => t!("Nothing has crossed yet."),
        Place::Server => t!("The server has not answered yet."),
        Place::Attacker => t!("No attack has begun."),
    }
}

/// Whose word a formula is.
fn mark_ui(ui: &mut Ui, one: &AtWork) {
    let mark = one.formula.mark;
    if !mark.is_empty() {
        laid_ui(ui, &tag(ui.ctx(), mark, LISTED), &t!("Mark: {mark}", mark), &|_| None);
    }
}

/// A formula, the same with the numbers of this picture, and what its symbols are.
fn chosen_ui(ui: &mut Ui, one: &AtWork) {
    let node = match one.formula.parsed() {
        Ok(node) => node,
        Err(error) => {
            ui.label(error);
            return;
        }
    };
    let value = |symbol: &'static Symbol| one.live.iter().find(|live| live.sign == symbol.sign);
    let told = |symbol| value(symbol).map(|live: &Live| live.text.clone());
    let size = FORMULA;
    ui.spacing_mut().item_spacing.y = 4.0;
    formula_ui(ui, &node, size, &node.plain(), &told);
    let put = node.put_in(&|symbol| value(symbol).filter(|live| live.put).map(|live| live.text.clone()));
    if put != node {
        ui.label(RichText::new(t!("with the numbers of this picture:")).weak().small());
        formula_ui(ui, &put, size, &t!("with its numbers: {plain}", plain = put.plain()), &told);
    }
    ui.add_space(2.0);
    symbols_ui(ui, &node, one, &told);
}

/// Each symbol with its name and its value; then what is told besides.
fn symbols_ui(ui: &mut Ui, node: &Node, one: &AtWork, told: &dyn Fn(&'static Symbol) -> Option<String>) {
    let symbols = node.symbols();
    let row = |ui: &mut Ui, sign: &Node, name: &str, value: Option<String>| {
        let laid = super::Setter { ctx: ui.ctx(), size: LISTED }.lay(sign);
        ui.horizontal(|ui| {
            let start = ui.cursor().left();
            laid_ui(ui, &laid, &sign.plain(), told);
            ui.add_space((start + 64.0 - ui.cursor().left()).max(0.0));
            let words = match value {
                Some(value) => format!("{name}: {value}"),
                None => name.to_owned(),
            };
            ui.add(Label::new(words).wrap());
        });
    };
    for symbol in &symbols {
        if let Ok(sign) = crate::method::language::parse(symbol.sign) {
            row(ui, &Node::Named(symbol, Box::new(sign)), symbol.name, told(symbol));
        }
    }
    for live in one.live.iter().filter(|live| symbols.iter().all(|symbol| symbol.sign != live.sign)) {
        let sign = crate::method::language::parse(live.sign).unwrap_or(Node::Word(live.sign.to_owned()));
        row(ui, &sign, t!("now"), Some(live.text.clone()));
    }
}
