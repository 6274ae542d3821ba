use std::path::Path;

use super::*;
use crate::report::samples;
use crate::run::predictions::Truth;
use crate::run::summary::Summary;
use crate::whole_files::Writer;

/// The defences whose cards have controls, by name.
fn kinds() -> Vec<&'static Kind> {
    workbench::defences().iter().copied().filter(|kind| !kind.controls.is_empty()).collect()
}

/// A run of a seed under the default defence with these of its settings, right for so many percent.
fn run(seed: u64, kind: &Kind, set: &[(&str, crate::setting::Plain)], accuracy: f64) -> Summary {
    let mut settings = kind.switched_on()[..].chunks(2).map(|on| format!("{}={}", on[0], on[1])).collect::<Vec<_>>();
    settings.extend(["model.name=split-cnn".to_owned(), "model.cut=4".to_owned(), "train.twin=false".to_owned()]);
    settings.extend(set.iter().map(|(key, value)| format!("{}.{key}={}", kind.place(), value.value())));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut summary = samples::with(seed, &settings);
    summary.rows[0].accuracy = accuracy;
    summary
}

/// A whole and its controls over so many seeds; the first control is right for a point less each time, the second for a point
/// more, the others now more, now less. Then the undefended ones.
fn summaries(kind: &Kind, seeds: u64) -> Vec<Summary> {
    let mut all = Vec::new();
    for seed in 0..seeds {
        let base = 90.0 + 0.3 * seed as f64;
        let jitter = 0.1 * (seed % 3) as f64;
        let back = if seed % 2 == 0 { 1.0 } else { -1.0 };
        all.push(run(seed, kind, &[], base));
        for (i, control) in kind.controls.iter().enumerate() {
            let apart = [-1.0 - jitter, 1.0 + jitter, back, 0.5 * back].get(i).copied().unwrap_or(back);
            all.push(run(seed, kind, control.set, base + apart));
        }
        let mut plain = samples::summary(seed);
        plain.rows[0].accuracy = base - 2.0 - jitter;
        all.push(plain);
    }
    all
}

fn runs(summaries: Vec<Summary>) -> Runs {
    let run = |(i, summary)| Run { folder: format!("/none/{i}").into(), summary, data: None };
    Runs { finished: summaries.into_iter().enumerate().map(run).collect(), unfinished: Vec::new() }
}

#[test]
fn a_defence_is_held_against_the_controls_of_its_card_and_against_none() {
    for kind in kinds() {
        let all_runs = runs(summaries(kind, 5));
        let all = Gathered::of_runs(&all_runs.finished);
        let [question] = Question::all(&all_runs, &all).try_into().unwrap();
        assert!(question.lacking.is_empty() && question.held.len() == kind.controls.len() + 1);
        let told: Vec<Stands> = question.held.iter().map(Held::stands).collect();
        assert_eq!(told[..3], [Stands::More, Stands::Less, Stands::NoEvidence], "{}", kind.id);
        let plain = question.held.last().unwrap();
        assert!(plain.words.starts_with("a model without a defence (") && plain.stands() == Stands::More, "{plain:?}");
        // Differences 1, 1.1, 1.2, 1, 1.1: mean 1.08.
        assert!((question.held[0].difference - 1.08).abs() < 1e-9 && question.held[0].seeds == 5);
    }
}

#[test]
fn of_models_that_still_learn_nothing_is_concluded() {
    let kind = kinds()[0];
    let mut all = summaries(kind, 5);
    // The first control of the second seed: its accuracy rose by ten points in its last epoch.
    let one = &mut all[kind.controls.len() + 3];
    for (row, accuracy) in one.epochs.iter_mut().zip([80.0, 90.0]) {
        row.accuracy = accuracy;
    }
    let all_runs = runs(all);
    let all = Gathered::of_runs(&all_runs.finished);
    let [question] = Question::all(&all_runs, &all).try_into().unwrap();
    let held = &question.held[0];
    assert!(held.doubt.as_ref().unwrap().contains("still learns"), "{held:?}");
    assert_eq!([held.stands(), question.held[1].stands()], [Stands::NoEvidence, Stands::Less]);
    assert!(crate::report::sentences::compared(&question, held).contains("no evidence. The model still learns"));
}

