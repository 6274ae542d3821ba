//! What happens in a run is taken in as it comes.

use super::*;
use crate::app::accuracies::Accuracy;
use crate::experiment::fixture::{DEFENDED, TITLE};

fn record() -> AttackRecord {
    AttackRecord {
        name: "rmle".to_owned(),
        adaptive: true,
        target: DEFENDED.to_owned(),
        epoch: 2,
        images: 8,
        iterations: 20,
        mse: 0.05,
        psnr: 13.0,
        ssim: 0.4,
        ssim_se: 0.1,
        seconds: 3.0,
        ..AttackRecord::default()
    }
}

fn read(state: &mut State, event: Event) -> bool {
    state.read(event, Duration::from_secs(1))
}

#[test]
fn each_fold_begins_anew_and_the_whole_is_kept_outside() {
    let mut state = State::started("mias".to_owned());
    for fold in 1..=2 {
        read(&mut state, Event::Fold { fold, of: 2, run: "runs/x".into() });
        read(&mut state, Event::Started { folder: Some(format!("runs/x/fold-{fold}").into()), resumed: false });
        assert!(state.rows.is_empty() && state.status == Status::Going);
        read(&mut state, Event::Steps(vec![MetricRow { epoch: 1, step: 1, ..MetricRow::default() }]));
    }
    assert_eq!((state.rows.len(), state.title.as_str()), (1, "mias"));
    assert_eq!(state.folder.as_deref(), Some(Path::new("runs/x/fold-2")));
    let told = |words: &str| state.log.iter().any(|line| line.1 == words);
    assert!(told("Fold 1 of 2") && told("Fold 2 of 2"));
    read(&mut state, Event::Done(Box::default()));
    assert_eq!(state.folder.as_deref(), Some(Path::new("runs/x")));
}

#[test]
fn a_run_fills_curves_table_and_log() {
    let mut state = State::started("quick, seed 0".to_owned());
    assert!(!read(&mut state, Event::Started { folder: Some("runs/x".into()), resumed: false }));
    let row = |step| MetricRow { epoch: 1, step, acc_fused: Some(50.0), ..MetricRow::default() };
    read(&mut state, Event::Steps(vec![row(1), row(2)]));
    read(
        &mut state,
        Event::Epoch(EpochRow {
            model: DEFENDED.to_owned(),
            epoch: 1,
            attacked: Some(40.0),
            recovered: Some(41.0),
            fused_stream: Some(42.0),
            accuracy: 43.0,
            ..EpochRow::default()
        }),
    );
    read(&mut state, Event::Attack(record()));
    assert_eq!(state.training.points(Accuracy::Decision).len(), 2);
    assert_eq!(state.test.last(Accuracy::Cleaned), Some(41.0));
    assert_eq!(state.attacks.len(), 1);
    let log: Vec<&str> = state.log.iter().map(|line| line.1.as_str()).collect();
    assert_eq!(log[0], "Started quick, seed 0, kept in runs/x");
    assert_eq!(log[1], format!("Epoch 1, {TITLE}: test accuracy 43.0 %"));
    assert!(
        log[2].starts_with(&format!("rmle, adaptive, at {TITLE} after epoch 2: PSNR 13.0 dB, SSIM 0.40 over 8")),
        "{}",
        log[2]
    );
    assert!(read(&mut state, Event::Stopped));
    assert_eq!(state.status, Status::Stopped);
}

#[test]
fn an_error_is_kept_in_words_and_ends_the_run() {
    let mut state = State::started(String::new());
    read(
        &mut state,
        Event::Progress(Progress { phase: String::new(), done: 1, total: 2, seconds_left: None, untold: Vec::new() }),
    );
    assert!(read(&mut state, Event::Failed("the disk is full".to_owned())));
    assert_eq!((state.status, state.error.as_deref()), (Status::Failed, Some("the disk is full")));
    assert_eq!(state.progress, None);
}

#[test]
fn steps_heard_of_together_share_out_their_time() {
    let mut state = State::default();
    let steps = |n: usize| Event::Steps(vec![MetricRow::default(); n]);
    state.read(steps(1), Duration::from_secs(1));
    state.spread_times(0);
    state.read(steps(2), Duration::from_secs(3));
    state.read(steps(2), Duration::from_secs(3));
    state.spread_times(1);
    let times: Vec<f64> = state.rows.iter().filter_map(|row| row.0).collect();
    assert_eq!(times, [1.0, 1.5, 2.0, 2.5, 3.0]);
    let mut resumed = State::default();
    resumed.add_step(None, MetricRow::default());
    resumed.read(steps(2), Duration::from_secs(4));
    resumed.spread_times(0);
    assert_eq!(resumed.rows.iter().map(|row| row.0).collect::<Vec<_>>(), [None, Some(4.0), Some(4.0)]);
}

#[test]
fn the_log_is_bounded() {
    let mut state = State::default();
    for i in 0..2 * LOG_LINES {
        read(&mut state, Event::Warning(i.to_string()));
    }
    assert_eq!(state.log.len(), LOG_LINES);
    assert_eq!(state.log.back().map(|line| line.1.as_str()), Some("Warning: 2047"));
}
