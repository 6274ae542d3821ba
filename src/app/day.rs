//! A day's work with the window: runs pinned and annotated, their folders and best epochs looked at, the log searched, an
//! earlier session brought back; and a long run that tells when it is done.

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui::{Context, Key, Modifiers, UserAttentionType, ViewportCommand};

use super::chore::Chore;
use super::command::{Command, Menu, command};
use super::showing::Source;
use super::state::Status;
use super::{Act, Activity, App, Look, desktop};
use crate::error::{Error, Result};
use crate::run::notes;

/// Runs that take longer tell when they are done, where nobody looks.
const LONG: Duration = Duration::from_secs(60);

/// Something that the day's work asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum DayAct {
    /// Use the weights of the open run's best epoch, or those of its last.
    Best(bool),
    /// Show a run's folder.
    Folder(PathBuf),
    /// Show the open run's folder.
    ShownFolder,
    /// Keep these notes with a run.
    Note(PathBuf, String),
    /// Pin a run, or not.
    Pin(PathBuf, bool),
    /// Open the log, to look for something in it.
    FindInLog,
    /// Tell when a long run ends, or not.
    Notify(bool),
    /// Bring the session before back.
    BringBack,
    /// Nothing more is to be said of the session that was brought back.
    KeepSession,
}

impl DayAct {
    /// Why it cannot be done now; none where it can.
    pub(super) fn why_not(&self, look: &Look<'_>) -> Option<&'static str> {
        match self {
            Self::Best(true) => match look.best {
                Some(best) => best.why_not,
                None => Some("No trained run is open"),
            },
            Self::ShownFolder if look.state.folder.is_none() => Some("No run is open"),
            Self::BringBack if look.activity != Activity::Idle => Some("Can be done once the run has ended"),
            Self::BringBack if !look.earlier => Some("There is no earlier session"),
            _ => None,
        }
    }
}

/// The commands.
pub(super) fn commands() -> Vec<Command> {
    let day = |menu, words: &str, help: &str, act| command(menu, words, help, None, Act::Day(act));
    vec![
        day(
            Menu::File,
            "Bring back the last session",
            "Experiment with its changes, run, image and workspace as they were when the window was closed last.",
            DayAct::BringBack,
        ),
        day(
            Menu::Run,
            "Show the best epoch's weights",
            "Of the open run: the epoch that was right most often on held-out images. Show trained weights is the way back.",
            DayAct::Best(true),
        ),
        day(Menu::Run, "Open the run's folder", "In the desktop's own program for folders.", DayAct::ShownFolder),
        command(
            Menu::View,
            "Find in the log",
            "Open the log and type what to look for.",
            Some((Modifiers::COMMAND, Key::F)),
            Act::Day(DayAct::FindInLog),
        ),
        day(
            Menu::View,
            "Notify when long runs end",
            "The desktop tells of a run that took more than a minute, if the window is not in front then.",
            DayAct::Notify(true),
        ),
        day(Menu::View, "Do not notify when long runs end", "The desktop tells nothing.", DayAct::Notify(false)),
    ]
}

impl App {
    pub(super) fn day(&mut self, act: DayAct, ctx: &Context) -> Result<()> {
        match act {
            DayAct::Best(on) => return self.want_best(on, ctx),
            DayAct::Folder(path) => self.chores.push(Chore::folder(path, ctx)?),
            DayAct::ShownFolder => {
                let path = self.state.folder.clone().ok_or_else(|| Error::input("no run is open"))?;
                self.chores.push(Chore::folder(path, ctx)?);
            }
            DayAct::Note(path, text) => self.chores.push(Chore::note(path, text, ctx)?),
            DayAct::Pin(path, on) => {
                self.memory.pin(&path, on);
                self.remember();
            }
            DayAct::FindInLog => {
                self.memory.log = true;
                self.view.log.find();
                self.remember();
            }
            DayAct::Notify(on) => {
                self.memory.silent = !on;
                let words = if on { "Long runs tell when they are done" } else { "Long runs end silently" };
                self.toasts.say(words, false);
                self.remember();
            }
            DayAct::BringBack => return self.bring_session_back(ctx),
            DayAct::KeepSession => self.session.offered = None,
        }
        Ok(())
    }

    /// The stage is to use the best epoch's weights, which are read first, or the last one's.
    fn want_best(&mut self, on: bool, ctx: &Context) -> Result<()> {
        let run = self.state.folder.clone().filter(|_| on);
        self.showing.untrained = false;
        if let Some(run) = run.clone().filter(|_| !self.best.want(run.as_deref())) {
            self.chores.push(Chore::best(run, ctx)?);
        } else {
            self.best_changed();
        }
        Ok(())
    }

    /// Other weights are in use: the stage is asked anew.
    pub(super) fn best_changed(&mut self) {
        self.look(if self.showing.source == Source::Opening { Source::Opening } else { Source::Live });
    }

    /// Keeps what was typed as notes, once nobody has typed for a moment, or at once.
    pub(super) fn keep_notes(&mut self, ctx: &Context, at_once: bool) {
        if let Some((path, text)) = self.view.runs.note(at_once) {
            self.act(Act::Day(DayAct::Note(path, text)), ctx);
        }
    }

    /// Keeps what was typed as notes before the window is closed.
    pub(super) fn leave_notes(&mut self) {
        while let Some((path, text)) = self.view.runs.note(true) {
            if let Err(error) = notes::write(&path, &text) {
                tracing::warn!("{error}");
            }
        }
    }

    /// Tells of a run that has ended after so long, where nobody looks at the window.
    pub(super) fn tell_elsewhere(&self, took: Duration, ctx: &Context) {
        if !self.tells(took, ctx.input(|input| input.viewport().focused.unwrap_or(input.focused))) {
            return;
        }
        ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Informational));
        let title = if self.state.status == Status::Failed { "The run failed" } else { "The run has ended" };
        desktop::notify(title, &format!("{}: {}", self.state.title, self.said));
    }

    /// Whether the end of a run that took so long is told.
    pub(super) fn tells(&self, took: Duration, focused: bool) -> bool {
        took >= LONG && !focused && !self.memory.silent
    }
}
