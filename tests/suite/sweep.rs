//! A sweep as its user meets it: begun, stopped, killed, refused, and gone on with.

use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{assert_same_run, call, file, names, program, scratch, succeed};
use cutlayer::random::Seed;
use cutlayer::run::folder::RunFolder;
use cutlayer::run::prepared::Prepared;
use cutlayer::run::recorder::Recorder;
use cutlayer::run::session::Session;
use cutlayer::run::whole_files::Writer;
use cutlayer::run::worker::{Outcome, Worker};
use cutlayer::sweep::Sweep;
use cutlayer::sweep::folder::SweepFolder;

/// Five cells, each as short as can be.
const SMALL: &str = "base = \"quick\"\n\
    [set]\n\"train.epochs\" = 1\n\"data.train\" = 128\n\"data.test\" = 40\n\"evaluate.mu_images\" = 2\n\
    \"attack\" = [{ name = \"rmle\", images = 2, iterations = 10, early = [] }]\n\
    [grid]\nseed = [0, 1]\n\
    [[list]]\ndefence = \"dropout\"\n\"defence.dropout.p\" = 0.5\n\
    [[list]]\ndefence = \"psgl\"\nseed = 0\n";
const CELLS: [&str; 5] = ["none-s0", "none-s1", "dropout-p.5-s0", "dropout-p.5-s1", "psgl-s0"];

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

fn sweep_file(folder: &Path, content: &str) -> PathBuf {
    let file = folder.join("small.toml");
    Writer::default().write(&file, content.as_bytes()).unwrap();
    file
}

/// The small sweep, unbroken: some test may read it, never change it.
fn unbroken() -> &'static Path {
    static SWEEP: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SWEEP.get_or_init(|| {
        let folder = scratch();
        let out = folder.path().join("whole");
        succeed(["sweep", text(&sweep_file(folder.path(), SMALL)), "--out", text(&out)]);
        (folder, out)
    });
    path
}

