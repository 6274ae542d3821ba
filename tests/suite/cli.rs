//! What the commands print for people.

use crate::common::{file, finished, succeed};

#[test]
fn a_run_leaves_all_its_files_and_prints_its_table() {
    let csv = String::from_utf8(file(finished(), "metrics.csv")).unwrap();
    let heading = "epoch,step,loss_a,loss_r,loss_f,acc_a,acc_r,acc_f,acc_fused,acc_vanilla";
    assert_eq!(csv.lines().next(), Some(heading));
    let (psgl, vanilla): (Vec<&str>, Vec<&str>) = csv.lines().skip(1).partition(|row| row.ends_with(','));
    assert_eq!((psgl.len(), vanilla.len()), (32, 32));
    assert!(vanilla.iter().all(|row| row.contains(",,,,,,,")) && csv.trim_end().ends_with(vanilla[31]));
    for name in ["experiment.toml", "images/maps.png", "images/psgl-e2-inverse-adaptive.png"] {
        assert!(!file(finished(), name).is_empty());
    }
    let table = succeed(["show", finished().to_str().unwrap()]);
    for words in ["PSGL, fused decision", "over clean", "36.9 [A v1]", "17.9 [A v1]", ".55 [E]", "not for clinical use"]
    {
        assert!(table.contains(words), "{words} is missing: {table}");
    }
}

#[test]
fn presets_are_listed_and_the_version_is_told() {
    let presets = succeed(["presets"]);
    for name in ["psgl-digits", "vanilla-digits", "psgl-paper-digits", "psgl-brain", "quick"] {
        assert!(presets.contains(name), "{presets}");
    }
    assert!(succeed(["--version"]).contains(env!("CARGO_PKG_VERSION")));
}
