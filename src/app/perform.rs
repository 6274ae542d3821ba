//! Acts done: the one place where what is shown is changed on a person's behalf.

use std::path::{Path, PathBuf};

use eframe::egui::{Context, ThemePreference};

use super::act::{Act, Popup};
use super::chore::Chore;
use super::files::{Prompt, Purpose};
use super::memory::Theme;
use super::runner::Runner;
use super::showing::{Film, Showing, Source};
use super::state::{State, Status};
use super::{Activity, App, opened, panes, stage};
use crate::error::{Error, Result};
use crate::experiment::PRESETS;
use crate::live::Shown;
use crate::run::afterwards::Wish;
use crate::run::control::Command;
use crate::run::files::Writer;
use crate::run::folder::new_run_path;

impl App {
    /// Does what was asked for, where it can be done now.
    pub fn act(&mut self, act: Act, ctx: &Context) {
        if let Err(error) = self.perform(act, ctx) {
            self.state.error = Some(error.to_string());
        }
        ctx.request_repaint();
    }

    fn perform(&mut self, act: Act, ctx: &Context) -> Result<()> {
        let idle = self.runner.is_none();
        match act {
            Act::Run if idle => self.start(ctx),
            Act::Run => self.send(Command::Run),
            Act::Pause => self.send(Command::Pause),
            Act::RunOrPause if self.activity() == Activity::Running => self.send(Command::Pause),
            Act::RunOrPause => return self.perform(Act::Run, ctx),
            Act::Step => {
                if idle {
                    self.start(ctx);
                }
                self.send(Command::Step);
            }
            Act::Stop => self.send(Command::Stop),
            Act::Reset if idle => self.reset(),
            Act::Continue(path) if idle => self.resume(&path),
            Act::ShowRun(path) if idle => self.opening = Some(opened::Opening::start(path, ctx)?),
            Act::Attack(path, wish) if idle => return self.attack(&path, wish),
            Act::AttackShown(name) => {
                let folder = self.state.folder.clone().ok_or_else(|| Error::input("no run is open to be attacked"))?;
                let wish = Wish { attack: name.to_owned(), ..Wish::default() };
                return self.perform(Act::Attack(folder, wish), ctx);
            }
            Act::Reset | Act::Continue(_) | Act::ShowRun(_) | Act::Attack(..) => {}
            Act::Preset(_) | Act::Take(_) | Act::Set(..) | Act::Undo | Act::Redo | Act::Cut(_) => {
                return self.edit(act);
            }
            Act::Ask(purpose) => self.prompt = Some(Prompt::new(purpose, self.before(purpose))),
            Act::File(purpose, path) => self.file(purpose, path, ctx),
            Act::Defended(_) | Act::Adaptive(_) | Act::Patient(_) | Act::Draw(_) | Act::Patients | Act::Follow => {
                return self.look_at(act);
            }
            Act::Play | Act::Frame(_) | Act::Pin(_) => self.film(&act),
            Act::Refresh => self.library.refresh(self.runs.clone(), ctx),
            Act::Rename(path, name) => self.chores.push(Chore::rename(path, name, ctx)?),
            Act::Trash(path) => self.chores.push(Chore::trash(path, ctx)?),
            Act::Copy(text) => {
                ctx.copy_text(text);
                self.toasts.say("Copied", false);
            }
            Act::CloseError => self.state.error = None,
            Act::Leave => {
                self.unfinished = None;
                self.memory.unfinished = None;
                self.remember();
            }
            Act::FindSetting(key) => {
                self.view.settings.find(&key);
                self.popup = Some(Popup::Settings);
            }
            Act::Pane(_) | Act::Layout(_) | Act::Popup(_) | Act::Theme(_) | Act::Scale(_) => self.arrange(&act, ctx),
        }
        Ok(())
    }

    /// Acts on the window itself.
    fn arrange(&mut self, act: &Act, ctx: &Context) {
        match *act {
            Act::Pane(pane) => panes::show(&mut self.tree, pane),
            Act::Layout(layout) => {
                self.memory.layout = layout;
                self.tree = layout.tree();
                self.remember();
            }
            Act::Popup(popup) => {
                self.view.palette = super::palette::PaletteView::default();
                self.popup = popup;
            }
            Act::Theme(theme) => {
                self.memory.theme = match theme {
                    ThemePreference::Dark => Theme::Dark,
                    ThemePreference::Light => Theme::Light,
                    ThemePreference::System => Theme::System,
                };
                ctx.set_theme(theme);
                self.remember();
            }
            Act::Scale(scale) => {
                self.memory.scale = scale;
                ctx.set_zoom_factor(scale);
                self.remember();
            }
            _ => {}
        }
    }

