//! Which images belong together, such as those of one patient: an attacker who has one of them knows something of the
//! others, so a group is never on both sides of a split.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Noun;

/// The group of each image. A number means the same group in every part of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The number of each image's group. Groups are numbered from 0 by first appearance in the set (training, then
    /// validation, then test images), whatever the file calls them; an image of no known group is one of its own.
    pub numbers: Arc<[u32]>,
    /// What a group is called.
    pub noun: Noun,
}

impl Groups {
    /// Number of groups that have an image here.
    pub fn count(&self) -> usize {
        self.distinct().len()
    }

    /// The groups' numbers, each once.
    pub(super) fn distinct(&self) -> BTreeSet<u32> {
        self.numbers.iter().copied().collect()
    }

    /// The groups of the images at `indices`, in that order.
    pub(super) fn select(&self, indices: impl Iterator<Item = usize>) -> Self {
        Self { numbers: indices.map(|i| self.numbers[i]).collect(), ..*self }
    }

    /// How many of these groups have an image among `others` too, and how many images here are theirs.
    pub fn shared_with(&self, others: &Self) -> [usize; 2] {
        let others = others.distinct();
        let shared = self.select((0..self.numbers.len()).filter(|i| others.contains(&self.numbers[*i])));
        [shared.count(), shared.numbers.len()]
    }

    /// Parts `order`, the indices of all images in a drawn order: whole groups, in the order in which they first come,
    /// go to the first side until it is as near to `wanted` images as whole groups allow. One group at least is left to
    /// the second. Both sides keep the order, and a larger `wanted` gives a first side that holds the smaller. Of groups
    /// of one image each this is `order.split_at(wanted)`.
    pub(super) fn part(&self, order: Vec<usize>, wanted: usize) -> [Vec<usize>; 2] {
        let mut sizes = BTreeMap::<u32, usize>::new();
        self.numbers.iter().for_each(|group| *sizes.entry(*group).or_default() += 1);
        let (mut first, mut taken) = (BTreeSet::new(), 0);
        for group in order.iter().map(|i| self.numbers[*i]) {
            if first.contains(&group) {
                continue;
            }
            let with = taken + sizes[&group];
            let farther = with > wanted && with - wanted >= wanted.saturating_sub(taken);
            if farther || first.len() + 1 == sizes.len() {
                break;
            }
            first.insert(group);
            taken = with;
        }
        let (first, second) = order.into_iter().partition(|i| first.contains(&self.numbers[*i]));
        [first, second]
    }
}

/// Numbers groups by first appearance, for readers: what the file calls them, be it a patient's own number, goes no
/// further.
///
/// ```
/// use cutlayer::data::Numbering;
/// let mut patients = Numbering::default();
/// assert_eq!(["P7", "P3", "P7"].map(|id| patients.number(id)), [0, 1, 0]);
/// ```
#[derive(Debug)]
pub struct Numbering<T>(BTreeMap<T, u32>);

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Numbering<T> {
    /// Returns the number of a group by what the file calls it.
    pub fn number(&mut self, id: T) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(id).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn groups(numbers: &[u32]) -> Groups {
        Groups { numbers: numbers.into(), noun: Noun::PATIENT }
    }

    #[test]
    fn whole_groups_go_to_one_side() {
        // Forty patients of one to seven images.
        let numbers: Vec<u32> = (0..40).flat_map(|group| vec![group; 1 + (group as usize * 5) % 7]).collect();
        let (all, groups) = (numbers.len(), groups(&numbers));
        for seed in 0..20 {
            let order = Seed(seed).stream("order", 0).permutation(all);
            let mut before = BTreeSet::new();
            for wanted in 0..=all {
                let [first, second] = groups.part(order.clone(), wanted);
                let [of_first, of_second] = [&first, &second].map(|side| groups.select(side.iter().copied()));
                assert_eq!(of_first.shared_with(&of_second), [0, 0]);
                assert_eq!(first.len() + second.len(), all);
                assert!(!second.is_empty());
                // No group has more than seven images, and the one that is left to the other side may be of seven.
                assert!(
                    first.len().abs_diff(wanted) <= if wanted > all - 7 { 7 } else { 3 },
                    "{wanted}: {}",
                    first.len()
                );
                let now: BTreeSet<usize> = first.iter().copied().collect();
                assert!(now.is_superset(&before), "a larger share holds the smaller");
                before = now;
                let place = |i: &usize| order.iter().position(|at| at == i);
                assert!([first, second].iter().all(|side| side.is_sorted_by_key(place)), "in the drawn order");
            }
        }
    }

    #[test]
    fn groups_of_one_image_are_no_groups() {
        let (singles, order) = (groups(&(0..30).collect::<Vec<_>>()), Seed(3).stream("order", 0).permutation(30));
        for wanted in 0..30 {
            let (first, second) = order.split_at(wanted);
            assert_eq!(singles.part(order.clone(), wanted), [first.to_vec(), second.to_vec()]);
        }
        assert_eq!(singles.part(order, 30)[1].len(), 1);
        assert_eq!(
            groups(&[4, 4, 4]).part(vec![2, 0, 1], 2),
            [vec![], vec![2, 0, 1]],
            "one patient cannot be shared out"
        );
    }

    #[test]
    fn what_is_on_both_sides_is_counted() {
        assert_eq!(groups(&[0, 0, 1, 2, 2]).shared_with(&groups(&[2, 3, 0])), [2, 4]);
        assert_eq!(groups(&[]).shared_with(&groups(&[2])), [0, 0]);
        assert_eq!(groups(&[5, 5, 7]).count(), 2);
    }
}
