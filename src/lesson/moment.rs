//! What a lesson can see of the window, and the words that its checks have for that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Lesson, Start};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::workbench::attacks;

/// Where the stage's pictures come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The attack that plays when the window opens.
    #[default]
    Opening,
    /// The live mirror, under the present levers.
    Live,
    /// A run.
    Run,
}

/// Where the shown run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// There is none yet.
    #[default]
    None,
    /// It is going, or waits.
    Going,
    /// It is complete.
    Done,
    /// A Stop was obeyed.
    Stopped,
    /// It could not go on.
    Failed,
}

/// Which workspace is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workspace {
    /// Play and see what follows.
    #[default]
    Teach,
    /// See what attackers get.
    Attack,
    /// Choose among runs.
    Decide,
}

/// Whose attacks the frontier's points are scored by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scored {
    /// Attackers who do not know the defence.
    #[default]
    Naive,
    /// All, of which the worst counts.
    All,
}

/// The window at one moment, as a check sees it. The window fills it each frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with a word of its own")]
pub struct Moment {
    /// Whether the shown image is a drawing of one's own with ink on it.
    pub drawn: bool,
    /// Strokes drawn since the window was opened; an empty pad takes none back.
    pub strokes: usize,
    /// Which test image is shown, counted from 1; 0 for an image of one's own.
    pub image: usize,
    /// Layers on the hospital's side of what the stage shows.
    pub cut: usize,
    /// Whether the stage shows the defended model.
    pub defended: bool,
    /// Whether the attacker knows the defence.
    pub adaptive: bool,
    /// The attacker's kind, by its id.
    pub attacker: String,
    /// Whether the shown model has been trained at all.
    pub trained: bool,
    /// Where the stage's pictures come from.
    pub source: Source,
    /// Steps that the shown attack has done; 0 while the stage waits for the answer to a new question.
    pub step: usize,
    /// Steps that it plans; 0 before there is one.
    pub planned: usize,
    /// What the verdict band says of the shown theft: recognised, or not. None while it says nothing, or that one image
    /// is too weak to judge.
    pub recognised: Option<bool>,
    /// Whether the verdict band says anything of the shown theft, "too weak to judge" included.
    pub judged: bool,
    /// Whether the attacker names a class of the shown image.
    pub labelled: bool,
    /// How alike original and stolen image are, by SSIM; none before there is a stolen image.
    pub ssim: Option<f64>,
    /// Where the shown run is.
    pub run: RunStatus,
    /// Epochs that the shown run has tested.
    pub epochs: usize,
    /// How often Step was pressed since the window was opened.
    pub stepped: usize,
    /// How often somebody dragged across the stolen image since the window was opened.
    pub wiped: usize,
    /// How often a film was played since the window was opened.
    pub played: usize,
    /// Which workspace is open.
    pub workspace: Workspace,
    /// Whose attacks the frontier's points are scored by.
    pub scored: Scored,
    /// What the frontier measures a leak by: `lineup`, `ssim`, `psnr` or `found`.
    pub leak: String,
    /// The chosen point of the frontier, by its number from 1; 0 before one is chosen.
    pub point: usize,
    /// The experiment's settings that are numbers, by key; see [`numbers`].
    pub settings: BTreeMap<String, f64>,
}

/// The settings of an experiment that are numbers, by key. It walks the whole document: call it when that has changed, not
/// each frame.
pub fn numbers(experiment: &Experiment) -> BTreeMap<String, f64> {
    let number = |value: &toml::Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    let values = experiment.values().into_iter();
    values.filter_map(|(key, value)| Some((key.to_owned(), number(&value)?))).collect()
}

impl Moment {
    /// The window as a lesson finds it, before anything was done.
    ///
    /// # Errors
    /// Returns an error if the lesson's start does not hold together.
    pub fn at_start(lesson: &Lesson) -> Result<Self> {
        Self::of_start(&lesson.start)
    }

    pub(super) fn of_start(start: &Start) -> Result<Self> {
        let experiment = start.experiment()?;
        Ok(Self {
            image: 1,
            cut: experiment.model.cut,
            defended: start.defended,
            adaptive: start.adaptive,
            attacker: start.attacker.clone(),
            trained: start.trained,
            source: Source::Live,
            workspace: start.workspace,
            leak: LEAKS[0].to_owned(),
            settings: numbers(&experiment),
            ..Self::default()
        })
    }
}

/// A word of checks.
#[derive(Debug)]
pub struct Word {
    /// As checks write it.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
    /// What it is of a moment.
    pub(super) of: Of,
}

