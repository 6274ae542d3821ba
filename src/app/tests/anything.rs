//! Anything that can be opened is opened, from anywhere; what cannot says what could; and what is said goes once it
//! holds no longer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::OutputCommand;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::experiment::fixture::GAMMA;
use crate::run::folder::ATTACKS;
use crate::run::whole_files::Writer;

fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    Writer::default().write(path, bytes).unwrap();
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn drop_on(window: &mut Window, path: &Path) {
    window.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.to_owned())));
    window.harness.step();
    window.harness.input_mut().dropped_files.clear();
    window.harness.step();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_run_is_opened_from_anywhere_and_one_that_cannot_be_written_is_looked_at() {
    let mut window = Window::open(quick());
    window.act(Act::Set(GAMMA.to_owned(), "0.2".to_owned()));
    window.act(Act::Set("seed".to_owned(), "1".to_owned()));
    window.click("Run");
    window.until("the end", |app| app.activity() == Activity::Idle);
    assert_eq!(
        (window.app().state().status.clone(), window.app().state().title.as_str()),
        (Status::Done, "quick γ.2 s1")
    );
    let made = window.app().state().folder.clone().unwrap();
    assert!(made.to_string_lossy().ends_with("Z-quick-gamma.2-1"), "{}", made.display());
    // Elsewhere, where no lock can be taken.
    let old = window.home.path().join("elsewhere").join("the old one");
    copy(&made, &old);
    let lock = old.join(".lock");
    let _ = std::fs::remove_file(&lock);
    std::fs::create_dir(&lock).unwrap();
    window.act(Act::Reset);
    for path in [old.clone(), old.join("experiment.toml")] {
        drop_on(&mut window, &path);
        window.until("the run", |app| app.state().folder.as_ref() == Some(&old));
        assert_eq!((window.app().state().title.as_str(), &window.app().state().error), ("the old one", &None));
        assert!(window.app().state().summary.is_some() && window.app().document().experiment().seed == 1);
        window.act(Act::Reset);
    }
    window.act(Act::File(Purpose::Run, old.clone()));
    window.until("the list", |app| app.library().find(&old).is_some() && app.state().folder.is_some());
    assert_eq!(window.app().library().find(&made).unwrap().name, "quick γ.2 s1");
    window.act(Act::Pane(Pane::Runs));
    window.harness.step();
    window.harness.get_by_label_contains("Run the old one,");
    // To attack it would be to write in it.
    window.act(Act::AttackShown("rmle"));
    window.until("the refusal", |app| app.activity() == Activity::Idle);
    let error = window.app().state().error.clone().unwrap_or_default();
    assert!(error.starts_with("the run cannot be attacked: what is stolen is kept in its folder, and "), "{error}");
    assert!(error.ends_with("the old one"), "{error}");
    assert!(window.app().state().summary.is_some() && !old.join(ATTACKS).exists());
    window.act(Act::ShowRun(made));
    window.until("the other", |app| app.state().title == "quick γ.2 s1");
    assert_eq!(window.app().state().error, None, "it was of the other run");
    // It is found again at the next start.
    window.harness.state_mut().leave();
    let again = App::in_folder(None, window.home.path().to_owned());
    assert_eq!(again.library().elsewhere, [old]);
}

/// A folder of IDX files: 40 training and 20 test images of 28 × 28.
fn digits(folder: &Path) {
    let idx = |sizes: &[u32], data: Vec<u8>| {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(data);
        file
    };
    for (part, count) in [("train", 40), ("t10k", 20)] {
        let pixels = (0..count * 784).map(|i| (i % 251) as u8).collect();
        put(&folder.join(format!("{part}-images-idx3-ubyte")), &idx(&[count, 28, 28], pixels));
        let labels = (0..count).map(|i| (i % 10) as u8).collect();
        put(&folder.join(format!("{part}-labels-idx1-ubyte")), &idx(&[count], labels));
    }
}

#[test]
fn data_sets_and_images_are_opened_by_drop() {
    let mut window = Window::open(quick());
    window.rest();
    let folder = window.home.path().join("my digits");
    digits(&folder);
    for path in [folder.clone(), folder.join("t10k-labels-idx1-ubyte")] {
        drop_on(&mut window, &path);
        window.rest();
        assert_eq!(window.app().document().experiment(), &quick(), "they are looked at first");
        // The dialog stands still.
        (0..4).for_each(|_| window.harness.step());
        window.click("Use these images");
        window.rest();
        assert_eq!(window.app().document().experiment().data.name, folder.to_string_lossy());
        assert_eq!(window.app().showing().facts.as_ref().unwrap().data, folder.to_string_lossy());
        assert!(window.app().messages().iter().any(|text| text.starts_with("my digits: for the stage")));
        assert_eq!((&window.app().state().error, &window.app().showing().trouble), (&None, &None));
        window.act(Act::Undo);
        assert_eq!(window.app().document().experiment(), &quick());
        window.rest();
    }
    let picture = window.home.path().join("hand.png");
    image::GrayImage::from_pixel(40, 40, image::Luma([200])).save(&picture).unwrap();
    drop_on(&mut window, &picture);
    window.until("the image", |app| matches!(app.showing().image, crate::live::Shown::Own(_)));
}

