//! The window of a program with kinds of one's own: what the examples add is found by its label and can be used.
//!
//! Kinds are plugged in once for a whole process, so this is a test target of its own, with one test.
#![cfg(feature = "gui")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cutlayer::app::{Act, App, Popup, Purpose};
use cutlayer::experiment::Experiment;
use cutlayer::workbench::{Own, plug};
use eframe::egui;
use eframe::egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

#[expect(dead_code, reason = "its `main` is that of the example")]
#[path = "../examples/own_attack.rs"]
mod own_attack;
#[expect(dead_code, reason = "its `main` is that of the example")]
#[path = "../examples/own_defence.rs"]
mod own_defence;
#[expect(dead_code, reason = "its `main` is that of the example")]
#[path = "../examples/own_reader.rs"]
mod own_reader;

struct Window {
    harness: Harness<'static, App>,
    _home: tempfile::TempDir,
}

impl Window {
    fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let app = App::in_folder(Some(Experiment::preset("quick").unwrap()), home.path().to_owned());
        let draw = |ui: &mut egui::Ui, app: &mut App| {
            app.logic(ui.ctx());
            app.ui(ui);
        };
        Self { harness: Harness::builder().with_size([1280.0, 1000.0]).build_ui_state(draw, app), _home: home }
    }

    fn app(&self) -> &App {
        self.harness.state()
    }

    fn act(&mut self, act: Act) {
        let ctx = self.harness.ctx.clone();
        self.harness.state_mut().act(act, &ctx);
        self.harness.run_steps(3);
    }

    /// Frames until `enough`; two minutes at most.
    fn until(&mut self, what: &str, enough: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(2);
        while !enough(self.app()) {
            assert!(Instant::now() < deadline, "waited too long for {what}: {:?}", self.app().messages());
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.run_steps(2);
    }
}

#[test]
fn the_window_names_ones_own_attack_defence_and_reader_and_uses_them() {
    plug(&Own { attacks: vec![&own_attack::OWN], defences: vec![&own_defence::OWN], readers: vec![&own_reader::OWN] })
        .unwrap();
    let mut window = Window::open();
    window.until("rest", |app| !app.busy());

    // The attack is one of those who may be looking, and one that a run may launch.
    window.harness.get_by_role_and_label(Role::ComboBox, "Attacker:").click();
    window.harness.run_steps(3);
    // Where the list is long, its end is scrolled to.
    window.harness.get_by_role_and_label(Role::RadioButton, own_attack::OWN.looker.words).click_accesskit();
    window.until("the attack to look", |app| app.showing().attack() == "own");
    window.until("what it steals", |app| !app.busy() && app.showing().reconstruction().is_some());
    let tick = format!("{}: in the run", own_attack::OWN.looker.words);
    window.harness.get_by_label("more").click_accesskit();
    window.harness.run_steps(3);
    window.harness.get_by_role_and_label(Role::CheckBox, &tick).click_accesskit();
    window.until("the attack in the run", |app| app.document().experiment().attack_names().contains(&"own"));

    // The defence is among all settings, with its own once it is chosen.
    window.act(Act::Popup(Some(Popup::Settings)));
    window.harness.get_by_label("Defence: noise");
    assert!(window.harness.query_by_label("Noise").is_none());
    window.harness.get_by_role_and_label(Role::CheckBox, "Defend with own").click_accesskit();
    window.until("the defence", |app| !app.document().experiment().defences.is_empty());
    assert_eq!(window.app().document().experiment().defences[0].name(), "own");
    assert!(window.harness.query_all_by_label("Noise").next().is_some(), "its setting");
    window.act(Act::Popup(None));
    window.until("the defence on the stage", |app| !app.busy() && app.showing().defended);
    window.harness.get_by_role_and_label(Role::Slider, "σ, noise");
    window.act(Act::Set("defence.own.sigma".to_owned(), "0.5".to_owned()));
    assert_eq!(window.app().document().experiment().stack().unwrap().words(), "PSGL γ 0.1, noise σ 0.5");

    // The reader says what may be opened, and opens it.
    window.act(Act::Ask(Purpose::Open));
    window.harness.get_by_label_contains(own_reader::OWN.about);
    let digits: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits.rows");
    window.act(Act::File(Purpose::Open, digits.clone()));
    window.until("a look at the images", |app| !app.busy());
    // The dialog stands still.
    window.harness.run_steps(20);
    window.harness.get_by_label("Use these images").click();
    window.until("the images", |app| app.document().experiment().data.name == digits.to_string_lossy());
    window.until("them on the stage", |app| !app.busy());
    assert!(window.app().showing().trouble.is_none(), "{:?}", window.app().showing().trouble);
}
