//! The workspaces: which panes each has, and how they are arranged.

use eframe::egui;
use egui_tiles::{Container, LinearDir, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

/// What a pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pane {
    /// A lesson, or the list of them.
    Lesson,
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
    /// Right answers against leaks, a point a setting.
    Frontier,
}

impl Pane {
    /// All, in their order.
    pub const ALL: [Self; 8] =
        [Self::Lesson, Self::Levers, Self::Curves, Self::Table, Self::Images, Self::Runs, Self::Cards, Self::Frontier];

    /// Its tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lesson => t!("Lesson"),
            Self::Levers => t!("Levers"),
            Self::Curves => t!("Curves"),
            Self::Table => t!("Table"),
            Self::Images => t!("Images"),
            Self::Runs => t!("Runs"),
            Self::Cards => t!("Paper vs this run"),
            Self::Frontier => t!("Frontier"),
        }
    }

    /// What it shows, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Lesson => t!("A lesson step by step, or the list of those that there are."),
            Self::Levers => t!("Image, cut, defence and attacker: the stage follows at once."),
            Self::Curves => t!("Accuracies, losses, leaks and gains as they are measured."),
            Self::Table => t!("What the run came to, row by row, and each attack beside it."),
            Self::Images => t!("Many images, and what each attack made of them."),
            Self::Runs => t!("Every run that was made: open, attack, compare, rename, delete."),
            Self::Cards => t!("The paper's claims, each beside the number that was measured here."),
            Self::Frontier => t!("Right answers against leaks, a point a setting: what no other setting beats."),
        }
    }
}

/// What one sits down to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Workspace {
    /// Play and see what follows.
    #[default]
    Teach,
    /// See what attackers get.
    Attack,
    /// Choose among runs.
    #[serde(alias = "Compare")]
    Decide,
}

/// Panes side by side, or one below the other, each with its share of the room.
enum Side {
    One(Pane),
    Below(&'static [Pane]),
}

impl Workspace {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Teach, Self::Attack, Self::Decide];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Teach => t!("Teach"),
            Self::Attack => t!("Attack"),
            Self::Decide => t!("Decide"),
        }
    }

    /// What it is for, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Teach => t!("The stage, a lesson, levers and curves: pull one and see what follows."),
            Self::Attack => t!("The stage, the stolen images, and what each attack came to."),
            Self::Decide => {
                t!("The runs, what no other setting beats, their tables, and the paper's claims beside them.")
            }
        }
    }

    /// Whether the stage stands above its panes.
    pub fn has_stage(self) -> bool {
        self != Self::Decide
    }

    /// Its panes side by side, each side with its share of the width.
    fn sides(self) -> &'static [(Side, f32)] {
        use Pane::{Cards, Curves, Frontier, Images, Lesson, Levers, Runs, Table};
        match self {
            Self::Teach => &[(Side::One(Lesson), 0.34), (Side::One(Levers), 0.3), (Side::One(Curves), 0.36)],
            Self::Attack => &[(Side::One(Images), 0.3), (Side::One(Curves), 0.35), (Side::One(Table), 0.35)],
            Self::Decide => &[(Side::Below(&[Frontier, Runs]), 0.5), (Side::Below(&[Table, Cards]), 0.5)],
        }
    }

    /// Its panes.
    pub fn panes(self) -> impl Iterator<Item = Pane> {
        self.sides()
            .iter()
            .flat_map(|(side, _)| match side {
                Side::One(pane) => std::slice::from_ref(pane),
                Side::Below(panes) => panes,
            })
            .copied()
    }

    /// The workspace to be in to see a pane: this one if it has it, else the first that has.
    #[must_use]
    pub fn with(self, pane: Pane) -> Self {
        let has = |workspace: &Self| workspace.panes().any(|its| its == pane);
        std::iter::once(self).chain(Self::ALL).find(has).unwrap_or(self)
    }

    /// Its tiles, as they are at first.
    pub fn tree(self) -> Tree<Pane> {
        let mut tiles = Tiles::default();
        let tab = |tiles: &mut Tiles<Pane>, pane: Pane| {
            let pane = tiles.insert_pane(pane);
            tiles.insert_tab_tile(vec![pane])
        };
        let mut sides: Vec<TileId> = Vec::new();
        for (side, _) in self.sides() {
            sides.push(match side {
                Side::One(pane) => tab(&mut tiles, *pane),
                Side::Below(panes) => {
                    let children = panes.iter().map(|pane| tab(&mut tiles, *pane)).collect();
                    tiles.insert_vertical_tile(children)
                }
            });
        }
        let root = tiles.insert_horizontal_tile(sides.clone());
        if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(root) {
            for (side, (_, share)) in sides.into_iter().zip(self.sides()) {
                linear.shares.set_share(side, *share);
            }
        }
        Tree::new(egui::Id::unique("panes"), root, tiles)
    }

    /// Whether an arrangement has each of its panes once and no other: what was kept by another version may not.
    pub fn fits(self, tree: &Tree<Pane>) -> bool {
        let panes =
            || tree.tiles.iter().filter_map(|(_, tile)| if let Tile::Pane(pane) = tile { Some(*pane) } else { None });
        let once = |pane: Pane| panes().filter(|p| *p == pane).count() == 1;
        tree.root().is_some() && self.panes().all(once) && panes().count() == self.panes().count()
    }
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

/// The panes' root, if they stand side by side.
pub fn side_by_side(tree: &Tree<Pane>) -> Option<TileId> {
    let root = tree.root()?;
    let tile = tree.tiles.get(root);
    matches!(tile, Some(Tile::Container(Container::Linear(linear))) if linear.dir == LinearDir::Horizontal)
        .then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workspace_has_at_most_four_panes_once_each_and_survives_being_kept() {
        for workspace in Workspace::ALL {
            let mut tree = workspace.tree();
            assert!(workspace.fits(&tree), "{workspace:?}");
            assert!(workspace.panes().count() + usize::from(workspace.has_stage()) <= 4, "{workspace:?}");
            for pane in workspace.panes() {
                assert!(is_shown(&tree, pane), "all are seen at once: {workspace:?} {pane:?}");
                show(&mut tree, pane);
            }
            let text = serde_json::to_string(&tree).unwrap();
            let back: Tree<Pane> = serde_json::from_str(&text).unwrap();
            assert!(workspace.fits(&back));
            for other in Workspace::ALL {
                assert_eq!(other.fits(&tree), other == workspace);
            }
        }
        assert!(!Workspace::Teach.fits(&Tree::empty(egui::Id::unique("x"))));
    }

    #[test]
    fn every_pane_is_in_a_workspace_and_one_stays_where_it_is() {
        for pane in Pane::ALL {
            assert!(Workspace::Teach.with(pane).panes().any(|its| its == pane), "{pane:?}");
        }
        assert_eq!(Workspace::Attack.with(Pane::Curves), Workspace::Attack);
        assert_eq!(Workspace::Teach.with(Pane::Table), Workspace::Attack);
    }
}
