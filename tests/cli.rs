//! The command line as a user meets it: what works, and what each mistake is answered with.

mod common;

use std::path::{Path, PathBuf};

use common::{call, copy_run, file, finished, program, scratch, succeed};
use serde_json::Value;

/// Calls the program, which must refuse with exit code 2 and one short message that has all of `words`.
fn refused(arguments: &[&str], words: &[&str]) {
    let output = call(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?} should speak of {word:?}: {message}");
    }
    assert!(message.lines().count() <= 8, "{arguments:?}: too many words: {message}");
    assert!(!message.contains("panicked") && output.stdout.is_empty(), "{arguments:?}: {message}");
}

/// `run quick` with a setting that is wrong; no folder may appear.
fn refused_setting(setting: &str, words: &[&str]) {
    let folder = scratch();
    let out = folder.path().join("out");
    refused(&["run", "quick", "--set", setting, "--out", out.to_str().unwrap()], words);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{setting}: something was written");
}

fn put(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    cutlayer::run::files::Writer::default().write(&path, content).unwrap();
    path
}

#[test]
fn wrong_settings_are_named_with_what_is_allowed() {
    refused_setting("psgl.gama=0.2", &["psgl.gama", "gamma"]);
    refused_setting("psgl.gamma=1.5", &["psgl.gamma", "1.5"]);
    refused_setting("psgl.gamma=nan", &["psgl.gamma"]);
    refused_setting("psgl.theta=-1", &["psgl.theta", "-1"]);
    refused_setting("model.cut=9", &["model.cut", "9"]);
    refused_setting("model.cut=0", &["model.cut", "0"]);
    refused_setting("seed=-1", &["seed", "-1"]);
    refused_setting("train.batch=0", &["train.batch", "0"]);
    refused_setting("attack.0.images=0", &["images", "0"]);
    refused_setting("psgl.apply=sparce", &["psgl.apply", "sparse"]);
    refused_setting("device=cuda", &["cuda", "--features cuda"]);
    refused_setting("data.name=mnst", &["mnst", "mnist"]);
    refused_setting("schema=9", &["schema", "9"]);
}

#[test]
fn psgl_says_which_cuts_it_can_use() {
    // The eighth layer is flatten.
    refused_setting("model.cut=8", &["model.cut = 8", "channels × height × width", "cuts that do"]);
}

#[test]
fn the_seed_and_the_threads_are_checked_like_settings() {
    refused(&["run", "quick", "--seed", "-1"], &["seed", "-1"]);
    refused(&["run", "quick", "--seed", "x"], &["seed"]);
    refused(&["run", "quick", "--threads", "-2"], &["threads", "-2"]);
}

#[test]
fn unknown_presets_files_and_commands_are_named() {
    refused(&["run", "psgl-digit"], &["psgl-digit", "psgl-digits"]);
    refused(&["run", "no/such/file.toml"], &["no/such/file.toml"]);
    refused(&["--preset", "nonsense"], &["nonsense"]);
    refused(&["run"], &["PRESET|FILE"]);
    refused(&["run", "quick", "--sede", "1"], &["--sede", "--seed"]);
    refused(&["data", "no/such/folder"], &["no/such/folder"]);
}

#[test]
fn broken_experiment_files_are_named_with_their_line() {
    let folder = scratch();
    let broken = put(folder.path(), "broken.toml", b"seed = 1\n[psgl\ngamma = 0.1\n");
    refused(&["run", broken.to_str().unwrap()], &["broken.toml", "2"]);
    let binary = put(folder.path(), "binary.toml", &[0xff, 0xfe, 0x00, 0x9c, 0x80]);
    refused(&["run", binary.to_str().unwrap()], &["binary.toml"]);
    let misspelt = put(folder.path(), "misspelt.toml", b"[train]\nepoch = 3\n");
    refused(&["run", misspelt.to_str().unwrap()], &["misspelt.toml", "epoch", "epochs"]);
    let nan = put(folder.path(), "nan.toml", b"[psgl]\ntheta = nan\n");
    refused(&["run", nan.to_str().unwrap()], &["psgl.theta", "nan"]);
}

#[test]
fn a_folder_that_is_used_or_cannot_be_written_is_refused_and_left_alone() {
    let folder = scratch();
    let used = put(folder.path(), "somebody's file", b"precious");
    let path = folder.path().to_str().unwrap();
    refused(&["run", "quick", "--out", path], &["not empty", path]);
    refused(&["run", "quick", "--force", "--out", path], &["other files than a run", path]);
    let below_a_file = used.join("out");
    refused(&["run", "quick", "--out", below_a_file.to_str().unwrap()], &["--out", "somebody's file"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read(used).unwrap(), b"precious");
}

#[test]
fn force_replaces_a_run_and_nothing_else() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    put(&run, "notes.txt", b"mine");
    succeed(["run", "quick", "--force", "--out", run.to_str().unwrap()]);
    assert_eq!(file(&run, "notes.txt"), b"mine");
    common::assert_same_run(finished(), &run);
}

