//! What the gains of a fused decision are worth, beside what a constant answer gains and what the paper says.

use super::metrics::{self, Metric};
use super::paper::{self, Figure};
use super::record::{Gain, Row};

/// The gains, each with the row that it is over and the paper's figure; the one that cannot be inflated first.
pub static GAINS: [(&Metric<Gain>, &str, Option<Figure>); 3] = [
    (&metrics::OVER_CLEAN, "vanilla_clean", None),
    (&metrics::OVER_ATTACKED, "vanilla_attacked", Some(paper::OVER_ATTACKED)),
    (&metrics::OVER_RECONSTRUCTED, "vanilla_recovered", Some(paper::OVER_RECONSTRUCTED)),
];

/// The rows that the fused decision is compared with, in the order in which a gain has its intervals.
pub const BASELINES: [&str; 3] = ["vanilla_attacked", "vanilla_recovered", "vanilla_clean"];

/// One gain of the fused decision beside that of the constant predictor.
#[derive(Clone, Debug, PartialEq)]
pub struct GainLine {
    /// Which.
    pub metric: &'static Metric<Gain>,
    /// In points.
    pub points: f64,
    /// Its standard error over the test images.
    pub se: f64,
    /// What always naming the largest class gains over the same model.
    pub constant: Option<f64>,
    /// What the paper says of it, if anything.
    pub paper: Option<Figure>,
    /// The 95 % interval of the gain.
    pub ci: Option<[f64; 2]>,
    /// The gain in balanced accuracy.
    pub balanced: Option<f64>,
    /// Its 95 % interval.
    pub balanced_ci: Option<[f64; 2]>,
}

impl GainLine {
    /// The paper's figure with its mark, or that it gives none.
    pub fn paper_words(&self) -> String {
        self.paper.map_or_else(|| "not given".to_owned(), |figure| figure.to_string())
    }
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
            "No gain is shown: the fused decision is {}. A model that beats neither the largest class by two standard errors nor \
             chance by its balanced accuracy is of no use.",
            fused.use_words()
        ));
    }
    let error = |name: &str| row(name).map_or(0.0, Row::error);
    let line = |(metric, over, paper): (&'static Metric<Gain>, &str, Option<Figure>)| {
        // Binomial where it was not measured in pairs.
        let se = (metric.error)(gain).unwrap_or_else(|| error("fused").hypot(error(over)));
        let constant = row(over).map(|over| over.majority - over.accuracy);
        let place = BASELINES.iter().position(|name| *name == over)?;
        Some(GainLine {
            metric,
            points: (metric.value)(gain)?,
            se,
            constant,
            paper,
            ci: gain.ci.map(|three| three[place]),
            balanced: gain.balanced.map(|three| three[place]),
            balanced_ci: gain.balanced_ci.map(|three| three[place]),
        })
    };
    Ok(GAINS.into_iter().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, accuracy: f64, majority: f64, images: usize) -> Row {
        Row { name: name.to_owned(), accuracy, balanced_accuracy: accuracy, majority, images, ..Row::default() }
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
            lines.iter().map(|line| line.metric.key).collect::<Vec<_>>(),
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
        let papers: Vec<String> = lines.iter().map(GainLine::paper_words).collect();
        assert_eq!(papers, ["not given", "36.9 [A v1]", "17.9 [A v1]"]);
        assert!(gain_lines(&gain, &rows(67.0)).unwrap_err().contains("66.0 %"));
    }
}
