//! Reset for the next class: all that a class has changed goes back to the start at once, and Undo brings it back.

use std::sync::Arc;

use egui_tiles::Tree;

use super::document::Start;
use super::play::Play;
use super::showing::{Showing, Source};
use super::state::State;
use super::typing::Typing;
use super::{App, Pane, View, Workspace};
use crate::experiment::Experiment;
use crate::lesson::Progress;
use crate::run::control::Command;
use crate::run::scene::Scene;
use crate::run::weights::Weights;

/// What a reset put away, and where in the document's history that was.
pub(super) struct Reset {
    /// The document's number right after it.
    at: u64,
    /// What was there before; none once it was brought back.
    before: Option<Box<Before>>,
    /// Whether the way back is still offered above the stage.
    pub(super) offered: bool,
}

/// The window's contents but for the document, which has a history of its own.
struct Before {
    state: State,
    weights: Option<(Experiment, Arc<Weights>)>,
    run_scene: Option<Scene>,
    showing: Showing,
    view: View,
    tree: Tree<Pane>,
    workspace: Workspace,
    log: bool,
    play: Play,
    progress: Option<Progress>,
    strokes: Vec<u64>,
}

/// Where a class begins: an experiment with its name.
pub(super) struct Class {
    start: Start,
    /// The worker is to save and leave first.
    pub(super) waits: bool,
    pub(super) reset: Option<Reset>,
}

impl Class {
    /// Classes begin with this document.
    pub(super) fn of(start: Start) -> Self {
        Self { start, waits: false, reset: None }
    }
}

impl App {
    /// Classes begin from now on with the document as it is.
    pub(super) fn begin_classes_here(&mut self) {
        self.class.start = self.document.start();
    }

    /// Preset, seed, cut, levers, drawing, stage and panes as at the start. A run that is going is saved first.
    pub(super) fn next_class(&mut self) {
        if let Some(runner) = &mut self.runner {
            runner.send(Command::Stop);
            self.class.waits = true;
            self.toasts.say(t!("The run is saved first; then all is reset for the next class."), false);
            return;
        }
        self.class.waits = false;
        let before = self.put_away();
        self.document.begin_again(&self.class.start);
        self.class.reset = Some(Reset { at: self.document.number(), before: Some(before), offered: true });
        self.remember();
    }

    /// Whether the last thing that was done is a reset whose way back is to be offered.
    pub(super) fn offers_the_way_back(&self) -> bool {
        let is = |reset: &Reset| reset.offered && reset.before.is_some() && reset.at == self.document.number();
        self.class.reset.as_ref().is_some_and(is)
    }

    /// What the window says of itself after a reset.
    pub(super) fn start_words(&self) -> String {
        let experiment = self.document.experiment();
        t!("Ready for the next class: {name}, seed {seed}.", name = self.document.name(), seed = experiment.seed)
    }

    /// Takes the document's last change back, and brings back what went with it. None where there was no change; true
    /// where the stage is back as it was.
    pub(super) fn undo(&mut self) -> Option<bool> {
        let number = self.document.number();
        if !self.document.undo() {
            return None;
        }
        let idle = self.runner.is_none();
        let reset = self.class.reset.as_mut().filter(|reset| idle && reset.at == number);
        let Some(before) = reset.and_then(|reset| reset.before.take()) else { return Some(false) };
        self.bring_back(*before);
        Some(true)
    }

    /// Does the document's change again, and puts away what went with it. As [`Self::undo`].
    pub(super) fn redo(&mut self) -> Option<bool> {
        if !self.document.redo() {
            return None;
        }
        let (number, idle) = (self.document.number(), self.runner.is_none());
        let again = |reset: &Reset| idle && reset.at == number && reset.before.is_none();
        if !self.class.reset.as_ref().is_some_and(again) {
            return Some(false);
        }
        let before = self.put_away();
        self.class.reset = Some(Reset { at: number, before: Some(before), offered: true });
        Some(true)
    }

    /// A fresh window's contents; what was there.
    fn put_away(&mut self) -> Box<Before> {
        let fresh = Showing {
            // The stage keeps its shape until it has heard of the images.
            facts: self.showing.facts.clone(),
            generation: self.showing.generation + 1,
            ..Showing::default()
        };
        let before = Before {
            state: std::mem::take(&mut self.state),
            weights: self.weights.take(),
            run_scene: self.run_scene.take(),
            showing: std::mem::replace(&mut self.showing, fresh),
            view: std::mem::take(&mut self.view),
            tree: std::mem::replace(&mut self.tree, self.memory.workspace.tree()),
            workspace: self.memory.workspace,
            log: std::mem::take(&mut self.memory.log),
            play: std::mem::take(&mut self.memory.play),
            progress: self.progress.take(),
            strokes: std::mem::take(&mut self.strokes),
        };
        (self.popup, self.prompt, self.opening) = (None, None, None);
        self.play_live();
        self.typing = Typing::default();
        self.memory.lesson = None;
        self.toasts.clear();
        self.ask = true;
        Box::new(before)
    }

    fn bring_back(&mut self, before: Before) {
        let generation = self.showing.generation + 1;
        self.state = before.state;
        self.weights = before.weights;
        self.run_scene = before.run_scene;
        self.showing = Showing { generation, ..before.showing };
        self.view = before.view;
        self.tree = before.tree;
        (self.memory.workspace, self.memory.log) = (before.workspace, before.log);
        self.memory.play = before.play;
        self.play_live();
        self.progress = before.progress;
        self.memory.lesson = self.progress.as_ref().map(Progress::saved);
        self.strokes = before.strokes;
        // A run's pictures are there; what was asked is asked again.
        self.ask = self.showing.source != Source::Run;
        if let Some(live) = self.live.as_mut().filter(|_| !self.ask) {
            live.cancel();
        }
    }
}
