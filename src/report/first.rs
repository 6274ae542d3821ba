//! The first page: the answer in plain words.

use std::fmt::Write as _;

use super::data_name;
use super::gather::Gathered;
use super::html::{escaped, list, paragraph};
use super::read::Runs;
use super::sentences::{
    accuracy_cost, confidence, counted, other_costs, patients, recognised, regulator, tried, untried, verdict,
};
use super::subject::Subject;
use super::verdict::{Outcome, Refusal};

pub(super) fn page(runs: &Runs, all: &Gathered, subjects: &[Subject<'_>], title: &str) -> String {
    let mut html = format!("<section class=\"first\">\n<h1>{}</h1>\n{}", escaped(title), paragraph(&about(runs, all)));
    for subject in subjects {
        html.push_str(&answer(subject));
    }
    if all.settings.len() > subjects.len() {
        let chosen = "Of the settings that were tried this is the one with the most right answers that was not shown to leak, or else one \
                      on the front that leaks least. The others follow.";
        html.push_str(&paragraph(chosen));
    }
    for (heading, lines) in [
        ("How sure is that?", confidence(all, subjects)),
        ("Attackers that were tried", tried(all)),
        ("Not tried", untried(all)),
    ] {
        let _ = write!(html, "<h2>{heading}</h2>\n{}", list(lines));
    }
    let _ = write!(html, "<h2>In the regulator\u{2019}s words</h2>\n{}", paragraph(&regulator(all)));
    html + "<p class=\"not-clinical\">For research and teaching. Not for clinical use.</p>\n</section>\n"
}

/// What the report is of, in a sentence.
fn about(runs: &Runs, all: &Gathered) -> String {
    let models = all.settings.iter().map(|setting| setting.models.len()).sum();
    let unfinished = match runs.unfinished.len() {
        0 => String::new(),
        n => format!(" {} not finished and not in it (named at the end).", counted(n, "run is", "runs are")),
    };
    format!(
        "In split learning the hospital runs the first layers of a network and sends what comes out of them to a server. This report \
         says what attackers made of that. It is of {}: {} trained on {} in {}.{unfinished}",
        counted(runs.finished.len(), "run", "runs"),
        counted(models, "model", "models"),
        data_name(runs),
        counted(all.settings.len(), "setting", "settings"),
    )
}

/// The answer on one setting: verdict, what was recognised, what it costs; or why there is none.
fn answer(subject: &Subject<'_>) -> String {
    let class = match subject.outcome {
        Outcome::Leaks { .. } => "leaks",
        Outcome::NotShown => "shown",
        Outcome::NoVerdict(_) => "none",
    };
    let mut html = format!("<div class=\"verdict {class}\">\n{}", paragraph(&verdict(subject)));
    if let Outcome::NoVerdict(why) = &subject.outcome {
        html.push_str(&refused(why));
        html.push_str("<p>What was measured, though no verdict rests on it:</p>\n");
    }
    let setting = subject.setting;
    let mut lines = vec![recognised(setting)];
    lines.extend(patients(setting));
    lines.extend(subject.baseline.into_iter().flat_map(|baseline| accuracy_cost(setting, baseline)));
    lines.extend(other_costs(setting, subject.baseline));
    html + &list(lines) + "</div>\n"
}

/// Why there is no verdict, and what it would take.
fn refused(why: &[Refusal]) -> String {
    let lines = why.iter().map(|refusal| format!("{} {}", refusal.why(), refusal.needed()));
    format!("<p>Why, and what is needed:</p>\n{}", list(lines))
}
