//! Two runs side by side.

use super::super::samples;
use super::*;
use crate::app::Standing;
use crate::experiment::fixture::{DEFENDED, GAMMA, TITLE};
use crate::report::samples as report;
use crate::run::summary::{AttackRecord, Summary};
use crate::workbench::{find, window_word};

fn changed(change: impl FnOnce(&mut Summary)) -> [RunEntry; 2] {
    let mut summary = samples::summary();
    change(&mut summary);
    let standing = Standing::Finished(Box::new(summary));
    [samples::run("a"), RunEntry { standing, ..samples::run("b") }]
}

fn compared([a, b]: &[RunEntry; 2]) -> Comparison {
    Comparison::of(&[a, b], false).unwrap()
}

fn lines<'a>(compared: &'a Comparison, title: &str) -> Vec<(&'a str, &'a str, &'a str, &'a str)> {
    let lines = compared.groups.iter().filter(|group| group.title.starts_with(title)).flat_map(|group| &group.lines);
    lines.map(|l| (l.label.as_str(), l.values[0].as_str(), l.values[1].as_str(), l.change.as_str())).collect()
}

#[test]
fn equal_runs_differ_in_nothing_and_unfinished_ones_are_not_compared() {
    let same = compared(&changed(|_| {}));
    assert_eq!(same.groups, []);
    assert!(same.equal > 40, "{}", same.equal);
    let unfinished = RunEntry { standing: Standing::Unfinished, ..samples::run("c") };
    assert!(Comparison::of(&[&samples::run("a"), &unfinished], false).is_none());
}

#[test]
fn only_the_settings_that_differ_are_listed_with_their_words() {
    let pair = changed(|summary| {
        for assignment in [format!("{GAMMA}=0.4").as_str(), "train.twin=false", "seed=7", "attack.rmle.iterations=99"] {
            summary.experiment.set(assignment).unwrap();
        }
        summary.experiment.attacks.remove(1);
    });
    let compared = compared(&pair);
    assert_eq!(
        lines(&compared, "Settings"),
        [
            ("Seed", "0", "7", ""),
            (find(GAMMA).unwrap().label, "0.1", "0.4", ""),
            (find("train.twin").unwrap().label, "on", "off", ""),
            (&format!("rmle: {}", find("attack.rmle.iterations").unwrap().label), "20", "99", ""),
            ("attack inverse", "launched", "not launched", ""),
        ]
    );
    assert!(compared.groups[0].lines[1].tip.ends_with(GAMMA));
    assert_eq!(compared.groups.len(), 1);
}

#[test]
fn numbers_have_their_difference_and_the_better_side() {
    let pair = changed(|summary| {
        summary.rows[1].accuracy = 40.0;
        summary.rows[2].accuracy = 90.5;
        summary.gain.as_mut().unwrap().over_clean = -3.5;
        summary.gain.as_mut().unwrap().over_attacked = 50.5;
    });
    let compared = compared(&pair);
    let minus = "\u{2212}";
    assert_eq!(
        lines(&compared, "Accuracy"),
        [
            ("undefended, disguised images", "60.0 %", "40.0 %", format!("{minus}20.0").as_str()),
            (window_word("fused"), "88.0 %", "90.5 %", "+2.5"),
        ]
    );
    let better = |group: usize| compared.groups[group].lines.iter().map(|line| line.better).collect::<Vec<_>>();
    assert_eq!(better(0), [None, Some(1)], "to be right on disguised images is no merit");
    assert_eq!(better(1), [Some(1), None], "nor is a gain over them");
    assert_eq!(lines(&compared, "Gain")[0], ("over clean images", "\u{2212}6.0", "\u{2212}3.5", "+2.5"));
    let none = self::compared(&changed(|summary| summary.gain = None));
    assert_eq!(lines(&none, "Gain")[1], ("over disguised images", "+28.0", "\u{2013}", ""));
}

#[test]
fn attacks_are_matched_by_name_knowledge_target_and_epoch() {
    let mut pair = changed(|summary| {
        // Another order, one at another epoch, one of them nearer by far and one within chance.
        summary.attacks = vec![
            samples::attack("rmle", true, DEFENDED, 2, 0.4),
            samples::attack("rmle", false, DEFENDED, 2, 0.31),
            samples::attack("rmle", false, "vanilla", 1, 0.6),
        ];
    });
    let again = |ssim| AttackRecord { images: 3, ..samples::attack("rmle", true, DEFENDED, 2, ssim) };
    pair[0].afterwards = vec![again(0.8)];
    pair[1].afterwards = vec![again(0.8)];
    let compared = compared(&pair);
    let titles: Vec<&str> = compared.groups.iter().map(|group| group.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "naive rmle at the undefended model, after epoch 2",
            &format!("naive rmle at {TITLE}, after epoch 2"),
            &format!("adaptive rmle at {TITLE}, after epoch 2"),
            "naive rmle at the undefended model, after epoch 1",
        ]
    );
    assert_eq!(lines(&compared, titles[0])[0], ("SSIM", "0.60", "\u{2013}", ""));
    assert_eq!(lines(&compared, titles[1]), [("SSIM", "0.30", "0.31", "+0.01")]);
    assert_eq!(lines(&compared, titles[2]), [("SSIM", "0.50", "0.40", "\u{2212}0.10")]);
    assert_eq!(compared.groups[1].lines[0].better, None, "within chance");
    assert_eq!(compared.groups[2].lines[0].better, Some(1), "lower leaks less");
    assert_eq!(lines(&compared, titles[3])[0], ("SSIM", "\u{2013}", "0.60", ""));
}

