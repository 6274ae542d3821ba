//! Any number of runs compared, and kept as groups.

use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};

use super::*;
use crate::app::act::CompareAct;
use crate::report::samples as report;

/// Seeds of two settings, and one of a third.
pub(super) fn seeds() -> Vec<RunEntry> {
    let noisy = |seed: u64| {
        let mut summary = report::defended(seed, "image-noise", &[]);
        summary.epochs[1].accuracy = 86.0 + 2.0 * seed as f64;
        summary
    };
    let plain = |seed: u64| {
        let mut summary = report::summary(seed);
        summary.epochs[1].accuracy = 96.0 + seed as f64;
        summary
    };
    let mut all: Vec<RunEntry> = Vec::new();
    for seed in 0..3 {
        all.push(samples::finished(&format!("noise-{seed}"), noisy(seed)));
        all.push(samples::finished(&format!("plain-{seed}"), plain(seed)));
    }
    all.push(samples::finished("dropout", report::defended(0, "dropout", &[])));
    all
}

#[test]
fn any_number_of_runs_is_compared_by_setting_or_by_run() {
    let mut world = world(seeds());
    world.library.runs.push(RunEntry { standing: Standing::Begun, ..samples::run("just-begun") });
    let acts = world.acts.clone();
    let mut harness = harness(world, [1400.0, 2600.0], true, 1.0);
    harness.step();
    click(&mut harness, "Tick all");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Compare(CompareAct::All)));
    for run in seeds() {
        click(&mut harness, &format!("Compare {}", run.name));
    }
    harness.get_by_label("A: noise on the image \u{3c3} 0.2, 3 runs");
    harness.get_by_label("B: undefended, 3 runs");
    harness.get_by_label("C: dropout p 0.3");
    for line in [
        "A: noise on the image \u{3c3} 0.2, last epoch: 88.0 \u{b1} 2.0 %",
        "B: undefended, last epoch: 97.0 \u{b1} 1.0 %",
        "C: dropout p 0.3, last epoch: 90.0 %",
    ] {
        harness.get_by_label(line);
    }
    harness.get_by_label_contains("A band is one standard deviation");
    assert!(harness.query_by_label("Swap").is_none());
    click(&mut harness, "by run");
    harness.get_by_label("G: dropout");
    harness.get_by_label("F: plain-2, last epoch: 98.0 %");
    assert!(harness.query_by_label_contains("A band is one standard deviation").is_none());
    // What no run has cannot be looked at, and a curve can be put away.
    click(&mut harness, "F: plain-2, last epoch: 98.0 %");
    harness.get_by_label("F: plain-2, last epoch: 98.0 %");
    let begin = Instant::now();
    while harness.query_by_label_contains("No attack at these runs has kept pictures").is_none() {
        assert!(begin.elapsed() < Duration::from_mins(1), "the pictures are read");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
}

#[test]
fn groups_are_saved_opened_renamed_and_deleted() {
    let mut world = world(some());
    world.groups = vec![
        Group { name: "old".into(), runs: vec!["/runs/second".into(), "/gone/far".into(), "/runs/just-begun".into()] },
        Group { name: "other".into(), runs: vec!["/runs/first".into()] },
    ];
    let acts = world.acts.clone();
    let mut harness = plain(world);
    assert!(harness.get_by_label("Save as group\u{2026}").accesskit_node().is_disabled(), "nothing is ticked");
    harness.get_by_role_and_label(Role::ComboBox, "Group").click();
    steps(&mut harness);
    click(&mut harness, "old (3 runs)");
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Compare(CompareAct::Open("old".to_owned()))));
    click(&mut harness, "Compare second");
    click(&mut harness, "Compare first");
    click(&mut harness, "Save as group\u{2026}");
    assert!(harness.get_by_label("Save group").accesskit_node().is_disabled(), "it has no name yet");
    harness.get_by_label("Name of the group").type_text(" both ");
    steps(&mut harness);
    press(&mut harness, Key::Enter);
    let both = vec![PathBuf::from("/runs/second"), PathBuf::from("/runs/first")];
    assert_eq!(acts.borrow_mut().pop(), Some(Act::Compare(CompareAct::Save("both".to_owned(), both))));
    click(&mut harness, "Save as group\u{2026}");
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_label("Name of the group").is_none() && acts.borrow().is_empty());
}
