//! A report over finished runs: one HTML file that needs nothing else. Its first page is in plain words; the numbers behind
//! them follow.
//!
//! Runs are found and checked ([`read`]), their models grouped by setting with seeds pooled ([`gather`]), held against each
//! other ([`points`]) and judged, or not ([`verdict`]), and a defence held against its [`controls`]; [`sentences`] say what
//! that comes to, each by a rule.

pub mod axis;
mod charts;
pub mod controls;
mod details;
mod first;
pub mod gather;
pub mod html;
pub mod labels;
mod meters;
pub mod pdf;
pub mod points;
pub mod read;
#[cfg(test)]
pub(crate) mod samples;
pub mod sentences;
pub mod subject;
mod tables;
pub mod verdict;

use controls::Question;
use gather::Gathered;
use read::Runs;
use subject::Subject;

/// What the page looks like, on screens light and dark and on A4.
const STYLE: &str = include_str!("../../assets/report/style.css");

/// The report as a page.
pub fn page(runs: &Runs) -> String {
    let all = Gathered::of_runs(&runs.finished);
    let subjects = Subject::chosen(&all);
    let title = format!("What this cut leaks: {}", data_name(runs));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}{}</body>\n</html>\n",
        html::escaped(&title),
        first::page(runs, &all, &subjects, &title),
        details::pages(runs, &all, &subjects),
    )
}

/// What the report says, in a line for each setting that its first page is about and for each that is held against controls.
pub fn told(runs: &Runs) -> Vec<String> {
    let all = Gathered::of_runs(&runs.finished);
    let one = |subject: &Subject<'_>| {
        let mut lines = vec![sentences::verdict(subject)];
        if let verdict::Outcome::NoVerdict(why) = &subject.outcome {
            lines.extend(why.iter().map(|refusal| format!("  {} {}", refusal.why(), refusal.needed())));
        }
        lines.join("\n")
    };
    let helps = Question::all(runs, &all);
    Subject::chosen(&all).iter().map(one).chain(helps.iter().map(sentences::helps)).collect()
}

/// How defences stand beside their controls, as JSON: a list, with an entry for each that is held against any.
pub fn controls_file(runs: &Runs) -> String {
    let all = Question::all(runs, &Gathered::of_runs(&runs.finished));
    // Names and finite numbers cannot fail.
    serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
}

/// What the runs' images are called.
fn data_name(runs: &Runs) -> String {
    let Some(run) = runs.finished.first() else { return String::new() };
    let whole = run.data.as_ref().map_or(run.summary.experiment.data.name.as_str(), |data| data.name.as_str());
    // Where they lie is nobody's business on paper.
    let last = whole.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next();
    last.unwrap_or(whole).to_owned()
}

#[cfg(test)]
mod tests;
