//! What worker, live mirror and library tell, taken in; and what the live mirror is asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use super::LessonAct;
use super::runner::Runner;
use super::showing::Source;
use super::state::Status;
use super::trouble::About;
use super::{Act, Activity, App, Purpose, Wanted, theme};
use crate::experiment::Experiment;
use crate::live::{Live, Question, Shown, attack_of};
use crate::run::shipped::shipped;
use crate::run::weights::Weights;

/// Time that a frame spends on events at most.
const EVENT_BUDGET: Duration = Duration::from_millis(4);
/// Between frames while it waits: only a step that was asked for can bring news.
const PAUSED_FRAME: Duration = Duration::from_millis(200);
/// Between frames of a film.
const FILM_FRAME: Duration = Duration::from_millis(50);
/// A theft from a tiny network would be over between two frames.
const LEAST_SPREAD: Duration = Duration::from_millis(700);

impl App {
    /// Takes in what was told since the last call, for a few milliseconds at most, and asks for the next
    /// frame while there is somebody to tell more.
    pub fn logic(&mut self, ctx: &egui::Context) {
        if !std::mem::replace(&mut self.styled, true) {
            theme::install(ctx);
            self.perform_remembered(ctx);
            self.speak_first();
            self.library.refresh(self.runs.clone(), ctx);
            self.session.asked |= self.to_open.is_some();
            self.begin_session(ctx);
            self.open_first(ctx);
        }
        self.hear_shot(ctx);
        self.hear_library(ctx);
        self.hear_opening(ctx);
        self.hear_sweep(ctx);
        self.hear_audit(ctx);
        self.hear_runner(ctx);
        self.hear_live();
        self.play_film(ctx);
        if std::mem::take(&mut self.ask) {
            self.ask_live(ctx);
        }
        self.textures.show(ctx, &self.showing);
        self.keep_notes(ctx, false);
        self.keep_session(ctx);
    }

    /// Opens what the window was started with. An experiment's file is what it has already: only its name is to be known.
    fn open_first(&mut self, ctx: &egui::Context) {
        let path = match self.to_open.take() {
            None => return,
            Some(Wanted::Shared(text)) => return self.act(Act::Shared(text), ctx),
            Some(Wanted::Lesson(name)) => return self.act(Act::Lesson(LessonAct::Begin(name)), ctx),
            Some(Wanted::Path(path)) => path,
        };
        let known = Experiment::load(&path).is_ok_and(|its| its == *self.document.experiment());
        if known {
            self.document.saved(path);
            self.begin_classes_here();
        } else {
            self.act(Act::File(Purpose::Open, path), ctx);
        }
    }

    fn hear_runner(&mut self, ctx: &egui::Context) {
        let Some(runner) = &mut self.runner else { return };
        let begin = Instant::now();
        let at = runner.elapsed();
        let heard = self.state.rows.len();
        let (mut ended, mut more) = (false, true);
        while !ended && more && begin.elapsed() < EVENT_BUDGET {
            let event = runner.next_event();
            // They are set before the first event is sent.
            if self.state.facts.is_none()
                && let Some(facts) = runner.facts()
            {
                self.state.facts = Some(facts.clone());
                if self.showing.source == Source::Run {
                    self.showing.facts = Some(facts.clone());
                }
            }
            more = event.is_some();
            let Some(event) = event else { break };
            if let Some(warning) = self.state.warning_of(&event) {
                self.toasts.say(warning, true);
            }
            let lines = self.state.log.len();
            ended = self.state.read(event, at);
            if self.state.log.len() != lines
                && let Some((_, line)) = self.state.log.back()
            {
                self.said.clone_from(line);
            }
        }
        self.state.spread_times(heard);
        if let Some(scene) = runner.new_scene() {
            if self.showing.source == Source::Run {
                self.showing.see(scene);
                self.run_scene.clone_from(&self.showing.scene);
            } else {
                self.run_scene = Some(scene);
            }
        }
        if let Some(weights) = runner.new_weights() {
            self.weights = Some((runner.experiment().clone(), weights));
        }
        let waits = runner.activity() == Activity::Paused;
        // Nothing to offer again before there is a folder.
        let going = self.state.status == Status::Going && self.state.folder.is_some();
        if going && self.memory.unfinished != self.state.folder {
            self.memory.unfinished.clone_from(&self.state.folder);
            self.remember();
        }
        if ended {
            self.end_run(ctx);
        } else if more {
            ctx.request_repaint();
        } else {
            ctx.request_repaint_after(if waits { PAUSED_FRAME } else { self.pace.next() });
        }
    }

