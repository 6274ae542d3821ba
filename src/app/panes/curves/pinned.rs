//! Pinned runs in the curves: what their summaries tell by epoch, pale behind the shown run.

use std::path::PathBuf;
use std::sync::Arc;

use egui_plot::LineStyle;

use super::figure::{Against, Figure};
use super::ink::{DASHED, DOTTED};
use super::series::{Chart, Ghost, Settings};
use crate::app::{Look, RunEntry, State};
use crate::run::checkpoint::Position;

/// Dashes and dots by which pinned runs differ from each other.
const STYLES: [LineStyle; 4] =
    [DASHED, DOTTED, LineStyle::Dashed { length: 14.0 }, LineStyle::Dotted { spacing: 10.0 }];

/// The pinned runs that are finished, but for the shown one.
#[derive(Clone, Debug, Default)]
pub struct Pinned {
    runs: Vec<(String, Arc<State>)>,
    /// Counts the changes.
    pub generation: u64,
    /// Of which pins in which list beside which run.
    of: Option<(Vec<PathBuf>, u64, Option<PathBuf>)>,
}

impl Pinned {
    /// Takes the runs that are pinned now.
    pub fn update(&mut self, look: Look<'_>) {
        let (shown, list) = (look.state.folder.as_ref(), look.library.generation);
        let same = |of: &(Vec<PathBuf>, u64, Option<PathBuf>)| {
            of.0 == *look.pinned && (of.1 == list || of.0.is_empty()) && of.2.as_ref() == shown
        };
        if self.of.as_ref().is_some_and(same) {
            return;
        }
        let runs = look.pinned.iter().filter(|path| Some(*path) != shown).filter_map(|path| look.library.find(path));
        self.runs =
            runs.filter_map(|run| Some((t!("pinned: {name}", name = run.name), state_of(run)?.into()))).collect();
        self.of = Some((look.pinned.clone(), list, shown.cloned()));
        self.generation += 1;
    }

    /// Their curves in a figure that goes by epoch; others would want every step of theirs.
    pub fn ghosts(&self, figure: Figure, settings: &Settings) -> Vec<Ghost> {
        let by_epoch = match figure {
            Figure::Test => settings.against == Against::Epoch,
            other => other.by_epoch(),
        };
        let runs = self.runs.iter().zip(STYLES).filter(|_| by_epoch);
        let ghost = |((name, state), style): (&(String, Arc<State>), LineStyle)| {
            let series = Chart::of(figure, state, settings).series;
            (!series.is_empty()).then(|| Ghost { name: name.clone(), style, series })
        };
        runs.filter_map(ghost).collect()
    }
}

fn state_of(run: &RunEntry) -> Option<State> {
    let summary = run.summary()?.clone();
    let (rows, position) = (Vec::new(), Position::default());
    Some(State::of_run(&run.name, &run.path, rows, Some(summary), position, run.afterwards.clone()))
}
