//! A lesson: changes are taken back from wherever the keyboard is, and one act makes ready for the next class.

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::experiment::fixture::{DIGITS, GAMMA, gamma};
use crate::live::Shown;

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.harness.run_steps(3);
}

fn undo(window: &mut Window) {
    press(window, Modifiers::COMMAND, Key::Z);
}

fn preset(name: &str) -> Act {
    Act::Preset(crate::experiment::PRESETS.iter().position(|preset| preset.0 == name).unwrap())
}

fn cut(window: &Window) -> usize {
    window.app().document().experiment().model.cut
}

/// Drags the handle of the cut from after layer 2 to after layer 4.
fn drag_the_cut(window: &mut Window) {
    let handle = window.harness.get_by_label_contains("Cut after layer 2").rect();
    let at = |layers: f32| handle.left_center() + egui::vec2(handle.width() * layers / 9.0, 0.0);
    window.harness.drag_at(at(2.0));
    window.harness.step();
    for layers in [2.6, 3.1, 4.0] {
        window.harness.hover_at(at(layers));
        window.harness.run_steps(2);
    }
    window.harness.drop_at(at(4.0));
    window.harness.run_steps(2);
}

fn stroke(window: &mut Window) {
    let pad = window.harness.get_by_label("Drawing pad").rect();
    let at = |share: f32| pad.left_top() + pad.size() * share;
    window.harness.drag_at(at(0.3));
    window.harness.step();
    window.harness.hover_at(at(0.7));
    window.harness.step();
    window.harness.drop_at(at(0.7));
    window.harness.run_steps(2);
}

#[test]
fn undo_takes_back_a_drag_of_the_cut_as_one_change_while_the_handle_has_the_keyboard() {
    let mut window = Window::open(quick());
    window.act(Act::Cut(2));
    window.rest();
    drag_the_cut(&mut window);
    assert_eq!(cut(&window), 4);
    assert!(window.harness.ctx.memory(egui::Memory::focused).is_some());
    undo(&mut window);
    assert_eq!((cut(&window), window.app().document().history()), (2, (1, 1)));
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(cut(&window), 4);
}

#[test]
fn undo_brings_back_the_opening_with_its_own_cut() {
    let mut window = Window::open(quick());
    window.rest();
    let shown = |window: &Window| window.app().showing().scene.as_ref().map(|scene| scene.stamp.cut);
    let (before, own) = (shown(&window), cut(&window));
    window.act(Act::Cut(4));
    window.act(Act::Cut(5));
    window.rest();
    assert_eq!((shown(&window), window.app().showing().source), (Some(5), Source::Live));
    while window.app().document().history().0 > 0 {
        undo(&mut window);
    }
    window.rest();
    assert_eq!((shown(&window), cut(&window), window.app().showing().source), (before, own, Source::Opening));
}

#[test]
fn a_field_takes_undo_only_while_something_is_typed_in_it() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(preset("vanilla-digits"));
    window.act(Act::Popup(Some(Popup::Settings)));
    window.harness.run_steps(3);
    window.harness.get_by_label("Find").focus();
    window.harness.run_steps(2);
    undo(&mut window);
    assert_eq!(window.app().document().name(), "quick", "nothing was typed: the document is meant");
    window.harness.get_by_label("Find").type_text("gam");
    window.harness.run_steps(2);
    window.act(preset("vanilla-digits"));
    undo(&mut window);
    assert_eq!(window.app().document().name(), "vanilla-digits", "what was typed is taken back");
    assert!(window.harness.query_all_by_label("Seed").count() > 1, "the filter is gone");
    undo(&mut window);
    assert_eq!(window.app().document().name(), "quick");
}

#[test]
fn a_typed_seed_is_one_change() {
    let mut window = Window::open(quick());
    window.rest();
    let seed = |window: &Window| window.app().document().experiment().seed;
    window.harness.get_by_role_and_label(Role::SpinButton, "Seed").focus();
    window.harness.run_steps(2);
    for digit in ["1", "2", "3"] {
        window.harness.get_by_role_and_label(Role::SpinButton, "Seed").type_text(digit);
        window.harness.run_steps(2);
    }
    assert_eq!(seed(&window), 123);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.app().document().history(), (1, 0));
    undo(&mut window);
    assert_eq!((seed(&window), window.app().document().history()), (0, (0, 1)));
}

#[test]
fn a_field_that_shows_an_undone_value_does_not_put_it_back() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(Act::Set("evaluate.gammas".to_owned(), "[0.1, 0.3]".to_owned()));
    window.act(Act::FindSetting("evaluate.gammas".to_owned()));
    window.harness.run_steps(3);
    window.harness.get_by_role_and_label(Role::TextInput, "Strengths in the curve").focus();
    window.harness.run_steps(2);
    undo(&mut window);
    let before = quick().evaluate.gammas;
    assert_eq!(window.app().document().experiment().evaluate.gammas, before);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.app().document().experiment().evaluate.gammas, before);
    assert_eq!(window.app().state().error, None);
}

