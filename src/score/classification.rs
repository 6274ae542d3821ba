//! How well classes are told apart.

use std::collections::BTreeMap;

use super::record::Row;
use super::shares::Shares;

/// A row keeps how its classes were taken for each other where there are no more.
const MOST: usize = 20;

/// How often each class was taken for which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// Images of class `label` taken for class `predicted`, at `label * classes + predicted`.
    counts: Vec<usize>,
}

impl Confusion {
    /// Counts predictions against labels.
    ///
    /// # Panics
    /// Where the two differ in length or a class is not below `classes`.
    pub fn new(predicted: &[u32], labels: &[u32], classes: usize) -> Self {
        assert_eq!(predicted.len(), labels.len(), "one prediction a label");
        let mut counts = vec![0; classes * classes];
        for (&predicted, &label) in predicted.iter().zip(labels) {
            let (predicted, label) = (predicted as usize, label as usize);
            assert!(predicted < classes && label < classes, "class {predicted} or {label} of {classes}");
            counts[label * classes + predicted] += 1;
        }
        Self { classes, counts }
    }

    /// How many images of class `label` were taken for class `predicted`.
    ///
    /// # Panics
    /// Where there is no such class.
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        self.row(label)[predicted]
    }

    /// Share of right predictions, in percent; not a number where there is no image.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..self.classes).map(|class| self.count(class, class)).sum();
        percent(right, self.counts.iter().sum())
    }

    /// Share of right predictions within each class, in percent, averaged over the classes that
    /// occur: guessing one class always gives 100 / classes. Not a number where there is no image.
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = (0..self.classes).filter_map(|class| self.recall(class)).collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// How many images of a class are taken for it, in percent; none where there is no image of it.
    ///
    /// # Panics
    /// Where there is no such class.
    pub fn recall(&self, class: usize) -> Option<f64> {
        (self.size(class) > 0).then(|| percent(self.count(class, class), self.size(class)))
    }

    /// The accuracy of always guessing the largest class, in percent: what an accuracy must beat to
    /// say anything. Not a number where there is no image.
    pub fn majority(&self) -> f64 {
        let largest = (0..self.classes).map(|class| self.size(class)).max().unwrap_or(0);
        percent(largest, self.counts.iter().sum())
    }

    fn row(&self, label: usize) -> &[usize] {
        &self.counts[label * self.classes..(label + 1) * self.classes]
    }

    /// Images of class `label`.
    fn size(&self, label: usize) -> usize {
        self.row(label).iter().sum()
    }
}

impl Row {
    /// Measures a row of the table: the classes that were predicted of images of the classes `labels`, and what share
    /// each class got of each image (N × K values), where that is known.
    ///
    /// # Panics
    /// Panics if the lists do not fit each other, or a class is not below `classes`.
    pub fn measured(name: &str, predicted: &[u32], labels: &[u32], classes: usize, shares: Option<&[f32]>) -> Self {
        let confusion = Confusion::new(predicted, labels, classes);
        let shares = shares.map(|shares| Shares::new(shares, labels, classes));
        Self {
            name: name.to_owned(),
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            majority: confusion.majority(),
            images: predicted.len(),
            sensitivity: if classes == 2 { confusion.recall(1) } else { None },
            specificity: if classes == 2 { confusion.recall(0) } else { None },
            auroc: shares.and_then(|shares| shares.auroc()),
            ece: shares.and_then(|shares| shares.calibration_error()),
            brier: shares.and_then(|shares| shares.brier()),
            confusion: (classes <= MOST).then(|| confusion.counts.chunks(classes).map(<[usize]>::to_vec).collect()),
            ci: BTreeMap::new(),
        }
    }
}

impl Row {
    /// The same where this class of two is the positive one, whose images sensitivity is of. It was the second.
    #[must_use]
    pub fn of_positive(mut self, class: usize) -> Self {
        if class == 0 {
            std::mem::swap(&mut self.sensitivity, &mut self.specificity);
            let [sensitivity, specificity] = ["sensitivity", "specificity"].map(|key| self.ci.remove(key));
            self.ci.extend(specificity.map(|ends| ("sensitivity".to_owned(), ends)));
            self.ci.extend(sensitivity.map(|ends| ("specificity".to_owned(), ends)));
        }
        self
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_counted_by_hand() {
        // Class 0: 3 of 4 right; class 1: 1 of 2; class 2 never occurs.
        let confusion = Confusion::new(&[0, 0, 0, 2, 1, 0], &[0, 0, 0, 0, 1, 1], 3);
        assert_eq!((confusion.count(0, 2), confusion.count(1, 0), confusion.count(2, 2)), (1, 1, 0));
        assert!((confusion.accuracy() - 400.0 / 6.0).abs() < 1e-9);
        assert!((confusion.balanced_accuracy() - 62.5).abs() < 1e-9);
        assert!((confusion.majority() - 400.0 / 6.0).abs() < 1e-9);
    }

    #[test]
    fn a_row_has_what_its_shares_say_where_there_are_any() {
        let plain = Row::measured("x", &[0, 1, 1], &[0, 1, 0], 2, None);
        assert_eq!((plain.images, plain.auroc, plain.ece, plain.brier), (3, None, None, None));
        let text = serde_json::to_string(&plain).unwrap();
        assert!(text.contains("\"auroc\":null") && !text.contains("brier"), "{text}");
        assert_eq!(plain.confusion, Some(vec![vec![1, 1], vec![0, 1]]));
        assert_eq!((plain.sensitivity, plain.specificity), (Some(100.0), Some(50.0)));
        let ci = BTreeMap::from([("sensitivity".to_owned(), [90.0, 100.0]), ("accuracy".to_owned(), [1.0, 2.0])]);
        let other = Row { ci, ..plain.clone() }.of_positive(0);
        assert_eq!((other.sensitivity, other.specificity), (Some(50.0), Some(100.0)));
        assert_eq!((other.ci.get("specificity"), other.ci.len()), (Some(&[90.0, 100.0]), 2));
        let row = Row::measured("x", &[0, 1, 1], &[0, 1, 0], 2, Some(&[0.75, 0.25, 0.0, 1.0, 0.5, 0.5]));
        assert_eq!((row.accuracy, row.auroc), (plain.accuracy, Some(1.0)));
        // 2 · (.25² + 0 + .5²) / 3.
        assert!((row.brier.unwrap() - 0.625 / 3.0).abs() < 1e-12);
        assert_eq!(serde_json::from_str::<Row>(&serde_json::to_string(&row).unwrap()).unwrap(), row);
        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), plain);
    }

    #[test]
    fn guessing_one_class_is_seen_through() {
        let confusion = Confusion::new(&[1; 10], &[1, 1, 1, 1, 1, 1, 1, 1, 1, 0], 2);
        assert_eq!((confusion.accuracy(), confusion.majority(), confusion.balanced_accuracy()), (90.0, 90.0, 50.0));
    }

    #[test]
    fn nothing_gives_no_number() {
        let confusion = Confusion::new(&[], &[], 2);
        assert!(
            confusion.accuracy().is_nan() && confusion.balanced_accuracy().is_nan() && confusion.majority().is_nan()
        );
    }

    #[test]
    #[should_panic(expected = "class 2 or 0 of 2")]
    fn a_class_too_many_is_a_defect() {
        Confusion::new(&[2], &[0], 2);
    }
}
