//! A lesson in progress: which step, what was answered, what is done. A question is answered before its effect counts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::When;
use super::{Lesson, Moment, Step};

/// What of a step is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its text and its question; not yet what to do.
    Ask,
    /// What to do.
    Act,
    /// That it was done: what explains the answer, and what to notice.
    Notice,
}

/// A lesson in progress.
#[derive(Clone, Debug)]
pub struct Progress {
    lesson: Arc<Lesson>,
    at: usize,
    steps: Vec<Taken>,
    /// The window when the person could begin to act: what `more`, `changed` and deeds are measured from.
    start: Option<Moment>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taken {
    /// The answer that was given to its question, from 0.
    pub answer: Option<usize>,
    /// Whether its check has held.
    pub done: bool,
}

/// A lesson's progress without its texts: what is remembered, and what travels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// The lesson's name, as [`find`](super::find) takes it.
    pub lesson: String,
    /// The step that is shown, from 0.
    pub step: usize,
    /// How far each step is.
    pub steps: Vec<Taken>,
}

impl Progress {
    /// A lesson at its beginning.
    pub fn new(lesson: Arc<Lesson>) -> Self {
        let steps = vec![Taken::default(); lesson.steps.len()];
        Self { lesson, at: 0, steps, start: None }
    }

    /// A lesson as it was left. What no longer fits it, since it was edited or the text is foreign, is left out: nobody
    /// is put before a step whose predecessors are not done.
    pub fn resumed(lesson: Arc<Lesson>, saved: &Saved) -> Self {
        let mut progress = Self::new(lesson);
        for (taken, (step, was)) in progress.steps.iter_mut().zip(progress.lesson.steps.iter().zip(&saved.steps)) {
            let answers = step.question.as_ref().map_or(0, |question| question.answers.len());
            taken.answer = was.answer.filter(|answer| *answer < answers);
            taken.done = was.done && (answers == 0 || taken.answer.is_some());
        }
        let reached = progress.steps.iter().take_while(|taken| taken.done).count();
        progress.at = saved.step.min(reached).min(progress.steps.len().saturating_sub(1));
        progress
    }

    /// What is to be remembered of it.
    pub fn saved(&self) -> Saved {
        Saved { lesson: self.lesson.name.clone(), step: self.at, steps: self.steps.clone() }
    }

    /// The lesson.
    pub fn lesson(&self) -> &Arc<Lesson> {
        &self.lesson
    }

    /// The shown step; none of a lesson without steps, which no file gives.
    pub fn step(&self) -> Option<&Step> {
        self.lesson.steps.get(self.at)
    }

    /// The shown step's place, from 0.
    pub fn place(&self) -> usize {
        self.at
    }

    /// How far each step is.
    pub fn steps(&self) -> &[Taken] {
        &self.steps
    }

    fn taken(&self) -> Taken {
        self.steps.get(self.at).copied().unwrap_or_default()
    }

    /// What of the shown step is to be shown.
    pub fn phase(&self) -> Phase {
        let taken = self.taken();
        let asks = self.step().is_some_and(|step| step.question.is_some());
        match taken {
            Taken { done: true, .. } => Phase::Notice,
            Taken { answer: None, .. } if asks => Phase::Ask,
            _ => Phase::Act,
        }
    }

    /// The answer that was given to the shown step's question, from 0.
    pub fn given(&self) -> Option<usize> {
        self.taken().answer
    }

    /// Whether the given answer is the right one. None before the step is done, where none was given, and of a question to
    /// which every answer is a guess.
    pub fn right(&self) -> Option<bool> {
        let right = self.step()?.question.as_ref()?.right?;
        Some(self.given()? == right).filter(|_| self.taken().done)
    }

    /// Answers the shown step's question, from 0. An answer can be changed until the effect has been seen. False, and
    /// nothing is changed, if there is no such answer or it is too late.
    pub fn answer(&mut self, answer: usize) -> bool {
        let answers = self.step().and_then(|step| step.question.as_ref()).map_or(0, |question| question.answers.len());
        let Some(taken) = self.steps.get_mut(self.at).filter(|taken| !taken.done && answer < answers) else {
            return false;
        };
        taken.answer = Some(answer);
        true
    }

