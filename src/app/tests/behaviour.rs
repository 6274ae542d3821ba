//! What a person does, and what must come of it.

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::experiment::PRESETS;
use crate::experiment::fixture::{BRAIN, FEW_CLEANINGS, GAMMA, MAP_FROM_SERVER, TITLE, gamma};

fn preset(name: &str) -> usize {
    PRESETS.iter().position(|preset| preset.0 == name).unwrap()
}

#[test]
fn the_opening_steals_the_patient_and_then_there_is_silence() {
    let mut window = Window::open(quick());
    window.until("the first stolen picture", |app| app.showing().reconstruction().is_some());
    window.rest();
    let showing = window.app().showing();
    assert_eq!(showing.source, Source::Opening);
    assert!(showing.score.unwrap().psnr > 25.0, "{:?}", showing.score);
    window.harness.get_by_label("Recognised, out of eight");
    window.harness.get_by_label_contains("The stolen image is at");
    window.harness.get_by_label_contains("Only the middle leaves the hospital");
    // Nothing asks for another frame.
    window.harness.run();
    assert!(window.harness.run() <= 1);
}

#[test]
fn dragging_the_cut_steals_again() {
    let mut window = Window::open(quick());
    window.rest();
    let handle = window.harness.get_by_label_contains("Cut after layer 2").rect();
    let to = handle.left_center() + egui::vec2(handle.width() * 4.0 / 9.0, 0.0);
    window.harness.drag_at(handle.center());
    window.harness.step();
    window.harness.hover_at(to);
    window.harness.step();
    window.harness.step();
    window.harness.drop_at(to);
    window.harness.step();
    assert_eq!(window.app().document().experiment().model.cut, 4);
    window.until("a theft", |app| app.showing().score.is_some_and(|score| score.psnr > 12.0));
    window.act(Act::Undo);
    window.rest();
}

#[test]
fn a_stroke_is_followed_and_can_be_taken_back() {
    let mut window = Window::open(quick());
    window.rest();
    window.click("Draw");
    window.rest();
    let pad = window.harness.get_by_label("Drawing pad").rect();
    let across = [pad.left_top() + pad.size() * 0.3, pad.left_top() + pad.size() * 0.7];
    window.harness.drag_at(across[0]);
    window.harness.step();
    window.harness.hover_at(across[1]);
    window.harness.step();
    window.harness.drop_at(across[1]);
    window.harness.step();
    let ink = |app: &App| match &app.showing().image {
        crate::live::Shown::Own(picture) => picture.values.iter().sum::<f32>(),
        crate::live::Shown::Patient(_) => -1.0,
    };
    assert!(ink(window.app()) > 10.0, "{}", ink(window.app()));
    window.rest();
    let scene = window.app().showing().scene.clone().unwrap();
    assert!(scene.original.values.iter().sum::<f32>() > 10.0);
    assert!(window.app().showing().score.unwrap().psnr > 15.0);
    window.click("Undo stroke");
    assert!(ink(window.app()) < 1e-6);
    window.click("Digits");
    window.rest();
    assert!(ink(window.app()) < 0.0);
}

