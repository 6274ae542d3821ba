//! Pictures of the window, in both themes and several sizes.
//!
//! Each is drawn, looked over (nothing of bar and stage outside of the window, the stolen image there) and left in
//! `target/pictures` to be looked at. Those whose contents are the same everywhere are compared with the kept ones
//! in `tests/pictures`; `UPDATE_SNAPSHOTS=1` keeps new ones. Without a graphics adapter they are skipped, or with
//! `CUTLAYER_REQUIRE_RENDER=1` fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use eframe::egui::{self, Rect, Theme, pos2, vec2};
use egui_kittest::kittest::NodeT as _;
use egui_kittest::{SnapshotOptions, image_snapshot_options};
use image::RgbaImage;

use super::subject::{Layer, Subject};
use super::*;
use crate::experiment::fixture::{BRAIN, DEFENDED, DIGITS};
use crate::method::Place;

/// Pixels that may differ: the numbers of another processor round differently.
const TOLERATED: usize = 3000;

/// Where they are left.
fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Draws the window; none, with a word, where there is nothing to draw with.
pub(super) fn drawn(window: &mut Window, name: &str) -> Option<RgbaImage> {
    let harness = &mut window.harness;
    match catch_unwind(AssertUnwindSafe(|| harness.render())) {
        Ok(image) => {
            let image = image.unwrap();
            image.save(pictures().join(format!("{name}.png"))).unwrap();
            Some(image)
        }
        Err(_nothing_to_draw_with) => {
            let required = std::env::var_os("CUTLAYER_REQUIRE_RENDER").is_some();
            assert!(!required, "CUTLAYER_REQUIRE_RENDER is set, and there is no graphics adapter to draw {name} with");
            println!("skipped: no graphics adapter to draw {name} with");
            None
        }
    }
}

/// Compares a picture with the kept one.
///
/// An attack that does not converge ends elsewhere where a processor rounds otherwise: with `attacker` off its card is
/// covered first.
fn same(mut image: RgbaImage, name: &str, attacker: bool) {
    let (width, height) = image.dimensions();
    if !attacker {
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if x > width * 2 / 3 && y < height * 63 / 100 {
                *pixel = image::Rgba([128, 128, 128, 255]);
            }
        }
    }
    let options = SnapshotOptions::new().output_path("tests/pictures").max_failed_pixels(TOLERATED);
    image_snapshot_options(&image, name, &options);
}

fn window(experiment: Experiment, size: [f32; 2], theme: Theme, scale: f32) -> Window {
    let mut window = Window::sized(experiment, size[0], size[1], |builder| builder.with_theme(theme));
    looks(&mut window, size, theme, scale);
    window.rest();
    window
}

/// The same window in another size and theme: what it shows need not be computed again.
pub(super) fn looks(window: &mut Window, size: [f32; 2], theme: Theme, scale: f32) {
    window.act(Act::Theme(if theme == Theme::Dark {
        egui::ThemePreference::Dark
    } else {
        egui::ThemePreference::Light
    }));
    window.harness.set_pixels_per_point(scale);
    // In the frame of the change egui keeps the window's pixels, whatever is said of its size.
    window.harness.step();
    window.harness.set_size(vec2(size[0], size[1]) / scale);
    window.harness.run_steps(4);
}

/// Nothing of the bar and the stage may reach out of the window, and the stage's cards not out of each other.
pub(super) fn nothing_cut_off(window: &Window, name: &str) {
    let screen = window.harness.ctx.content_rect();
    let stage = screen.top()..screen.top() + 0.5 * screen.height();
    let mut count = 0;
    for node in window.harness.root().children_recursive() {
        let node = node.accesskit_node();
        let Some(bounds) = node.raw_bounds() else { continue };
        let scale = window.harness.ctx.pixels_per_point();
        let rect = Rect::from_min_max(
            pos2(bounds.x0 as f32, bounds.y0 as f32) / scale,
            pos2(bounds.x1 as f32, bounds.y1 as f32) / scale,
        );
        let label = node.label().or_else(|| node.value()).unwrap_or_default();
        if label.is_empty() || !stage.contains(&rect.top()) {
            continue;
        }
        count += 1;
        let inside = screen.expand(1.0).contains_rect(rect);
        assert!(inside, "{name}: \"{label}\" at {rect:?} is not inside of {screen:?}");
    }
    assert!(count > 20, "{name}: only {count} things were looked at");
}

