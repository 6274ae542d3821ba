//! The window drawn: bar, stage, panes, and what lies over them.

use eframe::egui::{self, Panel, Ui};

use super::act::{Act, Popup};
use super::{
    Activity, App, Look, Pane, Source, View, auditing, bar, command, data_sheet, focus, formula, help, inspector,
    lessons, log, page, palette, present, runner, settings, stage, students, sweeping, victim,
};

/// Height of the log when it is opened first.
const LOG: f32 = 150.0;

impl App {
    /// Shows everything, and does what was asked for.
    pub fn ui(&mut self, ui: &mut Ui) {
        let mut acts = command::pressed(ui.ctx(), &self.typing);
        formula::lit::begin(ui.ctx());
        if self.popup.is_none() && self.prompt.is_none() {
            acts.extend(formula::closed_by_key(ui.ctx(), &self.view.formula));
        }
        let look = Look {
            state: &self.state,
            document: &self.document,
            showing: &self.showing,
            textures: &self.textures,
            activity: self.activity(),
            mirroring: self.live.as_ref().is_some_and(crate::live::Live::busy),
            library: &self.library,
            runs: &self.runs,
            recent: &self.memory.recent,
            workspace: self.memory.workspace,
            play: self.memory.play,
            hidden: self.hidden,
            log: self.memory.log && !self.memory.presenting,
            presenting: self.memory.presenting,
            drawing: self.view.pad.drawing,
            trained: self.weights_for(self.document.experiment()).is_some(),
            ticked: self.view.runs.ticked(),
            groups: &self.memory.groups,
            best: self.best.offer(&self.state, self.showing.defended && self.showing.source != Source::Opening),
            pinned: &self.memory.pinned,
            earlier: self.session.has_earlier(),
            speaks: self.language.speaks(),
            sweeping: &self.sweeping,
            auditing: &self.auditing,
            lesson: self.progress.as_ref(),
            lit: lessons::lit(self.progress.as_ref()),
            followed: self.run_scene.is_some() || self.runner.is_some(),
            weights: self
                .weights
                .as_ref()
                .map(|(_, last)| self.best.of(self.state.folder.as_deref()).unwrap_or(last).as_ref()),
            run: self.runner.as_ref().map(runner::Runner::experiment).or(self.weights.as_ref().map(|(run, _)| run)),
        };
        let plan = stage::Plan::of(ui.available_size(), shown(ui, look, self.memory.stage));
        let start = self.offers_the_way_back().then(|| self.start_words());
        page::above_ui(ui, plan.fixed.is_none() && !look.presenting, |ui| {
            Panel::top("bar").show(ui, |ui| {
                if look.presenting {
                    present::bar_ui(ui, look, &mut acts);
                } else {
                    bar::bar_ui(ui, look, &mut self.view.presets, &mut acts);
                }
            });
            if let Some(error) = &self.state.error {
                Panel::top("error").show(ui, |ui| bar::error_ui(ui, error, &mut acts));
            }
            if let Some(words) = &self.session.offered {
                Panel::top("session").show(ui, |ui| bar::session_ui(ui, words, &mut acts));
            }
            if let Some(path) = self.unfinished.as_ref().filter(|_| look.activity == Activity::Idle) {
                Panel::top("unfinished").show(ui, |ui| bar::unfinished_ui(ui, path, &mut acts));
            }
            if let Some(words) = &start {
                Panel::top("reset").show(ui, |ui| bar::reset_ui(ui, words, &mut acts));
            }
        });
        if look.log {
            let room = 0.5 * ui.available_height();
            let drawer = Panel::bottom("log").resizable(true).default_size(LOG.min(room)).size_range(60.0..=room);
            drawer.show(ui, |ui| log::log_ui(ui, look, &mut self.view.log, &mut acts));
        }
        let strokes = self.view.pad.strokes.len();
        let stage = page::page_ui(ui, look, &plan, &mut self.tree, &mut self.view, &mut acts);
        self.deeds.strokes += self.view.pad.strokes.len().saturating_sub(strokes);
        self.popup = self.popup.filter(|popup| popup_ui(ui.ctx(), *popup, look, &mut self.view, &mut acts));
        self.view.inspector.close_without(self.popup, ui.ctx());
        if let Some(prompt) = &mut self.prompt
            && !prompt.show(ui.ctx(), &self.memory.recent, &mut acts)
        {
            self.prompt = None;
        }
        data_sheet::images_ui(&mut self.images, ui.ctx(), &mut acts);
        let moment = lessons::moment(look, &mut self.deeds, self.view.wipe.times, &self.view.frontier);
        let caption = self.shot.caption(look);
        let free = self.popup.is_none() && self.prompt.is_none() && self.images.is_none();
        acts.extend(present::escaped(ui.ctx(), free));
        self.take_shot(stage, free, caption, ui.ctx());
        self.toasts.show(ui.ctx());
        focus::ring_ui(ui.ctx());
        announced(ui, &self.said);
        self.typing.watch(ui.ctx());
        acts.extend(dropped(ui.ctx()));
        acts.extend(pasted(ui.ctx()));
        for act in acts {
            self.act(act, ui.ctx());
        }
        self.follow_lesson(moment);
        // What is typed in one field is one change, and what is done while a control is held.
        if !ui.input(|input| input.pointer.any_down()) && !self.typing.in_field() {
            self.document.settle();
        }
        if ui.input(|input| input.pointer.any_released()) {
            // Panes may have been arranged, which is no act.
            self.session.touch();
        }
        self.strokes.resize(self.view.pad.strokes.len(), self.document.number());
    }
}

