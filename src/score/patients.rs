//! Leakage by patient: whoever is recognised once is recognised, so a patient's leak is that of the worst of their images,
//! and a mean over images hides the one who is (METHOD §14 of its second part).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::intervals::{DRAWS, FEWEST, percentile};
use crate::random::Seed;

/// The leak of one patient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worst {
    /// The patient's number.
    pub patient: u32,
    /// The highest leak of their images.
    pub leak: f64,
    /// Which image that is, by its place.
    pub image: usize,
}

/// The highest leak of each patient, in the order of their numbers; of equal ones the first image. Images without a leak,
/// which is not a number, count for nothing.
///
/// # Panics
/// Panics if there is not a patient for each image.
pub fn by_patient(leaks: &[f64], patients: &[u32]) -> Vec<Worst> {
    assert_eq!(leaks.len(), patients.len(), "a patient an image");
    let mut all = BTreeMap::<u32, Worst>::new();
    for (image, (leak, patient)) in leaks.iter().zip(patients).enumerate().filter(|(_, (leak, _))| !leak.is_nan()) {
        let worst = Worst { patient: *patient, leak: *leak, image };
        all.entry(*patient)
            .and_modify(|known| {
                if *leak > known.leak {
                    *known = worst;
                }
            })
            .or_insert(worst);
    }
    all.into_values().collect()
}

/// How leaks are spread over patients; never the mean alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// What a unit is called: `patient`, or `image` where patients are not known.
    pub unit: String,
    /// Number of them.
    pub count: usize,
    /// Mean of their leaks.
    pub mean: f64,
    /// The middle one.
    pub median: f64,
    /// The 95th percentile, linear between order statistics.
    pub p95: f64,
    /// The worst.
    pub worst: f64,
    /// Whose that is, by number.
    pub worst_unit: u32,
    /// Which target that is, by its place among the targets.
    pub worst_image: usize,
    /// 95 % interval of the mean, drawn over the units; none of fewer than eight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<[f64; 2]>,
}

impl Spread {
    /// Of the leaks of single units; none of none.
    pub fn of(all: &[Worst], unit: &str, seed: Seed) -> Option<Self> {
        let leaks: Vec<f64> = all.iter().map(|one| one.leak).collect();
        // The first of equals.
        let worst = all.iter().reduce(|worst, one| if one.leak > worst.leak { one } else { worst })?;
        let draw = |i: usize| {
            let mut stream = seed.stream("bootstrap", i as u64);
            (0..leaks.len()).map(|_| stream.below(leaks.len())).collect()
        };
        Some(Self {
            unit: unit.to_owned(),
            count: all.len(),
            mean: mean(&leaks),
            median: percentile(&leaks, 50.0)?,
            p95: percentile(&leaks, 95.0)?,
            worst: worst.leak,
            worst_unit: worst.patient,
            worst_image: worst.image,
            ci: if all.len() < FEWEST { None } else { interval(&leaks, (0..DRAWS).map(draw)) },
        })
    }
}

/// From the 2.5th to the 97.5th percentile of the means of draws, each a list of places.
pub fn interval(values: &[f64], draws: impl Iterator<Item = Vec<usize>>) -> Option<[f64; 2]> {
    let means: Vec<f64> = draws.map(|draw| mean(&draw.iter().map(|i| values[*i]).collect::<Vec<_>>())).collect();
    Some([percentile(&means, 2.5)?, percentile(&means, 97.5)?])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_recognised_once_is_recognised() {
        let all = by_patient(&[0.1, 0.9, f64::NAN, 0.3, 0.9], &[7, 7, 2, 3, 7]);
        let expected = [Worst { patient: 3, leak: 0.3, image: 3 }, Worst { patient: 7, leak: 0.9, image: 1 }];
        assert_eq!(all, expected);
        let spread = Spread::of(&all, "patient", Seed(0)).unwrap();
        assert_eq!((spread.count, spread.worst, spread.worst_unit, spread.worst_image), (2, 0.9, 7, 1));
        assert!((spread.mean - 0.6).abs() < 1e-12 && spread.median == spread.mean && (spread.p95 - 0.87).abs() < 1e-12);
        assert_eq!(spread.ci, None, "two are no sample");
        assert_eq!(Spread::of(&[], "patient", Seed(0)), None);
        let many: Vec<f64> = (0..40).map(|i| f64::from(i % 10) / 10.0).collect();
        let spread = Spread::of(&by_patient(&many, &(0..40).collect::<Vec<_>>()), "image", Seed(0)).unwrap();
        let [low, high] = spread.ci.unwrap();
        assert!(low < spread.mean && spread.mean < high && high - low < 0.25, "{spread:?}");
    }
}