#[test]
fn damaged_checkpoints_are_told_apart() {
    let folder = scratch();
    let checkpoint = file(finished(), "checkpoint.safetensors");
    let noise: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut flipped = checkpoint.clone();
    let last = flipped.len() - 100;
    flipped[last] ^= 1;
    let cases: [(&str, &[u8]); 4] =
        [("truncated", &checkpoint[..checkpoint.len() / 2]), ("noise", &noise), ("flipped", &flipped), ("empty", b"")];
    for (name, content) in cases {
        let run = folder.path().join(name);
        copy_run(finished(), &run);
        std::fs::remove_file(run.join("summary.json")).unwrap();
        put(&run, "checkpoint.safetensors", content);
        refused(&["run", "--resume", run.to_str().unwrap()], &["damaged", "checkpoint.safetensors"]);
        refused(&["attack", run.to_str().unwrap(), "--with", "rmle"], &["damaged", "checkpoint.safetensors"]);
    }
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let folder = scratch();
    let run = folder.path().join("other");
    copy_run(finished(), &run);
    std::fs::remove_file(run.join("summary.json")).unwrap();
    let text = String::from_utf8(file(&run, "experiment.toml")).unwrap();
    put(&run, "experiment.toml", text.replace("conv = 8", "conv = 6").as_bytes());
    refused(&["run", "--resume", run.to_str().unwrap()], &["another experiment", "checkpoint.safetensors"]);
}

#[test]
fn what_is_no_run_is_said_to_be_none() {
    let folder = scratch();
    let path = folder.path().to_str().unwrap();
    refused(&["show", path], &["no run", path]);
    refused(&["run", "--resume", path], &["no run", path]);
    refused(&["show", "no/such/run"], &["no such folder", "no/such/run"]);
    refused(&["export", path, "--torch", "out"], &["no run", path]);
    put(folder.path(), "experiment.toml", b"seed = 1\n");
    refused(&["show", path], &["not finished", path]);
    refused(&["attack", path, "--with", "rmle"], &["no trained model", path]);
}

#[test]
fn attacks_are_checked_too() {
    let run = finished().to_str().unwrap();
    refused(&["attack", run, "--with", "rmel"], &["rmel", "rmle"]);
    refused(&["attack", run, "--with", "rmle", "--images", "0"], &["images", "0"]);
    refused(&["attack", run], &["--with"]);
}

// --- what works -----------------------------------------------------------------------------------

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
    for words in ["PSGL, fused decision", "over clean", "36.9 [A]", "17.9 [A]", ".55 [E]", "not for clinical use"] {
        assert!(table.contains(words), "{words} is missing: {table}");
    }
}

#[test]
fn the_summary_has_its_fields() {
    let summary: Value = serde_json::from_str(&succeed(["show", "--json", finished().to_str().unwrap()])).unwrap();
    assert_eq!((&summary["schema"], &summary["seed"]), (&1.into(), &0.into()));
    let rows: Vec<&str> = summary["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    let wanted = [
        "vanilla_clean",
        "vanilla_attacked",
        "vanilla_fgsm",
        "vanilla_recovered",
        "vanilla_inverted",
        "stream_attacked",
        "stream_recovered",
        "stream_fused",
        "fused",
    ];
    assert_eq!(rows, wanted);
    let number = |path: &str| summary.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}"));
    let row = |name| number(&format!("/rows/{}/accuracy", wanted.iter().position(|row| *row == name).unwrap()));
    assert_eq!(number("/gain/over_attacked"), row("fused") - row("vanilla_attacked"));
    assert_eq!(number("/gain/over_reconstructed"), row("fused") - row("vanilla_recovered"));
    assert_eq!(number("/gain/over_clean"), row("fused") - row("vanilla_clean"));
    assert_eq!(summary["gain"]["by_gamma"].as_array().unwrap().len(), 4);
    assert_eq!(summary["recovery"]["mse_by_mu"].as_array().unwrap().len(), 5);
    assert!(number("/recovery/map_correlation").abs() <= 1.0);
    // 512 images in two epochs, 8 × 14 × 14 float32 each, for each of two models.
    assert_eq!(number("/wire/smashed_bytes"), f64::from(512 * 2 * 8 * 14 * 14 * 4 * 2));
    assert_eq!(
        (number("/wire/gradient_bytes"), number("/wire/leaked_clean_bytes")),
        (number("/wire/smashed_bytes"), 0.0)
    );
    assert!(number("/client_ms_per_image/psgl") > 0.0 && number("/seconds") > 0.0);
}