#[test]
fn what_cannot_be_opened_says_what_could_and_goes_with_the_next_that_can() {
    let mut window = Window::open(quick());
    let home = window.home.path().to_owned();
    put(&home.join("notes.txt"), b"Dear diary,\n");
    put(&home.join("broken.npz"), b"PK and no more");
    put(&home.join("good.toml"), quick().to_toml().as_bytes());
    drop_on(&mut window, &home.join("notes.txt"));
    let error = window.app().state().error.clone().unwrap();
    assert!(
        error.contains("a run's folder, an experiment (.toml), a data set") && error.ends_with("notes.txt"),
        "{error}"
    );
    window.act(Act::Set(GAMMA.to_owned(), "0.2".to_owned()));
    assert!(window.app().state().error.is_some(), "a lever does not mend a file");
    drop_on(&mut window, &home.join("good.toml"));
    assert_eq!(window.app().state().error, None);
    drop_on(&mut window, &home.join("broken.npz"));
    window.until("the refusal", |app| app.state().error.is_some());
    assert!(window.app().state().error.as_ref().unwrap().ends_with("broken.npz"));
    window.click("Run");
    assert_eq!(window.app().state().error, None);
    window.until("work", |app| app.state().progress.is_some());
    let run = home.join("runs");
    drop_on(&mut window, &run.join(std::fs::read_dir(&run).unwrap().flatten().next().unwrap().file_name()));
    window.harness.state_mut().leave();
}

#[test]
fn a_message_goes_once_it_holds_no_longer() {
    let mut window = Window::open(quick());
    let set = |key: &str, value: &str| Act::Set(key.to_owned(), value.to_owned());
    let error = |window: &Window| window.app().state().error.clone();
    // A refused value, then one that is allowed.
    window.act(set(GAMMA, "7"));
    assert!(error(&window).unwrap().starts_with(&format!("{GAMMA} = 7")));
    window.act(set(GAMMA, "0.2"));
    assert_eq!(error(&window), None);
    // A run that failed for a setting, which is corrected.
    window.act(set("data.name", "/no/such/data"));
    window.click("Run");
    window.until("the failure", |app| app.activity() == Activity::Idle);
    assert!(error(&window).unwrap().contains("/no/such/data"));
    window.act(set("data.name", "mnist"));
    assert_eq!(error(&window), None);
    assert_eq!(window.app().state().status, Status::Failed, "what is shown is still that run");
    window.click("Run");
    assert!(window.app().messages().iter().all(|text| !text.contains("/no/such/data")), "a toast of the run before");
    window.until("work", |app| app.state().progress.is_some());
    window.click("Stop");
    window.until("the end", |app| app.activity() == Activity::Idle);
    // A file that could not be written.
    window.act(Act::File(Purpose::Save, "/no/such/folder/x.toml".into()));
    assert!(error(&window).unwrap().contains("/no/such/folder"));
    window.act(Act::File(Purpose::Save, window.home.path().join("x.toml")));
    assert_eq!(error(&window), None);
    // What is said of a path goes when another is typed.
    window.act(Act::Ask(Purpose::Open));
    window.harness.run_steps(2);
    window.harness.get_by_label("Path of the file or folder").type_text("/no/such");
    window.harness.run_steps(2);
    window.click("Open");
    window.harness.step();
    assert_eq!(window.harness.query_all_by_label_contains("there is no such file").count(), 1);
    window.harness.get_by_label("Path of the file or folder").type_text("er");
    window.harness.run_steps(2);
    assert_eq!(window.harness.query_all_by_label_contains("there is no such file").count(), 0);
}

#[test]
fn every_copy_is_a_command_and_reaches_the_clipboard() {
    let mut window = Window::open(quick());
    window.rest();
    let copied = |window: &mut Window, words: &str| -> Option<String> {
        let command = command::commands().iter().find(|command| command.words == words).unwrap();
        let ctx = window.harness.ctx.clone();
        window.harness.state_mut().act(command.act.clone(), &ctx);
        window.harness.step();
        window.harness.output().platform_output.commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    };
    assert_eq!(copied(&mut window, "Copy as TOML"), Some(quick().to_toml()));
    assert_eq!(copied(&mut window, "Copy as --set").as_deref(), Some("cutlayer run quick"));
    assert_eq!(copied(&mut window, "Copy path"), None);
    window.act(Act::CloseError);
    for seed in ["0", "1"] {
        window.act(Act::Set("seed".to_owned(), seed.to_owned()));
        window.click("Run");
        window.until("the end", |app| app.activity() == Activity::Idle);
    }
    window.until("the list", |app| app.library().runs.len() == 2);
    window.act(Act::Pane(Pane::Runs));
    for name in ["quick", "quick s1"] {
        window.click(&format!("Compare {name}"));
    }
    for (words, holds) in [
        ("Copy as Markdown", ", fused decision "),
        ("Copy as CSV", "# quick s1"),
        ("Copy as LaTeX", "\\begin{tab"),
        ("Copy comparison as Markdown", "A: quick  \nB: quick s1"),
        ("Copy log", " Done in "),
        ("Copy path", "-quick-1"),
    ] {
        let text = copied(&mut window, words).unwrap_or_default();
        assert!(text.contains(holds), "{words}: {text}");
    }
    assert_eq!(window.app().state().error, None);
}
