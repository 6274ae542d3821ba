//! What is shared comes back as it was, and nothing else comes through.

use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::app::PlayAct;
use crate::app::hidden::Control;
use crate::app::shared::Shared;
use crate::experiment::PRESETS;
use crate::experiment::fixture::{DIGITS, GAMMA};
use crate::lesson::LESSONS;
use crate::live::Shown;
use crate::run::scene::Picture;
use crate::run::whole_files::Writer;
use crate::score::goal::Goal;

fn app(home: &tempfile::TempDir) -> App {
    App::in_folder(Some(quick()), home.path().to_owned())
}

/// Everything that is shared, of a window.
fn state(app: &App) -> (Experiment, Source, [bool; 3], Option<&'static str>, Shown, Workspace) {
    let showing = app.showing();
    (
        app.document().experiment().clone(),
        showing.source,
        [showing.defended, showing.adaptive, showing.untrained],
        showing.attack,
        showing.image.clone(),
        app.memory.workspace,
    )
}

fn drawing() -> Picture {
    // Bytes survive; so does a drawing whose values are such.
    Picture { shape: [1, 28, 28], values: (0..784).map(|i| ((i * 7 % 256) as f32) / 255.0).collect() }
}

#[test]
fn every_preset_and_a_drawing_survive_being_shared() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ctx = egui::Context::default();
    for (i, (name, ..)) in PRESETS.iter().enumerate() {
        let mut ours = app(&here);
        ours.act(Act::Preset(i), &ctx);
        ours.act(Act::Set("seed".to_owned(), "7".to_owned()), &ctx);
        ours.act(Act::Untrained(i % 2 == 0), &ctx);
        ours.act(Act::Attacker("inverse"), &ctx);
        ours.act(Act::Adaptive(i % 2 == 1), &ctx);
        ours.act(Act::Workspace(Workspace::ALL[i % 3]), &ctx);
        if ours.document().experiment().defended() {
            ours.act(Act::Defended(true), &ctx);
            ours.act(Act::Set(GAMMA.to_owned(), "0.3".to_owned()), &ctx);
        }
        ours.act(Act::Draw(drawing()), &ctx);
        let text = ours.shared().to_text().unwrap();
        assert!(text.len() < 2000, "{name}: {} letters", text.len());
        // As a mail would break it.
        let broken: Vec<String> = text.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line).into()).collect();
        let mut theirs = app(&there);
        theirs.act(Act::Shared(broken.join("\r\n ")), &ctx);
        assert_eq!(theirs.state().error, None, "{name}");
        assert_eq!(state(&theirs), state(&ours), "{name}");
        assert_eq!(theirs.shared(), ours.shared());
        theirs.act(Act::Undo, &ctx);
        assert_eq!(theirs.document().experiment(), &quick(), "Undo brings the experiment back");
    }
}

#[test]
fn a_fresh_window_is_short_and_opens_with_its_opening() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = app(&here).shared().to_text().unwrap();
    assert!(text.len() < 200, "{text}");
    let mut theirs = App::in_folder(Some(Experiment::preset(DIGITS).unwrap()), there.path().to_owned());
    theirs.act(Act::Shared(text), &egui::Context::default());
    assert_eq!(theirs.showing().source, Source::Opening);
    assert_eq!(theirs.document().experiment(), &quick());
}

#[test]
fn a_file_of_it_is_opened_as_any_other() {
    let mut window = Window::open(quick());
    window.act(Act::Cut(2));
    window.act(Act::Draw(drawing()));
    let path = window.home.path().join("lecture.cutlayer");
    window.act(Act::File(Purpose::Shared, path.clone()));
    let before = state(window.app());
    window.act(Act::NextClass);
    window.act(Act::File(Purpose::Open, path.clone()));
    assert_eq!(state(window.app()), before);
    Writer::default().write(&path, b"cutlayer1.abc").unwrap();
    window.act(Act::File(Purpose::Open, path));
    let told = window.app().state().error.clone().unwrap();
    assert!(
        told.starts_with("the shared text is cut short or was changed") && told.ends_with("lecture.cutlayer"),
        "{told}"
    );
}

#[test]
fn a_pasted_text_is_taken_where_no_field_has_the_keyboard() {
    let mut window = Window::open(quick());
    window.act(Act::Cut(2));
    let text = window.app().shared().to_text().unwrap();
    window.act(Act::Cut(4));
    window.harness.event(egui::Event::Paste(text));
    window.harness.run_steps(2);
    assert_eq!(window.app().document().experiment().model.cut, 2);
    window.harness.event(egui::Event::Paste("dear all".to_owned()));
    window.harness.run_steps(2);
    let told = window.app().state().error.clone().unwrap();
    assert!(told.starts_with("this is no state that Cutlayer shared"), "{told}");
}

