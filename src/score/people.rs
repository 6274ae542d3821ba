//! Who is found again by what was stolen: the stolen image of one is held against everybody's other image, and beside it what
//! an outline, or two numbers, find as well.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::intervals::{DRAWS, FEWEST, percentile};
use super::likeness::{By, Pictures};
use super::reidentify::Gallery;
use crate::random::Seed;

/// How well people are found by one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reidentified {
    /// What they are found by: an attack's name, or `original`, `silhouette`, `two_numbers`, `mean`, `noise`.
    pub name: String,
    /// Of an attack, the model and whether it knew the defence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// As above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<bool>,
    /// Whether the pixels within both outlines alone were compared.
    #[serde(default)]
    pub outline_removed: bool,
    /// Images held against the gallery.
    pub probes: usize,
    /// How often the likest one is of the same person, in percent.
    pub rank1: f64,
    /// Its 95 % interval, over people.
    pub rank1_ci: [f64; 2],
    /// What drawing one of the gallery gives, in percent.
    pub chance: f64,
    /// How often a pair of one person is more alike than one of two, 0 to 1 (area under the ROC curve).
    pub verification: f64,
    /// Its 95 % interval.
    pub verification_ci: [f64; 2],
    /// Of an attack: what of both is more than by the silhouette of the true image, with 95 % intervals, paired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_silhouette: Option<[Excess; 2]>,
    /// The same over its area and brightness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_two_numbers: Option<[Excess; 2]>,
}

/// A difference and its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Excess {
    /// The difference.
    pub value: f64,
    /// Its interval.
    pub ci: [f64; 2],
}

impl Excess {
    /// Whether it is above nothing beyond chance.
    pub fn is_real(&self) -> bool {
        self.ci[0] > 0.0
    }
}

/// Two images of each of several people.
pub struct People {
    /// First and second image.
    images: [Pictures; 2],
    /// Where these are among the images given.
    places: [Vec<usize>; 2],
    width: usize,
}

/// What one thing finds, draw by draw.
struct Tested {
    row: Reidentified,
    draws: Vec<[f64; 2]>,
}

impl People {
    /// The first two images of each patient who has two; none where there are fewer than eight of these. Images are C·H·W
    /// values.
    pub fn of(images: &[Vec<f32>], patients: &[u32], width: usize) -> Option<Self> {
        let mut by_patient = BTreeMap::<u32, Vec<usize>>::new();
        for (place, patient) in patients.iter().enumerate() {
            by_patient.entry(*patient).or_default().push(place);
        }
        let pairs: Vec<[usize; 2]> =
            by_patient.values().filter_map(|places| Some([*places.first()?, *places.get(1)?])).collect();
        if pairs.len() < FEWEST {
            return None;
        }
        let places = [0, 1].map(|which| pairs.iter().map(|pair| pair[which]).collect::<Vec<_>>());
        let images = [0, 1].map(|which| picked(images, &places[which], width));
        Some(Self { images, places, width })
    }

