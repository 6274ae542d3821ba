//! What a person can do in the window. Buttons, menus, keys, the palette and tests all send these.

use std::path::PathBuf;

use super::copied::Copied;
use super::day::DayAct;
use super::hidden::{Control, Hidden};
use super::purpose::Purpose;
use super::speed::Speed;
use super::subject::Subject;
use super::workspace::{Pane, Workspace};
use crate::experiment::Experiment;
use crate::method::Place;
use crate::run::launch::Launch;
use crate::run::scene::Picture;
use crate::run::victim::Paths;
use crate::score::goal::Goal;

/// Something with the runs that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareAct {
    /// Tick every finished run of the list, as it is filtered.
    All,
    /// Tick none.
    None,
    /// Ask for a name under which the ticked runs are to be kept.
    Ask,
    /// Keep these runs under a name; a group of that name is replaced.
    Save(String, Vec<PathBuf>),
    /// Tick the runs of the group of this name.
    Open(String),
    /// Give a group another name.
    Rename(String, String),
    /// Forget a group; its runs stay.
    Delete(String),
}

/// A sweep that is to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepStart {
    /// Its name or file; empty for the one in the folder.
    pub sweep: String,
    /// Its folder; none for a new one among the runs.
    pub folder: Option<PathBuf>,
    /// Cells at once, 0 for one a core.
    pub jobs: usize,
    /// Where its images are; empty for where the sweep says.
    pub images: String,
}

/// What is done with a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepAct {
    /// Run one, or go on with it.
    Start(SweepStart),
    /// Let the cells save, and end.
    Stop,
    /// Look at the sweep in a folder.
    Open(PathBuf),
}

/// What is done with an audit of images of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditAct {
    /// Ask what is to be done with the images at a place.
    Ask(PathBuf),
    /// Audit the images at a place, and write a page.
    Start {
        /// Folder or file.
        images: PathBuf,
        /// A new file, `.html` or `.pdf`.
        page: PathBuf,
    },
    /// Let it end.
    Stop,
    /// Open the page of the last one.
    Read,
}

/// Something that was asked for. What cannot be done now is left undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Start a run, or go on.
    Run,
    /// Wait.
    Pause,
    /// Run, pause or go on, whichever fits.
    RunOrPause,
    /// One slice of work, then wait.
    Step,
    /// Save and end.
    Stop,
    /// Forget the shown run and play the opening again.
    Reset,
    /// Go on with an unfinished run.
    Continue(PathBuf),
    /// Choose a preset by its place in [`PRESETS`](crate::experiment::PRESETS).
    Preset(usize),
    /// Take an experiment from a text.
    Take(Box<Experiment>),
    /// Copy the state for those who are not to see these controls.
    Share(Hidden),
    /// Show the controls that a shared state hid.
    ShowAll,
    /// Take a state that was shared, from its text.
    Shared(String),
    /// Ask the system for what was copied, to take it.
    Paste,
    /// Open all settings at the one with this key.
    FindSetting(String),
    /// Change one setting: its key and its value as `--set` takes them.
    Set(String, String),
    /// Take the last change back.
    Undo,
    /// Do it again.
    Redo,
    /// Ask for a file.
    Ask(Purpose),
    /// Use a file for a purpose.
    File(Purpose, PathBuf),
    /// Use the images at a path, as these settings want them, of so many classes.
    Images(PathBuf, Vec<(String, String)>, usize),
    /// Tell why a path's images cannot be read.
    NoImages(String),
    /// Show the defended model, or the undefended one.
    Defended(bool),
    /// Let another attack look, by its name.
    Attacker(&'static str),
    /// Let the attacker know the defence, or not.
    Adaptive(bool),
    /// Show fresh weights, or trained ones where there are any.
    Untrained(bool),
    /// Cut the network after so many layers.
    Cut(usize),
    /// Show another test image: so many further.
    Patient(isize),
    /// Show an image of one's own.
    Draw(Picture),
    /// Back from an own image to the patients.
    Patients,
    /// Let the stage follow the run again.
    Follow,
    /// Play the film of the reconstruction, or stop it.
    Play,
    /// The film's frame: so many further.
    Frame(isize),
    /// The film's frame, by its place; none follows the latest.
    Pin(Option<usize>),
    /// Show a pane, in a workspace that has it.
    Pane(Pane),
    /// Go to a workspace.
    Workspace(Workspace),
    /// Arrange the workspace's panes as they were at first.
    Arrange,
    /// Open the log, or close it.
    Log,
    /// The stage's height in points; none as it is at first.
    StageHeight(Option<f32>),
    /// Look into a picture; at a row and a column of it, where one was pointed at.
    Inspect(Subject, Option<[usize; 2]>),
    /// Fill the screen, or leave it.
    FullScreen,
    /// Everything so large that it is read from the last row, or as before.
    Present,
    /// Speeds, pauses and the goal.
    PlayAs(PlayAct),
    /// Something with a lesson.
    Lesson(LessonAct),
    /// Something of a day's work.
    Day(DayAct),
    /// Something with the runs that are compared.
    Compare(CompareAct),
    /// Open the formulas of a part of the stage, or close them.
    Formula(Option<Place>),
    /// Open the page of the method, at the section of this name.
    Method(Option<&'static str>),
    /// Open or close a window over the panes.
    Popup(Option<Popup>),
    /// Dark, light, or as the system has it.
    Theme(eframe::egui::ThemePreference),
    /// Size of all text and controls; 1 is plain.
    Scale(f32),
    /// Nothing moves that need not, or all does.
    Calm(bool),
    /// Speak the language of this id; none is English.
    Language(Option<String>),
    /// Look for runs again.
    Refresh,
    /// Show a run that was made before.
    ShowRun(PathBuf),
    /// Launch an attack at a finished run.
    Attack(PathBuf, Launch),
    /// Attack a victim of another program; the results go into a folder.
    Victim(Paths, Launch, PathBuf),
    /// Something with a sweep.
    Sweep(SweepAct),
    /// Something with an audit.
    Audit(AuditAct),
    /// Launch an attack, by its name, at the shown run.
    AttackShown(&'static str),
    /// Give a run another name.
    Rename(PathBuf, String),
    /// Move a run to the system's trash.
    Trash(PathBuf),
    /// Copy a text.
    Copy(String),
    /// Copy one of the texts that have a name.
    CopyAs(Copied),
    /// Everything as at the start, for the next class.
    NextClass,
    /// The reset is not to be taken back.
    KeepReset,
    /// The error has been read.
    CloseError,
    /// Nothing is to be done with the unfinished run.
    Leave,
}

/// What is done with a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonAct {
    /// Begin the one of this name, or in this file.
    Begin(String),
    /// Answer the question, from 0.
    Answer(usize),
    /// The next step.
    Next,
    /// The step before.
    Back,
    /// Leave it.
    End,
}

/// One of the choices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlayAct {
    /// Of a run.
    Training(Speed),
    /// Of the attacker on the stage.
    Attacker(Speed),
    /// Let the attacker on the stage wait, or go on.
    Wait(bool),
    /// One iteration of it, then wait.
    Step,
    /// Let a run wait after an epoch, or not.
    PauseAfter(Option<usize>),
    /// What is to be reached, or no more.
    Goal(Option<Goal>),
}

