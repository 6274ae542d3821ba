//! Parts that are even in size and in classes: what folds are drawn by.
//!
//! Whole groups go, one after another, where most of their rarest class is lacking, and among parts that lack the same of it
//! to the one that is behind in size. It never gets more than a largest group ahead of the others.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Groups;
use crate::random::Seed;

/// Sums of shares are not exact: what is within this is equal.
const NEAR: f64 = 1e-9;

/// Returns the part of each image, by `shares` that sum up to 1. Classes that fewest groups have come first; of one class
/// the largest groups do; among equals the seed decides.
///
/// Of equal shares, the sizes of two parts differ by one group of the largest at most. Where every group is of one class,
/// no part is without a class that as many groups have as there are parts.
pub(super) fn evenly(labels: &[u32], groups: Option<&Groups>, shares: &[f64], seed: Seed) -> Vec<usize> {
    let order = seed.stream("split", 0).permutation(labels.len());
    let groups = ranked(labels, gathered(&order, groups));
    let mut parts = Parts::new(labels, shares, &groups);
    // No part is the first among equals in every draw.
    let among = seed.stream("parts", 0).permutation(shares.len());
    let mut of = vec![0; labels.len()];
    for group in &groups {
        let part = parts.best(group, &among);
        parts.add(part, group, labels);
        group.images.iter().for_each(|i| of[*i] = part);
    }
    of
}

/// What stays together.
struct Group {
    images: Vec<usize>,
    /// Its classes, the rarest first.
    classes: Vec<usize>,
    /// Images of all groups with the same rarest class, and of rarer ones: up to there, sizes are to be even.
    upto: usize,
}

/// The images of each group, in the drawn order; without groups every image is one.
fn gathered(order: &[usize], groups: Option<&Groups>) -> Vec<Vec<usize>> {
    let Some(groups) = groups else { return order.iter().map(|i| vec![*i]).collect() };
    let (mut place, mut all) = (BTreeMap::new(), Vec::<Vec<usize>>::new());
    for i in order {
        let at = *place.entry(groups.numbers[*i]).or_insert(all.len());
        if at == all.len() {
            all.push(Vec::new());
        }
        all[at].push(*i);
    }
    all
}

/// Groups in the order in which they are placed.
fn ranked(labels: &[u32], gathered: Vec<Vec<usize>>) -> Vec<Group> {
    let classes_of = |images: &[usize]| {
        let mut classes: Vec<usize> = images.iter().map(|i| labels[*i] as usize).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    };
    // How many groups have a class, and how many images it has.
    let mut rarity = vec![(0, 0); class_count(labels)];
    for images in &gathered {
        for class in classes_of(images) {
            rarity[class].0 += 1;
        }
        for i in images {
            rarity[labels[*i] as usize].1 += 1;
        }
    }
    let rank = |class: &usize| (rarity[*class], *class);
    let mut all: Vec<Group> = gathered
        .into_iter()
        .map(|images| {
            let mut classes = classes_of(&images);
            classes.sort_by_key(rank);
            Group { images, classes, upto: 0 }
        })
        .collect();
    all.sort_by_key(|group| (rank(&group.classes[0]), Reverse(group.images.len())));
    let mut upto = 0;
    for same in all.chunk_by_mut(|one, other| one.classes[0] == other.classes[0]) {
        upto += same.iter().map(|group| group.images.len()).sum::<usize>();
        for group in same {
            group.upto = upto;
        }
    }
    all
}

fn class_count(labels: &[u32]) -> usize {
    labels.iter().max().map_or(0, |largest| *largest as usize + 1)
}

/// The parts as far as they are filled.
struct Parts<'a> {
    shares: &'a [f64],
    sizes: Vec<usize>,
    /// By part, how many images of each class it lacks.
    lacking: Vec<Vec<f64>>,
    /// How far a part's size, by its share, may be ahead of the others'.
    ahead: f64,
}

