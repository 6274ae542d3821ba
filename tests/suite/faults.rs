//! A disk that refuses the n-th write, for every n: no half file, and the run can go on.

use std::path::Path;
use std::sync::Arc;

use crate::common::{assert_same_run, scratch};
use cutlayer::data::Catalogue;
use cutlayer::experiment::Experiment;
use cutlayer::run::checkpoint::Checkpoint;
use cutlayer::run::folder::{CHECKPOINT, RunFolder};
use cutlayer::run::prepared::Prepared;
use cutlayer::run::recorder::{Recorder, read_all_metrics, read_summary};
use cutlayer::run::session::Session;
use cutlayer::run::whole_files::Writer;
use cutlayer::run::worker::{Outcome, Worker};

/// `quick` made as short as can be while it still writes every kind of file: it is run twice for each of its writes.
fn experiment() -> Experiment {
    let mut experiment = Experiment::preset("quick").unwrap();
    for assignment in [
        "data.train=64",
        "attack=[{ name = \"rmle\", images = 1, iterations = 3, early = [0], adaptive = false }]",
        "evaluate.mu_images=2",
        "data.test=20",
    ] {
        experiment.set(assignment).unwrap();
    }
    experiment
}

/// The experiment with this writer, new or from its checkpoint.
fn run(path: &Path, writer: Writer) -> Outcome {
    let experiment = experiment();
    let hash = experiment.hash();
    let writer = Arc::new(writer);
    let folder = if path.exists() {
        RunFolder::open(path)
    } else {
        RunFolder::create(path, &experiment.to_toml(), false, &writer)
    };
    let folder = match folder {
        Ok(folder) => folder,
        Err(error) => return Outcome::Failed(error),
    };
    let checkpoint = folder.file(CHECKPOINT);
    let checkpoint = checkpoint.exists().then(|| Checkpoint::load(&checkpoint, &hash).unwrap());
    let setup = Prepared::new(experiment).unwrap();
    let recorder = Recorder::new(folder, writer);
    let worker = Worker::start(move |sink| match checkpoint {
        Some(checkpoint) => Session::resume(setup, recorder, &checkpoint, sink),
        None => Session::new(setup, Some(recorder), sink),
    });
    worker.unwrap().join(|_| ())
}

/// Every file is whole, and none is there that does not belong.
fn assert_whole(folder: &Path) {
    let hash = experiment().hash();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let text = || std::fs::read_to_string(&path).unwrap();
        match name.as_str() {
            ".lock" => {}
            ".times.json" => drop(serde_json::from_str::<serde_json::Value>(&text()).unwrap()),
            "experiment.toml" => drop(Experiment::from_toml(&text(), &name).unwrap()),
            "predictions.npz" => drop(candle_core::Tensor::read_npz(&path).unwrap()),
            "data.json" => drop(Catalogue::from_json(&text()).unwrap()),
            "summary.json" => drop(read_summary(folder).unwrap()),
            "checkpoint.safetensors" => drop(Checkpoint::load(&path, &hash).unwrap()),
            // It grows row by row: what was begun is no row.
            "metrics.csv" => drop(read_all_metrics(folder).unwrap()),
            "best" => {
                for file in std::fs::read_dir(&path).unwrap().flatten() {
                    Checkpoint::load(&file.path(), &hash).unwrap();
                }
            }
            "images" => {
                for image in std::fs::read_dir(&path).unwrap().flatten() {
                    image::open(image.path()).unwrap();
                }
            }
            "attacks" => {
                for file in std::fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()) {
                    if file.extension().is_some_and(|ending| ending == "npz") {
                        assert_eq!(candle_core::Tensor::read_npz(&file).unwrap().len(), 8);
                    } else {
                        assert!(csv::Reader::from_path(&file).unwrap().records().all(|row| row.is_ok()));
                    }
                }
            }
            _ => panic!("{name} does not belong there"),
        }
    }
}

#[test]
fn a_write_that_fails_leaves_no_half_file_and_the_run_goes_on() {
    let (folder, whole) = (scratch(), scratch());
    let whole = whole.path().join("whole");
    assert!(matches!(run(&whole, Writer::default()), Outcome::Done(_)));
    let mut failures = 0;
    for n in 1.. {
        let path = folder.path().join(n.to_string());
        match run(&path, Writer::failing_at(n)) {
            Outcome::Done(_) => break,
            Outcome::Failed(error) => {
                failures += 1;
                let text = error.to_string();
                assert!(text.contains("could not write: no space left"), "{text}");
                assert!(text.contains(&*folder.path().to_string_lossy()), "the message names the file: {text}");
            }
            Outcome::Stopped | Outcome::Attacked(_) | Outcome::Diagnosed(_) => panic!("nobody asked for that"),
        }
        if path.exists() {
            assert_whole(&path);
        }
        let outcome = run(&path, Writer::default());
        assert!(matches!(outcome, Outcome::Done(_)), "write {n}: {outcome:?}");
        assert_whole(&path);
        assert_same_run(&whole, &path);
        std::fs::remove_dir_all(&path).unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert!(left.is_empty(), "write {n} left {left:?}");
    }
    assert!(failures > 10, "only {failures} writes were made to fail");
}
