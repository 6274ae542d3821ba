//! A run of the list in words: when, what, and what it came to.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::app::words::{decimal, mode, named, target};
use crate::app::{RunEntry, Standing};
use crate::experiment::Experiment;
use crate::run::summary::AttackRecord;
use crate::score::metrics::SSIM;
use crate::score::verdict::is_attack;
use crate::split::UNDEFENDED;

/// The last second that can be written as a date: the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// `just now`, `3 minutes ago`, `yesterday`; a date where it is long ago.
pub fn ago(then: SystemTime, now: SystemTime) -> String {
    let seconds = match now.duration_since(then) {
        Ok(gone) => gone.as_secs(),
        // Another machine's clock may be a little ahead.
        Err(ahead) if ahead.duration() < Duration::from_mins(1) => 0,
        Err(_) => u64::MAX,
    };
    let (minute, hour, day) = (60, 3600, 86_400);
    let count = |unit: u64, one: &str, many: fn(u64) -> String| match seconds / unit {
        1 => one.to_owned(),
        n => many(n),
    };
    match seconds {
        0..45 => t!("just now").to_owned(),
        45..60 => t!("1 minute ago").to_owned(),
        _ if seconds < hour => count(minute, t!("1 minute ago"), |n| t!("{n} minutes ago", n)),
        _ if seconds < day => count(hour, t!("1 hour ago"), |n| t!("{n} hours ago", n)),
        _ if seconds < 2 * day => t!("yesterday").to_owned(),
        _ if seconds < 14 * day => count(day, t!("1 day ago"), |n| t!("{n} days ago", n)),
        _ if seconds < 60 * day => count(7 * day, t!("1 week ago"), |n| t!("{n} weeks ago", n)),
        _ => exact(then).chars().take(10).collect(),
    }
}

/// `2026-11-24 12:19:16 UTC`.
pub fn exact(time: SystemTime) -> String {
    // What a disk says need not be a time that can be written.
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since.as_secs() <= LAST => {
            humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', t!(" UTC"))
        }
        _ => t!("long ago").to_owned(),
    }
}

/// `mnist, split-cnn cut after 4, dropout p 0.3, 6 epochs, seed 0`.
pub fn what(experiment: &Experiment) -> String {
    let data = Path::new(&experiment.data.name).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let defence = match experiment.stack() {
        Ok(stack) if !stack.is_empty() => stack.words(),
        _ => t!("undefended").to_owned(),
    };
    let (model, epochs) = (&experiment.model, experiment.train.epochs);
    let epochs = if epochs == 1 { t!("1 epoch").to_owned() } else { t!("{epochs} epochs", epochs) };
    t!(
        "{data}, {name} cut after {cut}, {defence}, {epochs}, seed {seed}",
        data,
        name = model.name,
        cut = model.cut,
        defence,
        epochs,
        seed = experiment.seed
    )
}

/// How far a run is, and what it came to; with more to it.
pub fn standing(run: &RunEntry) -> (String, String) {
    match &run.standing {
        Standing::Finished(_) => (headline(run), headline_tip(run)),
        Standing::Unfinished => (
            t!("unfinished").to_owned(),
            t!("It was stopped or broken off; Continue goes on from its last checkpoint.").to_owned(),
        ),
        Standing::Begun => (
            t!("begun").to_owned(),
            t!("It has no checkpoint yet, so there is nothing to show; Continue starts it over.").to_owned(),
        ),
        Standing::Lacking(text) => (t!("not for this program: {reason}", reason = reason(run, text)), text.clone()),
        Standing::Damaged(text) => (t!("damaged: {reason}", reason = reason(run, text)), text.clone()),
    }
}

