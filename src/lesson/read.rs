//! A lesson's TOML: read whole, with every problem at its own line.

use std::ops::Range;

use toml::de::DeTable;

use super::condition::{Condition, When};
pub use super::fields::Problem;
use super::fields::{Field, Fields, Reader};
use super::{Lesson, Moment, Part, Question, Start, Step, Workspace, pace};
use crate::experiment::preset::DIGITS;
use crate::experiment::{Experiment, PRESETS};
use crate::workbench::attacks;

/// Steps that a lesson should have.
pub const STEPS: Range<usize> = 5..9;
/// Steps that it may have.
const MOST_STEPS: usize = 24;
/// Characters of a title.
pub const TITLE: usize = 60;
/// Characters of what stands in the window as a paragraph: `summary`, `text`, `because`, `notice`.
pub const PARAGRAPH: usize = 280;
/// Characters of a question, and of what is to be done.
pub const SENTENCE: usize = 180;
/// Characters of an answer.
pub const ANSWER: usize = 80;
/// Answers to a question, from and up to which.
pub const ANSWERS: Range<usize> = 2..6;
/// Minutes that a lesson may take.
const MINUTES: Range<u32> = 1..91;
/// Problems that are told of one file; more are like them.
const MOST_PROBLEMS: usize = 40;

/// What came of a file.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The lesson; none where there are problems.
    pub lesson: Option<Lesson>,
    /// What is wrong, in the order of the lines.
    pub problems: Vec<Problem>,
    /// What is allowed and worth a thought.
    pub warnings: Vec<Problem>,
}

/// Reads a lesson's text; `name` is what it can be found by.
pub fn read(name: &str, text: &str) -> Read {
    let mut reader = Reader::new(text);
    let lesson = match DeTable::parse(text) {
        Ok(document) => {
            let fields = Fields::new(document.get_ref(), String::new(), 0..0);
            reader.lesson(name, &fields)
        }
        Err(error) => {
            let reason: String = error.message().trim().replace('\n', "; ").chars().take(200).collect();
            let reason = if reason.contains("recur") { "lists or sections are nested too deeply" } else { &reason };
            reader.problem("", &error.span().unwrap_or(0..0), format!("broken TOML: {reason}"));
            None
        }
    };
    let Reader { mut problems, mut warnings, .. } = reader;
    problems.sort_by_key(|problem| problem.line);
    warnings.sort_by_key(|problem| problem.line);
    if problems.len() > MOST_PROBLEMS {
        let text = format!("and {} more of the kind", problems.len() - MOST_PROBLEMS);
        problems.truncate(MOST_PROBLEMS);
        let line = problems.last().map_or(1, |problem| problem.line);
        problems.push(Problem { line, field: String::new(), text });
    }
    Read { lesson: lesson.filter(|_| problems.is_empty()), problems, warnings }
}

impl Reader {
    fn lesson(&mut self, name: &str, fields: &Fields<'_, '_>) -> Option<Lesson> {
        self.only(fields, &["title", "summary", "minutes", "start", "step"]);
        let title = self.text(fields, "title", TITLE);
        let summary = self.paragraph(fields, "summary");
        let minutes = self.whole_at(fields, "minutes", &MINUTES);
        let start = fields.get("start").map(|field| self.table(&field).and_then(|fields| self.start(&fields)));
        let start = start.unwrap_or_else(|| {
            self.problem("start", &(0..0), "is missing: a line [start] and below it preset = \"vanilla-digits\"");
            None
        });
        let steps = self.steps(fields, start.as_ref());
        let lesson = Lesson {
            name: name.to_owned(),
            title: title?,
            summary: summary?,
            minutes: minutes?,
            start: start?,
            steps: steps?,
        };
        let takes = pace::seconds(&lesson).div_ceil(60);
        if let Some(field) = fields.get("minutes").filter(|_| takes > lesson.minutes) {
            let text = format!("says {}, and reading, answering and acting take about {takes}", lesson.minutes);
            self.warn(&field.name, &field.span, text);
        }
        Some(lesson)
    }

