//! The window: `logic` takes in what worker and live mirror tell, `ui` shows it, acts change it.
//!
//! Three things are kept apart: the document (what to run; undo covers it), what is shown (the run's
//! state and the stage), and the view (how panes look at it).

mod accuracies;
mod act;
mod auditing;
mod bar;
mod best;
mod choice;
mod chore;
mod class;
mod command;
mod comparing;
mod copied;
mod copying;
mod data_sheet;
mod day;
mod day_work;
mod desktop;
mod document;
mod draw;
mod export;
mod file_prompt;
mod focus;
mod formula;
mod hear;
mod help;
mod hidden;
mod icon;
mod inspector;
mod judged;
mod language;
mod lessons;
mod library;
mod lit;
mod log;
mod look;
mod lookers;
mod memory;
mod native;
mod open_save;
mod opened;
mod pace;
mod page;
mod palette;
pub(crate) mod panes;
mod perform;
mod pictured;
mod play;
mod present;
mod presets;
mod purpose;
mod runner;
mod running;
mod session;
mod settings;
mod shared;
mod showing;
mod speed;
mod stage;
mod start;
mod state;
mod students;
mod subject;
mod sweeping;
mod textures;
mod theme;
mod ticked;
mod toasts;
mod trouble;
mod typing;
mod victim;
mod words;
mod workspace;

#[cfg(test)]
mod test_look;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_tiles::Tree;

use crate::experiment::Experiment;
use crate::lesson::Progress;
use crate::live::Live;
use crate::run::weights::Weights;

pub use accuracies::{Accuracy, Curves};
pub use act::{Act, AuditAct, CompareAct, LessonAct, PlayAct, Popup, SweepAct, SweepStart};
pub use auditing::Auditing;
pub use copied::Copied;
pub use day::DayAct;
pub use document::Document;
pub use library::{Library, RunEntry, Standing};
pub use look::Look;
pub use purpose::Purpose;
pub use runner::Activity;
pub use showing::{Showing, Source};
pub use start::{Opened, Wanted, open};
pub use state::{State, Status};
pub use sweeping::Sweeping;
pub use theme::Role;
pub use workspace::{Pane, Workspace};

/// How long a closing window waits for the last checkpoint.
const PATIENCE: Duration = Duration::from_secs(3);
/// The experiment of the first start.
const FIRST: &str = crate::experiment::preset::DIGITS;

/// How the panes look at what is shown. Views change their own part.
#[derive(Default)]
pub struct View {
    curves: panes::curves::CurvesView,
    images: panes::images::ImagesView,
    table: panes::table::TableView,
    runs: panes::runs::RunsView,
    frontier: panes::frontier::FrontierView,
    palette: palette::PaletteView,
    log: log::LogView,
    settings: settings::SettingsView,
    inspector: inspector::InspectorView,
    pad: stage::pad::PadView,
    maps: stage::MapsView,
    wipe: stage::WipeView,
    presets: presets::PresetsView,
    share: students::ShareView,
    formula: formula::FormulaView,
    method: formula::MethodView,
    victim: victim::VictimView,
    sweep: sweeping::SweepView,
    audit: auditing::AuditView,
    /// The page is to be scrolled to this pane, where it is out of sight.
    to_pane: Option<Pane>,
}

/// The window's contents. Needs no window: [`App::logic`] and [`App::ui`] take any egui context.
pub struct App {
    document: Document,
    state: State,
    showing: Showing,
    textures: textures::Textures,
    runner: Option<runner::Runner>,
    live: Option<Live>,
    /// The stage is to be asked anew in this frame.
    ask: bool,
    weights: Option<(Experiment, Arc<Weights>)>,
    best: best::Best,
    /// The run's latest scene, while the stage shows something else.
    run_scene: Option<crate::run::scene::Scene>,
    library: Library,
    opening: Option<opened::Opening>,
    chores: Vec<chore::Chore>,
    sweeping: Sweeping,
    auditing: Auditing,
    /// Images that are looked at before they are used.
    images: Option<data_sheet::DataSheet>,
    tree: Tree<Pane>,
    view: View,
    prompt: Option<file_prompt::Prompt>,
    popup: Option<Popup>,
    toasts: toasts::Toasts,
    /// What the error that is shown is about.
    error_about: trouble::About,
    typing: typing::Typing,
    class: class::Class,
    /// Controls that a shared state hides.
    hidden: hidden::Hidden,
    language: language::Language,
    /// The lesson in progress.
    progress: Option<Progress>,
    deeds: lessons::Deeds,
    shot: export::Shot,
    /// Where in the document's history the stage left the opening.
    left_opening: Option<u64>,
    /// Where in the document's history each stroke of the pencil was made.
    strokes: Vec<u64>,
    /// What the window was asked to open.
    to_open: Option<Wanted>,
    memory: memory::Memory,
    session: session::Keeper,
    home: PathBuf,
    runs: PathBuf,
    /// A run that was left unfinished.
    unfinished: Option<PathBuf>,
    styled: bool,
    filmed: Instant,
    pace: pace::Pace,
    /// What happened last, for those who cannot see it.
    said: String,
    /// Whether the live mirror was at work in the last frame.
    mirrored: bool,
}

