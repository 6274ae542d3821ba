//! The window: `logic` takes in what a run tells, `ui` shows it, acts change it.

mod bar;
mod curves;
mod dialogs;
mod preview;
mod runner;
mod stage;
mod state;
mod streams;
mod tables;
mod textures;
mod theme;
mod words;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui;

use crate::error::{Error, Result};
use crate::experiment::{Experiment, PRESETS};
use crate::run::control::Command;

pub use runner::{Activity, Facts, WireFacts};
pub use state::{State, Status};
pub use streams::{Curves, Stream};
pub use theme::Role;

/// Time that a frame spends on events at most.
const EVENT_BUDGET: Duration = Duration::from_millis(4);
/// Between frames while a worker works.
const FRAME: Duration = Duration::from_millis(50);
/// Between frames while it waits: only a step that was asked for can bring news.
const PAUSED_FRAME: Duration = Duration::from_millis(200);
/// How long a closing window waits for the last checkpoint.
const PATIENCE: Duration = Duration::from_secs(3);
/// The name of an experiment that is no preset.
const OWN: &str = "own";

/// What a person can do in the window. Buttons send these, and so may tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Start a run, or go on.
    Run,
    /// Wait.
    Pause,
    /// One slice of work, then wait.
    Step,
    /// Save and end.
    Stop,
    /// Choose a preset by its place in [`PRESETS`]; only while no run is going.
    Preset(usize),
    /// Ask for an experiment's file; only while no run is going.
    Open,
    /// Choose the seed; only while no run is going.
    Seed(u64),
    /// Show the attacks, the results or the log.
    Tab(Tab),
    /// Dark to light and back.
    Theme,
    /// The error has been read.
    CloseError,
}

/// What is shown beside the curves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Attacks finished so far.
    #[default]
    Attacks,
    /// What the run came to.
    Results,
    /// What happened.
    Log,
}

/// What views look at: all that is shown, and nothing they could change.
#[derive(Clone, Copy)]
struct Look<'a> {
    /// The shown run.
    state: &'a State,
    /// The chosen experiment.
    experiment: &'a Experiment,
    /// Its preset's name, or `own`.
    preset: &'a str,
    /// What the worker is at.
    activity: Activity,
    /// The chosen tab.
    tab: Tab,
}

/// The window's contents. Needs no window: [`App::logic`] and [`App::ui`] take any egui context.
pub struct App {
    experiment: Experiment,
    preset: String,
    state: State,
    textures: textures::Textures,
    runner: Option<runner::Runner>,
    preview: preview::Preview,
    runs: Option<PathBuf>,
    dialog: Option<dialogs::OpenDialog>,
    tab: Tab,
    styled: bool,
}

/// Opens the window on an experiment and returns when it is closed.
///
/// # Errors
/// Where there is no display, or no OpenGL.
pub fn open(experiment: Experiment) -> Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Cutlayer")
        .with_app_id("cutlayer")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([900.0, 600.0]);
    #[cfg(not(feature = "wgpu"))]
    let renderer = eframe::Renderer::Glow;
    #[cfg(feature = "wgpu")]
    let renderer = eframe::Renderer::Wgpu;
    let options = eframe::NativeOptions { viewport, renderer, ..Default::default() };
    let app = move |_: &eframe::CreationContext<'_>| Ok(Box::new(App::new(experiment)) as Box<dyn eframe::App>);
    eframe::run_native("Cutlayer", options, Box::new(app)).map_err(|error| Error::input(error.to_string()))
}

impl App {
    /// A window's contents with nothing run yet.
    pub fn new(experiment: Experiment) -> Self {
        let same = |name: &str| {
            Experiment::preset(name).is_ok_and(|preset| Experiment { seed: experiment.seed, ..preset } == experiment)
        };
        let preset = PRESETS.iter().map(|preset| preset.0).find(|name| same(name)).unwrap_or(OWN);
        Self {
            preset: preset.to_owned(),
            experiment,
            state: State::default(),
            textures: textures::Textures::default(),
            runner: None,
            preview: preview::Preview::default(),
            runs: None,
            dialog: None,
            tab: Tab::default(),
            styled: false,
        }
    }

    /// The same with runs kept in a folder of its own, as tests want it.
    #[must_use]
    pub fn with_runs_in(self, folder: PathBuf) -> Self {
        Self { runs: Some(folder), ..self }
    }

    /// What is shown.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the worker is at.
    pub fn activity(&self) -> Activity {
        self.runner.as_ref().map_or(Activity::Idle, runner::Runner::activity)
    }

    /// Takes in what the worker has told since the last call, for a few milliseconds at most, and asks for
    /// the next frame while there is a worker.
    pub fn logic(&mut self, ctx: &egui::Context) {
        self.hear_dialog();
        let Some(runner) = &mut self.runner else {
            return self.look_ahead(ctx);
        };
        let begin = Instant::now();
        let at = runner.elapsed();
        let (mut ended, mut more) = (false, true);
        while !ended && more && begin.elapsed() < EVENT_BUDGET {
            let event = runner.next_event();
            // They are set before the first event is sent.
            if self.state.facts.is_none() {
                self.state.facts = runner.facts().cloned();
            }
            more = event.is_some();
            ended = event.is_some_and(|event| self.state.read(event, at));
        }
        if let Some(scene) = runner.new_scene() {
            self.textures.show(ctx, &scene);
            self.state.see(scene);
        } else if let Some(facts) = self.state.facts.as_ref().filter(|_| self.state.scene.is_none()) {
            self.textures.show_patient(ctx, &facts.patient);
        }
        if ended {
            self.runner = None;
            if self.state.status == Status::Done && self.tab == Tab::Attacks {
                self.tab = Tab::Results;
            }
            ctx.request_repaint();
        } else if more {
            ctx.request_repaint();
        } else {
            let waits = runner.activity() == Activity::Paused;
            ctx.request_repaint_after(if waits { PAUSED_FRAME } else { FRAME });
        }
    }

