//! Runs that were made: the list, what can be done with one, and any number of them beside each other.

mod beside;
mod button;
mod chosen;
mod columns;
mod compare;
mod form;
mod groups;
mod list;
mod notes;
mod overlaid;
mod overlay;
#[cfg(test)]
pub(in crate::app) mod samples;
mod versus;
mod words;

#[cfg(test)]
mod tests;

pub use words::ago;

use std::path::{Path, PathBuf};

use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use self::compare::Comparison;
use crate::app::act::CompareAct;
use crate::app::sweeping::line_ui;
use crate::app::theme::cut_short_ui;
use crate::app::ticked::Ticked;
use crate::app::{Act, Library, Look, RunEntry};
use crate::error::{Error, Result};

/// Runs that need no filter.
const FEW: usize = 8;
/// From this width on the comparison stands beside the list.
const BESIDE: f32 = 720.0;

/// What is chosen in this pane.
#[derive(Debug, Default)]
pub struct RunsView {
    /// The run that the buttons are about.
    selected: Option<PathBuf>,
    /// Runs to compare, in the order in which they were ticked.
    ticked: Vec<PathBuf>,
    filter: String,
    /// What was begun with the selected run.
    doing: Option<chosen::Doing>,
    list: list::ListView,
    notes: notes::NotesView,
    versus: versus::VersusView,
    pub(in crate::app) groups: groups::GroupsView,
}

impl RunsView {
    /// A run's folder has another name, or is gone.
    pub fn moved(&mut self, from: &Path, to: Option<&PathBuf>) {
        self.notes.moved(from, to);
        if self.selected.as_deref() == Some(from) {
            self.selected = to.cloned();
        }
        match (self.ticked.iter().position(|path| path == from), to) {
            (Some(at), Some(to)) => self.ticked[at].clone_from(to),
            (Some(at), None) => drop(self.ticked.remove(at)),
            (None, _) => {}
        }
    }

    /// The ticked runs beside each other.
    ///
    /// # Errors
    /// Returns an error if there are not two at least, or one is not finished.
    pub fn compared(&self, library: &Library) -> Result<Comparison> {
        if self.ticked.len() < 2 {
            return Err(Error::input("tick two finished runs or more first"));
        }
        let runs: Option<Vec<_>> = self.ticked.iter().map(|path| library.find(path)).collect();
        let made = runs.and_then(|runs| Comparison::of(&runs, self.versus.pools(runs.len())));
        made.ok_or_else(|| Error::input("one of the runs is no longer a finished one"))
    }

    /// Notes that were typed and are to be kept now, with the run that they are about.
    pub fn note(&mut self, at_once: bool) -> Option<(PathBuf, String)> {
        self.notes.due(at_once)
    }

    /// How many runs are ticked.
    pub fn ticked(&self) -> Ticked {
        match self.ticked.len() {
            0 => Ticked::None,
            1 => Ticked::One,
            _ => Ticked::Several,
        }
    }

    /// Whether pictures of runs are being read.
    pub fn reads(&self) -> bool {
        self.versus.pictures.reads()
    }

    /// Ticks every finished run that the list shows.
    pub fn tick_all(&mut self, library: &Library) {
        let shown = self.list.shown(library, &self.filter);
        let finished = |run: &&RunEntry| run.summary().is_some() && !self.ticked.contains(&run.path);
        let more: Vec<PathBuf> = shown.filter(finished).map(|run| run.path.clone()).collect();
        self.ticked.extend(more);
    }

    /// Ticks none.
    pub fn clear(&mut self) {
        self.ticked.clear();
        self.groups.named(None);
    }

    /// Ticks the runs of a group, and no others.
    pub fn open_group(&mut self, name: String, runs: Vec<PathBuf>) {
        self.ticked = runs;
        self.groups.named(Some(name));
    }

    fn select(&mut self, path: &Path) {
        if self.selected.as_deref() != Some(path) {
            self.selected = Some(path.to_owned());
            self.doing = None;
        }
    }

