//! The summary as text: the table of METHOD §3 with the paper's values and what can be said of them.

pub mod diagnosis;
mod gains;
pub mod people;

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, Table};

use super::attack_records::earlier;
use super::diagnosis_file;
use super::recorder::read_summary;
use super::summary::{AttackRecord, Summary};
use crate::error::Result;
use crate::score::gains::gain_lines;
use crate::score::meters::METERS;
use crate::score::metrics::{
    LABELS, LINEUP, MSE, Metric, OVER_CLEAN, PSNR, ROWS, SSIM, leading, lineup_chance, lineup_of,
};
use crate::score::record::Row;
use crate::score::utility::HeldOut;
use crate::score::verdict::{Case, Ruling, VICTIM, is_attack};
use crate::workbench;

/// A table as terminals and Markdown show it: numbers to the right.
pub(crate) fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(heading.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What a finished run came to, with the attacks launched at it and the diagnoses manipulated since: these count like its
/// own.
///
/// # Errors
/// Returns an error if the run is not finished, or a file of it is damaged.
pub fn finished(run: &Path) -> Result<Summary> {
    Ok(read_summary(run)?.with(earlier(run)?).diagnosed(diagnosis_file::earlier(run)?))
}

/// The whole report, for a terminal. Attacks that were launched at the run afterwards are among the summary's own.
pub fn report(summary: &Summary) -> String {
    let mut text = String::new();
    let data = &summary.experiment.data.name;
    let _ = writeln!(
        text,
        "Answers on the held-out images of {data} (seed {}; ± one standard error over the images)",
        summary.seed
    );
    text.push_str(&rows_table(summary));
    text.push_str(&gains::gain_text(summary));
    if !summary.attacks.is_empty() {
        text.push('\n');
        text.push_str(&attack_text(summary.case(), |_| true));
    }
    text.push_str(&metered(summary));
    text.push_str(&people::leaks(summary));
    text.push_str(&people::found(summary));
    text.push_str(&people::read_off(summary));
    text.push_str(&diagnosis::manipulated(&summary.diagnosis));
    text.push_str(&gains::recovery_text(summary));
    text.push_str(&cost_text(summary));
    text.push_str(&reading(summary));
    text
}

/// What the leak meters showed of each model last.
fn metered(summary: &Summary) -> String {
    let mut models: Vec<&str> = summary.epochs.iter().map(|row| row.model.as_str()).collect();
    models.dedup();
    let heading: Vec<String> = METERS.iter().map(|meter| meter.axis()).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading.iter().map(String::as_str)).chain(["σ"]).collect();
    let mut table = table(&heading);
    let mut nominal = false;
    for model in models {
        let last = summary.epochs.iter().filter(|row| row.model == model).max_by_key(|row| row.epoch);
        let Some(meters) = last.and_then(|row| row.meters) else { continue };
        let cells = METERS.iter().map(|meter| meter.plain(&meters).unwrap_or("–".to_owned()));
        let sigma = format!("{:.4}{}", meters.sigma, if meters.nominal { "*" } else { "" });
        nominal |= meters.nominal;
        table.add_row(std::iter::once(model.to_owned()).chain(cells).chain([sigma]));
    }
    if table.row_count() == 0 {
        return String::new();
    }
    let star = if nominal { "* no noise on the wire: a hundredth of what is sent\n" } else { "" };
    format!("\nLeak meters on test images, without an attack; they prove nothing\n{table}\n{star}")
}

fn rows_table(summary: &Summary) -> String {
    let mut text = format!("{}\n{}{}", table_of(&summary.rows), confusion_text(summary), best_epoch(summary));
    if let Some(merged) = &summary.merged {
        let names = merged.class_names.join(", ");
        let _ = writeln!(text, "\nThe same answers with classes merged: {names}\n{}", table_of(&merged.rows));
    }
    text
}

