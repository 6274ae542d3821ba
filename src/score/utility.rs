//! Whether a model is of use, and by how much one is better than another.

use serde::{Deserialize, Serialize};

use super::paired::share_error;
use super::record::{EpochRow, Row};

/// Test images that are taken for granted where a summary of an older build does not tell their number: few, so that
/// the benefit of the doubt is not the model's.
const UNTOLD_IMAGES: usize = 100;

impl Row {
    /// Standard error of the accuracy over the test images, in points (binomial).
    pub fn error(&self) -> f64 {
        share_error(self.accuracy, if self.images == 0 { UNTOLD_IMAGES } else { self.images })
    }

    /// Whether it is right more often than the constant predictor, which always names the largest class, by two standard
    /// errors, or its balanced accuracy is above what any constant has, by its whole 95 % interval: where classes are uneven
    /// a model may tell them apart and be right less often. One that does neither says nothing about a defence: it may hide
    /// everything and decide nothing.
    pub fn is_useful(&self) -> bool {
        beats(self.accuracy, self.majority, self.images) || self.tells_classes_apart()
    }

    fn tells_classes_apart(&self) -> bool {
        let classes = self.confusion.as_ref().map(Vec::len);
        let low = self.ci.get("balanced_accuracy").map(|ends| ends[0]);
        classes.zip(low).is_some_and(|(classes, low)| low > 100.0 / classes as f64)
    }

    /// Why it is of no use: `right for 71.8 ± 3.6 %, always naming the largest class for 73.1 %`, and so on.
    pub fn use_words(&self) -> String {
        let balanced = match self.ci.get("balanced_accuracy") {
            Some([low, high]) => {
                format!("; its balanced accuracy is {:.1} % ({low:.1} to {high:.1})", self.balanced_accuracy)
            }
            None => String::new(),
        };
        let (accuracy, error, majority) = (self.accuracy, self.error(), self.majority);
        format!("right for {accuracy:.1} ± {error:.1} %, always naming the largest class for {majority:.1} %{balanced}")
    }
}

/// Whether an accuracy in percent over so many images (0 where that is not told) beats a constant by two standard
/// errors.
pub fn beats(accuracy: f64, majority: f64, images: usize) -> bool {
    let images = if images == 0 { UNTOLD_IMAGES } else { images };
    accuracy > majority && accuracy - majority > 2.0 * share_error(accuracy, images).max(share_error(majority, images))
}

/// The held-out images by which an epoch is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeldOut {
    /// Those that are kept for choosing.
    Validation,
    /// Those that the model is tested on: its accuracy there flatters an epoch that was chosen by it.
    Test,
}

impl HeldOut {
    /// `the validation set`, `the test set`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Validation => "the validation set",
            Self::Test => "the test set",
        }
    }
}

/// The epoch after which a model was right most often on the validation set, the first of equal ones. None where that was
/// not measured after each of its epochs.
pub fn best_epoch(epochs: &[EpochRow], model: &str) -> Option<usize> {
    let (epoch, by) = best_held_out(epochs, model)?;
    (by == HeldOut::Validation).then_some(epoch)
}

/// The epoch after which a model was right most often on held-out images, the first of equal ones, and which images these
/// are: of the validation set where it was asked after each epoch, by its balanced accuracy where that was measured, else
/// of the test set. None before the first epoch.
pub fn best_held_out<'a>(epochs: impl IntoIterator<Item = &'a EpochRow>, model: &str) -> Option<(usize, HeldOut)> {
    let own: Vec<&EpochRow> = epochs.into_iter().filter(|row| row.model == model).collect();
    let validated = own.iter().all(|row| row.validation.is_some());
    let (by, accuracy): (_, fn(&EpochRow) -> f64) = if own.iter().all(|row| row.validation_balanced.is_some()) {
        (HeldOut::Validation, |row| row.validation_balanced.unwrap_or(f64::NEG_INFINITY))
    } else if validated {
        (HeldOut::Validation, |row| row.validation.unwrap_or(f64::NEG_INFINITY))
    } else {
        (HeldOut::Test, |row| row.accuracy)
    };
    let best = own.into_iter().reduce(|best, row| if accuracy(row) > accuracy(best) { row } else { best })?;
    Some((best.epoch, by))
}

/// After how many epochs the weights are that a model is judged with, once it has been trained: its last, or with `best` its
/// best.
pub fn final_epoch(epochs: &[EpochRow], model: &str, best: bool) -> usize {
    let trained = || epochs.iter().filter(|row| row.model == model).count();
    let best = best.then(|| best_held_out(epochs, model)).flatten();
    best.map_or_else(trained, |(epoch, _)| epoch)
}

