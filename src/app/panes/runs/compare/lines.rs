//! The rows of a comparison: settings, results, attacks, each as the columns have it. Numbers over several seeds are their
//! mean ± standard deviation.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::super::columns::{Chosen, Column};
use super::super::words::{at, epoch};
use super::{Line, NONE};
use crate::app::words::{capitalised, decimal, leak_help, mode, points, row, yardstick};
use crate::experiment::Experiment;
use crate::report::gather::Model;
use crate::report::points::{Leak, Spread};
use crate::run::summary::{AttackRecord, Row};
use crate::score::gains::GAINS;
use crate::score::metrics::{FAR_LINEUP, LINEUP, Metric, PSNR, SSIM, leading};
use crate::setting::Setting;
use crate::texts::say;

/// What the rows are of.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub chosen: &'a Chosen<'a>,
    pub columns: &'a [Column],
}

/// A value over runs: `88.0`, and of several seeds `88.0 ± 0.6`.
pub(in crate::app::panes::runs) fn spread(spread: &Spread, digits: usize) -> String {
    let mean = decimal(spread.mean, digits);
    spread.deviation().map_or_else(|| mean.clone(), |sd| format!("{mean} \u{b1} {}", decimal(sd, digits)))
}

impl Of<'_> {
    /// A row of numbers. A mean over some of the seeds would stand beside one over all, so there is none.
    fn number(self, label: &str, tip: &str, digits: usize, of: impl Fn(usize) -> Option<f64>) -> Line {
        let over = |column: &Column| Spread::of(column.runs.iter().map(|run| of(*run)).collect::<Option<_>>()?);
        Self::spreads(label, tip, digits, &self.columns.iter().map(over).collect::<Vec<_>>())
    }

    fn spreads(label: &str, tip: &str, digits: usize, all: &[Option<Spread>]) -> Line {
        let values = all.iter().map(|one| one.as_ref().map_or(NONE.to_owned(), |one| spread(one, digits)));
        let change = if let [Some(a), Some(b)] = all { Some(b.mean - a.mean) } else { None };
        let change = change.filter(|change| change.is_finite()).map_or(String::new(), |change| {
            let text = decimal(change, digits);
            if change > 0.0 { format!("+{text}") } else { text }
        });
        Line { label: label.to_owned(), tip: tip.to_owned(), values: values.collect(), change, better: None }
    }

    /// A metric of each run; with its better side where to be better is a `merit`.
    fn scores<'t, T: 'static>(
        self,
        metric: &Metric<T>,
        label: &str,
        tip: &str,
        merit: bool,
        of: impl Fn(usize) -> Option<&'t T>,
    ) -> Line {
        let value = |run: usize| of(run).and_then(metric.value);
        let line = self.number(label, tip, metric.short, value);
        // Over seeds chance is not known to be ruled out.
        let pair = self.pair().filter(|_| merit).and_then(|[a, b]| Some([value(a)?, value(b)?]));
        Line { better: pair.and_then(|pair| metric.better_of(pair)), ..with_unit(line, metric) }
    }

    /// The two runs, where there are two columns of one each.
    fn pair(self) -> Option<[usize; 2]> {
        let [a, b] = self.columns else { return None };
        if let ([a], [b]) = (a.runs.as_slice(), b.runs.as_slice()) { Some([*a, *b]) } else { None }
    }

    /// What each column came to: right answers by the leading metric, and the worst leak after the training, by attackers
    /// who know the defence and who do not.
    pub fn results(self) -> Vec<Line> {
        let models = |column: &Column| column.setting.as_ref().map_or(0, |setting| setting.models.len());
        let rows = self.columns.iter().filter_map(|column| column.setting.as_ref()).flat_map(|one| &one.models);
        let rows: Vec<Row> = rows.filter_map(Model::row).cloned().collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let over = |of: &dyn Fn(&Model) -> Option<f64>| -> Vec<Option<Spread>> {
            self.columns.iter().map(|column| Spread::over(column.setting.as_ref()?, of)).collect()
        };
        let metric = leading(&rows);
        let (name, tip) = (
            capitalised(say(metric.name)),
            t!(
                "{help} Of the model that the run is about; over seeds mean \u{b1} standard deviation.",
                help = say(metric.help)
            ),
        );
        let right = over(&|model| (metric.value)(model.row()?));
        let mut all = vec![with_unit(Self::spreads(&name, &tip, metric.digits, &right), metric)];
        for leak in Leak::ALL {
            let Some(metric) = leak.metric() else { continue };
            for (adaptive, form) in [(false, t!("naive")), (true, t!("adaptive"))] {
                let values = over(&|model| leak.of(model, adaptive));
                if values.iter().any(Option::is_some) {
                    let label = t!("worst {name}, {form}", name = say(metric.name), form);
                    let line = Self::spreads(&label, &leak_help(metric), metric.digits, &values);
                    all.push(with_unit(line, metric));
                }
            }
        }
        if self.columns.iter().any(|column| models(column) > 1) {
            let seeds = self.columns.iter().map(|column| models(column).to_string()).collect();
            let tip = t!("How many seeds the means and standard deviations are over.");
            all.insert(0, setting(t!("seeds").to_owned(), tip.to_owned(), seeds));
        }
        all
    }

    /// The settings, in words.
    pub fn settings(self) -> Vec<Line> {
        let experiments: Vec<&Experiment> = self.chosen.summaries.iter().map(|summary| &summary.experiment).collect();
        let all: Vec<BTreeMap<String, Value>> = experiments.iter().map(|one| flat(one)).collect();
        let mut known = Vec::new();
        for setting in experiments.iter().flat_map(|one| one.settings()) {
            if !known.iter().any(|other: &&Setting| other.key == setting.key) {
                known.push(setting);
            }
        }
        let place = |key: &str| known.iter().position(|setting| setting.key == key).unwrap_or(usize::MAX);
        let keys: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
        let mut keys: Vec<&String> = keys.into_iter().collect();
        keys.sort_by_cached_key(|key| (place(key), *key));
        let each = |of: &dyn Fn(usize) -> String| -> Vec<String> {
            self.columns.iter().map(|column| together(column.runs.iter().map(|run| of(*run)))).collect()
        };
        let mut lines = Vec::new();
        for key in keys {
            let attack = key.strip_prefix("attack.").and_then(|rest| rest.rsplit_once('.'));
            // Of an attack that only some have, its name says enough.
            if let Some((name, leaf)) = attack {
                let has = |run: usize| all[run].contains_key(&format!("attack.{name}.name"));
                let everybody = (0..all.len()).all(has);
                if leaf == "name" {
                    let word = |run| if has(run) { t!("launched") } else { t!("not launched") }.to_owned();
                    lines.push(setting(t!("attack {name}", name), String::new(), each(&word)));
                }
                if leaf == "name" || !everybody {
                    continue;
                }
            }
            let values = each(&|run| match (key.as_str(), experiments[run].stack()) {
                // As a list of tables nobody reads it.
                ("defence", Ok(stack)) if !stack.is_empty() => stack.words(),
                _ => all[run].get(key).map_or(NONE.to_owned(), written),
            });
            lines.push(match known.iter().find(|setting| setting.key == *key) {
                Some(known) => {
                    let label = attack.map_or(known.label.to_owned(), |(name, _)| format!("{name}: {}", known.label));
                    setting(label, format!("{}\n{key}", known.help), values)
                }
                None => setting(key.clone(), String::new(), values),
            });
        }
        lines
    }

    /// A metric of the rows of the tables.
    pub fn answers(self, metric: &Metric<Row>) -> Vec<Line> {
        let summaries = &self.chosen.summaries;
        let mut names: Vec<&str> = Vec::new();
        for name in summaries.iter().flat_map(|summary| &summary.rows).map(|row| row.name.as_str()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let line = |name: &str| {
            let (label, tip) = row(name);
            // To be right on a stolen or disguised image is no merit of a run.
            let merit = matches!(name, "fused" | "defended" | "vanilla_clean") || name.starts_with("stream_");
            let tip = match metric.difference_unit() {
                "points" => t!("{tip} {help} The difference is in points.", tip, help = say(metric.help)),
                _ => format!("{tip} {}", say(metric.help)),
            };
            self.scores(metric, label, &tip, merit, |run| summaries[run].row(name))
        };
        let measured = |name: &&str| summaries.iter().any(|one| one.row(name).and_then(metric.value).is_some());
        names.into_iter().filter(measured).map(line).collect()
    }

    /// Gains over an undefended twin.
    pub fn gains(self) -> Vec<Line> {
        let summaries = &self.chosen.summaries;
        if summaries.iter().all(|summary| summary.gain.is_none()) {
            return Vec::new();
        }
        let line = |metric: &'static Metric<_>| {
            let of = |run: usize| summaries[run].gain.as_ref();
            let line = self.scores(metric, say(metric.window), say(metric.help), true, of);
            if self.columns.iter().any(|column| column.runs.len() > 1) {
                return line;
            }
            let value = |column: &Column| of(column.runs[0]).and_then(metric.value).map_or(NONE.to_owned(), points);
            Line { values: self.columns.iter().map(value).collect(), ..line }
        };
        GAINS.map(|(metric, ..)| line(metric)).into()
    }

    /// Attacks by title, each with its scores. Of more than two columns those that at least two have: what only one has is
    /// compared with nothing, and is in the results.
    pub fn attacks(self) -> Vec<(String, Vec<Line>)> {
        let runs: Vec<Vec<(Key, &AttackRecord)>> =
            self.chosen.summaries.iter().map(|summary| keyed(summary.attacks.iter())).collect();
        let of = |run: usize, key: &Key| runs[run].iter().find(|(its, _)| its == key).map(|(_, record)| *record);
        // The first run's order, then what only others have.
        let mut keys: Vec<&Key> = Vec::new();
        for (key, _) in runs.iter().flatten() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let columns = |key: &Key| {
            let has = |column: &&Column| column.runs.iter().any(|run| of(*run, key).is_some());
            self.columns.iter().filter(has).count()
        };
        let worth = |key: &&Key| self.columns.len() <= 2 || columns(key) > 1;
        let group = |key: &Key| {
            let records: Vec<Option<&AttackRecord>> = (0..runs.len()).map(|run| of(run, key)).collect();
            let title = records.iter().flatten().next().map(|record| title(record)).unwrap_or_default();
            (title, self.attack(&records))
        };
        keys.into_iter().filter(worth).map(group).collect()
    }

    fn attack(self, records: &[Option<&AttackRecord>]) -> Vec<Line> {
        let real = records.iter().flatten().all(|record| yardstick(record).is_none());
        let line = |metric: &'static Metric<AttackRecord>| {
            self.scores(metric, say(metric.name), &leak_help(metric), false, |run| records[run])
        };
        let tip = t!(
            "{leak_help} One side is marked where the difference is more than twice its standard error.",
            leak_help = leak_help(&SSIM)
        );
        let pair = self.pair().and_then(|[a, b]| Some([records[a]?, records[b]?]));
        let merit = real && pair.is_some_and(beyond_chance);
        let mut lines = vec![self.scores(&SSIM, SSIM.name, &tip, merit, |run| records[run]), line(&PSNR)];
        // Old line-ups were easier: with a new one they are not compared.
        let mixed = records.iter().flatten().any(|record| record.judged.is_some());
        let lineup = if mixed { &LINEUP } else { &FAR_LINEUP };
        if records.iter().flatten().any(|record| (lineup.value)(record).is_some()) {
            lines.push(line(lineup));
        }
        if records.iter().all(Option::is_some) {
            let images = |run: &usize| records[*run].map_or(NONE.to_owned(), |record| record.images.to_string());
            let values = self.columns.iter().map(|column| together(column.runs.iter().map(images))).collect();
            let tip = t!("Other counts are other targets: compare these with care.");
            lines.push(setting(t!("images attacked").to_owned(), tip.to_owned(), values));
        }
        lines
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

/// What several runs of a column have, each thing once.
fn together(values: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for value in values {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all.join(" / ")
}

fn setting(label: String, tip: String, values: Vec<String>) -> Line {
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

fn with_unit<T>(line: Line, metric: &Metric<T>) -> Line {
    let write = |text: String| if text == NONE { text } else { metric.with_unit(&text) };
    Line { values: line.values.into_iter().map(write).collect(), ..line }
}

/// By what attacks of several runs are the same, and the how-manieth of these.
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

fn beyond_chance([a, b]: [&AttackRecord; 2]) -> bool {
    (a.ssim - b.ssim).abs() > 2.0 * a.ssim_se.hypot(b.ssim_se)
}