impl Act {
    /// Whether it is done by controls that are hidden; one that changes settings is, where none of those are there.
    pub fn is_hidden(&self, hidden: Hidden) -> bool {
        let sets = matches!(self, Self::Set(..)) && hidden.has(Control::Levers) && hidden.has(Control::Settings);
        sets || self.control().is_some_and(|control| hidden.has(control))
    }

    /// The controls that it is done by; none for those that are always there.
    fn control(&self) -> Option<Control> {
        Some(match self {
            Self::Set(key, _) if key == "seed" => Control::Experiment,
            Self::Set(key, _) if key == "model.cut" => Control::Cut,
            Self::Preset(_) | Self::Take(_) => Control::Experiment,
            Self::Run
            | Self::RunOrPause
            | Self::Pause
            | Self::Step
            | Self::Stop
            | Self::Reset
            | Self::PlayAs(_)
            | Self::Attack(..)
            | Self::AttackShown(_)
            | Self::Sweep(SweepAct::Start(..))
            | Self::Popup(Some(Popup::Sweep | Popup::Audit))
            | Self::Audit(AuditAct::Start { .. })
            | Self::Continue(_) => Control::Run,
            Self::Defended(_) | Self::Untrained(_) => Control::Model,
            Self::Attacker(_) | Self::Adaptive(_) => Control::Attacker,
            Self::Cut(_) => Control::Cut,
            Self::Pane(Pane::Levers) => Control::Levers,
            Self::FindSetting(_) | Self::Popup(Some(Popup::Settings)) => Control::Settings,
            Self::Patient(_)
            | Self::Draw(_)
            | Self::Patients
            | Self::Ask(Purpose::Image)
            | Self::File(Purpose::Image, _) => Control::Image,
            // Whoever has levers or settings may pull them, and the rest is always there.
            _ => return None,
        })
    }
}

/// A window over the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popup {
    /// Every command, found by typing.
    Palette,
    /// Every setting.
    Settings,
    /// The method, to read.
    Method,
    /// What students see of a shared state.
    Students,
    /// Every shortcut.
    Shortcuts,
    /// Who made it, licences, where things are kept.
    About,
    /// A picture large, with its numbers.
    Inspector,
    /// A victim of another program.
    Victim,
    /// Many experiments that differ in a few settings.
    Sweep,
    /// Images of one's own, down to the page.
    Audit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_done_by_any_way() {
        let hidden = Hidden::of(&[Control::Run, Control::Levers, Control::Image]);
        assert_eq!(hidden.list(), [Control::Run, Control::Levers, Control::Image]);
        let set = |key: &str| Act::Set(key.to_owned(), "1".to_owned());
        for act in [Act::Run, Act::Step, Act::Patient(1), Act::Patients, Act::Pane(Pane::Levers)] {
            assert!(act.is_hidden(hidden), "{act:?}");
        }
        // All settings are there still.
        for act in [set("seed"), set("train.rate"), Act::Cut(2), Act::Attacker("rmle"), Act::Undo] {
            assert!(!act.is_hidden(hidden), "{act:?}");
        }
        assert!(set("train.rate").is_hidden(Hidden::of(&[Control::Levers, Control::Settings])));
        assert!(!Hidden::default().any() && Hidden::of(&Control::ALL).list() == Control::ALL);
    }
}