#[test]
fn of_four_seeds_there_is_no_evidence_and_what_no_run_has_is_named() {
    let kind = kinds()[0];
    let mut few = summaries(kind, 4);
    let control = kind.controls[1];
    few.retain(|summary| {
        let values = summary.experiment.values();
        let its = |(key, value): &(&str, crate::setting::Plain)| {
            values.get(format!("{}.{key}", kind.place()).as_str()) == Some(&value.value())
        };
        !control.set.iter().all(its)
    });
    let few = runs(few);
    let all = Gathered::of_runs(&few.finished);
    let [question] = Question::all(&few, &all).try_into().unwrap();
    assert_eq!(question.lacking, [control.words]);
    assert_eq!(question.helps(), Helps::NoEvidence);
    assert!(question.held.iter().all(|held| held.stands() == Stands::NoEvidence));
    // Without a control nobody asked.
    let alone = runs((0..5).map(|seed| run(seed, kind, &[], 90.0)).collect());
    assert!(Question::all(&alone, &Gathered::of_runs(&alone.finished)).is_empty());
}

#[test]
fn what_is_kept_is_of_a_card_with_controls_and_of_five_seeds() {
    let text = include_str!("../../../assets/recognition.json");
    let kept: Kept<Question> = serde_json::from_str(text).unwrap();
    for question in &kept.results {
        let kind = workbench::defence(&question.defence).unwrap();
        let words: Vec<&str> = question.held.iter().map(|held| held.words.as_str()).collect();
        assert!(kind.controls.iter().all(|control| words.contains(&control.words)), "{words:?}");
        assert!(
            question.held.iter().all(|held| held.seeds >= SEEDS && held.by_image.is_some() && held.weights.is_some())
        );
        assert!(!kept.date.is_empty() && kept.command.starts_with("cutlayer sweep recognition"));
    }
}

/// Keeps what a model answered: wrong where told.
fn keep(folder: &Path, wrong: impl Fn(usize) -> bool) {
    let labels: Vec<u32> = (0..200).map(|i| i % 10).collect();
    let classes =
        labels.iter().enumerate().map(|(i, label)| if wrong(i) { (label + 1) % 10 } else { *label }).collect();
    let mut all = Predictions::default();
    all.add("defended", classes);
    let evaluate = crate::experiment::EvaluateSpec::default();
    let truth = Truth { labels: &labels, classes: 10, units: None, positive: 1, gamma: 0.1, evaluate: &evaluate };
    std::fs::create_dir_all(folder).unwrap();
    Writer::default().write(&folder.join(PREDICTIONS), &all.file(&truth).unwrap()).unwrap();
}

#[test]
fn over_images_an_image_counts_once_however_many_seeds_answered_it() {
    let (home, kind) = (tempfile::tempdir().unwrap(), kinds()[0]);
    let mut all = runs(Vec::new());
    for seed in 0..5 {
        for (i, set) in [&[][..], kind.controls[0].set].into_iter().enumerate() {
            let folder = home.path().join(format!("{seed}-{i}"));
            // The defence errs in 20 images, the control in the same and 4 more, in every seed.
            keep(&folder, |image| image < 20 || i == 1 && image >= 196);
            let summary = run(seed, kind, set, if i == 0 { 90.0 } else { 88.0 });
            all.finished.push(Run { folder, summary, data: None });
        }
    }
    let gathered = Gathered::of_runs(&all.finished);
    let over = |all: &Runs| Question::all(all, &gathered).remove(0).held.remove(0).by_image.unwrap();
    let one = over(&all);
    assert_eq!((one.units, one.patients), (200, false), "all test images, in each seed the same");
    assert!(one.ends[0] >= 0.0 && (2.0..5.0).contains(&one.ends[1]), "{one:?}");
    // Each seed with some of its own: more witnesses.
    all.finished.iter_mut().for_each(|run| run.summary.experiment.data.test = 200);
    let many = over(&all);
    assert_eq!(many.units, 1000);
    assert!(many.ends[1] - many.ends[0] < 0.7 * (one.ends[1] - one.ends[0]), "{many:?} {one:?}");
    // Where one is not kept, nothing is said.
    std::fs::remove_file(home.path().join("3-1").join(PREDICTIONS)).unwrap();
    assert!(Question::all(&all, &gathered)[0].held[0].by_image.is_none());
}
