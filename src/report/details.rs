//! The pages behind the first: charts, tables, pictures, and what it takes to run all of it again.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::charts;
use super::controls::Question;
use super::gather::{Gathered, Setting};
use super::html::{escaped, folding, list, missing, paragraph, picture};
use super::meters;
use super::points::{Leak, Spread, measured, points, worst};
use super::read::Runs;
use super::sentences::{self, compared};
use super::subject::Subject;
use super::tables;
use crate::run::attack_files;
use crate::run::pictures::bare;
use crate::run::report::people::spread as exposure;
use crate::score::metrics::{LINEUP, Metric, PSNR, SSIM};
use crate::score::verdict::attack_words;

/// Runs whose every number is printed; of more it stands in the file alone.
const FEW: usize = 3;
/// Pictures of attacks at most, and bytes of one.
const MOST_PICTURES: usize = 24;
const MOST_BYTES: u64 = 4 << 20;

pub(super) fn pages(runs: &Runs, all: &Gathered, subjects: &[Subject<'_>]) -> String {
    let leaks = measured(all);
    let front: Vec<usize> = leaks.first().map_or_else(Vec::new, |leak| {
        points(all, *leak).into_iter().filter(|point| point.front).map(|point| point.setting).collect()
    });
    let mut html = frontier(all, &leaks, &front);
    html.push_str(&exposures(all));
    if let Some(found) = tables::found(all) {
        html.push_str(&section("Patients found again", &found));
    }
    if let Some(gaps) = tables::gaps(all) {
        html.push_str(&section("What knowing the defence gives", &gaps));
    }
    if let Some(meters) = meters::trusted(all, &leaks) {
        html.push_str(&section("Which meter can be trusted?", &meters));
    }
    html.push_str(&cuts(all));
    html.push_str(&helps(runs, all));
    let parts = tables::parts(all);
    if !parts.is_empty() {
        html.push_str(&section("What each part of a defence does", &parts));
    }
    html.push_str(&pictures(runs, all, subjects, &front));
    html.push_str(&confusions(runs, subjects));
    let few = runs.finished.len() <= FEW;
    let rows = folding("The table of every run, row by row", &tables::rows(runs), few);
    let attacks = folding("Every attack, and every guess", &tables::attacks(runs), few);
    html.push_str(&section("All numbers", &(rows + &attacks)));
    html.push_str(&again(runs, all, subjects));
    html.push_str(&machines(runs));
    html
}

fn section(heading: &str, inside: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{inside}</section>\n", escaped(heading))
}

/// Whether a defence helps to answer right, beside its controls.
fn helps(runs: &Runs, all: &Gathered) -> String {
    let one = |question: &Question| {
        let lines = question.held.iter().map(|held| compared(question, held));
        let inside = paragraph(&sentences::helps(question)) + &list(lines) + &tables::held(question);
        section(&format!("Does {} help recognition?", question.title()), &(inside + &paragraph(sentences::RULE)))
    };
    Question::all(runs, all).iter().map(one).collect()
}

fn frontier(all: &Gathered, leaks: &[Leak], front: &[usize]) -> String {
    let mut inside = paragraph(
        "Each number in the charts is a setting of the table. Right answers grow to the right, leaks upwards: the best place is the \
         lower right. Thin lines go from strength to strength of a defence, which is named at its last. A hollow circle is what \
         an attacker gets who does not know the defence, a full one what one gets who does; the line between them is what knowing \
         it gives. The dashed line is the front, whose settings no other beats. A setting marked \u{25c2} has fewer right answers than \
         the axis begins with.",
    );
    for leak in leaks {
        let _ = writeln!(
            inside,
            "<figure>{}<figcaption>{}</figcaption></figure>",
            charts::frontier(all, *leak),
            escaped(&caption(*leak))
        );
    }
    section("Right answers against leaks", &(inside + &tables::settings(all, leaks, front)))
}

fn caption(leak: Leak) -> String {
    leak.metric().map_or_else(
        || "How often a stolen image finds another image of the same patient first among all.".to_owned(),
        Metric::leak_help,
    )
}

/// How leaks are spread over patients or images: a mean hides the one who is recognised.
fn exposures(all: &Gathered) -> String {
    let one = |(i, setting): (usize, &'_ Setting)| {
        let model = setting.models.first()?;
        let both = [false, true].into_iter().filter_map(|adaptive| worst(model, adaptive, &SSIM));
        let record = both.max_by(|a, b| a.ssim.total_cmp(&b.ssim))?;
        Some((i, exposure(record, model.patients.as_deref())?))
    };
    let spreads: Vec<_> = all.settings.iter().enumerate().filter_map(one).collect();
    let Some((_, first)) = spreads.first() else { return String::new() };
    let unit = first.unit.clone();
    let rows: Vec<_> = spreads.into_iter().map(|(i, spread)| (i, &all.settings[i], spread)).collect();
    let of_first = "of the first seed, under the attack with the highest mean";
    let words = if unit == "patient" {
        format!(
            "A mean hides the one who is recognised. Each patient counts by the most exposed of their images; {of_first}."
        )
    } else {
        format!(
            "A mean hides the one who is recognised. Patients are not known here, so each image counts; {of_first}."
        )
    };
    section(
        &format!("Leaks by {unit}"),
        &format!("{}<figure>{}</figure>\n", paragraph(&words), charts::exposures(&rows)),
    )
}

/// Leaks, right answers, bytes and the client's time by cut, of settings that differ in nothing else.
fn cuts(all: &Gathered) -> String {
    let mut html = String::new();
    let mut told: Vec<Vec<usize>> = Vec::new();
    for setting in &all.settings {
        let same = |other: &Setting| {
            let defences = |one: &Setting| {
                let general = one.values_without(&[]);
                one.values
                    .iter()
                    .filter(|(key, _)| !general.contains_key(*key))
                    .map(|(k, v)| (*k, v.clone()))
                    .collect::<Vec<_>>()
            };
            (&other.defence, other.pools, defences(other), other.values_without(&["model.cut"]))
                == (&setting.defence, setting.pools, defences(setting), setting.values_without(&["model.cut"]))
        };
        let family: Vec<usize> = (0..all.settings.len()).filter(|i| same(&all.settings[*i])).collect();
        if family.len() > 1 && !told.contains(&family) {
            html.push_str(&family_by_cut(all, &family, told.len()));
            told.push(family);
        }
    }
    if html.is_empty() { html } else { section("Where to cut", &html) }
}

fn family_by_cut(all: &Gathered, family: &[usize], number: usize) -> String {
    let of = |what: &dyn Fn(&Setting) -> Option<Spread>| {
        let mut cuts: Vec<(i64, Spread)> =
            family.iter().filter_map(|i| Some((all.settings[*i].cut()?, what(&all.settings[*i])?))).collect();
        cuts.sort_by_key(|(cut, _)| *cut);
        cuts
    };
    let leak = |leak: Leak| {
        move |setting: &Setting| {
            Spread::over(setting, |model| {
                [false, true].into_iter().filter_map(|form| leak.of(model, form)).reduce(f64::max)
            })
        }
    };
    let metric = super::points::utility(all);
    let right = |setting: &Setting| Spread::over(setting, |model| (metric.value)(model.row()?));
    let bytes = |setting: &Setting| Spread::over(setting, |model| Some(model.wire?.smashed_bytes as f64 / 1e6));
    let ms = |setting: &Setting| Spread::over(setting, |model| model.client_ms);
    let charts = [
        (Leak::Lineup.axis(), of(&leak(Leak::Lineup)), true),
        (Leak::Ssim.axis(), of(&leak(Leak::Ssim)), true),
        (metric.axis(), of(&right), false),
        ("up the wire in training, MB".to_owned(), of(&bytes), true),
        ("client, ms an image".to_owned(), of(&ms), true),
    ];
    let heading = all.settings[family[0]].label.split(", cut ").next().unwrap_or_default().to_owned();
    let mut html = format!("<h3>{}</h3>\n<div class=\"drawings\">\n", escaped(&heading));
    for (i, (name, cuts, from_zero)) in charts.iter().enumerate().filter(|(_, chart)| chart.1.len() > 1) {
        let _ = writeln!(
            html,
            "<figure>{}</figure>",
            charts::over_cuts(&format!("cut-{number}-{i}"), name, cuts, *from_zero)
        );
    }
    html + "</div>\n"
}

/// What the attacks made: the pictures that the runs keep, of the first seed.
fn pictures(runs: &Runs, all: &Gathered, subjects: &[Subject<'_>], front: &[usize]) -> String {
    let chosen = subjects.iter().map(|subject| subject.setting.label.as_str());
    let on_front = front.iter().map(|i| all.settings[*i].label.as_str());
    let mut labels: Vec<&str> = Vec::new();
    for label in chosen.chain(on_front).chain(all.settings.iter().map(|setting| setting.label.as_str())) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut shown = Vec::new();
    for label in labels {
        let Some(setting) = all.settings.iter().find(|setting| setting.label == label) else { continue };
        for adaptive in [false, true] {
            shown.extend(picture_of(runs, setting, adaptive));
        }
    }
    if shown.is_empty() {
        return String::new();
    }
    let left_out = shown.len().saturating_sub(MOST_PICTURES);
    shown.truncate(MOST_PICTURES);
    let more = match left_out {
        0 => String::new(),
        n => format!(" {n} more are in the runs\u{2019} folders."),
    };
    let words = format!(
        "From left to right: the image, what entered the client\u{2019}s layers, what was stolen, and the difference. Of each setting the \
         attack that picks most, in the first seed; they are not chosen for their looks.{more}"
    );
    section("What was stolen", &format!("{}<div class=\"pictures\">\n{}</div>\n", paragraph(&words), shown.concat()))
}

fn picture_of(runs: &Runs, setting: &Setting, adaptive: bool) -> Option<String> {
    let model = setting.models.first()?;
    let record = worst(model, adaptive, &LINEUP).or_else(|| worst(model, adaptive, &SSIM))?;
    let files = model.runs.iter().filter_map(|run| attack_files::picture(&runs.finished.get(*run)?.folder, record));
    let file = files.into_iter().find(|file| file.metadata().is_ok_and(|found| found.len() <= MOST_BYTES))?;
    let told = [&SSIM, &PSNR, &LINEUP]
        .into_iter()
        .filter_map(|metric| Some(format!("{} {}", metric.name, metric.with_unit(&metric.plain(record)?))));
    let told = told.collect::<Vec<_>>().join(", ");
    let words = format!("{}, {}: {told}", setting.label, attack_words(record));
    // What the picture is stands beneath it, in letters that can be read at any size.
    let Some(png) = std::fs::read(&file).ok().and_then(|png| bare(&png)) else {
        let name = file.file_name().unwrap_or_default().display().to_string();
        return Some(missing(&format!("{words}: {name} is damaged and not shown")));
    };
    let alt = format!("Rows of original, sent, stolen and difference. {words}");
    Some(picture(&png, &alt, &words))
}

fn confusions(runs: &Runs, subjects: &[Subject<'_>]) -> String {
    let classes = runs.finished.first().map(|run| run.summary.class_names.clone()).unwrap_or_default();
    let tables: String = subjects.iter().filter_map(|subject| tables::confusion(subject.setting, &classes)).collect();
    if tables.is_empty() { tables } else { section("Which class is taken for which", &tables) }
}

/// The experiments as TOML, those of the first page open.
fn again(runs: &Runs, all: &Gathered, subjects: &[Subject<'_>]) -> String {
    let mut inside = paragraph(
        "Each is run again by `cutlayer run FILE --seed N --out FOLDER`. On paper those of the first page stand alone; the file has all.",
    );
    for setting in &all.settings {
        let Some(run) = setting.models.first().and_then(|model| runs.finished.get(*model.runs.first()?)) else {
            continue;
        };
        let open = subjects.iter().any(|subject| subject.setting.label == setting.label);
        let seeds: Vec<String> = setting.seeds().iter().map(u64::to_string).collect();
        let heading = format!("{} (seeds {})", setting.label, seeds.join(", "));
        let toml = format!("<pre>{}</pre>", escaped(&run.summary.experiment.to_toml()));
        inside.push_str(&folding(&heading, &toml, open));
    }
    section("To run it again", &inside)
}

fn machines(runs: &Runs) -> String {
    let machine = |run: &super::read::Run| {
        let machine = &run.summary.machine;
        let threads = machine.threads;
        format!("Cutlayer {} on {}, {}, {threads} threads", machine.version, machine.processor, machine.system)
    };
    let machines: BTreeSet<String> = runs.finished.iter().map(machine).collect();
    let seconds: f64 = runs.finished.iter().map(|run| run.summary.seconds).sum();
    let data = runs.finished.iter().find_map(|run| run.data.as_ref());
    let mut lines: Vec<String> = machines.into_iter().collect();
    lines.push(format!("{seconds:.0} s of work in all runs."));
    lines.extend(data.map(|data| {
        format!(
            "Images: {} for training, {} for testing, fingerprint {}.",
            data.train.images,
            data.test.images,
            data.hash()
        )
    }));
    lines.extend(
        runs.unfinished.iter().map(|run| format!("Not finished, and not in this report: {}", super::read::name(run))),
    );
    section("Machines, versions, data", &list(lines))
        + &format!(
            "<footer>Made by Cutlayer {}. For research and teaching. Not for clinical use.</footer>\n",
            env!("CARGO_PKG_VERSION")
        )
}