const SIZES: [(&str, [f32; 2], f32); 6] = [
    ("1280", [1280.0, 800.0], 1.0),
    ("1920", [1920.0, 1080.0], 1.0),
    ("1100", [1100.0, 700.0], 1.0),
    ("900", [900.0, 600.0], 1.0),
    ("1280-at-150", [1280.0, 800.0], 1.5),
    ("1650-at-150", [1650.0, 1050.0], 1.5),
];

#[test]
fn before_a_run() {
    let mut window = window(Experiment::preset(DIGITS).unwrap(), SIZES[0].1, Theme::Dark, 1.0);
    for (size, pixels, scale) in SIZES {
        for theme in [Theme::Dark, Theme::Light] {
            let name = format!("before-{size}-{theme:?}").to_lowercase();
            looks(&mut window, pixels, theme, scale);
            nothing_cut_off(&window, &name);
            let Some(image) = drawn(&mut window, &name) else { return };
            if size == "1280" {
                same(image, &name, true);
            }
        }
    }
}

#[test]
fn a_number_on_the_wire_looked_into() {
    let mut window = window(Experiment::preset(DIGITS).unwrap(), SIZES[0].1, Theme::Dark, 1.0);
    // The largest number on the wire.
    let smashed = window.app().showing().scene.as_ref().unwrap().smashed.clone();
    let [_, height, width] = smashed.shape;
    let largest = (0..smashed.values.len()).max_by(|a, b| smashed.values[*a].total_cmp(&smashed.values[*b])).unwrap();
    let (channel, at) = (largest / (height * width), [largest / width % height, largest % width]);
    for (subject, at) in
        [(Subject::Smashed(channel), at), (Subject::Original, at), (Subject::Kernel(Layer::First, channel, 0), [0, 0])]
    {
        window.act(Act::Inspect(subject, Some(at)));
        window.rest();
        // In every size the one that has most to show.
        let sizes = if matches!(subject, Subject::Smashed(_)) { &SIZES[..] } else { &SIZES[..1] };
        for ((size, pixels, scale), theme) in
            sizes.iter().flat_map(|size| [Theme::Dark, Theme::Light].map(|t| (size, t)))
        {
            let word = format!("{subject:?}").to_lowercase();
            let word = word.split('(').next().unwrap_or_default();
            let name = format!("inspector-{word}-{size}-{theme:?}").to_lowercase();
            looks(&mut window, *pixels, theme, *scale);
            window.rest();
            let Some(image) = drawn(&mut window, &name) else { return };
            if name == "inspector-smashed-1280-dark" {
                same(image, &name, true);
            }
        }
    }
    // Of a deeper client, under its defence.
    window.act(Act::Popup(None));
    window.act(Act::Defended(true));
    window.act(Act::Cut(4));
    window.rest();
    looks(&mut window, SIZES[0].1, Theme::Dark, 1.0);
    window.act(Act::Inspect(Subject::Smashed(3), Some([5, 6])));
    window.rest();
    drawn(&mut window, "inspector-defended");
}

#[test]
fn presenters_size_in_every_room() {
    let sizes = [("1280x720", [1280.0, 720.0]), ("1280x800", [1280.0, 800.0]), ("1920x1080", [1920.0, 1080.0])];
    let mut window = window(Experiment::preset(DIGITS).unwrap(), sizes[0].1, Theme::Dark, 1.0);
    window.act(Act::Present);
    for (what, defended, lesson) in
        [("plain", false, false), ("lesson", false, true), ("defended", true, false), ("defended-lesson", true, true)]
    {
        if lesson {
            window.act(Act::Lesson(LessonAct::Begin("the-mirror".to_owned())));
        } else {
            window.act(Act::Lesson(LessonAct::End));
        }
        window.act(Act::Defended(defended));
        window.rest();
        for ((size, pixels), theme) in sizes.iter().flat_map(|size| [Theme::Dark, Theme::Light].map(|t| (size, t))) {
            let name = format!("presenter-{what}-{size}-{theme:?}").to_lowercase();
            looks(&mut window, *pixels, theme, 1.0);
            let Some(image) = drawn(&mut window, &name) else { return };
            if name == "presenter-plain-1280x720-dark" {
                same(image, &name, true);
            }
        }
    }
    looks(&mut window, [1920.0, 1080.0], Theme::Dark, 1.5);
    drawn(&mut window, "presenter-1920x1080-at-150");
}