    /// Before the first run: shows what the chosen experiment has to show.
    fn look_ahead(&mut self, ctx: &egui::Context) {
        if self.state.status == Status::Fresh
            && let Some(facts) = self.preview.look_at(&self.experiment, ctx)
        {
            self.textures = textures::Textures::default();
            self.textures.show_patient(ctx, &facts.patient);
            self.state.facts = Some(facts);
        }
    }

    /// Shows everything, and does what was asked for.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        if !std::mem::replace(&mut self.styled, true) {
            theme::install(ui.ctx());
            // The first frame was begun with the old style.
            ui.ctx().request_discard("style");
        }
        let mut acts = Vec::new();
        let look = Look {
            state: &self.state,
            experiment: &self.experiment,
            preset: &self.preset,
            activity: self.activity(),
            tab: self.tab,
        };
        let height = ui.available_height();
        egui::Panel::top("bar").show(ui, |ui| bar::bar_ui(ui, look, &mut acts));
        if let Some(error) = &self.state.error {
            egui::Panel::top("error").show(ui, |ui| bar::error_ui(ui, error, &mut acts));
        }
        let stage = (0.43 * height).clamp(290.0, 520.0);
        egui::Panel::top("stage").exact_size(stage).show(ui, |ui| stage::stage_ui(ui, look, &self.textures));
        let width = ui.available_width();
        egui::Panel::right("tables")
            .default_size(0.44 * width)
            .size_range(300.0..=0.7 * width)
            .show(ui, |ui| tables::tables_ui(ui, look, &mut acts));
        egui::CentralPanel::default().show(ui, |ui| curves::curves_ui(ui, look));
        for act in acts {
            self.act(act, ui.ctx());
        }
    }

    /// Does what was asked for, where it can be done now.
    pub fn act(&mut self, act: Act, ctx: &egui::Context) {
        let idle = self.runner.is_none();
        match act {
            Act::Run if idle => self.start(),
            Act::Run => self.send(Command::Run),
            Act::Pause => self.send(Command::Pause),
            Act::Step => {
                if idle {
                    self.start();
                }
                self.send(Command::Step);
            }
            Act::Stop => self.send(Command::Stop),
            Act::Preset(which) if idle => self.choose(which),
            Act::Seed(seed) if idle => self.experiment.seed = seed,
            Act::Open if idle && self.dialog.is_none() => match dialogs::OpenDialog::show(ctx) {
                Ok(dialog) => self.dialog = Some(dialog),
                Err(error) => self.state.error = Some(error.to_string()),
            },
            Act::Preset(_) | Act::Seed(_) | Act::Open => {}
            Act::Tab(tab) => self.tab = tab,
            Act::Theme => {
                let dark = ctx.theme() == egui::Theme::Dark;
                ctx.set_theme(if dark { egui::Theme::Light } else { egui::Theme::Dark });
            }
            Act::CloseError => self.state.error = None,
        }
        ctx.request_repaint();
    }

    fn send(&mut self, command: Command) {
        if let Some(runner) = &mut self.runner {
            runner.send(command);
        }
    }

    fn choose(&mut self, which: usize) {
        let Some((name, ..)) = PRESETS.get(which) else { return };
        match Experiment::preset(name) {
            Ok(preset) => {
                self.experiment = Experiment { seed: self.experiment.seed, ..preset };
                (*name).clone_into(&mut self.preset);
            }
            Err(error) => self.state.error = Some(error.to_string()),
        }
    }

    /// Takes the file that a dialog was answered with.
    fn hear_dialog(&mut self) {
        let path = match self.dialog.as_ref().map(dialogs::OpenDialog::answer) {
            None | Some(dialogs::Answer::Waiting) => return,
            Some(dialogs::Answer::Closed) => None,
            Some(dialogs::Answer::File(path)) => Some(path),
        };
        self.dialog = None;
        let Some(path) = path.filter(|_| self.runner.is_none()) else { return };
        let loaded = Experiment::load(&path.to_string_lossy()).and_then(|own| own.validate().map(|()| own));
        match loaded {
            Ok(experiment) => {
                self.preset = path.file_stem().map_or(OWN.into(), |stem| stem.to_string_lossy()).into_owned();
                self.experiment = experiment;
            }
            Err(error) => self.state.error = Some(error.to_string()),
        }
    }

    fn start(&mut self) {
        let seed = self.experiment.seed;
        self.state = State::started(format!("{}, seed {seed}", self.preset));
        self.textures = textures::Textures::default();
        if self.tab == Tab::Results {
            self.tab = Tab::Attacks;
        }
        match runner::Runner::start(self.experiment.clone(), self.preset.clone(), self.runs.clone()) {
            Ok(runner) => self.runner = Some(runner),
            Err(error) => {
                self.state.status = Status::Failed;
                self.state.error = Some(error.to_string());
            }
        }
    }

    /// Ends a run that is going, once its last checkpoint is written; waits a few seconds at most.
    pub fn leave(&mut self) {
        if let Some(runner) = self.runner.take() {
            runner.leave(PATIENCE);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        Self::logic(self, ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        Self::ui(self, ui);
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.leave();
    }
}