#[test]
fn strokes_and_changes_are_taken_back_in_their_order() {
    let mut window = Window::open(quick());
    window.act(Act::Cut(2));
    window.rest();
    window.click("Draw");
    window.rest();
    stroke(&mut window);
    let drawn = window.app().showing().image.clone();
    drag_the_cut(&mut window);
    stroke(&mut window);
    assert_eq!((cut(&window), window.app().view.pad.strokes.len()), (4, 2));
    undo(&mut window);
    assert_eq!((cut(&window), window.app().view.pad.strokes.len()), (4, 1), "the second stroke");
    undo(&mut window);
    assert_eq!((cut(&window), window.app().view.pad.strokes.len()), (2, 1), "the cut");
    assert_eq!(window.app().showing().image, drawn, "the drawing stays");
    undo(&mut window);
    assert_eq!((cut(&window), window.app().view.pad.strokes.len()), (2, 0), "the first stroke");
    undo(&mut window);
    assert_eq!(cut(&window), 4, "and what was there before");
}

/// Preset, seed, cut, attacker, drawing, panes: as a class leaves them.
fn lesson(window: &mut Window) {
    window.act(preset(DIGITS));
    window.act(Act::Set("seed".to_owned(), "5".to_owned()));
    window.act(Act::Cut(2));
    window.act(Act::Defended(true));
    window.act(Act::Adaptive(true));
    window.act(Act::Log);
    window.rest();
    window.click("Draw");
    stroke(window);
}

fn assert_is_at_the_start(window: &Window) {
    let (app, showing) = (window.app(), window.app().showing());
    assert_eq!((app.document().experiment(), app.document().name()), (&quick(), "quick"));
    assert_eq!((showing.source, showing.defended, showing.adaptive), (Source::Opening, false, false));
    assert_eq!((&showing.image, app.view.pad.drawing, app.memory.log), (&Shown::Patient(0), false, false));
    assert_eq!((&app.state().status, &app.state().folder), (&Status::Fresh, &None));
}

#[test]
fn one_click_resets_for_the_next_class_and_one_brings_everything_back() {
    let mut window = Window::open(quick());
    window.rest();
    lesson(&mut window);
    let left = window.app().document().experiment().clone();
    let drawn = window.app().showing().image.clone();
    assert!(matches!(drawn, Shown::Own(_)));
    let is_back = |window: &Window| {
        let showing = window.app().showing();
        let own = matches!((&showing.image, &drawn), (Shown::Own(a), Shown::Own(b)) if a.values == b.values);
        *window.app().document().experiment() == left
            && own
            && (showing.source, showing.defended, showing.adaptive) == (Source::Live, true, true)
            && window.app().view.pad.strokes.len() == 1
            && window.app().memory.log
    };
    assert!(is_back(&window));
    window.click("Next class");
    assert_is_at_the_start(&window);
    window.harness.get_by_label("Ready for the next class: quick, seed 0.");
    window.click("Bring it back");
    assert!(is_back(&window));
    press(&mut window, Modifiers::COMMAND, Key::Y);
    assert_is_at_the_start(&window);
    window.click("Keep the reset");
    assert!(window.harness.query_by_label("Bring it back").is_none());
    undo(&mut window);
    assert!(is_back(&window), "also once the line is closed");
    window.rest();
    // By its words, and with something changed since.
    press(&mut window, Modifiers::COMMAND, Key::K);
    window.harness.get_by_label("Search commands").type_text("next class");
    window.harness.run_steps(3);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_is_at_the_start(&window);
    window.act(Act::Set("seed".to_owned(), "9".to_owned()));
    window.harness.step();
    assert!(window.harness.query_by_label("Bring it back").is_none(), "the next class has begun");
    undo(&mut window);
    assert_eq!(window.app().document().experiment(), &quick(), "one change back: its own");
    undo(&mut window);
    assert!(is_back(&window));
}

#[test]
fn a_run_that_is_going_is_saved_before_the_reset() {
    let mut window = Window::open(quick());
    window.act(Act::Set("seed".to_owned(), "3".to_owned()));
    window.click("Run");
    window.until("an epoch", |app| !app.state().test.is_empty());
    let folder = window.app().state().folder.clone().unwrap();
    window.act(Act::NextClass);
    window.until("the reset", |app| app.activity() == Activity::Idle);
    assert_is_at_the_start(&window);
    assert!(folder.join("checkpoint.safetensors").is_file());
    undo(&mut window);
    assert_eq!(window.app().state().folder.as_ref(), Some(&folder));
    assert_eq!((window.app().state().status.clone(), window.app().document().experiment().seed), (Status::Stopped, 3));
}

#[test]
fn a_file_of_ones_own_is_where_classes_begin() {
    let mut window = Window::open(quick());
    let path = window.home.path().join("lesson.toml");
    window.act(Act::Set(GAMMA.to_owned(), "0.25".to_owned()));
    window.act(Act::File(Purpose::Save, path.clone()));
    window.act(preset("vanilla-digits"));
    window.act(Act::NextClass);
    let document = window.app().document();
    assert_eq!((document.name(), document.path(), gamma(document.experiment())), ("lesson", Some(&path), 0.25));
    assert_eq!(document.title(), "lesson");
    // What a class left behind is no start.
    window.act(preset("vanilla-digits"));
    window.harness.state_mut().leave();
    let mut again = App::in_folder(None, window.home.path().to_owned());
    assert_eq!(again.document().name(), "vanilla-digits");
    again.act(Act::NextClass, &egui::Context::default());
    assert_eq!(again.document().name(), DIGITS);
}