    fn end_run(&mut self, ctx: &egui::Context) {
        let runner = self.runner.take();
        let took = runner.as_ref().map_or(Duration::ZERO, Runner::elapsed);
        let stopping = runner.and_then(|runner| runner.stopping_for());
        tracing::debug!(status = ?self.state.status, "run ended");
        self.error_about = About::Run;
        if let Some(after) = stopping {
            tracing::debug!(ms = after.as_millis() as u64, "the worker left after a stop");
        }
        // The last line of the log says what it came to.
        self.toasts.say(self.said.clone(), self.state.status == Status::Failed);
        self.tell_elsewhere(took, ctx);
        self.session.touch();
        // A question that stands is answered by the weights of the end.
        self.ask |= self.showing.source == Source::Live;
        // A run that failed, for a full disk say, can be gone on with.
        if self.state.status == Status::Done {
            self.memory.unfinished = None;
        }
        self.remember();
        self.library.refresh(self.runs.clone(), ctx);
        if self.class.waits {
            self.next_class();
        }
        ctx.request_repaint();
    }

    fn hear_live(&mut self) {
        let Some(live) = &mut self.live else { return };
        let (facts, scene, failure) = (live.facts(), live.scene(), live.failure());
        if self.showing.source != Source::Run {
            self.showing.facts = facts.or_else(|| self.showing.facts.take());
            if let Some(scene) = scene {
                self.showing.see(scene);
            }
            // After the scene, which clears it: what cannot be answered further is to be told.
            if let Some(failure) = failure {
                self.showing.fail(failure);
            }
        }
        let busy = live.busy();
        if std::mem::replace(&mut self.mirrored, busy) && !busy {
            self.said = self.showing.words();
        }
    }

    /// Asks the live mirror about what the stage is to show now.
    fn ask_live(&mut self, ctx: &egui::Context) {
        if self.live.is_none() {
            let ctx = ctx.clone();
            match Live::start(move || ctx.request_repaint()) {
                Ok(live) => {
                    self.live = Some(live);
                    self.play_live();
                }
                Err(error) => self.showing.fail(error.to_string()),
            }
        }
        let question = self.question();
        let Some(live) = &mut self.live else { return };
        live.ask(question);
        ctx.request_repaint();
    }

    /// A run's weights for its own images, or else those that come with the program, where they are of this network.
    pub(super) fn weights_for(&self, experiment: &Experiment) -> Option<Arc<Weights>> {
        let best = self.best.of(self.state.folder.as_deref());
        let of_run = self.weights.as_ref().map(|(trained, last)| (trained, best.unwrap_or(last)));
        let of_run = of_run.filter(|(trained, _)| trained.data.same_images(&experiment.data));
        let same = |trained: &Experiment| trained.layers(2).ok() == experiment.layers(2).ok();
        match (of_run, shipped(experiment)) {
            (Some((trained, weights)), other) if other.is_none() || same(trained) => Some(weights.clone()),
            (_, other) => other,
        }
    }

    fn question(&self) -> Question {
        let experiment = self.document.experiment();
        let image = self.showing.image.clone();
        if self.showing.source == Source::Opening {
            let weights = shipped(experiment).filter(|_| !self.showing.untrained);
            let opening = Question::opening(experiment, weights);
            // Spread out, it is a film of its own.
            let spread = opening.spread.filter(|_| !self.memory.calm);
            return Question { image, spread, ..opening };
        }
        Question {
            defended: self.showing.defended,
            attack: attack_of(experiment, self.showing.attack()),
            // Undefended there is nothing to know.
            adaptive: self.showing.adaptive && self.showing.defended,
            // So long at least that it can be seen; a drawing is followed as fast as can be.
            spread: matches!(image, Shown::Patient(_)).then_some(LEAST_SPREAD).filter(|_| !self.memory.calm),
            image,
            weights: self.weights_for(experiment).filter(|_| !self.showing.untrained),
            ..Question::new(experiment.clone())
        }
    }

    fn play_film(&mut self, ctx: &egui::Context) {
        let film = &mut self.showing.film;
        if !film.playing {
            return;
        }
        if self.filmed.elapsed() >= FILM_FRAME {
            self.filmed = Instant::now();
            film.step(1);
        }
        ctx.request_repaint_after(FILM_FRAME);
    }
}