    /// Number of people.
    pub fn len(&self) -> usize {
        self.places[0].len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What finds them without any attack, and what attacks find: each with its reconstructions of all the images given.
    pub fn found(&self, attacks: &[(Reidentified, Vec<Vec<f32>>)], seed: Seed) -> Vec<Reidentified> {
        let named = |name: &str| Reidentified { name: name.to_owned(), ..Reidentified::default() };
        let truth = |by| [0, 1].map(|which: usize| self.images[which].alike(&self.images[1 - which], by));
        let silhouette = self.tested(named("silhouette"), &truth(By::Silhouette), seed);
        let numbers = self.tested(named("two_numbers"), &truth(By::TwoNumbers), seed);
        let mut rows = Vec::new();
        for (row, images) in attacks {
            for (by, outline_removed) in [(By::Pixels, false), (By::Inside, true)] {
                let alike = [0, 1].map(|which: usize| {
                    picked(images, &self.places[which], self.width).alike(&self.images[1 - which], by)
                });
                let own = self.tested(Reidentified { outline_removed, ..row.clone() }, &alike, seed);
                rows.push(Reidentified {
                    over_silhouette: Some(own.over(&silhouette)),
                    over_two_numbers: Some(own.over(&numbers)),
                    ..own.row
                });
            }
        }
        let original = [(By::Pixels, false), (By::Inside, true)].map(|(by, outline_removed)| {
            self.tested(Reidentified { outline_removed, ..named("original") }, &truth(by), seed).row
        });
        let n = self.len();
        let alike = |of: &mut dyn FnMut() -> f64| [(); 2].map(|()| (0..n * n).map(|_| of()).collect::<Vec<_>>());
        let mean = self.tested(named("mean"), &alike(&mut || 0.0), seed);
        let mut stream = seed.stream("reidentify", 0);
        let noise = self.tested(named("noise"), &alike(&mut || stream.uniform(0.0, 1.0)), seed);
        rows.extend(original);
        rows.extend([silhouette, numbers, mean, noise].map(|tested| tested.row));
        rows
    }

    /// `alike` are the likenesses of everybody's first image to the second ones, and the other way.
    fn tested(&self, row: Reidentified, alike: &[Vec<f64>; 2], seed: Seed) -> Tested {
        let n = self.len();
        let people: Vec<u32> = (0..n as u32).collect();
        let found = alike.each_ref().map(|alike| Gallery { alike, probes: &people, gallery: &people }.found());
        let each: Vec<f64> = (0..n).map(|i| 50.0 * (found[0].each[i] + found[1].each[i])).collect();
        // All pairs of both directions, sorted once: likeness, whose probe, and whether it is of one person.
        let mut pairs: Vec<(f64, usize, bool)> = alike
            .iter()
            .flat_map(|alike| alike.iter().enumerate().map(|(at, x)| (*x, at / n, at / n == at % n)))
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let measured = |weight: &dyn Fn(usize) -> f64| {
            let all: f64 = (0..n).map(weight).sum();
            let rank1 = (0..n).map(|i| weight(i) * each[i]).sum::<f64>() / all;
            [rank1, area(&pairs, weight)]
        };
        let draw = |i: usize| {
            let mut stream = seed.stream("bootstrap", i as u64);
            let mut counts = vec![0_u32; n];
            (0..n).for_each(|_| counts[stream.below(n)] += 1);
            measured(&|person| f64::from(counts[person]))
        };
        let draws: Vec<[f64; 2]> = (0..DRAWS).into_par_iter().map(draw).collect();
        let [rank1, verification] = measured(&|_| 1.0);
        let [rank1_ci, verification_ci] = [0, 1].map(|k| ends(draws.iter().map(|draw| draw[k])));
        let chance = 100.0 / n as f64;
        let row = Reidentified { probes: 2 * n, rank1, rank1_ci, chance, verification, verification_ci, ..row };
        Tested { row, draws }
    }
}

impl Tested {
    fn over(&self, other: &Self) -> [Excess; 2] {
        let apart = |k: usize| self.draws.iter().zip(&other.draws).map(move |(a, b)| a[k] - b[k]);
        [
            Excess { value: self.row.rank1 - other.row.rank1, ci: ends(apart(0)) },
            Excess { value: self.row.verification - other.row.verification, ci: ends(apart(1)) },
        ]
    }
}

fn picked(images: &[Vec<f32>], places: &[usize], width: usize) -> Pictures {
    Pictures::new(places.iter().map(|place| images[*place].clone()).collect(), width)
}

fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let values: Vec<f64> = values.collect();
    [2.5, 97.5].map(|percent| percentile(&values, percent).unwrap_or(f64::NAN))
}

