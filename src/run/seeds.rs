//! Several runs of one experiment that differ in their seed alone: means and what varies from seed to seed.

use std::fmt::Write as _;

use super::report::table;
use super::summary::{AttackRecord, Summary};
use crate::error::{Error, Result};
use crate::score::gains::{GAINS, gain_lines};
use crate::score::image::mean_and_error;
use crate::score::metrics::{ACCURACY, AUROC, ECE, LABELS, LINEUP, Metric, PSNR, SSIM};
use crate::score::record::Row;
use crate::score::verdict::{Standing, attack_words, is_attack};
use crate::split::UNDEFENDED;
use crate::workbench;

/// The table over all of them: each number by seed, its mean, and its standard error over the seeds.
///
/// # Errors
/// Returns an error if two of them have the same seed, or differ in something else.
pub fn over_seeds(summaries: &[Summary]) -> Result<String> {
    check(summaries)?;
    let seeds: Vec<String> = summaries.iter().map(|summary| format!("seed {}", summary.seed)).collect();
    let mut text = format!("Answers on the held-out images of {}\n", summaries[0].experiment.data.name);
    for metric in [&ACCURACY, &AUROC, &ECE] {
        let lines = rows(summaries, metric);
        if !lines.is_empty() {
            let _ = write!(text, "\n{}\n{}", heading(metric, metric.help), numbers(&seeds, lines.into_iter()));
        }
    }
    let _ = write!(text, "\nGains of the fused decision, points\n{}", numbers(&seeds, gains(summaries).into_iter()));
    for metric in [&SSIM, &PSNR, &LINEUP, &LABELS] {
        let lines = kinds(summaries).into_iter().map(|(name, find)| {
            let of = |summary: &Summary| find.find(&summary.attacks).and_then(metric.value);
            (name, summaries.iter().map(of).collect::<Vec<_>>(), metric.digits)
        });
        let lines: Vec<Line> = lines.filter(|(_, values, _)| values.iter().any(Option::is_some)).collect();
        if !lines.is_empty() {
            let told = numbers(&seeds, lines.into_iter());
            let _ = write!(text, "\n{}\n{told}", heading(metric, &metric.leak_help()));
        }
    }
    text.push_str(&verdicts(summaries));
    Ok(text)
}

/// What stands above the table of a metric.
fn heading<T>(metric: &Metric<T>, help: &str) -> String {
    format!("{}: {help}", metric.axis())
}

/// A metric of the rows that have it in any of the runs.
fn rows(summaries: &[Summary], metric: &Metric<Row>) -> Vec<Line> {
    let lines = summaries[0].rows.iter().map(|row| {
        let of = |summary: &Summary| summary.row(&row.name).and_then(metric.value);
        (workbench::paper_word(&row.name).to_owned(), summaries.iter().map(of).collect::<Vec<_>>(), metric.digits)
    });
    lines.filter(|(_, values, _)| values.iter().any(Option::is_some)).collect()
}

fn check(summaries: &[Summary]) -> Result<()> {
    let without_seed = |summary: &Summary| {
        let mut experiment = summary.experiment.clone();
        experiment.seed = 0;
        experiment
    };
    for (i, one) in summaries.iter().enumerate() {
        if summaries[..i].iter().any(|other| other.seed == one.seed) {
            return Err(Error::input(format!(
                "two of the runs have seed {}: give runs that differ in their seed",
                one.seed
            )));
        }
        if without_seed(one) != without_seed(&summaries[0]) {
            return Err(Error::input(
                "the runs differ in more than their seed, so there is no mean over them: show them one at a time, or \
                 compare them in the window",
            ));
        }
    }
    Ok(())
}

/// A line: its name, a number for each seed, and how many digits it has.
type Line = (String, Vec<Option<f64>>, usize);

fn numbers(seeds: &[String], lines: impl Iterator<Item = Line>) -> String {
    let heading: Vec<&str> =
        [""].into_iter().chain(seeds.iter().map(String::as_str)).chain(["mean ± s.e. over seeds"]).collect();
    let mut table = table(&heading);
    for (name, values, digits) in lines {
        let cell = |value: &Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.digits$}"));
        let known: Vec<f64> = values.iter().flatten().copied().collect();
        let (mean, se) = mean_and_error(&known);
        // A mean over some of the seeds would stand beside one over all.
        let over =
            if known.len() == values.len() { format!("{mean:.digits$} ± {se:.digits$}") } else { "–".to_owned() };
        table.add_row(std::iter::once(name).chain(values.iter().map(cell)).chain([over]));
    }
    format!("{table}\n")
}

