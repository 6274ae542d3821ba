//! One kind of attack twice in a run, told apart by labels: in tables, files and at the finished run.

use crate::common::{call, file, names, quick, scratch, succeed};
use cutlayer::run::summary::{AttackRecord, Summary};
use cutlayer::score::verdict::is_attack;

const TWICE: &str = "attack=[{ name = \"rmle\", images = 2, iterations = 5, early = [] }, \
                     { name = \"rmle\", label = \"rmle-λ.01\", images = 2, iterations = 5, early = [], tv = 0.01 }]";

#[test]
fn the_same_attack_twice_has_two_rows_and_its_own_files() {
    let folder = scratch();
    let run = quick(folder.path(), "run", &["--set", "train.epochs=1", "--set", "data.train=64", "--set", TWICE]);
    let summary: Summary = serde_json::from_slice(&file(&run, "summary.json")).unwrap();
    let attacks: Vec<&AttackRecord> = summary.attacks.iter().filter(|record| is_attack(record)).collect();
    let at = |target: &str, adaptive: bool| {
        let fits = |record: &&&AttackRecord| record.target == target && record.adaptive == adaptive;
        attacks.iter().filter(fits).map(|record| (record.name.as_str(), record.kind())).collect::<Vec<_>>()
    };
    let both = vec![("rmle", "rmle"), ("rmle-λ.01", "rmle")];
    for (target, adaptive) in [("psgl", false), ("psgl", true), ("vanilla", false)] {
        assert_eq!(at(target, adaptive), both, "{target} {adaptive}");
    }
    let losses = |name: &str| attacks.iter().filter(|record| record.name == name).map(|r| r.mse).collect::<Vec<_>>();
    assert_ne!(losses("rmle"), losses("rmle-λ.01"), "another smoothness, another image");
    // Without a label a record has no line about its kind.
    let text = String::from_utf8(file(&run, "summary.json")).unwrap();
    assert_eq!(text.matches("\"kind\": \"rmle\"").count(), 3);
    let kept = names(&run.join("attacks"));
    for name in ["vanilla-e1-rmle-naive.npz", "vanilla-e1-rmle-λ.01-naive.npz", "psgl-e1-rmle-λ.01-adaptive.csv"] {
        assert!(kept.iter().any(|kept| kept == name), "{name} is not among {kept:?}");
    }
    let path = run.to_str().unwrap();
    let table = succeed(["attack", path, "--with", "rmle-λ.01", "--naive", "--images", "1"]);
    assert!(table.contains("naive rmle-λ.01 "), "{table}");
    let later: Vec<AttackRecord> = serde_json::from_slice(&file(&run, "attacks.json")).unwrap();
    assert!(later.iter().all(|record| record.name == "rmle-λ.01" && record.kind() == "rmle"), "{later:?}");
    let output = call(["attack", path, "--with", "rmle-λ"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("unknown attack \"rmle-λ\"") && message.contains("has rmle-λ.01"), "{message}");
}