    /// A text of at most two sentences.
    fn paragraph(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<String> {
        let text = self.text(fields, key, PARAGRAPH)?;
        let sentences = sentences(&text);
        if let Some(field) = fields.get(key).filter(|_| sentences > 2) {
            self.warn(&field.name, &field.span, format!("has {sentences} sentences; two are read, more are skipped"));
        }
        Some(text)
    }

    fn start(&mut self, fields: &Fields<'_, '_>) -> Option<Start> {
        self.only(fields, &["preset", "set", "model", "attacker", "adaptive", "weights", "workspace"]);
        let kinds: Vec<&'static str> = attacks().iter().map(|kind| kind.id).collect();
        let preset = self.choice(fields, "preset", &PRESETS.map(|preset| preset.0), true);
        let model = self.choice(fields, "model", &["undefended", "defended"], false);
        let attacker = self.choice(fields, "attacker", &kinds, false);
        let adaptive = self.switch(fields, "adaptive");
        let weights = self.choice(fields, "weights", &["untrained", "trained"], false);
        let workspace = self.choice(fields, "workspace", &["teach", "decide"], false);
        let set = self.settings(fields, preset);
        let start = Start {
            preset: preset?.to_owned(),
            set: set?,
            defended: model? == "defended",
            attacker: attacker?.to_owned(),
            adaptive: adaptive?,
            trained: weights? == "trained",
            workspace: if workspace? == "decide" { Workspace::Decide } else { Workspace::Teach },
        };
        let experiment = match start.experiment() {
            Ok(experiment) => experiment,
            Err(error) => {
                let field = fields.get("set").or_else(|| fields.get("preset"))?;
                self.problem(&field.name, &field.span, one_line(&error.to_string()));
                return None;
            }
        };
        if let Some(field) = fields.get("model").filter(|_| start.defended && !experiment.defended()) {
            let text = format!("is \"defended\", and the preset {} has no defence; {DIGITS} has", start.preset);
            self.problem(&field.name, &field.span, text);
        }
        if let Some(field) = fields.get("adaptive").filter(|_| start.adaptive && !start.defended) {
            self.problem(&field.name, &field.span, "is true, and an undefended model has no defence to know");
        }
        Some(start)
    }

    /// Settings as `--set` takes them, each tried on the preset.
    fn settings(&mut self, fields: &Fields<'_, '_>, preset: Option<&str>) -> Option<Vec<String>> {
        let Some(field) = fields.get("set") else { return Some(Vec::new()) };
        let mut experiment = preset.and_then(|preset| Experiment::preset(preset).ok());
        let mut all = Some(Vec::new());
        for entry in self.list(&field, "a list, as in [\"model.cut=2\"]")? {
            let assignment = self.text_of(&entry, PARAGRAPH);
            let wrong = assignment.as_ref().zip(experiment.as_mut()).and_then(|(text, to)| to.set(text).err());
            if let Some(error) = &wrong {
                self.problem(&entry.name, &entry.span, one_line(&error.to_string()));
            }
            all = match (all, assignment, wrong) {
                (Some(mut all), Some(assignment), None) => {
                    all.push(assignment);
                    Some(all)
                }
                _ => None,
            };
        }
        all
    }

    fn steps(&mut self, fields: &Fields<'_, '_>, start: Option<&Start>) -> Option<Vec<Step>> {
        let Some(field) = fields.get("step") else {
            self.problem("step", &(0..0), "is missing: a lesson has steps, each below a line [[step]]");
            return None;
        };
        let entries = self.list(&field, "a list, each entry below a line [[step]]")?;
        let count = entries.len();
        if count == 0 || count > MOST_STEPS {
            self.problem("step", &field.span, format!("a lesson has 1 to {MOST_STEPS} steps; this one has {count}"));
            return None;
        }
        if !STEPS.contains(&count) {
            let [least, most] = [STEPS.start, STEPS.end - 1];
            self.warn(
                "step",
                &field.span,
                format!("a lesson is best with {least} to {most} steps; this one has {count}"),
            );
        }
        let read: Vec<Option<Step>> = entries.iter().map(|entry| self.step(entry)).collect();
        if let (Some(Some(first)), Some(start)) = (read.first(), start) {
            self.first_check(&entries[0], first, start);
        }
        read.into_iter().collect()
    }

    fn step(&mut self, entry: &Field<'_, '_>) -> Option<Step> {
        let fields = self.table(entry)?;
        self.only(&fields, &["lit", "text", "ask", "answers", "right", "because", "do", "check", "notice"]);
        let lit = self.choice(&fields, "lit", &Part::ALL.map(Part::name), true);
        let text = self.paragraph(&fields, "text");
        let question = self.question(&fields);
        let action = self.text(&fields, "do", SENTENCE);
        let check = self.check(&fields, fields.get("ask").is_some());
        let notice = self.paragraph(&fields, "notice");
        Some(Step {
            lit: Part::ALL.into_iter().find(|part| Some(part.name()) == lit)?,
            text: text?,
            question: question?,
            action: action?,
            check: check?,
            notice: notice?,
        })
    }

    /// The question, if there is one; none at all where it is wrong.
    #[expect(clippy::option_option, reason = "wrong, right without a question, right with one")]
    fn question(&mut self, fields: &Fields<'_, '_>) -> Option<Option<Question>> {
        if fields.get("ask").is_none() {
            let mut fits = true;
            for field in ["answers", "right", "because"].into_iter().filter_map(|key| fields.get(key)) {
                self.problem(&field.name, &field.span, "belongs to a question, and there is no ask");
                fits = false;
            }
            return fits.then_some(None);
        }
        let ask = self.text(fields, "ask", SENTENCE);
        let because = self.paragraph(fields, "because");
        let answers = self.answers(fields);
        let right = match (fields.get("right"), &answers) {
            (Some(field), Some(answers)) => Some(self.whole(&field, &(0..answers.len() as u32))? as usize),
            _ => None,
        };
        Some(Some(Question { ask: ask?, answers: answers?, right, because: because? }))
    }

    fn answers(&mut self, fields: &Fields<'_, '_>) -> Option<Vec<String>> {
        let wanted = "a list of texts, as in [\"Yes\", \"No\"]";
        let Some(field) = fields.get("answers") else {
            self.problem(&fields.name("answers"), &fields.get("ask")?.span, format!("is missing: {wanted}"));
            return None;
        };
        let entries = self.list(&field, wanted)?;
        if !ANSWERS.contains(&entries.len()) {
            let [least, most] = [ANSWERS.start, ANSWERS.end - 1];
            self.problem(&field.name, &field.span, format!("has {}; allowed are {least} to {most}", entries.len()));
            return None;
        }
        let all: Vec<Option<String>> = entries.iter().map(|entry| self.text_of(entry, ANSWER)).collect();
        let twice = (1..all.len()).find(|i| all[*i].is_some() && all[..*i].contains(&all[*i]));
        if let Some(i) = twice {
            self.problem(&entries[i].name, &entries[i].span, "is among the answers twice");
            return None;
        }
        all.into_iter().collect()
    }

    fn check(&mut self, fields: &Fields<'_, '_>, asks: bool) -> Option<Condition> {
        let text = self.text(fields, "check", PARAGRAPH)?;
        let field = fields.get("check")?;
        let condition = match Condition::read(&text) {
            Ok(condition) => condition,
            Err(text) => {
                self.problem(&field.name, &field.span, text);
                return None;
            }
        };
        if condition.needs_question() && !asks {
            self.problem(&field.name, &field.span, "waits for an answer, and the step has no ask");
            return None;
        }
        if condition.needs_luck() {
            let text = "depends on how a measurement comes out, so some may wait in vain; \"judged\" waits for either";
            self.warn(&field.name, &field.span, text);
        }
        Some(condition)
    }

    /// A check that holds before anything is done is no check.
    fn first_check(&mut self, entry: &Field<'_, '_>, step: &Step, start: &Start) {
        let Ok(moment) = Moment::of_start(start) else { return };
        let when = When { now: &moment, start: &moment, answered: false };
        let fields = self.table(entry);
        if let Some(field) = fields.and_then(|fields| fields.get("check")).filter(|_| step.check.holds(when)) {
            self.problem(&field.name, &field.span, "holds as the lesson starts, before anything is done");
        }
    }
}

/// Ends of sentences: a full stop, question or exclamation mark before a space or at the end.
fn sentences(text: &str) -> usize {
    let ends = |word: &str| word.trim_end_matches(['"', '\u{201d}', ')']).ends_with(['.', '!', '?', '\u{2026}']);
    text.split_whitespace().filter(|word| ends(word)).count()
}

/// A message on one line.
fn one_line(text: &str) -> String {
    text.replace('\n', "; ")
}
