//! How long a lesson takes at a reader's pace.

use super::{Lesson, Step};

/// Words that are read in a minute.
const WORDS_A_MINUTE: u32 = 200;
/// Seconds for what is to be done in a step.
const ACT: u32 = 2;
/// Seconds to think about a question.
const QUESTION: u32 = 5;

/// How long a lesson takes, in seconds: its words read at 200 a minute, 2 s for each act and 5 s for each question.
pub fn seconds(lesson: &Lesson) -> u32 {
    let heading = words(&lesson.title) + words(&lesson.summary);
    let steps: (u32, u32) = lesson.steps.iter().map(step).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (60 * (heading + steps.0)).div_ceil(WORDS_A_MINUTE) + steps.1
}

/// Words of a step, and seconds beside reading them.
fn step(step: &Step) -> (u32, u32) {
    let texts = [&step.text, &step.action, &step.notice].map(|text| words(text)).into_iter().sum::<u32>();
    let Some(question) = &step.question else { return (texts, ACT) };
    let answers: u32 = question.answers.iter().map(|answer| words(answer)).sum();
    (texts + words(&question.ask) + answers + words(&question.because), ACT + QUESTION)
}

fn words(text: &str) -> u32 {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count() as u32
}