fn gains(summaries: &[Summary]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (metric, _, paper) in GAINS {
        let line = |summary: &Summary| {
            gain_lines(summary.gain.as_ref()?, &summary.rows).ok()?.into_iter().find(|line| line.metric == metric)
        };
        let (name, digits) = (metric.name, metric.digits);
        let paper = paper.map(|figure| format!(" (paper {figure})")).unwrap_or_default();
        lines.push((format!("{name}{paper}"), summaries.iter().map(|s| Some(line(s)?.points)).collect(), digits));
        let constant = summaries.iter().map(|s| line(s)?.constant).collect();
        lines.push((format!("{name}, always naming the largest class"), constant, digits));
    }
    lines
}

/// Which attack or guess a line is about.
#[derive(Clone, PartialEq)]
struct Kind {
    name: String,
    adaptive: bool,
    target: String,
    epoch: usize,
    images: usize,
}

impl Kind {
    fn of(record: &AttackRecord) -> Self {
        // A guess is the same beside each model.
        let target = if is_attack(record) { record.target.clone() } else { String::new() };
        Self {
            name: record.name.clone(),
            adaptive: record.adaptive,
            target,
            epoch: record.epoch,
            images: record.images,
        }
    }

    fn find<'a>(&self, records: &'a [AttackRecord]) -> Option<&'a AttackRecord> {
        records.iter().find(|record| Self::of(record) == *self)
    }
}

fn kinds(summaries: &[Summary]) -> Vec<(String, Kind)> {
    let mut all: Vec<(String, Kind)> = Vec::new();
    for record in summaries.iter().flat_map(|summary| &summary.attacks) {
        let kind = Kind::of(record);
        if all.iter().any(|(_, other)| *other == kind) {
            continue;
        }
        let name = if is_attack(record) {
            format!("{}: {}, {} targets", record.target, attack_words(record), record.images)
        } else {
            format!("{}, {} targets", workbench::paper_word(&record.name), record.images)
        };
        all.push((name, kind));
    }
    all
}

/// How often each verdict was reached: no sentence rests on one seed.
fn verdicts(summaries: &[Summary]) -> String {
    let all: Vec<_> = summaries.iter().map(|summary| summary.case().verdicts()).collect();
    let mut text = String::new();
    let mut targets: Vec<&str> = all.iter().flatten().map(|verdict| verdict.target.as_str()).collect();
    targets.sort_by_key(|target| *target == UNDEFENDED);
    targets.dedup();
    for target in targets {
        let standings: Vec<Standing> =
            all.iter().flatten().filter(|v| v.target == target).map(|v| v.standing).collect();
        let mut told: Vec<Standing> = Vec::new();
        for standing in &standings {
            if !told.contains(standing) {
                told.push(*standing);
            }
        }
        let count = |standing: &Standing| standings.iter().filter(|other| *other == standing).count();
        let words: Vec<String> =
            told.iter().map(|s| format!("{} in {} of {} seeds", s.word(), count(s), standings.len())).collect();
        if !words.is_empty() {
            let _ = write!(text, "\n{target}: {}", words.join(", "));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::score::record::{Gain, Row};

    fn summary(seed: u64, accuracy: f64, ssim: f64) -> Summary {
        let row = |name: &str, accuracy| Row {
            name: name.to_owned(),
            accuracy,
            balanced_accuracy: accuracy,
            majority: 12.0,
            images: 400,
            ..Row::default()
        };
        let attack = AttackRecord {
            name: "rmle".into(),
            target: "dropout".into(),
            images: 8,
            epoch: 2,
            ssim,
            ..AttackRecord::default()
        };
        Summary {
            seed,
            experiment: Experiment { seed, ..Experiment::preset("quick").unwrap() },
            rows: vec![row("vanilla_clean", 97.0), row("fused", accuracy)],
            gain: Some(Gain { over_clean: accuracy - 97.0, ..Gain::default() }),
            attacks: vec![attack],
            ..Summary::default()
        }
    }

    #[test]
    fn numbers_have_a_mean_and_a_spread_over_seeds() {
        let text = over_seeds(&[summary(0, 94.0, 0.5), summary(1, 95.0, 0.7), summary(2, 96.0, 0.6)]).unwrap();
        for line in ["94.0 |   95.0 |   96.0 |", "95.0 ± 0.6 |", "0.600 ± 0.058 |", "-2.0 ± 0.6 |"] {
            assert!(text.contains(line), "no {line} in {text}");
        }
        assert!(text.ends_with("dropout: not measured in 3 of 3 seeds\n"), "{text}");
    }

    #[test]
    fn only_seeds_may_differ() {
        let error = over_seeds(&[summary(0, 94.0, 0.5), summary(0, 95.0, 0.7)]).unwrap_err().to_string();
        assert!(error.starts_with("two of the runs have seed 0"), "{error}");
        let mut other = summary(1, 94.0, 0.5);
        other.experiment.train.rate = 0.3;
        let error = over_seeds(&[summary(0, 94.0, 0.5), other]).unwrap_err().to_string();
        assert!(error.starts_with("the runs differ in more than their seed"), "{error}");
    }
}