/// `fused 88.0 %, undefended 94.0 %, worst SSIM 0.50`.
fn headline(run: &RunEntry) -> String {
    let Some(summary) = run.summary() else { return String::new() };
    let accuracy = |row: &str, word: &str| summary.row(row).map(|row| format!("{word} {} %", decimal(row.accuracy, 1)));
    let leak = |defended: bool, words: &str| {
        worst(run, defended).map(|record| format!("{words} {}", named(&SSIM, record.ssim)))
    };
    let parts = [
        accuracy("fused", t!("fused")).or_else(|| accuracy("defended", t!("defended"))),
        accuracy("vanilla_clean", t!("undefended")),
        leak(true, t!("worst")).or_else(|| leak(false, t!("undefended worst"))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { t!("finished").to_owned() } else { parts.join(", ") }
}

fn headline_tip(run: &RunEntry) -> String {
    let mut lines =
        vec![
        t!("Finished. Accuracies are shares of right answers on clean test images: the defended model's decision, and \
         the undefended model.")
            .to_owned(),
    ];
    if let Some(record) = worst(run, true).or_else(|| worst(run, false)) {
        let when = epoch(record.epoch);
        lines.push(t!(
            "The worst leak of all attacks at it: {mode} {name} at {at}, {when}. {metric} 1 is the image itself.",
            mode = mode(record),
            name = record.name,
            at = at(&record.target),
            when,
            metric = SSIM.name
        ));
    }
    lines.join("\n")
}

/// The attack at a model that came nearest, at whatever epoch: a leak before the last one is a leak too.
pub fn worst(run: &RunEntry, defended: bool) -> Option<&AttackRecord> {
    let aimed = |record: &&AttackRecord| (record.target != UNDEFENDED) == defended;
    let real = run.attacks().filter(|record| aimed(record) && is_attack(record));
    real.filter(|record| record.ssim.is_finite()).max_by(|a, b| a.ssim.total_cmp(&b.ssim))
}

/// What an attack is aimed at: `dropout`, `the undefended model`.
pub fn at(model: &str) -> &str {
    if model == UNDEFENDED { t!("the undefended model") } else { target(model) }
}

/// `untrained`, `after epoch 2`.
pub fn epoch(epoch: usize) -> String {
    if epoch == 0 { t!("untrained").to_owned() } else { t!("after epoch {epoch}", epoch) }
}

/// What is wrong, without the path, which the list has already: `summary.json: EOF while parsing a value`.
fn reason(run: &RunEntry, text: &str) -> String {
    let path = run.path.display().to_string();
    let (what, file) = text.split_once(&path).unwrap_or((text, ""));
    let what = what.trim_start_matches("damaged: ").trim_end_matches("in ").trim_end().trim_end_matches(':');
    let what = what.lines().next().unwrap_or_default();
    let file = file.trim_start_matches(['/', '\\']).trim();
    if file.is_empty() || what.contains(file) { what.to_owned() } else { format!("{file}: {what}") }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::experiment::fixture::{DEFENDED, TITLE};

    #[test]
    fn times_are_as_a_person_says_them() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let before = |seconds: u64| ago(now - Duration::from_secs(seconds), now);
        let day = 86_400;
        for (seconds, words) in [
            (0, "just now"),
            (44, "just now"),
            (50, "1 minute ago"),
            (119, "1 minute ago"),
            (180, "3 minutes ago"),
            (3600, "1 hour ago"),
            (23 * 3600, "23 hours ago"),
            (30 * 3600, "yesterday"),
            (2 * day, "2 days ago"),
            (14 * day, "2 weeks ago"),
            (100 * day, "2026-10-07"),
        ] {
            assert_eq!(before(seconds), words, "{seconds}");
        }
        assert_eq!(ago(now + Duration::from_secs(5), now), "just now");
        assert_eq!(ago(now + Duration::from_secs(day), now), "2027-01-16");
        assert_eq!(exact(now), "2027-01-15 08:00:00 UTC");
        for odd in [SystemTime::UNIX_EPOCH - Duration::from_secs(1), now + Duration::from_secs(LAST)] {
            assert_eq!(exact(odd), "long ago");
        }
    }

    #[test]
    fn a_row_says_what_was_run_and_what_it_came_to() {
        let mut run = samples::run("a");
        let experiment = run.experiment.as_mut().unwrap();
        assert_eq!(what(experiment), format!("mnist, quick-cnn cut after 4, {TITLE} γ 0.1, 2 epochs, seed 0"));
        *experiment = experiment.undefended();
        "/data/own images".clone_into(&mut experiment.data.name);
        assert_eq!(what(experiment), "own images, quick-cnn cut after 4, undefended, 2 epochs, seed 0");
        assert_eq!(standing(&run).0, "fused 88.0 %, undefended 94.0 %, worst SSIM 0.50");
        run.afterwards = vec![samples::attack("inverse", false, DEFENDED, 0, 0.7)];
        assert_eq!(standing(&run).0, "fused 88.0 %, undefended 94.0 %, worst SSIM 0.70");
        assert!(standing(&run).1.contains(&format!("naive inverse at {TITLE}, untrained")), "{}", standing(&run).1);
        run.afterwards = vec![AttackRecord { iterations: 0, ..samples::attack("nearest", false, DEFENDED, 2, 0.9) }];
        assert_eq!(worst(&run, true).map(|record| record.ssim), Some(0.5), "an oracle is no attack");
    }

    #[test]
    fn a_damaged_run_has_one_short_sentence() {
        let run = samples::run("a");
        let path = run.path.join("summary.json");
        for (text, words) in [
            (format!("damaged: EOF at line 1: {}", path.display()), "summary.json: EOF at line 1"),
            (format!("damaged: summary.json is no file: {}", path.display()), "summary.json is no file"),
            (format!("broken TOML in line 1\nin {}", path.display()), "summary.json: broken TOML in line 1"),
            ("something else".to_owned(), "something else"),
        ] {
            assert_eq!(reason(&run, &text), words);
        }
    }
}