#[test]
fn a_run_is_shown_from_start_to_end_and_its_attack_launched_again() {
    let mut window = Window::open(quick());
    window.click("Run");
    assert_eq!(window.app().activity(), Activity::Running);
    window.harness.get_by_label("Pause");
    window.until("an accuracy", |app| !app.state().test.is_empty());
    let before = window.app().state().wire;
    window.until("the end", |app| app.activity() == Activity::Idle);
    let state = window.app().state();
    assert_eq!((state.status.clone(), &state.error), (Status::Done, &None));
    let summary = state.summary.clone().unwrap();
    assert!(!state.attacks.is_empty() && !state.galleries.is_empty());
    assert!(
        before[0].smashed_bytes > 0 && before[0].smashed_bytes <= summary.wire.models.defended().unwrap().smashed_bytes
    );
    assert!(window.app().messages().iter().any(|message| message.starts_with("Done in")));
    let (attacks, folder) = (state.attacks.len(), state.folder.clone().unwrap());
    assert_eq!(folder.parent().unwrap(), window.home.path().join("runs"));
    let launch = crate::run::launch::Launch { attacks: vec!["rmle".to_owned()], ..Default::default() };
    window.act(Act::Attack(folder, launch));
    window.until("the attacks", |app| app.activity() == Activity::Idle);
    assert!(window.app().state().attacks.len() > attacks, "{:?}", window.app().state().error);
    // The levers show the trained weights.
    window.act(Act::Set(GAMMA.to_owned(), "0.3".to_owned()));
    window.rest();
    let scene = window.app().showing().scene.clone().unwrap();
    assert!(scene.stamp.trained.unwrap().contains("2 epochs") && scene.stamp.defended);
}

#[test]
fn bytes_counted_on_the_way_are_those_of_the_summary() {
    let mut experiment = quick();
    experiment.attacks.clear();
    experiment.data.train = 70;
    experiment.set(MAP_FROM_SERVER).unwrap();
    let mut window = Window::open(experiment);
    window.click("Run");
    let mut last = window.app().state().wire;
    while window.app().activity() != Activity::Idle {
        last = if window.app().state().progress.is_some() { window.app().state().wire } else { last };
        window.harness.step();
    }
    let wire = window.app().state().summary.as_ref().unwrap().wire.models.clone();
    assert_eq!(last, [wire.defended().unwrap(), wire.undefended().unwrap()]);
}

#[test]
fn step_waits_stop_keeps_and_a_stopped_run_goes_on() {
    let mut window = Window::open(quick());
    window.click("Step");
    assert_eq!(window.app().activity(), Activity::Paused);
    window.until("a folder", |app| app.state().folder.is_some());
    window.click("Stop");
    window.until("the end", |app| app.activity() == Activity::Idle);
    assert_eq!(window.app().state().status, Status::Stopped);
    let kept = window.app().state().folder.clone().unwrap();
    assert!(kept.join("checkpoint.safetensors").is_file());
    window.act(Act::Continue(kept.clone()));
    window.until("the end", |app| app.activity() == Activity::Idle);
    assert_eq!(window.app().state().status, Status::Done);
    assert!(kept.join("summary.json").is_file());
}

#[test]
fn stop_shows_in_the_next_frame() {
    let mut window = Window::open(quick());
    window.click("Run");
    window.until("work", |app| app.state().progress.is_some());
    // One frame takes the click in, the next shows it.
    window.harness.get_by_label("Stop").click();
    window.harness.step();
    window.harness.step();
    // Unless it has stopped by then.
    assert!(window.harness.query_by_label("Stopping…").is_some() || window.app().activity() == Activity::Idle);
    window.until("the end", |app| app.activity() == Activity::Idle);
}

#[test]
fn presets_levers_and_undo() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(Act::Preset(preset(BRAIN)));
    window.rest();
    assert_eq!(window.app().showing().facts.as_ref().unwrap().patient.shape, [1, 64, 64]);
    window.harness.get_by_label("stand-in: average of 152 adults, no patient");
    window.click(TITLE);
    window.until("a disguise", |app| app.showing().scene.as_ref().is_some_and(|scene| scene.stamp.defended));
    let moved = |app: &App| {
        let scene = app.showing().scene.clone().unwrap();
        scene.original.values.iter().zip(&scene.sent.values).filter(|(a, b)| a != b).count()
    };
    let weak = moved(window.app());
    window.act(Act::Set(GAMMA.to_owned(), "0.4".to_owned()));
    window.until("a stronger disguise", |app| moved(app) > 2 * weak);
    assert!(window.app().document().changed());
    window.click("Undo");
    assert!(!window.app().document().changed());
    window.act(Act::Undo);
    assert_eq!(window.app().document().name(), "quick");
}