#[test]
fn the_summary_lists_attacks_early_before_last_and_yardsticks_beside_them() {
    let summary: Value = serde_json::from_slice(&file(finished(), "summary.json")).unwrap();
    let attacks = summary["attacks"].as_array().unwrap();
    let key = |a: &Value| (a["name"].to_string(), a["target"].to_string(), a["adaptive"].as_bool().unwrap());
    for (i, a) in attacks.iter().enumerate() {
        let later = attacks[i + 1..].iter().filter(|b| key(b) == key(a));
        assert!(later.map(|b| b["epoch"].as_u64()).all(|epoch| epoch > a["epoch"].as_u64()), "{a}");
        assert!(a["target"] == "psgl" || a["adaptive"] == false, "{a}");
    }
    for target in ["psgl", "vanilla"] {
        for name in ["rmle", "inverse", "mean", "noise", "nearest"] {
            assert!(attacks.iter().any(|a| a["name"] == name && a["target"] == target && a["epoch"] == 2), "{name}");
        }
    }
}

#[test]
fn attacks_can_be_launched_afterwards() {
    let folder = scratch();
    let run = folder.path().join("run");
    copy_run(finished(), &run);
    let path = run.to_str().unwrap();
    let table = succeed(["attack", path, "--with", "rmle", "--both", "--images", "3"]);
    assert!(table.contains("adaptive rmle") && table.contains("naive rmle") && table.contains("vanilla"), "{table}");
    succeed(["attack", path, "--with", "inverse", "--adaptive", "--images", "2"]);
    let records: Value = serde_json::from_slice(&file(&run, "attacks.json")).unwrap();
    let forms: Vec<_> =
        records.as_array().unwrap().iter().map(|a| (a["name"].as_str().unwrap(), &a["images"])).collect();
    assert_eq!(forms.iter().filter(|(name, images)| *name == "rmle" && **images == 3).count(), 3);
    let late = records.as_array().unwrap().iter().filter(|a| a["name"] == "inverse");
    assert!(late.clone().all(|a| a["images"] == 2) && late.clone().any(|a| a["adaptive"] == true));
    assert_eq!(file(finished(), "summary.json"), file(&run, "summary.json"), "the run's own summary stays");
}

#[test]
fn data_sets_are_described() {
    let digits: Value = serde_json::from_str(&succeed(["data", "mnist", "--json"])).unwrap();
    assert_eq!(digits["shape"], serde_json::json!([1, 28, 28]));
    assert_eq!((&digits["parts"]["train"]["images"], &digits["parts"]["test"]["images"]), (&8000.into(), &2000.into()));
    assert_eq!(digits["parts"]["test"]["class_counts"][1], 225);
    let brain = succeed(["data", "brainmri"]);
    assert!(brain.contains("1×64×64") && brain.contains("202") && brain.contains("sagittal"), "{brain}");
}

#[test]
fn presets_are_listed_and_the_version_is_told() {
    let presets = succeed(["presets"]);
    for name in ["psgl-digits", "vanilla-digits", "psgl-paper-digits", "psgl-brain", "quick"] {
        assert!(presets.contains(name), "{presets}");
    }
    assert!(succeed(["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn weights_are_exported_for_pytorch() {
    let folder = scratch();
    let out = folder.path().join("weights");
    succeed(["export", finished().to_str().unwrap(), "--torch", out.to_str().unwrap()]);
    let names = |name: &str| {
        let bytes = file(&out, name);
        let names: Vec<String> =
            safetensors::SafeTensors::deserialize(&bytes).unwrap().names().into_iter().map(str::to_owned).collect();
        names
    };
    let (client, server) = (names("client.safetensors"), names("server.safetensors"));
    for name in ["client.0.weight", "client.2.bias", "client.head.weight"] {
        assert!(client.iter().any(|n| n == name), "{name}: {client:?}");
    }
    for name in ["server.attacked.0.weight", "server.recovered.4.bias", "server.fused.4.weight", "server.fuse.weight"] {
        assert!(server.iter().any(|n| n == name), "{name}: {server:?}");
    }
    assert!(names("vanilla/server.safetensors").iter().any(|n| n == "server.0.weight"));
    let python = String::from_utf8(file(&out, "load.py")).unwrap();
    assert!(python.contains("nn.Conv2d(5, 4, 3, 1, 1)") && python.contains("load_file"), "{python}");
}

#[test]
fn without_a_display_the_window_says_so_and_runs_in_the_terminal() {
    let output = program(["--preset", "quick"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert!(message.lines().next().is_some_and(|line| line.contains("in the terminal instead")), "{message}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("PSGL, fused decision"));
}