    /// Theme and size as they were left.
    pub(super) fn perform_remembered(&mut self, ctx: &Context) {
        ctx.set_theme(match self.memory.theme {
            Theme::Dark => ThemePreference::Dark,
            Theme::Light => ThemePreference::Light,
            Theme::System => ThemePreference::System,
        });
        // A scale that was set from outside, as by a screen's own, stays.
        if self.memory.scale() != 1.0 {
            ctx.set_zoom_factor(self.memory.scale());
        }
    }

    /// Acts on the document. The stage follows at once.
    fn edit(&mut self, act: Act) -> Result<()> {
        let data = self.document.experiment().data.name.clone();
        let mut source = Source::Live;
        match act {
            Act::Preset(which) => {
                let Some((name, ..)) = PRESETS.get(which) else { return Ok(()) };
                self.document.choose_preset(name)?;
                // Before any run a preset is looked at as the first one was.
                if self.showing.source == Source::Opening {
                    source = Source::Opening;
                }
            }
            Act::Take(experiment) => self.document.take_text(*experiment),
            Act::Set(key, value) => {
                self.document.set(&key, &value)?;
                // Only these show on the stage.
                if !["data", "model", "psgl", "seed"].iter().any(|section| key.starts_with(section)) {
                    return Ok(());
                }
                if key == "psgl.enabled" {
                    self.showing.defended = value == "true";
                }
            }
            Act::Cut(cut) => self.document.set("model.cut", &cut.to_string())?,
            Act::Undo if !self.document.undo() => return Ok(()),
            Act::Redo if !self.document.redo() => return Ok(()),
            _ => {}
        }
        if self.document.experiment().data.name != data {
            self.showing.image = Shown::default();
        }
        self.showing.defended &= self.document.experiment().psgl.enabled;
        self.look(source);
        Ok(())
    }

    /// Acts on what the stage shows.
    fn look_at(&mut self, act: Act) -> Result<()> {
        // A patient or a drawing is shown as the stage was: the opening stays the opening.
        let mut source = if self.showing.source == Source::Run { Source::Live } else { self.showing.source };
        match act {
            Act::Defended(defended) => {
                if defended && !self.document.experiment().psgl.enabled {
                    self.document.set("psgl.enabled", "true")?;
                }
                self.showing.defended = defended;
                source = Source::Live;
            }
            Act::Adaptive(adaptive) => {
                self.showing.adaptive = adaptive;
                source = Source::Live;
            }
            Act::Patient(by) => {
                let count = self.showing.facts.as_ref().map_or(1, |facts| facts.patients.max(1));
                let at = match self.showing.image {
                    Shown::Patient(at) => (at + count).saturating_add_signed(by) % count,
                    Shown::Own(_) => 0,
                };
                self.showing.image = Shown::Patient(at);
            }
            Act::Draw(picture) => {
                self.showing.image = Shown::Own(picture);
                self.showing.generation += 1;
            }
            Act::Patients => self.showing.image = Shown::default(),
            Act::Follow => {
                if self.state.status != Status::Fresh {
                    self.showing.source = Source::Run;
                    self.showing.trouble = None;
                    if let Some(runner) = &mut self.runner {
                        runner.look_again();
                    }
                }
                return Ok(());
            }
            _ => {}
        }
        self.look(source);
        Ok(())
    }

    /// The stage is to be asked anew, as the levers are now.
    fn look(&mut self, source: Source) {
        self.showing.source = source;
        self.showing.trouble = None;
        self.showing.film.pinned = None;
        self.showing.generation += 1;
        self.showing.film.playing = false;
        self.ask = true;
    }

    fn film(&mut self, act: &Act) {
        let film: &mut Film = &mut self.showing.film;
        match act {
            Act::Play => film.play(),
            Act::Frame(by) => film.step(*by),
            Act::Pin(at) => film.pinned = at.filter(|at| *at + 1 < film.frames.len()),
            _ => {}
        }
    }

    fn send(&mut self, command: Command) {
        if let Some(runner) = &mut self.runner {
            runner.send(command);
        }
    }

    fn start(&mut self, _: &Context) {
        let experiment = self.document.experiment().clone();
        let (name, seed) = (self.document.name().to_owned(), experiment.seed);
        self.state = State::started(format!("{name}, seed {seed}"));
        self.weights = None;
        let folder = new_run_path(&self.runs, &name, seed);
        self.follow(Runner::start(experiment, folder));
    }

