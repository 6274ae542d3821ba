//! Runs chosen to be compared, and groups of them kept under names.

use eframe::egui::Context;

use super::act::CompareAct;
use super::memory::Group;
use super::ticked::Ticked;
use super::{Act, App, Look, Pane};
use crate::error::{Error, Result};

impl CompareAct {
    /// Why it cannot be done now; none where it can.
    pub(super) fn why_not(&self, look: &Look<'_>) -> Option<&'static str> {
        match self {
            Self::All if look.library.runs.iter().all(|run| run.summary().is_none()) => {
                Some(t!("There is no finished run"))
            }
            Self::None | Self::Ask if look.ticked == Ticked::None => Some(t!("Tick some runs first")),
            _ => None,
        }
    }
}

impl App {
    pub(super) fn compare(&mut self, act: CompareAct, ctx: &Context) -> Result<()> {
        match act {
            CompareAct::All => self.view.runs.tick_all(&self.library),
            CompareAct::None => self.view.runs.clear(),
            CompareAct::Ask => {
                self.view.runs.groups.ask();
                self.act(Act::Pane(Pane::Runs), ctx);
            }
            CompareAct::Save(name, runs) => {
                self.memory.keep_group(&name, runs)?;
                self.toasts.say(t!("Kept as the group {name}", name), false);
                self.view.runs.groups.named(Some(name.trim().to_owned()));
                self.list_groups(ctx);
            }
            CompareAct::Open(name) => {
                let Group { runs, name } = self.memory.group(&name).cloned().ok_or_else(|| unknown(&name))?;
                self.view.runs.open_group(name, runs);
                self.act(Act::Pane(Pane::Runs), ctx);
                // What was deleted or finished since is to be known.
                self.list_groups(ctx);
            }
            CompareAct::Rename(from, to) => {
                self.memory.rename_group(&from, &to)?;
                self.view.runs.groups.named(Some(to.trim().to_owned()));
                self.remember();
            }
            CompareAct::Delete(name) => {
                self.memory.groups.retain(|group| group.name != name);
                self.view.runs.groups.named(None);
                self.list_groups(ctx);
            }
        }
        Ok(())
    }

    /// Runs of groups are listed wherever they are.
    fn list_groups(&mut self, ctx: &Context) {
        self.remember();
        self.library.elsewhere = self.memory.elsewhere();
        self.library.refresh(self.runs.clone(), ctx);
    }
}

fn unknown(name: &str) -> Error {
    Error::input(format!("there is no group {name}"))
}
