//! The recorded run that stands here before the first one.

use std::path::Path;
use std::sync::OnceLock;

use crate::app::state::State;
use crate::run::checkpoint::Position;
use crate::run::summary::{MetricRow, Summary};

/// The preset that it is a run of.
pub const PRESET: &str = "psgl-digits";

/// What is written across it.
pub const STAMP: &str = later!("recorded example: psgl-digits, seed 0; press Run for your own");

/// The same where there is little room.
pub const BRIEF: &str = later!("recorded example");

/// Whether it stands here while nothing was run yet: for another preset it would be mistaken for that one's.
pub fn stands_for(preset: &str) -> bool {
    preset == PRESET
}

/// The recorded run, read at the first call. Empty if it cannot be read, which a test rules out.
pub fn example() -> &'static State {
    static EXAMPLE: OnceLock<State> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let summary: Option<Summary> =
            serde_json::from_str(include_str!("../../../../assets/example/summary.json")).ok();
        let metrics = include_str!("../../../../assets/example/metrics.csv");
        let rows: Vec<MetricRow> =
            csv::Reader::from_reader(metrics.as_bytes()).deserialize().filter_map(Result::ok).collect();
        State::of_run(
            &format!("{PRESET}, seed 0"),
            Path::new("example"),
            rows,
            summary,
            Position::default(),
            Vec::new(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, PRESETS};

    #[test]
    fn it_stands_for_the_preset_that_it_is_a_run_of() {
        let recorded = &example().summary.as_ref().unwrap().experiment;
        assert_eq!(*recorded, Experiment::preset(PRESET).unwrap(), "record the example anew");
        for (name, ..) in PRESETS {
            assert_eq!(stands_for(name), name == PRESET, "{name}");
        }
        assert!(!stands_for("own") && !stands_for(""));
    }

    #[test]
    fn the_recorded_run_is_whole() {
        let state = example();
        let summary = state.summary.as_ref().unwrap();
        assert_eq!((summary.seed, summary.experiment.train.epochs), (0, 6));
        assert_eq!(state.rows.len(), 2 * 110 * 6);
        assert!(STAMP.contains(&state.title) && !state.attacks.is_empty() && summary.recovery.is_some());
    }
}