    fn resume(&mut self, path: &Path) {
        self.unfinished = None;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.state = State::started(name);
        self.weights = None;
        self.follow(Runner::resume(path));
    }

    fn attack(&mut self, path: &Path, wish: Wish) -> Result<()> {
        if self.state.folder.as_deref() != Some(path) {
            return Err(Error::input(format!("open the run before it is attacked: {}", path.display())));
        }
        self.state.status = Status::Going;
        self.state.error = None;
        self.follow(Runner::attack(path, wish));
        Ok(())
    }

    /// Lets the stage follow a worker that was started, or tells why it was not.
    fn follow(&mut self, runner: Result<Runner>) {
        match runner {
            Ok(runner) => {
                self.runner = Some(runner);
                self.showing = Showing {
                    source: Source::Run,
                    defended: self.document.experiment().psgl.enabled,
                    facts: self.showing.facts.take(),
                    ..Showing::default()
                };
            }
            Err(error) => {
                self.state.status = Status::Failed;
                self.state.error = Some(error.to_string());
            }
        }
    }

    fn reset(&mut self) {
        self.state = State::default();
        self.weights = None;
        self.showing = Showing { facts: self.showing.facts.take(), ..Showing::default() };
        self.ask = true;
    }

    /// Takes a run that was made before, once it is read.
    pub(super) fn hear_opening(&mut self) {
        let Some(result) = self.opening.as_ref().and_then(opened::Opening::answer) else { return };
        self.opening = None;
        if self.runner.is_some() {
            return;
        }
        match result {
            Ok(run) => {
                self.document.take(run.experiment.clone(), run.name.clone(), None);
                self.state = run.state;
                self.weights = Some((run.experiment, run.weights));
                self.showing.defended = self.document.experiment().psgl.enabled;
                self.showing.image = Shown::default();
                self.look(Source::Live);
                panes::show(&mut self.tree, panes::Pane::Table);
            }
            Err(error) => self.state.error = Some(error.to_string()),
        }
    }

    /// The file that served this purpose last.
    fn before(&self, purpose: Purpose) -> Option<&PathBuf> {
        if purpose == Purpose::Save { self.document.path() } else { None }
    }

    fn file(&mut self, purpose: Purpose, path: PathBuf, ctx: &Context) {
        match self.use_file(purpose, path, ctx) {
            Ok(()) => self.prompt = None,
            Err(error) => match &mut self.prompt {
                Some(prompt) => prompt.trouble = Some(error.to_string()),
                None => self.state.error = Some(error.to_string()),
            },
        }
    }

    fn use_file(&mut self, purpose: Purpose, path: PathBuf, ctx: &Context) -> Result<()> {
        if purpose.reads() {
            return self.read_file(purpose, &path);
        }
        let bytes = match purpose {
            Purpose::Save => self.document.experiment().to_toml().into_bytes(),
            Purpose::CurvesCsv => panes::curves::csv(&self.state)?,
            Purpose::CurvesPng => panes::curves::png(&self.state, &self.view.curves, ctx.theme())?,
            Purpose::CurvesSvg => panes::curves::svg(&self.state, &self.view.curves, ctx.theme())?,
            Purpose::Table => panes::table::text(&self.state, &path)?.into_bytes(),
            Purpose::Film => stage::film::gif(&self.showing)?,
            Purpose::Open | Purpose::Image => Vec::new(),
        };
        Writer::default().write(&path, &bytes)?;
        self.toasts.say(format!("Saved: {}", path.display()), false);
        if purpose == Purpose::Save {
            self.memory.used(&path);
            self.document.saved(path);
            self.remember();
        }
        Ok(())
    }

    fn read_file(&mut self, purpose: Purpose, path: &Path) -> Result<()> {
        if purpose == Purpose::Image {
            let facts = self.showing.facts.clone();
            let shape = facts.map(|facts| facts.patient.shape).filter(|shape| shape[0] > 0);
            let shape = shape.ok_or_else(|| Error::input("the experiment's images are not loaded yet; try again"))?;
            let picture = stage::pad::read_image(path, shape)?;
            return self.look_at(Act::Draw(picture));
        }
        self.document.open(path.to_owned())?;
        self.memory.used(path);
        self.showing.image = Shown::default();
        self.showing.defended &= self.document.experiment().psgl.enabled;
        let source = if self.showing.source == Source::Opening { Source::Opening } else { Source::Live };
        self.look(source);
        self.remember();
        Ok(())
    }
}
