//! Commands beside each other: what one prints or writes, another finds again; what is not asked for stays as it is.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{assert_same_run, call, copy_run, file, finished, program, quick, scratch, succeed};
use candle_core::{DType, Device, Tensor};
use cutlayer::experiment::Experiment;
use cutlayer::random::Seed;
use cutlayer::run::checkpoint::Checkpoint;
use cutlayer::run::prepared::Prepared;
use cutlayer::run::summary::AttackRecord;
use cutlayer::run::whole_files::Writer;
use cutlayer::split::SplitModel;
use serde_json::{Value, json};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// A copy of the finished run that a test may change.
fn own_run(folder: &Path) -> PathBuf {
    let run = folder.join("run");
    copy_run(finished(), &run);
    run
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

// --- data -----------------------------------------------------------------------------------------

#[test]
fn a_data_set_is_counted_whether_built_in_or_in_files() {
    let asset = |name: &str| format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"));
    let digits = ["mnist".to_owned(), asset("mnist")];
    let planes = ["brainmri".to_owned(), asset("brainmri/mni152_planes64.npz")];
    for (names, shape, images) in [(digits, [1, 28, 28], [8000, 0, 2000]), (planes, [1, 64, 64], [202_u64, 28, 54])] {
        for name in names {
            let told = json_of(succeed(["data", &name, "--json"]).as_bytes());
            assert_eq!(
                [&told["channels"], &told["height"], &told["width"]].map(Value::as_u64),
                shape.map(Some),
                "{name}"
            );
            assert_eq!(told["images"].as_u64(), Some(images.iter().sum()), "{name}");
            let classes = told["classes"].as_array().unwrap();
            for (part, images) in ["train", "val", "test"].into_iter().zip(images) {
                assert_eq!(classes.iter().map(|class| class[part].as_u64().unwrap()).sum::<u64>(), images, "{name}");
            }
            assert!(classes.iter().enumerate().all(|(label, class)| class["label"] == json!(label)), "{name}");
            assert_eq!(
                (told["range"].as_str(), told["patients"].as_u64()),
                (Some("bytes, 0–255: scaled by 255"), None)
            );
            assert_eq!(told["skipped"], json!([]));
            let words = succeed(["data", &name]);
            assert!(words.contains(&format!("{} images", images[0])), "{words}");
            assert!(words.contains(&format!("{}×{}×{}", shape[0], shape[1], shape[2])), "{words}");
        }
    }
}

// --- bench ----------------------------------------------------------------------------------------

#[test]
fn the_bench_prints_a_line_a_case_and_refuses_what_it_does_not_know() {
    let told = succeed(["bench", "apg_64x28", "rmle_b1", "--secs", "0", "--json"]);
    let lines: Vec<Value> = told.lines().map(|line| json_of(line.as_bytes())).collect();
    assert_eq!([&lines[0]["case"], &lines[1]["case"]], ["apg_64x28", "rmle_b1"]);
    for line in &lines {
        assert!(line["rate"].as_f64().unwrap() > 0.0 && line["median_ms"].as_f64().unwrap() > 0.0, "{line}");
    }
    assert_eq!(lines[1]["unit"], json!("iterations/s"));
    for (arguments, said) in [
        (["bench", "rmle_b2"], "did you mean `rmle_b1`?"),
        (["bench", "--secs=-1"], "--secs -1: allowed is a number from 0 to 3600"),
        (["bench", "--threads=999999"], "--threads 999999: allowed is a number from 0 to 256"),
    ] {
        let output = call(arguments);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(said), "{error}");
    }
}

