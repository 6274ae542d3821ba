//! The palette used by its accessible labels.

use eframe::egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::entries::{COMMANDS, LESSONS, PRESETS, RUNS, SECTIONS, SETTINGS};
use super::search::{FEW, MOST, first_ones};
use super::*;
use crate::app::panes::samples;
use crate::app::test_look::Shop;

fn palette(shop: &Shop) -> Harness<'_, (PaletteView, Vec<Act>, bool)> {
    let draw = move |ui: &mut Ui, state: &mut (PaletteView, Vec<Act>, bool)| {
        state.2 &= palette_ui(ui.ctx(), shop.look(), &mut state.0, &mut state.1);
    };
    let state = (PaletteView::default(), Vec::new(), true);
    let mut harness = Harness::builder().with_size([900.0, 600.0]).build_ui_state(draw, state);
    harness.run_steps(3);
    harness
}

#[test]
fn a_few_letters_and_enter_are_enough() {
    let shop = Shop::default();
    let mut harness = palette(&shop);
    assert!(harness.get_by_label("Search commands").is_focused());
    harness.get_by_label("Search commands").type_text("ste");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.step();
    let (_, acts, open) = harness.state();
    assert_eq!((acts.as_slice(), *open), ([Act::Step].as_slice(), false));
}

#[test]
fn arrows_and_the_mouse_choose_and_what_cannot_be_done_is_left() {
    let shop = Shop::default();
    let mut harness = palette(&shop);
    harness.get_by_label("Search commands").type_text("stop");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.step();
    assert!(harness.state().1.is_empty() && harness.state().2, "no run is going");
    harness.get_by_label("No run is going.");
    harness.state_mut().0 = PaletteView::default();
    harness.run_steps(3);
    harness.key_press(Key::ArrowDown);
    harness.step();
    harness.get_by_label("Save experiment…").click();
    harness.run_steps(2);
    assert_eq!(harness.state().1, [Act::Ask(crate::app::Purpose::Save)]);
}

#[test]
fn settings_are_found_by_their_key_and_nothing_found_says_so() {
    let shop = Shop::default();
    let mut harness = palette(&shop);
    harness.get_by_label("Search commands").type_text("train.rate");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.step();
    assert_eq!(harness.state().1, [Act::FindSetting("train.rate".to_owned())]);
    harness.state_mut().0.query = "qqqq".to_owned();
    harness.state_mut().0.look();
    harness.run_steps(2);
    harness.get_by_label("Nothing is called “qqqq”.");
}

#[test]
fn letters_that_match_stand_out() {
    assert_eq!(parts("Stöp", &[0, 2]), [(0..1, true), (1..2, false), (2..4, true), (4..5, false)]);
    let item = |words: &str| Entry::new(COMMANDS, words, "", Act::Run);
    let items = ["Show Table", "Reset", "Stop", "Step"].map(item);
    let order = |query: &str| found(&items, query).iter().map(|found| found.item).collect::<Vec<_>>();
    // Letters side by side first, then those that begin a word.
    assert_eq!(order("st"), [2, 3, 0, 1]);
    assert_eq!(order("table"), [0]);
    assert_eq!(order(""), [0, 1, 2, 3]);
    assert!(order("xyz").is_empty());
}

#[test]
fn every_kind_is_found_under_its_heading() {
    let mut shop = Shop::default();
    let mut noted = samples::run("a run of mine");
    noted.notes.text = "Too weak a disguise; ask again with γ 0.4".to_owned();
    shop.library.runs = vec![samples::run("another"), noted];
    let mut harness = palette(&shop);
    let mut look_for = |query: &str| {
        let view = &mut harness.state_mut().0;
        view.query = query.to_owned();
        view.look();
        harness.run_steps(3);
        let view = &harness.state().0;
        let best = view.found.first().map(|found| view.items[found.item].clone());
        best.map(|item| {
            harness.get_by_label(item.group);
            (item.group, item.act)
        })
    };
    let run = Act::ShowRun("/runs/a run of mine".into());
    assert_eq!(look_for("run of mine"), Some((RUNS, run.clone())));
    assert_eq!(look_for("weak a disguise"), Some((RUNS, run)), "by its notes");
    assert_eq!(look_for("vanilla-digits").map(|found| found.0), Some(PRESETS));
    assert_eq!(look_for("The mirror").map(|found| found.0), Some(LESSONS));
    assert_eq!(look_for("method proximal recovery").map(|found| found.0), Some(SECTIONS));
    assert_eq!(look_for("train.rate"), Some((SETTINGS, Act::FindSetting("train.rate".to_owned()))));
    assert_eq!(look_for("undo"), Some((COMMANDS, Act::Undo)));
    assert_eq!(look_for("").map(|found| found.0), Some(COMMANDS));
    for heading in [COMMANDS, PRESETS, LESSONS, RUNS, SECTIONS, SETTINGS] {
        assert!(harness.query_all_by_label(heading).next().is_some(), "{heading}");
    }
}

#[test]
fn a_thousand_runs_are_looked_through_in_a_frame() {
    let mut shop = Shop::default();
    shop.library.runs = (0..1000).map(|i| samples::run(&format!("digits γ 0.{i} seed {i}"))).collect();
    let ctx = Context::default();
    let items = entries(&ctx, shop.look());
    let runs = found(&items, "digits seed 77");
    assert!(runs.len() <= MOST && items[runs[0].item].words.contains("seed 77"), "{:?}", items[runs[0].item]);
    let begin = std::time::Instant::now();
    for query in ["d", "di", "digits", "digits 0.99", "seed 77"] {
        found(&items, query);
    }
    // A few milliseconds each; a machine that is busy with other things may take longer.
    assert!(begin.elapsed().as_millis() < 500, "{:?}", begin.elapsed());
    assert_eq!(first_ones(&items).iter().filter(|found| items[found.item].group == RUNS).count(), FEW);
}

#[test]
fn pictures() {
    let shop = Shop::default();
    let mut harness = palette(&shop);
    crate::app::test_look::picture(&mut harness, "palette-all");
    harness.get_by_label("Search commands").type_text("sav");
    harness.run_steps(2);
    crate::app::test_look::picture(&mut harness, "palette-sav");
}
