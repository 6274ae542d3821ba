//! The pane used by its accessible labels.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use eframe::egui::{Key, Theme, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::*;
use crate::app::memory::Group;
use crate::app::state::State;
use crate::app::test_look::Shop;
use crate::app::{Activity, Document, Library, RunEntry, Standing, theme};
use crate::experiment::Experiment;
use crate::experiment::fixture::{GAMMA, PAPER_DIGITS, TITLE};
use crate::run::launch::{Launch, Means};

mod versus;

/// What the pane looks at.
struct World {
    library: Library,
    state: State,
    activity: Activity,
    runs: PathBuf,
    groups: Vec<Group>,
    acts: Rc<RefCell<Vec<Act>>>,
}

fn world(runs: Vec<RunEntry>) -> World {
    let mut library = Library::default();
    library.runs = runs;
    library.known = true;
    let acts = Rc::new(RefCell::new(Vec::new()));
    World { library, state: State::default(), activity: Activity::Idle, runs: "/runs".into(), groups: Vec::new(), acts }
}

/// Two finished runs that differ, and one of every other standing.
fn some() -> Vec<RunEntry> {
    let mut other = samples::summary();
    other.experiment.set(&format!("{GAMMA}=0.4")).unwrap();
    other.rows[2].accuracy = 90.5;
    other.attacks[2].ssim = 0.3;
    other.epochs[2].accuracy = 90.5;
    let run = |name: &str, standing| RunEntry { standing, ..samples::run(name) };
    let damaged = "damaged: EOF while parsing a value at line 3 column 9: /runs/broken/summary.json".to_owned();
    vec![
        run("first", Standing::Finished(Box::new(samples::summary()))),
        run("second", Standing::Finished(Box::new(other))),
        run(&format!("20261124T121916Z-a-run-with-a-long-name-{PAPER_DIGITS}-0"), Standing::Unfinished),
        run("just-begun", Standing::Begun),
        run("broken", Standing::Damaged(damaged)),
    ]
}

fn harness(world: World, size: impl Into<Vec2>, dark: bool, scale: f32) -> Harness<'static> {
    let shop = Shop {
        groups: world.groups,
        state: world.state,
        library: world.library,
        runs: world.runs,
        activity: world.activity,
        document: Document::new(Experiment::preset("quick").unwrap()),
        ..Shop::default()
    };
    let mut view = RunsView::default();
    let builder = Harness::builder().with_size(size).with_theme(if dark { Theme::Dark } else { Theme::Light });
    let mut styled = false;
    builder.with_pixels_per_point(scale).build_ui(move |ui| {
        if !std::mem::replace(&mut styled, true) {
            theme::install(ui.ctx());
        }
        runs_ui(ui, shop.look(), &mut view, &mut world.acts.borrow_mut());
    })
}

fn plain(world: World) -> Harness<'static> {
    let mut harness = harness(world, [800.0, 500.0], true, 1.0);
    harness.step();
    harness
}

fn steps(harness: &mut Harness<'_>) {
    for _ in 0..4 {
        harness.step();
    }
}

fn click(harness: &mut Harness<'_>, label: &str) {
    harness.get_by_label(label).click();
    steps(harness);
}

/// Clicks the row of a run.
fn select(harness: &mut Harness<'_>, name: &str) {
    harness.get_by_label_contains(&format!("Run {name},")).click();
    steps(harness);
}

fn press(harness: &mut Harness<'_>, key: Key) {
    harness.key_press(key);
    steps(harness);
}

#[test]
fn a_run_is_selected_by_click_and_by_keys_and_opened() {
    let world = world(some());
    let acts = world.acts.clone();
    let mut harness = plain(world);
    assert!(harness.query_by_label("Open").is_none(), "nothing is selected yet");
    select(&mut harness, "first");
    click(&mut harness, "Open");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::ShowRun("/runs/first".into())));
    select(&mut harness, "first");
    press(&mut harness, Key::ArrowDown);
    assert!(harness.get_by_label_contains("Run second,").is_focused());
    click(&mut harness, "Open");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::ShowRun("/runs/second".into())));
    select(&mut harness, "just-begun");
    assert!(harness.get_by_label("Open").accesskit_node().is_disabled());
    click(&mut harness, "Continue");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Continue("/runs/just-begun".into())));
    select(&mut harness, "broken");
    assert!(harness.query_by_label("Continue").is_none() && harness.query_by_label("Attack it\u{2026}").is_none());
    click(&mut harness, "Copy path");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Copy("/runs/broken".to_owned())));
    click(&mut harness, "Refresh");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Refresh));
    assert!(acts.borrow().is_empty());
}

