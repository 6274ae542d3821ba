//! A run of an older build: it stays readable, keeps its old scores as such, and can be attacked and exported.

use std::path::{Path, PathBuf};

use crate::common::{copy_run, file, scratch, succeed};
use cutlayer::run::afterwards::earlier;
use cutlayer::run::record::read_summary;
use cutlayer::score::verdict::Standing;

fn old_run(folder: &Path) -> PathBuf {
    let run = folder.join("old");
    copy_run(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oldrun/quick-4")), &run);
    run
}

#[test]
fn old_scores_are_shown_as_an_older_builds_and_not_judged() {
    let folder = scratch();
    let run = old_run(folder.path());
    let table = succeed(["show", run.to_str().unwrap()]);
    for words in
        ["As an older build scored it", "0.855 ± 0.117", "Worst leak of vanilla: rmle after epoch 2, SSIM 0.855"]
    {
        assert!(table.contains(words), "no {words} in {table}");
    }
    assert!(table.contains("psgl: not measured.") && !table.contains("What attackers got"), "{table}");
    let summary = read_summary(&run).unwrap();
    assert!(summary.verdicts.is_empty() && summary.attacks.iter().all(|record| record.judged.is_none()));
}

#[test]
fn an_old_run_is_attacked_by_todays_rules_beside_its_old_scores() {
    let folder = scratch();
    let run = old_run(folder.path());
    let path = run.to_str().unwrap();
    let before = earlier(&run).unwrap().len();
    let told = succeed(["attack", path, "--with", "rmle", "--naive", "--images", "4"]);
    assert!(told.contains("What attackers got") && !told.contains("As an older build scored it"), "{told}");
    let all = earlier(&run).unwrap();
    assert!(all[..before].iter().all(|record| record.judged.is_none()) && all.len() == before + 2);
    let table = succeed(["show", path]);
    // Old and new rates stand in tables of their own.
    let (new, old) = table.split_once("As an older build scored it").unwrap();
    let rows = |text: &str| text.lines().filter(|line| line.contains("rmle ")).count();
    assert!(rows(new) >= 2 && rows(old) >= 6, "{table}");
    let verdicts = read_summary(&run).unwrap().with(all).verdicts;
    assert!(verdicts.iter().all(|verdict| verdict.standing == Standing::TooWeak), "{verdicts:?}");
}

#[test]
fn an_old_run_is_exported() {
    let folder = scratch();
    let (run, out) = (old_run(folder.path()), folder.path().join("weights"));
    succeed(["export", run.to_str().unwrap(), "--torch", out.to_str().unwrap()]);
    assert!(
        !file(&out, "client.safetensors").is_empty() && !file(&out.join("vanilla"), "server.safetensors").is_empty()
    );
}