fn table_of(rows: &[Row]) -> Table {
    // Older builds measured fewer.
    let measured = |metric: &&&Metric<Row>| rows.iter().any(|row| (metric.value)(row).is_some());
    let lead = leading(rows);
    let mut metrics: Vec<&Metric<Row>> = ROWS.iter().filter(measured).copied().collect();
    // The first column is the one to read.
    metrics.sort_by_key(|metric| *metric != lead);
    let sure = rows.iter().any(|row| (lead.interval)(row).is_some());
    let headed =
        |metric: &&Metric<Row>| if *metric == lead && sure { lead.axis() + " (95 %)" } else { heading(metric) };
    let heading: Vec<String> = metrics.iter().map(headed).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading.iter().map(String::as_str)).collect();
    let mut table = table(&heading);
    for row in rows {
        let told = |metric: &&Metric<Row>| if *metric == lead { metric.with_interval(row) } else { metric.plain(row) };
        let cells = metrics.iter().map(|metric| told(metric).unwrap_or("–".to_owned()));
        table.add_row(std::iter::once(workbench::paper_word(&row.name).to_owned()).chain(cells));
    }
    table
}

/// How often the decision took each class for which, where the classes fit on a line.
fn confusion_text(summary: &Summary) -> String {
    const MOST: usize = 12;
    let decision =
        ["fused", "vanilla_clean"].into_iter().find_map(|name| summary.rows.iter().find(|row| row.name == name));
    let counts = |row: &Row| row.confusion.clone().filter(|all| all.len() <= MOST);
    let Some((row, all)) = decision.and_then(|row| Some((row, counts(row)?))) else { return String::new() };
    let heading: Vec<String> = (0..all.len()).map(|class| format!("as {class}")).collect();
    let heading: Vec<&str> = ["class"].into_iter().chain(heading.iter().map(String::as_str)).collect();
    let mut table = table(&heading);
    for (class, counts) in all.iter().enumerate() {
        table.add_row(std::iter::once(class.to_string()).chain(counts.iter().map(ToString::to_string)));
    }
    format!("How often {} took each class for which:\n{table}\n", workbench::paper_word(&row.name))
}

/// What heads a column of a metric: `PSNR, dB ± s.e.`.
fn heading<T>(metric: &Metric<T>) -> String {
    let error = if metric.has_error() { " ± s.e." } else { "" };
    metric.axis() + error
}

fn best_epoch(summary: &Summary) -> String {
    let (best, by, kept) = match (&summary.best_epoch, &summary.best_weights) {
        (Some(best), kept) => (best, HeldOut::Validation, kept.is_some()),
        (None, Some(kept)) => (&kept.epochs, kept.by, true),
        (None, None) => return String::new(),
    };
    let best: Vec<String> = best.iter().map(|(model, epoch)| format!("{model} {epoch}")).collect();
    let all = summary.experiment.train.epochs;
    let kept = if kept { " The weights of the best are kept, too (export --best)." } else { "" };
    let (judged, kept) = match &summary.final_epoch {
        None => ("The table is of the last.".to_owned(), kept),
        Some(judged) => {
            let judged: Vec<String> = judged.iter().map(|(model, epoch)| format!("{model} {epoch}")).collect();
            (format!("The table and the last attacks are of the weights after epoch {}.", judged.join(", ")), kept)
        }
    };
    let balanced = by == HeldOut::Validation && summary.epochs.iter().all(|row| row.validation_balanced.is_some());
    let what = if balanced { "balanced accuracy" } else { "accuracy" };
    format!("Best of {all} epochs by {what} on {}: {}. {judged}{kept}\n", by.words(), best.join(", "))
}

/// Attacks at a victim of another program, with the guesses at its targets and the verdict on all.
pub fn victim_text(attacks: &[AttackRecord]) -> String {
    let case = Case { attacks, epochs: &[], rows: &[] };
    let sentences = case.verdicts().into_iter().flat_map(|verdict| verdict.sentences);
    let text = attack_text(case, |_| true);
    format!("{text}\n{}\n", sentences.collect::<Vec<_>>().join("\n"))
}