    /// Ticks a run for the comparison, or not.
    fn tick(&mut self, path: &Path, on: bool) {
        self.ticked.retain(|ticked| ticked != path);
        if on {
            self.ticked.push(path.to_owned());
        }
    }
}

/// Draws the list, and what belongs to it.
pub fn runs_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>) {
    let comparing = !view.ticked.is_empty();
    if comparing && ui.available_width() >= BESIDE {
        ui.columns(2, |columns| {
            // Columns would spread a text over their whole width.
            let plain = Layout::top_down(Align::Min);
            columns[0].with_layout(plain, |ui| list_part_ui(ui, look, view, acts, None));
            columns[1].with_layout(plain, |ui| {
                ScrollArea::vertical().id_salt("compared").auto_shrink(false).show(ui, |ui| {
                    versus::versus_ui(ui, look, view, acts);
                });
            });
        });
    } else if comparing {
        let height = (0.42 * ui.available_height()).max(2.4 * list::row_height(ui));
        ScrollArea::vertical().id_salt("runs and compared").auto_shrink(false).show(ui, |ui| {
            list_part_ui(ui, look, view, acts, Some(height));
            ui.separator();
            versus::versus_ui(ui, look, view, acts);
        });
    } else {
        list_part_ui(ui, look, view, acts, None);
    }
}

/// Folder, buttons and list; the list as high as there is room, where no height is given.
fn list_part_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>, height: Option<f32>) {
    header_ui(ui, look, view, acts);
    line_ui(ui, look, acts);
    if look.library.runs.is_empty() {
        empty_ui(ui, look);
        return;
    }
    groups::groups_ui(ui, look, view, acts);
    chosen::chosen_ui(ui, look, view, acts);
    let about = view.selected.as_ref().or(look.state.folder.as_ref());
    if let Some(run) = about.and_then(|path| look.library.find(path)) {
        notes::notes_ui(ui, run, &mut view.notes);
    }
    // Where a form has taken the room, a row stays in reach.
    let room = height.unwrap_or_else(|| ui.available_height()).max(1.2 * list::row_height(ui));
    list::list_ui(ui, look, view, acts, room);
}

fn header_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>) {
    let library = look.library;
    ui.horizontal(|ui| {
        let tip = t!("Look through the runs' folder again, for what was made or deleted elsewhere.");
        if ui.button(t!("Refresh")).on_hover_text(tip).clicked() {
            acts.push(Act::Refresh);
        }
        if library.runs.len() > FEW {
            let label = ui.label(t!("Filter"));
            let edit = TextEdit::singleline(&mut view.filter).desired_width(110.0).hint_text(t!("name or setting"));
            let tip = t!("Shows the runs whose name, data, model, settings or notes contain every word.");
            ui.add(edit).labelled_by(label.id).on_hover_text(tip);
        }
        if library.runs.len() > 1 {
            let tip = t!("Tick every finished run below, to compare them.");
            if ui.button(t!("Tick all")).on_hover_text(tip).clicked() {
                acts.push(Act::Compare(CompareAct::All));
            }
        }
        let path = look.runs.display().to_string();
        let text = RichText::new(t!("in {path}", path)).weak();
        cut_short_ui(ui, text, &t!("Where runs are kept:\n{path}", path));
    });
    if let Some(trouble) = &library.trouble {
        ui.add(Label::new(RichText::new(trouble).strong()).wrap());
    }
}

fn empty_ui(ui: &mut Ui, look: Look<'_>) {
    ui.add_space(8.0);
    if !look.library.known {
        ui.label(t!("Looking for runs\u{2026}"));
    } else if look.library.trouble.is_none() {
        ui.add_sized(
            vec2(ui.available_width(), 0.0),
            Label::new(t!(
                "Every run gets a row here: when it was made, with which settings, and what it came to. There is \
                 none yet; Run, at the top, makes the first."
            ))
            .wrap(),
        );
    }
}