impl<'a> Parts<'a> {
    fn new(labels: &[u32], shares: &'a [f64], groups: &[Group]) -> Self {
        let mut counts = vec![0.0; class_count(labels)];
        for label in labels {
            counts[*label as usize] += 1.0;
        }
        let lacking = shares.iter().map(|share| counts.iter().map(|count| share * count).collect()).collect();
        let largest = groups.iter().map(|group| group.images.len()).max().unwrap_or(0);
        let least = shares.iter().copied().fold(1.0, f64::min);
        Self { shares, sizes: vec![0; shares.len()], lacking, ahead: largest as f64 / least + NEAR }
    }

    /// The part of a group: of those that do not get too far ahead, the one that lacks most of its classes, then the one
    /// whose size is most behind, then the first of `among`.
    fn best(&self, group: &Group, among: &[usize]) -> usize {
        let filled = |part: usize, more: usize| (self.sizes[part] + more) as f64 / self.shares[part];
        let behind = (0..self.sizes.len()).map(|part| filled(part, 0)).fold(f64::INFINITY, f64::min);
        // Whole images are lacking: of three, at .1 and .2, one here and one there.
        let lacks = |part: usize| group.classes.iter().map(move |class| (self.lacking[part][*class] - NEAR).ceil());
        let short = |part: usize| self.shares[part] * group.upto as f64 - self.sizes[part] as f64;
        let better = |one: usize, other: usize| {
            let by_class = lacks(one).partial_cmp(lacks(other)).is_some_and(std::cmp::Ordering::is_gt);
            by_class || lacks(one).eq(lacks(other)) && short(one) > short(other) + NEAR
        };
        let fit = among.iter().copied().filter(|part| filled(*part, group.images.len()) <= behind + self.ahead);
        fit.reduce(|best, part| if better(part, best) { part } else { best }).unwrap_or(0)
    }

