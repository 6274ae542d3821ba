//! Runs in the window: started, gone on with, attacked, followed, opened, and put away.

use std::path::{Path, PathBuf};

use eframe::egui::Context;

use super::runner::Runner;
use super::showing::{Showing, Source};
use super::state::{State, Status};
use super::trouble::About;
use super::workspace::{self, Pane};
use super::{Act, App, DayAct, library, opened, stage};
use crate::error::{Error, Result};
use crate::experiment::run_title;
use crate::live::Shown;
use crate::run::control::Command;
use crate::run::folder::{experiment_of, new_run_path};
use crate::run::launch::Launch;
use crate::run::victim::Paths;

impl App {
    pub(super) fn send(&mut self, command: Command) {
        if let Some(runner) = &mut self.runner {
            runner.send(command);
        }
    }

    pub(super) fn start(&mut self, _: &Context) {
        // What was said is of the run before.
        self.toasts.clear();
        let experiment = self.document.experiment().clone();
        let (wanted, threads) = (experiment.threads, rayon::current_num_threads());
        if wanted != 0 && wanted != threads {
            let text = t!("threads = {wanted} counts from the next start on; this run uses {threads}", wanted, threads);
            self.toasts.say(text, true);
        }
        self.state = State::started(self.document.title());
        self.weights = None;
        let folder = new_run_path(&self.runs, &self.document.folder_name());
        self.follow(Runner::start(experiment, folder));
    }

    pub(super) fn resume(&mut self, path: &Path) {
        self.unfinished = None;
        let experiment = experiment_of(path).ok();
        self.toasts.clear();
        self.state = State::started(run_title(&library::name_of(path), experiment.as_ref()));
        if let Some(experiment) = experiment {
            self.document.take(experiment);
        }
        self.weights = None;
        self.follow(Runner::resume(path));
    }

    pub(super) fn attack(&mut self, path: &Path, launch: Launch) -> Result<()> {
        if self.state.folder.as_deref() != Some(path) {
            return Err(Error::input(format!("open the run before it is attacked: {}", path.display())));
        }
        self.state.status = Status::Going;
        self.state.error = None;
        self.toasts.clear();
        self.follow(Runner::attack(path, launch));
        Ok(())
    }

    pub(super) fn attack_victim(&mut self, paths: Paths, launch: Launch, out: PathBuf) {
        self.toasts.clear();
        self.state = State::started(t!("Victim").to_owned());
        self.weights = None;
        self.follow(Runner::victim(paths, launch, out));
    }

    /// Lets the stage follow a worker that was started, or tells why it was not.
    pub(super) fn follow(&mut self, runner: Result<Runner>) {
        // A reset before it is not taken back any more: what is shown now is this run.
        self.class.reset = None;
        match runner {
            Ok(runner) => {
                self.runner = Some(runner);
                self.play_run();
                self.run_scene = None;
                self.view.pad = stage::pad::PadView::default();
                let experiment = self.document.experiment();
                let facts = self.showing.facts.take().filter(|facts| facts.are_of(&experiment.data));
                self.showing = Showing {
                    source: Source::Run,
                    defended: experiment.defended(),
                    attack: self.showing.attack,
                    facts,
                    generation: self.showing.generation + 1,
                    ..Showing::default()
                };
                if let Some(live) = &mut self.live {
                    live.cancel();
                }
            }
            Err(error) => {
                self.state.status = Status::Failed;
                self.tell_of(About::Run, &error);
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.toasts.clear();
        self.state = State::default();
        self.weights = None;
        self.run_scene = None;
        self.view.pad = stage::pad::PadView::default();
        let generation = self.showing.generation + 1;
        self.showing = Showing { facts: self.showing.facts.take(), generation, ..Showing::default() };
        self.ask = true;
    }

    /// Takes a run that was made before, once it is read.
    pub(super) fn hear_opening(&mut self, ctx: &Context) {
        let Some(result) = self.opening.as_ref().and_then(opened::Opening::answer) else { return };
        let brought_back = self.opening.take().and_then(|opening| opening.brought_back);
        if self.runner.is_some() {
            return;
        }
        match result {
            Ok(run) if brought_back.is_some() => {
                self.state = run.state;
                self.weights = Some((run.experiment, run.weights));
                self.visited(ctx);
                let best = brought_back == Some(true) && !self.showing.untrained;
                self.act(if best { Act::Day(DayAct::Best(true)) } else { Act::Untrained(self.showing.untrained) }, ctx);
            }
            Ok(run) => {
                // Not under the folder's name: a run of it would get a longer one each time.
                self.document.take(run.experiment.clone());
                self.toasts.clear();
                self.class.reset = None;
                self.state = run.state;
                self.visited(ctx);
                self.weights = Some((run.experiment, run.weights));
                self.run_scene = None;
                self.view.pad = stage::pad::PadView::default();
                self.showing.defended = self.document.experiment().defended();
                self.showing.image = Shown::default();
                self.look(Source::Live);
                workspace::show(&mut self.tree, Pane::Table);
            }
            Err(error) => self.tell_of(About::Opening, &error),
        }
    }

    /// A run that was opened from outside the runs' folder is listed with the others.
    fn visited(&mut self, ctx: &Context) {
        let Some(folder) = self.state.folder.clone() else { return };
        if folder.parent() != Some(self.runs.as_path()) {
            self.memory.used(&folder);
            self.memory.visited(&folder);
            self.library.elsewhere = self.memory.elsewhere();
            self.remember();
            self.library.refresh(self.runs.clone(), ctx);
        }
    }
}
