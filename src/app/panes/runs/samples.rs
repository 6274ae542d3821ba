//! Runs for tests: plain values, nothing trained.

use std::time::{Duration, SystemTime};

use crate::app::{RunEntry, Standing};
use crate::experiment::Experiment;
use crate::experiment::fixture::DEFENDED;
use crate::run::summary::{AttackRecord, ClientCost, EpochRow, Gain, Machine, Row, SCHEMA, Summary, WireTotals};

/// One attack.
pub fn attack(name: &str, adaptive: bool, target: &str, epoch: usize, ssim: f64) -> AttackRecord {
    AttackRecord {
        name: name.to_owned(),
        adaptive,
        target: target.to_owned(),
        epoch,
        images: 8,
        iterations: 20,
        mse: 0.05,
        psnr: 13.0,
        ssim,
        ssim_se: 0.02,
        lineup: Some(50.0),
        seconds: 3.0,
        ..AttackRecord::default()
    }
}

/// What the quick preset might come to.
pub fn summary() -> Summary {
    let row = |name: &str, accuracy| Row {
        name: name.to_owned(),
        accuracy,
        balanced_accuracy: accuracy,
        majority: 12.0,
        images: 400,
        ..Row::default()
    };
    let epoch =
        |model: &str, epoch, accuracy| EpochRow { model: model.to_owned(), epoch, accuracy, ..EpochRow::default() };
    Summary {
        schema: SCHEMA,
        experiment: Experiment::preset("quick").unwrap(),
        seed: 0,
        machine: Machine::default(),
        best_epoch: None,
        final_epoch: None,
        class_names: Vec::new(),
        merged: None,
        read_off: Vec::new(),
        reidentified: Vec::new(),
        target_patients: None,
        best_weights: None,
        epochs: vec![
            epoch(DEFENDED, 1, 70.0),
            epoch("vanilla", 1, 80.0),
            epoch(DEFENDED, 2, 88.0),
            epoch("vanilla", 2, 94.0),
        ],
        rows: vec![row("vanilla_clean", 94.0), row("vanilla_attacked", 60.0), row("fused", 88.0)],
        gain: Some(Gain { over_attacked: 28.0, over_reconstructed: 20.0, over_clean: -6.0, ..Gain::default() }),
        streams: None,
        attacks: vec![
            attack("rmle", false, "vanilla", 2, 0.6),
            attack("rmle", false, DEFENDED, 2, 0.3),
            attack("rmle", true, DEFENDED, 2, 0.5),
        ],
        verdicts: Vec::new(),
        diagnosis: Vec::new(),
        recovery: None,
        wire: WireTotals::default(),
        client_ms_per_image: ClientCost::default(),
        seconds: 6.0,
    }
}

/// A finished run of this name that came to this.
pub fn finished(name: &str, summary: Summary) -> RunEntry {
    RunEntry {
        experiment: Some(summary.experiment.clone()),
        standing: Standing::Finished(Box::new(summary)),
        ..run(name)
    }
}

/// A finished run of this name, three minutes old.
pub fn run(name: &str) -> RunEntry {
    RunEntry {
        path: format!("/runs/{name}").into(),
        name: name.to_owned(),
        changed: SystemTime::now() - Duration::from_secs(190),
        experiment: Experiment::preset("quick").ok(),
        standing: Standing::Finished(Box::new(summary())),
        afterwards: Vec::new(),
        notes: crate::app::library::Notes::default(),
    }
}
