//! Stage and panes: one above the other, or where there is no room for both one page that is scrolled.

use eframe::egui::{self, CursorIcon, EventFilter, Id, Key, Panel, Ui, vec2};
use egui_tiles::Tree;

use super::formula;
use super::panes;
use super::present;
use super::stage::{self, Lectern, Plan, Views};
use super::workspace::{Pane, place};
use super::{Act, Look, View};

/// Height of the stage's lower edge.
const HANDLE: f32 = 7.0;
/// Height of a tab, about.
const TAB: f32 = 30.0;

/// Draws what stands above stage and panes. Where these are `scrolled` it lies over them: the panes' tiles do not keep to
/// the page's edge.
pub fn above_ui(ui: &mut Ui, scrolled: bool, contents: impl FnOnce(&mut Ui)) {
    if !scrolled {
        contents(ui);
        return;
    }
    let window = ui.max_rect();
    let place = Id::unique("height above the page");
    let area = egui::Area::new(Id::unique("above the page")).order(egui::Order::Middle).fixed_pos(window.min);
    let area = area.constrain(false).movable(false).show(ui.ctx(), |ui| {
        ui.set_max_size(window.size());
        ui.set_width(window.width());
        let bottom = |ui: &Ui| ui.available_rect_before_wrap().top();
        contents(ui);
        bottom(ui) - window.top()
    });
    let before = ui.data_mut(|data| data.get_temp::<f32>(place));
    if before != Some(area.inner) {
        ui.data_mut(|data| data.insert_temp(place, area.inner));
        ui.ctx().request_discard("the bar has another height");
    }
    Panel::top("room above the page").exact_size(area.inner).show_separator_line(false).show(ui, |_| {});
}

/// Draws both. Returns where the stage is, if all of it is in the window.
pub fn page_ui(
    ui: &mut Ui,
    look: Look<'_>,
    plan: &Plan,
    tree: &mut Tree<Pane>,
    view: &mut View,
    acts: &mut Vec<Act>,
) -> Option<egui::Rect> {
    if look.presenting {
        return Some(present::present_ui(ui, look, view, acts));
    }
    let ground = egui::Frame::new().fill(ui.visuals().panel_fill);
    view.curves.scrolled = plan.fixed.is_none();
    if let Some(lectern) = plan.lectern {
        lectern_ui(ui, lectern, ground, look, acts);
    }
    let Some(height) = plan.fixed else {
        if look.workspace.has_stage() {
            formula::below_ui(ui, look, &mut view.formula, acts);
        }
        let margin = egui::Margin { left: 8, right: 8, top: 2, bottom: 0 };
        egui::CentralPanel::no_frame().frame(ground.inner_margin(margin)).show(ui, |ui| {
            scrolled_ui(ui, look, plan, tree, view, acts);
        });
        return None;
    };
    // All panes are in sight.
    view.to_pane = None;
    if !look.workspace.has_stage() {
        egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| panes::panes_ui(ui, tree, look, view, acts));
        return None;
    }
    let window = ui.available_size() + vec2(0.0, stage::BAR);
    let stage = Panel::top("stage").exact_size(height).show_separator_line(false).show(ui, |ui| {
        stage::stage_ui(ui, look, plan, &mut Views::of(view), acts);
    });
    Panel::top("height of the stage").exact_size(HANDLE).show_separator_line(false).frame(ground).show(ui, |ui| {
        handle_ui(ui, height, Plan::heights(window, plan.lines), acts);
    });
    formula::beside_ui(ui, look, &mut view.formula, acts);
    egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| panes::panes_ui(ui, tree, look, view, acts));
    Some(stage.response.rect)
}

/// The stage's lower edge: dragged, or moved by the arrow keys; a double click puts it where it is at first.
fn handle_ui(ui: &mut Ui, height: f32, [least, most]: [f32; 2], acts: &mut Vec<Act>) {
    let rect = ui.max_rect();
    let response = ui.interact(rect, Id::unique("stage's edge"), egui::Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::slider(true, f64::from(height), t!("Height of the stage")));
    let mut wanted = None;
    if response.has_focus() {
        let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let by = f32::from(i8::from(pressed(Key::ArrowDown)) - i8::from(pressed(Key::ArrowUp)));
        wanted = (by != 0.0).then_some(height + 20.0 * by);
    }
    if response.drag_delta().y != 0.0 {
        // From where it was taken hold of: pictures grow by whole pixels, the edge follows the pointer.
        wanted = response.interact_pointer_pos().map(|at| height + at.y - rect.center().y);
    }
    if response.double_clicked() {
        acts.push(Act::StageHeight(None));
    } else if let Some(wanted) = wanted {
        acts.push(Act::StageHeight(Some(wanted.clamp(least, most))));
    }
    let held = response.hovered() || response.dragged() || response.has_focus();
    let visuals = &ui.visuals().widgets;
    let line = if held { visuals.hovered.fg_stroke } else { visuals.noninteractive.bg_stroke };
    ui.painter().hline(rect.x_range(), rect.center().y, line);
    response
        .on_hover_cursor(CursorIcon::ResizeVertical)
        .on_hover_text(t!("Drag: a larger stage, or more room below it"));
}

/// The lesson beside what is scrolled, or below it: its words are in sight wherever the page is.
fn lectern_ui(ui: &mut Ui, lectern: Lectern, ground: egui::Frame, look: Look<'_>, acts: &mut Vec<Act>) {
    let panel = match lectern {
        Lectern::Beside(width) => Panel::right("lesson beside the page").exact_size(width),
        Lectern::Below(height) => Panel::bottom("lesson below the page").exact_size(height),
    };
    panel.frame(ground.inner_margin(8)).show(ui, |ui| panes::lesson::lesson_ui(ui, look, acts));
}

/// Large text in a small window: everything is there, further down.
fn scrolled_ui(ui: &mut Ui, look: Look<'_>, plan: &Plan, tree: &mut Tree<Pane>, view: &mut View, acts: &mut Vec<Act>) {
    let room = ui.available_height();
    // The page's own bar lies over its margin.
    let allocated = std::mem::take(&mut ui.spacing_mut().scroll.floating_allocated_width);
    // Wider than the window only where even single cards are: they are scrolled too, and none is lost.
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().scroll.floating_allocated_width = allocated;
        let width = (ui.available_width() - 10.0).max(plan.width());
        ui.set_max_width(width);
        if look.workspace.has_stage() {
            ui.scope(|ui| stage::stage_ui(ui, look, plan, &mut Views::of(view), acts));
            ui.add_space(6.0);
        }
        // Without a stage above them the panes have at least the window.
        let least = if look.workspace.has_stage() { 0.0 } else { room };
        let apart = plan.lectern.map(|_| Pane::Lesson);
        panes::scrolled_ui(ui, tree, (width, least), apart, (look, view, acts));
        if let Some(place) = view.to_pane.take().filter(|pane| Some(*pane) != apart).and_then(|pane| place(tree, pane))
        {
            // Its tab stands above it.
            ui.scroll_to_rect(place.expand2(vec2(0.0, TAB)), Some(egui::Align::Min));
        }
        follow_focus(ui);
    });
}

/// Who goes through the controls by keyboard sees the one that has the focus.
fn follow_focus(ui: &Ui) {
    let focused = ui.memory(egui::Memory::focused);
    let last = Id::unique("focus that was followed");
    let before = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default::<Option<Id>>(last), focused));
    let moved = focused.filter(|_| focused != before).and_then(|id| ui.ctx().read_response(id));
    if let Some(response) = moved.filter(|response| response.layer_id == ui.layer_id()) {
        ui.scroll_to_rect(response.rect, None);
    }
}
