//! Sweeps in the window: begun, watched, stopped, and one of any program's looked at.

mod at_work;
mod dialog;
mod line;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::Context;

pub(super) use at_work::Seen;
use at_work::{Looking, Work};
pub use dialog::{SweepView, sweep_ui};
pub use line::line_ui;

use super::{App, Popup, SweepAct};
use crate::error::Result;

/// Between two looks at a sweep that another program runs.
const EVERY: Duration = Duration::from_secs(2);

/// The sweep that is at work, and the one that is looked at.
#[derive(Default)]
pub struct Sweeping {
    work: Option<Work>,
    looking: Option<Looking>,
    /// Where the one that is looked at is, and when that was done last.
    open: Option<(PathBuf, Instant)>,
    seen: Seen,
    /// Cells that had ended when runs were listed last.
    listed: usize,
}

impl Sweeping {
    /// What is seen of it now.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether this window runs one.
    pub fn at_work(&self) -> bool {
        self.work.is_some()
    }

    /// Whether anything of it is at work behind the window.
    pub(super) fn is_busy(&self) -> bool {
        self.work.is_some() || self.looking.is_some()
    }

    /// Whether it was told to stop, and its cells are saving.
    pub fn is_stopping(&self) -> bool {
        self.work.as_ref().is_some_and(Work::is_stopping)
    }

    /// Ends one that is at work: its cells save. Waits so long at most; cells that are not done then save by themselves.
    pub(super) fn leave(&mut self, patience: Duration) {
        if let Some(work) = self.work.take() {
            work.leave(patience);
        }
    }
}

impl App {
    /// Does something with a sweep.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub(super) fn sweep(&mut self, act: SweepAct, ctx: &Context) -> Result<()> {
        match act {
            SweepAct::Start(..) | SweepAct::Open(_) if self.sweeping.at_work() => {}
            SweepAct::Start(wanted) => {
                let work = Work::start(wanted, self.runs.clone(), ctx)?;
                self.sweeping = Sweeping { work: Some(work), ..Sweeping::default() };
            }
            SweepAct::Stop => {
                if let Some(work) = &self.sweeping.work {
                    work.stop();
                }
            }
            SweepAct::Open(folder) => {
                let looking = Some(Looking::start(folder.clone(), ctx)?);
                self.sweeping = Sweeping { looking, open: Some((folder, Instant::now())), ..Sweeping::default() };
            }
        }
        Ok(())
    }

    /// Takes in what is seen of a sweep, and how it ended.
    pub(super) fn hear_sweep(&mut self, ctx: &Context) {
        if let Some(work) = &self.sweeping.work {
            self.sweeping.seen = work.seen();
        }
        if let Some(ended) = self.sweeping.work.take_if(|work| work.has_ended()).map(Work::end) {
            match ended {
                Ok(seen) => {
                    self.toasts.say(seen.told(), seen.failed() > 0);
                    self.sweeping.seen = seen;
                }
                Err(error) => self.tell(&error),
            }
        }
        if let Some(looked) = self.sweeping.looking.as_ref().and_then(Looking::answer) {
            self.sweeping.looking = None;
            match looked {
                Ok(seen) => self.sweeping.seen = seen,
                Err(error) => {
                    self.sweeping.open = None;
                    self.tell(&error);
                }
            }
        }
        self.look_again(ctx);
        let ended = self.sweeping.seen.ended();
        if std::mem::replace(&mut self.sweeping.listed, ended) != ended {
            self.library.refresh(self.runs.clone(), ctx);
        }
    }

    /// Looks again at a sweep that another program may be running, while somebody watches.
    fn look_again(&mut self, ctx: &Context) {
        let watched = self.popup == Some(Popup::Sweep) && self.sweeping.seen.is_going();
        let Sweeping { looking, open: Some((folder, last)), work: None, .. } = &mut self.sweeping else { return };
        if !watched || looking.is_some() {
            return;
        }
        if last.elapsed() < EVERY {
            return ctx.request_repaint_after(EVERY.saturating_sub(last.elapsed()));
        }
        *last = Instant::now();
        // Without a thread it is as it was.
        *looking = Looking::start(folder.clone(), ctx).ok();
    }
}

#[cfg(test)]
mod tests;
