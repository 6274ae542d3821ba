//! The report's tables: every number as the runs' summaries have it.

use std::fmt::Write as _;

use super::controls::Question;
use super::gather::{Gathered, Model, Setting};
use super::html::{signed, table};
use super::points::{Leak, Spread, accuracy, utility};
use super::read::Runs;
use super::sentences::{grouped, megabytes};
use super::verdict::Outcome;
use crate::experiment::setting_words;
use crate::run::summary::AttackRecord;
use crate::score::metrics::{LINEUP, Metric, PSNR, ROWS, SSIM};
use crate::score::paired::{holm, lead};
use crate::score::record::Row;
use crate::score::verdict::{ALPHA, attack_words, is_attack};
use crate::workbench;

/// What stands for no number.
const NONE: &str = "–";

fn spread(of: Option<Spread>, digits: usize) -> String {
    of.map_or(NONE.to_owned(), |spread| spread.words(digits))
}

/// A row a setting: right answers, leaks, costs, verdict.
pub(super) fn settings(all: &Gathered, leaks: &[Leak], front: &[usize]) -> String {
    let metric = utility(all);
    let mut heading = vec!["#".to_owned(), "setting".to_owned(), "seeds".to_owned(), metric.axis()];
    heading.extend(
        leaks.iter().flat_map(|leak| [format!("{}, naive", leak.axis()), format!("{}, adaptive", leak.axis())]),
    );
    heading.extend(["client, ms".to_owned(), "wire, MB".to_owned(), "verdict".to_owned(), "front".to_owned()]);
    let row = |(i, setting): (usize, &Setting)| {
        let right = Spread::over(setting, |model| (metric.value)(model.row()?));
        let mut cells = vec![
            (i + 1).to_string(),
            setting.label.clone(),
            setting.models.len().to_string(),
            spread(right, metric.digits),
        ];
        for leak in leaks {
            for adaptive in [false, true] {
                cells.push(spread(Spread::over(setting, |model| leak.of(model, adaptive)), leak.digits()));
            }
        }
        let bytes = Spread::over(setting, |m| Some((m.wire?.smashed_bytes + m.wire?.gradient_bytes) as f64));
        cells.push(spread(Spread::over(setting, |model| model.client_ms), 3));
        cells.push(bytes.map_or(NONE.to_owned(), |bytes| megabytes(bytes.mean).replace(" MB", "")));
        cells.push(Outcome::of(setting).word().to_owned());
        cells.push(if front.contains(&i) { "★" } else { "" }.to_owned());
        cells
    };
    let rows: Vec<Vec<String>> = all.settings.iter().enumerate().map(row).collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    let caption = "Every setting: means ± one standard error over seeds; leaks are those to the attack that gets most; the wire is both \
                   ways in training; ★ is on the front by the first leak";
    table(caption, &heading, 2, &rows)
}

/// What knowing the defence gives an attacker, target by target.
pub(super) fn gaps(all: &Gathered) -> Option<String> {
    let (mut rows, mut chances) = (Vec::new(), Vec::new());
    for setting in all.settings.iter().filter(|setting| setting.defended()) {
        for name in pairs(setting) {
            let [naive, adaptive] = [false, true].map(|form| together(setting, &name, form, &SSIM));
            let (Some(naive), Some(adaptive)) = (naive, adaptive) else { continue };
            let (mean, error, p) = lead(&adaptive, &naive);
            let lineups = [false, true].map(|form| together(setting, &name, form, &LINEUP));
            let gap = match lineups {
                [Some(a), Some(b)] if a.len() == b.len() && !a.is_empty() => {
                    let (mean, error, _) = lead(&b, &a);
                    format!("{} ± {:.1}", signed(100.0 * mean, 1), 100.0 * error)
                }
                _ => NONE.to_owned(),
            };
            let images = adaptive.len().to_string();
            rows.push(vec![setting.label.clone(), name, images, format!("{} ± {error:.3}", signed(mean, 3)), gap]);
            chances.push(p);
        }
    }
    for (row, p) in rows.iter_mut().zip(holm(&chances)) {
        row.push(if p <= ALPHA { "helps" } else { "not shown to help" }.to_owned());
    }
    let heading =
        ["setting", "attack", "images", "SSIM, adaptive − naive", "line-up, points", "knowing the defence (Holm)"];
    let caption = "What knowing the defence gives an attacker, on the same images: differences ± one standard error over images, seeds \
                   together";
    (!rows.is_empty()).then(|| table(caption, &heading, 2, &rows))
}

/// Attacks that were launched in both forms in every seed.
fn pairs(setting: &Setting) -> Vec<String> {
    let Some(first) = setting.models.first() else { return Vec::new() };
    let names = first.last_attacks().filter(|record| record.adaptive && record.has_images());
    let mut names: Vec<String> = names.map(|record| record.name.clone()).collect();
    names.dedup();
    names
}

