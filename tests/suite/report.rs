//! `cutlayer report`: one page over runs.

use std::path::{Path, PathBuf};

use cutlayer::run::whole_files::Writer;
use serde_json::Value;

use crate::common::{call, file, finished, quick, scratch, succeed};

fn reported(runs: &[&Path], out: &Path) -> (String, String) {
    let mut arguments: Vec<String> = vec!["report".to_owned()];
    arguments.extend(runs.iter().map(|run| run.to_str().unwrap().to_owned()));
    arguments.extend(["--out".to_owned(), out.to_str().unwrap().to_owned()]);
    let told = succeed(arguments);
    (told, std::fs::read_to_string(out).unwrap())
}

#[test]
fn three_quick_runs_give_no_verdict_and_say_why() {
    let folder = scratch();
    let runs = folder.path().join("runs");
    for seed in ["0", "1", "2"] {
        quick(&runs, &format!("seed-{seed}"), &["--seed", seed]);
    }
    // One that was begun alone is named and left out.
    let begun = runs.join("begun");
    std::fs::create_dir_all(&begun).unwrap();
    std::fs::copy(runs.join("seed-0/experiment.toml"), begun.join("experiment.toml")).unwrap();
    // So is a picture that is none.
    for picture in std::fs::read_dir(runs.join("seed-0/images")).unwrap().map(|entry| entry.unwrap().path()) {
        if picture.file_name().unwrap().to_str().unwrap().starts_with("psgl") {
            std::fs::copy(begun.join("experiment.toml"), picture).unwrap();
        }
    }
    let (told, page) = reported(&[&runs], &folder.path().join("report.html"));
    assert_eq!(told.matches("no verdict.").count(), 2, "the model and its twin: {told}");
    for words in
        ["At most 8 images were attacked, and a verdict takes 32.", "The test set is too small: on its 100 images"]
    {
        assert!(told.contains(words) && page.contains(words), "no {words} in {told}");
    }
    for words in
        ["no verdict.", "what is needed:", "cutlayer attack RUN --with all --images 64", "not in this report: begun"]
    {
        assert!(page.contains(words), "no {words}");
    }
    let pictures = page.matches("<img alt=\"Rows of original").count();
    let damaged = page.matches(".png is damaged and not shown").count();
    assert!(pictures > 0 && damaged > 0, "{pictures} pictures, {damaged} damaged");
    assert!(!page.to_lowercase().contains("this cut leaks."));
    equal_summaries(&page, &runs);
    // None is written over.
    let again = call(["report", runs.to_str().unwrap(), "--out", folder.path().join("report.html").to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2));
}

/// The cells of every row of the page's tables.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let cells = |row: &'static str| row.split("<td").skip(1).filter_map(|cell| cell.split_once('>')?.1.split_once('<'));
    let page: &'static str = page.to_owned().leak();
    page.split("<tr>").map(|row| cells(row).map(|(text, _)| text).collect()).collect()
}

/// Each accuracy, similarity and line-up of the runs stands in the page, to its last digit.
fn equal_summaries(page: &str, runs: &Path) {
    let rows = rows(page);
    let row_of = |words: &[&str]| {
        let found =
            rows.iter().find(|row| row.len() > words.len() && words.iter().zip(*row).all(|(word, cell)| word == cell));
        found.unwrap_or_else(|| panic!("no row {words:?}"))
    };
    let mut checked = 0;
    for seed in 0..3 {
        let name = format!("seed-{seed}");
        let summary: Value = serde_json::from_slice(&file(&runs.join(&name), "summary.json")).unwrap();
        for row in summary["rows"].as_array().unwrap() {
            let cells = row_of(&[&name, row["name"].as_str().unwrap(), &row["images"].to_string()]);
            let accuracy = format!("{:.1}", row["accuracy"].as_f64().unwrap());
            assert!(cells[3].starts_with(&accuracy), "{accuracy} is not in {cells:?}");
            checked += 1;
        }
        for attack in summary["attacks"].as_array().unwrap() {
            let (target, epoch) = (attack["target"].as_str().unwrap(), attack["epoch"].as_u64().unwrap());
            let guess = attack["iterations"] == 0;
            let form = match (target, attack["adaptive"].as_bool().unwrap()) {
                ("vanilla", _) => "",
                (_, true) => "adaptive ",
                (_, false) => "naive ",
            };
            if guess {
                continue;
            }
            let when = if epoch == 0 { "untrained".to_owned() } else { format!("after epoch {epoch}") };
            let words = format!("{form}{} {when}", attack["name"].as_str().unwrap());
            let cells = row_of(&[&name, target, &words]);
            let ssim = format!("{:.3} ± {:.3}", attack["ssim"].as_f64().unwrap(), attack["ssim_se"].as_f64().unwrap());
            assert_eq!((cells[3], cells[4]), (attack["images"].to_string().as_str(), ssim.as_str()));
            if let Some(lineup) = attack["lineup"].as_f64() {
                assert!(cells[6].starts_with(&format!("{lineup:.1} ±")), "{lineup} is not in {cells:?}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} numbers were compared");
}

#[test]
fn runs_that_cannot_stand_beside_each_other_are_refused() {
    let folder = scratch();
    let settings = [
        "data.name=brainmri",
        "model.name=split-cnn",
        "model.cut=4",
        "psgl.enabled=false",
        "train.epochs=1",
        "attack=[]",
    ];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let brains = quick(folder.path(), "brains", &settings);
    let refused = |runs: &[&Path], says: &str, last: &Path| {
        let out = folder.path().join("none.html");
        let mut arguments: Vec<PathBuf> = vec!["report".into()];
        arguments.extend(runs.iter().map(|run| run.to_path_buf()));
        arguments.extend(["--out".into(), out.clone()]);
        let output = call(arguments);
        let told = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(says) && told.ends_with(last.to_str().unwrap()) && !out.exists(), "{told}");
    };
    refused(&[finished(), &brains], "the runs are of different data: ", &brains);
    let empty = folder.path().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    refused(&[&empty], "there is no run in this folder", &empty);
    // A run of another schema: names itself.
    let newer = folder.path().join("newer");
    std::fs::create_dir_all(&newer).unwrap();
    for name in ["experiment.toml", "data.json"] {
        std::fs::copy(finished().join(name), newer.join(name)).unwrap();
    }
    let text = String::from_utf8(file(finished(), "summary.json")).unwrap();
    let newer_text = text.replacen("\"schema\": 1", "\"schema\": 9", 1);
    Writer::default().write(&newer.join("summary.json"), newer_text.as_bytes()).unwrap();
    refused(&[finished(), &newer], "made by a newer version", &newer.join("summary.json"));
}