// --- run and show ---------------------------------------------------------------------------------

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn without_a_display_the_run_happens_in_the_terminal() {
    let home = scratch();
    let output = program(["--preset", "quick"]).env("CUTLAYER_HOME", home.path()).output().unwrap();
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{progress}");
    assert!(progress.lines().next().unwrap().ends_with("running quick in the terminal instead."), "{progress}");
    let runs: Vec<_> = std::fs::read_dir(home.path().join("runs")).unwrap().flatten().collect();
    let [run] = runs.as_slice() else { panic!("{} runs", runs.len()) };
    assert!(run.file_name().to_str().unwrap().ends_with("-quick-0"), "{run:?}");
    assert_same_run(finished(), &run.path());
    // The table, and only it, goes to standard output; it can be had again.
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table, succeed(["show", text(&run.path())]));
    for words in
        ["vanilla, clean images", "PSGL, fused decision", "adaptive rmle", "36.9 [A v1]", "not for clinical use"]
    {
        assert!(table.contains(words), "no {words} in {table}");
    }
    assert!(!progress.contains("PSGL, fused decision"));
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn without_a_display_what_would_be_opened_is_told_in_the_terminal() {
    let table = succeed(["show", text(finished())]);
    let checkpoint = finished().join("checkpoint.safetensors");
    for path in [finished(), &finished().join("experiment.toml"), &checkpoint] {
        assert_eq!(succeed([text(path)]), table, "{}", path.display());
    }
    let folder = scratch();
    let notes = folder.path().join("notes.txt");
    Writer::default().write(&notes, b"Dear diary,\n").unwrap();
    for path in [folder.path(), &notes] {
        let output = call([text(path)]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(error.contains("what can is a run's folder") && error.trim_end().ends_with(text(path)), "{error}");
    }
}

#[test]
fn a_run_without_a_folder_is_named_by_what_differs() {
    let home = scratch();
    let changes = ["--set", "psgl.gamma=0.2", "--set", "attack=[]", "--set", "train.epochs=1", "--seed", "1"];
    let output = program(["run", "quick"].into_iter().chain(changes)).env("CUTLAYER_HOME", home.path()).output();
    assert!(output.unwrap().status.success());
    let runs: Vec<_> = std::fs::read_dir(home.path().join("runs")).unwrap().flatten().collect();
    let [run] = runs.as_slice() else { panic!("{} runs", runs.len()) };
    let name = run.file_name().into_string().unwrap();
    assert!(name.ends_with("Z-quick-gamma.2-1-epochs-no-attacks-1"), "{name}");
}

#[test]
fn show_as_json_gives_the_summary_as_it_is() {
    assert!(succeed(["show", text(finished()), "--json"]).into_bytes() == file(finished(), "summary.json"));
}

#[test]
fn an_experiment_file_can_be_changed_by_arguments() {
    let folder = scratch();
    let (mine, run) = (folder.path().join("mine.toml"), folder.path().join("run"));
    let toml = Experiment::preset("quick").unwrap().to_toml().replace("seed = 0", "seed = 3");
    Writer::default().write(&mine, toml.as_bytes()).unwrap();
    let changes = ["--set", "seed=4", "--set", "psgl.gamma=0.2", "--set", "attack=[]", "--seed", "5", "--threads", "1"];
    succeed(["run", text(&mine), "--out", text(&run)].into_iter().chain(changes));
    let kept = Experiment::load(text(&run.join("experiment.toml"))).unwrap();
    let mut wanted = Experiment::from_toml(&toml, "mine").unwrap();
    (wanted.seed, wanted.threads, wanted.psgl.gamma, wanted.attacks) = (5, 1, 0.2, Vec::new());
    assert_eq!(kept, wanted);
    let summary = json_of(&file(&run, "summary.json"));
    assert_eq!((&summary["seed"], &summary["machine"]["threads"]), (&json!(5), &json!(1)));
}

#[test]
fn force_replaces_a_run_and_nothing_else() {
    let folder = scratch();
    let run = own_run(folder.path());
    for name in ["notes.txt", "images/notes.txt", "attacks.json"] {
        Writer::default().write(&run.join(name), b"[]").unwrap();
    }
    succeed(["run", "quick", "--out", text(&run), "--force", "--seed", "1", "--set", "attack=[]"]);
    assert!(run.join("notes.txt").is_file() && run.join("images/notes.txt").is_file());
    assert!(!run.join("attacks.json").exists() && !run.join("images/vanilla-e2-rmle-naive.png").exists());
    assert!(file(finished(), "metrics.csv") != file(&run, "metrics.csv"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_first_and_the_run_goes_on() {
    let folder = scratch();
    let run = folder.path().join("run");
    let command = ["run", "quick", "--out", text(&run)];
    let mut child = program(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("training psgl")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let last = lines.last().unwrap();
    assert_eq!(last, format!("Stopped and saved. Go on with: cutlayer run --resume {}", run.display()));
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(!run.join("summary.json").exists());
    succeed(["run", "--resume", text(&run)]);
    assert_same_run(finished(), &run);
}

#[test]
fn a_run_that_goes_on_says_so_and_does_not_begin_twice() {
    let folder = scratch();
    let run = own_run(folder.path());
    std::fs::remove_file(run.join("summary.json")).unwrap();
    let progress = String::from_utf8(call(["run", "--resume", text(&run)]).stderr).unwrap();
    assert_eq!(progress.lines().next(), Some(&*format!("Going on with {}", run.display())), "{progress}");
    assert!(!progress.contains("Running in"), "{progress}");
}

// --- attack ---------------------------------------------------------------------------------------

/// What an attack got, without when and how long.
fn scores(record: &Value) -> Value {
    let mut record = record.clone();
    record.as_object_mut().unwrap().remove("seconds");
    record
}

#[test]
fn an_attack_afterwards_finds_what_the_same_attack_found_in_the_run() {
    let folder = scratch();
    let run = own_run(folder.path());
    let table = succeed(["attack", text(&run), "--with", "rmle", "--both", "--images", "2"]);
    for (form, target) in [("naive rmle", "psgl"), ("adaptive rmle", "psgl"), ("rmle", "vanilla")] {
        assert!(table.lines().any(|line| line.contains(&format!("| {form} ")) && line.contains(target)), "{table}");
    }
    let summary = json_of(&file(&run, "summary.json"));
    let inside = summary["attacks"].as_array().unwrap();
    let afterwards = json_of(&file(&run, "attacks.json"));
    let afterwards = afterwards.as_array().unwrap();
    assert_eq!(afterwards.len(), 3);
    for record in afterwards {
        assert_eq!((&record["epoch"], &record["images"]), (&json!(2), &json!(2)));
        assert!(inside.iter().any(|other| scores(other) == scores(record)), "{record} is not among {inside:?}");
    }
    for picture in ["psgl-e2-rmle-naive", "psgl-e2-rmle-adaptive", "vanilla-e2-rmle-naive"] {
        assert!(image::open(run.join(format!("images/{picture}-afterwards.png"))).is_ok(), "{picture}");
    }
    // The run itself is as it was.
    for name in ["experiment.toml", "metrics.csv", "summary.json", "checkpoint.safetensors"] {
        assert!(file(finished(), name) == file(&run, name), "{name} changed");
    }
}

#[test]
fn the_help_has_a_card_of_each_attack() {
    let help = succeed(["attack", "--help"]);
    for kind in cutlayer::workbench::attacks() {
        let begins: String = kind.about.chars().take(60).collect();
        assert!(help.contains(&format!("\n  {}\n    {begins}", kind.id)), "{help}");
    }
    for line in [
        "    It sees the smashed data and knows the client's weights.",
        "      He 2019: 39.69 dB, SSIM 0.997, MNIST, LeNet-5 cut at conv1",
        "      He 2019: 7.72 dB, SSIM 0.431, MNIST, LeNet-5 cut at ReLU2, knowing unrelated images",
    ] {
        assert!(help.lines().any(|found| found == line), "no {line} in {help}");
    }
}

#[test]
fn attacks_afterwards_add_up_and_take_one_form_where_asked() {
    let folder = scratch();
    let run = own_run(folder.path());
    let attack = |more: &[&str]| {
        succeed(["attack", text(&run), "--with", "rmle", "--images", "1"].iter().chain(more));
        let records: Vec<AttackRecord> = serde_json::from_slice(&file(&run, "attacks.json")).unwrap();
        records.into_iter().map(|record| (record.target, record.adaptive)).collect::<Vec<_>>()
    };
    let (naive, adaptive, plain) = (("psgl".into(), false), ("psgl".into(), true), ("vanilla".into(), false));
    assert_eq!(attack(&["--naive"]), [naive.clone(), plain.clone()]);
    assert_eq!(attack(&["--adaptive"])[2..], [adaptive.clone(), plain.clone()]);
    assert_eq!(attack(&[])[4..], [naive, adaptive, plain]);
}

#[test]
fn several_attacks_are_launched_at_once_with_means_a_seed_and_settings() {
    let folder = scratch();
    let run = own_run(folder.path());
    let launch =
        ["attack", text(&run), "--with", "nearest,rmle", "--naive", "--budget", "quick", "--seed", "7", "--json"];
    let more = ["--set", "rmle.iterations=40", "--set", "images=3"];
    let told: Value = serde_json::from_str(&succeed(launch.iter().chain(&more))).unwrap();
    let records = told.as_array().unwrap();
    let names: Vec<_> = records.iter().map(|record| (record["name"].as_str().unwrap(), &record["target"])).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for record in records {
        assert_eq!(record["images"], 3, "{record}");
        let (sees, knows) = (record["sees"].as_array().unwrap(), record["knows"].as_array().unwrap());
        assert!(sees == &[json!("the smashed data")] && !knows.is_empty(), "{record}");
        // Forty iterations are neither quick nor enough.
        let rmle = record["name"] == "rmle";
        assert_eq!(record["budget"], if rmle { "own" } else { "default" }, "{record}");
        assert_eq!(record["converged"], false, "{record}");
        let [p95, worst] = ["ssim_p95", "ssim_worst"].map(|key| record[key].as_f64().unwrap());
        assert!(record["ssim"].as_f64().unwrap() <= worst && p95 <= worst, "{record}");
        assert!(record["ms_ssim"].as_f64().is_some() && record["ms_ssim_scales"] == 2, "{record}");
    }
    // `show` merges them, and the scores of every target of every attack stand in one table.
    let shown: Value = serde_json::from_str(&succeed(["show", text(&run), "--json"])).unwrap();
    assert!(records.iter().all(|record| shown["attacks"].as_array().unwrap().contains(record)));
    let each = String::from_utf8(file(&run, "attacks.csv")).unwrap();
    let rows = each.lines().filter(|line| line.starts_with("vanilla-e2-rmle-naive-afterwards,rmle,")).count();
    assert!(rows == 3 && each.starts_with("file,attack,mode,target,epoch,image,"), "{each}");
    // The whole line again: the same seed finds the same.
    let again: Value = serde_json::from_str(&succeed(launch.iter().chain(&more))).unwrap();
    let scored = |all: &Value| all.as_array().unwrap().iter().map(scores).collect::<Vec<_>>();
    assert_eq!(scored(&again), scored(&told));
}

#[test]
fn the_clock_cuts_an_attack_short_and_that_is_told() {
    let folder = scratch();
    let run = own_run(folder.path());
    let limited = ["--set", "iterations=100000", "--set", "seconds=1", "--naive", "--json", "--images", "2"];
    let told = succeed(["attack", text(&run), "--with", "rmle"].iter().chain(&limited));
    for record in serde_json::from_str::<Value>(&told).unwrap().as_array().unwrap() {
        let doubt = record["judged"]["doubt"].as_str().unwrap();
        assert!(doubt.starts_with("its 1 seconds were over after ") && doubt.ends_with(" of 100000 steps"), "{doubt}");
        assert!(record["converged"] == false && record["iterations"].as_u64().unwrap() < 100_000, "{record}");
    }
}

#[test]
fn attacks_are_listed_with_what_they_see_know_and_cost() {
    let listed = succeed(["attacks"]);
    let json: Value = serde_json::from_str(&succeed(["attacks", "--json"])).unwrap();
    let kinds = cutlayer::workbench::attacks();
    let diagnoses: Vec<&Value> = json.as_array().unwrap().iter().filter(|card| card["on"] == "diagnoses").collect();
    assert_eq!(json.as_array().unwrap().len(), kinds.len() + diagnoses.len());
    for card in diagnoses {
        assert!(listed.contains(&format!("  {}\n", card["name"].as_str().unwrap())), "{listed}");
        assert!(card["settings"].as_object().is_some_and(|all| !all.is_empty()), "{card}");
    }
    for (kind, card) in kinds.iter().zip(json.as_array().unwrap()) {
        assert!(listed.contains(&format!("  {}\n", kind.id)), "{listed}");
        assert_eq!(card["name"], kind.id);
        assert_eq!(card["sees"].as_array().unwrap().len(), kind.sees.len());
        assert!(card["budgets"]["quick"]["images"].as_u64().is_some(), "{card}");
    }
    assert!(listed.contains("paper: iterations 5000, rate 0.01, epsilon 0.001, boxed false"), "{listed}");
}

// --- export ---------------------------------------------------------------------------------------

fn weights(file: &Path) -> BTreeMap<String, Tensor> {
    candle_core::safetensors::load(file, &Device::Cpu).unwrap().into_iter().collect()
}

#[test]
fn export_writes_the_weights_of_each_party_under_their_names() {
    let folder = scratch();
    let out = folder.path().join("torch");
    succeed(["export", text(finished()), "--torch", text(&out)]);
    let hash = Experiment::preset("quick").unwrap().hash();
    let checkpoint = Checkpoint::load(&finished().join("checkpoint.safetensors"), &hash).unwrap();
    for (name, place) in [("psgl", out.clone()), ("vanilla", out.join("vanilla"))] {
        let mut exported = weights(&place.join("client.safetensors"));
        assert!(exported.keys().all(|name| name.starts_with("client.")), "{exported:?}");
        let server = weights(&place.join("server.safetensors"));
        assert!(server.keys().all(|name| name.starts_with("server.")), "{server:?}");
        exported.extend(server);
        let kept = checkpoint.part(&format!("{name}."));
        assert!(exported.keys().eq(kept.keys()));
        for (name, value) in &exported {
            assert_eq!(
                value.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
                kept[name].flatten_all().unwrap().to_vec1::<f32>().unwrap()
            );
        }
        let python = String::from_utf8(file(&place, "load.py")).unwrap();
        assert!(python.contains("__file__") && python.contains("def load():"), "{python}");
        assert_eq!(python.contains("def recover(z):"), name == "psgl");
        let own = if name == "psgl" {
            ["client.head.weight", "server.attacked.0.weight", "server.fuse.weight"]
        } else {
            ["client.0.bias", "client.3.weight", "server.4.weight"]
        };
        for wanted in own.into_iter().chain(["client.0.weight"]) {
            assert!(exported.contains_key(wanted), "{name} lacks {wanted}");
        }
    }
}

#[test]
fn what_is_exported_computes_the_same_in_pytorch() {
    let python = |folder: &Path, code: &str| {
        let program = std::env::var("CUTLAYER_PYTHON").unwrap_or_else(|_| "python3".into());
        Command::new(program)
            .args(["-c", code])
            .current_dir(folder)
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    let folder = scratch();
    if python(folder.path(), "import torch, safetensors.torch").is_none() {
        return println!("skipped: no python3 with torch and safetensors");
    }
    let mut normalised = Experiment::preset("quick").unwrap();
    let settings = ["model.name=resnet8", "model.cut=6", "data.train=64", "train.epochs=1", "attack=[]"];
    for setting in settings {
        normalised.set(setting).unwrap();
    }
    let more: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let run = quick(folder.path(), "normalised", &more);
    computes_the_same(finished(), Experiment::preset("quick").unwrap(), &folder.path().join("torch"), &python);
    computes_the_same(&run, normalised, &folder.path().join("torch-normalised"), &python);
}

/// Exports a run and asks the exported client and ours the same.
fn computes_the_same(
    run: &Path,
    experiment: Experiment,
    out: &Path,
    python: &dyn Fn(&Path, &str) -> Option<std::process::Output>,
) {
    succeed(["export", text(run), "--torch", text(out)]);
    let setup = Prepared::new(experiment).unwrap();
    let checkpoint = Checkpoint::load(&run.join("checkpoint.safetensors"), &setup.experiment.hash()).unwrap();
    for (i, (plan, place)) in setup.plans.iter().zip([out.to_owned(), out.join("vanilla")]).enumerate() {
        let mut model = SplitModel::new(plan.clone(), Seed(0), &Device::Cpu).unwrap();
        checkpoint.restore(i, &mut model).unwrap();
        let [c, h, w] = plan.input();
        let x = (Tensor::ones((1, c, h, w), DType::F32, &Device::Cpu).unwrap() * 0.25).unwrap();
        let z = model.client.body().forward(&x).unwrap();
        let code = format!(
            "from load import *\nm = load(); z = m.client(torch.full((1, {c}, {h}, {w}), .25)); print(z.abs().sum().item(), len(getattr(m, 'streams', '1')))"
        );
        let told = String::from_utf8(python(&place, &code).expect("the loader runs").stdout).unwrap();
        let last = told.lines().last().unwrap().to_owned();
        let (sum, streams) = last.split_once(' ').unwrap();
        let ours = f64::from(z.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
        assert!((sum.parse::<f64>().unwrap() - ours).abs() < 1e-4 * ours, "{told} and {ours}");
        assert_eq!(streams, if plan.defended() { "3" } else { "1" });
    }
}
