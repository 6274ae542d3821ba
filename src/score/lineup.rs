//! The line-up: could a stranger who knows the class pick the target out by the stolen picture?
//!
//! Eight images of one class, the target's: the target, and seven that are drawn by seed from the attacker's own. The one
//! most like the reconstruction is picked. Labels cross the wire in label-sharing split learning, so decoys of other
//! classes, or far ones, would be no test: a class mean, made from the label alone, wins such line-ups without having
//! stolen anything. Here any picture made from the label alone wins one in eight.

use super::image::pearson;
use crate::data::Part;
use crate::error::Result;
use crate::random::Seed;

/// Images in a line-up.
pub const SIZE: usize = 8;

/// How often, in percent, chance picks the target.
pub const CHANCE: f64 = 100.0 / SIZE as f64;

/// Which of the attacker's images stand beside a target: `SIZE − 1` indices into `pool`, drawn by `seed` among those of
/// the class `label`, exact copies of the target left out. The draw depends on the target's own pixels and on nothing
/// else, so all attacks meet the same line-up. None where there are fewer: a shorter line-up would be easier.
///
/// # Errors
/// Returns an error if an image cannot be read.
pub fn decoys(target: &[u8], label: u32, pool: &Part, seed: Seed) -> Result<Option<Vec<usize>>> {
    let mut members = Vec::new();
    for i in (0..pool.len()).filter(|i| pool.labels()[*i] == label) {
        if *pool.image(i)? != *target {
            members.push(i);
        }
    }
    if members.len() < SIZE - 1 {
        return Ok(None);
    }
    let hash = blake3::hash(target);
    let index = hash.as_bytes()[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let order = seed.stream("lineup", index).permutation(members.len());
    Ok(Some(order.into_iter().take(SIZE - 1).map(|i| members[i]).collect()))
}

/// The candidates that correlate most with the reconstruction; all of them where it is blank or not finite, since nobody
/// could then say.
///
/// # Panics
/// Where the images differ in size.
pub fn most_alike(reconstruction: &[f32], candidates: &[&[f32]]) -> Vec<usize> {
    let alike: Vec<f64> = candidates.iter().map(|image| pearson(reconstruction, image)).collect();
    if alike.iter().any(|r| !r.is_finite()) {
        return (0..candidates.len()).collect();
    }
    let best = alike.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0..candidates.len()).filter(|i| alike[*i] >= best).collect()
}

/// Line-ups of some targets, made once for all attacks on them.
#[derive(Clone, Debug, Default)]
pub struct Lineups {
    /// Of each target: itself first, then its decoys; none where its class has too few images.
    candidates: Vec<Option<Vec<Vec<f32>>>>,
}

impl Lineups {
    /// Of every target, with decoys from the attacker's images.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read.
    pub fn new(targets: &Part, pool: &Part, seed: Seed) -> Result<Self> {
        let of = |i: usize| -> Result<Option<Vec<Vec<f32>>>> {
            if pool.shape() != targets.shape() {
                return Ok(None);
            }
            let Some(decoys) = decoys(&targets.image(i)?, targets.labels()[i], pool, seed)? else { return Ok(None) };
            let all = std::iter::once(targets.values(i)).chain(decoys.into_iter().map(|decoy| pool.values(decoy)));
            all.collect::<Result<_>>().map(Some)
        };
        Ok(Self { candidates: (0..targets.len()).map(of).collect::<Result<_>>()? })
    }

    /// Whether target `i` is picked by the reconstruction: 1, 0, or 1/m where m candidates are equally alike and it is
    /// among them; none where there is no line-up.
    pub fn picked(&self, i: usize, reconstruction: &[f32]) -> Option<f64> {
        let candidates = self.candidates.get(i)?.as_ref()?;
        let candidates: Vec<&[f32]> = candidates.iter().map(Vec::as_slice).collect();
        let best = most_alike(reconstruction, &candidates);
        Some(if best.contains(&0) { 1.0 / best.len() as f64 } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    /// Images of 1 × 3 × 4, image `i` of class `i % classes`, no two alike.
    fn pool(count: usize, classes: u32) -> Part {
        let pixels = (0..count * 12).map(|i| (i * i * 37 % 251) as u8).collect();
        Part::from(Images { shape: [1, 3, 4], pixels, labels: (0..count as u32).map(|i| i % classes).collect() })
    }

    #[test]
    fn decoys_are_of_the_targets_class_drawn_by_seed_and_never_its_double() {
        let pool = pool(60, 3);
        let target = pool.image(4).unwrap().into_owned();
        let decoys = |target: &[u8], label, pool: &Part, seed| decoys(target, label, pool, seed).unwrap();
        let chosen = decoys(&target, 1, &pool, Seed(0)).unwrap();
        assert_eq!(chosen.len(), SIZE - 1);
        assert!(chosen.iter().all(|i| i % 3 == 1 && *i != 4), "{chosen:?}");
        assert_eq!(decoys(&target, 1, &pool, Seed(0)).unwrap(), chosen);
        assert_ne!(decoys(&target, 1, &pool, Seed(1)).unwrap(), chosen);
        // Seven of a class are enough, but its double does not count.
        let seven = pool.take(21);
        assert!(decoys(&[0; 12], 1, &seven, Seed(0)).is_some());
        assert!(decoys(&target, 1, &seven, Seed(0)).is_none());
        assert!(decoys(&target, 9, &pool, Seed(0)).is_none());
    }

    #[test]
    fn a_good_picture_picks_its_target_and_a_blank_one_nobody() {
        let all = pool(60, 3);
        let targets = all.select(&[1, 2]);
        let lineups = Lineups::new(&targets, &all, Seed(5)).unwrap();
        let dim: Vec<f32> = targets.values(0).unwrap().iter().map(|v| 0.2 + 0.3 * v).collect();
        assert_eq!(lineups.picked(0, &dim), Some(1.0));
        assert_eq!(lineups.picked(1, &dim), Some(0.0));
        for nothing in [[0.5; 12], [f32::NAN; 12]] {
            assert_eq!(lineups.picked(0, &nothing), Some(0.125));
        }
        assert_eq!(Lineups::new(&targets, &all.take(9), Seed(5)).unwrap().picked(0, &dim), None);
        assert_eq!(lineups.picked(2, &dim), None);
    }

    #[test]
    fn equally_alike_candidates_share_the_pick() {
        let (a, b) = ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0]);
        assert_eq!(most_alike(&a, &[&a, &b, &a]), [0, 2]);
        assert_eq!(most_alike(&[0.5; 3], &[&a, &b]), [0, 1]);
        assert_eq!(most_alike(&b, &[]), Vec::<usize>::new());
    }
}
