//! A day's work: sessions that come back, runs pinned, annotated and looked at in their best epoch, a log that is searched.

use std::path::Path;
use std::time::Duration;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::*;
use crate::run::whole_files::Writer;

/// A small run: two epochs, no attacks.
fn small() -> Experiment {
    let mut experiment = quick();
    experiment.attacks.clear();
    experiment.data.train = 70;
    experiment.set("data.test=40").unwrap();
    experiment
}

/// A window as a start without arguments opens it.
fn started(home: tempfile::TempDir) -> Window {
    let app = App::in_folder(None, home.path().to_owned());
    let draw = |ui: &mut egui::Ui, app: &mut App| {
        app.logic(ui.ctx());
        app.ui(ui);
    };
    let mut window = Window { harness: Harness::builder().with_size([1280.0, 800.0]).build_ui_state(draw, app), home };
    window.harness.run_steps(3);
    window
}

/// The process is gone without a word.
fn killed(window: Window) -> tempfile::TempDir {
    let Window { harness, home } = window;
    drop(harness);
    home
}

fn written(window: &mut Window) {
    window.until("the session's file", |app| app.session.is_written());
}

const BACK: &str = "Cutlayer ended without being closed";

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.harness.run_steps(3);
}

#[test]
fn after_a_kill_the_window_opens_as_it_was() {
    let mut window = Window::open(quick());
    for (key, value) in [("seed", "7"), ("train.epochs", "3"), ("model.cut", "3")] {
        window.act(Act::Set(key.to_owned(), value.to_owned()));
    }
    window.act(Act::Undo);
    window.act(Act::Workspace(Workspace::Attack));
    window.act(Act::Attacker("inverse"));
    window.act(Act::Patient(4));
    written(&mut window);
    let before = window.app().shared();
    let mut window = started(killed(window));
    window.harness.get_by_label_contains(BACK);
    let app = window.app();
    assert_eq!(app.shared(), before);
    assert_eq!((app.document().history(), app.document().experiment().seed), ((2, 1), 7));
    assert_eq!((app.memory.workspace, app.state().error.clone()), (Workspace::Attack, None));
    window.act(Act::Redo);
    assert_eq!(window.app().document().experiment().model.cut, 3);
    window.click("Go on");
    assert!(window.harness.query_by_label_contains(BACK).is_none());
    // Once more; and then all of it is put away.
    written(&mut window);
    let mut window = started(killed(window));
    assert_eq!(window.app().document().experiment().model.cut, 3);
    window.click("Start afresh");
    assert!(window.harness.query_by_label_contains(BACK).is_none());
    let app = window.app();
    assert_eq!((app.document().experiment().seed, app.memory.workspace), (0, Workspace::Attack));
    assert_eq!(app.showing().source, Source::Opening);
    window.act(Act::Undo);
    assert_eq!(window.app().document().experiment().seed, 7, "Undo brings it back");
}

#[test]
fn a_drawing_and_the_open_run_come_back() {
    let mut window = Window::open(small());
    window.click("Run");
    window.until("the end", |app| app.activity() == Activity::Idle);
    let folder = window.app().state().folder.clone().unwrap();
    window.act(Act::Set("train.rate".to_owned(), "0.002".to_owned()));
    let picture = crate::run::scene::Picture { shape: [1, 28, 28], values: [0.0, 1.0].repeat(392) };
    window.act(Act::Draw(picture.clone()));
    window.rest();
    written(&mut window);
    let mut window = started(killed(window));
    window.until("the run", |app| app.state().folder.is_some());
    let app = window.app();
    assert_eq!((app.state().folder.as_ref(), app.state().status.clone()), (Some(&folder), Status::Done));
    assert!(app.document().changed() && app.document().experiment().train.rate > 0.0015, "the run has another rate");
    assert_eq!(app.showing().image, crate::live::Shown::Own(picture));
    window.rest();
    let stamp = window.app().showing().scene.clone().unwrap().stamp;
    assert!(stamp.trained.unwrap().contains("2 epochs"), "the stage uses the run's weights");
}

#[test]
fn who_closes_the_window_begins_with_the_opening_and_can_go_back() {
    let mut window = Window::open(quick());
    // Whose images there are is known.
    window.rest();
    window.act(Act::Patient(3));
    window.act(Act::Set("seed".to_owned(), "9".to_owned()));
    window.harness.state_mut().leave();
    let mut window = started(killed(window));
    assert!(window.harness.query_by_label_contains(BACK).is_none());
    assert_eq!(window.app().showing().source, Source::Opening);
    window.act(Act::Day(DayAct::BringBack));
    assert_eq!(window.app().showing().image, crate::live::Shown::Patient(3));
    assert!(window.app().document().history().0 == 1 && !window.app().session.has_earlier());
}

