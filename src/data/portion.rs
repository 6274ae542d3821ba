//! Draws which images are for training, for validation and for testing, where a file does not say: each class in its
//! share, and nobody's images in two parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::even::evenly;
use super::joined::joined;
use super::wanted::{Fold, Wanted};
use super::{Dataset, Groups, Part, Source};
use crate::random::Seed;

/// Shares of training, validation and test images.
const SHARES: [f64; 3] = [0.7, 0.1, 0.2];

/// The share of the images for training and validation that are for validation, where a fold is tested.
const VALIDATED: f64 = 0.125;

/// Draws the parts of a whole.
///
/// # Errors
/// Says so where there are too few images, or patients, for so many folds.
pub(super) fn drawn(all: Arc<dyn Source>, wanted: &Wanted) -> Result<[Part; 3], String> {
    let (all, seed) = (Part::all(all), Seed(wanted.split_seed));
    if let Some(fold) = wanted.fold {
        return folded(&all, fold, seed);
    }
    let of = assigned(all.labels(), all.groups(), &SHARES, seed);
    Ok([0, 1, 2].map(|part| all.select(&members(&of, part))))
}

/// A fold is tested; the rest is for training and validation. The folds are the same whichever is tested.
fn folded(all: &Part, fold: Fold, seed: Seed) -> Result<[Part; 3], String> {
    let rule = if fold.even { evenly } else { assigned };
    let of = rule(all.labels(), all.groups(), &vec![1.0 / fold.of as f64; fold.of], seed);
    // Told before the first of them is run.
    if let Some(empty) = (0..fold.of).find(|fold| !of.contains(fold)) {
        return Err(format!("data.folds = {}: fold {} would have no image; set fewer folds", fold.of, empty + 1));
    }
    let tested = fold.number.max(1) - 1;
    let rest = all.select(&(0..of.len()).filter(|i| of[*i] != tested).collect::<Vec<_>>());
    let parts = rule(rest.labels(), rest.groups(), &[1.0 - VALIDATED, VALIDATED], seed);
    let [train, validation] = [0, 1].map(|part| rest.select(&members(&parts, part)));
    Ok([train, validation, all.select(&members(&of, tested))])
}

/// Draws the parts of a set anew.
pub(super) fn redrawn(set: Dataset, wanted: &Wanted) -> Result<Dataset, String> {
    let all = joined(&[&set.train, &set.validation, &set.test]);
    set.with_parts(drawn(all, wanted)?)
}

/// The places of those that are assigned to a part.
pub(super) fn members(of: &[usize], part: usize) -> Vec<usize> {
    (0..of.len()).filter(|i| of[*i] == part).collect()
}

/// The part of each image: every class is shared out as nearly by `shares`, which sum up to 1, as whole groups allow. The
/// largest groups are placed first, each where most images of its classes are lacking, or in the first such part; among
/// equal groups the seed decides.
fn assigned(labels: &[u32], groups: Option<&Groups>, shares: &[f64], seed: Seed) -> Vec<usize> {
    let order = seed.stream("split", 0).permutation(labels.len());
    let classes = labels.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut lacking: Vec<Vec<f64>> = shares.iter().map(|_| vec![0.0; classes]).collect();
    for label in labels {
        lacking.iter_mut().zip(shares).for_each(|(part, share)| part[*label as usize] += share);
    }
    let mut of = vec![0; labels.len()];
    for group in in_order(&order, groups) {
        let lacks = |part: &Vec<f64>| group.iter().map(|i| part[labels[*i] as usize]).sum::<f64>();
        let mut most = 0;
        for part in 1..shares.len() {
            // A sum of many shares is not exact: what is as good as equal is equal.
            if lacks(&lacking[part]) > lacks(&lacking[most]) + 1e-9 {
                most = part;
            }
        }
        for i in group {
            lacking[most][labels[i] as usize] -= 1.0;
            of[i] = most;
        }
    }
    of
}

