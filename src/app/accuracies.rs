//! The accuracies that are drawn: one curve a stream, by epoch on the test set and by step in training.

use egui_plot::PlotPoint;

use super::theme::Role;
use crate::experiment::Experiment;
use crate::run::held_out::LiveRow;
use crate::run::summary::{EpochRow, MetricRow};

/// Whose accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accuracy {
    /// The stream on what the client sent, of a server with three.
    Disguised,
    /// Its stream on what the server cleaned.
    Cleaned,
    /// Its stream on both, through the fusing convolution.
    Fused,
    /// The weighted decision of the three.
    Decision,
    /// The model without a defence.
    Vanilla,
}

impl Accuracy {
    /// All of them, in the order of the data's way through them.
    pub const ALL: [Self; 5] = [Self::Disguised, Self::Cleaned, Self::Fused, Self::Decision, Self::Vanilla];

    /// Its name in the window.
    pub fn label(self) -> &'static str {
        match self {
            Self::Disguised => t!("disguised"),
            Self::Cleaned => t!("cleaned"),
            Self::Fused => t!("fused stream"),
            Self::Decision => t!("fused decision"),
            Self::Vanilla => t!("undefended"),
        }
    }

    /// What it is, with the paper's word.
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::Disguised => t!("The stream that sees what the client sent: the paper's \"attacked\" features."),
            Self::Cleaned => {
                t!("The stream that sees what the server cleaned of it: the paper's \"recovered\" features.")
            }
            Self::Fused => {
                t!("The stream that sees both, through a fusing convolution: the paper's \"fused\" features.")
            }
            Self::Decision => t!("The answer of the defended model; of one with three streams, their weighted vote."),
            Self::Vanilla => t!("The same network without a defence: the paper's vanilla split learning."),
        }
    }

    /// Whose colour it has.
    pub fn role(self) -> Role {
        match self {
            Self::Disguised => Role::Disguised,
            Self::Cleaned => Role::Cleaned,
            Self::Fused => Role::FusedStream,
            Self::Decision => Role::Decision,
            Self::Vanilla => Role::Patient,
        }
    }

    /// Whether an experiment has it.
    pub fn is_of(self, experiment: &Experiment) -> bool {
        match self {
            Self::Vanilla => !experiment.defended() || experiment.train.twin,
            Self::Decision => experiment.defended(),
            _ => experiment.fuses(),
        }
    }

    /// Its accuracy in a test.
    pub fn of_epoch(self, row: &EpochRow) -> Option<f64> {
        let vanilla = row.model == "vanilla";
        match self {
            Self::Vanilla => vanilla.then_some(row.accuracy),
            _ if vanilla => None,
            Self::Disguised => row.attacked,
            Self::Cleaned => row.recovered,
            Self::Fused => row.fused_stream,
            Self::Decision => Some(row.accuracy),
        }
    }

    /// Its right answers on held-out images.
    pub fn of_live(self, row: &LiveRow) -> Option<usize> {
        let vanilla = row.model == "vanilla";
        match self {
            Self::Decision | Self::Vanilla => (vanilla == (self == Self::Vanilla)).then_some(row.decision),
            Self::Disguised => row.streams.map(|streams| streams[0]),
            Self::Cleaned => row.streams.map(|streams| streams[1]),
            Self::Fused => row.streams.map(|streams| streams[2]),
        }
    }

    /// Its accuracy in a training step.
    pub fn of_step(self, row: &MetricRow) -> Option<f64> {
        match self {
            Self::Disguised => row.acc_a,
            Self::Cleaned => row.acc_r,
            Self::Fused => row.acc_f,
            Self::Decision => row.acc_fused,
            Self::Vanilla => row.acc_vanilla,
        }
    }
}

/// One curve a stream.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    points: [Vec<PlotPoint>; 5],
    smooth: [Smooth; 5],
}

impl Curves {
    /// A stream's points.
    pub fn points(&self, stream: Accuracy) -> &[PlotPoint] {
        &self.points[stream as usize]
    }

    /// A stream's last value, in percent.
    pub fn last(&self, stream: Accuracy) -> Option<f64> {
        self.points(stream).last().map(|point| point.y)
    }

    /// Whether nothing has been measured.
    pub fn is_empty(&self) -> bool {
        self.points.iter().all(Vec::is_empty)
    }

    /// Adds a test, as it is.
    pub fn add_epoch(&mut self, row: &EpochRow) {
        for stream in Accuracy::ALL {
            if let Some(value) = stream.of_epoch(row).filter(|value| value.is_finite()) {
                self.points[stream as usize].push(PlotPoint::new(row.epoch as f64, value));
            }
        }
    }

    /// Adds a training step, smoothed.
    pub fn add_step(&mut self, row: &MetricRow) {
        for stream in Accuracy::ALL {
            if let Some(value) = stream.of_step(row).filter(|value| value.is_finite()) {
                let value = self.smooth[stream as usize].add(value);
                self.points[stream as usize].push(PlotPoint::new(row.step as f64, value));
            }
        }
    }
}

/// A running mean that forgets, without the pull towards zero that such means have at their start.
#[derive(Clone, Copy, Debug)]
pub struct Smooth {
    keep: f64,
    sum: f64,
    weight: f64,
}

impl Default for Smooth {
    fn default() -> Self {
        Self::new(Self::KEEP)
    }
}

impl Smooth {
    /// What it keeps of the past where nothing else is asked for.
    pub const KEEP: f64 = 0.9;

    /// One that keeps so much of the past at each value; 0 smooths nothing.
    pub fn new(keep: f64) -> Self {
        Self { keep: keep.clamp(0.0, 0.999), sum: 0.0, weight: 0.0 }
    }

    /// Takes a value and gives the mean so far.
    pub fn add(&mut self, value: f64) -> f64 {
        self.sum = self.keep * self.sum + (1.0 - self.keep) * value;
        self.weight = self.keep * self.weight + (1.0 - self.keep);
        self.sum / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::DEFENDED;

    #[test]
    fn smoothing_starts_at_the_first_value_and_skips_what_is_no_number() {
        let mut curves = Curves::default();
        for (step, value) in [(1, 40.0), (2, f64::NAN), (3, 40.0), (4, 50.0)] {
            curves.add_step(&MetricRow { step, acc_a: Some(value), ..MetricRow::default() });
        }
        let points = curves.points(Accuracy::Disguised);
        assert_eq!(points.iter().map(|p| p.x).collect::<Vec<_>>(), [1.0, 3.0, 4.0]);
        assert!((points[0].y - 40.0).abs() < 1e-9 && points[2].y > 40.0 && points[2].y < 50.0);
        assert!(curves.points(Accuracy::Vanilla).is_empty());
    }

    #[test]
    fn every_stream_has_a_curve_of_its_own() {
        let defended = EpochRow {
            model: DEFENDED.to_owned(),
            epoch: 1,
            attacked: Some(1.0),
            recovered: Some(2.0),
            fused_stream: Some(3.0),
            accuracy: 4.0,
            ..EpochRow::default()
        };
        let vanilla = EpochRow { model: "vanilla".to_owned(), attacked: None, accuracy: 5.0, ..defended.clone() };
        let mut curves = Curves::default();
        curves.add_epoch(&defended);
        curves.add_epoch(&vanilla);
        let last = Accuracy::ALL.map(|stream| curves.last(stream));
        assert_eq!(last, [Some(1.0), Some(2.0), Some(3.0), Some(4.0), Some(5.0)]);
    }
}
