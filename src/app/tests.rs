//! The window's contents driven as a person would, without a window.

use std::time::{Duration, Instant};

use eframe::egui;

use super::*;

/// Frames of a window that nobody sees, until `enough`; two minutes at most.
fn show(app: &mut App, ctx: &egui::Context, enough: impl Fn(&App) -> bool) {
    let deadline = Instant::now() + Duration::from_mins(2);
    while !enough(app) {
        assert!(Instant::now() < deadline, "waited too long: {:?}", app.state().log);
        frame(app, ctx);
        std::thread::sleep(Duration::from_millis(5));
    }
    frame(app, ctx);
}

fn frame(app: &mut App, ctx: &egui::Context) {
    let size = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0));
    let input = egui::RawInput { screen_rect: Some(size), ..Default::default() };
    app.logic(ctx);
    let mut output = ctx.run_ui(input, |ui| app.ui(ui));
    // Nobody paints; what would be painted is let go of on purpose.
    output.textures_delta.clear();
}

fn quick() -> Experiment {
    Experiment::preset("quick").unwrap()
}

#[test]
fn the_preset_is_recognised() {
    assert_eq!(App::new(Experiment { seed: 7, ..quick() }).preset, "quick");
    let mut own = quick();
    own.psgl.gamma = 0.123;
    assert_eq!(App::new(own).preset, OWN);
}

#[test]
fn a_run_is_shown_from_start_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = egui::Context::default();
    let mut app = App::new(quick()).with_runs_in(folder.path().to_owned());
    frame(&mut app, &ctx);
    app.act(Act::Run, &ctx);
    assert_eq!(app.activity(), Activity::Running);
    // No choice while a run is going.
    app.act(Act::Seed(5), &ctx);
    assert_eq!(app.experiment.seed, 0);
    show(&mut app, &ctx, |app| !app.state().test.is_empty());
    let before = app.state().wire;
    show(&mut app, &ctx, |app| app.activity() == Activity::Idle);
    let state = app.state();
    assert_eq!((state.status.clone(), &state.error), (Status::Done, &None));
    let summary = state.summary.as_ref().unwrap();
    assert!(state.scene.is_some() && state.score.is_some() && !state.attacks.is_empty());
    assert!(before[0].smashed_bytes > 0 && before[0].smashed_bytes <= summary.wire.psgl.unwrap().smashed_bytes);
    assert_eq!(app.tab, Tab::Results);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn bytes_counted_on_the_way_are_those_of_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = egui::Context::default();
    let mut experiment = quick();
    experiment.attacks.clear();
    experiment.data.train = 70;
    experiment.psgl.jacobian = crate::psgl::Jacobian::Server;
    let mut app = App::new(experiment).with_runs_in(folder.path().to_owned());
    app.act(Act::Run, &ctx);
    let mut last = app.state().wire;
    while app.activity() != Activity::Idle {
        last = if app.state().progress.is_some() { app.state().wire } else { last };
        frame(&mut app, &ctx);
    }
    let wire = app.state().summary.as_ref().unwrap().wire;
    assert_eq!(last, [wire.psgl.unwrap(), wire.vanilla.unwrap()]);
}

#[test]
fn step_waits_stop_keeps_and_run_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = egui::Context::default();
    let mut app = App::new(quick()).with_runs_in(folder.path().to_owned());
    app.act(Act::Step, &ctx);
    assert_eq!(app.activity(), Activity::Paused);
    show(&mut app, &ctx, |app| app.state().folder.is_some());
    app.act(Act::Stop, &ctx);
    assert_eq!(app.activity(), Activity::Stopping);
    show(&mut app, &ctx, |app| app.activity() == Activity::Idle);
    assert_eq!(app.state().status, Status::Stopped);
    let kept = app.state().folder.clone().unwrap();
    assert!(kept.join("checkpoint.safetensors").is_file());
    app.act(Act::Step, &ctx);
    show(&mut app, &ctx, |app| app.state().folder.is_some());
    assert_ne!(app.state().folder.as_ref(), Some(&kept));
    app.leave();
}

#[test]
fn before_the_first_run_the_patient_is_shown() {
    let ctx = egui::Context::default();
    let mut app = App::new(quick());
    show(&mut app, &ctx, |app| app.state().facts.is_some());
    assert!(app.textures.original.is_some() && app.textures.stolen.is_none());
    let first = app.state().facts.as_ref().map(|facts| facts.patient.clone());
    app.act(Act::Seed(3), &ctx);
    show(&mut app, &ctx, |app| app.state().facts.as_ref().map(|facts| facts.patient.clone()) != first);
}

#[test]
fn a_run_that_cannot_be_kept_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::File::create_new(&file).unwrap();
    let ctx = egui::Context::default();
    let mut app = App::new(quick()).with_runs_in(file);
    app.act(Act::Run, &ctx);
    show(&mut app, &ctx, |app| app.activity() == Activity::Idle);
    let error = app.state().error.clone().unwrap_or_default();
    assert!(error.starts_with("the run cannot be kept: "), "{error}");
}

#[test]
fn what_goes_wrong_is_told_and_the_window_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = egui::Context::default();
    let mut wrong = quick();
    wrong.data.name = "/no/such/data".to_owned();
    let mut app = App::new(wrong).with_runs_in(folder.path().to_owned());
    app.act(Act::Run, &ctx);
    show(&mut app, &ctx, |app| app.activity() == Activity::Idle);
    assert_eq!(app.state().status, Status::Failed);
    assert!(app.state().error.as_ref().unwrap().contains("/no/such/data"));
    // Nothing is left of a run that could not begin.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    app.act(Act::CloseError, &ctx);
    app.act(Act::Preset(PRESETS.iter().position(|preset| preset.0 == "quick").unwrap()), &ctx);
    app.act(Act::Run, &ctx);
    show(&mut app, &ctx, |app| app.state().scene.is_some());
    app.leave();
}