/// The images of each group, the largest first and those of one size in the drawn order; without groups every image is
/// one.
fn in_order(order: &[usize], groups: Option<&Groups>) -> Vec<Vec<usize>> {
    let Some(groups) = groups else { return order.iter().map(|i| vec![*i]).collect() };
    let mut place = BTreeMap::new();
    let mut all: Vec<Vec<usize>> = Vec::new();
    for i in order {
        let at = *place.entry(groups.numbers[*i]).or_insert(all.len());
        if at == all.len() {
            all.push(Vec::new());
        }
        all[at].push(*i);
    }
    all.sort_by_key(|group| std::cmp::Reverse(group.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Noun, grouped};

    fn counts(labels: &[u32], of: &[usize], part: usize) -> Vec<usize> {
        let of_class = |class| members(of, part).into_iter().filter(|i| labels[*i] == class).count();
        (0..=*labels.iter().max().unwrap()).map(of_class).collect()
    }

    #[test]
    fn each_class_has_its_share_in_every_part() {
        let labels: Vec<u32> = [vec![0; 700], vec![1; 90], vec![2; 10], vec![3; 3]].concat();
        for seed in 0..10 {
            let of = assigned(&labels, None, &SHARES, Seed(seed));
            assert_eq!(counts(&labels, &of, 0), [490, 63, 7, 2]);
            assert_eq!(counts(&labels, &of, 1), [70, 9, 1, 0]);
            assert_eq!(counts(&labels, &of, 2), [140, 18, 2, 1]);
        }
        assert_ne!(assigned(&labels, None, &SHARES, Seed(0)), assigned(&labels, None, &SHARES, Seed(1)));
        let fifths = assigned(&labels, None, &[0.2; 5], Seed(0));
        assert!((0..5).all(|fold| counts(&labels, &fifths, fold)[..3] == [140, 18, 2]));
    }

    #[test]
    fn nobody_is_in_two_parts_and_the_classes_keep_their_shares() {
        // 161 patients of two films; one in three has an abnormality on one side, one in ten on both.
        let label = |film: u32| {
            u32::from((film / 2).is_multiple_of(3) && (film.is_multiple_of(2) || (film / 2).is_multiple_of(10)))
        };
        let labels: Vec<u32> = (0..322).map(label).collect();
        let numbers: Arc<[u32]> = (0..322).map(|film| film / 2).collect();
        let groups = Groups { numbers, noun: Noun::PATIENT };
        for seed in 0..10 {
            let of = assigned(&labels, Some(&groups), &SHARES, Seed(seed));
            assert!((0..161).all(|patient| of[2 * patient] == of[2 * patient + 1]));
            let all = counts(&labels, &vec![0; 322], 0);
            for (part, share) in SHARES.into_iter().enumerate() {
                for (class, count) in counts(&labels, &of, part).into_iter().enumerate() {
                    let wanted = share * all[class] as f64;
                    assert!((count as f64 - wanted).abs() <= 2.0, "{seed} {part} {class}: {count} of {wanted}");
                }
            }
        }
    }

    #[test]
    fn every_image_is_tested_in_one_fold_and_nobody_is_in_two_parts() {
        let labels: Vec<u32> = (0..120).map(|i| u32::from(i % 6 == 0)).collect();
        let images = Images { shape: [1, 1, 1], pixels: (0..120).collect(), labels };
        let groups = Groups { numbers: (0..120).map(|i| i / 2).collect(), noun: Noun::PATIENT };
        let all: Arc<dyn Source> = grouped(images.into(), groups);
        for even in [true, false] {
            let mut tested = Vec::new();
            for number in 1..=5 {
                let wanted = Wanted { fold: Some(Fold { number, of: 5, even }), ..Wanted::default() };
                let parts = drawn(all.clone(), &wanted).unwrap();
                assert_eq!((parts[0].len() + parts[1].len(), parts[2].len()), (96, 24));
                assert!((10..=14).contains(&parts[1].len()), "{}", parts[1].len());
                assert_eq!(parts[2].class_counts(2), [20, 4]);
                for (i, part) in parts.iter().enumerate() {
                    let others = parts.iter().enumerate().filter(|(k, _)| *k != i);
                    let shared = |other: &Part| part.groups().unwrap().shared_with(other.groups().unwrap())[0];
                    assert!(others.into_iter().all(|(_, other)| shared(other) == 0), "fold {number}");
                }
                tested.extend(parts[2].pixels());
            }
            tested.sort_unstable();
            assert_eq!(tested, (0..120).collect::<Vec<u8>>());
        }
        let many = Wanted { fold: Some(Fold { number: 1, of: 100, even: true }), ..Wanted::default() };
        assert!(drawn(all, &many).unwrap_err().starts_with("data.folds = 100: fold "), "60 patients");
    }

    #[test]
    fn folds_that_are_not_to_be_even_are_those_of_older_runs() {
        // Each class by itself, from the first fold on.
        let labels: Vec<u32> = (0..9).map(|i| i / 3).collect();
        let images = Images { shape: [1, 1, 1], pixels: (0..9).collect(), labels };
        let all: Arc<dyn Source> = images.into();
        let sizes = |even| {
            [1, 2, 3, 4].map(|number| {
                let wanted = Wanted { fold: Some(Fold { number, of: 4, even }), ..Wanted::default() };
                drawn(all.clone(), &wanted).map(|parts| parts[2].len())
            })
        };
        assert!(sizes(false).iter().all(|fold| fold.as_ref().unwrap_err().contains("fold 4 would have no image")));
        let mut even = sizes(true).map(Result::unwrap);
        even.sort_unstable();
        assert_eq!(even, [2, 2, 2, 3]);
    }

    #[test]
    fn a_set_that_is_drawn_anew_has_the_same_images() {
        let images = |from: u8, n: u8| Images {
            shape: [1, 1, 1],
            pixels: (from..from + n).collect(),
            labels: (from..from + n).map(|i| u32::from(i) % 2).collect(),
        };
        let groups = |from: u32, n: u32| Groups { numbers: (from..from + n).collect(), noun: Noun::PATIENT };
        let parts = [(0, 60), (60, 0), (60, 40)]
            .map(|(from, n)| grouped(images(from, n).into(), groups(u32::from(from), u32::from(n))));
        let set = Dataset::new("x", "", None, parts).unwrap();
        let by = |split_seed| Wanted { split_seed, ..Wanted::default() };
        let new = redrawn(set.clone(), &by(1)).unwrap();
        assert_eq!([new.train.len(), new.validation.len(), new.test.len()], [70, 10, 20]);
        let mut all = [new.train.pixels(), new.validation.pixels(), new.test.pixels()].concat();
        let groups: Vec<u8> = [&new.train, &new.validation, &new.test]
            .into_iter()
            .flat_map(|part| part.groups().unwrap().numbers.iter().map(|number| *number as u8).collect::<Vec<_>>())
            .collect();
        assert_eq!(groups, all, "groups go with their images");
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<u8>>());
        assert_ne!(redrawn(set, &by(2)).unwrap().train, new.train);
    }
}