impl View {
    /// Whether a part of it waits for something that is read or computed.
    pub(super) fn waits(&self) -> bool {
        self.inspector.waits() || self.runs.reads()
    }
}

/// What the stage's plan depends on; its height as somebody dragged it.
fn shown(ui: &Ui, look: Look<'_>, height: Option<f32>) -> stage::Shown {
    let in_a_pane = look.workspace.panes().any(|pane| pane == Pane::Lesson);
    stage::Shown {
        defended: look.defended(),
        pixels: look.showing.pixels(),
        height,
        lines: stage::lines(ui, look),
        lesson: look.lesson.is_some() && (in_a_pane || !look.workspace.has_stage()),
        apart: look.lesson.is_some() && !in_a_pane && !look.workspace.has_stage(),
    }
}

/// Draws what lies over the panes. False where it is closed.
fn popup_ui(ctx: &egui::Context, popup: Popup, look: Look<'_>, view: &mut View, acts: &mut Vec<Act>) -> bool {
    match popup {
        Popup::Palette => palette::palette_ui(ctx, look, &mut view.palette, acts),
        Popup::Settings => settings::settings_ui(ctx, look, &mut view.settings, acts),
        Popup::Victim => victim::victim_ui(ctx, &mut view.victim, acts),
        Popup::Audit => auditing::audit_ui(ctx, look, &mut view.audit, acts),
        Popup::Sweep => sweeping::sweep_ui(ctx, look, &mut view.sweep, acts),
        Popup::Method => formula::method_ui(ctx, &mut view.method),
        Popup::Students => students::share_ui(ctx, look, &mut view.share, acts),
        Popup::Shortcuts => help::shortcuts_ui(ctx),
        Popup::About => help::about_ui(ctx, look),
        Popup::Inspector => inspector::inspector_ui(ctx, look, &mut view.inspector),
    }
}

/// Told to screen readers, and seen by nobody: what happened last.
fn announced(ui: &mut Ui, said: &str) {
    let response = ui.interact(egui::Rect::NOTHING, egui::Id::unique("announcement"), egui::Sense::empty());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Status, true, said));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_live(egui::accesskit::Live::Polite));
}

/// A state that was pasted while no field has the keyboard.
fn pasted(ctx: &egui::Context) -> Option<Act> {
    let free = !ctx.text_edit_focused();
    let text = |event: &egui::Event| if let egui::Event::Paste(text) = event { Some(text.clone()) } else { None };
    let text = ctx.input(|input| input.events.iter().find_map(text)).filter(|_| free)?;
    Some(Act::Shared(text))
}

/// What was dropped on the window: the first of several, since one thing is looked at at a time.
fn dropped(ctx: &egui::Context) -> Option<Act> {
    let path = ctx.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()))?;
    Some(Act::File(super::Purpose::Open, path))
}
