//! How often a classifier of the judge's own is right about stolen images.

use serde::{Deserialize, Serialize};

use super::intervals::Answers;
use super::record::Row;
use crate::random::Seed;

/// What was read off the targets, as one attack made them or as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadOff {
    /// Which labels: those of the run (`own`), or others that the set has, by name.
    pub labels: String,
    /// The attack's name; `original` for the targets as they are.
    pub name: String,
    /// Of an attack, the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// And whether it knew the defence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<bool>,
    /// Number of classes.
    pub classes: usize,
    /// What each target was taken for.
    pub predicted: Vec<u32>,
    /// What each is.
    pub truth: Vec<u32>,
    /// Whose each is, by number, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Vec<u32>>,
    /// What that comes to.
    pub row: Row,
}

impl ReadOff {
    /// Measures what was read.
    #[must_use]
    pub fn measured(mut self, seed: Seed) -> Self {
        let (predicted, labels, classes) = (&self.predicted, &self.truth, self.classes);
        let answers = Answers { predicted, labels, classes, shares: None, units: self.units.as_deref() };
        self.row = Row::measured(&self.name, predicted, labels, classes, None).with_intervals(&answers, seed);
        self
    }

    fn same(&self, other: &Self) -> bool {
        (&self.labels, &self.name, &self.target, self.adaptive, self.classes)
            == (&other.labels, &other.name, &other.target, other.adaptive, other.classes)
    }
}

/// The same of several runs at different targets together; what a run lacks is left out.
pub fn pooled(runs: &[&[ReadOff]], seed: Seed) -> Vec<ReadOff> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    let one = |row: &ReadOff| {
        let rest = others.iter().map(|rows| rows.iter().find(|other| row.same(other)));
        let all: Vec<&ReadOff> = std::iter::once(Some(row)).chain(rest).collect::<Option<_>>()?;
        let units: Option<Vec<&Vec<u32>>> = all.iter().map(|row| row.units.as_ref()).collect();
        Some(
            ReadOff {
                predicted: all.iter().flat_map(|row| row.predicted.iter().copied()).collect(),
                truth: all.iter().flat_map(|row| row.truth.iter().copied()).collect(),
                units: units.map(|units| units.into_iter().flatten().copied().collect()),
                ..row.clone()
            }
            .measured(seed),
        )
    };
    first.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_in_parts_is_read_together() {
        let of = |predicted: Vec<u32>, truth: Vec<u32>| {
            let units = Some((0..truth.len() as u32).collect());
            let row = ReadOff {
                labels: "density".into(),
                name: "rmle".into(),
                classes: 2,
                predicted,
                truth,
                units,
                ..ReadOff::default()
            };
            row.measured(Seed(0))
        };
        let (first, second) = (of(vec![0, 1, 1], vec![0, 1, 0]), of(vec![1; 5], vec![1, 1, 1, 0, 1]));
        let all = pooled(&[std::slice::from_ref(&first), std::slice::from_ref(&second)], Seed(0));
        assert_eq!((all.len(), all[0].row.images, all[0].row.accuracy), (1, 8, 75.0));
        assert!((all[0].row.balanced_accuracy - f64::midpoint(100.0, 100.0 / 3.0)).abs() < 1e-9);
        assert!(pooled(&[&[first], &[]], Seed(0)).is_empty());
    }
}
