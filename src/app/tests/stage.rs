//! What the stage says: who is looking, of what, and nothing of a question that has changed. And that all of it can be
//! reached when text is large.

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{self, Rect, pos2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::*;
use crate::experiment::PRESETS;
use crate::experiment::fixture::{BRAIN, DIGITS, GAMMA, TITLE, gamma};

/// Everything that is there to be seen or heard: its kind, its words and where it is, in points.
pub(super) fn things(window: &Window) -> Vec<(Role, String, Rect)> {
    let scale = window.harness.ctx.pixels_per_point();
    let thing = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        let bounds = node.raw_bounds()?;
        let words = node.label().or_else(|| node.value()).filter(|words| !words.is_empty())?;
        let [x0, y0, x1, y1] = [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(|side| side as f32 / scale);
        Some((node.role(), words, Rect::from_min_max(pos2(x0, y0), pos2(x1, y1))))
    };
    window.harness.root().children_recursive().filter_map(thing).collect()
}

fn stolen_by(app: &App, attack: &str, adaptive: bool) -> bool {
    let scene = app.showing().scene.as_ref().filter(|_| app.showing().reconstruction().is_some());
    scene.is_some_and(|scene| scene.stamp.attack == attack && scene.stamp.adaptive == adaptive)
}

/// Chooses among the attackers of the sentence.
fn choose(window: &mut Window, attacker: &str) {
    window.harness.get_by_role_and_label(Role::ComboBox, "Attacker:").click();
    window.harness.run_steps(3);
    window.click(attacker);
}

#[test]
fn whoever_is_chosen_steals_on_the_stage_and_says_what_he_knows() {
    let mut experiment = quick();
    // As many steps of fewer images: who steals what is the same.
    experiment.set("attack.inverse.batch=2").unwrap();
    let mut window = Window::open(experiment);
    window.rest();
    let known = ["client weights", "similar images", "our defence"].map(|words| format!("It knows {words}"));
    let ticks = |window: &Window| {
        let toggled = |words: &String| window.harness.get_by_label(words).accesskit_node().toggled();
        known.each_ref().map(|words| toggled(words) == Some(Toggled::True))
    };
    let details = |window: &mut Window, words: &str| {
        // The button stays where it is once there is a film.
        window.rest();
        window.click("Details");
        assert_eq!(window.harness.query_all_by_label(&format!("It {words}.")).count(), 1, "{words}");
        window.click("Details");
    };
    assert_eq!(ticks(&window), [true, false, false]);
    details(&mut window, "sees the smashed data; knows the client's weights; there is no defence");
    let before = window.app().document().experiment().clone();
    choose(&mut window, "somebody with similar images");
    window.until("an inverse network's picture", |app| stolen_by(app, "inverse", false));
    window.rest();
    let progress = window.app().showing().scene.as_ref().unwrap().progress.clone().unwrap();
    assert_eq!((progress.attack.as_str(), progress.iteration), ("inverse", progress.planned));
    assert_eq!(ticks(&window), [false, true, false]);
    window.click(TITLE);
    window.until("a disguise", |app| stolen_by(app, "inverse", false));
    window.click("It knows our defence");
    window.until("an adaptive picture", |app| stolen_by(app, "inverse", true));
    window.rest();
    assert_eq!(ticks(&window), [true, true, true]);
    details(
        &mut window,
        "sees the smashed data; knows the client's weights, similar images, their labels and the defence",
    );
    window.click("It knows our defence");
    window.until("a naive picture", |app| stolen_by(app, "inverse", false));
    // What is known chooses who looks.
    window.click("It knows client weights");
    window.until("the learned prior's picture", |app| stolen_by(app, "prior", false));
    assert_eq!(ticks(&window), [true, true, false]);
    details(
        &mut window,
        "sees the smashed data; knows the client's weights, similar images and their labels; does not know the defence",
    );
    // Looking changes nothing of the experiment; the ticks do.
    assert_eq!(*window.app().document().experiment(), before);
    window.click("somebody with similar images: in the run");
    assert_eq!(window.app().document().experiment().attack_names(), ["rmle"]);
}

#[test]
fn attackers_that_cannot_be_tried_stand_there_with_why() {
    let mut window = Window::open(quick());
    window.rest();
    window.harness.get_by_role_and_label(Role::ComboBox, "Attacker:").click();
    window.harness.run_steps(3);
    let missing = window.harness.get_by_label("a malicious server: in a run");
    assert!(missing.accesskit_node().is_disabled());
}

#[test]
fn a_lever_says_what_the_run_has_and_goes_back_to_it() {
    let mut window = Window::open(quick());
    window.click("Run");
    window.until("an epoch", |app| !app.state().test.is_empty());
    window.click("Stop");
    window.until("the end", |app| app.activity() == Activity::Idle);
    window.rest();
    window.act(Act::Defended(true));
    assert!(window.harness.query_by_label_contains("run: ").is_none());
    let run = window.app().document().experiment().clone();
    window.act(Act::Set(GAMMA.to_owned(), "0.3".to_owned()));
    window.act(Act::Cut(2));
    window.rest();
    window.harness.get_by_label("2 settings are not as in the shown run.");
    window.harness.get_by_label("run: 0.1");
    window.harness.get_by_label("run: 4");
    // The one of all settings stands first, that of the lever after it.
    window.harness.get_all_by_label("Revert").nth(1).unwrap().click();
    window.harness.run_steps(2);
    assert_eq!((gamma(window.app().document().experiment()), cut(&window)), (gamma(&run), 2));
    window.harness.get_by_label("model.cut is not as in the shown run.");
    window.harness.get_all_by_label("Revert").next().unwrap().click();
    window.harness.run_steps(2);
    assert_eq!(*window.app().document().experiment(), run);
    assert!(window.harness.query_by_label("Revert").is_none());
    window.act(Act::Cut(2));
    window.click("Run with these");
    window.until("another run", |app| app.activity() == Activity::Running && app.state().folder.is_some());
    window.harness.state_mut().leave();
}

fn cut(window: &Window) -> usize {
    window.app().document().experiment().model.cut
}

#[test]
fn the_stolen_image_is_wiped_and_the_stage_is_dragged() {
    let mut window = Window::open(quick());
    window.rest();
    let picture = window.harness.get_by_label_contains("Wipe: ").rect();
    let at = |share: f32| picture.left_top() + vec2(share * picture.width(), 0.5 * picture.height());
    window.harness.drag_at(at(0.2));
    window.harness.step();
    window.harness.hover_at(at(0.6));
    window.harness.run_steps(2);
    window.harness.drop_at(at(0.6));
    window.harness.run_steps(2);
    let share = window.app().view.wipe.share.unwrap();
    assert!((share - 0.6).abs() < 0.02, "{share}");
    window.harness.get_by_label_contains("Wipe: ").focus();
    window.harness.run_steps(2);
    window.harness.key_press(egui::Key::ArrowRight);
    window.harness.run_steps(2);
    assert!((window.app().view.wipe.share.unwrap() - share - 0.05).abs() < 1e-4);
    // The line goes at the left edge; a click is no drag.
    window.harness.drag_at(at(0.6));
    window.harness.step();
    window.harness.hover_at(at(0.0));
    window.harness.run_steps(2);
    window.harness.drop_at(at(0.0));
    window.harness.run_steps(2);
    assert_eq!(window.app().view.wipe.share, None);
    // Original and stolen are as large as can be, and equally.
    let side = |window: &Window, word: &str| {
        let all = things(window);
        all.into_iter().find(|(role, words, _)| *role == Role::Image && words.starts_with(word)).unwrap().2.size()
    };
    let before = side(&window, "stolen: ");
    assert!(before == side(&window, "digit: ") && before.min_elem() >= 280.0, "{before:?}");
    let edge = window.harness.get_by_label("Height of the stage").rect().center();
    window.harness.drag_at(edge);
    window.harness.step();
    for y in [20.0, 60.0, 120.0] {
        window.harness.hover_at(edge - vec2(0.0, y));
        window.harness.run_steps(2);
    }
    window.harness.drop_at(edge - vec2(0.0, 120.0));
    window.harness.run_steps(2);
    let after = side(&window, "stolen: ");
    assert!(after.x < before.x - 80.0, "{before:?} {after:?}");
    window.harness.state_mut().leave();
    let again = App::in_folder(None, window.home.path().to_owned());
    assert!(again.memory.stage.is_some_and(|height| height < edge.y));
}

#[test]
fn learning_gives_way_to_every_change() {
    let mut experiment = quick();
    // A network that would learn for long.
    experiment.data.aux = 0.1;
    experiment.set("attack=[{ name = \"inverse\", epochs = 500, batch = 1 }]").unwrap();
    let mut window = Window::open(experiment);
    window.rest();
    window.act(Act::Attacker("inverse"));
    window.until("the first steps", |app| stolen_by(app, "inverse", false));
    let start = Instant::now();
    window.act(Act::Attacker("rmle"));
    window.until("rMLE's picture", |app| stolen_by(app, "rmle", false));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn of_a_blank_canvas_there_is_nothing_to_steal() {
    let mut window = Window::open(quick());
    window.rest();
    window.click("Draw");
    window.rest();
    window.harness.get_by_label("Nothing to steal");
    window.click("Details");
    assert!(window.harness.query_by_label_contains("SSIM ").is_none());
    assert!(window.harness.query_by_label_contains("picked from").is_none());
    window.click("Details");
    assert_eq!(window.app().said, "The image is blank: there is nothing to steal");
    window.click("Digits");
    window.rest();
    window.click("Details");
    assert!(window.harness.query_all_by_label_contains("SSIM ").count() > 0);
    window.harness.get_by_label("picked from 8: correct");
}

#[test]
fn another_question_takes_the_numbers_and_other_data_the_pictures_with_it() {
    let mut window = Window::open(quick());
    window.rest();
    assert!(window.app().showing().shown_score().is_some());
    let ctx = window.harness.ctx.clone();
    window.harness.state_mut().act(Act::Patient(1), &ctx);
    let showing = window.app().showing();
    assert!(showing.scene.is_some() && showing.shown_score().is_none() && showing.shown_lineup().is_none());
    window.rest();
    assert!(window.app().showing().shown_score().is_some());
    let brain = PRESETS.iter().position(|preset| preset.0 == BRAIN).unwrap();
    window.harness.state_mut().act(Act::Preset(brain), &ctx);
    let showing = window.app().showing();
    assert!(showing.scene.is_none() && showing.facts.is_none() && showing.shown_score().is_none());
    window.rest();
    assert_eq!(window.app().showing().scene.as_ref().unwrap().original.shape, [1, 64, 64]);
    // What cannot be answered at all leaves no picture of what was asked before.
    window.act(Act::Set("data.name".to_owned(), "/no/such/data".to_owned()));
    window.until("the trouble", |app| app.showing().trouble.is_some());
    assert!(window.app().showing().scene.is_none() && window.app().textures.stolen.is_none());
}

#[test]
fn the_recorded_example_stands_for_its_own_preset_alone() {
    let mut window = Window::open(quick());
    window.rest();
    assert!(window.harness.query_by_label_contains("recorded example").is_none());
    let digits = PRESETS.iter().position(|preset| preset.0 == DIGITS).unwrap();
    window.act(Act::Preset(digits));
    window.rest();
    window.harness.get_by_label_contains(&format!("recorded example: {DIGITS}"));
}

#[test]
fn a_digit_is_no_patient() {
    let mut window = Window::open(quick());
    window.rest();
    window.act(Act::Log);
    for pane in [Pane::Levers, Pane::Curves, Pane::Images, Pane::Runs] {
        window.act(Act::Pane(pane));
        window.harness.run_steps(3);
        for (_, words, _) in things(&window) {
            assert!(!words.to_lowercase().contains("patient"), "{pane:?}: {words}");
        }
    }
    window.act(Act::Workspace(Workspace::Teach));
    let starts = |window: &Window, word: &str| things(window).iter().any(|(_, words, _)| words.starts_with(word));
    assert!(starts(&window, "digit: The digit never leaves the hospital."));
    let brain = PRESETS.iter().position(|preset| preset.0 == BRAIN).unwrap();
    window.act(Act::Preset(brain));
    window.rest();
    assert!(starts(&window, "slice: "));
}

#[test]
fn both_maps_have_one_size_one_scale_and_their_correlation() {
    for (width, height, text) in [(1280.0, 800.0, 1.0), (1100.0, 700.0, 1.0), (1280.0, 800.0, 2.0)] {
        let mut window = Window::sized(quick(), width, height, |builder| builder);
        large(&mut window, [width, height], text);
        window.act(Act::Defended(true));
        window.rest();
        let found = |window: &Window, word: &str| {
            let all = things(window);
            all.into_iter().find(|(_, words, _)| words.starts_with(word)).unwrap_or_else(|| panic!("{word}"))
        };
        let [sent, got] = ["map sent: ", "map found: "].map(|word| found(&window, word));
        assert!((sent.2.size() - got.2.size()).length() < 0.1, "{sent:?} {got:?}");
        let textures = &window.app().textures;
        let size = |texture: &Option<egui::TextureHandle>| texture.as_ref().map(egui::TextureHandle::size);
        assert_eq!(size(&textures.sent_size), size(&textures.found_size));
        let correlation = textures.correlation.unwrap();
        assert!(correlation.abs() < 1.0);
        let words = format!("correlation {}", words::decimal(correlation, 2));
        assert_eq!(found(&window, "correlation ").1, words);
        window.harness.get_by_label("signed").scroll_to_me();
        window.harness.run_steps(4);
        window.click("signed");
        assert!(found(&window, "map found: ").1.contains("with its signs"));
        let [sent, got] = ["map sent: ", "map found: "].map(|word| found(&window, word));
        assert!((sent.2.size() - got.2.size()).length() < 0.1, "{sent:?} {got:?}");
    }
}

/// The same window with larger text, as its own setting has it.
fn large(window: &mut Window, size: [f32; 2], text: f32) {
    window.harness.set_pixels_per_point(text);
    window.harness.set_size(vec2(size[0], size[1]) / text);
}

#[test]
fn what_stands_above_the_page_is_not_covered_by_what_is_scrolled_under_it() {
    let mut window = Window::sized(quick(), 1100.0, 700.0, |builder| builder);
    // What was shown before the page had to be scrolled does not scroll it.
    window.act(Act::Pane(Pane::Images));
    large(&mut window, [1100.0, 700.0], 2.0);
    window.rest();
    let heading = things(&window).into_iter().find(|(_, words, _)| words == "Hospital").unwrap().2;
    assert!(window.harness.ctx.content_rect().contains_rect(heading), "{heading:?}");
    // The panes' command scrolls to them, and below: their upper part is then where the bar is.
    window.act(Act::Pane(Pane::Table));
    window.harness.run_steps(12);
    let place = things(&window).into_iter().find(|(_, words, _)| words == "Table").unwrap().2;
    assert!(
        window.harness.ctx.content_rect().contains_rect(place),
        "Show Table brings the panes into sight: {place:?}"
    );
    let middle = window.harness.ctx.content_rect().center();
    window.harness.hover_at(middle);
    for _ in 0..40 {
        let wheel = egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: vec2(0.0, -60.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: egui::Modifiers::NONE,
        };
        window.harness.event(wheel);
        window.harness.step();
    }
    let bar = window.harness.get_by_label("Menu").rect();
    let under = things(&window).into_iter().filter(|(_, words, rect)| words != "Menu" && rect.intersects(bar)).count();
    assert!(under > 0, "something of the panes is where the bar is");
    window.click("Menu");
    window.harness.run_steps(3);
    window.harness.get_by_label("File");
    window.harness.get_by_label("Edit");
}

/// Windows in pixels and the size of text.
const LARGE: [([f32; 2], f32); 4] =
    [([1280.0, 800.0], 1.5), ([1280.0, 800.0], 2.0), ([1100.0, 700.0], 1.5), ([1100.0, 700.0], 2.0)];

#[test]
fn with_large_text_all_is_reached_and_the_compared_pictures_are_the_largest() {
    for (size, text) in LARGE {
        let mut window = Window::sized(quick(), size[0], size[1], |builder| builder);
        large(&mut window, size, text);
        window.act(Act::Defended(true));
        window.rest();
        let screen = window.harness.ctx.content_rect();
        let all = things(&window);
        let tabs = all.iter().find(|(_, words, _)| words == "Levers").unwrap().2;
        let stage: Vec<_> = all.iter().filter(|(.., rect)| rect.bottom() <= tabs.top() + 1.0).collect();
        assert!(stage.len() > 30, "{size:?} at {text}: only {} things", stage.len());
        for (_, words, rect) in &stage {
            let inside = screen.left() - 1.0 <= rect.left() && rect.right() <= screen.right() + 1.0;
            assert!(inside, "{size:?} at {text}: {words:?} at {rect:?} is beside {screen:?}");
        }
        let images = stage.iter().filter(|(role, ..)| *role == Role::Image);
        let mut areas: Vec<(f32, &str)> = images.map(|(_, words, rect)| (rect.area(), words.as_str())).collect();
        areas.sort_by(|a, b| b.0.total_cmp(&a.0));
        let largest = [areas[0].1, areas[1].1].map(|words| words.split(':').next().unwrap());
        assert!(largest.contains(&"digit") && largest.contains(&"stolen"), "{size:?} at {text}: {areas:?}");
        assert!((areas[0].0 - areas[1].0).abs() < 1.0 && areas[1].0 > 1.2 * areas[2].0, "{areas:?}");
        let compared =
            stage.iter().filter(|(_, words, _)| words.starts_with("digit: ") || words.starts_with("stolen: "));
        assert!(compared.clone().count() == 2 && compared.clone().all(|(.., rect)| screen.contains_rect(*rect)));
        // Each pane can be scrolled to, and the stage again.
        for title in ["Levers", "Curves", "Hospital"] {
            let node = window.harness.get_all_by_label(title).next().unwrap();
            // The page follows the keyboard's focus; a heading has none.
            if title == "Hospital" {
                node.scroll_to_me();
            } else {
                node.focus();
            }
            window.harness.run_steps(12);
            let place = things(&window).into_iter().find(|(_, words, _)| words == title).unwrap().2;
            assert!(
                screen.contains_rect(place),
                "{size:?} at {text}: {title} at {place:?} is not inside of {screen:?}"
            );
        }
    }
}

#[test]
fn the_cards_are_whole_whoever_attacks_what_is_defended_by_two() {
    let mut experiment = quick();
    experiment.set("defence=[{ name = \"dropout\" }]").unwrap();
    let mut window = Window::open(experiment);
    window.rest();
    for width in [900.0, 980.0, 1100.0, 1200.0, 1280.0, 1400.0] {
        window.harness.set_size(vec2(width, 760.0));
        for kind in crate::workbench::attacks().iter().filter(|kind| !kind.make.trains()) {
            window.act(Act::Attacker(kind.id));
            window.harness.run_steps(2);
            let place = |words: &str| {
                let found = window.harness.query_all_by_label(words).next();
                found.unwrap_or_else(|| panic!("no {words} for {} in {width}", kind.id)).rect()
            };
            let [last, card, tab] = ["It knows our defence", "Draw", "Levers"].map(place);
            assert!(
                last.right() <= width && card.bottom() < tab.top(),
                "{} in {width}: {last:?}, {card:?}, {tab:?}",
                kind.id
            );
        }
    }
}