#[test]
fn another_window_leaves_the_session_alone() {
    let mut window = Window::open(quick());
    window.act(Act::Set("seed".to_owned(), "3".to_owned()));
    written(&mut window);
    let file = window.app().session_file();
    let before = std::fs::read(&file).unwrap();
    let mut other = App::in_folder(None, window.home.path().to_owned());
    let ctx = egui::Context::default();
    other.begin_session(&ctx);
    assert!(other.session.offered.is_none() && !other.session.has_earlier() && other.state().error.is_none());
    other.act(Act::Set("seed".to_owned(), "4".to_owned()), &ctx);
    other.keep_session(&ctx);
    other.end_session();
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

/// What becomes of a session's file with these bytes: the message, if there is one.
fn opened_on(home: &Path, bytes: &[u8]) -> (Option<String>, App) {
    let ctx = egui::Context::default();
    Writer::default().write(&home.join("session.json"), bytes).unwrap();
    let mut app = App::in_folder(None, home.to_owned());
    app.begin_session(&ctx);
    (app.state.error.take(), app)
}

#[test]
fn a_session_cut_short_anywhere_is_put_aside_with_one_message() {
    let mut window = Window::open(quick());
    window.act(Act::Set("seed".to_owned(), "5".to_owned()));
    written(&mut window);
    let whole = std::fs::read(window.app().session_file()).unwrap();
    let home = killed(window);
    let path = home.path().join("session.json");
    for at in 0..whole.len() {
        let (error, app) = opened_on(home.path(), &whole[..at]);
        let error = error.unwrap_or_default();
        assert!(error.starts_with("The last session cannot be brought back: it is damaged ("), "cut at {at}: {error}");
        assert!(error.ends_with("session.broken.json") && app.session.offered.is_none(), "cut at {at}: {error}");
        assert!(!path.exists() && std::fs::read(home.path().join("session.broken.json")).unwrap() == whole[..at]);
    }
    // A changed letter is refused, or says something that can be shown.
    for at in (0..whole.len()).step_by(7) {
        let mut broken = whole.clone();
        broken[at] ^= 0x11;
        let (error, app) = opened_on(home.path(), &broken);
        assert!(
            error.is_some() != app.session.offered.is_some() || app.session.has_earlier(),
            "changed at {at}: {error:?}"
        );
    }
    let text = String::from_utf8(whole.clone()).unwrap();
    let newer = text.replacen("\"form\":1", "\"form\":2", 1).replacen("\"shared\"", "\"else\"", 1);
    let (error, _) = opened_on(home.path(), newer.as_bytes());
    assert!(error.unwrap().contains("it is of a newer version of Cutlayer, "));
    let (error, app) = opened_on(home.path(), &whole);
    assert!(error.is_none() && app.session.offered.is_some() && app.document().experiment().seed == 5);
}

#[test]
fn a_session_that_ends_right_away_is_not_brought_back_for_ever() {
    let mut window = Window::open(quick());
    window.act(Act::Set("seed".to_owned(), "5".to_owned()));
    written(&mut window);
    let home = killed(window);
    let ctx = egui::Context::default();
    for _ in 0..3 {
        let mut app = App::in_folder(None, home.path().to_owned());
        app.begin_session(&ctx);
        assert!(app.session.offered.is_some());
    }
    let mut app = App::in_folder(None, home.path().to_owned());
    app.begin_session(&ctx);
    let error = app.state.error.unwrap();
    assert!(error.contains("it ended 3 times right after it was brought back"), "{error}");
}

#[test]
fn a_run_gets_notes_and_a_pin_that_stay() {
    let mut window = Window::open(small());
    for seed in ["0", "1"] {
        window.act(Act::Set("seed".to_owned(), seed.to_owned()));
        window.click("Run");
        window.until("the end", |app| app.activity() == Activity::Idle);
    }
    window.until("the list", |app| app.library().runs.len() == 2);
    window.act(Act::Pane(Pane::Runs));
    let [newer, older] = [0, 1].map(|at| window.app().library().runs[at].clone());
    // The open run's, before any is selected.
    window.harness.get_by_role_and_label(Role::MultilineTextInput, "Notes").focus();
    window.harness.run_steps(2);
    window.harness.get_by_role_and_label(Role::MultilineTextInput, "Notes").type_text("Too weak");
    window.harness.run_steps(2);
    let notes = newer.path.join("notes.md");
    window.until("the notes", |_| notes.is_file());
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "Too weak\n");
    window.until("the list", |app| app.library().runs.iter().any(|run| run.notes.text == "Too weak"));
    // Undo is the field's own.
    let history = window.app().document().history();
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(window.app().document().history(), history);
    window.until("no notes", |_| !notes.exists());
    press(&mut window, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    window.until("the notes again", |_| notes.is_file());
    // What was typed last is kept also where the window is closed at once.
    window.harness.get_by_role_and_label(Role::MultilineTextInput, "Notes").type_text("?");
    window.harness.run_steps(2);
    window.harness.state_mut().leave_notes();
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "Too weak?\n");
    // The older run is pinned: it stands first.
    window.harness.get_by_label_contains(&format!("Run {},", older.name)).click();
    window.harness.run_steps(3);
    window.click("Pin");
    let [first, second] =
        [&older, &newer].map(|run| window.harness.get_by_label_contains(&format!("Run {},", run.name)).rect().top());
    assert!(first < second);
    let label = window.harness.get_by_label_contains(&format!("Run {},", older.name)).accesskit_node().label();
    assert!(label.unwrap_or_default().ends_with(", pinned"));
    // Its curves stand behind those of the open run.
    window.act(Act::Pane(Pane::Curves));
    window.harness.run_steps(3);
    assert!(window.harness.query_all_by_label(&format!("pinned: {}", older.name)).next().is_some());
    window.harness.state_mut().leave();
    let again = App::in_folder(None, window.home.path().to_owned());
    assert_eq!(again.memory.pinned, [older.path]);
}

