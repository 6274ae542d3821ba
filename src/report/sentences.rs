//! The plain words of the first page, each made by a rule from numbers. None of them says that something is without danger:
//! that cannot be measured.

mod cost;
mod helps;
mod means;
mod recognised;

pub use cost::{accuracy_cost, megabytes, other_costs};
pub use helps::{RULE, compared, helps};
pub use means::{regulator, tried, untried};
pub use recognised::{patients, recognised};

use super::gather::{Gathered, Setting};
use super::subject::Subject;
use super::verdict::Outcome;
use crate::score::verdict::ALPHA;

/// `Without a defence (cut 4)`, `Under dropout p 0.3`.
pub fn under(setting: &Setting) -> String {
    if setting.defended() {
        return format!("Under {}", setting.label);
    }
    match setting.label.split_once(", ") {
        Some((_, rest)) => format!("Without a defence ({rest})"),
        None => "Without a defence".to_owned(),
    }
}

/// Would this cut leak? In a sentence.
pub fn verdict(subject: &Subject<'_>) -> String {
    let under = under(subject.setting);
    let all = subject.setting.models.len();
    match subject.outcome {
        Outcome::Leaks { seeds } if seeds == all => format!("{under}, this cut leaks."),
        Outcome::Leaks { seeds } => format!("{under}, this cut leaks, in {seeds} of {all} seeds."),
        Outcome::NotShown => format!(
            "{under}, this cut was not shown to leak: none of the attackers that were tried is better than a guess."
        ),
        Outcome::NoVerdict(_) => format!("{under}: no verdict."),
    }
}

/// How sure all this is.
pub fn confidence(all: &Gathered, subjects: &[Subject<'_>]) -> Vec<String> {
    let seeds = subjects.iter().map(|subject| subject.setting.models.len()).min().unwrap_or(0);
    let over = if seeds > 1 {
        format!(
            "Each number here is a mean over {seeds} models or more that were trained from different seeds; \u{201c}±\u{201d} is one \
             standard error between them."
        )
    } else {
        "There is one model of a setting here, from one seed: another seed may give other numbers, by an amount that this report \
         cannot tell."
            .to_owned()
    };
    let looks: usize = all.settings.iter().flat_map(|one| &one.models).map(|model| model.last_attacks().count()).sum();
    let percent = 100.0 * ALPHA;
    let rule = format!(
        "A cut is said to leak where an attacker does better than the best guess made without the wire, image by image, so \
         clearly that chance would do it in fewer than {percent:.0} of 100 cases, corrected for how often we looked at a model (Holm; \
         {looks} attacks on finished models in all). \u{201c}Not shown to leak\u{201d} is said of these attackers and no others."
    );
    vec![over, rule]
}

/// A number with its unit in words that a count needs: `1 image`, `64 images`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n as u64), if n == 1 { one } else { many })
}

/// `1,053,696`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `rmle`, `rmle and inverse`, `rmle, prior and inverse`.
pub fn listed<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests;