impl App {
    /// A window's contents with nothing run yet. Runs and memory are kept in `home`.
    pub fn in_folder(experiment: Option<Experiment>, home: PathBuf) -> Self {
        let memory = memory::Memory::load(&home.join("window.json"));
        let before = || {
            let (toml, _) = memory.experiment.as_ref()?;
            Experiment::from_toml(toml, "the last experiment").ok().filter(|e| e.validate().is_ok())
        };
        let first = || Experiment::preset(FIRST).unwrap_or_default();
        // What a class left behind is no start for the next one.
        let session = session::Keeper::new(experiment.is_some());
        let start = Document::new(experiment.clone().unwrap_or_else(first)).start();
        let experiment = experiment.or_else(before).unwrap_or_else(first);
        let unfinished = memory.unfinished.clone().filter(|path| opened::can_continue(path));
        let progress = memory.lesson.as_ref().and_then(lessons::resumed);
        Self {
            document: Document::new(experiment),
            state: State::default(),
            showing: Showing::default(),
            textures: textures::Textures::default(),
            runner: None,
            live: None,
            ask: true,
            weights: None,
            best: best::Best::default(),
            run_scene: None,
            library: Library::with(memory.elsewhere()),
            opening: None,
            chores: Vec::new(),
            sweeping: Sweeping::default(),
            auditing: Auditing::default(),
            images: None,
            tree: memory.tree(),
            view: View { frontier: lessons::frontier(progress.as_ref()), ..View::default() },
            prompt: None,
            popup: None,
            toasts: toasts::Toasts::default(),
            error_about: trouble::About::default(),
            typing: typing::Typing::default(),
            class: class::Class::of(start),
            hidden: hidden::Hidden::default(),
            language: language::Language::default(),
            progress,
            deeds: lessons::Deeds::default(),
            shot: export::Shot::default(),
            left_opening: None,
            strokes: Vec::new(),
            to_open: None,
            runs: home.join("runs"),
            memory,
            session,
            home,
            unfinished,
            styled: false,
            filmed: Instant::now(),
            pace: pace::Pace::default(),
            said: String::new(),
            mirrored: false,
        }
    }

    /// The shown run.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The stage.
    pub fn showing(&self) -> &Showing {
        &self.showing
    }

    /// The chosen experiment.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Runs that were made.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The short messages that are shown now.
    pub fn messages(&self) -> Vec<String> {
        self.toasts.texts().map(str::to_owned).collect()
    }

    /// Whether a pane is in front.
    pub fn shows(&self, pane: Pane) -> bool {
        workspace::is_shown(&self.tree, pane)
    }

    /// What the worker is at.
    pub fn activity(&self) -> Activity {
        self.runner.as_ref().map_or(Activity::Idle, runner::Runner::activity)
    }

    /// Whether anything is at work behind the window.
    pub fn busy(&self) -> bool {
        self.runner.is_some()
            || self.ask
            || self.opening.is_some()
            || self.shooting()
            || !self.chores.is_empty()
            || self.sweeping.is_busy()
            || self.auditing.at_work()
            || self.images.as_ref().is_some_and(data_sheet::DataSheet::busy)
            || self.view.waits()
            || self.live.as_ref().is_some_and(Live::busy)
            || self.showing.film.playing
    }

    /// Ends a run that is going, once its last checkpoint is written; waits a few seconds at most.
    pub fn leave(&mut self) {
        self.live = None;
        if let Some(runner) = self.runner.take() {
            runner.leave(PATIENCE);
        }
        self.sweeping.leave(PATIENCE);
        self.auditing.leave(PATIENCE);
        self.leave_notes();
        self.remember();
        self.end_session();
    }

    /// Writes what is to be remembered. Nothing depends on it, so a refusal is only logged.
    fn remember(&mut self) {
        self.memory.keep_tree(&self.tree);
        self.memory.experiment = Some((self.document.experiment().to_toml(), self.document.name().to_owned()));
        if let Err(error) = self.memory.save(&self.home.join("window.json")) {
            tracing::warn!("{error}");
        }
    }
}
