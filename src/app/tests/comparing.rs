//! Many runs compared, kept as a group and reopened, in the window as a whole; and pictures of that.

use eframe::egui::Theme;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use super::pictures::{drawn, looks};
use super::*;
use crate::app::act::CompareAct;
use crate::app::ticked::Ticked;
use crate::report::samples;
use crate::run::caption::Caption;
use crate::run::pictures::{Tile, sheet};
use crate::run::scene::Picture;
use crate::run::summary::Summary;
use crate::run::whole_files::Writer;

/// What a thief made of some samples of a seed, worse with `error`.
fn stolen(seed: u64, error: f32) -> Vec<u8> {
    let picture = |n: usize, error: f32| {
        let at = |i: usize| {
            let (y, x) = ((i / 28) as f32 - 13.5, (i % 28) as f32 - 13.5);
            let ring = (y * y + x * x).sqrt() - 4.0 - n as f32 - seed as f32;
            ((1.0 - ring.abs() / 2.0).max(0.0) + error * ((i * 37 % 11) as f32 / 11.0)).min(1.0)
        };
        Picture { shape: [1, 28, 28], values: (0..784).map(at).collect() }
    };
    let row = |n: usize| {
        let (own, stolen) = (picture(n, 0.0), picture(n, error));
        vec![Tile::Image(own.clone()), Tile::Image(own.clone()), Tile::Image(stolen.clone()), Tile::Error(own, stolen)]
    };
    sheet(&(0..4).map(row).collect::<Vec<_>>(), &Caption::default()).unwrap()
}

/// Three seeds without a defence and under two, with what was stolen, in the window's own folder.
fn with_runs(size: [f32; 2]) -> Window {
    let mut window = Window::sized(quick(), size[0], size[1], |builder| builder);
    let runs = window.home.path().join("runs");
    let put = |name: &str, seed: u64, mut summary: Summary, last: f64, error: f32| {
        summary.epochs[1].accuracy = last + 0.7 * seed as f64;
        summary.rows[0].accuracy = summary.epochs[1].accuracy;
        let folder = runs.join(format!("{name}-{seed}"));
        samples::keep(&folder, &summary);
        std::fs::create_dir_all(folder.join("images")).unwrap();
        let defence = summary.attacks[0].target.clone();
        for mode in if defence == "vanilla" { &["naive"][..] } else { &["naive", "adaptive"] } {
            let error = if *mode == "naive" { 1.6 * error } else { error };
            let file = folder.join(format!("images/{defence}-e2-inverse-{mode}.png"));
            Writer::default().write(&file, &stolen(seed, error)).unwrap();
        }
    };
    for seed in 0..3 {
        put("plain", seed, samples::summary(seed), 96.0, 0.05);
        put("noise", seed, samples::defended(seed, "image-noise", &[]), 91.0, 0.35);
        put("dropout", seed, samples::defended(seed, "dropout", &[]), 93.5, 0.2);
    }
    window.act(Act::Refresh);
    window.until("the list", |app| app.library().runs.len() == 9);
    window
}

fn compare(window: &mut Window) {
    window.act(Act::Pane(Pane::Runs));
    window.harness.run_steps(3);
    window.act(Act::Compare(CompareAct::All));
    window.harness.run_steps(3);
    window.rest();
    window.harness.run_steps(3);
}

#[test]
fn stolen_images_stand_side_by_side_on_the_same_samples() {
    let mut window = with_runs([1600.0, 1400.0]);
    compare(&mut window);
    window.harness.get_by_label("sample 1, original");
    let adaptive = |window: &Window| window.harness.query_all_by_label_contains("adaptive").count();
    let before = adaptive(&window);
    for letter in ["A", "B", "C"] {
        window.harness.get_by_label_contains(&format!("{letter}, sample 4: SSIM"));
    }
    window.harness.get_by_label("who do not know the defence").scroll_to_me();
    window.harness.run_steps(12);
    window.harness.get_by_label("who do not know the defence").click();
    window.harness.run_steps(3);
    assert!(adaptive(&window) < before);
    // By run there are other seeds, whose samples are the same in part.
    window.harness.get_by_label("by run").scroll_to_me();
    window.harness.run_steps(12);
    window.harness.get_by_label("by run").click();
    window.harness.run_steps(2);
    window.rest();
    window.harness.get_by_label_contains("2 of 4 kept samples are the same in all.");
}

