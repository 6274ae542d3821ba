//! Runs for tests: plain values, nothing trained.

use std::path::Path;

use crate::experiment::Experiment;
use crate::model::wire::WireCount;
use crate::run::by_model::ByModel;
use crate::run::folder::{EXPERIMENT, SUMMARY};
use crate::run::summary::{AttackRecord, EpochRow, Machine, Row, SCHEMA, Summary, WireTotals};
use crate::score::record::{Each, Judged, Lead};
use crate::split::UNDEFENDED;
use crate::whole_files::Writer;

/// An undefended run of a seed.
pub fn summary(seed: u64) -> Summary {
    with(seed, &[])
}

/// The same with these settings.
pub fn with(seed: u64, settings: &[&str]) -> Summary {
    let mut experiment = Experiment::preset("vanilla-digits").unwrap();
    for setting in settings {
        experiment.set(setting).unwrap();
    }
    experiment.seed = seed;
    of(experiment)
}

/// A run under a defence of the list, without a twin.
pub fn defended(seed: u64, defence: &str, settings: &[&str]) -> Summary {
    let on = format!("defence=[{{ name = \"{defence}\" }}]");
    let all: Vec<&str> = std::iter::once(on.as_str()).chain(settings.iter().copied()).collect();
    with(seed, &all)
}

/// One naive and one adaptive attack at 64 targets, each far ahead of every guess: the naive one is right for 50 % + seed,
/// the adaptive one for 75 %.
fn of(experiment: Experiment) -> Summary {
    let label = experiment.stack().unwrap().label();
    let (target, row) = if label.is_empty() { (UNDEFENDED, "vanilla_clean") } else { (label.as_str(), "defended") };
    let epoch = |epoch, accuracy| EpochRow { model: target.to_owned(), epoch, accuracy, ..EpochRow::default() };
    let seed = experiment.seed;
    let naive = attack(target, false, 50.0 + seed as f64);
    let adaptive = (target != UNDEFENDED).then(|| attack(target, true, 75.0));
    let wire = WireCount { smashed_bytes: 2_000_000, gradient_bytes: 2_000_000, leaked_clean_bytes: 0 };
    Summary {
        schema: SCHEMA,
        seed,
        machine: Machine { processor: "A processor".to_owned(), threads: 2, ..Machine::default() },
        epochs: vec![epoch(1, 89.5), epoch(2, 90.0)],
        rows: vec![Row {
            name: row.to_owned(),
            accuracy: 90.0,
            balanced_accuracy: 90.0,
            majority: 12.0,
            images: 1000,
            ..Row::default()
        }],
        attacks: std::iter::once(naive).chain(adaptive).collect(),
        wire: WireTotals { total: wire, models: ByModel::new([(target.to_owned(), Some(wire))]) },
        client_ms_per_image: ByModel::new([(target.to_owned(), Some(0.05))]),
        seconds: 6.0,
        experiment,
        ..Summary::default()
    }
}

fn attack(target: &str, adaptive: bool, lineup: f64) -> AttackRecord {
    let picked = (0..64).map(|i| Some(if f64::from(i) < 0.64 * lineup { 1.0 } else { 0.0 })).collect();
    let lead =
        Lead { over: "class_mean".into(), of: "lineup".into(), floor: 12.5, mean: lineup - 12.5, se: 5.0, p: 1e-9 };
    AttackRecord {
        name: "inverse".to_owned(),
        adaptive,
        target: target.to_owned(),
        epoch: 2,
        images: 64,
        iterations: 400,
        mse: 0.02,
        psnr: 17.0,
        ssim: 0.6,
        ssim_se: 0.01,
        lineup: Some(lineup),
        seconds: 3.0,
        sees: vec!["the smashed data".to_owned()],
        knows: vec!["what the client makes of similar images".to_owned()],
        budget: Some("default".to_owned()),
        converged: Some(true),
        judged: Some(Judged {
            each: Each { ssim: (0..64).map(|i| 0.5 + f64::from(i) / 320.0).collect(), picked, patients: None },
            lead: Some(lead),
            ..Judged::default()
        }),
        ..AttackRecord::default()
    }
}

/// Puts a finished run into a folder.
pub fn keep(folder: &Path, summary: &Summary) {
    begin(folder, summary);
    Writer::default().write(&folder.join(SUMMARY), &serde_json::to_vec(summary).unwrap()).unwrap();
}

/// Puts one that has just begun there.
pub fn begin(folder: &Path, summary: &Summary) {
    std::fs::create_dir_all(folder).unwrap();
    Writer::default().write(&folder.join(EXPERIMENT), summary.experiment.to_toml().as_bytes()).unwrap();
}