#[test]
fn a_run_is_renamed_in_place() {
    let world = world(some());
    let acts = world.acts.clone();
    let mut harness = plain(world);
    select(&mut harness, "first");
    press(&mut harness, Key::F2);
    let field = harness.get_by_label("New name");
    assert!(field.is_focused());
    // All of the old name is selected, so typing replaces it.
    field.type_text("second");
    steps(&mut harness);
    assert!(harness.get_by_label("Rename").accesskit_node().is_disabled(), "the name is taken");
    press(&mut harness, Key::Enter);
    assert!(acts.borrow().is_empty());
    harness.get_by_label("New name").type_text(" try");
    steps(&mut harness);
    press(&mut harness, Key::Enter);
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Rename("/runs/first".into(), "second try".to_owned())));
    assert!(harness.query_by_label("New name").is_none());
    click(&mut harness, "Rename\u{2026}");
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_label("New name").is_none() && acts.borrow().is_empty());
}

#[test]
fn deleting_asks_once() {
    let world = world(some());
    let acts = world.acts.clone();
    let mut harness = plain(world);
    select(&mut harness, "broken");
    click(&mut harness, "Delete\u{2026}");
    assert!(acts.borrow().is_empty());
    harness.get_by_label("Move broken to the trash?");
    click(&mut harness, "Keep");
    assert!(harness.query_by_label("Keep").is_none());
    press(&mut harness, Key::Delete);
    assert!(harness.query_by_label("Keep").is_none(), "the row has lost the focus");
    select(&mut harness, "broken");
    press(&mut harness, Key::Delete);
    click(&mut harness, "Move to trash");
    assert_eq!(*acts.borrow(), [Act::Trash("/runs/broken".into())]);
}

#[test]
fn no_word_of_an_attack_to_launch_is_broken_however_wide_the_pane() {
    for width in (300..1400).step_by(37) {
        let mut harness = harness(world(some()), [width as f32, 600.0], true, 1.0);
        harness.step();
        select(&mut harness, "first");
        click(&mut harness, "Attack it\u{2026}");
        for word in ["rmle", "analytic", "naive", "adaptive", "both", "quick", "as published"] {
            let height = harness.get_by_label(word).rect().height();
            assert!(height < 30.0, "{word} is {height} high in {width}");
        }
    }
}

#[test]
fn a_run_is_attacked_once_it_is_open_and_nothing_else_is_at_work() {
    let mut closed = plain(world(some()));
    select(&mut closed, "first");
    click(&mut closed, "Attack it\u{2026}");
    assert!(closed.get_by_label("Launch").accesskit_node().is_disabled());
    closed.get_by_label_contains("Open the run first");

    let mut open = world(some());
    open.state.folder = Some("/runs/first".into());
    let acts = open.acts.clone();
    let mut harness = plain(open);
    select(&mut harness, "first");
    click(&mut harness, "Attack it\u{2026}");
    click(&mut harness, "inverse");
    click(&mut harness, "adaptive");
    click(&mut harness, "quick");
    click(&mut harness, "Launch");
    let launch = Launch {
        attacks: vec!["inverse".to_owned()],
        adaptive: true,
        images: Some("8".to_owned()),
        means: Means::Quick,
        ..Launch::default()
    };
    assert_eq!(*acts.borrow(), [Act::Attack("/runs/first".into(), launch)]);

    let mut busy = world(some());
    busy.state.folder = Some("/runs/just-begun".into());
    busy.activity = Activity::Running;
    let mut harness = plain(busy);
    select(&mut harness, "just-begun");
    harness.get_by_label("at work now");
    for words in ["Continue", "Rename\u{2026}", "Delete\u{2026}"] {
        assert!(harness.get_by_label(words).accesskit_node().is_disabled(), "{words}");
    }
    select(&mut harness, "first");
    assert!(harness.get_by_label("Attack it\u{2026}").accesskit_node().is_disabled());
}

#[test]
fn two_ticked_runs_are_compared() {
    let world = world(some());
    let acts = world.acts.clone();
    let mut harness = plain(world);
    assert!(harness.get_by_label("Compare broken").accesskit_node().is_disabled());
    click(&mut harness, "Compare first");
    harness.get_by_label_contains("Tick more finished runs");
    click(&mut harness, "Compare second");
    harness.get_by_label("A: first");
    harness.get_by_label(&format!("adaptive rmle at {TITLE}, after epoch 2"));
    for line in [
        "A: first, last epoch: 88.0 %",
        "A: first, its undefended twin, last epoch: 94.0 %",
        "B: second, last epoch: 90.5 %",
    ] {
        harness.get_by_label(line);
    }
    click(&mut harness, "Worst SSIM");
    harness.get_by_label("A: first, last epoch: 0.50");
    click(&mut harness, "Copy as Markdown");
    let copied = acts.borrow_mut().pop();
    assert!(matches!(&copied, Some(Act::Copy(text)) if text.contains("fused decision | 88.0 %")), "{copied:?}");
    click(&mut harness, "Swap");
    harness.get_by_label("A: second");
    click(&mut harness, "Untick all");
    assert!(harness.query_by_label("A: second").is_none());
}

