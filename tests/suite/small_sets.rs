//! What is for small sets: folds, varied images, early stops, the weights of the best epoch, class weights.

use std::path::Path;

use cutlayer::data::built_in;
use cutlayer::data::numpy::{Array, npz};
use cutlayer::run::summary::Summary;
use cutlayer::run::whole_files::Writer;

use crate::common::{call, file, quick, scratch, succeed, timeless_summary};

fn summary(run: &Path) -> Summary {
    serde_json::from_slice(&file(run, "summary.json")).unwrap()
}

/// 90 digits of 45 patients, as a file that parts them.
fn patients(folder: &Path) -> String {
    let digits = built_in("mnist").unwrap().train.take(90);
    let mut arrays = Vec::new();
    for (part, from, n) in [("train", 0, 60), ("test", 60, 30)] {
        let of = digits.select(&(from..from + n).collect::<Vec<_>>());
        let images = of.values_of(&(0..n).collect::<Vec<_>>()).unwrap();
        arrays.push(Array::f32(&format!("{part}_images"), &[n, 28, 28], images));
        arrays.push(Array::classes(&format!("{part}_labels"), of.labels().iter().copied()));
        arrays.push(Array::classes(&format!("{part}_patients"), (from as u32..).take(n).map(|i| i / 2)));
    }
    let path = folder.join("patients.npz");
    Writer::default().write(&path, &npz(&arrays).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

const SMALL: [&str; 10] = [
    "--set",
    "data.aux=0.2",
    "--set",
    "train.epochs=2",
    "--set",
    "data.train=0",
    "--set",
    "data.test=0",
    "--set",
    "attack=[{ name = \"rmle\", iterations = 2, images = 100 }]",
];

#[test]
fn every_image_is_tested_in_one_fold_and_the_whole_is_one_table() {
    let folder = scratch();
    let data = format!("data.path={}", patients(folder.path()));
    let run = quick(folder.path(), "run", &[&SMALL[..], &["--set", &data, "--set", "data.folds=3"]].concat());
    let all = summary(&run);
    let folds: Vec<Summary> = (1..=3).map(|fold| summary(&run.join(format!("fold-{fold}")))).collect();
    assert_eq!(folds.iter().map(|fold| fold.rows[0].images).sum::<usize>(), 90);
    for row in &all.rows {
        assert_eq!(row.images, 90, "{}", row.name);
        let of_fold = |fold: &Summary| fold.row(&row.name).map(|row| row.images as f64 * row.accuracy).unwrap();
        let mean = folds.iter().map(of_fold).sum::<f64>() / 90.0;
        assert!((row.accuracy - mean).abs() < 1e-9, "{}: {} {mean}", row.name, row.accuracy);
        assert!(row.ci.contains_key("accuracy"));
    }
    let gain = all.gain.as_ref().unwrap();
    assert!(gain.ci.is_some() && gain.balanced_ci.is_some());
    // Attacks at all targets, each patient with two.
    let attack = all.attacks.iter().find(|attack| attack.name == "rmle").unwrap();
    assert_eq!((attack.images, attack.judged.as_ref().unwrap().each.ssim.len()), (90, 90));
    assert_eq!(all.target_patients.as_ref().unwrap().len(), 90);
    let original = all.reidentified.iter().find(|row| row.name == "original").unwrap();
    assert_eq!((original.probes, (original.chance * 45.0).round()), (90, 100.0));
    let shown = succeed(["show", run.to_str().unwrap()]);
    for words in ["SSIM by patient", "Patients found again among 45", "95 %"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let told = call(["attack", run.to_str().unwrap(), "--with", "rmle"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("take one, as in"), "{told:?}");
    // What was cut off in the third fold goes on there.
    std::fs::remove_file(run.join("summary.json")).unwrap();
    std::fs::remove_file(run.join("fold-3/summary.json")).unwrap();
    std::fs::remove_dir_all(run.join("fold-2")).unwrap();
    succeed(["run", "--resume", run.to_str().unwrap()]);
    let timeless = |summary: &Summary| Summary { seconds: 0.0, ..summary.clone() }.rows;
    assert_eq!(timeless(&summary(&run)), timeless(&all));
    assert_eq!(timeless_summary(&run.join("fold-2"))["rows"], serde_json::to_value(&folds[1].rows).unwrap());
}

#[test]
fn one_fold_is_a_run_and_wrong_folds_are_told() {
    let folder = scratch();
    let data = format!("data.path={}", patients(folder.path()));
    let one = ["--set", &data, "--set", "data.folds=3", "--set", "data.fold=2"];
    let run = quick(folder.path(), "one", &[&SMALL[..], &one].concat());
    assert_eq!(summary(&run).rows[0].images, 30);
    for (folds, fold) in [(1, 0), (3, 4)] {
        let [folds, fold] = [format!("data.folds={folds}"), format!("data.fold={fold}")];
        let told = call(["run", "quick", "--set", &data, "--set", &folds, "--set", &fold]);
        assert_eq!(told.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&told.stderr).contains("data.folds = "), "{told:?}");
    }
}

/// Digits with validation images, so fast a rate that the last epoch need not be the best, and images varied.
const VARIED: [&str; 20] = [
    "--set",
    "attack=[]",
    "--set",
    "data.split=drawn",
    "--set",
    "data.train=96",
    "--set",
    "data.test=60",
    "--set",
    "train.rate=0.02",
    "--set",
    "train.shift=0.1",
    "--set",
    "train.rotate=10",
    "--set",
    "train.contrast=0.2",
    "--set",
    "train.class_weights=balanced",
    "--set",
    "train.flip=true",
];

#[test]
fn the_best_epochs_weights_are_those_of_a_run_that_ended_there() {
    let folder = scratch();
    let more = ["--set", "train.epochs=6", "--set", "train.weights=best", "--set", "train.patience=2"];
    let best = quick(folder.path(), "best", &[&VARIED[..], &more].concat());
    let told = summary(&best);
    let judged = told.final_epoch.as_ref().unwrap();
    let trained = |model: &str| told.epochs.iter().filter(|row| row.model == model).count();
    for (model, epoch) in judged.iter() {
        let balanced: Vec<f64> =
            told.epochs.iter().filter(|row| row.model == model).map(|row| row.validation_balanced.unwrap()).collect();
        let highest = balanced.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(balanced.iter().position(|b| *b == highest), Some(epoch - 1), "{model}");
        assert!(trained(model) == 6 || trained(model) == epoch + 2, "{model} {epoch}");
        let epochs = format!("train.epochs={epoch}");
        let short = quick(folder.path(), &format!("short-{model}"), &[&VARIED[..], &["--set", &epochs]].concat());
        let row = if model == "vanilla" { "vanilla_clean" } else { "fused" };
        let of = |summary: &Summary| summary.row(row).map(|row| (row.accuracy, row.auroc)).unwrap();
        assert_eq!(of(&summary(&short)), of(&told), "{model}");
    }
    let shown = succeed(["show", best.to_str().unwrap()]);
    assert!(shown.contains("The table and the last attacks are of the weights after epoch"), "{shown}");
}

#[test]
fn what_is_chosen_by_validation_images_needs_some() {
    for wish in ["train.weights=best", "train.patience=3"] {
        let told = call(["run", "quick", "--set", wish]);
        assert_eq!(told.status.code(), Some(2));
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(
            said.contains("chooses by validation images, and mnist has none") && said.contains("data.split"),
            "{said}"
        );
    }
}

#[test]
fn a_set_that_is_to_be_fetched_says_where_from_and_under_which_licence() {
    for preset in ["psgl-breast", "psgl-pneumonia", "psgl-mias", "psgl-mias-film"] {
        let told = call(["run", preset]);
        assert_eq!(told.status.code(), Some(2));
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(said.contains("does not come with the program") && said.contains("licence: "), "{said}");
        assert!(said.contains("--set data.path=PATH"), "{said}");
    }
}
