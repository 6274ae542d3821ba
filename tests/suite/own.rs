//! Programs with an attack, a defence or a reader of one's own: what the examples add is used like any other.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{file, names, scratch};

/// An example beside the program, which `cargo test` builds too.
fn example(name: &str) -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_cutlayer"));
    program.with_file_name("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// What an example prints that is called from a home of its own.
fn printed(name: &str, home: &Path, arguments: &[&str]) -> String {
    let output = Command::new(example(name)).args(arguments).env("CUTLAYER_HOME", home).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_attack_of_ones_own_is_launched_judged_and_kept() {
    let folder = scratch();
    let run = folder.path().join("run");
    let call = |arguments: &[&str]| printed("own_attack", folder.path(), arguments);
    let table = call(&["run", "quick", "--out", run.to_str().unwrap()]);
    assert!(table.contains("adaptive own"), "{table}");
    // This process has no such attack, so it reads plain JSON.
    let summary: Value = serde_json::from_slice(&file(&run, "summary.json")).unwrap();
    let own: Vec<&Value> =
        summary["attacks"].as_array().unwrap().iter().filter(|record| record["name"] == "own").collect();
    // Both forms at PSGL and one at its twin, untrained and trained.
    assert_eq!(own.len(), 6);
    let kept = names(&run.join("attacks"));
    assert!(kept.contains(&"vanilla-e2-own-naive.npz".to_owned()), "{kept:?}");
    let again = call(&["attack", run.to_str().unwrap(), "--with", "nearest", "--naive", "--images", "8"]);
    assert!(again.contains("nearest"), "{again}");
    // The program without it says what it lacks.
    let told = crate::common::call(["show", run.to_str().unwrap()]);
    assert!(!told.status.success());
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(text.contains("this run has the attack \"own\", which this program lacks"), "{text}");
}

#[test]
fn a_defence_of_ones_own_defends_a_model_beside_its_twin() {
    let folder = scratch();
    let run = folder.path().join("run");
    let call = |arguments: &[&str]| printed("own_defence", folder.path(), arguments);
    let table = call(&["run", "quick", "--out", run.to_str().unwrap()]);
    assert!(table.contains("defended") && table.contains("adaptive rmle"), "{table}");
    let summary: Value = serde_json::from_slice(&file(&run, "summary.json")).unwrap();
    let rows: Vec<&str> = summary["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(rows.contains(&"defended") && rows.contains(&"vanilla_clean") && !rows.contains(&"fused"), "{rows:?}");
    let models: Vec<&str> =
        summary["epochs"].as_array().unwrap().iter().map(|row| row["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["own", "own", "vanilla", "vanilla"]);
    assert!(summary["wire"]["own"]["smashed_bytes"].as_u64() > Some(0));
    // Noise keeps an attacker who searches further from the image than it comes at the twin.
    let ssim = |target: &str| {
        let fits = |one: &&Value| {
            one["name"] == "rmle" && one["target"] == target && one["epoch"] == 2 && one["adaptive"] == false
        };
        summary["attacks"].as_array().unwrap().iter().find(fits).unwrap()["ssim"].as_f64().unwrap()
    };
    assert!(ssim("own") < ssim("vanilla"), "{} {}", ssim("own"), ssim("vanilla"));
    // It goes on and is attacked like any other.
    let again = call(&["attack", run.to_str().unwrap(), "--with", "nearest", "--images", "8"]);
    assert!(again.contains("adaptive nearest") || again.contains("nearest, adaptive"), "{again}");
}

#[test]
fn images_are_read_by_a_reader_of_ones_own() {
    let folder = scratch();
    let run = folder.path().join("run");
    let call = |arguments: &[&str]| printed("own_reader", folder.path(), arguments);
    let table = call(&["run", "quick", "--out", run.to_str().unwrap()]);
    assert!(table.contains("vanilla"), "{table}");
    let json = |name: &str| -> Value { serde_json::from_slice(&file(&run, name)).unwrap() };
    let (data, summary) = (json("data.json"), json("summary.json"));
    assert_eq!((&data["name"], &data["shape"]), (&"digits".into(), &[1, 8, 8].as_slice().into()));
    let count = |part: &str| data[part]["images"].as_u64().unwrap();
    assert_eq!(["train", "validation", "test"].map(count), [300, 0, 100]);
    let path = summary["experiment"]["data"]["name"].as_str().unwrap();
    assert!(path.ends_with("digits.rows"), "{path}");
    let told = call(&["data", path]);
    assert!(told.contains("images read from rows of digits") && told.contains("1×8×8 pixels, 10 classes"), "{told}");
    let unknown =
        String::from_utf8(Command::new(example("own_reader")).args(["data", "nothing"]).output().unwrap().stderr);
    assert!(unknown.unwrap().contains("a path may be a .rows file, a folder of IDX files, "));
    // The program without it takes the file for what it is not.
    assert!(!crate::common::call(["data", path]).status.success());
}
