//! Two finished runs beside each other: only what differs.

use std::collections::BTreeMap;
use std::fmt::Write;

use egui_plot::PlotPoint;
use toml::{Table, Value};

use super::words::{at, epoch};
use crate::app::RunEntry;
use crate::app::accuracies::Accuracy;
use crate::app::words::{capitalised, decimal, leak_help, mode, points, row, yardstick};
use crate::experiment::Experiment;
use crate::run::summary::{AttackRecord, Gain, Row, Summary};
use crate::score::gains::GAINS;
use crate::score::metrics::{ACCURACY, AUROC, BRIER, ECE, FAR_LINEUP, LINEUP, Metric, PSNR, SSIM};
use crate::split::UNDEFENDED;
use crate::texts::say;

/// What one of the two does not have.
const NONE: &str = "\u{2013}";

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What is compared.
    pub label: String,
    /// What it is, and how to read it.
    pub tip: String,
    /// As the runs have it.
    pub values: [String; 2],
    /// The second less the first; empty where that means nothing.
    pub change: String,
    /// Which of the two is better, where one is beyond chance.
    pub better: Option<usize>,
}

/// Differences of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they are of.
    pub title: String,
    /// The differences.
    pub lines: Vec<Line>,
}

/// The test accuracy of one model in both runs, by epoch.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Whose.
    pub accuracy: Accuracy,
    /// Of the first run, and of the second.
    pub points: [Vec<PlotPoint>; 2],
}

/// Two runs beside each other.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The runs' names.
    pub names: [String; 2],
    /// What differs.
    pub groups: Vec<Group>,
    /// Numbers and settings that both have, equal as they are written here.
    pub equal: usize,
    /// Test accuracies.
    pub curves: Vec<Curve>,
}

impl Comparison {
    /// Compares two runs; none where one is not finished.
    pub fn of(a: &RunEntry, b: &RunEntry) -> Option<Self> {
        let summaries = [a.summary()?, b.summary()?];
        let mut this =
            Self { names: [a.name.clone(), b.name.clone()], groups: Vec::new(), equal: 0, curves: curves(summaries) };
        this.add(t!("Settings"), settings(summaries.map(|summary| &summary.experiment)));
        for metric in [&ACCURACY, &AUROC, &ECE, &BRIER] {
            this.add(&t!("{name} on test images", name = capitalised(say(metric.name))), answers(metric, summaries));
        }
        this.add(t!("Gain of the fused decision, in points"), gains(summaries.map(|summary| summary.gain.as_ref())));
        let [a, b] = [a, b].map(|run| keyed(run.attacks()));
        // The first run's order, then what only the second has.
        let only_b = b.iter().filter(|(key, _)| !a.iter().any(|(its, _)| its == key)).map(|(key, _)| key);
        for key in a.iter().map(|(key, _)| key).chain(only_b) {
            let of = |list: &[(Key, &'_ AttackRecord)]| list.iter().position(|(its, _)| its == key);
            let records = [of(&a).map(|at| a[at].1), of(&b).map(|at| b[at].1)];
            let Some(record) = records[0].or(records[1]) else { continue };
            this.add(&title(record), attack(records));
        }
        Some(this)
    }

    /// Keeps what differs, counts the rest.
    fn add(&mut self, title: &str, lines: Vec<Line>) {
        let all = lines.len();
        let lines: Vec<Line> = lines.into_iter().filter(|line| line.values[0] != line.values[1]).collect();
        self.equal += all - lines.len();
        if !lines.is_empty() {
            self.groups.push(Group { title: title.to_owned(), lines });
        }
    }

    /// What both have, in a sentence.
    pub fn equal_words(&self) -> String {
        match self.equal {
            1 => t!("1 setting or number is equal in both and left out.").to_owned(),
            n => t!("{n} settings and numbers are equal in both and left out.", n),
        }
    }

    /// The last test accuracy of each curve: `fused decision, last epoch: A 88.0 %, B 86.0 %`.
    pub fn read_out(curve: &Curve) -> String {
        let last = |points: &[PlotPoint]| points.last().map_or(NONE.to_owned(), |p| format!("{} %", decimal(p.y, 1)));
        let [a, b] = [&curve.points[0], &curve.points[1]].map(|points| last(points));
        t!("{label}, last epoch: A {a}, B {b}", label = curve.accuracy.label(), a, b)
    }

    /// The table for a paper or a note.
    pub fn markdown(&self) -> String {
        let plain = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let [a, b] = [&self.names[0], &self.names[1]].map(|name| plain(name));
        let mut text = t!("A: {a}  \nB: {b}\n\n| | A | B | B \u{2212} A |\n|---|---:|---:|---:|\n", a, b);
        for group in &self.groups {
            // A `String` takes all that is written to it.
            let _ = writeln!(text, "| **{}** | | | |", plain(&group.title));
            for line in &group.lines {
                let [a, b] = [0, 1].map(|i| {
                    let value = plain(&line.values[i]);
                    if line.better == Some(i) { format!("**{value}**") } else { value }
                });
                let _ = writeln!(text, "| {} | {a} | {b} | {} |", plain(&line.label), line.change);
            }
        }
        let _ = writeln!(text, "\n{}", self.equal_words());
        text
    }
}

/// Dotted keys with their values; an attack's have its name.
fn flat(experiment: &Experiment) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    flatten(&Table::try_from(experiment).unwrap_or_default(), "", &mut all);
    all
}

fn flatten(table: &Table, before: &str, all: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
        match value {
            Value::Table(inner) => flatten(inner, &key, all),
            Value::Array(attacks) if key == "attack" => {
                for inner in attacks.iter().filter_map(Value::as_table) {
                    let name = inner.get("label").or(inner.get("name")).and_then(Value::as_str).unwrap_or_default();
                    flatten(inner, &format!("attack.{name}"), all);
                }
            }
            value => {
                all.insert(key, value.clone());
            }
        }
    }
}

