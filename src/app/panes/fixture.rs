//! What panes look at in tests: a made-up run, and everything else as a new window has it.

use crate::app::Document;
use crate::app::state::State;
use crate::app::test_look::Shop;
use crate::experiment::Experiment;
use crate::experiment::fixture::DEFENDED;
use crate::model::wire::WireCount;
use crate::run::by_model::ByModel;
use crate::run::summary::{Gain, GammaGain, Machine, RecoveryFigure, Row, SCHEMA, StreamOrder, Summary, WireTotals};
use crate::split::UNDEFENDED;

/// A window on a run.
pub fn made(state: State) -> Shop {
    Shop { state, document: Document::new(Experiment::preset("quick").unwrap()), ..Shop::default() }
}

/// A value of the undefended and of the defended model.
pub fn by_model<T: Copy>(undefended: Option<T>, defended: Option<T>) -> ByModel<T> {
    ByModel::new([(UNDEFENDED.to_owned(), undefended), (DEFENDED.to_owned(), defended)])
}

/// A finished run of the quick preset with made-up numbers and no attacks.
pub fn summary() -> Summary {
    let row = |name: &str, accuracy: f64| Row {
        name: name.to_owned(),
        accuracy,
        balanced_accuracy: accuracy - 1.0,
        majority: 12.0,
        images: 400,
        ..Row::default()
    };
    let at = |gamma, over_attacked| GammaGain { gamma, over_attacked, over_reconstructed: over_attacked - 20.0 };
    let wire = WireCount { smashed_bytes: 6_400_000, gradient_bytes: 6_400_000, ..WireCount::default() };
    Summary {
        schema: SCHEMA,
        experiment: Experiment::preset("quick").unwrap(),
        seed: 7,
        machine: Machine { version: "0.9".to_owned(), ..Machine::default() },
        best_epoch: None,
        final_epoch: None,
        class_names: Vec::new(),
        merged: None,
        read_off: Vec::new(),
        reidentified: Vec::new(),
        target_patients: None,
        best_weights: None,
        epochs: Vec::new(),
        rows: vec![
            row("vanilla_clean", 97.4),
            row("vanilla_attacked", 27.0),
            row("stream_attacked", 90.0),
            row("stream_recovered", 96.0),
            row("stream_fused", 94.0),
            row("fused", 96.2),
        ],
        gain: Some(Gain {
            over_attacked: 69.2,
            over_reconstructed: 49.2,
            over_clean: -1.234_567_89,
            errors: Some([2.0, 2.5, 0.6]),
            by_gamma: vec![at(0.02, 20.0), at(0.1, 69.2)],
            ..Gain::default()
        }),
        streams: Some(StreamOrder {
            order: ["recovered", "fused", "attacked"].map(str::to_owned).to_vec(),
            as_in_paper: true,
            weights: [0.5, 0.3, 0.2],
        }),
        attacks: Vec::new(),
        verdicts: Vec::new(),
        diagnosis: Vec::new(),
        recovery: Some(RecoveryFigure {
            mse_by_mu: vec![(0.2, 0.0057), (0.55, 0.0053), (1.2, 0.0056)],
            mse_attacked: 0.008,
            map_correlation: 0.3,
        }),
        wire: WireTotals { total: wire, models: by_model(None, Some(wire)) },
        client_ms_per_image: by_model(Some(0.1), Some(0.3)),
        seconds: 60.0,
    }
}
