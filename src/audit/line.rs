//! An audit in words: a line that can be cited, and a table.

use std::fmt::Write as _;

use super::{Attacked, Audit, Audited, Mean};
use crate::score::lineup::CHANCE;
use crate::score::metrics::{LINEUP, SSIM};
use crate::score::verdict::{ENOUGH, VICTIM};
use crate::split::UNDEFENDED;
use crate::workbench::paper_word;

/// `suite 1 at dropout: same-class line-up 23.4 ± 5.3 % (adaptive prior; …), SSIM 0.312 ± 0.010; …`.
pub(super) fn line(suite: u32, audited: &Audited, not_covered: &[String]) -> String {
    let choice = &audited.attacks[audited.chosen];
    let mut text = format!("suite {suite} at {}: ", audited.model);
    let (digits, ssim) = (SSIM.digits, with_error(choice.ssim, SSIM.digits));
    let (words, floor) = (words(choice, &audited.model), guessed(audited.floor_ssim, digits));
    let _ = match choice.lineup {
        Some(lineup) => write!(
            text,
            "same-class line-up {} by {words}, SSIM {ssim}; from the label alone {}, SSIM {floor}; by chance {}",
            LINEUP.with_unit(&with_error(lineup, LINEUP.digits)),
            LINEUP.with_unit(&guessed(audited.floor_lineup, LINEUP.digits)),
            LINEUP.with_unit(&CHANCE.to_string()),
        ),
        None => write!(
            text,
            "SSIM {ssim} by {words} (too few images of a class for line-ups); from the label alone {floor}"
        ),
    };
    let _ = write!(text, "; upper bound SSIM {:.digits$}", audited.bound);
    if let Some(floor) = audited.bound_floor {
        let _ = write!(text, " (of as many guesses {floor:.digits$})");
    }
    if !audited.rehearsed {
        text.push_str("; the attack was chosen with the truth, since there was nothing to rehearse on");
    }
    if let Some(doubt) = &choice.doubt {
        let _ = write!(text, "; the attacker may not have done its best: {doubt}");
    }
    if !not_covered.is_empty() {
        let _ = write!(text, "; not covered: {}", not_covered.join(", "));
    }
    text
}

fn guessed(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("{value:.digits$}"))
}

fn with_error(value: Mean, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", value.mean, value.error)
}

/// `adaptive prior`; an undefended model has no defence to know.
fn words(attack: &Attacked, model: &str) -> String {
    match (model, attack.adaptive) {
        (UNDEFENDED | VICTIM, _) => attack.name.clone(),
        (_, true) => format!("adaptive {}", attack.name),
        (_, false) => format!("naive {}", attack.name),
    }
}

/// All of an audit for a terminal: the lines, and the attacks one by one.
pub fn report(audit: &Audit) -> String {
    let mut text = String::new();
    for audited in &audit.models {
        let _ = writeln!(text, "{}\n", audited.line);
    }
    if audit.targets < ENOUGH {
        let _ = writeln!(text, "No verdict: {} targets are too few, one takes {ENOUGH}.\n", audit.targets);
    }
    let columns = ["attack", "rehearsed", "line-up, %", "SSIM", "each seed's"];
    for audited in &audit.models {
        let rows: Vec<[String; 5]> =
            audited.attacks.iter().enumerate().map(|(i, attack)| row(audited, i, attack)).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([columns[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let _ = writeln!(text, "{}", paper_word(&audited.model));
        let told = columns.map(str::to_owned);
        for row in std::iter::once(&told).chain(&rows) {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        text.push('\n');
    }
    text.push_str("* is the attacker's own choice, by a rehearsal on its own images; ? may not have done its best.");
    text
}

fn row(audited: &Audited, i: usize, attack: &Attacked) -> [String; 5] {
    let mark = if i == audited.chosen { " *" } else { "" };
    let rehearsed = attack.rehearsed.map_or_else(String::new, |reached| {
        let ssim = format!("{:.1$}", reached.ssim, SSIM.digits);
        reached.lineup.map_or_else(|| ssim.clone(), |lineup| format!("{lineup:.0$}, {ssim}", LINEUP.digits))
    });
    let doubtful = if attack.doubt.is_some() { " ?" } else { "" };
    let seeds: Vec<String> = attack.by_seed.iter().map(|ssim| format!("{ssim:.0$}", SSIM.digits)).collect();
    [
        format!("{}{mark}{doubtful}", words(attack, &audited.model)),
        rehearsed,
        attack.lineup.map_or_else(String::new, |lineup| with_error(lineup, LINEUP.digits)),
        with_error(attack.ssim, SSIM.digits),
        seeds.join(" "),
    ]
}
