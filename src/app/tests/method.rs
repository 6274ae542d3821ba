//! Formulas beside the pictures, and the page of the method.

use eframe::egui::{self, Rect, pos2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::*;
use crate::experiment::fixture::DIGITS;
use crate::method::{Place, number, whole};
use crate::workbench::method;

const BUTTONS: [&str; 4] =
    ["Formula of the disguise", "Formula of the smashed data", "Formulas of the server", "Formula of the attack"];

fn digits(defended: bool) -> Window {
    let mut window = Window::open(Experiment::preset(DIGITS).unwrap());
    window.rest();
    if defended {
        window.act(Act::Defended(true));
        window.rest();
    }
    window
}

fn labels(window: &Window) -> Vec<(String, Rect)> {
    let thing = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        let bounds = node.raw_bounds()?;
        let words = node.label().or_else(|| node.value()).filter(|words| !words.is_empty())?;
        let [x0, y0, x1, y1] = [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(|side| side as f32);
        Some((words, Rect::from_min_max(pos2(x0, y0), pos2(x1, y1))))
    };
    window.harness.root().children_recursive().filter_map(thing).collect()
}

fn formula(id: &str) -> String {
    let formula = method().flat_map(|section| section.formulas).find(|formula| formula.id == id).unwrap();
    formula.parsed().unwrap().plain()
}

/// The formula that is open with its numbers, as a screen reader has it.
fn with_numbers(window: &Window) -> String {
    let all = labels(window);
    let text = all.iter().find_map(|(words, _)| words.strip_prefix("with its numbers: "));
    text.unwrap_or_else(|| panic!("no numbers among {all:?}")).to_owned()
}

/// The numbers of a text, in their order.
fn numbers(text: &str) -> Vec<f64> {
    let parts = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    parts.filter_map(|part| part.parse().ok()).collect()
}

#[test]
fn each_part_opens_its_formula_and_escape_or_the_button_closes_it() {
    let mut window = digits(true);
    for (button, id) in BUTTONS.into_iter().zip(["map", "smashed", "answer", "objective"]) {
        let id = if id == "answer" { "recovery" } else { id };
        window.click(button);
        window.harness.run_steps(3);
        window.harness.get_by_label("Close the formulas");
        let words = formula(id);
        assert!(labels(&window).iter().any(|(label, _)| *label == words), "{button}: {words}");
        window.harness.key_press(egui::Key::Escape);
        window.harness.run_steps(2);
        assert!(window.harness.query_by_label("Close the formulas").is_none(), "{button}");
        window.click(button);
        window.click(button);
        assert!(window.harness.query_by_label("Close the formulas").is_none(), "{button}");
    }
    // The formulas of one part give way to another's; the palette over them is closed first.
    window.click(BUTTONS[0]);
    window.click(BUTTONS[1]);
    window.act(Act::Popup(Some(Popup::Shortcuts)));
    window.harness.run_steps(2);
    window.harness.key_press(egui::Key::Escape);
    window.harness.run_steps(2);
    assert_eq!((window.app().popup, window.app().view.formula.open), (None, Some(Place::Wire)));
}

#[test]
fn the_numbers_are_those_that_the_engine_computed() {
    let mut window = digits(true);
    let scene = window.app().showing().scene.clone().unwrap();
    let opinion = scene.opinion.clone().unwrap();
    let spec = window.app().document().experiment().psgl.clone();
    window.click("Formula of the disguise");
    window.harness.run_steps(2);
    window.click("The disguise");
    window.harness.run_steps(2);
    let pixels = scene.original.values.len();
    let k = (spec.gamma * pixels as f64) as usize;
    let [c, h, w] = scene.original.shape;
    let wanted = format!("{} = ⌊{} · {c} · {h} · {w}⌋", whole(k), number(spec.gamma));
    assert!(with_numbers(&window).starts_with(&wanted), "{} is not {wanted}", with_numbers(&window));
    window.click("Formula of the smashed data");
    window.harness.run_steps(2);
    window.click("How much crosses");
    window.harness.run_steps(2);
    let crossed: usize = scene.crossed.iter().product();
    let told = format!("{} = {} / {}", number(crossed as f64 / pixels as f64), whole(crossed), whole(pixels));
    assert!(with_numbers(&window).starts_with(&told), "{} is not {told}", with_numbers(&window));
    window.click("Formulas of the server");
    window.harness.run_steps(2);
    window.click("Weight λ");
    window.harness.run_steps(2);
    let (m, n) = (scene.crossed[0], scene.crossed[1] * scene.crossed[2]);
    let lambda = 1.0 / (m.max(n) as f64).sqrt();
    assert_eq!(with_numbers(&window), format!("{} = 1 / √(max({}, {}))", number(lambda), whole(m), whole(n)));
    window.click("Decision");
    window.harness.run_steps(2);
    let shown = numbers(&with_numbers(&window));
    // s = w_r · S_r + w_f · S_f + w_a · S_a
    assert!((shown[0] - f64::from(opinion.decision.share)).abs() < 6e-4, "{shown:?}");
    let sum = shown[1] * shown[2] + shown[3] * shown[4] + shown[5] * shown[6];
    assert!((shown[0] - sum).abs() < 3e-3, "{shown:?}");
    let weights: Vec<f64> = opinion.weights.iter().map(|w| f64::from(*w)).collect();
    let [a, r, f] = *opinion.of_decided.as_slice() else { panic!("{opinion:?}") };
    let exact: f64 = weights.iter().zip([r, f, a]).map(|(w, s)| w * f64::from(s)).sum();
    assert!((exact - f64::from(opinion.decision.share)).abs() < 1e-5, "{exact} {opinion:?}");
    // The vote weights in use are the settings', found again in what was decided.
    let last = &shown[shown.len() - 6..];
    for (i, wanted) in spec.weights.into_iter().enumerate() {
        assert!((last[2 * i] - wanted).abs() < 2e-3, "{last:?}");
    }
    window.click("Formula of the attack");
    window.harness.run_steps(2);
    let loss = scene.progress.as_ref().unwrap().loss;
    assert!(with_numbers(&window).contains(&number(loss)), "{}", with_numbers(&window));
}

#[test]
fn what_is_not_there_says_so_and_a_plain_server_has_its_own_formula() {
    let mut window = digits(false);
    window.click("Formula of the disguise");
    window.harness.run_steps(2);
    window.harness.get_by_label_contains("Undefended nothing is disguised");
    assert!(window.harness.query_by_label_contains("with its numbers").is_none());
    window.click("Formulas of the server");
    window.harness.run_steps(2);
    let share = window.app().showing().scene.as_ref().unwrap().opinion.as_ref().unwrap().decision.share;
    assert!(with_numbers(&window).ends_with(&number(f64::from(share))), "{}", with_numbers(&window));
    // A lever that is pulled leaves the formula there until the answer comes.
    let ctx = window.harness.ctx.clone();
    window.harness.state_mut().act(Act::Patient(1), &ctx);
    window.harness.step();
    window.harness.get_by_label_contains("with its numbers");
}

#[test]
fn a_symbol_is_named_where_it_is_pointed_at_and_by_the_arrow_keys() {
    let mut window = digits(false);
    window.click("Formula of the smashed data");
    window.harness.run_steps(3);
    let words = formula("smashed");
    let place = labels(&window).into_iter().find(|(label, _)| *label == words).unwrap().1;
    window.harness.hover_at(place.left_center() + vec2(6.0, 0.0));
    window.harness.run_steps(4);
    let crossed = &window.app().showing().scene.as_ref().unwrap().crossed;
    let told = format!("the smashed data: what crosses the wire: {}", crate::method::sides(crossed));
    let tip = labels(&window).into_iter().find(|(label, rect)| label.starts_with(&told) && !place.intersects(*rect));
    assert!(tip.is_some(), "{told}: {:?}", labels(&window));
    window.harness.hover_at(pos2(2.0, 2.0));
    window.harness.run_steps(3);
    window.harness.get_by_label(&words).focus();
    window.harness.run_steps(3);
    window.harness.key_press(egui::Key::ArrowRight);
    window.harness.run_steps(3);
    let description = window.harness.get_by_label(&words).accesskit_node().description().unwrap_or_default();
    assert!(description.starts_with("the client's layers"), "{description}");
}

#[test]
fn formulas_cover_neither_of_the_compared_pictures() {
    for (size, text) in [([1280.0, 800.0], 1.0), ([1280.0, 720.0], 1.0), ([1100.0, 700.0], 1.0), ([1280.0, 800.0], 1.5)]
    {
        let mut window = Window::sized(quick(), size[0], size[1], |builder| builder);
        window.harness.set_pixels_per_point(text);
        window.harness.set_size(vec2(size[0], size[1]) / text);
        window.act(Act::Defended(true));
        window.rest();
        let before: Vec<Rect> = compared(&window);
        window.act(Act::Formula(Some(Place::Hospital)));
        window.harness.run_steps(4);
        let after = compared(&window);
        assert_eq!(before.len(), 2);
        assert_eq!(before, after, "{size:?} at {text}: they stay where they are");
        let all = labels(&window);
        let close = all.iter().find(|(label, _)| label == "Close the formulas").unwrap().1;
        let title = all.iter().find(|(label, _)| label == "In the hospital").unwrap().1;
        let panel = title.union(close);
        // With large text all is scrolled as one page, which ends where the panel begins.
        let clear = text > 1.0 || after.iter().all(|picture| !picture.intersects(panel));
        assert!(clear, "{size:?} at {text}: {after:?} {panel:?}");
        assert!(window.harness.ctx.content_rect().contains_rect(panel), "{size:?} at {text}: {panel:?}");
    }
}

fn compared(window: &Window) -> Vec<Rect> {
    let named = |label: &str| label.starts_with("digit: ") || label.starts_with("stolen: ");
    labels(window).into_iter().filter(|(label, _)| named(label)).map(|(_, rect)| rect).collect()
}

#[test]
fn the_page_has_every_section_and_formula_and_is_opened_from_a_formula() {
    let mut window = digits(true);
    window.click("Formulas of the server");
    window.harness.run_steps(2);
    window.click("Read the section");
    window.harness.run_steps(6);
    let screen = window.harness.ctx.content_rect();
    let heading = |window: &Window, title: &str| {
        // The list has its name, too; the heading stands at the right of it.
        let all = labels(window);
        all.into_iter()
            .filter(|(label, _)| label == title)
            .map(|(_, rect)| rect)
            .max_by(|a, b| a.left().total_cmp(&b.left()))
    };
    let place = heading(&window, "Proximal recovery").unwrap();
    assert!(screen.contains_rect(place), "{place:?}");
    let all = labels(&window);
    for section in method() {
        assert!(heading(&window, section.title).is_some(), "{}", section.title);
        for formula in section.formulas {
            let plain = formula.parsed().unwrap().plain();
            assert!(all.iter().any(|(label, _)| *label == plain), "{}", formula.id);
        }
    }
    assert!(all.iter().any(|(label, _)| label == "our own choice, not the paper's word"));
    window.harness.key_press(egui::Key::Escape);
    window.harness.run_steps(2);
    assert_eq!(window.app().popup, None);
    assert!(window.app().view.formula.open.is_some(), "Escape closed the page alone");
}

#[test]
fn the_palette_finds_the_sections() {
    let mut window = Window::open(quick());
    window.rest();
    for section in method() {
        window.act(Act::Popup(Some(Popup::Palette)));
        window.harness.run_steps(3);
        window.harness.get_by_label("Search commands").type_text(&format!("method {}", section.title));
        window.harness.run_steps(3);
        window.harness.key_press(egui::Key::Enter);
        window.harness.run_steps(6);
        assert_eq!(window.app().popup, Some(Popup::Method), "{}", section.title);
        let screen = window.harness.ctx.content_rect();
        let seen =
            labels(&window).into_iter().filter(|(label, rect)| label == section.title && screen.contains_rect(*rect));
        assert!(seen.count() >= 2, "{} is not in sight", section.title);
        window.act(Act::Popup(None));
    }
}
