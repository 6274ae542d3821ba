//! A day's work done: what [`DayAct`] asks for; and a long run that tells when it is done.

use std::time::Duration;

use eframe::egui::{Context, UserAttentionType, ViewportCommand};

use super::chore::Chore;
use super::showing::Source;
use super::state::Status;
use super::{Act, App, DayAct, desktop};
use crate::error::{Error, Result};
use crate::run::notes;

/// Runs that take longer tell when they are done, where nobody looks.
const LONG: Duration = Duration::from_mins(1);

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
                let words = if on { t!("Long runs tell when they are done") } else { t!("Long runs end silently") };
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
        let title = if self.state.status == Status::Failed { t!("The run failed") } else { t!("The run has ended") };
        desktop::notify(title, &format!("{}: {}", self.state.title, self.said));
    }

    /// Whether the end of a run that took so long is told.
    pub(super) fn tells(&self, took: Duration, focused: bool) -> bool {
        took >= LONG && !focused && !self.memory.silent
    }
}