    fn add(&mut self, part: usize, group: &Group, labels: &[u32]) {
        self.sizes[part] += group.images.len();
        group.images.iter().for_each(|i| self.lacking[part][labels[*i] as usize] -= 1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::Noun;
    use crate::data::portion::members;
    use crate::random::Stream;

    fn patients(numbers: Vec<u32>) -> Groups {
        Groups { numbers: numbers.into(), noun: Noun::PATIENT }
    }

    /// By part, how many images of each class it has.
    fn counts(labels: &[u32], of: &[usize], parts: usize) -> Vec<Vec<usize>> {
        let mut counts = vec![vec![0; class_count(labels)]; parts];
        labels.iter().zip(of).for_each(|(label, part)| counts[*part][*label as usize] += 1);
        counts
    }

    /// A hospital of random size: the class of every image, and whose it is. Some classes are rare; of `mixed` patients,
    /// each image is of a class of its own.
    fn hospital(draw: &mut Stream, mixed: bool) -> (Vec<u32>, Vec<u32>) {
        let (mut labels, mut numbers) = (Vec::new(), Vec::new());
        // Square roots make the first classes rare: 1 of 36 numbers, then 3, 5, 7, 9 and 11.
        let class = |draw: &mut Stream| (draw.below(36) as u32).isqrt();
        let most = 1 + draw.below(LARGEST);
        for patient in 0..2 + draw.below(60) {
            let own = class(draw);
            for _ in 0..=draw.below(most) {
                labels.push(if mixed { class(draw) } else { own });
                numbers.push(patient as u32);
            }
        }
        (labels, numbers)
    }

    /// The most images that a patient has.
    const LARGEST: usize = 6;

    fn spread(sizes: &[usize]) -> usize {
        sizes.iter().max().unwrap() - sizes.iter().min().unwrap()
    }

    #[test]
    fn folds_are_even_in_size_and_no_class_is_missing() {
        for case in 0..1_000 {
            let mut draw = Seed(case).stream("hospital", 0);
            let ((labels, numbers), folds) = (hospital(&mut draw, false), 2 + draw.below(9));
            let people = patients(numbers.clone());
            for groups in [Some(&people), None] {
                let whose = |i: usize| groups.map_or(i, |_| numbers[i] as usize);
                let counts =
                    counts(&labels, &evenly(&labels, groups, &vec![1.0 / folds as f64; folds], Seed(case)), folds);
                let sizes: Vec<usize> = counts.iter().map(|part| part.iter().sum()).collect();
                let mut images = vec![0; labels.len()];
                (0..labels.len()).for_each(|i| images[whose(i)] += 1);
                assert!(spread(&sizes) <= *images.iter().max().unwrap(), "{case}: {sizes:?}");
                for class in 0..class_count(&labels) {
                    let of_class = (0..labels.len()).filter(|i| labels[*i] as usize == class);
                    let owners = of_class.map(whose).collect::<BTreeSet<_>>().len();
                    let in_parts: Vec<usize> = counts.iter().map(|part| part[class]).collect();
                    assert!(owners < folds || !in_parts.contains(&0), "{case}, {class}: {in_parts:?}");
                    assert!(groups.is_some() || spread(&in_parts) <= 1, "{case}, {class}: {in_parts:?}");
                }
            }
        }
    }

    #[test]
    fn patients_of_several_classes_stay_whole_and_sizes_even() {
        for case in 0..1_000 {
            let mut draw = Seed(case).stream("hospital", 1);
            let ((labels, numbers), folds) = (hospital(&mut draw, true), 2 + draw.below(9));
            let of = evenly(&labels, Some(&patients(numbers.clone())), &vec![1.0 / folds as f64; folds], Seed(case));
            let mut place = BTreeMap::new();
            assert!(numbers.iter().zip(&of).all(|(patient, part)| *place.entry(patient).or_insert(part) == part));
            let sizes: Vec<usize> = (0..folds).map(|part| members(&of, part).len()).collect();
            assert!(spread(&sizes) <= LARGEST, "{case}: {sizes:?}");
        }
    }

    #[test]
    fn a_share_for_validation_is_kept_class_by_class() {
        let shares = [0.875, 0.125];
        for case in 0..1_000 {
            let (labels, _) = hospital(&mut Seed(case).stream("hospital", 2), false);
            let counts = counts(&labels, &evenly(&labels, None, &shares, Seed(case)), 2);
            let within = |count: usize, wanted: f64| (count as f64 - wanted).abs() <= 1.0 + NEAR;
            for (part, share) in shares.into_iter().enumerate() {
                assert!(within(counts[part].iter().sum(), share * labels.len() as f64), "{case}: {counts:?}");
                for class in 0..class_count(&labels) {
                    let all = (counts[0][class] + counts[1][class]) as f64;
                    assert!(within(counts[part][class], share * all), "{case}, {class}: {counts:?}");
                }
            }
        }
    }

    #[test]
    fn classes_rarer_than_folds_are_spread_over_all_of_them() {
        // A hundred people of three pictures each: by class alone, the last two of five folds have none.
        let labels: Vec<u32> = (0..300).map(|i| i / 3).collect();
        let of = evenly(&labels, None, &[0.2; 5], Seed(0));
        assert_eq!([0, 1, 2, 3, 4].map(|fold| members(&of, fold).len()), [60; 5]);
        let three = |class: u32| (0..300).filter(|i| labels[*i] == class).map(|i| of[i]).collect::<BTreeSet<_>>().len();
        assert!((0..100).all(|class| three(class) == 3));
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let labels: Vec<u32> = (0..40).map(|i| i % 7 / 3).collect();
        let people = patients((0..40).map(|i| i / 2).collect());
        let drawn = |seed| evenly(&labels, Some(&people), &[0.25; 4], Seed(seed));
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
        // What runs have begun with must be drawn again for ever.
        assert_eq!(
            drawn(0).iter().map(usize::to_string).collect::<String>(),
            "0033113311221122001111223300332200220033"
        );
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(evenly(&[], None, &[0.5, 0.5], Seed(0)), Vec::<usize>::new());
    }
}
