//! Which panes there are, and how they are arranged.

use eframe::egui;
use egui_tiles::{Container, Tile, Tiles, Tree};
use serde::{Deserialize, Serialize};

/// What a pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pane {
    /// The few settings that matter most, for the stage and the next run.
    Levers,
    /// Accuracies, losses, leaks and gains.
    Curves,
    /// What a run came to, and its attacks.
    Table,
    /// Many images, each attack's reconstruction.
    Images,
    /// Runs that were made.
    Runs,
    /// The paper's claims beside what was measured here.
    Cards,
    /// What happened.
    Log,
}

impl Pane {
    /// All, in their order.
    pub const ALL: [Self; 7] =
        [Self::Levers, Self::Curves, Self::Table, Self::Images, Self::Runs, Self::Cards, Self::Log];

    /// Its tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Levers => "Levers",
            Self::Curves => "Curves",
            Self::Table => "Table",
            Self::Images => "Images",
            Self::Runs => "Runs",
            Self::Cards => "Paper and here",
            Self::Log => "Log",
        }
    }

    /// What it shows, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Levers => "Image, cut, defence and attacker: the stage follows at once.",
            Self::Curves => "Accuracies, losses, leaks and gains as they are measured.",
            Self::Table => "What the run came to, row by row, and each attack beside it.",
            Self::Images => "Many images, and what each attack made of them.",
            Self::Runs => "Every run that was made: open, attack, compare, rename, delete.",
            Self::Cards => "The paper's claims, each beside the number that was measured here.",
            Self::Log => "What happened, line by line.",
        }
    }
}

/// A saved arrangement of the panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Levers beside the curves.
    #[default]
    Teach,
    /// Images beside the table.
    Attack,
    /// Runs beside the curves.
    Compare,
}

impl Layout {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Teach, Self::Attack, Self::Compare];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Teach => "teach",
            Self::Attack => "attack",
            Self::Compare => "compare",
        }
    }

    /// What it is for, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Teach => "Levers beside the curves: pull one and see what follows.",
            Self::Attack => "The stolen images beside the table of attacks.",
            Self::Compare => "The runs beside the curves.",
        }
    }

    /// The panes on its left and on its right; the first of each is on top.
    fn sides(self) -> [&'static [Pane]; 2] {
        use Pane::{Cards, Curves, Images, Levers, Log, Runs, Table};
        match self {
            Self::Teach => [&[Levers, Runs, Log], &[Curves, Table, Images, Cards]],
            Self::Attack => [&[Images, Levers, Runs, Log], &[Table, Curves, Cards]],
            Self::Compare => [&[Runs, Levers, Log], &[Curves, Table, Images, Cards]],
        }
    }

    /// The share of its left side.
    fn left(self) -> f32 {
        match self {
            Self::Teach => 0.34,
            Self::Attack => 0.5,
            Self::Compare => 0.46,
        }
    }

    /// Its tiles.
    pub fn tree(self) -> Tree<Pane> {
        let mut tiles = Tiles::default();
        let sides = self.sides().map(|panes| {
            let children = panes.iter().map(|pane| tiles.insert_pane(*pane)).collect();
            tiles.insert_tab_tile(children)
        });
        let root = tiles.insert_horizontal_tile(sides.to_vec());
        if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(root) {
            linear.shares.set_share(sides[0], self.left());
            linear.shares.set_share(sides[1], 1.0 - self.left());
        }
        Tree::new(egui::Id::unique("panes"), root, tiles)
    }
}

/// Whether an arrangement has every pane once: what was kept by another version may not.
pub fn complete(tree: &Tree<Pane>) -> bool {
    let has = |pane: &Pane| tree.tiles.iter().filter(|(_, tile)| matches!(tile, Tile::Pane(p) if p == pane)).count();
    tree.root().is_some() && Pane::ALL.iter().all(|pane| has(pane) == 1)
}

/// Brings a pane to the front.
pub fn show(tree: &mut Tree<Pane>, pane: Pane) {
    tree.make_active(|_, tile| matches!(tile, Tile::Pane(p) if *p == pane));
}

/// Whether a pane is in front.
pub fn is_shown(tree: &Tree<Pane>, pane: Pane) -> bool {
    tree.tiles.find_pane(&pane).is_some_and(|id| tree.active_tiles().contains(&id))
}

/// Where a pane was drawn, if it is in front.
pub fn place(tree: &Tree<Pane>, pane: Pane) -> Option<egui::Rect> {
    tree.tiles.find_pane(&pane).and_then(|id| tree.tiles.rect(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_every_pane_once_and_survives_being_kept() {
        for layout in Layout::ALL {
            let mut tree = layout.tree();
            assert!(complete(&tree), "{layout:?}");
            for pane in Pane::ALL {
                show(&mut tree, pane);
                assert!(is_shown(&tree, pane), "{layout:?} {pane:?}");
            }
            let text = serde_json::to_string(&tree).unwrap();
            let back: Tree<Pane> = serde_json::from_str(&text).unwrap();
            assert!(complete(&back));
        }
        assert!(!complete(&Tree::empty(egui::Id::unique("x"))));
    }
}
