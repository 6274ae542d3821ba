//! A lesson on paper: one HTML page that needs nothing else, with room to write.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::markdown;
use super::{Lesson, Question, Step};
use crate::report::html::escaped;

/// For A4, on paper and on a screen.
const STYLE: &str = "
@page { size: A4; margin: 18mm; }
body { font: 11pt/1.45 Georgia, 'Times New Roman', serif; color: #111; background: #fff; max-width: 174mm; margin: 0 auto; }
h1 { font-size: 20pt; margin: 0 0 2mm; }
h2 { font-size: 13pt; margin: 7mm 0 1.5mm; break-after: avoid; }
h3 { font-size: 11pt; margin: 4mm 0 1mm; break-after: avoid; }
p { margin: 0 0 1.5mm; }
.who { display: flex; gap: 8mm; margin: 4mm 0; }
.who span { flex: 1; border-bottom: 0.3mm solid #111; padding-top: 5mm; }
.step { break-inside: avoid; }
.where { color: #444; font-size: 9.5pt; }
.ask { font-weight: bold; margin-top: 2mm; }
ol.answers { list-style: none; margin: 1mm 0 2mm; padding: 0; }
ol.answers li { margin: 0.8mm 0; }
.box { display: inline-block; width: 3.2mm; height: 3.2mm; border: 0.3mm solid #111; margin-right: 2.5mm; }
.line { border-bottom: 0.2mm solid #666; height: 8mm; }
.told { border-left: 0.8mm solid #666; padding-left: 3mm; margin: 2mm 0; }
.notes { break-before: page; }
footer { margin-top: 8mm; padding-top: 2mm; border-top: 0.2mm solid #666; font-size: 9pt; color: #444; }
@media screen { body { padding: 12mm; } }
";

/// A lesson as a hand-out, one HTML page without scripts: its texts, its questions without their answers, and room to
/// write. With instructor's `notes` (Markdown) it also has the answers and what is to be noticed.
pub fn hand_out(lesson: &Lesson, notes: Option<&str>) -> String {
    let title = escaped(&lesson.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n<p>{}</p>\n<p class=\"where\">About {} minute{}.{}</p>\n",
        escaped(&lesson.summary),
        lesson.minutes,
        if lesson.minutes == 1 { "" } else { "s" },
        if notes.is_some() { " For the instructor: with answers and notes." } else { "" },
    );
    if notes.is_none() {
        html.push_str("<div class=\"who\"><span>Name</span><span>Date</span></div>\n");
    }
    for (i, step) in lesson.steps.iter().enumerate() {
        put_step(&mut html, i + 1, step, notes.is_some());
    }
    if let Some(notes) = notes {
        let _ = write!(html, "<section class=\"notes\">\n{}</section>\n", markdown::html(notes));
    }
    let _ = write!(
        html,
        "<footer>Cutlayer {} · {}. For research and teaching, not for clinical use.</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(&file_name(&lesson.name)),
    );
    html
}

/// The last part of a path: where it lies is nobody's business on paper.
fn file_name(name: &str) -> Cow<'_, str> {
    std::path::Path::new(name).file_name().map_or(Cow::Borrowed(name), |name| name.to_string_lossy())
}

fn put_step(html: &mut String, number: usize, step: &Step, told: bool) {
    let _ = write!(
        html,
        "<section class=\"step\">\n<h2>Step {number}</h2>\n<p class=\"where\">Look at {}.</p>\n<p>{}</p>\n",
        escaped(step.lit.words()),
        escaped(&step.text)
    );
    if let Some(question) = &step.question {
        put_question(html, question, told);
    }
    let _ = writeln!(html, "<h3>Do</h3>\n<p>{}</p>", escaped(&step.action));
    if told {
        let _ = writeln!(html, "<p class=\"told\">To notice: {}</p>", escaped(&step.notice));
    } else {
        html.push_str("<h3>What did you see?</h3>\n<div class=\"line\"></div>\n<div class=\"line\"></div>\n");
    }
    html.push_str("</section>\n");
}

fn put_question(html: &mut String, question: &Question, told: bool) {
    let when = if told { "" } else { " Answer before you act." };
    let _ = writeln!(html, "<p class=\"ask\">{}{when}</p>\n<ol class=\"answers\">", escaped(&question.ask));
    for answer in &question.answers {
        let _ = writeln!(html, "<li><span class=\"box\"></span>{}</li>", escaped(answer));
    }
    html.push_str("</ol>\n");
    if told {
        let right = question.right.and_then(|right| question.answers.get(right));
        let right = right.map_or_else(|| "Every answer is a guess.".to_owned(), |right| format!("Right: {right}."));
        let _ = writeln!(html, "<p class=\"told\">{} {}</p>", escaped(&right), escaped(&question.because));
    }
}