/// The area under the ROC curve over sorted pairs, each counting as its probe's person does.
fn area(pairs: &[(f64, usize, bool)], weight: &dyn Fn(usize) -> f64) -> f64 {
    let (mut won, mut same, mut others) = (0.0, 0.0, 0.0);
    for equal in pairs.chunk_by(|a, b| a.0 == b.0) {
        let sum = |is: bool| equal.iter().filter(|pair| pair.2 == is).map(|pair| weight(pair.1)).sum::<f64>();
        let (here, there) = (sum(true), sum(false));
        won += here * (others + there / 2.0);
        same += here;
        others += there;
    }
    won / (same * others)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pictures each of 20 people: a body of one's own height, and inside a pattern of one's own or of nobody's.
    fn people(pattern: bool) -> (Vec<Vec<f32>>, Vec<u32>) {
        let picture = |person: usize, which: usize| -> Vec<f32> {
            let mut own = Seed(if pattern { person as u64 } else { (2 * person + which) as u64 }).stream("p", 0);
            let tall = 6 + person / 2;
            // No two pictures are exposed alike.
            let gain = 0.6 + 0.4 * Seed((100 + 2 * person + which) as u64).stream("g", 0).uniform(0.0, 1.0) as f32;
            (0..256)
                .map(|i| {
                    let inside = 0.4 + 0.4 * own.uniform(0.0, 1.0) as f32;
                    if i / 16 < tall { gain * inside } else { 0.0 }
                })
                .collect()
        };
        let all = (0..40).map(|i| picture(i / 2, i % 2)).collect();
        (all, (0..40).map(|i| i / 2).collect())
    }

    fn row<'a>(rows: &'a [Reidentified], name: &str, outline_removed: bool) -> &'a Reidentified {
        rows.iter().find(|row| row.name == name && row.outline_removed == outline_removed).unwrap()
    }

    #[test]
    fn an_outline_finds_people_by_itself_and_only_what_is_above_it_counts() {
        let attack = |name: &str| Reidentified {
            name: name.to_owned(),
            target: Some("vanilla".into()),
            ..Reidentified::default()
        };
        // Nothing but the outline is of the person: what is stolen finds no more than that.
        let (images, patients) = people(false);
        let found = People::of(&images, &patients, 16).unwrap().found(&[(attack("rmle"), images.clone())], Seed(0));
        let (stolen, outline) = (row(&found, "rmle", false), row(&found, "silhouette", false));
        assert_eq!((stolen.probes, stolen.chance), (40, 5.0));
        assert!(outline.verification > 0.9 && outline.rank1 >= 20.0, "{outline:?}");
        assert!(stolen.over_silhouette.unwrap().iter().all(|excess| !excess.is_real()), "{stolen:?}");
        assert!(row(&found, "rmle", true).verification < 0.7);
        // Where the inside is of the person too, it is far above.
        let (images, patients) = people(true);
        let found = People::of(&images, &patients, 16).unwrap().found(&[(attack("rmle"), images.clone())], Seed(0));
        let stolen = row(&found, "rmle", false);
        assert_eq!((stolen.rank1, row(&found, "rmle", true).rank1), (100.0, 100.0));
        assert!(stolen.over_silhouette.unwrap().iter().all(Excess::is_real), "{stolen:?}");
        assert!(stolen.over_two_numbers.unwrap().iter().all(Excess::is_real));
        assert_eq!(row(&found, "original", false).verification, stolen.verification);
        let mean = row(&found, "mean", false);
        assert_eq!((mean.rank1, mean.verification), (5.0, 0.5));
        assert!((row(&found, "noise", false).verification - 0.5).abs() < 0.15);
    }

    #[test]
    fn of_few_people_nothing_is_said() {
        let (images, patients) = people(true);
        assert!(People::of(&images[..14], &patients[..14], 16).is_none());
        // Somebody with one image is nobody's probe.
        let people = People::of(&images[..17], &patients[..17], 16).unwrap();
        assert_eq!((people.len(), people.is_empty()), (8, false));
    }
}
