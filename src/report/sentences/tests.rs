//! Each rule with its sentence.

use super::*;
use crate::report::samples;
use crate::report::verdict::Refusal;
use crate::run::summary::{Gain, Row, Summary};

fn defended(seeds: u64) -> Vec<Summary> {
    let mut runs: Vec<Summary> = (0..seeds).map(samples::summary).collect();
    for seed in 0..seeds {
        let mut run = samples::defended(seed, "dropout", &[]);
        run.rows[0].accuracy = 88.0 + 0.1 * seed as f64;
        runs.push(run);
    }
    runs
}

#[test]
fn a_setting_is_spoken_of_by_its_defence() {
    let all =
        Gathered::of(&[samples::with(0, &["model.cut=2"]), samples::summary(0), samples::defended(0, "dropout", &[])]);
    let told: Vec<String> = all.settings.iter().map(under).collect();
    assert_eq!(told[..2], ["Without a defence (cut 2)", "Without a defence (cut 5)"]);
    assert!(told[2].starts_with("Under dropout p 0"), "{told:?}");
}

#[test]
fn the_verdict_follows_the_outcome() {
    let all = Gathered::of(&[samples::summary(0), samples::summary(1)]);
    let told = |outcome| verdict(&Subject { setting: &all.settings[0], outcome, baseline: None });
    assert_eq!(told(Outcome::Leaks { seeds: 2 }), "Without a defence, this cut leaks.");
    assert_eq!(told(Outcome::Leaks { seeds: 1 }), "Without a defence, this cut leaks, in 1 of 2 seeds.");
    assert!(told(Outcome::NotShown).contains("was not shown to leak: none of the attackers that were tried"));
    assert_eq!(told(Outcome::NoVerdict(vec![Refusal::NoAttack])), "Without a defence: no verdict.");
}

#[test]
fn recognised_are_those_above_what_a_label_tells() {
    let all = Gathered::of(&defended(2));
    let told = recognised(&all.settings[1]);
    // Of 2 × 64, 75 % are 96; a guess picks one of eight, 16.
    for words in [
        "“inverse”, who knows the defence,",
        "128 test images over 2 models",
        "For 96 of 128",
        "picks 16; so about 80 of 128",
    ] {
        assert!(told.contains(words), "no {words}: {told}");
    }
    assert!(!recognised(&all.settings[0]).contains("knows the defence"), "there is none to know");
    let mut run = samples::summary(0);
    run.attacks[0].judged.as_mut().unwrap().each.picked = vec![Some(0.125); 64];
    let all = Gathered::of([&run]);
    assert!(recognised(&all.settings[0]).ends_with("picks 8; so nobody was recognised above what a label tells."));
    run.attacks.clear();
    assert!(recognised(&Gathered::of([&run]).settings[0]).starts_with("Nobody can say"));
}

#[test]
fn whoever_is_recognised_once_is_a_patient_recognised() {
    let mut run = samples::summary(0);
    assert_eq!(patients(&Gathered::of([&run]).settings[0]), None);
    // The first 32 images are picked; two to a patient.
    run.target_patients = Some((0..64).map(|i| i / 2).collect());
    let told = patients(&Gathered::of([&run]).settings[0]).unwrap();
    assert!(told.contains("images of 32 patients") && told.contains("16 of 32 have an image"), "{told}");
}

#[test]
fn a_cost_is_paired_by_seed_or_by_image() {
    let all = Gathered::of(&defended(3));
    let told = accuracy_cost(&all.settings[1], &all.settings[0]);
    assert_eq!(
        told,
        ["The defence costs 1.9 ± 0.1 points of accuracy (88.1 % instead of 90.0 %; ± over 3 seeds, in pairs)."]
    );
    // One seed each: the error is that of the two accuracies.
    let all = Gathered::of(&defended(1));
    let told = accuracy_cost(&all.settings[1], &all.settings[0]);
    assert_eq!(
        told,
        [
            "No cost in accuracy was shown: a change of −2.0 ± 1.4 points (88.0 % instead of 90.0 %; ± over the test images)."
        ]
    );
    // A twin in the same run: paired over the images.
    let mut run = samples::defended(0, "dropout", &[]);
    let twin = Row { name: "vanilla_clean".to_owned(), accuracy: 93.0, ..run.rows[0].clone() };
    run.rows.push(twin);
    run.gain = Some(Gain { over_clean: -3.0, errors: Some([1.0, 1.0, 0.5]), ..Gain::default() });
    let all = Gathered::of([&run]);
    let told = accuracy_cost(&all.settings[1], &all.settings[0]);
    assert!(
        told[0].contains("costs 3.0 ± 0.5 points") && told[0].contains("± over the test images, in pairs"),
        "{told:?}"
    );
}