/// A score of each target of one attack, over the seeds of a setting; none where a seed lacks the attack.
fn together(setting: &Setting, name: &str, adaptive: bool, metric: &Metric<AttackRecord>) -> Option<Vec<f64>> {
    let mut all = Vec::new();
    for model in &setting.models {
        let find = |form: bool| model.last_attacks().find(|record| record.name == name && record.adaptive == form);
        let (record, other) = (find(adaptive)?, find(!adaptive)?);
        let (own, its) = (record.judged.as_ref()?, other.judged.as_ref()?);
        if metric == &SSIM {
            // Both at the same targets.
            if own.each.ssim.len() != its.each.ssim.len() {
                return None;
            }
            all.extend(own.each.ssim.iter().copied());
        } else {
            let both = own.each.picked.iter().zip(&its.each.picked);
            all.extend(both.filter_map(|(own, its)| its.and(*own)));
        }
    }
    Some(all)
}

/// What settings of one defence come to that differ in its own settings: strengths, and parts of it switched off.
pub(super) fn parts(all: &Gathered) -> String {
    let mut html = String::new();
    let mut told: Vec<&str> = Vec::new();
    for family in all.families() {
        let alike: Vec<&Setting> = family.iter().map(|place| &all.settings[*place]).collect();
        let setting = alike[0];
        let Some(defence) = setting.defence.as_deref().filter(|id| !told.contains(id)) else { continue };
        told.push(defence);
        let keys: Vec<&'static str> = setting
            .values
            .keys()
            .copied()
            .filter(|key| alike.iter().any(|other| other.values.get(key) != setting.values.get(key)))
            .collect();
        html.push_str(&parts_of(defence, &alike, &keys, utility(all)));
    }
    html
}

fn parts_of(defence: &str, alike: &[&Setting], keys: &[&'static str], metric: &'static Metric<Row>) -> String {
    let heading = [
        "setting".to_owned(),
        metric.axis(),
        format!("{}, worst", LINEUP.axis()),
        "SSIM, worst".to_owned(),
        "client, ms".to_owned(),
    ];
    let row = |setting: &&Setting| {
        let words: Vec<String> =
            keys.iter().filter_map(|key| Some(setting_words(key, setting.values.get(key)?))).collect();
        let worst = |leak: Leak| {
            Spread::over(setting, |model| {
                [false, true].into_iter().filter_map(|form| leak.of(model, form)).reduce(f64::max)
            })
        };
        vec![
            words.join(", "),
            spread(Spread::over(setting, |model| (metric.value)(model.row()?)), metric.digits),
            spread(worst(Leak::Lineup), 1),
            spread(worst(Leak::Ssim), 3),
            spread(Spread::over(setting, |model| model.client_ms), 3),
        ]
    };
    let rows: Vec<Vec<String>> = alike.iter().map(row).collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    let title = workbench::defence(defence).map_or(defence, |kind| kind.title);
    table(&format!("{title}: its settings, and its parts switched on and off"), &heading, 1, &rows)
}

/// How often the decision took each class for which, over the seeds of a setting.
pub(super) fn confusion(setting: &Setting, classes: &[String]) -> Option<String> {
    let all: Vec<&Vec<Vec<usize>>> =
        setting.models.iter().map(|model| model.row()?.confusion.as_ref()).collect::<Option<_>>()?;
    let size = all.first()?.len();
    let counts: Vec<Vec<usize>> =
        (0..size).map(|class| (0..size).map(|as_| all.iter().map(|one| one[class][as_]).sum()).collect()).collect();
    let name = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    let mut heading = vec!["class".to_owned()];
    heading.extend((0..size).map(|class| format!("as {}", name(class))));
    let rows: Vec<Vec<String>> = (0..size)
        .map(|class| std::iter::once(name(class)).chain(counts[class].iter().map(ToString::to_string)).collect())
        .collect();
    let right = accuracy(setting).map(|right| format!(" ({} % right)", right.words(1))).unwrap_or_default();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    let caption = format!("{}{right}: how often each class was taken for which", setting.label);
    Some(shaded(&table(&caption, &heading, 1, &rows), &counts))
}

/// The table with a ground behind each count: its share of its class.
fn shaded(html: &str, counts: &[Vec<usize>]) -> String {
    let mut shares = counts.iter().flat_map(|row| {
        let all = row.iter().sum::<usize>().max(1) as f64;
        row.iter().map(move |n| *n as f64 / all)
    });
    let mut parts = html.split("<td>");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let share = shares.next().unwrap_or(0.0);
        let _ = write!(text, "<td style=\"--share:{share:.3}\">{part}");
    }
    text.replacen("<table>", "<table class=\"confusion\">", 1)
}