fn settings(experiments: [&Experiment; 2]) -> Vec<Line> {
    let [a, b] = experiments.map(flat);
    let known = experiments.map(Experiment::settings).concat();
    let place = |key: &str| known.iter().position(|setting| setting.key == key).unwrap_or(usize::MAX);
    let mut keys: Vec<&String> = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))).collect();
    keys.sort_by_key(|key| (place(key), *key));
    let mut lines = Vec::new();
    for key in keys {
        // Of an attack that only one has, its name says enough.
        if let Some((name, leaf)) = key.strip_prefix("attack.").and_then(|rest| rest.rsplit_once('.')) {
            let has = [&a, &b].map(|all| all.contains_key(&format!("attack.{name}.name")));
            if leaf == "name" || has != [true, true] {
                if leaf == "name" {
                    let values = has.map(|has| if has { t!("launched") } else { t!("not launched") }.to_owned());
                    lines.push(setting(t!("attack {name}", name), String::new(), values));
                }
                continue;
            }
        }
        let values = [&a, &b].map(|all| all.get(key).map_or(NONE.to_owned(), written));
        lines.push(match known.iter().find(|setting| setting.key == *key) {
            Some(known) => {
                let of = key.strip_prefix("attack.").and_then(|rest| rest.rsplit_once('.'));
                let label = of.map_or(known.label.to_owned(), |(name, _)| format!("{name}: {}", known.label));
                setting(label, format!("{}\n{key}", known.help), values)
            }
            None => setting(key.clone(), String::new(), values),
        });
    }
    lines
}

fn setting(label: String, tip: String, values: [String; 2]) -> Line {
    Line { label, tip, values, change: String::new(), better: None }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(true) => t!("on").to_owned(),
        Value::Boolean(false) => t!("off").to_owned(),
        other => other.to_string(),
    }
}

/// A number of both runs, with so many digits.
fn number(label: &str, tip: &str, values: [Option<f64>; 2], digits: usize) -> Line {
    let write = |value: Option<f64>| value.map_or(NONE.to_owned(), |value| decimal(value, digits));
    let change = values[0].zip(values[1]).map(|(a, b)| b - a).filter(|change| change.is_finite());
    let change = change.map_or(String::new(), |change| {
        let text = decimal(change, digits);
        if change > 0.0 { format!("+{text}") } else { text }
    });
    Line { label: label.to_owned(), tip: tip.to_owned(), values: values.map(write), change, better: None }
}

/// A metric of both runs; with its better side where to be better is a `merit`.
fn scores<T>(metric: &Metric<T>, label: &str, tip: &str, of: [Option<&T>; 2], merit: bool) -> Line {
    let values = of.map(|one| one.and_then(metric.value));
    let line = number(label, tip, values, metric.short);
    let better = if let [Some(a), Some(b)] = values { metric.better_of([a, b]).filter(|_| merit) } else { None };
    let write = |text: String| if text == NONE { text } else { metric.with_unit(&text) };
    Line { values: line.values.map(write), better, ..line }
}