    /// Looks at the window. True if the shown step has become done by that. While its question waits for an answer
    /// nothing counts.
    pub fn see(&mut self, now: &Moment) -> bool {
        match self.phase() {
            Phase::Notice => return false,
            Phase::Ask => {
                // Compared first: most frames are like the last, and a copy has all settings.
                if self.start.as_ref() != Some(now) {
                    self.start = Some(now.clone());
                }
                return false;
            }
            Phase::Act => {}
        }
        let answered = self.taken().answer.is_some();
        let start = self.start.get_or_insert_with(|| now.clone());
        let holds = self.lesson.steps.get(self.at).is_some_and(|step| step.check.holds(When { now, start, answered }));
        if let Some(taken) = self.steps.get_mut(self.at) {
            taken.done = holds;
        }
        holds
    }

    /// Whether there is a next step and it may be shown: the shown one is done.
    pub fn has_next(&self) -> bool {
        self.taken().done && self.at + 1 < self.steps.len()
    }

    /// Shows the next step. False if it may not be shown yet, or there is none.
    pub fn forward(&mut self) -> bool {
        let may = self.has_next();
        self.go(may, self.at + 1)
    }

    /// Shows the step before; it stays done. False at the first.
    pub fn back(&mut self) -> bool {
        self.go(self.at > 0, self.at.saturating_sub(1))
    }

    fn go(&mut self, may: bool, to: usize) -> bool {
        if may {
            self.at = to;
            self.start = None;
        }
        may
    }

    /// Whether every step is done.
    pub fn finished(&self) -> bool {
        self.steps.iter().all(|taken| taken.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::read::read;

    const LESSON: &str = r#"
title = "T"
summary = "S."
minutes = 1
[start]
preset = "vanilla-digits"
[[step]]
lit = "hospital"
text = "A text."
ask = "What?"
answers = ["This", "That"]
right = 1
because = "So it is."
do = "Draw."
check = "more strokes and drawn"
notice = "It is seen."
[[step]]
lit = "cut"
text = "Another."
do = "Drag."
check = "cut >= 6"
notice = "It blurs."
"#;

    fn lesson() -> Arc<Lesson> {
        Arc::new(read("test", LESSON).lesson.unwrap())
    }

    #[test]
    fn nothing_counts_before_the_question_is_answered() {
        let mut progress = Progress::new(lesson());
        let blank = Moment::default();
        let drawn = Moment { drawn: true, strokes: 1, ..Moment::default() };
        assert_eq!(progress.phase(), Phase::Ask);
        assert!(!progress.see(&blank) && !progress.see(&drawn) && !progress.forward());
        assert!(!progress.answer(2) && progress.answer(0) && progress.answer(1));
        assert_eq!((progress.phase(), progress.given(), progress.right()), (Phase::Act, Some(1), None));
        assert!(!progress.see(&drawn), "this stroke was there before the answer");
        assert!(progress.see(&Moment { strokes: 2, ..drawn.clone() }));
        assert_eq!((progress.phase(), progress.right()), (Phase::Notice, Some(true)));
        assert!(!progress.answer(0), "too late");
        assert!(!progress.see(&blank), "what was done stays done");
        assert!(progress.forward() && !progress.has_next() && !progress.finished());
        assert_eq!(progress.phase(), Phase::Act);
        assert!(progress.see(&Moment { cut: 6, ..Moment::default() }) && progress.finished());
        assert!(!progress.forward() && progress.back() && progress.place() == 0 && !progress.back());
        assert_eq!((progress.phase(), progress.given()), (Phase::Notice, Some(1)));
        assert!(!progress.answer(0));
    }

    #[test]
    fn it_is_remembered_and_what_does_not_fit_is_left_out() {
        let mut progress = Progress::new(lesson());
        progress.answer(0);
        progress.see(&Moment::default());
        progress.see(&Moment { drawn: true, strokes: 1, ..Moment::default() });
        progress.forward();
        let text = serde_json::to_string(&progress.saved()).unwrap();
        let again = Progress::resumed(lesson(), &serde_json::from_str(&text).unwrap());
        assert_eq!((again.saved(), again.place()), (progress.saved(), 1));
        for foreign in [
            Saved { step: 9, ..Saved::default() },
            Saved { step: 1, steps: vec![Taken { answer: Some(7), done: true }; 99], ..Saved::default() },
            Saved { step: 1, steps: vec![Taken { answer: None, done: true }], ..Saved::default() },
        ] {
            let again = Progress::resumed(lesson(), &foreign);
            assert_eq!((again.place(), again.phase()), (0, Phase::Ask), "{foreign:?}");
        }
        assert_eq!(serde_json::from_str::<Saved>("{}").unwrap(), Saved::default());
    }
}