#[test]
fn thousands_of_runs_are_filtered_and_cheap() {
    let many = (0..5000).map(|i| RunEntry { standing: Standing::Begun, ..samples::run(&format!("run-{i}")) }).collect();
    let mut harness = plain(world(many));
    let begin = Instant::now();
    for _ in 0..20 {
        harness.step();
    }
    let each = begin.elapsed() / 20;
    assert!(each < Duration::from_millis(50), "{each:?}");
    let seen = harness.query_all_by_label_contains("Run run-").count();
    assert!((5..40).contains(&seen), "{seen}");
    harness.get_by_label("Filter").click();
    steps(&mut harness);
    harness.get_by_label("Filter").type_text("RUN-4999 quick");
    steps(&mut harness);
    assert_eq!(harness.query_all_by_label_contains("Run run-").count(), 1);
    harness.get_by_label("Filter").type_text("nothing");
    steps(&mut harness);
    harness.get_by_label_contains("No run has");
    // From the first to beyond the last that was drawn, by keys alone.
    let many = (0..200).map(|i| RunEntry { standing: Standing::Begun, ..samples::run(&format!("run-{i}")) }).collect();
    let mut harness = plain(world(many));
    select(&mut harness, "run-0");
    for _ in 0..60 {
        press(&mut harness, Key::ArrowDown);
    }
    assert!(harness.get_by_label_contains("Run run-60,").is_focused());
}

#[test]
fn an_empty_folder_says_what_will_be_here() {
    plain(world(Vec::new())).get_by_label_contains("Every run gets a row here");
    let mut unknown = world(Vec::new());
    unknown.library.known = false;
    plain(unknown).get_by_label("Looking for runs\u{2026}");
    let mut refused = world(Vec::new());
    refused.library.trouble = Some("could not look for runs: denied: /runs".to_owned());
    plain(refused).get_by_label_contains("denied");
}

/// Draws the pane in its states, to be looked at: `CUTLAYER_PICTURES=folder cargo test -- --ignored pictures_of_runs`.
#[test]
#[ignore = "writes pictures"]
fn pictures_of_runs() {
    let Some(folder) = std::env::var_os("CUTLAYER_PICTURES").map(PathBuf::from) else { return };
    for (name, size, dark, scale, does) in [
        ("plain-small-dark", [420.0, 300.0], true, 1.0, ""),
        ("plain-wide-light", [800.0, 400.0], false, 1.0, ""),
        ("chosen-small-light", [420.0, 300.0], false, 1.0, "Attack it\u{2026}"),
        ("rename-small-dark", [420.0, 300.0], true, 1.0, "Rename\u{2026}"),
        ("delete-tiny-150", [380.0, 250.0], true, 1.5, "Delete\u{2026}"),
        ("compare-small-dark", [420.0, 300.0], true, 1.0, "compare"),
        ("compare-tall-light", [460.0, 900.0], false, 1.0, "compare"),
        ("compare-wide-dark", [800.0, 400.0], true, 1.0, "compare"),
        ("compare-large-light", [1200.0, 700.0], false, 1.0, "compare"),
        ("compare-many-dark", [1200.0, 1000.0], true, 1.0, "many"),
        ("compare-many-light", [620.0, 1100.0], false, 1.0, "many"),
    ] {
        let mut world = world(if does == "many" { versus::seeds() } else { some() });
        world.runs = "/home/somebody/.local/share/cutlayer/runs".into();
        world.state.folder = Some("/runs/second".into());
        let mut harness = harness(world, size, dark, scale);
        harness.step();
        match does {
            "" => {}
            "many" => {
                for run in versus::seeds() {
                    click(&mut harness, &format!("Compare {}", run.name));
                }
            }
            "compare" => {
                click(&mut harness, "Compare first");
                click(&mut harness, "Compare second");
            }
            words => {
                select(&mut harness, "second");
                click(&mut harness, words);
            }
        }
        steps(&mut harness);
        let picture = harness.render().unwrap();
        picture.save(folder.join(format!("{name}.png"))).unwrap();
    }
}