/// A metric of the rows of the table.
fn answers(metric: &Metric<Row>, summaries: [&Summary; 2]) -> Vec<Line> {
    let [a, b] = summaries;
    let only_b = b.rows.iter().filter(|row| a.row(&row.name).is_none());
    let names = a.rows.iter().chain(only_b).map(|row| row.name.as_str());
    let line = |name: &str| {
        let (label, tip) = row(name);
        let rows = summaries.map(|summary| summary.row(name));
        // To be right on a stolen or disguised image is no merit of a run.
        let merit = matches!(name, "fused" | "defended" | "vanilla_clean") || name.starts_with("stream_");
        let tip = match metric.difference_unit() {
            "points" => t!("{tip} {help} The difference is in points.", tip, help = say(metric.help)),
            _ => format!("{tip} {}", say(metric.help)),
        };
        scores(metric, label, &tip, rows, merit)
    };
    let measured = |name: &&str| summaries.iter().any(|summary| summary.row(name).and_then(metric.value).is_some());
    names.filter(measured).map(line).collect()
}

fn gains(gains: [Option<&Gain>; 2]) -> Vec<Line> {
    let line = |(metric, ..): (&Metric<Gain>, _, _)| {
        let values = gains.map(|gain| gain.and_then(metric.value).map_or(NONE.to_owned(), points));
        Line { values, ..scores(metric, say(metric.window), say(metric.help), gains, true) }
    };
    if gains == [None, None] { Vec::new() } else { GAINS.map(line).into() }
}

/// By what attacks of two runs are the same, and the how-manieth of these.
type Key = (String, bool, String, usize, usize);

fn keyed<'a>(records: impl Iterator<Item = &'a AttackRecord>) -> Vec<(Key, &'a AttackRecord)> {
    let mut all: Vec<(Key, &AttackRecord)> = Vec::new();
    for record in records {
        let mut key = (record.name.clone(), record.adaptive, record.target.clone(), record.epoch, 0);
        // The same attack may have been launched again afterwards.
        while all.iter().any(|(its, _)| *its == key) {
            key.4 += 1;
        }
        all.push((key, record));
    }
    all
}

/// `adaptive rmle at the undefended model, after epoch 2`.
fn title(record: &AttackRecord) -> String {
    t!(
        "{mode} {name} at {at}, {epoch}",
        mode = mode(record),
        name = record.name,
        at = at(&record.target),
        epoch = epoch(record.epoch)
    )
}

fn attack(records: [Option<&AttackRecord>; 2]) -> Vec<Line> {
    let real = records.iter().flatten().all(|record| yardstick(record).is_none());
    let line = |metric: &Metric<AttackRecord>| scores(metric, say(metric.name), &leak_help(metric), records, false);
    let tip = t!(
        "{leak_help} One side is marked where the difference is more than twice its standard error.",
        leak_help = leak_help(&SSIM)
    );
    let mut lines = vec![scores(&SSIM, SSIM.name, &tip, records, real && beyond_chance(records)), line(&PSNR)];
    // Old line-ups were easier: with a new one they are not compared.
    let mixed = records.iter().flatten().any(|record| record.judged.is_some());
    let lineup = if mixed { &LINEUP } else { &FAR_LINEUP };
    if records.iter().flatten().any(|record| (lineup.value)(record).is_some()) {
        lines.push(line(lineup));
    }
    let tip = t!("Other counts are other targets: compare these two with care.");
    let images = number(t!("images attacked"), tip, records.map(|record| record.map(|one| one.images as f64)), 0);
    if records[0].is_some() && records[1].is_some() {
        lines.push(Line { change: String::new(), ..images });
    }
    lines
}

fn beyond_chance(records: [Option<&AttackRecord>; 2]) -> bool {
    let [Some(a), Some(b)] = records else { return false };
    (a.ssim - b.ssim).abs() > 2.0 * a.ssim_se.hypot(b.ssim_se)
}

fn curves(summaries: [&Summary; 2]) -> Vec<Curve> {
    let of = |accuracy: Accuracy, undefended: bool| Curve {
        accuracy,
        points: summaries.map(|summary| {
            let rows =
                summary.epochs.iter().filter(|row| (row.model == UNDEFENDED) == undefended && row.accuracy.is_finite());
            rows.map(|row| PlotPoint::new(row.epoch as f64, row.accuracy)).collect()
        }),
    };
    let all = [of(Accuracy::Decision, false), of(Accuracy::Vanilla, true)];
    all.into_iter().filter(|curve| curve.points.iter().any(|points| !points.is_empty())).collect()
}

#[cfg(test)]
mod tests;