#[test]
fn the_lesson_on_gradients() {
    let mut window = window(quick(), [1280.0, 800.0], Theme::Dark, 1.0);
    window.act(Act::Lesson(LessonAct::Begin("one-gradient".to_owned())));
    let set = |window: &mut Window, key: &str, value: &str| window.act(Act::Set(key.to_owned(), value.to_owned()));
    set(&mut window, "attack.dlg.iterations", "20");
    set(&mut window, "attack.idlg.iterations", "30");
    for (step, attacker, batch) in
        [("first", "rmle", 0), ("label", "idlg", 1), ("dlg-8", "dlg", 8), ("idlg-8", "idlg", 8)]
    {
        window.act(Act::Attacker(attacker));
        if batch > 0 {
            set(&mut window, &format!("attack.{attacker}.batch"), &batch.to_string());
        }
        window.rest();
        let showing = window.app().showing();
        assert_eq!((showing.attack(), showing.gradient_of()), (attacker, batch), "the stage follows");
        for theme in [Theme::Dark, Theme::Light] {
            let name = format!("lesson-one-gradient-{step}-{theme:?}").to_lowercase();
            looks(&mut window, [1280.0, 800.0], theme, 1.0);
            nothing_cut_off(&window, &name);
            if drawn(&mut window, &name).is_none() {
                return;
            }
        }
    }
    looks(&mut window, [1100.0, 700.0], Theme::Dark, 1.0);
    drawn(&mut window, "lesson-one-gradient-1100");
}

#[test]
fn the_stage_defended_and_undefended() {
    for (preset, defended) in [(DIGITS, true), (BRAIN, true), (BRAIN, false)] {
        let mut window = window(Experiment::preset(preset).unwrap(), SIZES[0].1, Theme::Dark, 1.0);
        window.act(Act::Defended(defended));
        window.rest();
        for (size, pixels, scale) in SIZES {
            let name = format!("live-{preset}-{}-{size}", if defended { DEFENDED } else { "undefended" });
            looks(&mut window, pixels, Theme::Dark, scale);
            nothing_cut_off(&window, &name);
            let Some(image) = drawn(&mut window, &name) else { return };
            if size == "1280" {
                same(image, &name, !defended);
            }
        }
    }
}

#[test]
fn during_and_after_a_run_every_pane() {
    for theme in [Theme::Dark, Theme::Light] {
        let mut window = window(quick(), [1280.0, 800.0], theme, 1.0);
        window.act(Act::Run);
        window.until("an attack at the defended model", |app| app.showing().reconstruction().is_some());
        window.act(Act::Pause);
        nothing_cut_off(&window, "during");
        let shown = drawn(&mut window, &format!("during-{theme:?}").to_lowercase());
        window.act(Act::Run);
        window.until("the end", |app| app.activity() == Activity::Idle);
        window.rest();
        if shown.is_none() {
            return;
        }
        for pane in Pane::ALL {
            window.act(Act::Pane(pane));
            window.harness.run_steps(4);
            nothing_cut_off(&window, pane.title());
            drawn(&mut window, &format!("after-{}-{theme:?}", pane.title()).to_lowercase().replace(' ', "-"));
        }
        window.harness.set_size(vec2(1920.0, 1080.0));
        for pane in Pane::ALL {
            window.act(Act::Pane(pane));
            window.harness.run_steps(4);
            nothing_cut_off(&window, pane.title());
            drawn(&mut window, &format!("after-{}-{theme:?}-1920", pane.title()).to_lowercase().replace(' ', "-"));
        }
    }
}