/// Mean difference in points between two lists of predictions on the same images, and its standard error, paired.
///
/// # Panics
/// Where the lists differ in length.
pub fn difference(a: &[u32], b: &[u32], labels: &[u32]) -> (f64, f64) {
    let right = |predicted: &[u32]| -> Vec<f64> {
        assert_eq!(predicted.len(), labels.len(), "one prediction a label");
        predicted.iter().zip(labels).map(|(p, label)| if p == label { 100.0 } else { 0.0 }).collect()
    };
    let (mean, se, _) = super::paired::lead(&right(a), &right(b));
    (mean, se)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, accuracy: f64, majority: f64, images: usize) -> Row {
        Row { name: name.to_owned(), accuracy, balanced_accuracy: accuracy, majority, images, ..Row::default() }
    }

    #[test]
    fn a_model_under_the_majority_is_said_to_be_useless() {
        assert!(!row("fused", 71.8, 73.1, 156).is_useful());
        assert!(!row("fused", 75.0, 73.1, 156).is_useful(), "within two standard errors");
        assert!(row("fused", 85.0, 73.1, 156).is_useful());
        assert!(!row("fused", 15.0, 12.0, 0).is_useful());
        assert!(!row("fused", f64::NAN, 12.0, 100).is_useful());
        assert!((row("fused", 71.8, 73.1, 156).error() - 3.6027).abs() < 1e-3);
        // Right less often, and yet it tells two classes apart.
        let uneven = |low: f64| Row {
            confusion: Some(vec![vec![1, 1]; 2]),
            ci: [("balanced_accuracy".to_owned(), [low, 80.0])].into(),
            ..row("fused", 71.8, 73.1, 156)
        };
        assert!(uneven(50.1).is_useful() && !uneven(50.0).is_useful());
        assert!(uneven(50.0).use_words().ends_with("balanced accuracy is 71.8 % (50.0 to 80.0)"));
    }

    #[test]
    fn the_best_epoch_is_the_first_of_the_highest_and_takes_all_epochs() {
        let row = |model: &str, epoch, validation| EpochRow {
            model: model.to_owned(),
            epoch,
            // The test set has no say.
            accuracy: 100.0 - epoch as f64,
            validation,
            ..EpochRow::default()
        };
        let mut all: Vec<EpochRow> =
            [70.0, 90.0, 90.0, 80.0].iter().zip(1..).map(|(v, epoch)| row("defended", epoch, Some(*v))).collect();
        all.push(row("vanilla", 1, Some(95.0)));
        assert_eq!(["defended", "vanilla", "other"].map(|model| best_epoch(&all, model)), [Some(2), Some(1), None]);
        // Where each class counts alike, another may be the best.
        let uneven =
            |epoch, balanced| EpochRow { validation_balanced: Some(balanced), ..row("uneven", epoch, Some(90.0)) };
        let all_uneven = [uneven(1, 50.0), uneven(2, 70.0), uneven(3, 70.0)];
        assert_eq!([true, false].map(|best| final_epoch(&all_uneven, "uneven", best)), [2, 3]);
        assert_eq!(best_epoch(&all_uneven, "uneven"), Some(2));
        all.push(row("vanilla", 2, None));
        assert_eq!(best_epoch(&all, "vanilla"), None, "an older build did not measure it");
        assert_eq!(best_held_out(&all, "defended"), Some((2, HeldOut::Validation)));
        let tested: Vec<EpochRow> = [(1, 70.0), (2, 90.0), (3, 90.0)]
            .map(|(epoch, accuracy)| EpochRow { model: "defended".to_owned(), epoch, accuracy, ..EpochRow::default() })
            .into();
        assert_eq!(best_held_out(&tested, "defended"), Some((2, HeldOut::Test)));
        assert_eq!(best_held_out(&tested, "vanilla"), None);
        let text = serde_json::to_string(&all.pop()).unwrap();
        assert!(text.ends_with("\"accuracy\":98.0}"), "{text}");
    }

    #[test]
    fn a_difference_is_paired() {
        // Right: first on 3 of 4, second on 1 of 4; they differ in two.
        let (mean, se) = difference(&[0, 1, 1, 0], &[0, 0, 0, 0], &[0, 1, 1, 1]);
        assert_eq!(mean, 50.0);
        assert!((se - 28.867_513).abs() < 1e-5, "{se}");
    }
}