/// What a word is of a moment.
#[derive(Debug)]
pub(super) enum Of {
    /// Holds or does not; none while that is open.
    Fact(fn(&Moment) -> Option<bool>),
    /// Whether this step's question was answered, which the lesson knows and not the window.
    Answered,
    /// Something that is done: whether it was, since the step began.
    Deed(fn(&Moment) -> usize),
    /// A number, and what it can be.
    Number(fn(&Moment) -> Option<f64>, [f64; 2]),
    /// One of some words.
    Choice(fn(&Moment) -> &str, fn() -> Vec<&'static str>),
}

/// What the frontier can measure a leak by, the first one at first.
pub const LEAKS: [&str; 4] = ["lineup", "ssim", "psnr", "found"];

const ANY: [f64; 2] = [0.0, f64::INFINITY];

/// Every word of checks, in the order in which documents list them. A setting's key is one more, as in `train.epochs`.
pub static WORDS: [Word; 25] = [
    fact("drawn", "The shown image is a drawing of one's own, with ink on it.", |m| Some(m.drawn)),
    fact("defended", "The stage shows the defended model.", |m| Some(m.defended)),
    fact("adaptive", "The attacker knows the defence.", |m| Some(m.adaptive)),
    fact("trained", "The shown model has been trained.", |m| Some(m.trained)),
    fact("stolen", "The shown attack is over.", |m| Some(m.planned > 0 && m.step >= m.planned)),
    fact("judged", "The verdict band says something of the shown theft, whatever it is.", |m| Some(m.judged)),
    fact("recognised", "The verdict band says \u{201c}Recognised\u{201d}.", |m| m.recognised),
    fact("labelled", "The attacker names a class of the shown image.", |m| Some(m.labelled)),
    Word { name: "answered", help: "The step's question was answered.", of: Of::Answered },
    deed("stepped", "Step was pressed since the lesson's step began.", |m| m.stepped),
    deed("wiped", "Somebody dragged across the stolen image since the step began.", |m| m.wiped),
    deed("played", "A film was played since the step began.", |m| m.played),
    number("strokes", "Strokes drawn so far; an empty pad takes none back.", |m| Some(m.strokes as f64), ANY),
    number("image", "Which test image is shown, from 1; 0 for one of one's own.", |m| Some(m.image as f64), ANY),
    number("cut", "Layers on the hospital's side.", |m| Some(m.cut as f64), [1.0, 63.0]),
    number("step", "Steps that the shown attack has done.", |m| Some(m.step as f64), ANY),
    number("ssim", "How alike original and stolen image are, at most 1.", |m| m.ssim, [-1.0, 1.0]),
    number("epochs", "Epochs that the run has been trained and tested.", |m| Some(m.epochs as f64), ANY),
    number("point", "Which point of the frontier is chosen, by its number; 0 for none.", |m| Some(m.point as f64), ANY),
    choice("attacker", "Who attacks.", |m| &m.attacker, || attacks().iter().map(|kind| kind.id).collect()),
    choice("source", "Where the stage's pictures come from.", source, || vec!["opening", "live", "run"]),
    choice("run", "Where the run is.", run, || vec!["none", "going", "done", "stopped", "failed"]),
    choice("workspace", "Which workspace is open.", workspace, || vec!["teach", "attack", "decide"]),
    choice("scored", "Whose attacks the frontier's points are scored by.", scored, || vec!["naive", "all"]),
    choice("leak", "What the frontier measures a leak by.", |m| &m.leak, || LEAKS.to_vec()),
];

const fn fact(name: &'static str, help: &'static str, of: fn(&Moment) -> Option<bool>) -> Word {
    Word { name, help, of: Of::Fact(of) }
}

const fn deed(name: &'static str, help: &'static str, of: fn(&Moment) -> usize) -> Word {
    Word { name, help, of: Of::Deed(of) }
}

const fn number(name: &'static str, help: &'static str, of: fn(&Moment) -> Option<f64>, range: [f64; 2]) -> Word {
    Word { name, help, of: Of::Number(of, range) }
}

const fn choice(
    name: &'static str,
    help: &'static str,
    of: fn(&Moment) -> &str,
    words: fn() -> Vec<&'static str>,
) -> Word {
    Word { name, help, of: Of::Choice(of, words) }
}

fn source(moment: &Moment) -> &str {
    match moment.source {
        Source::Opening => "opening",
        Source::Live => "live",
        Source::Run => "run",
    }
}

fn run(moment: &Moment) -> &str {
    match moment.run {
        RunStatus::None => "none",
        RunStatus::Going => "going",
        RunStatus::Done => "done",
        RunStatus::Stopped => "stopped",
        RunStatus::Failed => "failed",
    }
}

fn scored(moment: &Moment) -> &str {
    match moment.scored {
        Scored::Naive => "naive",
        Scored::All => "all",
    }
}

fn workspace(moment: &Moment) -> &str {
    match moment.workspace {
        Workspace::Teach => "teach",
        Workspace::Attack => "attack",
        Workspace::Decide => "decide",
    }
}

impl Word {
    /// How checks use it: `drawn`, `cut >= 4`, `run = none, run = going`.
    pub fn example(&self) -> String {
        let name = self.name;
        match &self.of {
            Of::Fact(_) | Of::Answered | Of::Deed(_) => name.to_owned(),
            Of::Number(_, [_, most]) => format!("{name} >= {}", if *most <= 1.0 { "0.5" } else { "4" }),
            Of::Choice(_, words) => {
                words().iter().map(|word| format!("{name} = {word}")).collect::<Vec<_>>().join(", ")
            }
        }
    }
}