#[test]
fn keys_do_what_the_commands_say() {
    let mut window = Window::open(quick());
    window.rest();
    let press = |window: &mut Window, modifiers, key| {
        window.harness.key_press_modifiers(modifiers, key);
        window.harness.step();
        window.harness.step();
    };
    press(&mut window, egui::Modifiers::NONE, egui::Key::F1);
    assert!(window.harness.query_all_by_label("Shortcuts").count() > 0);
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::L);
    window.harness.get_by_label_contains("What happens in a run is told here");
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Num4);
    assert!(window.app().shows(Pane::Table), "in a workspace that has it");
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::O);
    window.harness.get_by_label("Open an experiment, a run, data or an image");
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    let before = window.app().showing().film.pinned;
    press(&mut window, egui::Modifiers::NONE, egui::Key::ArrowLeft);
    assert_ne!(window.app().showing().film.pinned, before);
    press(&mut window, egui::Modifiers::NONE, egui::Key::F5);
    assert_eq!(window.app().activity(), Activity::Running);
    press(&mut window, egui::Modifiers::SHIFT, egui::Key::F5);
    window.until("the end", |app| app.activity() == Activity::Idle);
}

#[test]
fn files_are_opened_saved_and_broken_ones_named() {
    let mut window = Window::open(quick());
    let path = window.home.path().join("mine.toml");
    window.act(Act::Set(GAMMA.to_owned(), "0.25".to_owned()));
    window.act(Act::File(Purpose::Save, path.clone()));
    assert_eq!((window.app().document().name(), window.app().document().changed()), ("mine", false));
    window.act(Act::Preset(preset("quick")));
    window.act(Act::File(Purpose::Open, path.clone()));
    assert_eq!(gamma(window.app().document().experiment()), 0.25);
    let broken = window.home.path().join("broken.toml");
    crate::run::whole_files::Writer::default().write(&broken, format!("{GAMMA} = 9\n").as_bytes()).unwrap();
    window.act(Act::File(Purpose::Open, broken));
    let error = window.app().state().error.clone().unwrap();
    assert!(error.contains(&format!("{GAMMA} = 9")) && error.contains("broken.toml"), "{error}");
    assert_eq!(window.app().document().name(), "mine");
    window.click("Close");
    assert_eq!(window.app().state().error, None);
    // Through the path field, as a person would.
    window.act(Act::Ask(Purpose::Open));
    window.harness.step();
    window.harness.get_by_label("Path of the file or folder").type_text("/no/such.toml");
    window.harness.step();
    window.harness.get_by_label("Open").click();
    window.harness.step();
    window.harness.step();
    window.harness.get_by_label_contains("there is no such file or folder: /no/such.toml");
}

#[test]
fn a_run_that_cannot_be_kept_says_so_and_the_window_lives_on() {
    let mut window = Window::open(quick());
    std::fs::File::create_new(window.home.path().join("runs")).unwrap();
    window.click("Run");
    window.until("the end", |app| app.activity() == Activity::Idle);
    let error = window.app().state().error.clone().unwrap_or_default();
    assert!(error.starts_with("the run cannot be kept: "), "{error}");
    std::fs::remove_file(window.home.path().join("runs")).unwrap();
    window.click("Close");
    window.click("Run");
    window.until("work", |app| app.state().progress.is_some());
    window.harness.state_mut().leave();
}

#[test]
fn wrong_data_are_told_on_the_stage_and_by_the_run() {
    let mut wrong = quick();
    wrong.data.name = "/no/such/data".to_owned();
    let mut window = Window::open(wrong);
    window.until("the trouble", |app| app.showing().trouble.is_some());
    window.harness.get_by_label_contains("This cannot be shown");
    window.click("Run");
    window.until("the end", |app| app.activity() == Activity::Idle);
    assert_eq!(window.app().state().status, Status::Failed);
    assert!(window.app().state().error.as_ref().unwrap().contains("/no/such/data"));
    window.act(Act::CloseError);
    window.act(Act::Preset(preset("quick")));
    window.until("a picture", |app| app.showing().reconstruction().is_some());
}

