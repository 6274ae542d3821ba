//! Pictures looked into: their true numbers, and how those on the wire come about; the full screen and presenter's size.

use eframe::egui::accesskit::Role;
use eframe::egui::{self, Key, Modifiers, Pos2, Rect, ViewportCommand, ViewportId, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::stage::things;
use super::subject::{Layer, Subject};
use super::*;
use crate::run::scene::{Picture, Scene};

/// A number as it was written.
fn read(text: &str) -> f64 {
    text.replace('\u{2212}', "-").parse().unwrap_or_else(|_| panic!("{text}"))
}

/// The numbers of the label that begins so.
fn told(window: &Window, begins: &str) -> Vec<f64> {
    let all = things(window);
    let found = all.iter().find(|(_, words, _)| words.starts_with(begins));
    let words = &found.unwrap_or_else(|| panic!("{begins}: {all:?}")).1;
    words.split_whitespace().filter(|word| word.contains(|c: char| c.is_ascii_digit())).map(read).collect()
}

fn scene(window: &Window) -> &Scene {
    window.app().showing().scene.as_ref().unwrap()
}

fn subject(window: &Window) -> Option<Subject> {
    window.app().view.inspector.subject()
}

/// The picture whose words begin so.
fn picture(window: &Window, begins: &str) -> Rect {
    let all = things(window);
    let is = |(role, words, _): &&(Role, String, Rect)| *role == Role::Image && words.starts_with(begins);
    all.iter().find(is).unwrap_or_else(|| panic!("{begins}: {all:?}")).2
}

fn click_at(window: &mut Window, at: Pos2) {
    window.harness.drag_at(at);
    window.harness.run_steps(2);
    window.harness.drop_at(at);
    window.harness.run_steps(3);
    window.rest();
}

/// Where in the tiles a number of a channel is drawn.
fn tile(picture: &Picture, drawn: Rect, [channel, row, column]: [usize; 3]) -> Pos2 {
    let [n, h, w] = picture.shape;
    let columns = (1..=n).find(|columns| columns * columns >= n).unwrap();
    let rows = n.div_ceil(columns);
    let pixels = vec2((columns * (w + 1) - 1) as f32, (rows * (h + 1) - 1) as f32);
    let at = vec2((channel % columns * (w + 1) + column) as f32, (channel / columns * (h + 1) + row) as f32);
    drawn.min + (at + vec2(0.5, 0.5)) / pixels * drawn.size()
}

#[test]
fn a_click_on_the_original_shows_its_true_numbers() {
    let mut window = Window::open(quick());
    window.rest();
    let drawn = picture(&window, "digit: ");
    click_at(&mut window, drawn.center());
    assert_eq!(subject(&window), Some(Subject::Original));
    let values = scene(&window).original.values.clone();
    let of = |of: fn(f64, f64) -> f64| values.iter().map(|value| f64::from(*value)).fold(f64::NAN, of);
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / 784.0;
    let spread = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / 784.0;
    let near = |told: &[f64], wanted: [f64; 2]| {
        assert!(
            told.len() == 2 && (told[0] - wanted[0]).abs() < 1e-4 && (told[1] - wanted[1]).abs() < 1e-4,
            "{told:?}"
        );
    };
    near(&told(&window, "min "), [of(f64::min), of(f64::max)]);
    near(&told(&window, "mean "), [mean, spread.sqrt()]);
    window.harness.get_by_label("784 numbers: 28 × 28");
    // The middle of the picture is where row 14 and column 14 meet 13.
    let at = format!("row 14, column 14: {}", inspector::number(values[14 * 28 + 14]));
    window.harness.get_by_label(&at);
    // Moved by the keyboard, and read out with the picture's name.
    window.harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowUp);
    window.harness.run_steps(2);
    let at = format!("digit, row 13, column 14: {}", inspector::number(values[13 * 28 + 14]));
    window.harness.get_by_label(&at);
    window.harness.get_by_label_contains("Histogram from ");
}