/// Every row of every run's table.
pub(super) fn rows(runs: &Runs) -> String {
    let all = || runs.finished.iter().flat_map(|run| run.summary.rows.iter().map(move |row| (run, row)));
    let metrics: Vec<&&Metric<Row>> =
        ROWS.iter().filter(|metric| all().any(|(_, row)| (metric.value)(row).is_some())).collect();
    let heading: Vec<String> = ["run".to_owned(), "row".to_owned(), "images".to_owned()]
        .into_iter()
        .chain(metrics.iter().map(|metric| metric.axis()))
        .collect();
    let one = |(run, row): (&super::read::Run, &Row)| {
        let values = metrics.iter().map(|metric| metric.with_interval(row).unwrap_or(NONE.to_owned()));
        [run.name(), row.name.clone(), row.images.to_string()].into_iter().chain(values).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = all().map(one).collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    table("Every row of every run\u{2019}s table, with 95 % intervals where they were measured", &heading, 2, &rows)
}

/// Every attack of every run, and every guess at its targets.
pub(super) fn attacks(runs: &Runs) -> String {
    let heading = ["run", "at", "attack", "images", "SSIM", "PSNR, dB", "line-up, %", "lead", "s", "verdict"];
    let mut rows = Vec::new();
    for run in &runs.finished {
        let rulings = run.summary.case().rulings();
        for (record, ruling) in run.summary.attacks.iter().zip(rulings) {
            let number = |metric: &Metric<AttackRecord>| metric.plain(record).unwrap_or(NONE.to_owned());
            let what =
                if is_attack(record) { attack_words(record) } else { workbench::paper_word(&record.name).to_owned() };
            let lead = record.judged.as_ref().and_then(|judged| judged.lead.as_ref());
            let lead = lead.map(|lead| {
                let (digits, unit) = (lead.metric().digits, lead.metric().difference_unit());
                format!("{} {unit}", signed(lead.mean, digits))
            });
            rows.push(vec![
                run.name(),
                record.target.clone(),
                what,
                record.images.to_string(),
                number(&SSIM),
                number(&PSNR),
                number(&LINEUP),
                lead.unwrap_or(NONE.to_owned()),
                format!("{:.1}", record.seconds),
                ruling.map_or(NONE, |ruling| ruling.standing.word()).to_owned(),
            ]);
        }
    }
    table("Every attack, and every guess at its targets; ± is one standard error over images", &heading, 3, &rows)
}

/// A defence beside each of its controls, with the weights of both parties.
pub(super) fn held(question: &Question) -> String {
    let digits = question.metric().digits;
    let ends = |ends: Option<[f64; 2]>| {
        ends.map_or(NONE.to_owned(), |[low, high]| format!("{} to {}", signed(low, 2), signed(high, 2)))
    };
    let count = |weights: Option<[usize; 2]>, party: usize| {
        weights.map_or(NONE.to_owned(), |weights| grouped(weights[party] as u64))
    };
    let mut rows = vec![vec![
        question.setting.clone(),
        question.right.each.len().to_string(),
        question.right.words(digits),
        NONE.to_owned(),
        NONE.to_owned(),
        NONE.to_owned(),
        count(question.weights, 1),
        count(question.weights, 0),
        NONE.to_owned(),
    ]];
    rows.extend(question.held.iter().map(|held| {
        vec![
            held.setting.clone(),
            held.seeds.to_string(),
            held.right.words(digits),
            signed(held.difference, 2),
            ends(held.by_seed),
            ends(held.by_image.as_ref().map(|over| over.ends)),
            count(held.weights, 1),
            count(held.weights, 0),
            held.stands().word().to_owned(),
        ]
    }));
    let metric = question.metric().axis();
    let heading = [
        "setting",
        "seeds in pairs",
        &metric,
        "points above it",
        "95 %, over seeds",
        "95 %, over test images",
        "server's weights",
        "client's",
        "answers right",
    ];
    let caption = format!(
        "{} and what it is held against: means ± one standard error over seeds, and by how many points it is above each",
        question.setting
    );
    table(&caption, &heading, 1, &rows)
}

/// Whom attacks find again among the patients, where patients are known.
pub(super) fn found(all: &Gathered) -> Option<String> {
    let of = |setting: &Setting, model: &Model| {
        let (label, seed) = (setting.label.clone(), model.seed);
        let rows = model.reidentified.iter().map(move |row| {
            let form = match row.adaptive {
                Some(true) => "adaptive ",
                _ => "",
            };
            let outline = if row.outline_removed { ", outline removed" } else { "" };
            vec![
                label.clone(),
                seed.to_string(),
                format!("{form}{}{outline}", row.name),
                format!("{:.1} ({:.1} to {:.1})", row.rank1, row.rank1_ci[0], row.rank1_ci[1]),
                format!("{:.1}", row.chance),
                format!("{:.3}", row.verification),
            ]
        });
        rows.collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> =
        all.settings.iter().flat_map(|setting| setting.models.iter().flat_map(|model| of(setting, model))).collect();
    let heading = ["setting", "seed", "found by", "first of all, % (95 %)", "chance, %", "same person, AUC"];
    (!rows.is_empty()).then(|| table("Patients found again by another image of theirs", &heading, 3, &rows))
}
