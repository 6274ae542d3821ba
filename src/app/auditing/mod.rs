//! An audit of images of one's own, in a process of its own: begun, watched and stopped from the window, down to the page.

mod at_work;
mod dialog;

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui::Context;

use self::at_work::Work;
pub use self::dialog::{AuditView, audit_ui};
use super::act::AuditAct;
use super::chore::Chore;
use super::{App, Popup};
use crate::error::{Error, Result};

/// The audit that is at work, and what came of the last one.
#[derive(Default)]
pub struct Auditing {
    work: Option<Work>,
    /// The page of the last one that came to its end.
    done: Option<PathBuf>,
}

impl Auditing {
    /// Whether one is at work.
    pub fn at_work(&self) -> bool {
        self.work.is_some()
    }

    /// Whether it was told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.work.as_ref().is_some_and(Work::is_stopping)
    }

    /// What it says that it is at.
    pub(super) fn told(&self) -> String {
        self.work.as_ref().map(Work::told).unwrap_or_default()
    }

    /// The page of the last one.
    pub(super) fn done(&self) -> Option<&PathBuf> {
        self.done.as_ref()
    }

    /// Ends one that is at work, and waits so long at most.
    pub(super) fn leave(&mut self, patience: Duration) {
        if let Some(work) = self.work.take() {
            work.leave(patience);
        }
    }
}

impl App {
    /// Does something with an audit.
    ///
    /// # Errors
    /// Returns an error if the system gives no process or no thread.
    pub(super) fn audit(&mut self, act: AuditAct, ctx: &Context) -> Result<()> {
        match act {
            AuditAct::Ask(images) => {
                self.view.audit.take(&images);
                self.popup = Some(Popup::Audit);
            }
            AuditAct::Start { .. } if self.auditing.at_work() => {}
            AuditAct::Start { images, page } => {
                let program = std::env::current_exe()
                    .map_err(|e| Error::Internal(format!("where this program is cannot be told: {e}")))?;
                self.auditing = Auditing { work: Some(Work::start(&program, &images, page, ctx)?), done: None };
            }
            AuditAct::Stop => {
                if let Some(work) = &mut self.auditing.work {
                    work.stop();
                }
            }
            AuditAct::Read => {
                if let Some(page) = self.auditing.done.clone() {
                    self.chores.push(Chore::file(page, ctx)?);
                }
            }
        }
        Ok(())
    }

    /// Takes in how an audit ended.
    pub(super) fn hear_audit(&mut self, ctx: &Context) {
        let Some(ended) = self.auditing.work.take_if(|work| work.has_ended()).map(Work::end) else { return };
        match ended {
            Ok(page) => {
                self.toasts.say(t!("The report is in {path}", path = page.display()), false);
                self.auditing.done = Some(page);
            }
            Err(Error::Stopped) => self.toasts.say(t!("The audit was stopped").to_owned(), false),
            Err(error) => self.tell(&error),
        }
        self.library.refresh(self.runs.clone(), ctx);
    }
}

#[cfg(test)]
mod tests;
