//! Runs that survive: stopped, killed, interrupted anywhere, they end as if nothing had happened.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{assert_same_run, call, copy_run, file, finished, program, quick, scratch, succeed};
use candle_core::Tensor;
use cutlayer::experiment::Experiment;
use cutlayer::random::Seed;
use cutlayer::run::checkpoint::Checkpoint;
use cutlayer::run::control::Command;
use cutlayer::run::event::{Event, stream};
use cutlayer::run::folder::RunFolder;
use cutlayer::run::prepared::Prepared;
use cutlayer::run::recorder::{Recorder, read_all_metrics};
use cutlayer::run::session::Session;
use cutlayer::run::whole_files::Writer;
use cutlayer::run::worker::{Outcome, Worker};

fn arguments(run: &Path) -> Vec<&str> {
    let path = run.to_str().unwrap();
    if run.exists() { vec!["run", "--resume", path] } else { vec!["run", "quick", "--out", path] }
}

#[test]
fn killed_at_random_moments_and_resumed_equals_unbroken() {
    let folder = scratch();
    let run = folder.path().join("killed");
    let mut moments = Seed(20).stream("kills", 0);
    for _ in 0..5 {
        let mut child = program(arguments(&run)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(moments.uniform(0.05, 2.5)));
        // SIGKILL on Unix: nothing of the program's own runs any more.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    succeed(arguments(&run));
    assert_same_run(finished(), &run);
}

/// `quick` in this process, stopped when `when` says so.
fn stopped(path: &Path, when: impl FnMut(&Event) -> bool) {
    stopped_of(Experiment::preset("quick").unwrap(), path, when);
}

fn stopped_of(experiment: Experiment, path: &Path, mut when: impl FnMut(&Event) -> bool) {
    let writer = Arc::new(Writer::default());
    let folder = RunFolder::create(path, &experiment.to_toml(), false, &writer).unwrap();
    let setup = Prepared::new(experiment).unwrap();
    let worker = Worker::start(move |sink| Session::new(setup, Some(Recorder::new(folder, writer)), sink)).unwrap();
    let control = worker.control.clone();
    let outcome = worker.join(|event| {
        if when(&event) {
            control.send(Command::Stop);
        }
    });
    assert!(matches!(outcome, Outcome::Stopped), "{outcome:?}");
}

#[test]
fn stopped_in_training_and_during_an_attack_and_resumed_equals_unbroken() {
    let folder = scratch();
    let run = folder.path().join("training");
    stopped(&run, |event| matches!(event, Event::Steps(rows) if rows.iter().any(|row| row.step == 7)));
    succeed(arguments(&run));
    assert_same_run(finished(), &run);

    let run = folder.path().join("attack");
    stopped(&run, |event| matches!(event, Event::Attack(record) if record.name == "inverse"));
    succeed(arguments(&run));
    assert_same_run(finished(), &run);
}

#[test]
fn stopped_between_the_parts_of_a_step_and_resumed_equals_unbroken() {
    let folder = scratch();
    // Without attacks, which would take turns with training, four slices are a step of PSGL and two one of its twin.
    let unbroken = quick(folder.path(), "unbroken", &["--set", "attack=[]"]);
    let mut amid = 0;
    for slices in 20..26 {
        let run = folder.path().join(slices.to_string());
        let mut experiment = Experiment::preset("quick").unwrap();
        experiment.set("attack=[]").unwrap();
        let (writer, hash) = (Arc::new(Writer::default()), experiment.hash());
        let recorder = Recorder::new(RunFolder::create(&run, &experiment.to_toml(), false, &writer).unwrap(), writer);
        let (sink, _events, _slots) = stream();
        let mut session = Session::new(Prepared::new(experiment).unwrap(), Some(recorder), sink).unwrap();
        for _ in 0..slices {
            assert!(session.advance().unwrap().is_none());
        }
        session.save().unwrap();
        drop(session);
        let saved = Checkpoint::load(&run.join("checkpoint.safetensors"), &hash).unwrap();
        amid += usize::from(saved.position.courses.iter().any(|course| course.head_learnt));
        succeed(arguments(&run));
        assert_same_run(&unbroken, &run);
    }
    assert_eq!(amid, 4, "of six neighbouring slices three end amid a step of PSGL, one amid its twin's");
}

#[test]
fn rows_past_the_checkpoint_are_cut_off_and_a_torn_one_is_no_row() {
    let folder = scratch();
    let stopped_run = folder.path().join("stopped");
    stopped(&stopped_run, |event| matches!(event, Event::Steps(rows) if rows.iter().any(|row| row.step == 7)));
    let rows = read_all_metrics(&stopped_run).unwrap();
    let before = file(&stopped_run, "metrics.csv");
    // A whole row, one torn in a number, one torn at its first letter, and what some disks leave after a power cut.
    let tails: [&[u8]; 4] = [b"1,99,0.5,0.5,0.5,1,1,1,1,\n", b"1,99,0.5,0.", b"1", b"\0\0\0\0"];
    for (n, tail) in tails.iter().enumerate() {
        let run = folder.path().join(n.to_string());
        copy_run(&stopped_run, &run);
        Writer::default().write(&run.join("metrics.csv"), &[&before, *tail].concat()).unwrap();
        let read = read_all_metrics(&run).unwrap();
        assert_eq!((read.len(), &read[..rows.len()]), (rows.len() + usize::from(n == 0), &rows[..]));
        succeed(arguments(&run));
        assert_same_run(finished(), &run);
    }
    // Rows that the checkpoint counts cannot be done without.
    let cut = before[..before.len() - 3].to_vec();
    Writer::default().write(&stopped_run.join("metrics.csv"), &cut).unwrap();
    let output = call(arguments(&stopped_run));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains(&format!("{} rows, the checkpoint has {}", rows.len() - 1, rows.len())), "{message}");
}

