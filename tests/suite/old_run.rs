//! A run of an older build: it stays readable, keeps its old scores as such, and can be attacked and exported.

use std::path::{Path, PathBuf};

use crate::common::{copy_run, file, scratch, succeed};
use cutlayer::run::attack_records::earlier;
use cutlayer::run::recorder::read_summary;
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

#[test]
fn a_run_that_a_build_stopped_which_trained_one_model_after_the_other_goes_on() {
    let folder = scratch();
    let run = folder.path().join("stopped");
    copy_run(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oldrun/stopped-1")), &run);
    let before = file(&run, "metrics.csv");
    // Stopped in the twin's last epoch, when PSGL was trained.
    assert_eq!([true, false].map(|psgl| rows(&before, psgl).len()), [64, 49]);
    succeed(["run", "--resume", run.to_str().unwrap()]);
    let fresh = folder.path().join("fresh");
    let experiment = run.join("experiment.toml");
    succeed(["run", experiment.to_str().unwrap(), "--out", fresh.to_str().unwrap()]);
    let after = file(&run, "metrics.csv");
    assert!(after.starts_with(&before), "what was measured stays");
    for (name, psgl) in [("psgl", true), ("vanilla", false)] {
        let [old, new] = [&run, &fresh].map(|run| rows(&file(run, "metrics.csv"), psgl));
        assert_eq!(old.iter().map(|row| row.0).collect::<Vec<_>>(), (1..=64).collect::<Vec<_>>(), "{name}");
        // Another processor rounds otherwise, so not to the byte: the accuracy of the last epoch's batches.
        let mean = |rows: &[(usize, f64)]| rows[48..].iter().map(|row| row.1).sum::<f64>() / 16.0;
        assert!((mean(&old) - mean(&new)).abs() < 8.0, "{name}: {} and {}", mean(&old), mean(&new));
    }
    assert!(read_summary(&run).unwrap().gain.is_some());
}

/// Step and the decision's accuracy of each row of one model.
fn rows(csv: &[u8], psgl: bool) -> Vec<(usize, f64)> {
    let text = std::str::from_utf8(csv).unwrap();
    let cells = text.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    let own = cells.filter(|cells| cells[9].is_empty() == psgl);
    own.map(|cells| (cells[1].parse().unwrap(), cells[if psgl { 8 } else { 9 }].parse().unwrap())).collect()
}
