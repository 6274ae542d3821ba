//! What the frontier shows, made of the list of runs once.

use std::path::{Path, PathBuf};

use crate::app::RunEntry;
use crate::report::gather::Gathered;
use crate::report::points::{Leak, Point, points};
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
    paths: Vec<PathBuf>,
    points: Vec<Vec<Point>>,
}

impl Made {
    /// Of the list.
    pub fn of(runs: &[RunEntry]) -> Self {
        let mut sets: Vec<Vec<(&RunEntry, Summary)>> = Vec::new();
        for run in runs {
            // Attacks that were launched afterwards count like the run's own.
            let Some(summary) = run.summary().map(|own| own.clone().with(run.afterwards.clone())) else { continue };
            let same = |others: &&mut Vec<(&RunEntry, Summary)>| is_same(&others[0].1, &summary);
            match sets.iter_mut().find(same) {
                Some(set) => set.push((run, summary)),
                None => sets.push(vec![(run, summary)]),
            }
        }
        Self { sets: sets.into_iter().filter_map(Set::of).collect() }
    }
}

/// Whether two runs are of the same images.
fn is_same(a: &Summary, b: &Summary) -> bool {
    a.experiment.data.same_images(&b.experiment.data) && a.class_names == b.class_names
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
        let points: Vec<Vec<Point>> = Leak::ALL.map(|leak| points(&all, leak)).into();
        let some = points.iter().any(|points| !points.is_empty());
        let paths = judged.into_iter().map(|(run, _)| run.path.clone()).collect();
        some.then_some(Self { name, all, left_out: older.len(), paths, points })
    }

    /// Its points by a leak.
    pub fn points(&self, leak: Leak) -> &[Point] {
        Leak::ALL.iter().position(|one| *one == leak).map_or(&[], |at| &self.points[at])
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
