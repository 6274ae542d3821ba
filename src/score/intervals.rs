//! How sure a row of the table is: 95 % intervals by the bootstrap, over patients where these are known, since two films of
//! one patient are no two witnesses.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::record::Row;
use crate::random::Seed;

/// Draws of the units.
pub const DRAWS: usize = 1000;
/// Of fewer units nothing is said.
pub const FEWEST: usize = 8;

/// The answers of a row, and which unit (patient, or else image) each image is of.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// The class that each image was taken for.
    pub predicted: &'a [u32],
    /// The class that it is of.
    pub labels: &'a [u32],
    /// Number of classes.
    pub classes: usize,
    /// What share each class got of each image (N × K values), where that is known.
    pub shares: Option<&'a [f32]>,
    /// The unit of each image, by any number; none where every image is one.
    pub units: Option<&'a [u32]>,
}

/// What has intervals, by its key in the row.
const KEYS: [&str; 5] = ["accuracy", "balanced_accuracy", "sensitivity", "specificity", "auroc"];

/// The intervals of a row's metrics by their keys: from the 2.5th to the 97.5th percentile over [`DRAWS`] draws of as many
/// units as there are, with replacement. All rows that are given one seed are drawn alike. Empty where there are fewer than
/// eight units; a metric is left out if any draw has none.
pub fn intervals(answers: &Answers<'_>, seed: Seed) -> BTreeMap<String, [f64; 2]> {
    let (unit_of, units) = numbered(answers);
    if units < FEWEST {
        return BTreeMap::new();
    }
    let ranking = Ranking::of(answers);
    let draw = |i: usize| {
        let counts = drawn(units, seed, i);
        measured(answers, ranking.as_ref(), |image| f64::from(counts[unit_of[image]]))
    };
    let all: Vec<[Option<f64>; 5]> = (0..DRAWS).into_par_iter().map(draw).collect();
    let of = |metric: usize| ends(all.iter().map(|draw| draw[metric]));
    KEYS.iter().enumerate().filter_map(|(metric, key)| Some(((*key).to_owned(), of(metric)?))).collect()
}

/// The 95 % intervals of the differences of two rows on the same images in accuracy and in balanced accuracy: each draw of the
/// units is of both. None where there are fewer than eight units.
///
/// # Panics
/// Panics if the two are not of the same images.
pub fn paired(one: &Answers<'_>, other: &Answers<'_>, seed: Seed) -> Option<[[f64; 2]; 2]> {
    assert_eq!(one.labels, other.labels, "the same images");
    let (unit_of, units) = numbered(one);
    if units < FEWEST {
        return None;
    }
    let draw = |i: usize| {
        let counts = drawn(units, seed, i);
        let of = |answers: &Answers<'_>| measured(answers, None, |image| f64::from(counts[unit_of[image]]));
        let (one, other) = (of(one), of(other));
        [0, 1].map(|metric| Some(one[metric]? - other[metric]?))
    };
    let all: Vec<[Option<f64>; 2]> = (0..DRAWS).into_par_iter().map(draw).collect();
    let [accuracy, balanced] = [0, 1].map(|metric| ends(all.iter().map(|draw| draw[metric])));
    Some([accuracy?, balanced?])
}

/// How often each unit is in draw `i`.
fn drawn(units: usize, seed: Seed, i: usize) -> Vec<u32> {
    let mut stream = seed.stream("bootstrap", i as u64);
    let mut counts = vec![0_u32; units];
    (0..units).for_each(|_| counts[stream.below(units)] += 1);
    counts
}

/// From the 2.5th to the 97.5th percentile; none where any draw has no value.
fn ends(draws: impl Iterator<Item = Option<f64>>) -> Option<[f64; 2]> {
    let values: Vec<f64> = draws.collect::<Option<_>>()?;
    Some([percentile(&values, 2.5)?, percentile(&values, 97.5)?])
}

/// The percentile of some values, linear between order statistics; none of nothing.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = percent / 100.0 * (sorted.len().checked_sub(1)? as f64);
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted[low] + (sorted[high] - sorted[low]) * (at - at.floor()))
}

