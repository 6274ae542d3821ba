//! Whether a model is of use, and what its gains are worth.

use super::paired::share_error;
use super::record::{Gain, Row};

/// Test images that are taken for granted where a summary of an older build does not tell their number: few, so that
/// the benefit of the doubt is not the model's.
const UNTOLD_IMAGES: usize = 100;

impl Row {
    /// Standard error of the accuracy over the test images, in points (binomial).
    pub fn error(&self) -> f64 {
        share_error(self.accuracy, if self.images == 0 { UNTOLD_IMAGES } else { self.images })
    }

    /// Whether it is right more often than the constant predictor, which always names the largest class, by two standard
    /// errors. A model that is not says nothing about a defence: it may hide everything and decide nothing.
    pub fn is_useful(&self) -> bool {
        beats(self.accuracy, self.majority, self.images)
    }
}

/// Whether an accuracy in percent over so many images (0 where that is not told) beats a constant by two standard
/// errors.
pub fn beats(accuracy: f64, majority: f64, images: usize) -> bool {
    let images = if images == 0 { UNTOLD_IMAGES } else { images };
    accuracy > majority && accuracy - majority > 2.0 * share_error(accuracy, images).max(share_error(majority, images))
}

/// One gain of the fused decision beside that of the constant predictor.
#[derive(Clone, Debug, PartialEq)]
pub struct GainLine {
    /// As in `summary.json`: `over_clean`, `over_attacked`, `over_reconstructed`.
    pub key: &'static str,
    /// In points.
    pub points: f64,
    /// Its standard error over the test images.
    pub se: f64,
    /// What always naming the largest class gains over the same model.
    pub constant: Option<f64>,
}

/// The gains, the one that cannot be inflated first.
///
/// # Errors
/// Says why there is none to be shown: a fused decision that does not beat the constant predictor gains nothing,
/// whatever the difference to something worse.
pub fn gain_lines(gain: &Gain, rows: &[Row]) -> Result<Vec<GainLine>, String> {
    let row = |name: &str| rows.iter().find(|row| row.name == name);
    if let Some(fused) = row("fused").filter(|fused| !fused.is_useful()) {
        return Err(format!(
            "No gain is shown: the fused decision is right for {:.1} ± {:.1} %, always naming the largest class for \
             {:.1} %. A model that does not beat that by two standard errors is of no use.",
            fused.accuracy,
            fused.error(),
            fused.majority
        ));
    }
    let line = |(i, key, points, over): (usize, &'static str, f64, &str)| {
        let binomial = row("fused").map_or(0.0, Row::error).hypot(row(over).map_or(0.0, Row::error));
        let se = gain.errors.map_or(binomial, |errors| errors[i]);
        GainLine { key, points, se, constant: row(over).map(|over| over.majority - over.accuracy) }
    };
    let all = [
        (2, "over_clean", gain.over_clean, "vanilla_clean"),
        (0, "over_attacked", gain.over_attacked, "vanilla_attacked"),
        (1, "over_reconstructed", gain.over_reconstructed, "vanilla_recovered"),
    ];
    Ok(all.into_iter().map(line).collect())
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
        Row { name: name.to_owned(), accuracy, balanced_accuracy: accuracy, majority, images }
    }

    #[test]
    fn a_model_under_the_majority_is_said_to_be_useless() {
        assert!(!row("fused", 71.8, 73.1, 156).is_useful());
        assert!(!row("fused", 75.0, 73.1, 156).is_useful(), "within two standard errors");
        assert!(row("fused", 85.0, 73.1, 156).is_useful());
        assert!(!row("fused", 15.0, 12.0, 0).is_useful());
        assert!(!row("fused", f64::NAN, 12.0, 100).is_useful());
        assert!((row("fused", 71.8, 73.1, 156).error() - 3.6027).abs() < 1e-3);
    }

    #[test]
    fn beside_every_gain_stands_the_constants_and_none_where_the_model_is_of_no_use() {
        let gain = Gain { over_attacked: 41.0, over_reconstructed: 20.0, over_clean: -1.0, ..Gain::default() };
        let rows = |fused| {
            vec![
                row("fused", fused, 66.0, 100),
                row("vanilla_clean", 67.0, 66.0, 100),
                row("vanilla_attacked", 24.0, 66.0, 100),
            ]
        };
        let lines = gain_lines(&gain, &rows(80.0)).unwrap();
        assert_eq!(
            lines.iter().map(|line| line.key).collect::<Vec<_>>(),
            ["over_clean", "over_attacked", "over_reconstructed"]
        );
        assert_eq!((lines[0].constant, lines[1].constant, lines[2].constant), (Some(-1.0), Some(42.0), None));
        // Binomial where nothing was measured in pairs: √(4² + 4.27²).
        assert!((lines[1].se - 5.851).abs() < 1e-2, "{}", lines[1].se);
        let paired = Gain { errors: Some([3.0, 2.0, 1.0]), ..gain.clone() };
        assert_eq!(
            gain_lines(&paired, &rows(80.0)).unwrap().iter().map(|line| line.se).collect::<Vec<_>>(),
            [1.0, 3.0, 2.0]
        );
        assert!(gain_lines(&gain, &rows(67.0)).unwrap_err().contains("66.0 %"));
    }

    #[test]
    fn a_difference_is_paired() {
        // Right: first on 3 of 4, second on 1 of 4; they differ in two.
        let (mean, se) = difference(&[0, 1, 1, 0], &[0, 0, 0, 0], &[0, 1, 1, 1]);
        assert_eq!(mean, 50.0);
        assert!((se - 28.867_513).abs() < 1e-5, "{se}");
    }
}
