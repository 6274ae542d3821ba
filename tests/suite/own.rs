//! A program with an attack of one's own: what the example adds is launched, judged and kept like any other.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::common::{file, names, scratch};

/// The example beside the program, which `cargo test` builds too.
fn example() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_cutlayer"));
    program.with_file_name("examples").join(format!("own_attack{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn an_attack_of_ones_own_is_launched_judged_and_kept() {
    let folder = scratch();
    let run = folder.path().join("run");
    let call = |arguments: &[&str]| {
        let output = Command::new(example()).args(arguments).env("CUTLAYER_HOME", folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
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
    assert!(text.contains("unknown attack \"own\""), "{text}");
}
