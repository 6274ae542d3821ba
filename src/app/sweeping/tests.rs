use std::path::Path;
use std::time::{Duration, Instant};

use eframe::egui::Context;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::dialog::{SweepView, sweep_ui};
use super::line::line_ui;
use super::*;
use crate::app::test_look::{Shop, picture};
use crate::app::{Act, App, SweepStart};
use crate::experiment::Experiment;
use crate::sweep::Sweep;
use crate::sweep::folder::SweepFolder;
use crate::sweep::record::Standing;
use crate::whole_files::Writer;

fn wait(app: &mut App, ctx: &Context, what: &str, done: impl Fn(&App) -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !done(app) {
        assert!(Instant::now() < deadline, "{what}: {:?}", app.state().error);
        app.logic(ctx);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A sweep of two cells, each of which this very process would have to be the program for: it is a test, and refuses.
fn begun(home: &Path) -> (App, Context) {
    let file = home.join("two.toml");
    let text = "base = \"quick\"\nundefended = false\n[grid]\nseed = [3, 4]\n";
    Writer::default().write(&file, text.as_bytes()).unwrap();
    let (mut app, ctx) = (App::in_folder(None, home.to_owned()), Context::default());
    let act = SweepAct::Start(SweepStart {
        sweep: file.display().to_string(),
        folder: Some(home.join("runs/two")),
        jobs: 1,
        images: String::new(),
    });
    app.act(Act::Sweep(act), &ctx);
    (app, ctx)
}

#[test]
fn a_sweep_is_begun_and_watched_and_what_fails_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (mut app, ctx) = begun(home.path());
    assert!(app.sweeping.at_work() && app.busy());
    wait(&mut app, &ctx, "the sweep ends", |app| !app.sweeping.at_work());
    assert!(app.messages().contains(&"two: 0 of 2 cells are done, 2 failed".to_owned()), "{:?}", app.messages());
    let cells = &app.sweeping.seen().cells;
    assert!(cells.iter().all(|(_, standing)| matches!(standing, Standing::Failed { .. })), "{cells:?}");
    // Wrong input is told once, and nothing is at work.
    app.act(Act::Sweep(SweepAct::Start(SweepStart { sweep: "tiyn".to_owned(), ..SweepStart::default() })), &ctx);
    wait(&mut app, &ctx, "a wrong name is told", |app| app.state().error.is_some());
    assert!(app.state().error.as_ref().unwrap().contains("did you mean `tiny`?"));
    assert!(!app.sweeping.at_work());
}

#[test]
fn a_sweep_that_others_run_is_looked_at_and_its_runs_are_listed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("runs/tiny");
    let sweep = Sweep::load("tiny").unwrap();
    let held = SweepFolder::new(&folder).hold(&sweep).unwrap();
    held.keep(&sweep, &vec![Standing::Waiting; sweep.cells.len()]).unwrap();
    let run = folder.join(&sweep.cells[0].name);
    std::fs::create_dir(&run).unwrap();
    Writer::default().write(&run.join("experiment.toml"), Experiment::default().to_toml().as_bytes()).unwrap();
    let _claim = held.folder.claim(&sweep.cells[1].name).unwrap();
    let (mut app, ctx) = (App::in_folder(None, home.path().to_owned()), Context::default());
    app.act(Act::Sweep(SweepAct::Open(folder)), &ctx);
    wait(&mut app, &ctx, "the cells are seen", |app| !app.sweeping.seen().cells.is_empty());
    assert_eq!(app.sweeping.seen().told(), "tiny: 0 of 12 cells are done");
    assert!(app.sweeping.seen().is_going() && !app.sweeping.at_work());
    wait(&mut app, &ctx, "the run is listed", |app| app.library().runs.iter().any(|entry| entry.path == run));
    app.act(Act::Sweep(SweepAct::Open(home.path().join("none"))), &ctx);
    wait(&mut app, &ctx, "no sweep is told", |app| app.state().error.is_some());
}

fn shop() -> Shop {
    let states = [
        Standing::Done { seconds: 3.2 },
        Standing::Running,
        Standing::Failed { error: "the disk is full".to_owned() },
        Standing::Waiting,
    ];
    let names = ["none-s0", "dropout-p.5-s0", "image-noise-sigma.2-s0", "weight-noise-sigma.1-s0"];
    let cells = names.map(str::to_owned).into_iter().zip(states).collect();
    let at_work = [("dropout-p.5-s0".to_owned(), "training dropout 40 %".to_owned())].into();
    let seen = Seen { name: "tiny".to_owned(), folder: "/runs/tiny".into(), cells, at_work, seconds_left: Some(75.0) };
    let mut shop = Shop::default();
    shop.sweeping.seen = seen;
    shop
}

#[test]
fn the_dialog_names_what_lacks_and_has_a_row_for_each_cell() {
    let shop = shop();
    let mut harness = Harness::builder().with_size([800.0, 600.0]).build_ui_state(
        |ui, (view, acts): &mut (SweepView, Vec<Act>)| {
            sweep_ui(ui.ctx(), shop.look(), view, acts);
        },
        (SweepView::default(), Vec::new()),
    );
    harness.run_steps(3);
    harness.get_by_label("tiny: 1 of 4 cells are done, 1 failed");
    harness.get_by_label("training dropout 40 %");
    harness.get_by_label("failed: the disk is full");
    picture(&mut harness, "sweep-dialog");
    harness.get_by_label("Show the sweep").click();
    harness.run_steps(2);
    harness.get_by_label("Name the sweep's folder");
    harness.get_by_label("Open").click();
    harness.get_by_label("Start the sweep").click();
    harness.run_steps(2);
    let (_, acts) = harness.state();
    assert!(acts.contains(&Act::ShowRun("/runs/tiny/none-s0".into())), "{acts:?}");
    assert!(
        acts.contains(&Act::Sweep(SweepAct::Start(SweepStart { sweep: "tiny".to_owned(), ..SweepStart::default() }))),
        "{acts:?}"
    );
}

#[test]
fn the_line_above_the_runs_is_there_only_while_a_sweep_is_at_work() {
    let shop = shop();
    let mut harness = Harness::new_ui_state(|ui, acts: &mut Vec<Act>| line_ui(ui, shop.look(), acts), Vec::new());
    harness.run_steps(2);
    assert!(harness.query_by_label("Stop the sweep").is_none());
}