#[test]
fn a_group_is_kept_reopened_and_tells_what_is_missing() {
    let mut window = with_runs([1600.0, 1000.0]);
    window.act(Act::Pane(Pane::Runs));
    window.harness.run_steps(3);
    for name in ["plain-0", "noise-0", "noise-1"] {
        let label = format!("Compare {name}");
        window.harness.get_by_label(&label).scroll_to_me();
        window.harness.run_steps(12);
        window.click(&label);
    }
    window.act(Act::Compare(CompareAct::Ask));
    window.harness.run_steps(3);
    assert!(window.harness.get_by_label("Name of the group").is_focused());
    window.harness.get_by_label("Name of the group").type_text("noise or none");
    window.harness.run_steps(2);
    window.click("Save group");
    window.until("the list", |app| !app.library().looking());
    window.click("Untick all");
    window.harness.state_mut().leave();
    // Another day, a run of it gone.
    std::fs::remove_dir_all(window.home.path().join("runs/noise-1")).unwrap();
    let home = window.home;
    let app = App::in_folder(Some(quick()), home.path().to_owned());
    let draw = |ui: &mut egui::Ui, app: &mut App| {
        app.logic(ui.ctx());
        app.ui(ui);
    };
    let harness = Harness::builder().with_size([1600.0, 1000.0]).build_ui_state(draw, app);
    let mut window = Window { harness, home };
    window.until("the list", |app| app.library().runs.len() == 8);
    window.act(Act::Popup(Some(Popup::Palette)));
    window.harness.run_steps(3);
    window.harness.get_by_label("Search commands").type_text("noise or none");
    window.harness.run_steps(3);
    window.harness.key_press(egui::Key::Enter);
    window.harness.run_steps(3);
    window.until("the list", |app| !app.library().looking());
    window.harness.run_steps(4);
    window.harness.get_by_label_contains("1 of this group's 3 runs are not there, or not finished: ");
    assert_eq!(window.app().view.runs.ticked(), Ticked::Several);
    window.harness.get_by_label("A: plain-0");
    window.click("Rename group\u{2026}");
    window.harness.get_by_label("Name of the group").type_text(" at all");
    window.harness.run_steps(2);
    window.click("Rename group");
    assert_eq!(window.app().memory.groups[0].name, "noise or none at all");
    window.harness.get_by_role_and_label(Role::ComboBox, "Group");
    window.click("Delete group\u{2026}");
    window.click("Delete group");
    assert!(window.app().memory.groups.is_empty() && window.app().library().runs.len() == 8);
    assert!(window.harness.query_by_label("Rename group\u{2026}").is_none());
    assert!(memory::Memory::load(&window.home.path().join("window.json")).groups.is_empty());
}

#[test]
fn the_comparison_in_pictures() {
    let mut window = with_runs([1280.0, 800.0]);
    compare(&mut window);
    let sizes =
        [("1280", [1280.0, 800.0], 1.0), ("1920", [1920.0, 1080.0], 1.0), ("1280-at-150", [1280.0, 800.0], 1.5)];
    for ((size, pixels, scale), theme) in sizes.iter().flat_map(|size| [Theme::Dark, Theme::Light].map(|t| (size, t))) {
        looks(&mut window, *pixels, theme, *scale);
        window.rest();
        let name = format!("compare-{size}-{theme:?}").to_lowercase();
        if drawn(&mut window, &name).is_none() {
            return;
        }
        // What is further down.
        for (part, label) in [("curves", "By epoch"), ("pictures", "sample 4, original")] {
            window.harness.get_by_label(label).scroll_to_me();
            window.harness.run_steps(12);
            drawn(&mut window, &format!("{name}-{part}"));
        }
    }
}
