//! Numbers and names as the window writes them.

use crate::report::gather::Setting;
use crate::run::summary::AttackRecord;
use crate::score::floor::Guess;
use crate::score::metrics::{Better, LINEUP, Metric};
use crate::split::UNDEFENDED;
use crate::texts::say;
use crate::workbench;

/// `0:05`, `12:30`, `1:02:03`.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// `3.2 s`, `19 s`, and a clock from a minute on.
pub fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        t!("{seconds:.1} s", seconds = seconds.max(0.0))
    } else if seconds < 59.5 {
        t!("{seconds:.0} s", seconds)
    } else {
        clock(seconds)
    }
}

/// `640 B`, `6.3 kB`, `206 MB`: thousands, as file managers count them.
pub fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return t!("{count} B", count);
    }
    let mut value = count as f64 / 1e3;
    let mut unit = 0;
    // 999.5 would be written as 1000.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1e3;
        unit += 1;
    }
    let digits = usize::from(value < 99.95);
    format!("{value:.digits$} {}", units[unit])
}

/// A decimal with a true minus, none before zero, or a dash where it is no number.
pub fn decimal(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "\u{2013}".to_owned();
    }
    let text = format!("{value:.digits$}");
    let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    text.replace('-', if zero { "" } else { "\u{2212}" })
}

