//! The list of runs as it is read.

use std::fs::{self, File};
use std::time::Duration;

use super::*;
use crate::app::panes::runs::samples;
use crate::experiment::SCHEMA;
use crate::experiment::fixture::{DEFENDED, GAMMA};
use crate::run::whole_files::Writer;

fn write(path: PathBuf, text: &str, age: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    Writer::default().write(&path, text.as_bytes()).unwrap();
    let time = SystemTime::now() - Duration::from_secs(age);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

/// Runs of every standing; the later in the alphabet, the older.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |run: &str, file: &str| folder.path().join(run).join(file);
    let toml = Experiment::preset("quick").unwrap().to_toml();
    for (i, run) in ["a-finished", "b-unfinished", "c-begun", "d-damaged", "e-lost", "f-empty"].iter().enumerate() {
        write(at(run, EXPERIMENT), if i == 5 { "seed = [" } else { &toml }, 1000 * (1 + i as u64));
    }
    let summary = serde_json::to_string(&samples::summary()).unwrap();
    write(at("a-finished", SUMMARY), &summary, 900);
    write(at("b-unfinished", CHECKPOINT), "anything", 1900);
    write(at("d-damaged", SUMMARY), &summary[..summary.len() / 2], 3900);
    write(at("e-lost", SUMMARY), &summary, 4900);
    fs::remove_file(at("e-lost", EXPERIMENT)).unwrap();
    write(at(".new.new-1", EXPERIMENT), &toml, 1);
    write(at("no-run", "notes.txt"), "", 1);
    write(folder.path().join("file.txt"), "", 1);
    folder
}

#[test]
fn every_standing_is_listed_and_the_damaged_hide_no_other() {
    let folder = folder();
    let runs = Cache::default().runs_in(folder.path(), &[]).unwrap();
    let standing = |run: &RunEntry| match &run.standing {
        Standing::Finished(summary) => format!("finished, {} rows", summary.rows.len()),
        Standing::Unfinished => "unfinished".to_owned(),
        Standing::Begun => "begun".to_owned(),
        Standing::Lacking(text) | Standing::Damaged(text) => text.clone(),
    };
    let listed: Vec<(&str, String)> = runs.iter().map(|run| (run.name.as_str(), standing(run))).collect();
    let names: Vec<&str> = listed.iter().map(|run| run.0).collect();
    assert_eq!(names, ["a-finished", "b-unfinished", "c-begun", "d-damaged", "e-lost", "f-empty"]);
    assert_eq!([&listed[0].1, &listed[1].1, &listed[2].1], ["finished, 3 rows", "unfinished", "begun"]);
    assert!(listed[3].1.starts_with("damaged: ") && listed[3].1.ends_with(SUMMARY), "{}", listed[3].1);
    assert!(listed[4].1.starts_with("damaged: experiment.toml is missing"), "{}", listed[4].1);
    assert!(listed[5].1.starts_with("broken TOML"), "{}", listed[5].1);
    assert!(runs[3].experiment.is_some(), "what was run can still be told");
}

#[test]
fn runs_are_called_by_what_they_run_and_none_like_another() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut experiment = Experiment::preset("quick").unwrap();
    let put = |at: &Path, name: &str, experiment: &Experiment, age| {
        write(at.join(name).join(EXPERIMENT), &experiment.to_toml(), age);
    };
    put(folder.path(), "20261124T121916Z-quick-0", &experiment, 50);
    put(folder.path(), "20261124T121917Z-quick-0", &experiment, 40);
    experiment.set(&format!("{GAMMA}=0.2")).unwrap();
    experiment.set("seed=1").unwrap();
    put(folder.path(), "20261124T121918Z-quick-gamma.2-1", &experiment, 30);
    put(folder.path(), "my best", &experiment, 20);
    put(elsewhere.path(), "old", &experiment, 10);
    let others = [elsewhere.path().join("old"), elsewhere.path().join("gone"), folder.path().join("my best")];
    let runs = Cache::default().runs_in(folder.path(), &others).unwrap();
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["old", "my best", "quick γ.2 s1", "quick (2)", "quick"]);
}

