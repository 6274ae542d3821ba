//! The chosen runs' curves over each other: a line a column, of several seeds their mean with a band of one standard
//! deviation.

use std::collections::BTreeSet;

use egui_plot::PlotPoint;

use super::columns::{Chosen, Column, columns};
use crate::report::gather::own_model;
use crate::report::points::Spread;
use crate::run::summary::Summary;
use crate::score::metrics::{ACCURACY, SSIM};
use crate::score::verdict::is_attack;
use crate::split::UNDEFENDED;
use crate::texts::say;

/// What is drawn by epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// Right answers on test images.
    #[default]
    Right,
    /// The worst leak of an attack that was launched after that epoch.
    Leak,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Strand {
    /// `A: dropout p 0.3`, as the legend has it.
    pub name: String,
    /// Its column, by place: the colour.
    pub column: usize,
    /// Whether it is of the undefended model beside the column's own.
    pub twin: bool,
    /// By epoch; of several seeds the mean, where all of them have a value.
    pub points: Vec<PlotPoint>,
    /// Of several seeds: (epoch, mean less one standard deviation, mean and one more).
    pub band: Vec<[f64; 3]>,
    /// The last value.
    pub last: Option<Spread>,
}

/// All lines of a measure.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Column by column, a twin after its own.
    pub strands: Vec<Strand>,
}

impl Measure {
    /// All, in their order.
    pub const ALL: [Self; 2] = [Self::Right, Self::Leak];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => t!("Test accuracy"),
            Self::Leak => t!("Worst SSIM"),
        }
    }

    /// What it is.
    pub fn help(self) -> String {
        match self {
            Self::Right => say(ACCURACY.help).to_owned(),
            Self::Leak => t!(
                "Of the attacks that were launched after an epoch, the one that came nearest. {help}",
                help = say(SSIM.help)
            ),
        }
    }

    /// From where to where it goes, and its digits and unit.
    pub fn scale(self) -> (f64, usize, &'static str) {
        match self {
            Self::Right => (100.0, ACCURACY.short, " %"),
            Self::Leak => (1.0, SSIM.short, ""),
        }
    }

    /// A model's values by epoch.
    fn of(self, summary: &Summary, model: &str) -> Vec<(usize, f64)> {
        let mut all: Vec<(usize, f64)> = match self {
            Self::Right => {
                let rows = summary.epochs.iter().filter(|row| row.model == model);
                rows.map(|row| (row.epoch, row.accuracy)).collect()
            }
            Self::Leak => {
                let own = summary.attacks.iter().filter(|record| record.target == model && is_attack(record));
                let own: Vec<(usize, f64)> = own.map(|record| (record.epoch, record.ssim)).collect();
                let epochs: BTreeSet<usize> = own.iter().map(|(epoch, _)| *epoch).collect();
                let worst = |epoch: usize| {
                    let all = own.iter().filter(|(its, ssim)| *its == epoch && ssim.is_finite()).map(|(_, ssim)| *ssim);
                    all.reduce(f64::max).map(|worst| (epoch, worst))
                };
                epochs.into_iter().filter_map(worst).collect()
            }
        };
        all.retain(|(_, value)| value.is_finite());
        all
    }
}

impl Overlay {
    /// The lines of these runs, those of one setting `pooled` or each by itself.
    pub fn of(chosen: &Chosen<'_>, pooled: bool, measure: Measure) -> Self {
        let mut strands = Vec::new();
        for (place, column) in columns(chosen, pooled).iter().enumerate() {
            strands.extend(strand(chosen, column, place, false, measure));
            strands.extend(strand(chosen, column, place, true, measure));
        }
        Self { strands }
    }
}

/// A column's line, or that of its twins; none without values.
fn strand(chosen: &Chosen<'_>, column: &Column, place: usize, twin: bool, measure: Measure) -> Option<Strand> {
    let values = |run: &usize| {
        let summary = &chosen.summaries[*run];
        let own = own_model(summary);
        match (twin, own.as_str()) {
            (false, own) => Some(measure.of(summary, own)),
            (true, UNDEFENDED) => None,
            (true, _) => Some(measure.of(summary, UNDEFENDED)),
        }
    };
    let all: Vec<Vec<(usize, f64)>> = column.runs.iter().filter_map(values).filter(|all| !all.is_empty()).collect();
    let epochs: BTreeSet<usize> = all.iter().flatten().map(|(epoch, _)| *epoch).collect();
    let at = |epoch: usize| {
        let each = all.iter().map(|one| one.iter().find(|(its, _)| *its == epoch).map(|(_, value)| *value));
        Some((epoch as f64, Spread::of(each.collect::<Option<_>>()?)?))
    };
    let spreads: Vec<(f64, Spread)> = epochs.into_iter().filter_map(at).collect();
    let last = spreads.last().map(|(_, spread)| spread.clone())?;
    let name = format!("{}: {}", column.letter, column.name);
    let band = |(epoch, spread): &(f64, Spread)| {
        let sd = spread.deviation()?;
        Some([*epoch, spread.mean - sd, spread.mean + sd])
    };
    Some(Strand {
        name: if twin { t!("{name}, its undefended twin", name) } else { name },
        column: place,
        twin,
        points: spreads.iter().map(|(epoch, spread)| PlotPoint::new(*epoch, spread.mean)).collect(),
        band: spreads.iter().filter_map(band).collect(),
        last: Some(last),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{finished, run};
    use super::*;
    use crate::app::RunEntry;
    use crate::report::samples;

    fn overlay(runs: &[RunEntry], pooled: bool, measure: Measure) -> Overlay {
        let all: Vec<&RunEntry> = runs.iter().collect();
        Overlay::of(&Chosen::of(&all).unwrap(), pooled, measure)
    }

    #[test]
    fn seeds_become_a_mean_with_a_band_of_one_standard_deviation() {
        let with = |seed: u64, last: f64| {
            let mut summary = samples::defended(seed, "dropout", &[]);
            summary.epochs[1].accuracy = last;
            finished(&format!("s{seed}"), summary)
        };
        let runs = [with(0, 88.0), with(1, 90.0), with(2, 92.0)];
        let [strand] = &overlay(&runs, true, Measure::Right).strands[..] else { panic!("one line") };
        assert_eq!(strand.points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>(), [(1.0, 89.5), (2.0, 90.0)]);
        assert_eq!(strand.band, [[1.0, 89.5, 89.5], [2.0, 88.0, 92.0]]);
        assert_eq!(overlay(&runs, false, Measure::Right).strands.len(), 3);
        assert!(overlay(&runs, false, Measure::Right).strands[2].band.is_empty(), "one run has no spread");
        // The adaptive attack of each sample comes as near as the naive one, after its last epoch.
        let leaks = overlay(&runs, true, Measure::Leak);
        assert_eq!(leaks.strands[0].points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>(), [(2.0, 0.6)]);
    }

    #[test]
    fn an_epoch_that_a_seed_lacks_has_no_mean_and_a_twin_stands_beside_its_own() {
        let mut short = samples::summary(1);
        short.epochs.pop();
        let runs = [finished("a", samples::summary(0)), finished("b", short)];
        assert_eq!(overlay(&runs, true, Measure::Right).strands[0].points.len(), 1);
        let told: Vec<(String, bool, f64)> = overlay(&[run("a")], false, Measure::Right)
            .strands
            .into_iter()
            .map(|strand| (strand.name, strand.twin, strand.last.unwrap().mean))
            .collect();
        assert_eq!(told, [("A: a".to_owned(), false, 88.0), ("A: a, its undefended twin".to_owned(), true, 94.0)]);
    }
}