#[test]
fn a_run_that_was_left_is_offered_again() {
    let mut window = Window::open(quick());
    window.click("Run");
    window.until("an epoch", |app| !app.state().test.is_empty());
    window.harness.state_mut().leave();
    let home = window.home.path().to_owned();
    let again = App::in_folder(None, home);
    assert_eq!(again.document().name(), "quick");
    let left = again.unfinished.clone().unwrap();
    let mut again = Window {
        harness: Harness::builder().with_size([1280.0, 800.0]).build_ui_state(
            |ui: &mut egui::Ui, app: &mut App| {
                app.logic(ui.ctx());
                app.ui(ui);
            },
            again,
        ),
        home: window.home,
    };
    again.click("Continue");
    again.until("the end", |app| app.activity() == Activity::Idle);
    assert_eq!(again.app().state().status, Status::Done);
    assert!(left.join("summary.json").is_file());
    // What was measured before is there too.
    assert_eq!(again.app().state().epochs.len(), 4);
}

#[test]
fn theme_scale_and_workspace_are_remembered() {
    let mut window = Window::open(quick());
    window.act(Act::Theme(egui::ThemePreference::Light));
    window.act(Act::Scale(1.25));
    window.click("Decide");
    assert!(window.app().shows(Pane::Runs) && window.harness.query_by_label("Hospital").is_none());
    window.harness.state_mut().leave();
    let again = App::in_folder(None, window.home.path().to_owned());
    assert_eq!(
        (again.memory.theme, again.memory.scale(), again.memory.workspace),
        (memory::Theme::Light, 1.25, Workspace::Decide)
    );
}

#[test]
fn a_run_whose_folder_is_taken_away_says_so() {
    let mut window = Window::open(quick());
    window.click("Step");
    window.until("a folder", |app| app.state().folder.is_some());
    std::fs::remove_dir_all(window.app().state().folder.as_ref().unwrap()).unwrap();
    window.act(Act::Run);
    window.until("the end", |app| app.activity() == Activity::Idle);
    let error = window.app().state().error.clone().unwrap_or_default();
    assert!(error.starts_with("the run's folder was taken away"), "{error}");
    window.click("Close");
    window.click("Run");
    window.until("work", |app| app.state().progress.is_some());
    window.harness.state_mut().leave();
}

#[test]
fn what_diverges_is_told_with_what_to_do() {
    let mut wild = quick();
    // Long 1×1 convolutions at the largest rate: the loss leaves the finite numbers in a few steps.
    let layers: Vec<&str> = std::iter::repeat_n("{ conv = 32, kernel = 1 }", 30).collect();
    let layers = format!(
        "model.layers=[{{ conv = 4, kernel = 1 }}, {{ maxpool = 2 }}, {}, \"flatten\", {{ linear = 10 }}]",
        layers.join(", ")
    );
    for assignment in [layers.as_str(), "train.rate=1", FEW_CLEANINGS, "attack=[]"] {
        wild.set(assignment).unwrap();
    }
    let mut window = Window::open(wild);
    window.click("Run");
    window.until("the end", |app| app.activity() == Activity::Idle);
    let state = window.app().state();
    assert_eq!(state.status, Status::Failed);
    assert!(state.error.as_ref().unwrap().contains("lower train.rate (now 1)"), "{:?}", state.error);
    assert!(!state.rows.is_empty(), "what was measured before is shown");
    window.act(Act::Reset);
    assert_eq!((window.app().state().status.clone(), window.app().showing().source), (Status::Fresh, Source::Opening));
}