#[test]
fn other_texts_are_refused_with_a_reason() {
    let text = app(&tempfile::tempdir().unwrap()).shared().to_text().unwrap();
    let told = |text: &str| Shared::from_text(text).unwrap_err().to_string();
    assert!(told("").contains("no state that Cutlayer shared"));
    assert!(told("cutlayer run quick").contains("no state that Cutlayer shared"));
    assert!(told(&text.replace("cutlayer1", "cutlayer2")).contains("newer Cutlayer"));
    assert!(told(&text[..text.len() - 1]).contains("cut short"));
    assert!(told(&text[..30]).contains("cut short"));
    assert!(told("cutlayer1.").contains("cut short"));
}

#[test]
fn ten_thousand_changed_texts_are_refused_or_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut ours = app(&home);
    ours.act(Act::Draw(drawing()), &egui::Context::default());
    let (text, whole) = (ours.shared().to_text().unwrap(), ours.shared());
    let mut number = 3_u64;
    let mut below = |n: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % n
    };
    let letters: Vec<char> = "abcXYZ019-_. =\n\u{e9}".chars().collect();
    let mut same = 0;
    for _ in 0..10_000 {
        let mut changed: Vec<char> = text.chars().collect();
        for _ in 0..=below(3) {
            if changed.is_empty() {
                break;
            }
            let at = below(changed.len());
            match below(4) {
                0 => drop(changed.remove(at)),
                1 => changed.insert(at, letters[below(letters.len())]),
                2 => changed[at] = letters[below(letters.len())],
                _ => changed.truncate(at.max(1)),
            }
        }
        if let Ok(shared) = Shared::from_text(&changed.into_iter().collect::<String>()) {
            assert_eq!(shared, whole);
            same += 1;
        }
    }
    assert!(same < 9_000, "{same} of them were the same: nothing was changed");
}

#[test]
fn every_lesson_with_its_step_and_a_goal_is_shared() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ctx = egui::Context::default();
    for lesson in &LESSONS {
        let mut ours = app(&here);
        ours.act(Act::Lesson(LessonAct::Begin(lesson.name.to_owned())), &ctx);
        ours.act(Act::Lesson(LessonAct::Answer(0)), &ctx);
        ours.act(Act::PlayAs(PlayAct::Goal(Some(Goal { accuracy: 97.0, recognised: 40.0 }))), &ctx);
        ours.act(Act::PlayAs(PlayAct::PauseAfter(Some(2))), &ctx);
        ours.view.wipe.share = Some(0.5);
        ours.view.curves.shown = panes::curves::Shown::All;
        let mut theirs = app(&there);
        theirs.act(Act::Shared(ours.shared().to_text().unwrap()), &ctx);
        assert_eq!(theirs.state().error, None, "{}", lesson.name);
        let saved = |app: &App| app.progress.as_ref().map(Progress::saved);
        assert_eq!(saved(&theirs), saved(&ours));
        assert!(saved(&theirs).is_some());
        assert_eq!(theirs.shared(), ours.shared());
    }
}

#[test]
fn students_see_no_hidden_controls_and_all_of_them_come_back() {
    let mut window = Window::open(quick());
    window.rest();
    let mut shared = window.app().shared();
    shared.hide = vec![Control::Run, Control::Model, Control::Attacker, Control::Settings, Control::Image];
    window.act(Act::Shared(shared.to_text().unwrap()));
    window.rest();
    for label in ["Run", "Step", "Undefended", "Draw", "All settings…", "It knows client weights"] {
        assert!(window.harness.query_by_label(label).is_none(), "{label}");
    }
    window.harness.get_by_label("Model: undefended");
    window.harness.get_by_label("Attacker: the server");
    // Nor by a key.
    window.harness.key_press(egui::Key::F5);
    window.harness.run_steps(3);
    assert_eq!((window.app().activity(), window.app().messages().len()), (Activity::Idle, 2));
    assert_eq!(window.app().shared().hide, shared.hide, "what is shared on hides as much");
    window.act(Act::ShowAll);
    window.harness.run_steps(2);
    window.harness.get_by_label("Run");
    window.harness.get_by_label("Draw");
    // A teacher chooses by name what is seen.
    window.act(Act::Popup(Some(Popup::Students)));
    window.harness.run_steps(2);
    window.click("The cut");
    window.click("Copy for students");
    assert!(window.app().messages().iter().any(|text| text == "Copied, with what students see"));
}
