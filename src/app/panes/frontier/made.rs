//! What the frontier shows, made of the list of runs once.

use std::path::{Path, PathBuf};

use super::example::recorded;
use crate::app::RunEntry;
use crate::report::gather::Gathered;
use crate::report::points::{Leak, Point, Scored, scored};
use crate::run::summary::Summary;
use crate::score::verdict::is_attack;

/// Finished runs by their images: only those of the same images can be held against each other.
#[derive(Debug)]
pub(super) struct Made {
    /// Those with the newest run first.
    pub sets: Vec<Set>,
}

/// The runs of one set of images.
#[derive(Debug)]
pub(super) struct Set {
    /// What the images are called.
    pub name: String,
    /// What the runs say.
    pub all: Gathered,
    /// Runs that were judged by older rules.
    pub left_out: usize,
    /// Whether it is what was recorded for whoever has no runs, and for lessons.
    pub recorded: bool,
    paths: Vec<PathBuf>,
    /// By leak, naive attacks alone and all.
    points: Vec<[Vec<Point>; 2]>,
}

impl Made {
    /// Of the list.
    pub fn of(runs: &[RunEntry]) -> Self {
        let mut sets: Vec<Vec<(&RunEntry, Summary)>> = Vec::new();
        for run in runs {
            // Attacks that were launched afterwards count like the run's own.
            let Some(summary) = run.summary().map(|own| own.clone().with(run.afterwards.clone())) else { continue };
            let same = |others: &&mut Vec<(&RunEntry, Summary)>| others[0].1.same_images(&summary);
            match sets.iter_mut().find(same) {
                Some(set) => set.push((run, summary)),
                None => sets.push(vec![(run, summary)]),
            }
        }
        let mut sets: Vec<Set> = sets.into_iter().filter_map(Set::of).collect();
        sets.extend(Set::recorded());
        Self { sets }
    }

    /// The place of what was recorded.
    pub fn recorded(&self) -> Option<usize> {
        self.sets.iter().position(|set| set.recorded)
    }
}

/// Whether a run's attacks were judged by the present rules; one without attacks shows no leak.
fn is_judged(summary: &Summary) -> bool {
    summary.attacks.iter().filter(|record| is_attack(record)).all(|record| record.judged.is_some())
}

impl Set {
    /// None where no run has a point.
    fn of(runs: Vec<(&RunEntry, Summary)>) -> Option<Self> {
        let name = name(&runs[0].1.experiment.data.name);
        let (judged, older): (Vec<_>, Vec<_>) = runs.into_iter().partition(|(_, summary)| is_judged(summary));
        let all = Gathered::of(judged.iter().map(|(_, summary)| summary));
        let paths = judged.into_iter().map(|(run, _)| run.path.clone()).collect();
        Self { left_out: older.len(), paths, ..Self::of_all(name, all) }.with_points()
    }

    /// What was recorded; none if it cannot be read, which a test rules out.
    fn recorded() -> Option<Self> {
        let all = Gathered::of(recorded());
        Self { recorded: true, ..Self::of_all(t!("digits, a recorded example").to_owned(), all) }.with_points()
    }

    fn of_all(name: String, all: Gathered) -> Self {
        let both = |leak| [Scored::Naive, Scored::All].map(|by| scored(&all, leak, by));
        let points = Leak::ALL.map(both).into();
        Self { name, all, left_out: 0, recorded: false, paths: Vec::new(), points }
    }

    fn with_points(self) -> Option<Self> {
        self.points.iter().any(|both| both.iter().any(|points| !points.is_empty())).then_some(self)
    }

    /// Its points by a leak, counted by some of the attacks.
    pub fn points(&self, leak: Leak, by: Scored) -> &[Point] {
        let at = Leak::ALL.iter().position(|one| *one == leak);
        at.and_then(|at| self.points.get(at)).map_or(&[], |both| &both[usize::from(by == Scored::All)])
    }

    /// The folder of a setting's first seed.
    pub fn run(&self, setting: usize) -> Option<&PathBuf> {
        self.paths.get(*self.all.settings.get(setting)?.models.first()?.runs.first()?)
    }
}

/// A file's or folder's own name.
fn name(data: &str) -> String {
    Path::new(data).file_name().map_or_else(|| data.to_owned(), |name| name.to_string_lossy().into_owned())
}
