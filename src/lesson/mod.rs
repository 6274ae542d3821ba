//! Lessons: what a person is shown, asked and asked to do, step by step. They know no window.
//!
//! A lesson is one TOML document ([`mod@read`]). [`find`] gives one that comes with the program, or a teacher's own by its
//! path. [`Progress`] is a lesson while somebody takes it: the window shows its step, hands on answers, and lets it look
//! at a [`Moment`] each frame; the step is done once its [`Condition`] has held. [`hand_out`] is a lesson on paper.

mod condition;
mod fields;
mod library;
mod markdown;
mod moment;
mod pace;
mod print;
mod progress;
pub mod read;
#[cfg(test)]
mod tests;

use std::fmt;

pub use condition::Condition;
pub use library::{LESSONS, built_in, check, find, lessons, notes};
pub use moment::{LEAKS, Moment, RunStatus, Scored, Source, WORDS, Word, Workspace, numbers};
pub use pace::seconds;
pub use print::hand_out;
pub use progress::{Phase, Progress, Saved, Taken};

use crate::error::Result;
use crate::experiment::Experiment;

/// A lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// What [`find`] knows it by: the name of one that comes with the program, or a path.
    pub name: String,
    /// A few words.
    pub title: String,
    /// What one learns, in a sentence or two.
    pub summary: String,
    /// How long it takes, in minutes, as its author says.
    pub minutes: u32,
    /// How it finds the window.
    pub start: Start,
    /// Its steps, in order; at least one.
    pub steps: Vec<Step>,
}

/// How a lesson finds the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The preset.
    pub preset: String,
    /// Settings that differ from the preset's, as `--set` takes them.
    pub set: Vec<String>,
    /// Whether the stage shows the defended model.
    pub defended: bool,
    /// The attacker's kind, by its id.
    pub attacker: String,
    /// Whether the attacker knows the defence.
    pub adaptive: bool,
    /// Whether the model has trained weights, or fresh ones.
    pub trained: bool,
    /// Where it takes place.
    pub workspace: Workspace,
}

impl Start {
    /// The experiment that it says.
    ///
    /// # Errors
    /// Returns an error if the preset is unknown, a setting is wrong, or the whole does not hold together.
    pub fn experiment(&self) -> Result<Experiment> {
        let mut experiment = Experiment::preset(&self.preset)?;
        for assignment in &self.set {
            experiment.set(assignment)?;
        }
        experiment.validate()?;
        Ok(experiment)
    }
}

/// One step of a lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is lit up meanwhile.
    pub lit: Part,
    /// What is to be known first, in two sentences.
    pub text: String,
    /// What is asked before the effect is shown.
    pub question: Option<Question>,
    /// What the person is to do, in a sentence.
    pub action: String,
    /// What shows that it was done.
    pub check: Condition,
    /// What to notice then.
    pub notice: String,
}

/// A question with its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub ask: String,
    /// The answers to choose from.
    pub answers: Vec<String>,
    /// The right one, from 0; none where each is a guess, to be compared with what happens.
    pub right: Option<usize>,
    /// What explains it, to be shown once the effect was seen.
    pub because: String,
}

/// A part of the window that a step lights up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The hospital's card.
    Hospital,
    /// The wire's card.
    Wire,
    /// The handle of the cut, on the wire's card.
    Cut,
    /// The server's card.
    Server,
    /// The attacker's card.
    Attacker,
    /// The verdict below the stolen image.
    Verdict,
    /// The sentence above the stage: model, attacker, what it knows.
    Sentence,
    /// The pane Levers.
    Levers,
    /// The pane Curves.
    Curves,
    /// The buttons Run, Step and Stop.
    Run,
    /// The choice of the workspace.
    Workspace,
    /// The pane Table.
    Table,
    /// The pane Images.
    Images,
    /// The pane Frontier.
    Frontier,
}

impl Part {
    /// All, in the order in which documents list them.
    pub const ALL: [Self; 14] = [
        Self::Hospital,
        Self::Wire,
        Self::Cut,
        Self::Server,
        Self::Attacker,
        Self::Verdict,
        Self::Sentence,
        Self::Levers,
        Self::Curves,
        Self::Run,
        Self::Workspace,
        Self::Table,
        Self::Images,
        Self::Frontier,
    ];

    /// As a lesson's file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Wire => "wire",
            Self::Cut => "cut",
            Self::Server => "server",
            Self::Attacker => "attacker",
            Self::Verdict => "verdict",
            Self::Sentence => "sentence",
            Self::Levers => "levers",
            Self::Curves => "curves",
            Self::Run => "run",
            Self::Workspace => "workspace",
            Self::Table => "table",
            Self::Images => "images",
            Self::Frontier => "frontier",
        }
    }

    /// Where it is, in words for paper.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hospital => "the card Hospital",
            Self::Wire => "the card Wire",
            Self::Cut => "the cut, on the card Wire",
            Self::Server => "the card Server",
            Self::Attacker => "the card Attacker",
            Self::Verdict => "the verdict below the stolen image",
            Self::Sentence => "the sentence above the stage",
            Self::Levers => "the pane Levers",
            Self::Curves => "the pane Curves",
            Self::Run => "the buttons Run, Step and Stop",
            Self::Workspace => "the workspaces: Teach, Attack, Decide",
            Self::Table => "the pane Table",
            Self::Images => "the pane Images",
            Self::Frontier => "the pane Frontier, in Decide",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
