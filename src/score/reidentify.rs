//! Whether patients are found again: the stolen image of one is held against everybody's other image.

use super::shares::area;

/// How alike each probe (a stolen image) is to each of the gallery (real images of the same people, other ones).
#[derive(Clone, Copy, Debug)]
pub struct Gallery<'a> {
    /// (probes, gallery): likeness, row by row.
    pub alike: &'a [f64],
    /// Whose each probe is.
    pub probes: &'a [u32],
    /// Whose each of the gallery is.
    pub gallery: &'a [u32],
}

/// How well people were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Share of probes whose likest of the gallery is of the same patient, 0 to 1; of m equally like ones each counts 1/m.
    pub rank1: f64,
    /// The share of each probe in that.
    pub each: Vec<f64>,
    /// Of each probe the rank of the likest one of the same patient: one more than there are likelier ones of others. None
    /// where the gallery has none of theirs.
    pub ranks: Vec<Option<usize>>,
    /// Area under the ROC curve over all pairs: how often a pair of one patient is more alike than one of two.
    pub verification: Option<f64>,
}

impl Gallery<'_> {
    /// Finds everybody.
    ///
    /// # Panics
    /// Panics if there is not a likeness for each pair.
    pub fn found(&self) -> Found {
        assert_eq!(self.alike.len(), self.probes.len() * self.gallery.len(), "a likeness a pair");
        let rows = || self.alike.chunks(self.gallery.len().max(1)).zip(self.probes);
        let each: Vec<f64> = rows().map(|(row, probe)| self.first(row, *probe)).collect();
        let ranks = rows().map(|(row, probe)| self.rank(row, *probe)).collect();
        let pairs = rows().flat_map(|(row, probe)| row.iter().zip(self.gallery).map(move |(x, id)| (*x, id == probe)));
        Found { rank1: each.iter().sum::<f64>() / each.len() as f64, verification: area(pairs.collect()), each, ranks }
    }

    fn first(&self, row: &[f64], probe: u32) -> f64 {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let likest: Vec<u32> = row.iter().zip(self.gallery).filter(|(x, _)| **x == most).map(|(_, id)| *id).collect();
        likest.iter().filter(|id| **id == probe).count() as f64 / likest.len().max(1) as f64
    }

    fn rank(&self, row: &[f64], probe: u32) -> Option<usize> {
        let own = row.iter().zip(self.gallery).filter(|(_, id)| **id == probe).map(|(x, _)| *x).reduce(f64::max)?;
        Some(1 + row.iter().zip(self.gallery).filter(|(x, id)| **id != probe && **x > own).count())
    }
}

impl Found {
    /// Share of probes whose rank is not above `k`; one without a rank is not found.
    pub fn within(&self, k: usize) -> f64 {
        let near = self.ranks.iter().filter(|rank| rank.is_some_and(|rank| rank <= k)).count();
        near as f64 / self.ranks.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_share_the_first_place_and_strangers_are_not_found() {
        let alike = [0.9, 0.9, 0.1, 0.2, 0.3, 0.8, 0.5, 0.5, 0.5];
        let found = Gallery { alike: &alike, probes: &[0, 1, 9], gallery: &[0, 1, 2] }.found();
        assert_eq!(found.each, [0.5, 0.0, 0.0]);
        assert_eq!(found.ranks, [Some(1), Some(2), None]);
        assert!((found.rank1 - 1.0 / 6.0).abs() < 1e-12);
        assert_eq!((found.within(1), found.within(2)), (1.0 / 3.0, 2.0 / 3.0));
        // Pairs of one patient: .9 and .3; of two: .9, .1, .2, .8, and the stranger's three.
        assert!((found.verification.unwrap() - (6.5 + 2.0) / 14.0).abs() < 1e-12, "{found:?}");
    }
}