#[test]
fn seeds_are_one_column_with_mean_and_standard_deviation() {
    let noisy = |seed: u64, accuracy: f64| {
        let mut summary = report::defended(seed, "image-noise", &[]);
        summary.rows[0].accuracy = accuracy;
        samples::finished(&format!("n{seed}"), summary)
    };
    let mut plain = report::summary(3);
    plain.rows[0].accuracy = 97.5;
    let runs = [noisy(0, 88.0), noisy(1, 90.0), noisy(2, 92.0), samples::finished("plain", plain)];
    let all: Vec<&RunEntry> = runs.iter().collect();
    let pooled = Comparison::of(&all, true).unwrap();
    let results = |of: &Comparison| -> Vec<(String, Vec<String>)> {
        of.results.lines.iter().map(|line| (line.label.clone(), line.values.clone())).collect()
    };
    let line = |label: &str, values: [&str; 2]| (label.to_owned(), values.map(str::to_owned).to_vec());
    assert_eq!(
        results(&pooled)[..4],
        [
            line("seeds", ["3", "1"]),
            line("Accuracy", ["90.0 \u{b1} 2.0 %", "97.5 %"]),
            line("worst line-up, naive", ["51.0 \u{b1} 1.0 %", "53.0 %"]),
            line("worst line-up, adaptive", ["75.0 \u{b1} 0.0 %", "\u{2013}"]),
        ]
    );
    assert_eq!(pooled.results.lines[1].change, "+7.5");
    let seeds = pooled.groups[0].lines.iter().find(|line| line.label == "Seed").unwrap();
    assert_eq!(seeds.values, ["0 / 1 / 2", "3"]);
    assert!(pooled.all().flat_map(|group| &group.lines).all(|line| line.better.is_none()), "chance is not ruled out");
    let text = pooled.markdown();
    assert!(text.contains("| Accuracy | 90.0 \u{b1} 2.0 % | 97.5 % | +7.5 |"), "{text}");
    // Each by itself: four columns, and no difference of two.
    let each = Comparison::of(&all, false).unwrap();
    assert_eq!(each.columns.len(), 4);
    assert_eq!(results(&each)[0].1, ["88.0 %", "90.0 %", "92.0 %", "97.5 %"]);
    let text = each.markdown();
    assert!(
        text.starts_with("A: n0  \nB: n1  \nC: n2  \nD: plain\n\n| | A | B | C | D |\n|---|---:|---:|---:|---:|\n"),
        "{text}"
    );
    assert!(text.trim_end().ends_with("are equal in all and left out."), "{text}");
    // What the undefended one alone was attacked with is compared with nothing.
    let titles: Vec<&str> = each.groups.iter().map(|group| group.title.as_str()).collect();
    assert!(titles.contains(&"naive inverse at image-noise, after epoch 2"), "{titles:?}");
    assert!(!titles.iter().any(|title| title.contains("undefended model")), "{titles:?}");
}

#[test]
fn a_seed_that_lacks_a_number_leaves_no_mean() {
    let mut short = report::defended(1, "image-noise", &[]);
    short.attacks.clear();
    let runs = [samples::finished("a", report::defended(0, "image-noise", &[])), samples::finished("b", short)];
    let all: Vec<&RunEntry> = runs.iter().collect();
    let compared = Comparison::of(&all, true).unwrap();
    let of =
        |label: &str| compared.results.lines.iter().find(|line| line.label == label).map(|line| line.values.clone());
    assert_eq!(of("Accuracy").unwrap(), ["90.0 \u{b1} 0.0 %"]);
    assert_eq!(of("worst line-up, naive"), None);
}

#[test]
fn the_markdown_has_every_line_and_escapes_bars() {
    let mut pair = changed(|summary| summary.rows[2].accuracy = 90.5);
    pair[0].name = "a|b".to_owned();
    let text = compared(&pair).markdown();
    assert!(text.starts_with("A: a\\|b  \nB: b\n\n| | A | B | B \u{2212} A |\n"), "{text}");
    assert!(
        text.contains("| **Accuracy on test images** | | | |\n")
            && text.contains(", fused decision | 88.0 % | **90.5 %** | +2.5 |")
    );
    assert!(text.trim_end().ends_with("left out."), "{text}");
}