#[test]
fn a_run_is_read_again_only_when_it_changed() {
    let folder = folder();
    let mut cache = Cache::default();
    cache.runs_in(folder.path(), &[]).unwrap();
    assert_eq!(cache.read, 6);
    cache.runs_in(folder.path(), &[]).unwrap();
    assert_eq!(cache.read, 6);
    let begun = folder.path().join("c-begun");
    write(begun.join(CHECKPOINT), "anything", 0);
    let runs = cache.runs_in(folder.path(), &[]).unwrap();
    assert_eq!((cache.read, runs[0].name.as_str()), (7, "c-begun"));
    assert!(matches!(runs[0].standing, Standing::Unfinished));
    let attack = serde_json::to_string(&[samples::attack("rmle", true, DEFENDED, 2, 0.9)]).unwrap();
    write(folder.path().join("a-finished").join(ATTACKS), &attack, 0);
    fs::remove_dir_all(begun).unwrap();
    let runs = cache.runs_in(folder.path(), &[]).unwrap();
    assert_eq!((cache.read, runs.len(), cache.known.len()), (8, 5, 5));
    assert_eq!(runs[0].attacks().last().map(|record| record.ssim), Some(0.9));
}

#[test]
fn runs_of_older_builds_are_whole() {
    let all = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oldrun"));
    let runs = Cache::default().runs_in(all, &[]).unwrap();
    let standing = |name: &str| &runs.iter().find(|run| run.name == name).unwrap().standing;
    assert!(matches!(standing("quick-4"), Standing::Finished(summary) if summary.experiment.schema == SCHEMA));
    assert!(matches!(standing("stopped-1"), Standing::Unfinished));
}

#[test]
fn a_run_with_what_this_program_lacks_is_not_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let toml = Experiment::preset("quick").unwrap().to_toml();
    for (name, text) in [
        ("newer", toml.replace(&format!("schema = {SCHEMA}"), &format!("schema = {}", SCHEMA + 1))),
        ("own", toml.replace("name = \"rmle\"", "name = \"own\"")),
    ] {
        write(folder.path().join(name).join(EXPERIMENT), &text, 0);
    }
    let runs = Cache::default().runs_in(folder.path(), &[]).unwrap();
    for (name, says) in [("newer", "made by a newer version"), ("own", "has the attack \"own\"")] {
        let run = runs.iter().find(|run| run.name == name).unwrap();
        assert!(matches!(&run.standing, Standing::Lacking(text) if text.contains(says)), "{:?}", run.standing);
    }
}

#[test]
fn huge_and_missing_things_are_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Cache::default().runs_in(&folder.path().join("none"), &[]).unwrap().len(), 0);
    write(folder.path().join("x").join(EXPERIMENT), "", 0);
    let file = File::options().write(true).open(folder.path().join("x").join(EXPERIMENT)).unwrap();
    file.set_len(MOST_BYTES + 1).unwrap();
    let runs = Cache::default().runs_in(folder.path(), &[]).unwrap();
    assert!(matches!(&runs[0].standing, Standing::Damaged(text) if text.contains("larger than any")));
    // Where the folder is a file it cannot be looked through.
    let error = Cache::default().runs_in(&folder.path().join("x").join(EXPERIMENT), &[]).unwrap_err().to_string();
    assert!(error.starts_with("could not look for runs"), "{error}");
}

#[test]
fn looking_again_while_looking_looks_once_more() {
    let (folder, ctx) = (folder(), Context::default());
    let mut library = Library::default();
    library.refresh(folder.path().to_owned(), &ctx);
    library.refresh(folder.path().to_owned(), &ctx);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while library.looking() && std::time::Instant::now() < deadline {
        library.hear(&ctx);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!((library.generation, library.runs.len(), library.known), (2, 6, true));
}

/// `cargo test --release -- --ignored --nocapture many_runs` tells how long.
#[test]
#[ignore = "measures"]
fn many_runs_are_looked_through_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let (toml, summary) = (Experiment::preset("quick").unwrap().to_toml(), samples::summary());
    write(folder.path().join("0").join(EXPERIMENT), &toml, 0);
    write(folder.path().join("0").join(SUMMARY), &serde_json::to_string(&summary).unwrap(), 0);
    for i in 1..500 {
        let run = folder.path().join(i.to_string());
        fs::create_dir(&run).unwrap();
        for file in [EXPERIMENT, SUMMARY] {
            fs::copy(folder.path().join("0").join(file), run.join(file)).unwrap();
        }
    }
    let mut cache = Cache::default();
    for _ in 0..3 {
        let begin = std::time::Instant::now();
        assert_eq!(cache.runs_in(folder.path(), &[]).unwrap().len(), 500);
        println!("{:?}, {} read", begin.elapsed(), cache.read);
    }
    assert_eq!(cache.read, 500);
}
