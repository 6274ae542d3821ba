//! Numbers and names as the window writes them.

use crate::run::summary::AttackRecord;
use crate::score::floor::Guess;
use crate::score::paired::share_error;
use crate::split::UNDEFENDED;
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
        format!("{:.1} s", seconds.max(0.0))
    } else if seconds < 59.5 {
        format!("{seconds:.0} s")
    } else {
        clock(seconds)
    }
}

/// `640 B`, `6.3 kB`, `206 MB`: thousands, as file managers count them.
pub fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
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
    workbench::window_word(name)
}

/// A phase, an attack or a verdict as a run tells it, in the window's words.
pub fn phase(text: &str) -> String {
    let word = |word: &str| {
        let name = word.trim_end_matches([':', '.', ',']);
        let said = match name {
            UNDEFENDED => "the undefended model",
            other => workbench::defence(other).map_or(other, |kind| kind.title),
        };
        format!("{said}{}", &word[name.len()..])
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// What a guess is, if the record is one and no attack.
pub fn yardstick(record: &AttackRecord) -> Option<&'static str> {
    Guess::of(record).map(Guess::help)
}

/// What made the images: `class mean`, or an attack's own name.
pub fn maker(record: &AttackRecord) -> &str {
    if yardstick(record).is_some() {
        workbench::window_word(&record.name).trim_start_matches("guess: ")
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
        Some(guess) if guess.is_floor() => "guess",
        Some(_) => "oracle",
        None if record.adaptive => "adaptive",
        None => "naive",
    }
}

/// A share in percent with its standard error: `95.3 ± 2.7 %`.
pub fn share(percent: f64, error: f64) -> String {
    if !percent.is_finite() {
        return decimal(percent, 1);
    }
    if error.is_finite() {
        format!("{} \u{b1} {} %", decimal(percent, 1), decimal(error, 1))
    } else {
        format!("{} %", decimal(percent, 1))
    }
}

/// How often the stolen image picked its target, with its standard error; a dash where there was no line-up.
pub fn lineup(record: &AttackRecord) -> String {
    let judged = record.judged.as_ref();
    let held = judged.map_or(record.images, |judged| judged.each.picked.iter().flatten().count());
    record.lineup.map_or("\u{2013}".to_owned(), |rate| share(rate, share_error(rate, held)))
}

/// A row of the table in words, and what it is.
pub fn row(name: &str) -> (&str, &'static str) {
    (workbench::window_word(name), workbench::meaning(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::{DEFENDED, TITLE};

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
        assert_eq!([share(95.0, 2.24), share(95.0, f64::NAN)], ["95.0 \u{b1} 2.2 %", "95.0 %"]);
        assert_eq!(decimal(f64::NAN, 2), "\u{2013}");
        assert_eq!(shape(&[8, 14, 14]), "8 × 14 × 14");
    }
}
