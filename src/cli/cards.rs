//! The attacks' cards, as `cutlayer attack --help` and `cutlayer attacks` show them.

use std::fmt::Write as _;

use serde_json::json;
use toml::Value;

use super::print;
use crate::anchor::badges;
use crate::attack::adversarial;
use crate::attack::kind::Kind;
use crate::attack::threat_model::Knows;
use crate::error::{Error, Result};
use crate::run::launch::Means;
use crate::score::metrics::{PSNR, SSIM};
use crate::setting::Values;
use crate::workbench::{ADVERSARIAL, attacks};

/// Columns of a line at most, its indent among them: what is longer is wrapped without one.
const WIDTH: usize = 96;
/// The indent of sentences, and of what is listed below them; the manual keeps apart what is listed.
const SAID: &str = "   ";
const LISTED: &str = "     ";

/// A paragraph of each attack: what it does, sees and knows, and what has been published of it.
pub(super) fn cards() -> String {
    attacks().iter().fold("Attacks:\n".to_owned(), |text, kind| text + &card(kind)) + &diagnoses()
}

/// The same of those on diagnoses.
fn diagnoses() -> String {
    let heading = "\nAttacks on diagnoses, which steal nothing:\n".to_owned();
    ADVERSARIAL.iter().fold(heading, |text, kind| text + &own_card(kind))
}

/// A paragraph of an attack on diagnoses.
fn own_card(kind: &adversarial::Kind) -> String {
    let mut text = format!("  {}\n", kind.id);
    put(&mut text, SAID, kind.about);
    let knows = [kind.knows, kind.knows_adaptive].map(|all| all.iter().map(|one| one.words()).collect::<Vec<_>>());
    put(&mut text, SAID, &format!("It moves {} and knows {}.", kind.changes.words(), knows[0].join(" and ")));
    put(&mut text, SAID, &format!("Adaptive it knows {}.", knows[1].join(" and ")));
    let settings = kind
        .settings
        .iter()
        .map(|s| format!("{} {}", s.key, s.default.map(|value| value.value().to_string()).unwrap_or_default()));
    put(&mut text, SAID, &format!("Settings: {}.", settings.collect::<Vec<_>>().join(", ")));
    for (means, budget) in [(Means::Quick, kind.quick), (Means::Paper, kind.paper)] {
        let changed: Vec<_> = budget.iter().map(|(key, value)| format!("{key} {}", value.value())).collect();
        if !changed.is_empty() {
            put(&mut text, LISTED, &format!("{}: {}", means.name(), changed.join(", ")));
        }
    }
    text
}

/// Prints the attacks' cards with what each costs.
pub(super) fn list(json: bool) -> Result<()> {
    if !json {
        let text = attacks().iter().fold(String::new(), |text, kind| text + &card(kind) + &costs(kind));
        return print((text + &diagnoses()).trim_end());
    }
    let one = |kind: &&'static Kind| {
        let settings = |means: Means| {
            let all = means.settings(kind).into_iter();
            all.map(|(key, value)| (key.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>()
        };
        json!({
            "name": kind.id,
            "on": "images",
            "title": kind.title,
            "about": kind.about,
            "sees": kind.seen(),
            "knows": kind.known(false),
            "knows_adaptive": kind.known(true),
            "trains": kind.make.trains(),
            "hijacks": kind.make.hijacks(),
            "budgets": Means::ALL.map(|means| (means.name().to_owned(), json!(settings(means))))
                .into_iter().collect::<serde_json::Map<_, _>>(),
        })
    };
    let all: Vec<_> = attacks().iter().map(one).chain(ADVERSARIAL.iter().map(|kind| on_diagnoses(kind))).collect();
    print(&serde_json::to_string_pretty(&all).map_err(|e| Error::Internal(format!("attacks: {e}")))?)
}

fn on_diagnoses(kind: &adversarial::Kind) -> serde_json::Value {
    let words = |all: &[Knows]| all.iter().map(|one| one.words()).collect::<Vec<_>>();
    let settings = |means: Means| {
        let all = means.values(kind).unwrap_or_else(|_| Values::of(kind.settings));
        all.iter().map(|(key, value)| (key.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>()
    };
    json!({
        "name": kind.id,
        "on": "diagnoses",
        "about": kind.about,
        "moves": kind.changes.words(),
        "knows": words(kind.knows),
        "knows_adaptive": words(kind.knows_adaptive),
        "settings": settings(Means::Default),
        "budgets": Means::ALL.map(|means| (means.name().to_owned(), json!(settings(means))))
            .into_iter().collect::<serde_json::Map<_, _>>(),
    })
}

/// What it is given with each means.
fn costs(kind: &'static Kind) -> String {
    let mut text = String::new();
    for means in Means::ALL {
        let differs = |(key, value): &(&str, Value)| {
            means == Means::Default || Means::Default.settings(kind).iter().all(|other| other != &(*key, value.clone()))
        };
        let told: Vec<String> = means
            .settings(kind)
            .iter()
            .filter(|one| differs(one))
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        let told = if told.is_empty() { "as default".to_owned() } else { told.join(", ") };
        put(&mut text, LISTED, &format!("{}: {told}", means.name()));
    }
    text
}

fn card(kind: &Kind) -> String {
    let mut text = format!("  {}\n", kind.id);
    put(&mut text, SAID, kind.about);
    put(&mut text, SAID, &format!("It sees {} and knows {}.", kind.sees_words(), kind.knows_words(false)));
    put(&mut text, SAID, &format!("Adaptive it knows {}.", kind.knows_words(true)));
    if let Some(words) = kind.make.words() {
        put(&mut text, SAID, words);
    }
    for badge in badges(kind.id) {
        put(&mut text, LISTED, &format!("checked here: {badge}"));
    }
    for one in kind.published {
        let psnr = PSNR.with_unit(&format!("{:.2}", one.psnr));
        put(&mut text, LISTED, &format!("{}: {psnr}, {} {:.3}, {}", one.mark, SSIM.name, one.ssim, one.of));
    }
    text
}

/// Adds a sentence on lines of its own. A space follows the indent.
fn put(text: &mut String, indent: &str, sentence: &str) {
    text.push_str(indent);
    let mut column = indent.len();
    for word in sentence.split(' ') {
        let length = word.chars().count() + 1;
        if column + length > WIDTH {
            let _ = write!(text, "\n{indent}");
            column = indent.len();
        }
        let _ = write!(text, " {word}");
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_stay_indented() {
        let mut text = String::new();
        put(&mut text, SAID, "word ".repeat(30).trim_end());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines.iter().all(|line| line.starts_with("    word") && line.len() <= WIDTH), "{text}");
        let all = cards();
        assert!(attacks().iter().all(|kind| all.contains(&format!("\n  {}\n", kind.id))), "{all}");
    }
}