#[test]
fn sensitivity_is_told_of_two_classes() {
    let mut runs = defended(2);
    for (i, run) in runs.iter_mut().enumerate() {
        run.rows[0].sensitivity = Some(if i < 2 { 80.0 + i as f64 } else { 80.0 + (i - 2) as f64 });
    }
    let all = Gathered::of(&runs);
    let told = accuracy_cost(&all.settings[1], &all.settings[0]);
    assert!(told[1].starts_with("No cost in sensitivity was shown: a change of 0.0"), "{told:?}");
}

#[test]
fn time_and_bytes_stand_beside_those_without_the_defence() {
    let mut runs = defended(1);
    let all = Gathered::of(&runs);
    let told = other_costs(&all.settings[1], all.baseline(&all.settings[1]));
    assert_eq!(
        told[0],
        "A diagnosis takes the client 0.050 ms an image instead of 0.050 ms, on the machine named below."
    );
    assert_eq!(told[1], "Training a model sent 2.0 MB up the wire and 2.0 MB down, just as without the defence.");
    let told = other_costs(&all.settings[0], None);
    assert_eq!(told[1], "Training a model sent 2.0 MB up the wire and 2.0 MB down.");
    runs[1].wire = crate::run::summary::WireTotals::default();
    let all = Gathered::of(&runs);
    assert_eq!(other_costs(&all.settings[1], None).len(), 1, "not counted, not told");
}

#[test]
fn means_that_were_used_are_told_and_so_are_those_that_were_not() {
    let mut runs = defended(2);
    let all = Gathered::of(&runs);
    assert_eq!(
        tried(&all),
        [
            "inverse, knowing the defence: saw the smashed data and knew what the client makes of similar images; at most 64 images \
             a model; effort: default.",
            "inverse: saw the smashed data and knew what the client makes of similar images; at most 64 images a model; effort: \
             default.",
        ]
    );
    let not = untried(&all);
    assert!(not[0].contains("rmle") && not[0].contains("nearest") && !not[0].contains("inverse,"), "{not:?}");
    assert!(regulator(&all).contains("the means used was the attack inverse, as listed here"));
    for run in &mut runs {
        run.attacks.retain(|record| !record.adaptive);
    }
    runs[0].attacks[0].judged.as_mut().unwrap().doubt = Some("it still got better".to_owned());
    let all = Gathered::of(&runs);
    assert!(tried(&all)[0].ends_with("in 1 of 4 attacks it may not have done its best."));
    assert!(untried(&all)[1].starts_with("An attacker who knows the defence, at dropout"));
    for run in &mut runs {
        run.attacks.clear();
    }
    assert!(regulator(&Gathered::of(&runs)).contains("no means was used"));
}

#[test]
fn how_sure_it_is_depends_on_the_seeds() {
    let all = Gathered::of(&defended(3));
    let told = confidence(&all, &Subject::chosen(&all));
    assert!(
        told[0].contains("mean over 3 models")
            && told[1].contains("fewer than 5 of 100")
            && told[1].contains("9 attacks")
    );
    let all = Gathered::of(&defended(1));
    assert!(confidence(&all, &Subject::chosen(&all))[0].contains("another seed may give other numbers"));
}

#[test]
fn counts_and_lists_are_as_one_writes_them() {
    assert_eq!([0, 999, 1000, 1_053_696].map(grouped), ["0", "999", "1,000", "1,053,696"]);
    assert_eq!(counted(1, "image", "images"), "1 image");
    assert_eq!([&["a"][..], &["a", "b"], &["a", "b", "c"]].map(listed), ["a", "a and b", "a, b and c"]);
    assert_eq!(megabytes(1_053_696_000.0), "1,053.7 MB");
}

