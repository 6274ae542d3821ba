//! Whether a defence helps to answer right.

use super::{counted, listed};
use crate::report::controls::{Held, Helps, Question, SEEDS, Stands};
use crate::report::html::signed;

/// How it is told what chance makes of differences.
pub const RULE: &str = "\u{201c}More often\u{201d} and \u{201c}less often\u{201d} are said where both 95 % intervals of the \
                        difference, over seeds in pairs (Student\u{2019}s t) and over test images (bootstrap, all seeds of an image \
                        together), are on one side of 0, and of five seeds or more of models that are \
                        trained. Each is wrong in one of 20 cases by itself; that \
                        a defence helps is said only where it is above all that it is held against. Weights are those that training \
                        changes; the client\u{2019}s are with what its defence adds.";

/// Whether the defence helps, in a sentence or two.
pub fn helps(question: &Question) -> String {
    let title = question.title();
    let of = |stands: Stands| {
        let all = question.held.iter().filter(|held| held.stands() == stands);
        all.map(|held| held.words.as_str()).collect::<Vec<_>>()
    };
    let [more, less, unknown] = [Stands::More, Stands::Less, Stands::NoEvidence].map(of);
    let seeds = question.held.iter().map(|held| held.seeds).min().unwrap_or(0);
    if seeds < SEEDS {
        return format!(
            "No evidence that {title} helps recognition: there are {} in pairs, and it takes {SEEDS}.",
            counted(seeds, "seed", "seeds")
        );
    }
    let lacking = match question.lacking.as_slice() {
        [] => String::new(),
        words => format!(" No run has {}.", listed(words)),
    };
    let told = |how: &str, than: &[&str]| {
        if than.is_empty() { String::new() } else { format!(" It answers right {how} than {}.", listed(than)) }
    };
    let none = match unknown.as_slice() {
        [] => String::new(),
        than => format!(" There is no evidence of a difference from {}.", listed(than)),
    };
    let verdict = match question.helps() {
        Helps::Yes => format!("{title} helps recognition here."),
        Helps::No => format!("{title} does not help recognition here."),
        Helps::NoEvidence => format!("No evidence that {title} helps recognition."),
    };
    format!("{verdict}{}{}{none}{lacking}", told("more often", &more), told("less often", &less))
}

/// How the defence stands beside one of them, with the numbers.
pub fn compared(question: &Question, held: &Held) -> String {
    let digits = question.metric().digits;
    let signed = |x: f64| signed(x, 2);
    let range = |[low, high]: [f64; 2]| format!("{} to {}", signed(low), signed(high));
    let by_seed =
        held.by_seed.map(|ends| format!("{} over {} in pairs", range(ends), counted(held.seeds, "seed", "seeds")));
    let by_image = held.by_image.as_ref().map(|over| {
        let units = if over.patients { ("patient", "patients") } else { ("test image", "test images") };
        format!("{} over {}", range(over.ends), counted(over.units, units.0, units.1))
    });
    let intervals: Vec<String> = by_seed.into_iter().chain(by_image).collect();
    let intervals = if intervals.is_empty() { String::new() } else { format!(" (95 %: {})", intervals.join(", ")) };
    let [own, its] = held.means;
    let stands = match held.stands() {
        Stands::NoEvidence if held.seeds < SEEDS => {
            format!("no evidence, of {}", counted(held.seeds, "seed", "seeds"))
        }
        Stands::NoEvidence if held.doubt.is_some() => {
            format!("no evidence. {}", held.doubt.as_deref().unwrap_or_default().trim_end_matches('.'))
        }
        Stands::NoEvidence => "no evidence of a difference".to_owned(),
        stands => format!("right {}", stands.word()),
    };
    format!(
        "Beside {}: {stands}. {own:.digits$} % against {its:.digits$} % {}, {} points{intervals}.",
        held.words,
        question.metric().name,
        signed(held.difference)
    )
}