/// Attacks that were launched at a finished run, with the guesses at their targets and the verdict on all that was ever
/// launched at it: they are looks at the same models.
///
/// # Errors
/// Returns an error if a file of the run is damaged.
pub fn launched_text(run: &Path, launched: &[AttackRecord]) -> Result<String> {
    let afterwards = earlier(run)?;
    // A run that was stopped has no table yet; what was launched is told also where the table is damaged.
    let summary = read_summary(run).ok();
    let own = summary.as_ref().map(|summary| summary.attacks.as_slice()).unwrap_or_default();
    let attacks: Vec<AttackRecord> = own.iter().chain(&afterwards).cloned().collect();
    let case = match &summary {
        Some(summary) => Case { attacks: &attacks, ..summary.case() },
        None => Case { attacks: &attacks, epochs: &[], rows: &[] },
    };
    // They were the last ones. What is no number equals nothing, not even itself: it is asked where a record is.
    let last = &attacks[attacks.len().saturating_sub(launched.len())..];
    let is_launched = |record: &AttackRecord| last.iter().any(|one| std::ptr::eq(one, record));
    let counts: Vec<usize> = launched.iter().map(|record| record.images).collect();
    let mut text =
        attack_text(
            case,
            |record| {
                if is_attack(record) { is_launched(record) } else { counts.contains(&record.images) }
            },
        );
    let sentences = case.verdicts().into_iter().flat_map(|verdict| verdict.sentences);
    let _ = writeln!(text, "\n{}", sentences.collect::<Vec<_>>().join("\n"));
    Ok(text)
}

/// Attacks with their rulings, and beside them what was guessed of the same targets; those that are `wanted`, judged
/// among all.
fn attack_text(case: Case<'_>, wanted: impl Fn(&AttackRecord) -> bool) -> String {
    let rulings = case.rulings();
    let ruled = case.attacks.iter().zip(&rulings).filter(|(record, _)| wanted(record));
    let ruled: Vec<(&AttackRecord, &Ruling)> =
        ruled.filter_map(|(record, ruling)| Some((record, ruling.as_ref()?))).collect();
    let mut text = String::new();
    // What older builds asked of a line-up was easier: their rates stand in a table of their own.
    let (new, old): (Vec<_>, Vec<_>) = ruled.into_iter().partition(|(record, _)| record.judged.is_some());
    if !new.is_empty() {
        let _ = writeln!(
            text,
            "What attackers got, scored against the clean images ({}: Gaussian window, data range 1; {}: picked out of eight \
             of the target's own class, chance {}; lead: over the best guess at the same targets)",
            SSIM.name,
            LINEUP.name,
            lineup_chance()
        );
        text.push_str(&attacks_table(&new));
    }
    for (record, accuracy) in case.attacks.iter().filter_map(|record| Some((record, record.copy_accuracy?))) {
        if wanted(record) {
            let (name, target) = (&record.name, &record.target);
            let _ = writeln!(
                text,
                "With {name} in the server's chair a copy of {target} is right about {accuracy:.1} % of the test images"
            );
        }
    }
    if !old.is_empty() {
        text.push_str(
            "As an older build scored it: its line-ups had far decoys of any class, which a class mean passes\n",
        );
        text.push_str(&attacks_table(&old));
    }
    let guesses: Vec<&AttackRecord> =
        case.attacks.iter().filter(|record| !is_attack(record) && wanted(record)).collect();
    let (new, old): (Vec<_>, Vec<_>) = guesses.into_iter().partition(|record| record.judged.is_some());
    for (heading, guesses) in [
        ("What can be guessed of the same targets without the wire, and the oracle's ceiling\n", new),
        ("The same of the older build, with far decoys\n", old),
    ] {
        if !guesses.is_empty() {
            let _ = write!(text, "\n{heading}{}", guesses_table(&guesses));
        }
    }
    text
}

fn attacks_table(attacks: &[(&AttackRecord, &Ruling)]) -> String {
    let [ssim, psnr, lineup] = &[&SSIM, &PSNR, &LINEUP].map(heading);
    let mut head = vec!["attack", "at", "epoch", "images", ssim, psnr, lineup, "lead ± s.e.", "verdict", "s"];
    // Few attacks infer any.
    let labels = heading(&LABELS);
    let labelled = attacks.iter().any(|(attack, _)| attack.labels_right.is_some());
    head.extend(labelled.then_some(labels.as_str()));
    let mut table = table(&head);
    for (attack, ruling) in attacks {
        let form = match (attack.target.as_str(), attack.adaptive) {
            ("vanilla" | VICTIM, _) => "",
            (_, true) => "adaptive ",
            (_, false) => "naive ",
        };
        let [ssim, psnr, lineup] = scores(attack);
        let mut cells = vec![
            format!("{form}{}", attack.name),
            attack.target.clone(),
            attack.epoch.to_string(),
            attack.images.to_string(),
            ssim,
            psnr,
            lineup,
            lead(attack),
            ruling.standing.word().to_owned(),
            format!("{:.1}", attack.seconds),
        ];
        cells.extend(labelled.then(|| LABELS.plain(attack).unwrap_or("none".to_owned())));
        table.add_row(cells);
    }
    format!("{table}\n")
}

