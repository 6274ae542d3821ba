//! Each lesson, driven to its end as a person would: answer, act, see, go on.

use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::experiment::fixture::{GAMMA, MU};
use crate::lesson::Phase;

fn phase(app: &App) -> Option<Phase> {
    app.progress.as_ref().map(Progress::phase)
}

/// Drags from one place of something to another, each a share of its width and height.
fn drag(window: &mut Window, label: &str, from: [f32; 2], to: [f32; 2]) {
    let rect = window.harness.get_by_label(label).rect();
    let at = |share: [f32; 2]| rect.left_top() + rect.size() * egui::vec2(share[0], share[1]);
    window.harness.drag_at(at(from));
    window.harness.step();
    window.harness.hover_at(at([0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1])]));
    window.harness.step();
    window.harness.hover_at(at(to));
    window.harness.step();
    window.harness.drop_at(at(to));
    window.harness.run_steps(2);
}

/// Scrolls to a control and presses it.
fn reach(window: &mut Window, label: &str) {
    window.harness.get_by_label(label).scroll_to_me();
    window.harness.run_steps(8);
    window.click(label);
}

fn stroke(window: &mut Window, at: f32) {
    drag(window, "Drawing pad", [at, 0.2], [at, 0.8]);
}

fn wipe(window: &mut Window) {
    drag(window, "Wipe: the original over the stolen image", [0.2, 0.5], [0.8, 0.5]);
}

fn set(window: &mut Window, key: &str, value: &str) {
    window.act(Act::Set(key.to_owned(), value.to_owned()));
}

/// Attacks as short as can be watched: the lesson is the same, and nobody waits to be taught.
fn hurry(window: &mut Window) {
    let brief = [
        ("rmle", "iterations", "300"),
        ("inverse", "epochs", "1"),
        ("inverse", "batch", "4"),
        ("dlg", "iterations", "10"),
        ("dlg", "restarts", "1"),
        ("idlg", "iterations", "10"),
        ("idlg", "restarts", "1"),
    ];
    let launched = window.app().document().experiment().attack_names().join(" ");
    for (name, key, value) in brief.into_iter().filter(|(name, ..)| launched.split(' ').any(|one| one == *name)) {
        set(window, &format!("attack.{name}.{key}"), value);
    }
}

/// Somebody else looks.
fn looks(window: &mut Window, who: &str) {
    window.harness.get_by_role_and_label(Role::ComboBox, "Attacker:").click();
    window.harness.run_steps(3);
    reach(window, who);
    let kind = crate::workbench::attack(window.app().showing().attack()).unwrap();
    assert_eq!(kind.looker.words, who);
}

fn looks_with_similar_images(window: &mut Window) {
    looks(window, "somebody with similar images");
}

/// Types a value into the field of a lever.
fn pull(window: &mut Window, lever: &str, value: &str) {
    window.harness.get_by_role_and_label(Role::SpinButton, lever).scroll_to_me();
    window.harness.run_steps(4);
    window.harness.get_by_role_and_label(Role::SpinButton, lever).focus();
    window.harness.run_steps(2);
    window.harness.get_by_role_and_label(Role::SpinButton, lever).type_text(value);
    window.harness.key_press(egui::Key::Enter);
    window.harness.run_steps(3);
}

/// What came last can be read to its end, above the buttons.
fn reads(window: &mut Window, last: &str) {
    window.harness.run_steps(6);
    let words = window.harness.get_by_label(last).rect();
    let buttons = window.harness.get_by_label("Back").rect();
    assert!(words.bottom() <= buttons.top() + 1.0, "{last}: {words:?}, {buttons:?}");
}

/// Begins a lesson from the list, and takes each of its steps; `acts` are what the steps ask for.
fn taught(title: &str, acts: &[&dyn Fn(&mut Window)]) {
    let mut window = Window::sized(quick(), 1280.0, 720.0, |harness| harness);
    window.rest();
    reach(&mut window, &format!("Begin: {title}"));
    hurry(&mut window);
    window.rest();
    let steps = window.app().progress.as_ref().unwrap().steps().len();
    assert_eq!(steps, acts.len(), "{title}");
    for (at, act) in acts.iter().enumerate() {
        let progress = window.app().progress.as_ref().unwrap();
        assert_eq!(progress.place(), at, "{title}");
        let question = progress.step().unwrap().question.clone();
        if let Some(question) = question {
            assert_eq!(phase(window.app()), Some(Phase::Ask), "{title}, step {at}");
            let next = window.harness.get_by_label("Next");
            assert!(egui_kittest::kittest::NodeT::accesskit_node(&next).is_disabled());
            reach(&mut window, &question.answers[0]);
            if phase(window.app()) == Some(Phase::Act) {
                let action = window.app().progress.as_ref().unwrap().step().unwrap().action.clone();
                reads(&mut window, &format!("Now: {action}"));
            }
        }
        assert!(window.app().progress.as_ref().unwrap().given() == Some(0) || phase(window.app()) != Some(Phase::Ask));
        act(&mut window);
        window.until(&format!("{title}, step {}", at + 1), |app| phase(app) == Some(Phase::Notice));
        let notice = window.app().progress.as_ref().unwrap().step().unwrap().notice.clone();
        reads(&mut window, &notice);
        if at + 1 < steps {
            window.rest();
            reach(&mut window, "Next");
        }
    }
    window.harness.get_by_label("The lesson is done.");
    // It is remembered, and left.
    window.harness.state_mut().leave();
    let again = App::in_folder(None, window.home.path().to_owned());
    assert_eq!(again.progress.as_ref().map(Progress::place), Some(steps - 1));
    reach(&mut window, "Leave the lesson");
    assert!(window.app().progress.is_none() && window.app().memory.lesson.is_none());
}

