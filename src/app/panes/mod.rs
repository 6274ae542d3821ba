//! The panes below the stage, drawn.

pub mod cards;
pub mod curves;
#[cfg(test)]
mod fixture;
pub mod frontier;
mod goal;
pub mod images;
pub mod lesson;
pub mod levers;
pub mod runs;
pub mod table;

pub use self::runs::ago;
#[cfg(test)]
pub(in crate::app) use self::runs::samples;

use eframe::egui::{self, Ui, UiBuilder, WidgetText, vec2};
use egui_tiles::{Behavior, Container, LinearDir, SimplificationOptions, Tile, TileId, Tree, UiResponse};

use super::lit::lit_ui;
use super::workspace::{Pane, side_by_side};
use super::{Act, Look, View};
use crate::lesson::Part;

/// Below this width, as with large text, what stands side by side is drawn one below the other.
pub const SIDE_BY_SIDE: f32 = 760.0;
/// The same where they are scrolled: height is free there, and a table needs the width.
const SCROLLED_SIDE_BY_SIDE: f32 = 1000.0;
/// Height of one of those.
const FOLDED: f32 = 380.0;

/// Draws the panes.
pub fn panes_ui(ui: &mut Ui, tree: &mut Tree<Pane>, look: Look<'_>, view: &mut View, acts: &mut Vec<Act>) {
    let root = side_by_side(tree).filter(|_| ui.available_width() < SIDE_BY_SIDE);
    turned_ui(ui, tree, root, &mut Drawn { look, view, acts });
}

/// Draws them as high as they want to be, without the one that stands `apart`.
pub fn scrolled_ui(
    ui: &mut Ui,
    tree: &mut Tree<Pane>,
    (width, least): (f32, f32),
    apart: Option<Pane>,
    contents: (Look<'_>, &mut View, &mut Vec<Act>),
) {
    let (look, view, acts) = contents;
    let apart = apart.and_then(|pane| tree.tiles.find_pane(&pane));
    // For this frame alone, as the direction: how somebody arranged them is kept.
    let show = |tree: &mut Tree<Pane>, shown| apart.into_iter().for_each(|tile| tree.tiles.set_visible(tile, shown));
    show(tree, false);
    let root = side_by_side(tree).filter(|_| width < SCROLLED_SIDE_BY_SIDE);
    let below = root.map_or(0, |root| below(tree, root));
    let height = if below > 0 { FOLDED * below as f32 } else { 340.0 };
    let (rect, _) = ui.allocate_exact_size(vec2(width, height.max(least)), egui::Sense::hover());
    ui.scope_builder(UiBuilder::new().max_rect(rect).id_salt("panes"), |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(rect));
        turned_ui(ui, tree, root, &mut Drawn { look, view, acts });
    });
    show(tree, true);
}

/// How many stand below each other once those side by side do: the panes of each side that are seen.
fn below(tree: &Tree<Pane>, root: TileId) -> usize {
    let Some(Tile::Container(container)) = tree.tiles.get(root) else { return 0 };
    let of_side = |side: &TileId| match tree.tiles.get(*side) {
        Some(Tile::Container(Container::Linear(linear))) if linear.dir == LinearDir::Vertical => {
            linear.children.iter().filter(|pane| tree.tiles.is_visible_in_layout(**pane)).count().max(1)
        }
        _ => 1,
    };
    container.children().filter(|side| tree.tiles.is_visible_in_layout(**side)).map(of_side).sum()
}

/// Draws them with those of `root` one below the other; how somebody arranged them is kept.
fn turned_ui(ui: &mut Ui, tree: &mut Tree<Pane>, root: Option<TileId>, drawn: &mut Drawn<'_>) {
    turn(tree, root, LinearDir::Vertical);
    tree.ui(drawn, ui);
    turn(tree, root, LinearDir::Horizontal);
}

fn turn(tree: &mut Tree<Pane>, root: Option<TileId>, dir: LinearDir) {
    if let Some(Tile::Container(Container::Linear(linear))) = root.and_then(|root| tree.tiles.get_mut(root)) {
        linear.dir = dir;
    }
}

struct Drawn<'a> {
    look: Look<'a>,
    view: &'a mut View,
    acts: &'a mut Vec<Act>,
}

impl Behavior<Pane> for Drawn<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        let Self { look, view, acts } = self;
        let part = match pane {
            Pane::Levers => Some(Part::Levers),
            Pane::Curves => Some(Part::Curves),
            Pane::Table => Some(Part::Table),
            Pane::Images => Some(Part::Images),
            Pane::Frontier => Some(Part::Frontier),
            Pane::Lesson | Pane::Runs | Pane::Cards => None,
        };
        if let Some(part) = part {
            lit_ui(ui, *look, part, ui.max_rect().shrink(4.0));
        }
        egui::Frame::new().inner_margin(6.0).show(ui, |ui| match pane {
            Pane::Lesson => lesson::lesson_ui(ui, *look, acts),
            Pane::Levers => levers::levers_ui(ui, *look, acts),
            Pane::Curves => {
                let before = view.curves.epoch;
                curves::curves_ui(ui, *look, &mut view.curves, acts);
                if view.curves.epoch != before {
                    view.images.show_epoch(view.curves.epoch);
                }
            }
            Pane::Table => table::table_ui(ui, *look, &mut view.table, acts),
            Pane::Images => {
                let before = view.images.epoch();
                images::images_ui(ui, *look, &mut view.images, acts);
                if view.images.epoch() != before {
                    view.curves.epoch = view.images.epoch();
                }
            }
            Pane::Runs => runs::runs_ui(ui, *look, &mut view.runs, acts),
            Pane::Cards => cards::cards_ui(ui, *look, acts),
            Pane::Frontier => frontier::frontier_ui(ui, *look, &mut view.frontier, acts),
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        pane.title().into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }
}