#[test]
fn original_and_stolen_flicker_in_the_same_place_until_another_picture_is_chosen() {
    let mut window = Window::open(quick());
    window.until("something was stolen", |app| app.showing().reconstruction().is_some());
    window.act(Act::Inspect(Subject::Stolen, None));
    window.harness.run_steps(2);
    window.click("Flicker");
    let mut seen = Vec::new();
    for _ in 0..40 {
        window.harness.step();
        let now = subject(&window);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    let both = [Some(Subject::Original), Some(Subject::Stolen)];
    assert!(seen.len() >= 4 && seen.iter().all(|one| both.contains(one)), "{seen:?}");
    window.click("Look at: error");
    window.harness.run_steps(20);
    assert_eq!(subject(&window), Some(Subject::Error));
}

#[test]
fn the_products_behind_a_tile_come_to_the_number_on_the_wire() {
    let mut window = Window::open(quick());
    window.rest();
    for (cut, [channel, row, column]) in [(1, [2, 7, 9]), (4, [5, 0, 13])] {
        window.act(Act::Popup(None));
        window.act(Act::Cut(cut));
        window.rest();
        let smashed = scene(&window).smashed.clone();
        let at = tile(&smashed, picture(&window, "smashed data, up"), [channel, row, column]);
        click_at(&mut window, at);
        assert_eq!(subject(&window), Some(Subject::Smashed(channel)));
        let [_, h, w] = smashed.shape;
        let sent = smashed.values[(channel * h + row) * w + column];
        let inside = scene(&window).inside.clone().unwrap();
        let explained = inside.open().unwrap().last.unwrap().explain([channel, row, column]).unwrap();
        assert!((explained.value - sent).abs() <= 1e-5 * (1.0 + sent.abs()), "{explained:?} {sent}");
        let end = format!(
            "This comes to {}, the number on the wire in channel {channel}, row {row}, column {column}",
            inspector::number(explained.value)
        );
        window.harness.get_by_label(&end);
        window.harness.get_by_label(&format!("row {row}, column {column}: {}", inspector::number(sent)));
        // The patch, the kernel and the products of the channel that adds most are there, and in words.
        let most = explained.strongest(1).0[0].channel;
        for grid in ["Patch of input channel", "Kernel for input channel", "Products of input channel"] {
            window.harness.get_by_label_contains(&format!("{grid} {most}: "));
        }
    }
    window.harness.get_by_label_contains(", which add less each: ");
    window.harness.get_by_label_contains("Kernel 1 of layer 1: ").scroll_to_me();
    window.harness.run_steps(8);
    window.harness.get_by_label_contains("Kernel 1 of layer 1: ").click();
    window.harness.run_steps(3);
    assert_eq!(subject(&window), Some(Subject::Kernel(Layer::First, 1, 0)));
    window.harness.get_by_label("9 numbers: 3 × 3");
}

#[test]
fn the_inspector_is_walked_by_keys_and_gives_the_keyboard_back() {
    let mut window = Window::open(quick());
    window.rest();
    let original = |window: &Window| {
        let is = |node: &egui_kittest::Node<'_>| {
            let node = node.accesskit_node();
            node.role() == Role::Image && node.label().is_some_and(|words| words.starts_with("digit: "))
        };
        window.harness.root().children_recursive().find(is).map(|node| node.is_focused())
    };
    let all = window.harness.root().children_recursive();
    for node in all {
        let its = node.accesskit_node();
        if its.role() == Role::Image && its.label().is_some_and(|words| words.starts_with("digit: ")) {
            node.focus();
            break;
        }
    }
    window.harness.run_steps(2);
    window.harness.key_press(Key::Enter);
    window.harness.run_steps(4);
    assert_eq!(subject(&window), Some(Subject::Original));
    let press = |window: &mut Window, key| {
        window.harness.key_press(key);
        window.harness.run_steps(3);
        window.rest();
    };
    press(&mut window, Key::ArrowRight);
    assert_eq!(subject(&window), Some(Subject::Smashed(0)));
    press(&mut window, Key::ArrowRight);
    assert_eq!(subject(&window), Some(Subject::Smashed(1)));
    for _ in 0..3 {
        press(&mut window, Key::ArrowLeft);
    }
    // Before the first comes the last.
    assert_eq!(subject(&window), Some(Subject::Error));
    window.click("Look at: stolen");
    window.rest();
    assert_eq!(subject(&window), Some(Subject::Stolen));
    let frame = window.app().showing().film.pinned;
    press(&mut window, Key::ArrowLeft);
    assert_eq!(window.app().showing().film.pinned, frame, "the keys are the inspector's");
    press(&mut window, Key::Escape);
    window.harness.run_steps(3);
    assert_eq!((subject(&window), window.app().popup), (None, None));
    assert_eq!(original(&window), Some(true), "the keyboard is where it was");
}

#[test]
fn drawing_draws_dragging_wipes_and_a_click_looks_closer() {
    let mut window = Window::open(quick());
    window.rest();
    let wipe = window.harness.get_by_label_contains("Wipe: ").rect();
    click_at(&mut window, wipe.center());
    assert_eq!((subject(&window), window.app().view.wipe.times), (Some(Subject::Stolen), 0));
    window.act(Act::Popup(None));
    window.click("Draw");
    window.rest();
    let pad = window.harness.get_by_label("Drawing pad").rect();
    click_at(&mut window, pad.center());
    assert_eq!(subject(&window), None);
    assert!(scene(&window).original.has_content(), "a click made a dot");
    window.click("Inspect the drawing");
    window.rest();
    assert_eq!(subject(&window), Some(Subject::Original));
    assert_eq!(told(&window, "min ")[1], 1.0);
}