#[cfg(unix)]
#[test]
fn metrics_grow_and_are_not_written_anew() {
    use std::os::unix::fs::MetadataExt;
    let folder = scratch();
    let run = folder.path().join("run");
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment.set("attack=[]").unwrap();
    let writer = Arc::new(Writer::default());
    let recorder = Recorder::new(RunFolder::create(&run, &experiment.to_toml(), false, &writer).unwrap(), writer);
    let (sink, _events, _slots) = stream();
    let mut session = Session::new(Prepared::new(experiment).unwrap(), Some(recorder), sink).unwrap();
    let mut before: Option<(u64, Vec<u8>)> = None;
    for _ in 0..4 {
        for _ in 0..12 {
            assert!(session.advance().unwrap().is_none());
        }
        session.save().unwrap();
        let (inode, bytes) = (run.join("metrics.csv").metadata().unwrap().ino(), file(&run, "metrics.csv"));
        if let Some((same, start)) = &before {
            assert_eq!(inode, *same, "the file was replaced");
            assert!(bytes.starts_with(start) && bytes.len() > start.len());
        }
        before = Some((inode, bytes));
    }
}

#[test]
fn stochastic_gradient_descent_learns_and_goes_on_as_if_nothing_had_happened() {
    let settings = ["train.optimizer=sgd", "train.rate=0.05", "train.twin=false", "attack=[]"];
    let mut experiment = Experiment::preset("quick").unwrap();
    for setting in settings {
        experiment.set(setting).unwrap();
    }
    let folder = scratch();
    let run = folder.path().join("stopped");
    stopped_of(experiment, &run, |event| matches!(event, Event::Steps(rows) if rows.iter().any(|row| row.step == 5)));
    succeed(arguments(&run));
    let more: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let unbroken = quick(folder.path(), "unbroken", &more);
    assert_same_run(&unbroken, &run);
    let rows = String::from_utf8(file(&run, "metrics.csv")).unwrap();
    let losses: Vec<f64> = rows.lines().skip(1).map(|row| row.split(',').nth(4).unwrap().parse().unwrap()).collect();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..4]), mean(&losses[losses.len() - 4..]));
    assert!(last < 0.95 * first, "the fused stream's loss went from {first} to {last}");
}