#[test]
fn two_runs_are_compared_and_everything_is_exported() {
    let mut window = Window::sized(quick(), 1600.0, 1000.0, |builder| builder);
    for seed in ["0", "1"] {
        window.act(Act::Set("seed".to_owned(), seed.to_owned()));
        window.click("Run");
        window.until("the end", |app| app.activity() == Activity::Idle);
    }
    for (purpose, name, begins) in [
        (Purpose::CurvesCsv, "curves.csv", &b"figure,"[..]),
        (Purpose::CurvesPng, "curves.png", b"\x89PNG"),
        (Purpose::CurvesSvg, "curves.svg", b"<svg"),
        (Purpose::Table, "table.md", b""),
        (Purpose::TableLatex, "table.tex", b"% "),
        (Purpose::Film, "film.gif", b"GIF89a"),
    ] {
        let path = window.home.path().join(name);
        window.act(Act::File(purpose, path.clone()));
        window.until("the export", |app| !app.busy());
        assert_eq!(window.app().state().error, None, "{name}");
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() > 200 && bytes.starts_with(begins), "{name}: {} bytes", bytes.len());
    }
    let attacks = window.home.path().join("attacks");
    window.act(Act::File(Purpose::Attacks, attacks.clone()));
    window.until("the export", |app| !app.busy());
    let run = window.app().state().folder.clone().unwrap();
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&attacks), names(&run.join("attacks")));
    window.act(Act::File(Purpose::Attacks, attacks));
    window.until("the refusal", |app| app.state().error.is_some());
    let told = window.app().state().error.clone().unwrap_or_default();
    assert!(told.starts_with("the folder cannot be used: the folder is not empty"), "{told}");
    window.act(Act::CloseError);
    window.act(Act::Pane(Pane::Table));
    window.act(Act::Pane(Pane::Runs));
    window.act(Act::Refresh);
    window.until("the list", |app| app.library().runs.len() == 2);
    let names: Vec<String> = window.app().library().runs.iter().map(|run| run.name.clone()).collect();
    for name in &names {
        window.click(&format!("Compare {name}"));
    }
    window.harness.run_steps(4);
    assert_eq!(window.harness.query_all_by_label("Copy as Markdown").count(), 2, "one of the table, one here");
    window.rest();
    // Other seeds are attacked on other samples.
    window.harness.get_by_label_contains("These runs were attacked on other samples");
    // Open the older one: its table, its curves and its weights are there.
    window.act(Act::ShowRun(window.app().library().runs[1].path.clone()));
    window.until("the run", |app| app.state().title == names[1]);
    window.rest();
    assert_eq!(window.app().document().experiment().seed, 0);
    assert!(!window.app().state().galleries.is_empty() && window.app().state().summary.is_some());
    assert!(window.app().showing().scene.as_ref().unwrap().stamp.trained.is_some());
}

#[test]
fn the_palette_finds_a_command_and_does_it() {
    let mut window = Window::open(quick());
    window.rest();
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::P);
    window.harness.run_steps(3);
    window.harness.get_by_label("Search commands").type_text("under the defence");
    window.harness.run_steps(3);
    window.harness.key_press(egui::Key::Enter);
    window.harness.run_steps(3);
    window.until("a disguise", |app| app.showing().scene.as_ref().is_some_and(|scene| scene.stamp.defended));
    assert!(window.app().showing().defended && window.harness.query_by_label("Search commands").is_none());
}

#[test]
fn every_pane_can_be_reached_from_its_workspace() {
    let mut window = Window::open(quick());
    window.rest();
    for workspace in Workspace::ALL {
        window.click(workspace.title());
        for pane in workspace.panes() {
            assert!(window.app().shows(pane), "{pane:?}");
            assert!(window.harness.query_all_by_label(pane.title()).count() > 0, "{pane:?}");
        }
        assert_eq!(window.harness.query_by_label("Hospital").is_some(), workspace.has_stage());
    }
    for pane in Pane::ALL {
        window.act(Act::Pane(pane));
        assert!(window.app().shows(pane), "{pane:?}");
    }
}