/// Presses a key in one frame; what the window then asks of the system.
fn asked(window: &mut Window, key: Key) -> Vec<ViewportCommand> {
    for pressed in [true, false] {
        let event = egui::Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
        window.harness.input_mut().events.push(event);
    }
    window.harness.step();
    window.harness.output().viewport_output.get(&ViewportId::ROOT).map_or(Vec::new(), |output| output.commands.clone())
}

#[test]
fn the_full_screen_comes_and_goes() {
    let mut window = Window::open(quick());
    window.rest();
    let full = |full| ViewportCommand::Fullscreen(full);
    assert!(asked(&mut window, Key::F11).contains(&full(true)));
    assert!(!asked(&mut window, Key::Escape).contains(&full(false)), "it is not there yet");
    window.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default().fullscreen = Some(true);
    window.harness.step();
    // What is open is closed first.
    window.act(Act::Popup(Some(Popup::About)));
    assert!(!asked(&mut window, Key::Escape).contains(&full(false)));
    window.harness.step();
    assert_eq!(window.app().popup, None);
    assert!(asked(&mut window, Key::Escape).contains(&full(false)));
    assert!(asked(&mut window, Key::F11).contains(&full(false)));
}

#[test]
fn presenters_size_is_large_and_leaves_everything_as_it_was() {
    let mut window = Window::sized(quick(), 1280.0, 720.0, |builder| builder);
    window.rest();
    window.act(Act::StageHeight(Some(400.0)));
    window.act(Act::Workspace(Workspace::Attack));
    window.act(Act::Log);
    window.harness.run_steps(4);
    let before = things(&window);
    let tree = serde_json::to_string(&window.app().tree).unwrap();
    window.harness.key_press_modifiers(Modifiers::SHIFT, Key::F11);
    window.harness.run_steps(4);
    let now = things(&window);
    let has = |word: &str| now.iter().any(|(_, words, _)| words == word);
    assert!(!has("Curves") && !has("Images") && has("Leave presenter's size") && has("Run"), "{now:?}");
    let screen = window.harness.ctx.content_rect();
    for (role, words, rect) in &now {
        let inside = !rect.is_finite() || screen.expand(1.0).contains_rect(*rect);
        assert!(inside, "{role:?} {words}: {rect:?}");
    }
    let height = |word: &str| now.iter().find(|(_, words, _)| words.starts_with(word)).map(|thing| thing.2.height());
    assert!(height("Recognised").or(height("One image")).is_some_and(|height| height >= 80.0), "{now:?}");
    assert!(height("stolen").is_some_and(|height| height >= 24.0), "captions");
    assert!(picture(&window, "stolen: ").height() >= 300.0);
    let kept = App::in_folder(None, window.home.path().to_owned());
    assert!(kept.memory.presenting, "it is remembered");
    window.click("Leave presenter's size");
    // What lies below the pointer now may have a tip.
    window.harness.remove_cursor();
    window.harness.run_steps(4);
    assert_eq!(things(&window), before);
    assert_eq!(serde_json::to_string(&window.app().tree).unwrap(), tree);
    // A pane that is asked for is shown.
    window.act(Act::Present);
    window.act(Act::Pane(Pane::Curves));
    window.harness.run_steps(3);
    assert!(!window.app().memory.presenting && window.app().shows(Pane::Curves));
}

#[test]
fn at_presenters_size_a_lesson_stands_beside_the_stage() {
    let mut window = Window::sized(quick(), 1280.0, 720.0, |builder| builder);
    window.rest();
    window.act(Act::Present);
    window.act(Act::Lesson(LessonAct::Begin("the-mirror".to_owned())));
    window.rest();
    let text = window.app().progress.as_ref().unwrap().step().unwrap().text.clone();
    let step = things(&window).into_iter().find(|(_, words, _)| *words == text).unwrap().2;
    // Letters of 24 have lines of some 28: no more than so many words are in one of them.
    let letters = step.area() / text.chars().count() as f32;
    assert!(step.width() < 500.0 && letters > 24.0 * 10.0, "{step:?}: {letters}");
    let stolen = picture(&window, "stolen: ");
    assert!(stolen.right() < step.left() && stolen.height() >= 200.0, "{stolen:?} {step:?}");
}
