//! Classes that an attack inferred, against the truth.

use super::metrics::LABELS;
use super::paired::lead;
use super::record::Lead;

/// How many of the inferred classes are right, in percent; the same of always naming the commonest class among the targets;
/// and the paired lead over that.
///
/// # Panics
/// Where there are fewer inferred classes than true ones.
pub fn labels_right(found: &[u32], truth: &[u32]) -> (f64, f64, Lead) {
    assert_eq!(found.len(), truth.len(), "one class a target");
    let count = |class: u32| truth.iter().filter(|one| **one == class).count();
    // Of several as common the least, so that it does not depend on their order.
    let commonest = truth.iter().copied().max_by_key(|class| (count(*class), std::cmp::Reverse(*class)));
    let points = |hit: bool| if hit { 100.0 } else { 0.0 };
    let own: Vec<f64> = found.iter().zip(truth).map(|(found, truth)| points(found == truth)).collect();
    let constant: Vec<f64> = truth.iter().map(|truth| points(Some(*truth) == commonest)).collect();
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    let (ahead, se, p) = lead(&own, &constant);
    let (right, chance) = (mean(&own), mean(&constant));
    let lead = Lead { over: "chance".to_owned(), of: LABELS.key.to_owned(), floor: chance, mean: ahead, se, p };
    (right, chance, lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_compared_with_always_naming_the_commonest_class() {
        let truth: Vec<u32> = (0..40).map(|i| u32::from(i % 4 == 0)).collect();
        let (right, chance, lead) = labels_right(&truth, &truth);
        assert_eq!((right, chance, lead.mean, lead.floor), (100.0, 75.0, 25.0, 75.0));
        assert!(lead.p < 0.01 && lead.of == "labels_right", "{lead:?}");
        let (right, _, lead) = labels_right(&[0; 40], &truth);
        assert_eq!((right, lead.mean, lead.p), (75.0, 0.0, 1.0), "a constant learns nothing from the wire");
        assert_eq!(labels_right(&[5; 40], &truth).0, 0.0);
    }
}
