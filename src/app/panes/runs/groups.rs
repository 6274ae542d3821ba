//! Groups of runs that were saved under a name: opened again, renamed, deleted; and what has become of their folders.

use eframe::egui::{Button, ComboBox, Key, Label, RichText, TextEdit, Ui};

use super::RunsView;
use crate::app::act::CompareAct;
use crate::app::choice::selectable_ui;
use crate::app::memory::{Group, checked_group};
use crate::app::{Act, Look};

/// Missing folders that are named; of more than these the number is told.
const NAMED: usize = 4;

/// What is begun with groups.
#[derive(Debug, Default)]
pub struct GroupsView {
    /// The group that was opened last, by name.
    pub(super) open: Option<String>,
    doing: Option<Doing>,
}

#[derive(Clone, Debug, PartialEq)]
enum Doing {
    /// A name for the ticked runs, and whether its field has had the keyboard yet.
    Save(String, bool),
    /// Another name for the open group.
    Rename(String, bool),
    /// It is asked whether it is meant.
    Delete,
}

impl GroupsView {
    /// Asks for the name under which the ticked runs are to be saved.
    pub fn ask(&mut self) {
        self.doing = Some(Doing::Save(self.open.clone().unwrap_or_default(), false));
    }

    /// A group has another name, or none any more.
    pub fn named(&mut self, name: Option<String>) {
        (self.open, self.doing) = (name, None);
    }
}

/// Draws the groups and what can be done with them; nothing where there is none and no run is ticked.
pub fn groups_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>) {
    if look.groups.is_empty() && view.ticked.is_empty() {
        return;
    }
    let open = view.groups.open.as_ref().and_then(|name| look.groups.iter().find(|group| group.name == *name));
    ui.horizontal_wrapped(|ui| {
        if !look.groups.is_empty() {
            choice_ui(ui, look.groups, open, acts);
        }
        let save = ui.add_enabled(!view.ticked.is_empty(), Button::new(t!("Save as group\u{2026}")));
        let save = save.on_hover_text(t!("Keep the ticked runs under a name, to compare them again another day."));
        if save.on_disabled_hover_text(t!("Tick some runs first")).clicked() {
            view.groups.ask();
        }
        if let Some(group) = open {
            if ui.button(t!("Rename group\u{2026}")).on_hover_text(t!("Its runs stay as they are.")).clicked() {
                view.groups.doing = Some(Doing::Rename(group.name.clone(), false));
            }
            if ui.button(t!("Delete group\u{2026}")).on_hover_text(t!("Its runs stay as they are.")).clicked() {
                view.groups.doing = Some(Doing::Delete);
            }
        }
    });
    if let Some(group) = open {
        missing_ui(ui, look, group);
    }
    let Some(mut doing) = view.groups.doing.take() else { return };
    let goes_on = match &mut doing {
        Doing::Save(name, focused) => {
            let tip = t!("A group of this name is replaced.");
            name_ui(ui, name, focused, (t!("Save group"), tip), |name| {
                acts.push(Act::Compare(CompareAct::Save(name, view.ticked.clone())));
            })
        }
        Doing::Rename(name, focused) => {
            let from = view.groups.open.clone().unwrap_or_default();
            let taken = *name != from && look.groups.iter().any(|group| group.name == *name);
            let tip = if taken { t!("There is a group of this name already.") } else { "" };
            name_ui(ui, name, focused, (t!("Rename group"), tip), |name| {
                acts.push(Act::Compare(CompareAct::Rename(from.clone(), name)));
            })
        }
        Doing::Delete => delete_ui(ui, view.groups.open.as_deref().unwrap_or_default(), acts),
    };
    if goes_on && !ui.input(|input| input.key_pressed(Key::Escape)) {
        view.groups.doing = Some(doing);
    }
}

fn choice_ui(ui: &mut Ui, groups: &[Group], open: Option<&Group>, acts: &mut Vec<Act>) {
    let label = ui.label(t!("Group"));
    let shown = open.map_or(t!("none open"), |group| &group.name);
    let combo = ComboBox::from_id_salt("groups").selected_text(shown).truncate();
    let choice = combo.show_ui(ui, |ui| {
        for group in groups {
            let chosen = open.is_some_and(|open| open.name == group.name);
            let words = t!("{name} ({n} runs)", name = group.name, n = group.runs.len());
            if selectable_ui(ui, chosen, words).clicked() {
                acts.push(Act::Compare(CompareAct::Open(group.name.clone())));
            }
        }
    });
    choice.response.labelled_by(label.id).on_hover_text(t!("Tick the runs of a group that was saved."));
}

/// Says which folders of a group there are not, or not as finished runs.
fn missing_ui(ui: &mut Ui, look: Look<'_>, group: &Group) {
    if !look.library.known || look.library.looking() {
        return;
    }
    let finished = |path: &std::path::PathBuf| look.library.find(path).is_some_and(|run| run.summary().is_some());
    let missing: Vec<&std::path::PathBuf> = group.runs.iter().filter(|path| !finished(path)).collect();
    if missing.is_empty() {
        return;
    }
    let named: Vec<String> = missing.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    let (n, all, named) = (missing.len(), group.runs.len(), named.join(", "));
    let words = if n > NAMED {
        t!("{n} of this group's {all} runs are not there, or not finished: {named}, and others.", n, all, named)
    } else {
        t!("{n} of this group's {all} runs are not there, or not finished: {named}.", n, all, named)
    };
    ui.add(Label::new(RichText::new(words).strong()).wrap());
}

/// A field for a name. False where it is closed.
fn name_ui(
    ui: &mut Ui,
    name: &mut String,
    focused: &mut bool,
    (words, tip): (&str, &str),
    mut done: impl FnMut(String),
) -> bool {
    let mut open = true;
    let trouble = checked_group(name).err().map(|error| error.to_string());
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(t!("Name of the group"));
        let width = (ui.available_width() - 260.0).clamp(100.0, 300.0);
        let field = ui.add(TextEdit::singleline(name).desired_width(width)).labelled_by(label.id);
        if !std::mem::replace(focused, true) {
            field.request_focus();
        }
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let button = ui.add_enabled(trouble.is_none(), Button::new(words));
        let button = if tip.is_empty() { button } else { button.on_hover_text(tip) };
        if button.clicked() || (enter && trouble.is_none()) {
            done(name.trim().to_owned());
            open = false;
        } else if enter {
            field.request_focus();
        }
        open &= !ui.button(t!("Cancel")).on_hover_text(t!("Esc does the same.")).clicked();
    });
    if let Some(trouble) = trouble.filter(|_| !name.is_empty()) {
        ui.add(Label::new(RichText::new(trouble).strong()).wrap());
    }
    open
}

fn delete_ui(ui: &mut Ui, name: &str, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(t!("Delete the group {name}? Its runs stay.", name)).wrap());
        if ui.button(t!("Delete group")).clicked() {
            acts.push(Act::Compare(CompareAct::Delete(name.to_owned())));
            open = false;
        }
        open &= !ui.button(t!("Keep")).on_hover_text(t!("Esc does the same.")).clicked();
    });
    open
}
