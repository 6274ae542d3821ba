//! Models that train in turns, and a run that is watched while it trains.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{assert_same_run, file, finished, quick, scratch};
use cutlayer::experiment::Experiment;
use cutlayer::run::event::Event;
use cutlayer::run::folder::RunFolder;
use cutlayer::run::held_out::LiveRow;
use cutlayer::run::prepared::Prepared;
use cutlayer::run::recorder::Recorder;
use cutlayer::run::session::Session;
use cutlayer::run::whole_files::Writer;
use cutlayer::run::worker::{Outcome, Worker};

/// The rows of one model in `metrics.csv`, as they are written.
fn rows(run: &Path, vanilla: bool) -> Vec<String> {
    let text = String::from_utf8(file(run, "metrics.csv")).unwrap();
    let of = |row: &&str| row.ends_with(',') != vanilla;
    text.lines().skip(1).filter(of).map(str::to_owned).collect()
}

#[test]
fn each_model_learns_in_turns_what_it_learns_alone() {
    let folder = scratch();
    let alone = quick(folder.path(), "alone", &["--set", "attack=[]", "--set", "train.twin=false"]);
    let (own, beside) = (rows(&alone, false), rows(finished(), false));
    assert_eq!((own.len(), rows(&alone, true).len(), rows(finished(), true).len()), (32, 0, 32));
    assert_eq!(own, beside);
    let text = String::from_utf8(file(finished(), "metrics.csv")).unwrap();
    let steps: Vec<&str> = text.lines().skip(1).take(6).map(|row| row.split(',').nth(1).unwrap()).collect();
    assert_eq!(steps, ["1", "1", "2", "2", "3", "3"], "both grow together");
}

/// Steps that a model took, as `metrics.csv` has them.
fn trained_steps(run: &Path, model: &str) -> usize {
    let text = String::from_utf8(file(run, "metrics.csv")).unwrap();
    let own = |row: &&str| row.ends_with(',') == (model == "psgl");
    let rows: Vec<&str> = text.lines().skip(1).filter(own).collect();
    rows.last().unwrap().split(',').nth(1).unwrap().parse().unwrap()
}

/// `quick` in this process; what was told live, and after how long.
fn watched(path: &Path, watch: bool) -> Vec<(Duration, LiveRow)> {
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment.set("attack=[]").unwrap();
    let writer = std::sync::Arc::new(Writer::default());
    let folder = RunFolder::create(path, &experiment.to_toml(), false, &writer).unwrap();
    let setup = Prepared::new(experiment).unwrap();
    let start = Instant::now();
    let worker = Worker::start(move |sink| {
        if watch {
            sink.slots.watch();
        }
        Session::new(setup, Some(Recorder::new(folder, writer)), sink)
    })
    .unwrap();
    let mut live = Vec::new();
    let outcome = worker.join(|event| {
        if let Event::Live(rows) = event {
            live.extend(rows.into_iter().map(|row| (start.elapsed(), row)));
        }
    });
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    live
}

#[test]
fn being_watched_changes_no_byte_and_tells_of_both_models_within_three_seconds() {
    let folder = scratch();
    let [seen, unseen] = ["seen", "unseen"].map(|name| folder.path().join(name));
    let live = watched(&seen, true);
    assert!(watched(&unseen, false).is_empty());
    assert_same_run(&seen, &unseen);
    for model in ["psgl", "vanilla"] {
        let (after, row) = live.iter().find(|(_, row)| row.model == model).expect(model);
        assert!(*after < Duration::from_secs(3), "{model}: {after:?}");
        // `quick` has a hundred test images.
        assert_eq!((row.images, row.streams.is_some()), (100, model == "psgl"));
        assert!(row.decision <= row.images);
        // The curve moves, and ends where training ends: however short a run is, it is no single point.
        let steps: Vec<usize> = live.iter().filter(|(_, row)| row.model == model).map(|(_, row)| row.step).collect();
        assert!(steps.len() >= 2 && steps.is_sorted_by(|a, b| a < b), "{model}: {steps:?}");
        let last = trained_steps(&seen, model);
        assert_eq!(steps.last(), Some(&last), "{model}");
    }
}