mod helping {
    use super::*;
    use crate::report::controls::{Held, OverImages, Question};
    use crate::report::points::Spread;
    use crate::score::metrics::ACCURACY;

    /// A difference, its interval over seeds and that over images.
    type Difference = (f64, [f64; 2], Option<[f64; 2]>);

    /// A question with these differences.
    fn told(seeds: usize, lacking: &[&str], held: &[Difference]) -> (String, Vec<String>) {
        let one = |(i, (difference, by_seed, by_image)): (usize, &Difference)| Held {
            words: format!("model {i}"),
            setting: "a setting".to_owned(),
            right: Spread::of(vec![96.0]).unwrap(),
            seeds,
            means: [96.0, 96.0 - difference],
            difference: *difference,
            by_seed: Some(*by_seed),
            by_image: by_image.map(|ends| OverImages { ends, units: 2000, patients: false }),
            weights: None,
            doubt: None,
        };
        let question = Question {
            defence: "dropout".to_owned(),
            setting: "whole".to_owned(),
            metric: ACCURACY.key.to_owned(),
            right: Spread::of(vec![96.0]).unwrap(),
            held: held.iter().enumerate().map(one).collect(),
            lacking: lacking.iter().map(|words| (*words).to_owned()).collect(),
            weights: None,
        };
        let each = question.held.iter().map(|held| compared(&question, held)).collect();
        (helps(&question).replace(question.title(), "It"), each)
    }

    const MORE: (f64, [f64; 2], Option<[f64; 2]>) = (1.5, [0.5, 2.5], Some([0.25, 2.75]));
    const LESS: (f64, [f64; 2], Option<[f64; 2]>) = (-1.0, [-1.5, -0.5], Some([-1.5, -0.5]));
    const COVERS: (f64, [f64; 2], Option<[f64; 2]>) = (0.5, [-0.5, 1.5], Some([0.1, 0.9]));

    #[test]
    fn that_it_helps_is_said_only_where_it_is_above_all() {
        for (lacking, held, says) in [
            (
                &[][..],
                &[MORE, MORE][..],
                "It helps recognition here. It answers right more often than model 0 and model 1.",
            ),
            (
                &["x"],
                &[MORE],
                "No evidence that It helps recognition. It answers right more often than model 0. No run has x.",
            ),
            (
                &[],
                &[LESS, LESS],
                "It does not help recognition here. It answers right less often than model 0 and model 1.",
            ),
            (
                &[],
                &[MORE, LESS],
                "No evidence that It helps recognition. It answers right more often than model 0. It answers right less often \
                 than model 1.",
            ),
            (
                &[],
                &[COVERS],
                "No evidence that It helps recognition. There is no evidence of a difference from model 0.",
            ),
            (
                &[],
                &[MORE, COVERS],
                "No evidence that It helps recognition. It answers right more often than model 0. There is no evidence of a \
                 difference from model 1.",
            ),
        ] {
            assert_eq!(told(5, lacking, held).0, says);
        }
        assert_eq!(
            told(4, &[], &[MORE]).0,
            "No evidence that It helps recognition: there are 4 seeds in pairs, and it takes 5."
        );
    }

    #[test]
    fn each_comparison_has_its_numbers_and_both_intervals_count() {
        let (_, each) =
            told(5, &[], &[MORE, LESS, COVERS, (1.0, [0.5, 1.5], Some([-0.1, 2.1])), (1.0, [0.5, 1.5], None)]);
        assert_eq!(
            each[0],
            "Beside model 0: right more often. 96.0 % against 94.5 % accuracy, +1.50 points (95 %: +0.50 to +2.50 over 5 seeds in \
             pairs, +0.25 to +2.75 over 2,000 test images)."
        );
        assert!(
            each[1].starts_with("Beside model 1: right less often.") && each[1].contains("−1.00 points"),
            "{each:?}"
        );
        assert!(each[2].contains("no evidence of a difference") && each[3].contains("no evidence of a difference"));
        assert!(each[4].contains("right more often") && each[4].ends_with("over 5 seeds in pairs)."), "{each:?}");
        assert!(told(1, &[], &[MORE]).1[0].contains("no evidence, of 1 seed."));
    }
}