fn guesses_table(guesses: &[&AttackRecord]) -> String {
    let [ssim, psnr, lineup] = &[&SSIM, &PSNR, &LINEUP].map(heading);
    let mut table = table(&["", "images", ssim, psnr, lineup]);
    let mut seen: Vec<(String, usize)> = Vec::new();
    for guess in guesses {
        // The same beside each model: a guess knows no model.
        let what = (guess.name.clone(), guess.images);
        if seen.contains(&what) {
            continue;
        }
        seen.push(what);
        let name = workbench::paper_word(&guess.name);
        let [ssim, psnr, lineup] = scores(guess);
        table.add_row([name.to_owned(), guess.images.to_string(), ssim, psnr, lineup]);
    }
    format!("{table}\n")
}

/// SSIM, PSNR and line-up, each with its standard error where that is known.
fn scores(record: &AttackRecord) -> [String; 3] {
    [&SSIM, &PSNR, lineup_of(record)].map(|metric| metric.plain(record).unwrap_or("none".to_owned()))
}

fn lead(record: &AttackRecord) -> String {
    match record.judged.as_ref().and_then(|judged| judged.lead.as_ref()) {
        Some(lead) => {
            let (digits, unit) = (lead.metric().digits, lead.metric().difference_unit());
            format!("{:+.digits$} ± {:.digits$} {unit}", lead.mean, lead.se)
        }
        None => "–".to_owned(),
    }
}

fn cost_text(summary: &Summary) -> String {
    let (wire, cost) = (&summary.wire.total, &summary.client_ms_per_image);
    let mega = |bytes: u64| bytes as f64 / 1e6;
    let mut text = format!(
        "\nWire: {:.1} MB of smashed data up, {:.1} MB of gradients down, {:.1} MB of them from undisguised images sent \
         for the map.\n",
        mega(wire.smashed_bytes),
        mega(wire.gradient_bytes),
        mega(wire.leaked_clean_bytes)
    );
    let ms = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v:.3} ms"));
    let _ =
        writeln!(text, "Client, per image: undefended {}, defended {}.", ms(cost.undefended()), ms(cost.defended()));
    let _ = writeln!(
        text,
        "{:.0} s on {} ({} threads).",
        summary.seconds, summary.machine.processor, summary.machine.threads
    );
    text
}

/// What the numbers say, in sentences that the numbers choose.
fn reading(summary: &Summary) -> String {
    let mut lines = Vec::new();
    if let Some(gain) = &summary.gain
        && let Ok(all) = gain_lines(gain, &summary.rows)
        && let Some(clean) = all.iter().find(|line| line.metric == &OVER_CLEAN)
    {
        lines.push(format!(
            "Over clean is the gain that can't be inflated: {:+.1} ± {:.1} points here. The other two grow with the \
             strength of the attack, which is ours to choose; the paper's values are compared in size only.",
            clean.points, clean.se
        ));
    }
    if let Some(recovery) = &summary.recovery {
        let own = summary.experiment.disguise().mu();
        let at_own = recovery.mse_by_mu.iter().find(|(mu, _)| *mu == own);
        if let Some((mu, mse)) = at_own.filter(|(_, mse)| *mse >= recovery.mse_attacked) {
            let (name, digits) = (MSE.name, MSE.digits);
            lines.push(format!(
                "Recovery in image space at μ {mu} left the attacked images worse than they were ({name} {mse:.digits$} \
                 against {:.digits$}): such images are not low rank.",
                recovery.mse_attacked
            ));
        }
    }
    if let Some(streams) = &summary.streams {
        let verdict =
            if streams.as_in_paper { "the paper's order" } else { "not the paper's recovered > fused > attacked" };
        lines.push(format!("Streams by accuracy: {}; {verdict}.", streams.order.join(", ")));
    }
    lines.extend(summary.case().verdicts().into_iter().flat_map(|verdict| verdict.sentences));
    lines.push(
        "All this is one run with one seed: ± are over its images, and say nothing of what another seed would give."
            .to_owned(),
    );
    format!("\n{}\nResearch and teaching, not for clinical use.\n", lines.join("\n"))
}