#[test]
fn what_leaves_the_room() {
    taught(
        "What leaves the room",
        &[
            &|window| {
                window.click("Draw");
                stroke(window, 0.4);
            },
            &|window| stroke(window, 0.6),
            &|window| {
                window.rest();
                window.click("Play");
            },
            &|window| {
                window.rest();
                window.click("Digits");
                window.rest();
                wipe(window);
            },
            &|window| window.click("Step"),
        ],
    );
}

#[test]
fn the_mirror() {
    taught(
        "The mirror",
        &[
            &|window| {
                window.click("Draw");
                stroke(window, 0.4);
            },
            &|window| stroke(window, 0.6),
            &|window| {
                window.click("Clear");
                stroke(window, 0.5);
            },
            &|window| {
                window.rest();
                wipe(window);
            },
            &|window| window.click("trained"),
            &|_| {},
        ],
    );
}

#[test]
fn how_deep_is_safe() {
    let cut = |at: usize| move |window: &mut Window| window.act(Act::Cut(at));
    taught(
        "How deep is safe?",
        &[
            &cut(5),
            &cut(8),
            &|window| {
                window.rest();
                wipe(window);
            },
            &cut(10),
            &looks_with_similar_images,
            &|window| window.click("\u{203a}"),
            &cut(2),
        ],
    );
}

#[test]
fn disguise() {
    taught(
        "Disguise",
        &[
            &|window| window.click("\u{203a}"),
            &|window| set(window, GAMMA, "0.3"),
            &|window| {
                set(window, GAMMA, "0.1");
                set(window, MU, "1");
            },
            &|window| window.click("\u{203a}"),
            &|window| {
                window.rest();
                wipe(window);
            },
            &|window| window.click("Undefended"),
        ],
    );
}

#[test]
fn be_the_attacker() {
    taught(
        "Be the attacker",
        &[
            &|window| {
                window.rest();
                window.click("Play");
            },
            &|window| window.click("It knows our defence"),
            &|window| {
                window.rest();
                window.click("Play");
                wipe(window);
            },
            &looks_with_similar_images,
            &|window| set(window, GAMMA, "0.3"),
            &|window| window.click("It knows our defence"),
        ],
    );
}

/// Clicks the point of this number, in the list.
fn point(window: &mut Window, number: usize) {
    let begins = format!("{number}. ");
    let is_it = |node: &egui_kittest::Node<'_>| {
        let label = egui_kittest::kittest::NodeT::accesskit_node(node).label();
        label.is_some_and(|label| label.starts_with(&begins))
    };
    let row = window.harness.get_all_by_role(Role::RadioButton).find(is_it).unwrap();
    row.scroll_to_me();
    window.harness.run_steps(6);
    window.harness.get_all_by_role(Role::RadioButton).find(is_it).unwrap().click();
    window.harness.run_steps(2);
}

/// Chooses one of several things in the frontier.
fn choose(window: &mut Window, words: &str) {
    window.harness.get_by_role_and_label(Role::RadioButton, words).click();
    window.harness.run_steps(2);
}

#[test]
fn your_point_on_the_frontier() {
    taught(
        "Your point on the frontier",
        &[
            &|window| {
                assert_eq!(window.app().memory.workspace, Workspace::Decide);
                choose(window, "SSIM");
            },
            &|window| point(window, 3),
            &|window| {
                choose(window, "all attackers");
                window.harness.get_by_label_contains("it slides up by ");
            },
            &|window| point(window, 2),
            &|window| choose(window, "line-up"),
            &|window| choose(window, "naive attackers"),
            &|window| {
                choose(window, "all attackers");
                point(window, 6);
            },
        ],
    );
}

#[test]
fn one_gradient() {
    let first = "whoever gets the weights' gradients, label first";
    taught(
        "One gradient",
        &[
            &|window| {
                looks(window, "whoever gets the weights' gradients");
                window.rest();
                wipe(window);
            },
            &|window| {
                looks(window, first);
                window.rest();
                let scene = window.app().showing().scene.clone().unwrap();
                assert_eq!(scene.labels, [scene.label.unwrap()], "the label is read off");
                let below = format!("Gradient by class, below 0: {}", scene.labels[0]);
                window.harness.get_by_label(&below);
                window.harness.get_by_label(&format!("stolen, with its label: {}", scene.labels[0]));
            },
            &|window| {
                window.click("Draw");
                stroke(window, 0.4);
            },
            &|window| {
                window.click("Digits");
                looks(window, "whoever gets the weights' gradients");
                pull(window, "Images a gradient", "8");
                window.rest();
                window.harness.get_by_label("One of 8 images: no verdict");
            },
            &|window| {
                looks(window, first);
                pull(window, "Images a gradient", "8");
                window.rest();
                assert_eq!(window.app().showing().scene.as_ref().unwrap().labels.len(), 8);
            },
            &|window| window.click("\u{203a}"),
        ],
    );
}