#[test]
fn the_stage_is_saved_as_it_is_seen() {
    let mut window = window(quick(), [1280.0, 800.0], Theme::Light, 1.0);
    let Some(seen) = drawn(&mut window, "before-the-stage-was-saved") else { return };
    window.act(Act::Ask(Purpose::Picture(export::Of::Stage)));
    let path = window.home.path().join("stage.png");
    window.act(Act::File(Purpose::Picture(export::Of::Stage), path.clone()));
    window.until("the picture", |app| !app.busy());
    assert_eq!(window.app().messages(), [format!("Saved: {}", path.display())]);
    let stage = image::open(&path).unwrap().to_rgb8();
    let (width, all) = stage.dimensions();
    // Below it stands the caption, on paper.
    let paper = (0..all).rev().take_while(|y| stage.get_pixel(0, *y).0 == [255; 3]).count() as u32;
    let height = all - paper;
    assert!((20..80).contains(&paper), "{paper}");
    assert!((1200..=1280).contains(&width) && (300..600).contains(&height), "{width} × {height}");
    let left = (1280 - width) / 2;
    // Nothing lay over it when it was taken: it is a part of the window as it was.
    let differ = |top: u32| {
        let same = |x: u32, y: u32| seen.get_pixel(x + left, y + top).0[..3] == stage.get_pixel(x, y).0;
        (0..height).map(|y| (0..width).filter(|x| !same(*x, y)).count()).sum::<usize>()
    };
    let least = (20..80).map(differ).min();
    assert!(least.is_some_and(|least| least < TOLERATED), "{least:?}");
    // As lines and letters that scale, and a pane of its own workspace.
    let svg = |window: &mut Window, of: export::Of, name: &str| {
        let path = window.home.path().join(name);
        window.act(Act::File(Purpose::Picture(of), path.clone()));
        window.until("the drawing", |app| !app.busy());
        std::fs::copy(&path, pictures().join(name)).unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    let drawing = svg(&mut window, export::Of::Stage, "stage.svg");
    assert!(drawing.starts_with("<svg") && drawing.ends_with("</svg>\n"));
    for words in
        ["Hospital", "Recognised, out of eight", "Recognised, out of eight. quick, seed 0, undefended, cut after"]
    {
        assert!(drawing.contains(words), "{words}: {:?}", drawing.lines().nth(1));
    }
    assert!(drawing.matches("<image").count() >= 3, "original, smashed data, stolen");
    let pane = svg(&mut window, export::Of::Pane(Pane::Cards), "pane.svg");
    assert!(pane.contains("[E]: its equations") && pane.contains(Pane::Cards.title()) && !pane.contains("Hospital"));
    window.act(Act::Workspace(Workspace::Teach));
    // Scrolled it cannot be seen whole.
    window.harness.set_pixels_per_point(2.0);
    window.harness.set_size(vec2(640.0, 400.0));
    window.rest();
    window.act(Act::File(Purpose::Picture(export::Of::Stage), path));
    let told = window.app().state().error.clone().unwrap_or_default();
    assert!(told.starts_with("the whole stage is not in the window"), "{told}");
}

#[test]
fn the_page_of_the_method() {
    let mut window = window(quick(), [1280.0, 800.0], Theme::Dark, 1.0);
    for (size, pixels, scale) in [SIZES[0], ("1280-at-150", [1280.0, 800.0], 1.5), ("900", [900.0, 600.0], 1.0)] {
        for theme in [Theme::Dark, Theme::Light] {
            let name = format!("method-{size}-{theme:?}").to_lowercase();
            looks(&mut window, pixels, theme, scale);
            window.act(Act::Method(Some("recovery")));
            window.harness.run_steps(6);
            let Some(image) = drawn(&mut window, &name) else { return };
            if size == "1280" {
                same(image, &name, true);
            }
        }
    }
    for section in crate::workbench::method() {
        looks(&mut window, [1280.0, 800.0], Theme::Dark, 1.0);
        window.act(Act::Method(Some(section.id)));
        window.harness.run_steps(6);
        drawn(&mut window, &format!("method-section-{}", section.id));
    }
}

#[test]
fn formulas_beside_the_pictures() {
    let mut window = window(Experiment::preset(DIGITS).unwrap(), [1280.0, 720.0], Theme::Dark, 1.0);
    window.act(Act::Defended(true));
    window.rest();
    let places = [Place::Server, Place::Hospital, Place::Wire, Place::Attacker];
    for (size, pixels, scale) in [("1280x720", [1280.0, 720.0], 1.0), ("1280-at-150", [1280.0, 800.0], 1.5), SIZES[1]] {
        for (place, theme) in places.into_iter().flat_map(|place| [(place, Theme::Dark), (place, Theme::Light)]) {
            let name = format!("formula-{place:?}-{size}-{theme:?}").to_lowercase();
            looks(&mut window, pixels, theme, scale);
            window.act(Act::Formula(Some(place)));
            if place == Place::Server && scale == 1.0 {
                window.harness.run_steps(3);
                window.click("Decision");
            }
            window.harness.run_steps(4);
            nothing_cut_off(&window, &name);
            let Some(image) = drawn(&mut window, &name) else { return };
            if name == "formula-server-1280x720-dark" {
                same(image, &name, true);
            }
        }
    }
}

#[test]
fn what_lies_over_the_panes() {
    for theme in [Theme::Dark, Theme::Light] {
        let mut window = window(quick(), [1280.0, 800.0], theme, 1.0);
        for popup in [Popup::Palette, Popup::Settings, Popup::Students, Popup::Shortcuts, Popup::About] {
            window.act(Act::Popup(Some(popup)));
            window.harness.run_steps(4);
            if drawn(&mut window, &format!("over-{popup:?}-{theme:?}").to_lowercase()).is_none() {
                return;
            }
        }
    }
}
