//! How far a diagnosis can be manipulated: how often each stream is right on inputs as they are and on moved ones, and how
//! often its answer becomes another (METHOD §3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::band::wilson;

/// What one attack did to one stream of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DiagnosisRow {
    /// The attack's id.
    pub attack: String,
    /// Whether it went through the defence.
    pub adaptive: bool,
    /// The model that was asked.
    pub target: String,
    /// The model that the inputs were moved against; another than the target where they were carried over.
    pub crafted_at: String,
    /// The stream, called as in the table of results: `vanilla`, `stream_attacked`, `stream_recovered`, `stream_fused`, and
    /// `fused` for what they decide together; `defended` where a defence leaves the server one stream.
    pub stream: String,
    /// Test images, an equal share of each class as far as there are.
    pub images: usize,
    /// Right answers on the inputs as they are, in percent.
    pub clean_accuracy: f64,
    /// Its 95 % interval (Wilson).
    pub clean_ci: [f64; 2],
    /// Right answers on the moved inputs, in percent.
    pub attacked_accuracy: f64,
    /// Its 95 % interval (Wilson).
    pub attacked_ci: [f64; 2],
    /// How often the answer to a moved input is another than to the input as it was, in percent.
    pub flip_rate: f64,
    /// Its 95 % interval (Wilson).
    pub flip_ci: [f64; 2],
    /// How far inputs may move: ε, or γ where it counts pixels.
    pub epsilon: f64,
    /// The same with all else that bounds the attack, in words.
    pub budget: String,
    /// The seed that images and random starts were drawn by.
    pub seed: u64,
    /// Seconds that the inputs took to be moved; the same for all streams of the attack.
    pub seconds: f64,
}

/// Answers of the streams to images, as they are or moved: the class of each image, by stream.
pub type Answers = BTreeMap<String, Vec<u32>>;

impl DiagnosisRow {
    /// This row with what a stream answered to the images as they are, and to them moved; percents and intervals.
    ///
    /// # Panics
    /// Panics if the three lists differ in length.
    #[must_use]
    pub fn counted(self, stream: &str, labels: &[u32], clean: &[u32], moved: &[u32]) -> Self {
        assert!(labels.len() == clean.len() && clean.len() == moved.len(), "an answer for each image");
        let share = |one: &[u32], other: &[u32], same: bool| {
            let hits = one.iter().zip(other).filter(|(a, b)| (a == b) == same).count();
            let (low, high) = wilson(hits, one.len());
            (100.0 * hits as f64 / one.len().max(1) as f64, [100.0 * low, 100.0 * high])
        };
        let (clean_accuracy, clean_ci) = share(clean, labels, true);
        let (attacked_accuracy, attacked_ci) = share(moved, labels, true);
        let (flip_rate, flip_ci) = share(moved, clean, false);
        Self {
            stream: stream.to_owned(),
            images: labels.len(),
            clean_accuracy,
            clean_ci,
            attacked_accuracy,
            attacked_ci,
            flip_rate,
            flip_ci,
            ..self
        }
    }

    /// Whether two rows are of the same attack with the same budget at the same stream, be it launched twice.
    pub fn replaces(&self, other: &Self) -> bool {
        let key = |row: &Self| (row.attack.clone(), row.adaptive, row.target.clone(), row.crafted_at.clone());
        key(self) == key(other) && self.stream == other.stream && self.budget == other.budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_and_flips_are_counted() {
        let row = DiagnosisRow::default().counted("stream_attacked", &[0, 1, 2, 1], &[0, 1, 1, 1], &[0, 2, 1, 1]);
        assert_eq!((row.clean_accuracy, row.attacked_accuracy, row.flip_rate), (75.0, 50.0, 25.0));
        assert_eq!((row.images, row.stream.as_str()), (4, "stream_attacked"));
        let (low, high) = wilson(1, 4);
        assert_eq!(row.flip_ci, [100.0 * low, 100.0 * high]);
        assert!(row.clean_ci[0] < 75.0 && row.clean_ci[1] > 75.0);
    }

    #[test]
    fn the_same_attack_again_replaces_its_row() {
        let row = DiagnosisRow { attack: "pgd".to_owned(), budget: "ε 0.03".to_owned(), ..DiagnosisRow::default() };
        let again = DiagnosisRow { flip_rate: 3.0, seconds: 1.0, ..row.clone() };
        assert!(again.replaces(&row));
        for other in [
            DiagnosisRow { adaptive: true, ..row.clone() },
            DiagnosisRow { budget: "ε 0.1".to_owned(), ..row.clone() },
            DiagnosisRow { stream: "fused".to_owned(), ..row.clone() },
            DiagnosisRow { crafted_at: "vanilla".to_owned(), ..row.clone() },
        ] {
            assert!(!other.replaces(&row));
        }
    }
}
