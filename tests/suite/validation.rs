//! A set with validation images: the best epoch is told by them, and nothing else of the run changes.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::Value;

use crate::common::{assert_same_run, file, quick, scratch, succeed, timeless_summary};
use cutlayer::data::{Part, built_in};
use cutlayer::run::summary::Summary;

/// MNIST's first images as a MedMNIST file, of which `validation` are kept for choosing.
fn set(folder: &Path, validation: usize) -> PathBuf {
    let digits = built_in("mnist").unwrap();
    let [_, height, width] = digits.shape();
    let part = |images: &Part, from: usize, n: usize| {
        let pixels: Vec<u8> = (from..from + n).flat_map(|i| images.image(i).unwrap().into_owned()).collect();
        let labels: Vec<i64> = images.labels()[from..from + n].iter().map(|label| i64::from(*label)).collect();
        [
            Tensor::from_vec(pixels, (n, height, width), &Device::Cpu).unwrap(),
            Tensor::from_vec(labels, n, &Device::Cpu).unwrap(),
        ]
    };
    let mut parts = vec![("train", part(&digits.train, 0, 400)), ("test", part(&digits.test, 0, 120))];
    if validation > 0 {
        parts.push(("val", part(&digits.test, 500, validation)));
    }
    let arrays: Vec<(String, &Tensor)> = parts
        .iter()
        .flat_map(|(name, [images, labels])| [(format!("{name}_images"), images), (format!("{name}_labels"), labels)])
        .collect();
    // One name for all, since a run says what its data are called.
    let path = folder.join("digits.npz");
    Tensor::write_npz(&arrays, &path).unwrap();
    path
}

fn run(folder: &Path, name: &str, validation: usize, more: &[&str]) -> PathBuf {
    let data = format!("data.name={}", set(folder, validation).display());
    let mut arguments = vec!["--set", &data, "--set", "attack=[]", "--set", "data.train=128", "--set", "data.aux=0.1"];
    arguments.extend(more);
    quick(folder, name, &arguments)
}

#[test]
fn the_best_epoch_is_told_by_validation_and_nothing_else_changes() {
    let folder = scratch();
    let path = folder.path();
    let (plain, held) = (run(path, "plain", 0, &[]), run(path, "held", 90, &[]));
    assert_eq!(file(&plain, "metrics.csv"), file(&held, "metrics.csv"));
    let summary: Summary = serde_json::from_slice(&file(&held, "summary.json")).unwrap();
    // All of them, since no more than the hundred that are tested on are asked about.
    for row in &summary.epochs {
        let right = row.validation.unwrap() * 90.0 / 100.0;
        assert!((right - right.round()).abs() < 1e-9 && (1.0..=90.0).contains(&right), "{row:?}");
    }
    let best = summary.best_epoch.as_ref().unwrap();
    for (model, epoch) in best.iter() {
        let of = |at: usize| summary.epochs.iter().find(|row| row.model == model && row.epoch == at).unwrap();
        let all = summary.epochs.iter().filter(|row| row.model == model);
        assert!(
            all.clone().count() == 2 && all.clone().all(|row| row.validation_balanced <= of(epoch).validation_balanced),
            "{model}"
        );
    }
    assert_eq!(best.iter().count(), 2);
    // But for that, the two came to the same.
    let [mut plain, mut held] = [&plain, &held].map(|run| timeless_summary(run));
    assert!(plain.get("best_epoch").is_none());
    held.as_object_mut().unwrap().remove("best_epoch");
    for (summary, by) in [(&mut plain, "test"), (&mut held, "validation")] {
        let kept = summary.as_object_mut().unwrap().remove("best_weights").unwrap();
        assert_eq!(kept["by"], by);
    }
    for row in held["epochs"].as_array_mut().unwrap() {
        for key in ["validation", "validation_balanced"] {
            assert!(row.as_object_mut().unwrap().remove(key).is_some());
        }
    }
    assert_eq!(plain, held);
}

#[test]
fn a_run_with_validation_goes_on_to_the_same_and_says_its_best_epoch() {
    let folder = scratch();
    let path = folder.path();
    let whole = run(path, "whole", 150, &["--set", "train.epochs=3", "--set", "train.twin=false"]);
    let text = succeed(["show", whole.to_str().unwrap()]);
    assert!(text.contains("Best of 3 epochs by balanced accuracy on the validation set: psgl "), "{text}");
    let json: Value = serde_json::from_slice(&file(&whole, "summary.json")).unwrap();
    // A hundred of them, as there are test images.
    for row in json["epochs"].as_array().unwrap() {
        assert_eq!(row["validation"].as_f64().unwrap().fract(), 0.0, "{row}");
    }
    let again = path.join("again");
    let experiment = whole.join("experiment.toml");
    succeed(["run", experiment.to_str().unwrap(), "--out", again.to_str().unwrap()]);
    assert_same_run(&whole, &again);
}
