//! Acts done: the one place where what is shown is changed on a person's behalf.

use eframe::egui::{Context, ThemePreference, ViewportCommand};

use super::act::{Act, Popup};
use super::chore::Chore;
use super::file_prompt::Prompt;
use super::hidden::{Hidden, WHY};
use super::memory::Theme;
use super::shared::Shared;
use super::showing::{Film, Source};
use super::trouble::About;
use super::workspace::{Pane, Workspace};
use super::{Activity, App, present, stage, theme, workspace};
use crate::defence::Kind;
use crate::error::{Error, Result};
use crate::experiment::{DataSpec, Experiment, PRESETS};
use crate::live::{Shown, attack_of};
use crate::run::control::Command;
use crate::run::launch::Launch;
use crate::texts::say;
use crate::workbench::{defences, usual_defence};

impl App {
    /// Does what was asked for, where it can be done now.
    pub fn act(&mut self, act: Act, ctx: &Context) {
        if act.is_hidden(self.hidden) {
            self.toasts.say(say(WHY), true);
            return;
        }
        let about = About::of(&act);
        self.session.touch();
        if let Err(error) = self.perform(act, ctx) {
            self.tell_of(about, &error);
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
                self.deeds.stepped += 1;
                if idle {
                    self.start(ctx);
                }
                self.send(Command::Step);
            }
            Act::Stop => self.send(Command::Stop),
            Act::Reset if idle => self.reset(),
            Act::Continue(path) if idle => self.resume(&path),
            Act::ShowRun(path) => return self.open_run(path, ctx),
            Act::Attack(path, launch) if idle => return self.attack(&path, launch),
            Act::AttackShown(name) => {
                let folder = self.state.folder.clone().ok_or_else(|| Error::input("no run is open to be attacked"))?;
                let launch = Launch { attacks: vec![name.to_owned()], ..Launch::default() };
                return self.perform(Act::Attack(folder, launch), ctx);
            }
            Act::Victim(paths, launch, out) if idle => self.attack_victim(paths, launch, out),
            Act::Reset | Act::Continue(_) | Act::Attack(..) | Act::Victim(..) => {}
            Act::NextClass => {
                self.session.offered = None;
                self.keep_notes(ctx, true);
                self.next_class();
            }
            Act::KeepReset => self.class.reset.iter_mut().for_each(|reset| reset.offered = false),
            Act::Undo if self.stroke_is_last() => {
                let before = self.view.pad.strokes.pop().map(Act::Draw);
                return before.map_or(Ok(()), |act| self.look_at(act));
            }
            Act::Preset(_) => return self.edit(act).and_then(|()| self.fetch_images(ctx)),
            Act::Take(_) | Act::Set(..) | Act::Undo | Act::Redo | Act::Cut(_) => return self.edit(act),
            Act::Shared(text) => {
                self.take_shared(&Shared::from_text(&text)?)?;
                self.mended(About::Experiment);
            }
            Act::Share(hide) => self.share_for_students(hide, ctx)?,
            Act::ShowAll => self.hidden = Hidden::default(),
            Act::Paste => ctx.send_viewport_cmd(ViewportCommand::RequestPaste),
            Act::Ask(purpose) => self.prompt = Some(Prompt::new(purpose, self.before(purpose))),
            Act::File(purpose, path) => self.file(purpose, path, ctx),
            Act::Defended(_)
            | Act::Attacker(_)
            | Act::Adaptive(_)
            | Act::Untrained(_)
            | Act::Patient(_)
            | Act::Draw(_)
            | Act::Patients
            | Act::Follow => return self.look_at(act),
            Act::Play | Act::Frame(_) | Act::Pin(_) => self.film(&act),
            Act::Refresh => self.library.refresh(self.runs.clone(), ctx),
            Act::Images(path, settings, classes) => self.take_images(&path, settings, classes)?,
            Act::NoImages(why) => return Err(Error::Input(why)),
            Act::Rename(path, name) => self.chores.push(Chore::rename(path, name, ctx)?),
            Act::Trash(path) => self.chores.push(Chore::trash(path, ctx)?),
            Act::Copy(text) => {
                ctx.copy_text(text);
                self.toasts.say(t!("Copied"), false);
            }
            Act::CopyAs(what) => return self.copied(what).and_then(|text| self.perform(Act::Copy(text), ctx)),
            Act::CloseError => self.state.error = None,
            Act::Leave => {
                self.unfinished = None;
                self.memory.unfinished = None;
                self.remember();
            }
            Act::Lesson(act) => return self.lesson(&act),
            Act::Inspect(subject, at) => self.inspect(subject, at, ctx),
            Act::FullScreen => present::full_screen(ctx),
            Act::PlayAs(act) => self.play(act),
            Act::Day(act) => return self.day(act, ctx),
            Act::Compare(act) => return self.compare(act, ctx),
            Act::Sweep(act) => return self.sweep(act, ctx),
            Act::Audit(act) => return self.audit(act, ctx),
            Act::Language(id) => return self.speak_now(id.as_deref(), ctx),
            Act::FindSetting(key) => {
                self.view.settings.find(&key);
                self.popup = Some(Popup::Settings);
            }
            Act::Pane(_)
            | Act::Workspace(_)
            | Act::Arrange
            | Act::Log
            | Act::StageHeight(_)
            | Act::Formula(_)
            | Act::Method(_)
            | Act::Present
            | Act::Popup(_)
            | Act::Theme(_)
            | Act::Calm(_)
            | Act::Scale(_) => self.arrange(&act, ctx),
        }
        Ok(())
    }

    /// Acts on the window itself.
    fn arrange(&mut self, act: &Act, ctx: &Context) {
        match *act {
            Act::Pane(pane) => {
                // Of the panes it has the lesson alone.
                self.memory.presenting &= pane == Pane::Lesson;
                self.go_to(self.memory.workspace.with(pane));
                workspace::show(&mut self.tree, pane);
                self.view.to_pane = Some(pane);
            }
            Act::Workspace(workspace) => self.go_to(workspace),
            Act::Arrange => {
                self.tree = self.memory.workspace.tree();
                self.remember();
            }
            Act::StageHeight(height) => self.memory.stage = height,
            Act::Present => {
                self.memory.presenting = !self.memory.presenting;
                self.remember();
            }
            Act::Log => {
                self.memory.log = !self.memory.log;
                self.remember();
            }
            Act::Formula(place) => self.view.formula.open = place,
            Act::Method(section) => {
                self.view.method.go_to(section);
                self.popup = Some(Popup::Method);
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
            Act::Calm(calm) => {
                self.memory.calm = calm;
                theme::move_less(ctx, calm);
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

    /// Another workspace, its panes as they were left.
    pub(super) fn go_to(&mut self, workspace: Workspace) {
        if workspace != self.memory.workspace {
            self.memory.keep_tree(&self.tree);
            self.memory.workspace = workspace;
            self.tree = self.memory.tree();
            self.remember();
        }
    }

    /// Theme and size as they were left.
    pub(super) fn perform_remembered(&mut self, ctx: &Context) {
        ctx.set_theme(match self.memory.theme {
            Theme::Dark => ThemePreference::Dark,
            Theme::Light => ThemePreference::Light,
            Theme::System => ThemePreference::System,
        });
        theme::move_less(ctx, self.memory.calm);
        // A scale that was set from outside, as by a screen's own, stays.
        if self.memory.scale() != 1.0 {
            ctx.set_zoom_factor(self.memory.scale());
        }
    }

    /// Whether the last thing that was done is a stroke of the pencil, and no change of the document.
    fn stroke_is_last(&self) -> bool {
        let strokes = self.view.pad.strokes.len();
        let made_at = self.strokes.get(strokes.wrapping_sub(1)).copied().unwrap_or_else(|| self.document.number());
        self.view.pad.drawing && strokes > 0 && made_at == self.document.number()
    }

    /// Acts on the document. The stage follows at once.
    fn edit(&mut self, act: Act) -> Result<()> {
        let before = self.document.experiment().clone();
        // Before any run a preset is looked at as the first one was, and so is what was there before it.
        let whole = matches!(act, Act::Preset(_) | Act::Undo | Act::Redo);
        let undone = act == Act::Undo;
        let opening = self.showing.source == Source::Opening;
        let mut source = if whole && opening { Source::Opening } else { Source::Live };
        let number = self.document.number();
        let mut back = Some(false);
        match act {
            Act::Preset(which) => {
                let Some((name, ..)) = PRESETS.get(which) else { return Ok(()) };
                self.document.choose_preset(name)?;
            }
            Act::Take(experiment) => self.document.take(*experiment),
            Act::Set(key, value) => {
                self.document.set(&key, &value)?;
                let stack = |experiment: &Experiment| experiment.stack().map(|stack| stack.label()).ok();
                if stack(&before) != stack(self.document.experiment()) {
                    self.showing.defended = self.document.experiment().defended();
                }
                // Only these show on the stage.
                let section = key.split('.').next().unwrap_or_default();
                let defence = |kind: &&Kind| kind.section == Some(section);
                let shows = ["data", "model", "defence", "seed"].contains(&section) || defences().iter().any(defence);
                let name = self.showing.attack();
                let values = |experiment: &Experiment| attack_of(experiment, name).values;
                let attacks = self.showing.source == Source::Live
                    && section == "attack"
                    && values(&before) != values(self.document.experiment());
                back = (shows || attacks).then_some(false);
            }
            Act::Cut(cut) => self.document.set("model.cut", &cut.to_string())?,
            Act::Undo => back = self.undo(),
            Act::Redo => back = self.redo(),
            _ => {}
        }
        if *self.document.experiment() != before {
            self.mended(About::Experiment);
        }
        if opening && source == Source::Live {
            self.left_opening = Some(number);
        } else if undone && self.left_opening == Some(self.document.number()) && self.showing.source == Source::Live {
            // The opening has a cut of its own, which is what was seen before the change.
            source = Source::Opening;
        }
        // Where there is nothing to look at anew, or the stage is back already.
        if back == Some(false) {
            self.fit_image(&before.data);
            self.look(source);
        }
        Ok(())
    }

    /// Puts away a drawing or a place that belongs to other data, and a defence that is switched off.
    pub(super) fn fit_image(&mut self, before: &DataSpec) {
        if !self.document.experiment().data.same_images(before) {
            self.showing.image = Shown::default();
            self.view.pad = stage::pad::PadView::default();
        }
        self.showing.defended &= self.document.experiment().defended();
    }

    /// Acts on what the stage shows.
    fn look_at(&mut self, act: Act) -> Result<()> {
        // A patient or a drawing is shown as the stage was: the opening stays the opening.
        let mut source = if self.showing.source == Source::Run { Source::Live } else { self.showing.source };
        match act {
            Act::Defended(defended) => {
                if defended && !self.document.experiment().defended() {
                    let [key, value] = usual_defence().switched_on();
                    self.document.set(&key, &value)?;
                }
                self.showing.defended = defended;
                source = Source::Live;
            }
            Act::Attacker(name) => {
                self.showing.attack = Some(name);
                source = Source::Live;
            }
            Act::Adaptive(adaptive) => {
                self.showing.adaptive = adaptive;
                source = Source::Live;
            }
            Act::Untrained(untrained) => {
                self.showing.untrained = untrained;
                self.best.want(None);
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
                self.follow_again();
                return Ok(());
            }
            _ => {}
        }
        self.look(source);
        Ok(())
    }

    /// Lets the stage show the run's latest scene, and all that comes.
    fn follow_again(&mut self) {
        if self.run_scene.is_none() && self.runner.is_none() {
            return;
        }
        self.showing.source = Source::Run;
        self.showing.trouble = None;
        self.showing.waits = false;
        // What was shown is no picture of the run.
        self.showing.clear();
        self.showing.facts = self.state.facts.clone().or_else(|| self.showing.facts.take());
        if let Some(scene) = self.run_scene.clone() {
            self.showing.see(scene);
        }
        if let Some(live) = &mut self.live {
            live.cancel();
        }
    }

    /// The stage is to be asked anew, as the levers are now.
    pub(super) fn look(&mut self, source: Source) {
        let data = &self.document.experiment().data;
        if self.showing.facts.as_ref().is_some_and(|facts| !facts.are_of(data)) {
            // Pictures of other data are no answer at all, not even until there is one.
            self.showing.clear();
            self.showing.facts = None;
        }
        self.showing.source = source;
        self.showing.trouble = None;
        self.showing.waits = true;
        self.showing.film = Film::default();
        self.showing.generation += 1;
        // The original would cover what another attack steals.
        self.view.wipe.share = None;
        self.ask = true;
    }

    fn film(&mut self, act: &Act) {
        let film: &mut Film = &mut self.showing.film;
        match act {
            Act::Play => {
                film.play();
                self.deeds.played += usize::from(film.playing);
            }
            Act::Frame(by) => film.step(*by),
            Act::Pin(at) => film.pinned = at.filter(|at| *at + 1 < film.frames.len()),
            _ => {}
        }
    }
}