/// Numbers the units from 0; the unit of each image, and how many there are.
fn numbered(answers: &Answers<'_>) -> (Vec<usize>, usize) {
    let Some(units) = answers.units else { return ((0..answers.labels.len()).collect(), answers.labels.len()) };
    let mut known = BTreeMap::new();
    let of = units.iter().map(|unit| {
        let next = known.len();
        *known.entry(*unit).or_insert(next)
    });
    let of: Vec<usize> = of.collect();
    (of, known.len())
}

/// The images by what share each class got of them, for AUROC with any weights.
struct Ranking(Vec<Vec<(f32, usize)>>);

impl Ranking {
    fn of(answers: &Answers<'_>) -> Option<Self> {
        let shares = answers.shares.filter(|shares| shares.iter().all(|share| !share.is_nan()))?;
        let classes = if answers.classes == 2 { 1..2 } else { 0..answers.classes };
        let sorted = |class: usize| {
            let mut all: Vec<(f32, usize)> =
                shares.chunks_exact(answers.classes).map(|row| row[class]).enumerate().map(|(i, x)| (x, i)).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            all
        };
        Some(Self(classes.map(sorted).collect()))
    }

    /// As [`Shares::auroc`](super::shares::Shares::auroc), each image counting as often as its weight.
    fn auroc(&self, answers: &Answers<'_>, weight: &impl Fn(usize) -> f64) -> Option<f64> {
        let first = usize::from(answers.classes == 2);
        let areas: Vec<f64> = self
            .0
            .iter()
            .enumerate()
            .filter_map(|(i, all)| {
                let class = (first + i) as u32;
                let (mut won, mut of, mut others) = (0.0, 0.0, 0.0);
                for equal in all.chunk_by(|a, b| a.0 == b.0) {
                    let sum = |its: bool| {
                        equal
                            .iter()
                            .filter(|(_, i)| (answers.labels[*i] == class) == its)
                            .map(|(_, i)| weight(*i))
                            .sum::<f64>()
                    };
                    let (here, there) = (sum(true), sum(false));
                    won += here * (others + there / 2.0);
                    of += here;
                    others += there;
                }
                (of > 0.0 && others > 0.0).then(|| won / (of * others))
            })
            .collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

/// The metrics of [`KEYS`], each image counting as often as its weight.
fn measured(answers: &Answers<'_>, ranking: Option<&Ranking>, weight: impl Fn(usize) -> f64) -> [Option<f64>; 5] {
    let (mut right, mut sizes) = (vec![0.0; answers.classes], vec![0.0; answers.classes]);
    for (image, (predicted, label)) in answers.predicted.iter().zip(answers.labels).enumerate() {
        let weight = weight(image);
        sizes[*label as usize] += weight;
        if predicted == label {
            right[*label as usize] += weight;
        }
    }
    let recall = |class: usize| (sizes[class] > 0.0).then(|| 100.0 * right[class] / sizes[class]);
    let all: f64 = sizes.iter().sum();
    let recalls: Vec<f64> = (0..answers.classes).filter_map(recall).collect();
    let binary = |class| if answers.classes == 2 { recall(class) } else { None };
    [
        (all > 0.0).then(|| 100.0 * right.iter().sum::<f64>() / all),
        (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64),
        binary(1),
        binary(0),
        ranking.and_then(|ranking| ranking.auroc(answers, &weight)),
    ]
}

impl Row {
    /// Adds the intervals of its metrics.
    #[must_use]
    pub fn with_intervals(self, answers: &Answers<'_>, seed: Seed) -> Self {
        Self { ci: intervals(answers, seed), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> (Vec<u32>, Vec<u32>, Vec<f32>) {
        let labels: Vec<u32> = (0..60).map(|i| u32::from(i % 3 == 0)).collect();
        let share = |i: u32| ((i * 37 % 11) as f32 / 20.0 + if labels[i as usize] == 1 { 0.3 } else { 0.1 }).min(1.0);
        let shares: Vec<f32> = (0..60).flat_map(|i| [1.0 - share(i), share(i)]).collect();
        let predicted = shares.chunks(2).map(|row| u32::from(row[1] > row[0])).collect();
        (predicted, labels, shares)
    }

    #[test]
    fn every_image_once_is_the_row_itself() {
        let (predicted, labels, shares) = answers();
        let all = Answers { predicted: &predicted, labels: &labels, classes: 2, shares: Some(&shares), units: None };
        let row = Row::measured("x", &predicted, &labels, 2, Some(&shares));
        let [accuracy, balanced, sensitivity, specificity, auroc] = measured(&all, Ranking::of(&all).as_ref(), |_| 1.0);
        for (got, expected) in [
            (accuracy, Some(row.accuracy)),
            (balanced, Some(row.balanced_accuracy)),
            (sensitivity, row.sensitivity),
            (specificity, row.specificity),
            (auroc, row.auroc),
        ] {
            assert!((got.unwrap() - expected.unwrap()).abs() < 1e-9, "{got:?} {expected:?}");
        }
        let found = intervals(&all, Seed(0));
        assert_eq!(found.len(), 5);
        assert!(found["accuracy"][0] < row.accuracy && row.accuracy < found["accuracy"][1]);
        assert_eq!(found, intervals(&all, Seed(0)));
        assert_ne!(found, intervals(&all, Seed(1)));
    }

    #[test]
    fn images_of_one_patient_are_one_witness() {
        let (predicted, labels, shares) = answers();
        let all = Answers { predicted: &predicted, labels: &labels, classes: 2, shares: Some(&shares), units: None };
        // The same answers four times over, of the same patients: no surer than once.
        let four = |all: &[u32]| all.repeat(4);
        let (predicted4, labels4, shares4) = (four(&predicted), four(&labels), shares.repeat(4));
        let patients: Vec<u32> = four(&(0..60).collect::<Vec<_>>());
        let many =
            Answers { predicted: &predicted4, labels: &labels4, classes: 2, shares: Some(&shares4), units: None };
        let of_patients = Answers { units: Some(&patients), ..many };
        let width = |answers: &Answers<'_>| {
            let [low, high] = intervals(answers, Seed(3))["accuracy"];
            high - low
        };
        assert!((width(&of_patients) - width(&all)).abs() < 1e-9);
        assert!(width(&many) < 0.6 * width(&all), "{} {}", width(&many), width(&all));
    }

    #[test]
    fn a_difference_is_surer_than_its_rows_where_they_err_together() {
        let (predicted, labels, _) = answers();
        let one = Answers { predicted: &predicted, labels: &labels, classes: 2, shares: None, units: None };
        // Wrong once more, and else alike.
        let mut worse = predicted.clone();
        let right = (0..60).find(|i| worse[*i] == labels[*i]).unwrap();
        worse[right] = 1 - worse[right];
        let other = Answers { predicted: &worse, ..one };
        let [[low, high], _] = paired(&one, &other, Seed(0)).unwrap();
        let [own_low, own_high] = intervals(&one, Seed(0))["accuracy"];
        assert!(low >= 0.0 && high > 0.0 && high - low < 0.5 * (own_high - own_low), "{low} {high}");
        assert_eq!(paired(&one, &one, Seed(0)), Some([[0.0; 2]; 2]));
        let few = Answers { predicted: &predicted[..7], labels: &labels[..7], ..one };
        assert_eq!(paired(&few, &few, Seed(0)), None);
    }

    #[test]
    fn of_few_units_and_of_undefined_metrics_nothing_is_said() {
        let labels: Vec<u32> = (0..21).map(|i| i % 3).collect();
        let all = Answers { predicted: &labels, labels: &labels, classes: 3, shares: None, units: None };
        assert_eq!(intervals(&all, Seed(0)).into_keys().collect::<Vec<_>>(), ["accuracy", "balanced_accuracy"]);
        let seven: Vec<u32> = (0..21).map(|i| i % 7).collect();
        assert!(intervals(&Answers { units: Some(&seven), ..all }, Seed(0)).is_empty());
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 75.0), Some(3.0));
        assert_eq!(percentile(&[], 50.0), None);
    }
}
