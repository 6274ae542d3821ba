//! The window in another language: one made by program, in which every text is longer and has marks around it.

use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::super::*;
use crate::run::whole_files::Writer;
use crate::texts::language::{ENGLISH, FOLDER};

/// A text of the made language: `‹Rún ··›`. Places stay as they are, and so do spaces at both ends.
fn strange(english: &str) -> String {
    let inner = english.trim_matches([' ', '\n']);
    let (before, after) = english.split_once(inner).unwrap_or_default();
    let mut inside = false;
    let accented = inner.chars().map(|letter| {
        inside = (inside || letter == '{') && letter != '}';
        match letter {
            'a' if !inside => 'á',
            'e' if !inside => 'é',
            'i' if !inside => 'í',
            'o' if !inside => 'ó',
            'u' if !inside => 'ú',
            letter => letter,
        }
    });
    let longer = "·".repeat((0.3 * inner.chars().count() as f32).ceil() as usize);
    format!("{before}‹{}{longer}›{after}", accented.collect::<String>())
}

fn file() -> String {
    let table: toml::Table = ENGLISH.parse().unwrap();
    let texts = table["texts"].as_table().unwrap().keys();
    let texts = texts.map(|text| (text.clone(), toml::Value::String(strange(text)))).collect::<toml::Table>();
    format!("name = \"Strange\"\n\n[texts]\n{texts}")
}

/// Leaves the thread with English, whatever happens.
struct Back;

impl Drop for Back {
    fn drop(&mut self) {
        crate::texts::choose(None);
    }
}

/// A window whose folder has a file of another language.
fn window(language: &str) -> Window {
    let window = Window::open(quick());
    let folder = window.home.path().join(FOLDER);
    std::fs::create_dir_all(&folder).unwrap();
    Writer::default().write(&folder.join("xx.toml"), language.as_bytes()).unwrap();
    // The folder is looked through when a window opens.
    let home = window.home;
    let mut again = Window::open(quick());
    *again.harness.state_mut() = App::in_folder(Some(quick()), home.path().to_owned());
    again.home = home;
    again.rest();
    again
}

/// Labels and values that are seen, of all that is there.
fn seen(window: &Window) -> Vec<String> {
    let nodes: Vec<_> = window.harness.root().children_recursive().collect();
    let texts = nodes.iter().flat_map(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()]
    });
    texts.flatten().filter(|text| !text.trim().is_empty()).collect()
}

#[test]
fn the_window_speaks_a_language_that_its_folder_has() {
    let _back = Back;
    let mut window = window(&file());
    assert!(seen(&window).iter().any(|text| text == "Step"), "English at first");
    window.act(Act::Language(Some("xx".to_owned())));
    window.rest();
    assert_eq!(window.app().messages(), Vec::<String>::new());
    let table: toml::Table = ENGLISH.parse().unwrap();
    let english: Vec<&String> = table["texts"].as_table().unwrap().keys().collect();
    // The longest piece between places tells a text, if it is no single word.
    let piece = |text: &&String| {
        let pieces = text.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, behind)| behind).trim());
        pieces.max_by_key(|piece| piece.len()).unwrap_or_default().to_owned()
    };
    let pieces: Vec<String> = english.iter().map(piece).filter(|text| text.len() > 11 && text.contains(' ')).collect();
    let whole: std::collections::HashSet<&str> = english.iter().map(|text| text.as_str()).collect();
    let mut forgotten = std::collections::BTreeSet::new();
    for workspace in Workspace::ALL {
        window.act(Act::Workspace(workspace));
        window.rest();
        for text in seen(&window) {
            let of_the_table =
                whole.contains(text.as_str()) || pieces.iter().any(|piece| text.contains(piece.as_str()));
            // Names of defences stay as they are.
            let defence = crate::workbench::defences().iter().any(|kind| kind.title == text);
            if of_the_table && !defence {
                forgotten.insert(text);
            }
        }
    }
    window.act(Act::Workspace(Workspace::Teach));
    window.rest();
    pictures::drawn(&mut window, "another-language");
    let missed = crate::texts::missed();
    assert!(
        forgotten.is_empty() && missed.is_empty(),
        "still English: {forgotten:#?}; said, but not in the table: {missed:#?}"
    );
    // It is remembered, and English is there again at once.
    assert_eq!(memory::Memory::load(&window.home.path().join("window.json")).language.as_deref(), Some("xx"));
    window.act(Act::Language(None));
    window.harness.get_by_label("Step");
}

#[test]
fn a_file_that_is_no_language_is_told_and_the_window_stays_english() {
    let _back = Back;
    for (text, told) in [
        (
            "name = \"X\"\n[texts]\n\"No such\" = \"x\"\n\"{most} and {last}\" = \"{most} und {letztes}\"",
            "2 texts, the first",
        ),
        ("name = \"X\"\n[texts]\n\"Run\" = \"Los\"\n\"No such\" = \"x\"", "1 text: no text of the window: \"No such\""),
    ] {
        let mut window = window(text);
        window.act(Act::Language(Some("xx".to_owned())));
        let messages = window.app().messages();
        assert!(messages.iter().any(|message| message.contains(told)), "{messages:?}");
        window.harness.get_by_label("Step");
    }
    for broken in ["name = ", "name = \"X\"", "[texts]", "\u{0}"] {
        let mut window = window(broken);
        assert!(window.app().language.speaks().languages.is_empty(), "{broken:?} is not offered");
        window.act(Act::Language(Some("xx".to_owned())));
        let error = window.app().state().error.clone().unwrap();
        assert!(error.starts_with("there is no language \"xx\""), "{error}");
        window.harness.get_by_label("Step");
    }
}