/// A change in points: always with its sign.
pub fn points(value: f64) -> String {
    let text = decimal(value, 1);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// `32 × 14 × 14`.
pub fn shape(sides: &[usize]) -> String {
    sides.iter().map(ToString::to_string).collect::<Vec<_>>().join(" \u{d7} ")
}

/// A model's name: what an attack is aimed at.
pub fn target(name: &str) -> &str {
    say(workbench::window_word(name))
}

/// What a setting is called: its defences with their strengths, and what tells it from others.
pub fn setting_label(setting: &Setting) -> String {
    match setting.label.split_once(", ") {
        _ if setting.defended() => setting.label.clone(),
        Some((_, rest)) => format!("{}, {rest}", t!("undefended")),
        None => t!("undefended").to_owned(),
    }
}

/// A phase, an attack or a verdict as a run tells it, in the window's words.
pub fn phase(text: &str) -> String {
    let word = |word: &str| {
        let name = word.trim_end_matches([':', '.', ',']);
        let said = match name {
            UNDEFENDED => t!("the undefended model"),
            other => workbench::defence(other).map_or(other, |kind| kind.title),
        };
        format!("{said}{}", &word[name.len()..])
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// What a guess is, if the record is one and no attack.
pub fn yardstick(record: &AttackRecord) -> Option<&'static str> {
    Guess::of(record).map(|guess| say(guess.help()))
}

/// What made the images: `class mean`, or an attack's own name.
pub fn maker(record: &AttackRecord) -> &str {
    if yardstick(record).is_some() {
        say(workbench::window_word(&record.name).trim_start_matches("guess: "))
    } else {
        &record.name
    }
}

/// A sentence's first letter as a capital.
pub fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// Whether an attack knew the defence.
pub fn mode(record: &AttackRecord) -> &'static str {
    match Guess::of(record) {
        Some(guess) if guess.is_floor() => t!("guess"),
        Some(_) => t!("oracle"),
        None if record.adaptive => t!("adaptive"),
        None => t!("naive"),
    }
}

/// A metric with its standard error and its unit: `95.3 ± 2.7 %`; a dash where it was not measured.
pub fn measured<T>(metric: &Metric<T>, of: &T) -> String {
    let Some(value) = (metric.value)(of).filter(|value| value.is_finite()) else { return "\u{2013}".to_owned() };
    let number = decimal(value, metric.digits);
    match (metric.error)(of).filter(|error| error.is_finite()) {
        Some(error) => metric.with_unit(&format!("{number} \u{b1} {}", decimal(error, metric.digits))),
        None => metric.with_unit(&number),
    }
}

/// A metric with its 95 % interval: `95.0 % (93.1 to 96.8)`. Where that is not known, as [`measured`] has it.
pub fn measured_within<T>(metric: &Metric<T>, of: &T) -> String {
    match ((metric.value)(of).filter(|value| value.is_finite()), (metric.interval)(of)) {
        (Some(value), Some([low, high])) => t!(
            "{value} ({low} to {high})",
            value = metric.with_unit(&decimal(value, metric.digits)),
            low = decimal(low, metric.digits),
            high = decimal(high, metric.digits)
        ),
        _ => measured(metric, of),
    }
}

/// A value of a metric with its name and its unit, so short as there is little room for it: `SSIM 0.35`, `PSNR 13.0 dB`.
pub fn named<T>(metric: &Metric<T>, value: f64) -> String {
    format!("{} {}", say(metric.name), metric.with_unit(&decimal(value, metric.short)))
}

/// How far an attack is above the best guess, with its standard error: `+41.5 ± 6.0`, `0.123 ± 0.010 SSIM`.
pub fn lead(record: &AttackRecord) -> String {
    let Some(lead) = record.judged.as_ref().and_then(|judged| judged.lead.as_ref()) else {
        return "\u{2013}".to_owned();
    };
    let (metric, error) = (lead.metric(), decimal(lead.se, lead.metric().digits));
    if metric == &LINEUP {
        format!("{} \u{b1} {error}", points(lead.mean))
    } else {
        format!("{} \u{b1} {error} {}", decimal(lead.mean, metric.digits), metric.difference_unit())
    }
}

/// What a metric of attacks is, and which way a leak gets worse.
pub fn leak_help(metric: &Metric<AttackRecord>) -> String {
    let help = say(metric.help);
    match metric.better {
        Some(Better::Lower) => t!("{help} Higher is a worse leak.", help),
        Some(Better::Higher) => t!("{help} Lower is a worse leak.", help),
        None => help.to_owned(),
    }
}

/// A row of the table in words, and what it is.
pub fn row(name: &str) -> (&str, &'static str) {
    (say(workbench::window_word(name)), say(workbench::meaning(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::{DEFENDED, TITLE};
    use crate::score::metrics::{ACCURACY, AUROC, ECE, MSE, PSNR, SSIM};
    use crate::score::record::{Judged, Lead, Row};

    #[test]
    fn numbers_are_short_and_signed() {
        assert_eq!([clock(4.6), clock(750.0), clock(3723.0), clock(-1.0)], ["0:05", "12:30", "1:02:03", "0:00"]);
        assert_eq!(
            [bytes(640), bytes(6272), bytes(999_960), bytes(3_000_000_000)],
            ["640 B", "6.3 kB", "1.0 MB", "3.0 GB"]
        );
        assert_eq!([points(1.25), points(-3.0), points(0.0)], ["+1.2", "\u{2212}3.0", "0.0"]);
        assert_eq!([duration(3.21), duration(19.4), duration(61.0)], ["3.2 s", "19 s", "1:01"]);
        assert_eq!([bytes(205_500_000), bytes(99_960)], ["206 MB", "100 kB"]);
        assert_eq!([decimal(-0.004, 2), decimal(-0.006, 2)], ["0.00", "\u{2212}0.01"]);
        assert_eq!(phase(&format!("rmle, at {DEFENDED} after epoch 2")), format!("rmle, at {TITLE} after epoch 2"));
        assert_eq!(
            phase(&format!("Worst leak of vanilla: x, {DEFENDED}.")),
            format!("Worst leak of the undefended model: x, {TITLE}.")
        );
        assert_eq!(decimal(f64::NAN, 2), "\u{2013}");
        assert_eq!(shape(&[8, 14, 14]), "8 × 14 × 14");
    }

    #[test]
    fn metrics_have_their_digits_errors_and_units() {
        let row = Row { accuracy: 95.0, images: 95, auroc: Some(0.98765), ..Row::default() };
        assert_eq!(measured(&ACCURACY, &row), "95.0 \u{b1} 2.2 %");
        assert_eq!(measured(&ACCURACY, &Row { images: 0, ..row.clone() }), "95.0 %");
        assert_eq!(measured(&ACCURACY, &Row { accuracy: f64::NAN, ..row.clone() }), "\u{2013}");
        assert_eq!([measured(&AUROC, &row), measured(&ECE, &row)], ["0.988", "\u{2013}"]);
        assert_eq!(
            [named(&SSIM, 0.3456), named(&PSNR, 13.04), named(&MSE, 0.05)],
            ["SSIM 0.35", "PSNR 13.0 dB", "MSE 0.0500"]
        );
        let of = |of: &str, mean, se| {
            let lead = Some(Lead { of: of.to_owned(), mean, se, ..Lead::default() });
            super::lead(&AttackRecord { judged: Some(Judged { lead, ..Judged::default() }), ..AttackRecord::default() })
        };
        assert_eq!(
            [of("lineup", 41.5, 6.0), of("ssim", 0.1234, 0.01)],
            ["+41.5 \u{b1} 6.0", "0.123 \u{b1} 0.010 SSIM"]
        );
        assert_eq!(lead(&AttackRecord::default()), "\u{2013}");
    }
}
