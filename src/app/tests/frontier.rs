//! The frontier's pane with runs and without, used and in pictures.

use eframe::egui::Theme;
use egui_kittest::kittest::Queryable as _;

use super::pictures::{drawn, looks};
use super::*;
use crate::report::samples;
use crate::run::summary::Summary;

/// Runs in the window's own folder.
fn with_runs() -> Window {
    let mut window = Window::sized(quick(), 1280.0, 800.0, |builder| builder);
    let at = window.home.path().join("runs");
    let put = |name: &str, summary: &Summary| samples::keep(&at.join(name), summary);
    for seed in 0..3 {
        let mut plain = samples::summary(seed);
        plain.rows[0].accuracy = 97.0 + 0.2 * seed as f64;
        plain.attacks[0].lineup = Some(100.0);
        put(&format!("none-{seed}"), &plain);
        for (strength, accuracy, naive, adaptive) in
            [(0.2, 96.0, 60.0, 95.0), (0.5, 91.0, 22.0, 70.0), (0.6, 88.0, 50.0, 75.0)]
        {
            let mut run = samples::defended(seed, "image-noise", &[&format!("defence.image-noise.sigma={strength}")]);
            run.rows[0].accuracy = accuracy + 0.3 * seed as f64;
            (run.attacks[0].lineup, run.attacks[1].lineup) = (Some(naive), Some(adaptive - seed as f64));
            put(&format!("noise-{strength}-{seed}"), &run);
        }
    }
    window.act(Act::Refresh);
    window.until("the list", |app| app.library().runs.len() == 12);
    window
}

#[test]
fn each_point_is_told_in_words_and_opens_its_run() {
    let mut window = with_runs();
    window.act(Act::Pane(Pane::Frontier));
    window.harness.run_steps(4);
    for words in [
        "1. undefended: accuracy 97.2 \u{b1} 0.1 %; line-up 100.0 \u{b1} 0.0 %, on the front",
        "3. noise on the image \u{3c3} 0.5: accuracy 91.3 \u{b1} 0.2 %; line-up naive 22.0 \u{b1} 0.0 %, adaptive 69.0 \u{b1} 0.6 %, on the front",
        "4. noise on the image \u{3c3} 0.6: accuracy 88.3 \u{b1} 0.2 %; line-up naive 50.0 \u{b1} 0.0 %, adaptive 74.0 \u{b1} 0.6 %",
    ] {
        window.harness.get_by_label(words);
    }
    window.harness.get_by_role_and_label(egui::accesskit::Role::RadioButton, "SSIM").click();
    window.harness.run_steps(2);
    window.click("3. noise on the image \u{3c3} 0.5: accuracy 91.3 \u{b1} 0.2 %; SSIM naive 0.600 \u{b1} 0.000, adaptive 0.600 \u{b1} 0.000");
    window.harness.get_by_label(
        "Your point, 3: noise on the image \u{3c3} 0.5, accuracy 91.3 \u{b1} 0.2 %. By naive attackers SSIM 0.600 \u{b1} 0.000, others \
         beat it; by all attackers 0.600 \u{b1} 0.000, others beat it: it slides up by 0.000.",
    );
    window.harness.get_by_role_and_label(egui::accesskit::Role::RadioButton, "line-up").click();
    window.harness.run_steps(2);
    let slid = "By naive attackers line-up 22.0 \u{b1} 0.0 %, no other beats it; by all attackers 69.0 \u{b1} 0.6 %, no other beats it: it \
                slides up by 47.0 points.";
    window.harness.get_by_label_contains(slid);
    window.click("naive attackers");
    window.harness.get_by_label_contains(
        "4. noise on the image \u{3c3} 0.6: accuracy 88.3 \u{b1} 0.2 %; line-up naive 50.0 \u{b1} 0.0 %",
    );
    assert!(window.harness.query_by_label_contains("; line-up naive 22.0 \u{b1} 0.0 %, adaptive").is_none());
    window.click("all attackers");
    window.click("Open its run");
    // The sample has no weights: what is told of it names the run of the first seed.
    let asked = |app: &App| app.state().error.as_ref().is_some_and(|told| told.ends_with("noise-0.5-0"));
    window.until("the run", asked);
}

#[test]
fn without_runs_of_ones_own_the_recorded_frontier_stands_there() {
    let mut window = Window::open(quick());
    window.act(Act::Pane(Pane::Frontier));
    window.rest();
    window.harness.run_steps(4);
    window.harness.get_by_label_contains("Recorded example: ");
    window.harness.get_by_label_contains("1. undefended: accuracy");
    // Beside runs of one's own it is one of the choices, and they come first.
    let mut window = with_runs();
    window.act(Act::Pane(Pane::Frontier));
    window.harness.run_steps(4);
    assert!(window.harness.query_by_label_contains("Recorded example: ").is_none());
    window.harness.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Images").click();
    window.harness.run_steps(3);
    window.click("digits, a recorded example");
    window.harness.run_steps(3);
    window.harness.get_by_label_contains("Recorded example: ");
}

#[test]
fn the_frontier_in_pictures() {
    let mut window = with_runs();
    let mut empty = Window::sized(quick(), 1280.0, 800.0, |builder| builder);
    for (name, window) in [("frontier", &mut window), ("frontier-recorded", &mut empty)] {
        window.act(Act::Pane(Pane::Frontier));
        window.harness.state_mut().view.frontier.chosen = Some(2);
        for (theme, size) in
            [(Theme::Dark, [1280.0, 800.0]), (Theme::Light, [1280.0, 800.0]), (Theme::Dark, [900.0, 600.0])]
        {
            looks(window, size, theme, 1.0);
            window.rest();
            let name = format!("{name}-{}-{theme:?}", size[0]).to_lowercase();
            if drawn(window, &name).is_none() {
                return;
            }
        }
    }
}