fn begin(file: &Path, out: &Path) -> Child {
    let arguments = ["sweep", text(file), "--out", text(out), "--jobs", "2"];
    program(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn record(out: &Path) -> Value {
    serde_json::from_slice(&file(out, "sweep.json")).expect("JSON")
}

fn states(out: &Path) -> Vec<String> {
    let record = record(out);
    record["cells"].as_array().unwrap().iter().map(|cell| cell["state"].as_str().unwrap().to_owned()).collect()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_same_sweep(out: &Path) {
    assert_eq!(states(out), ["done"; 5]);
    for cell in CELLS {
        assert_same_run(&unbroken().join(cell), &out.join(cell));
    }
    let lies = names(out);
    let expected: Vec<&str> =
        [".sweep", "dropout-p.5-s0", "dropout-p.5-s1", "none-s0", "none-s1", "psgl-s0", "sweep.json"].into();
    assert_eq!(lies, expected, "nothing else is left there");
}

#[test]
fn each_cell_is_an_ordinary_run_beside_the_sweeps_own_file() {
    let out = unbroken();
    assert_same_sweep(out);
    let record = record(out);
    assert_eq!((&record["schema"], record["name"].as_str()), (&Value::from(1), Some("small")));
    let cell = &record["cells"][3];
    assert_eq!((cell["name"].as_str(), cell["undefended"].as_str()), (Some(CELLS[3]), Some("none-s1")));
    assert_eq!(cell["set"]["defence.dropout.p"], Value::from(0.5));
    assert_eq!(cell["experiment"]["train"]["twin"], Value::Bool(false));
    assert!(cell["seconds"].as_f64().unwrap() > 0.0);
    for name in CELLS {
        let shown = succeed(["show", text(&out.join(name))]);
        assert!(shown.contains("Answers on the held-out images"), "{shown}");
    }
}

#[test]
fn what_is_done_is_left_as_it_is_and_new_cells_are_added() {
    let folder = scratch();
    let out = folder.path().join("sweep");
    crate::common::copy_run(unbroken(), &out);
    let before = file(&out, "none-s0/summary.json");
    let more = SMALL.replace("\"defence.dropout.p\" = 0.5", "\"defence.dropout.p\" = [0.5, 0.9]");
    let output = call(["sweep", text(&sweep_file(folder.path(), &more)), "--out", text(&out)]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(
        told(&output).contains("/7 dropout-p.9-s0: done in ") && !told(&output).contains("none-s0: done"),
        "{}",
        told(&output)
    );
    assert_eq!(file(&out, "none-s0/summary.json"), before);
    assert_eq!(states(&out), ["done"; 7]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("to undefended") && table.lines().count() == 9, "{table}");
    // Without a file the folder says what is to be done.
    std::fs::remove_file(out.join("dropout-p.9-s1/summary.json")).unwrap();
    let output = call(["sweep", "--out", text(&out)]);
    assert!(output.status.success() && told(&output).contains("7/7 dropout-p.9-s1: done"), "{}", told(&output));
    let plan = succeed(["sweep", "--out", text(&out), "--plan"]);
    assert_eq!(plan.matches("done").count(), 7, "{plan}");
}

#[test]
fn killed_at_random_moments_and_rerun_equals_unbroken() {
    let folder = scratch();
    let (file, out) = (sweep_file(folder.path(), SMALL), folder.path().join("killed"));
    let mut moments = Seed(5).stream("kills", 0);
    for _ in 0..4 {
        let mut child = begin(&file, &out);
        std::thread::sleep(Duration::from_secs_f64(moments.uniform(0.1, 2.5)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // The cells of the last one may still be saving: they are waited for.
    succeed(["sweep", text(&file), "--out", text(&out)]);
    assert_same_sweep(&out);
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_the_cells_and_the_sweep_goes_on() {
    let folder = scratch();
    let (file, out) = (sweep_file(folder.path(), SMALL), folder.path().join("stopped"));
    let child = begin(&file, &out);
    wait_for(&out.join("none-s0/experiment.toml"));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let go_on = format!("cells are done. Go on with: cutlayer sweep --out {}", out.display());
    assert!(
        told(&output).contains("Stopped and saved: ") && told(&output).trim().ends_with(&go_on),
        "{}",
        told(&output)
    );
    assert!(states(&out).iter().all(|state| state == "waiting" || state == "done"), "{:?}", states(&out));
    succeed(["sweep", "--out", text(&out)]);
    assert_same_sweep(&out);
}

fn wait_for(path: &Path) {
    let until = Instant::now() + Duration::from_mins(1);
    while !path.exists() {
        assert!(Instant::now() < until, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_second_sweep_in_a_folder_is_refused_and_a_cell_is_worked_on_once() {
    let folder = scratch();
    let (file, out) = (sweep_file(folder.path(), SMALL), folder.path().join("held"));
    let held = SweepFolder::new(&out).hold(&Sweep::load(&file).unwrap()).unwrap();
    let second = call(["sweep", text(&file), "--out", text(&out)]);
    assert_eq!(second.status.code(), Some(2));
    let words = format!("cutlayer: another process is running this sweep: {}", out.display());
    assert_eq!(told(&second).trim(), words);
    drop(held);
    let first = begin(&file, &out);
    // Others may ask for single cells meanwhile, as schedulers do: nothing is done twice.
    let alone = call(["sweep", text(&file), "--out", text(&out), "--cell", CELLS[4], "--threads", "1"]);
    assert!(alone.status.success(), "{}", told(&alone));
    let output = first.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_same_sweep(&out);
}

#[test]
fn a_cell_that_fails_is_told_of_in_the_end_and_the_others_finish() {
    let folder = scratch();
    // Which images there are is told only once they are read.
    let wrong = SMALL.replace("psgl\"\nseed = 0", "psgl\"\nseed = 0\nmodel.input = [[1, 9, 9]]");
    let (file, out) = (sweep_file(folder.path(), &wrong), folder.path().join("sweep"));
    let output = call(["sweep", text(&file), "--out", text(&out)]);
    assert_eq!(output.status.code(), Some(1));
    let told = told(&output);
    let name = "psgl-input-1,9,9-s0";
    assert!(
        told.contains("cutlayer: 2 of 6 cells failed, the others are done; to try them again: cutlayer sweep --out "),
        "{told}"
    );
    let last = told.lines().last().unwrap();
    assert!(last.starts_with(&format!("  {name}: model.input = [1, 9, 9]: ")), "{told}");
    assert!(!out.join(name).exists(), "what could not begin is not there");
    let record = record(&out);
    let failed = record["cells"].as_array().unwrap().iter().find(|cell| cell["name"] == name).unwrap();
    assert!(failed["state"] == "failed" && failed["error"].as_str().unwrap().starts_with("model.input = "), "{failed}");
    assert_eq!(states(&out).iter().filter(|state| *state == "done").count(), 4);
    for cell in &CELLS[..4] {
        assert_same_run(&unbroken().join(cell), &out.join(cell));
    }
}

#[test]
fn a_disk_that_fills_up_leaves_a_cell_that_is_absent_not_broken() {
    let folder = scratch();
    let (file, out) = (sweep_file(folder.path(), SMALL), folder.path().join("sweep"));
    let sweep = Sweep::load(&file).unwrap();
    let cell = sweep.cell("none-s0").unwrap();
    let path = out.join(&cell.name);
    let mut refused = 0;
    for write in [1, 2, 3, 5, 8] {
        let writer = Arc::new(Writer::failing_at(write));
        let Ok(run) = RunFolder::create(&path, &cell.experiment.to_toml(), true, &writer) else {
            assert!(!path.exists(), "no half folder");
            refused += 1;
            continue;
        };
        let setup = Prepared::new(cell.experiment.clone()).unwrap();
        let recorder = Recorder::new(run, writer);
        let worker = Worker::start(move |sink| Session::new(setup, Some(recorder), sink)).unwrap();
        assert!(matches!(worker.join(|_| ()), Outcome::Failed(_)));
        let plan = succeed(["sweep", text(&file), "--out", text(&out), "--plan"]);
        assert!(plan.lines().any(|line| line.contains("none-s0") && line.contains("waiting")), "{plan}");
        refused += 1;
    }
    assert_eq!(refused, 5);
    succeed(["sweep", text(&file), "--out", text(&out)]);
    assert_same_sweep(&out);
}

#[test]
fn what_is_wrong_is_told_once_and_nothing_is_written() {
    let folder = scratch();
    let out = folder.path().join("out");
    let empty = sweep_file(folder.path(), "base = \"quick\"\n[grid]\nseed = []\n");
    let refused = |arguments: &[&str], says: &str| {
        let output = call(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", told(&output));
        assert!(
            told(&output).starts_with("cutlayer: ") && told(&output).contains(says),
            "{arguments:?}: {}",
            told(&output)
        );
        assert!(told(&output).lines().count() <= 2 && output.stdout.is_empty() && !out.exists(), "{}", told(&output));
    };
    let to = text(&out);
    refused(&["sweep", text(&empty), "--out", to], "grid.seed = []: without a value there is no cell");
    refused(&["sweep", text(&empty), "--out", to], text(&empty));
    refused(&["sweep", "tiyn", "--out", to], "did you mean `tiny`?");
    refused(&["sweep", "--out", to], "it is no sweep: it has no sweep.json");
    refused(&["sweep", "tiny", "--out", to, "--cell", "none-s9"], "did you mean `none-s0`?");
    refused(&["sweep", "tiny", "--out", to, "--threads", "0"], "--threads 0: allowed is");
    refused(&["sweep", "tiny", "--out", to, "--partition", "long"], "--partition is for a scheduler");
    refused(&["sweep", "tiny", "--out", to, "--on", "slurm", "--account", "a b"], "--account a b: allowed are");
}

#[cfg(unix)]
#[test]
fn where_slurm_is_absent_one_line_says_so() {
    let folder = scratch();
    let out = folder.path().join("out");
    let output =
        program(["sweep", "tiny", "--out", text(&out), "--on", "slurm"]).env("PATH", "/nowhere").output().unwrap();
    assert_eq!((output.status.code(), told(&output).lines().count(), out.exists()), (Some(2), 1, false));
    assert!(
        told(&output).starts_with("cutlayer: --on slurm: there is no Slurm on this machine (no `sbatch`); "),
        "{}",
        told(&output)
    );
}

#[cfg(unix)]
#[test]
fn the_commands_of_a_plan_make_the_sweep() {
    let folder = scratch();
    let (file, out) = (sweep_file(folder.path(), SMALL), folder.path().join("my sweep"));
    let plan = succeed(["sweep", text(&file), "--out", text(&out), "--plan", "--for", "shell"]);
    assert_eq!(plan.lines().count(), 5, "{plan}");
    assert!(!out.exists(), "a plan writes nothing");
    let done = program([] as [&str; 0]);
    let mut shell = std::process::Command::new("sh");
    shell.envs(done.get_envs().filter_map(|(key, value)| Some((key, value?)))).args(["-ec", &plan]);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let none = succeed(["sweep", text(&file), "--out", text(&out), "--plan", "--for", "shell"]);
    assert_eq!(none, "", "all are done");
    succeed(["sweep", text(&file), "--out", text(&out)]);
    assert_same_sweep(&out);
}
