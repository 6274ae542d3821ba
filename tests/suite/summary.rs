//! What a run comes to: the summary's fields, rows and attacks, and the metrics beside them.

use std::collections::BTreeMap;

use crate::common::{file, finished, quick, scratch};
use cutlayer::run::recorder::read_summary;
use cutlayer::run::summary::{AttackRecord, MetricRow, Summary};
use cutlayer::score::verdict::{Standing, is_attack};
use serde_json::Value;

fn summary() -> Summary {
    read_summary(finished()).unwrap()
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Every one of `wanted`, which are in the order of the alphabet, is among the fields.
#[track_caller]
fn assert_fields(value: &Value, wanted: &str) {
    for name in wanted.split(' ') {
        assert!(fields(value).contains(&name), "{name} is not among {:?}", fields(value));
    }
}

#[test]
fn the_summary_has_the_fields_of_its_form() {
    let json: Value = serde_json::from_slice(&file(finished(), "summary.json")).unwrap();
    assert_eq!(json["schema"], 1);
    assert_fields(&json, "experiment seed machine rows gain attacks recovery wire client_ms_per_image seconds");
    assert_fields(&json["rows"][0], "name accuracy balanced_accuracy majority");
    assert_fields(&json["gain"], "over_attacked over_reconstructed over_clean by_gamma");
    assert_fields(&json["gain"]["by_gamma"][0], "gamma over_attacked over_reconstructed");
    let attack = "name adaptive target epoch images iterations mse psnr ssim ssim_se seconds";
    assert_fields(&json["attacks"][0], attack);
    assert_fields(&json["recovery"], "mse_by_mu map_correlation");
    assert_fields(&json["wire"], "smashed_bytes gradient_bytes leaked_clean_bytes");
    assert_fields(&json["client_ms_per_image"], "vanilla psgl");
    for number in ["over_attacked", "over_reconstructed", "over_clean"] {
        assert!(json["gain"][number].is_f64(), "{number}");
    }
    let mus: Vec<f64> =
        json["recovery"]["mse_by_mu"].as_array().unwrap().iter().map(|p| p[0].as_f64().unwrap()).collect();
    assert_eq!(mus, [0.05, 0.2, 0.55, 1.2, 3.5]);
}

#[test]
fn the_table_has_all_rows_and_its_gains_are_their_differences() {
    let summary = summary();
    let names: Vec<&str> = summary.rows.iter().map(|row| row.name.as_str()).collect();
    let vanilla = ["vanilla_clean", "vanilla_attacked", "vanilla_fgsm", "vanilla_recovered", "vanilla_inverted"];
    let psgl = ["stream_attacked", "stream_recovered", "stream_fused", "fused"];
    assert_eq!(names, [&vanilla[..], &psgl].concat());
    for row in &summary.rows {
        assert!((0.0..=100.0).contains(&row.accuracy) && (0.0..=100.0).contains(&row.balanced_accuracy), "{row:?}");
        assert_eq!(row.majority, summary.rows[0].majority);
    }
    let (gain, accuracy) = (summary.gain.as_ref().unwrap(), |name| summary.row(name).unwrap().accuracy);
    assert_eq!(gain.over_attacked, accuracy("fused") - accuracy("vanilla_attacked"));
    assert_eq!(gain.over_reconstructed, accuracy("fused") - accuracy("vanilla_recovered"));
    assert_eq!(gain.over_clean, accuracy("fused") - accuracy("vanilla_clean"));
    let own = gain.by_gamma.iter().find(|at| at.gamma == summary.experiment.psgl.gamma).unwrap();
    assert_eq!((own.over_attacked, own.over_reconstructed), (gain.over_attacked, gain.over_reconstructed));
    assert_eq!(gain.by_gamma.iter().map(|at| at.gamma).collect::<Vec<_>>(), summary.experiment.evaluate.gammas);
    // The table's models are those of the last epoch.
    for (model, row) in [("psgl", "fused"), ("vanilla", "vanilla_clean")] {
        let last = summary.epochs.iter().rfind(|epoch| epoch.model == model).unwrap();
        assert_eq!((last.epoch, last.accuracy), (2, accuracy(row)), "{model}");
    }
}

#[test]
fn the_wire_is_counted_over_the_whole_run() {
    let summary = summary();
    // 512 images twice, 8 channels of 14 × 14 in float32; vanilla's smashed data have the same shape.
    let bytes = 2 * 512 * 8 * 14 * 14 * 4;
    for one in [summary.wire.models.defended().unwrap(), summary.wire.models.undefended().unwrap()] {
        assert_eq!((one.smashed_bytes, one.gradient_bytes, one.leaked_clean_bytes), (bytes, bytes, 0));
    }
    let total = summary.wire.total;
    assert_eq!((total.smashed_bytes, total.gradient_bytes, total.leaked_clean_bytes), (2 * bytes, 2 * bytes, 0));
}

// --- attacks --------------------------------------------------------------------------------------

/// Target, name and form of an attack.
fn group(record: &AttackRecord) -> (String, String, bool) {
    (record.target.clone(), record.name.clone(), record.adaptive)
}

#[test]
fn attacks_stand_together_the_last_epoch_last_and_none_is_adaptive_against_vanilla() {
    let mut epochs: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let mut before = None;
    for record in summary().attacks.iter().filter(|record| is_attack(record)) {
        let seen = epochs.entry(group(record)).or_default();
        assert!(seen.is_empty() || before == Some(group(record)), "{:?} comes in two places", group(record));
        seen.push(record.epoch);
        before = Some(group(record));
    }
    let mut wanted = BTreeMap::new();
    for (name, early) in [("rmle", 0), ("inverse", 1)] {
        for (target, adaptive) in [("vanilla", false), ("psgl", false), ("psgl", true)] {
            wanted.insert((target.to_owned(), name.to_owned(), adaptive), vec![early, 2]);
        }
    }
    assert_eq!(epochs, wanted);
}

#[test]
fn floors_are_measured_on_each_attacks_own_targets() {
    let summary = summary();
    for target in ["vanilla", "psgl"] {
        for images in [2, 8] {
            let of = |record: &&AttackRecord| !is_attack(record) && record.target == target && record.images == images;
            let names: Vec<&str> = summary.attacks.iter().filter(of).map(|record| record.name.as_str()).collect();
            assert_eq!(names, ["class_mean", "class_image", "mean", "noise", "nearest"], "{target}, {images}");
        }
    }
    for record in summary.attacks.iter().filter(|record| is_attack(record)) {
        let judged = record.judged.as_ref().unwrap();
        assert_eq!((judged.each.ssim.len(), judged.each.picked.len()), (record.images, record.images));
        assert!(
            judged.lead.is_some() && judged.doubt.as_ref().is_some_and(|doubt| doubt.contains("steps")),
            "{record:?}"
        );
    }
    // Two and eight targets, twenty steps: none of it is evidence.
    assert!(summary.verdicts.iter().all(|verdict| verdict.standing == Standing::TooWeak), "{:?}", summary.verdicts);
    assert_eq!(summary.verdicts.iter().map(|verdict| verdict.target.as_str()).collect::<Vec<_>>(), ["psgl", "vanilla"]);
}

#[test]
fn attacks_say_how_much_they_did_and_what_they_got() {
    let summary = summary();
    for record in &summary.attacks {
        let (images, iterations) = match record.name.as_str() {
            "rmle" => (2, 20),
            // One epoch of 72 of the 80 auxiliary images, 32 at a time.
            "inverse" => (8, 3),
            _ => (record.images, 0),
        };
        assert_eq!((record.images, record.iterations), (images, iterations), "{record:?}");
        assert!(
            record.mse > 0.0 && record.psnr > 0.0 && record.ssim.abs() <= 1.0 && record.ssim_se > 0.0,
            "{record:?}"
        );
    }
    let ssim = |name: &str| summary.attacks.iter().find(|r| r.name == name && r.images == 8).unwrap().ssim;
    assert!(ssim("noise") < ssim("mean") && ssim("mean") < ssim("nearest"));
    let pictures = std::fs::read_dir(finished().join("images")).unwrap().flatten();
    assert_eq!(pictures.filter(|picture| image::open(picture.path()).is_ok()).count(), 12 + 1);
}

#[test]
fn an_attacker_who_knows_the_defence_gets_more_than_one_who_does_not() {
    // Wide enough at the cut that the map can be found with the image, and trained, if only briefly.
    let layers = r#"model.layers=[{ conv = 24, kernel = 3, padding = 1 }, "relu", "flatten", { linear = 10 }]"#;
    let attack = r#"attack=[{ name = "rmle", early = [], iterations = 200, images = 10, tv = 0.0 }]"#;
    let changes =
        [layers, attack, "model.cut=2", "train.epochs=1", "train.twin=false", "data.train=256", "data.test=40"];
    let arguments: Vec<&str> = changes.iter().flat_map(|change| ["--set", change]).collect();
    let folder = scratch();
    let summary = read_summary(&quick(folder.path(), "wide", &arguments)).unwrap();
    let found = |adaptive| summary.attacks.iter().find(|a| a.name == "rmle" && a.adaptive == adaptive).unwrap();
    let (naive, adaptive) = (found(false), found(true));
    println!("SSIM {:.3} ± {:.3}, adaptive {:.3} ± {:.3}", naive.ssim, naive.ssim_se, adaptive.ssim, adaptive.ssim_se);
    assert!(adaptive.ssim - naive.ssim > 2.0 * naive.ssim_se.hypot(adaptive.ssim_se));
}

// --- metrics --------------------------------------------------------------------------------------

#[test]
fn metrics_have_a_row_a_step_of_the_models_in_turns_and_nothing_where_nothing_was_measured() {
    let bytes = file(finished(), "metrics.csv");
    let heading = b"epoch,step,loss_a,loss_r,loss_f,acc_a,acc_r,acc_f,acc_fused,acc_vanilla\n";
    assert!(bytes.starts_with(heading));
    let rows: Vec<MetricRow> = csv::Reader::from_reader(bytes.as_slice()).deserialize().map(Result::unwrap).collect();
    // 512 images in batches of 32, two epochs, two models.
    assert_eq!(rows.len(), 64);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!((row.epoch, row.step), (i / 2 / 16 + 1, i / 2 + 1));
        let losses = [row.loss_a, row.loss_r, row.loss_f];
        let accuracies = [row.acc_a, row.acc_r, row.acc_f, row.acc_fused];
        let psgl = i % 2 == 0;
        assert!(losses.iter().chain(&accuracies).all(|value| value.is_some() == psgl), "row {i}: {row:?}");
        assert_eq!(row.acc_vanilla.is_some(), !psgl, "row {i}: {row:?}");
        assert!(losses.iter().flatten().all(|loss| *loss > 0.0 && *loss < 10.0), "row {i}: {row:?}");
        assert!(accuracies.iter().chain([&row.acc_vanilla]).flatten().all(|share| (0.0..=100.0).contains(share)));
    }
}
