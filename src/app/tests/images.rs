//! Images are looked at, shaped and used.

use eframe::egui::Role;
use egui_kittest::kittest::Queryable;

use super::pictures::drawn;
use super::{Window, quick};
use crate::app::act::Act;
use crate::app::purpose::Purpose;
use crate::model::spec::LayerSpec;

/// An .npz of 30 training and 12 test images of 8 × 12 in two classes.
fn films(window: &Window) -> std::path::PathBuf {
    use crate::data::numpy::{Array, npz};
    let images = |name: &str, n: usize| {
        let pixels: Vec<f32> = (0..n * 96).map(|i| (i * 37 % 256) as f32).collect();
        Array::f32(name, &[n, 8, 12], pixels)
    };
    let labels = |name: &str, n: u32| Array::classes(name, (0..n).map(|i| i % 2));
    let path = window.home.path().join("films.npz");
    let all =
        [images("train_images", 30), labels("train_labels", 30), images("test_images", 12), labels("test_labels", 12)];
    crate::run::whole_files::Writer::default().write(&path, &npz(&all).unwrap()).unwrap();
    path
}

/// Until all is read and the dialog stands still.
fn settle(window: &mut Window) {
    window.rest();
    (0..20).for_each(|_| window.harness.step());
}

/// Takes an entry of a list.
fn choose(window: &mut Window, list: &str, entry: &str) {
    window.harness.get_by_role_and_label(Role::ComboBox, list).click();
    settle(window);
    window.click(entry);
    settle(window);
}

#[test]
fn images_are_looked_at_shaped_and_used_as_one_change() {
    let mut window = Window::open(quick());
    window.rest();
    let path = films(&window);
    window.act(Act::File(Purpose::Open, path.clone()));
    window.rest();
    let seen = |window: &Window, words: &str| window.harness.query_by_label_contains(words).is_some();
    assert!(seen(&window, "42 images of 8 × 12, grey: 30 for training, 0 for validation, 12 for testing"));
    assert!(seen(&window, "Some images of each class, a row each"));
    choose(&mut window, "Size", "28 × 28");
    settle(&mut window);
    assert!(seen(&window, "42 images of 28 × 28"), "read anew");
    choose(&mut window, "Parts", "drawn anew");
    settle(&mut window);
    assert!(seen(&window, "30 for training, 4 for validation, 8 for testing"));
    drawn(&mut window, "images-dialog");
    window.click("Use these images");
    window.rest();
    let data = &window.app().document().experiment().data;
    assert_eq!((data.size, data.name.as_str()), (28, path.to_str().unwrap()));
    assert_eq!(data.split, crate::data::SplitBy::Drawn);
    // The preset's layers are listed for ten digits; these are of two classes.
    assert_eq!(window.app().document().experiment().layers(2).unwrap().last(), Some(&LayerSpec::Linear(2)));
    assert!(seen(&window, "The model's last layer now gives 2 numbers"));
    let showing = window.app().showing();
    let facts = showing.facts.as_ref().unwrap();
    assert_eq!((facts.patient.shape, facts.classes.len(), facts.layers.len()), ([1, 28, 28], 2, 9));
    assert!(showing.scene.is_some() && showing.trouble.is_none(), "{:?}", showing.trouble);
    window.act(Act::Undo);
    assert_eq!(window.app().document().experiment(), &quick(), "one change");
}

#[test]
fn what_is_no_set_is_refused_and_what_becomes_none_says_why() {
    let mut window = Window::open(quick());
    window.rest();
    let broken = window.home.path().join("broken.npz");
    crate::run::whole_files::Writer::default().write(&broken, b"no zip at all").unwrap();
    window.act(Act::File(Purpose::Open, broken));
    window.until("the refusal", |app| app.state().error.is_some());
    assert!(window.app().state().error.as_ref().unwrap().ends_with("broken.npz"));
    assert!(window.harness.query_by_label("Use these images").is_none());
    let path = films(&window);
    window.act(Act::File(Purpose::Open, path));
    settle(&mut window);
    window.click("Cancel");
    settle(&mut window);
    assert!(window.harness.query_by_label("Use these images").is_none());
    assert_eq!(window.app().document().experiment(), &quick());
}

#[test]
fn images_that_do_not_come_with_the_program_are_asked_for_once() {
    let mut window = Window::open(quick());
    window.rest();
    let preset = crate::experiment::PRESETS.iter().position(|preset| preset.0.ends_with("breast")).unwrap();
    window.act(Act::Preset(preset));
    settle(&mut window);
    let seen = |window: &Window, words: &str| window.harness.query_all_by_label_contains(words).next().is_some();
    assert!(seen(&window, "Where are the images?") && seen(&window, "BreastMNIST: 780 breast ultrasound images"));
    assert!(seen(&window, "Licence: CC BY 4.0") && seen(&window, "https://zenodo.org"));
    drawn(&mut window, "images-fetch");
    // Any set of two classes does for a test; it is read as the preset wants it.
    let path = films(&window);
    window.act(Act::File(Purpose::Fetch(crate::data::known::known("breastmnist.npz").unwrap()), path.clone()));
    window.rest();
    assert!(seen(&window, "42 images of 8 × 12"));
    settle(&mut window);
    window.click("Use these images");
    window.rest();
    let data = |window: &Window| window.app().document().experiment().data.clone();
    assert_eq!(data(&window).name, path.to_str().unwrap());
    // From then on it is known.
    window.act(Act::Preset(0));
    window.rest();
    window.act(Act::Preset(preset));
    settle(&mut window);
    assert!(!seen(&window, "Where are the images?"));
    assert_eq!(data(&window).name, path.to_str().unwrap());
}

#[test]
fn images_that_the_model_does_not_fit_are_shown_all_the_same_with_why() {
    let mut window = Window::open(quick());
    window.rest();
    let path = films(&window);
    let place = toml::Value::String(path.to_str().unwrap().to_owned()).to_string();
    window.act(Act::Set("data.name".to_owned(), place));
    window.rest();
    let showing = window.app().showing();
    let facts = showing.facts.as_ref().expect("the images are known");
    assert_eq!((facts.patient.shape, facts.classes.len(), facts.layers.len()), ([1, 8, 12], 2, 9));
    let why = showing.trouble.as_deref().unwrap_or_default();
    assert!(why.contains("the last layer must give 2 numbers") && why.contains("{ linear = 2 }"), "{why}");
}