#[cfg(unix)]
#[test]
fn notes_of_a_read_only_run_say_why_they_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut window = Window::open(small());
    let run = window.home.path().join("runs/kept");
    let folder = crate::run::folder::RunFolder::create(&run, &small().to_toml(), false, &Writer::default()).unwrap();
    drop(folder);
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o555)).unwrap();
    window.act(Act::Refresh);
    window.until("the list", |app| app.library().runs.len() == 1);
    window.act(Act::Pane(Pane::Runs));
    window.harness.get_by_label_contains("Run kept").click();
    window.harness.run_steps(3);
    let field = window.harness.get_by_role_and_label(Role::MultilineTextInput, "Notes");
    assert!(field.accesskit_node().is_disabled());
    window.act(Act::Day(DayAct::Note(run.clone(), "x".to_owned())));
    window.until("the refusal", |app| app.state().error.is_some());
    let error = window.app().state().error.clone().unwrap();
    assert!(error.starts_with("The run's folder is read-only") && error.ends_with("kept"), "{error}");
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_stage_shows_the_best_epoch_or_the_last() {
    let mut experiment = small();
    experiment.train.epochs = 4;
    let mut window = Window::open(experiment);
    assert!(window.harness.query_by_label_contains("Trained weights:").is_none());
    window.click("Run");
    window.until("the end", |app| app.activity() == Activity::Idle);
    window.harness.run_steps(3);
    window.act(Act::Defended(true));
    window.rest();
    let trained = |window: &Window| window.app().showing().scene.clone().unwrap().stamp.trained.unwrap();
    assert!(trained(&window).contains("4 epochs"));
    let best = window.app().best.offer(window.app().state(), true).unwrap();
    assert!((1..=4).contains(&best.epoch) && best.why_not.is_none() && !best.chosen);
    window.click("Trained weights: last epoch");
    window.harness.run_steps(2);
    window.click(&format!("best epoch {}", best.epoch));
    window.rest();
    assert!(trained(&window).ends_with("best by accuracy on the test set"), "{}", trained(&window));
    window.harness.get_by_label(&format!("Trained weights: best epoch {}", best.epoch));
    window.act(Act::Untrained(false));
    window.rest();
    assert!(trained(&window).contains("4 epochs") && !trained(&window).contains("best"));
    // A run of a version that kept none says so.
    window.harness.state_mut().state.summary.as_mut().unwrap().best_weights = None;
    let none = window.app().best.offer(window.app().state(), true).unwrap();
    assert!(none.why_not.unwrap().contains("the last epoch alone"));
}

#[test]
fn the_log_is_found_by_keys_and_searched() {
    let mut window = Window::open(quick());
    window.rest();
    window.harness.state_mut().state.say(Duration::from_secs(2), "Warning: a slow disk".to_owned());
    window.harness.state_mut().state.say(Duration::from_secs(3), "Epoch 1".to_owned());
    press(&mut window, Modifiers::COMMAND, Key::F);
    assert!(window.app().memory.log);
    let field = window.harness.get_by_role_and_label(Role::TextInput, "Find in the log");
    assert!(field.is_focused());
    field.type_text("slow");
    window.harness.run_steps(3);
    window.harness.get_by_label("1 of 2 lines");
    assert!(window.harness.query_by_label("Epoch 1").is_none());
}

#[test]
fn long_runs_tell_when_nobody_looks() {
    let mut window = Window::open(quick());
    let (long, short) = (Duration::from_secs(61), Duration::from_secs(59));
    let app = window.app();
    assert!(app.tells(long, false) && !app.tells(short, false) && !app.tells(long, true));
    window.act(Act::Day(DayAct::Notify(false)));
    assert!(!window.app().tells(long, false));
    window.harness.state_mut().leave();
    assert!(App::in_folder(None, window.home.path().to_owned()).memory.silent);
}

#[test]
fn a_setting_is_brought_into_sight_and_lit_up() {
    let mut window = Window::open(quick());
    window.rest();
    press(&mut window, Modifiers::COMMAND, Key::K);
    window.harness.get_by_label("Search commands").type_text("evaluate.gammas");
    window.harness.run_steps(3);
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.harness.run_steps(15);
    let field = window.harness.get_by_role_and_label(Role::TextInput, "Strengths in the curve");
    assert!(field.is_focused(), "the keyboard is where the setting is");
    let row = field.rect();
    let close = window.harness.get_by_label("Copy as TOML").rect();
    assert!(row.bottom() < close.top() && row.top() > 100.0, "{row:?}");
    // All the others are there, too.
    assert!(window.harness.query_all_by_label("Seed").count() > 1);
}