#[test]
fn running_statistics_go_on_as_if_nothing_had_happened() {
    let settings = ["model.name=resnet8", "model.cut=4", "data.train=96", "train.epochs=1", "attack=[]"];
    let mut experiment = Experiment::preset("quick").unwrap();
    for setting in settings {
        experiment.set(setting).unwrap();
    }
    let folder = scratch();
    let run = folder.path().join("stopped");
    stopped_of(experiment, &run, |event| matches!(event, Event::Steps(rows) if rows.iter().any(|row| row.step == 2)));
    succeed(arguments(&run));
    let more: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let unbroken = quick(folder.path(), "unbroken", &more);
    assert_same_run(&unbroken, &run);
    let text = String::from_utf8_lossy(&file(&run, "checkpoint.safetensors")).into_owned();
    for name in
        ["psgl.client.1.running_mean", "psgl.server.fused.1.project.1.running_var", "vanilla.client.1.running_var"]
    {
        assert!(text.contains(&format!("\"{name}\"")), "the checkpoint lacks {name}");
    }
}

#[test]
fn a_run_without_a_checkpoint_starts_over() {
    let folder = scratch();
    let run = folder.path().join("bare");
    std::fs::create_dir(&run).unwrap();
    std::fs::copy(finished().join("experiment.toml"), run.join("experiment.toml")).unwrap();
    succeed(arguments(&run));
    assert_same_run(finished(), &run);
}

#[test]
fn resuming_a_finished_run_prints_its_table() {
    let folder = scratch();
    let run = folder.path().join("copy");
    copy_run(finished(), &run);
    assert!(succeed(arguments(&run)).contains("PSGL, fused decision"));
}

#[test]
fn a_run_whose_summary_was_lost_makes_the_same_one_again() {
    let folder = scratch();
    let run = folder.path().join("copy");
    copy_run(finished(), &run);
    std::fs::remove_file(run.join("summary.json")).unwrap();
    succeed(arguments(&run));
    assert_same_run(finished(), &run);
}

#[test]
fn two_processes_do_not_work_in_one_run() {
    let folder = scratch();
    let run = folder.path().join("held");
    copy_run(finished(), &run);
    std::fs::remove_file(run.join("summary.json")).unwrap();
    let held = RunFolder::open(&run).unwrap();
    let output = call(["run", "--resume", run.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another process is working in this run"));
    drop(held);
    succeed(arguments(&run));
}

#[test]
fn numbers_that_are_no_longer_finite_end_the_run_with_words_and_keep_what_was_measured() {
    let folder = scratch();
    let run = folder.path().join("poisoned");
    stopped(&run, |event| matches!(event, Event::Steps(rows) if rows.iter().any(|row| row.step == 5)));
    let hash = Experiment::preset("quick").unwrap().hash();
    let path = run.join("checkpoint.safetensors");
    let mut checkpoint = Checkpoint::load(&path, &hash).unwrap();
    let weight = checkpoint.tensors.get_mut("psgl.server.attacked.0.weight").unwrap();
    *weight = Tensor::full(f32::NAN, weight.shape(), weight.device()).unwrap();
    let rows = checkpoint.position.metric_rows;
    Writer::default().write(&path, &checkpoint.to_bytes(&hash).unwrap()).unwrap();
    // Those of the model whose numbers are gone; it may have been its twin's turn.
    let own = |count: usize| {
        let metrics = String::from_utf8(file(&run, "metrics.csv")).unwrap();
        metrics.lines().skip(1).take(count).filter(|row| row.ends_with(',')).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = own(rows);

    let output = call(arguments(&run));
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("training psgl: the loss became NaN in epoch 1, step") && message.contains("train.rate"));
    assert_eq!(own(usize::MAX), before, "the rows of the steps before are kept, and no other");
    assert!(!run.join("summary.json").exists());
}
