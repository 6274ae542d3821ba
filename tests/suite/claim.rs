//! A claim put to the test, as small as can be.

use serde_json::Value;

use crate::common::{call, succeed};

/// A few steps of training, one target.
const TINY: [&str; 8] = [
    "data.train=64",
    "data.test=40",
    "data.aux=0.01",
    "train.epochs=1",
    "attack.dlg.images=1",
    "attack.idlg.images=1",
    "attack.inverting.images=1",
    "attack.inverting.iterations=3",
];

#[test]
fn a_claim_is_tested_by_models_at_each_seed_and_a_tiny_test_is_no_evidence() {
    let more = ["attack.dlg.iterations=3", "attack.idlg.iterations=3"];
    let set = TINY.iter().chain(&more).flat_map(|assignment| ["--set", assignment]);
    let found: Value = serde_json::from_str(&succeed(["claim", "noise", "--json"].into_iter().chain(set))).unwrap();
    let models = found["models"].as_array().unwrap();
    assert_eq!(models.len(), 4);
    for model in models {
        assert_eq!(model["trained"].as_array().unwrap().len(), 3, "{model}");
        let attacks = model["attacks"].as_array().unwrap();
        let names: Vec<&str> = attacks.iter().map(|one| one["record"]["name"].as_str().unwrap()).collect();
        assert!(["dlg", "idlg", "inverting"].iter().all(|name| names.contains(name)), "{names:?}");
        assert!(attacks.iter().all(|one| one["record"]["images"] == 3), "{model}");
    }
    assert_eq!(models[1]["name"], "image-noise");
}

#[test]
fn what_is_no_claim_and_no_setting_is_told() {
    for (arguments, says) in [
        (&["claim", "silence"][..], "possible values: noise"),
        (&["claim", "noise", "--set", "train.epoch=1"], "did you mean `epochs`?"),
        (&["claim", "noise", "--set", "attack.rmle.images=1"], "rmle"),
    ] {
        let output = call(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(says), "{told}");
    }
}
