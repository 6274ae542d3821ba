//! What can be done with the selected run: buttons, and the small forms that some of them open.

use eframe::egui::text::CCursorRange;
use eframe::egui::{Key, Label, RichText, TextEdit, Ui};

use super::RunsView;
use super::button::button;
use super::form::{Form, attack_ui};
use crate::app::memory::PINNED;
use crate::app::opened::checked_name;
use crate::app::{Act, Activity, DayAct, Look, RunEntry, Standing};

/// What is begun with a run, and not done yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Doing {
    /// A new name, and whether its field has had the keyboard yet.
    Rename(String, bool),
    /// It is asked whether it is meant.
    Trash,
    /// An attack is put together.
    Attack(Form),
}

impl Doing {
    /// Begins to rename a run.
    pub fn rename(run: &RunEntry) -> Self {
        Self::Rename(run.name.clone(), false)
    }
}

/// Whether the window's own worker is at this run.
pub fn at_work(look: Look<'_>, run: &RunEntry) -> bool {
    look.activity != Activity::Idle && look.state.folder.as_ref() == Some(&run.path)
}

/// Why a run cannot be shown, if so.
pub fn openable(run: &RunEntry) -> Result<(), &'static str> {
    match run.standing {
        Standing::Finished(_) | Standing::Unfinished => Ok(()),
        Standing::Begun => Err(t!("There is nothing to show yet; Continue starts it over.")),
        Standing::Lacking(_) => Err(t!("This program lacks what it takes: see its row.")),
        Standing::Damaged(_) => Err(t!("It is damaged: see its row.")),
    }
}

/// Draws the buttons for the selected run, and the form that is open.
pub fn chosen_ui(ui: &mut Ui, look: Look<'_>, view: &mut RunsView, acts: &mut Vec<Act>) {
    let Some(run) = view.selected.as_ref().and_then(|path| look.library.find(path)) else {
        let text = RichText::new(t!("Select a run to open, attack or rename it; tick some to compare them.")).weak();
        ui.add(Label::new(text).truncate()).on_hover_text(t!("Select by a click, or with Tab, the arrows and Enter."));
        return;
    };
    let idle = if look.activity == Activity::Idle { Ok(()) } else { Err(t!("A run is at work: stop it first.")) };
    let free = if at_work(look, run) { Err(t!("It is at work: stop it first.")) } else { Ok(()) };
    ui.horizontal_wrapped(|ui| {
        let tip =
            t!("Show its curves, table and attacks, and let the stage use its weights. A double click does the same.");
        if button(ui, t!("Open"), tip, openable(run).and(idle)) {
            acts.push(Act::ShowRun(run.path.clone()));
        }
        match run.standing {
            Standing::Finished(_) => {
                let tip = t!("Launch another attack at its trained models.");
                if button(ui, t!("Attack it\u{2026}"), tip, idle) {
                    view.doing = toggled(view.doing.take(), Doing::Attack(Form::of(run, 0)));
                }
            }
            Standing::Unfinished | Standing::Begun => {
                let from = if matches!(run.standing, Standing::Begun) {
                    t!("It has no checkpoint yet: it starts over.")
                } else {
                    t!("Go on from its last checkpoint; it comes to the same as if it had never stopped.")
                };
                if button(ui, t!("Continue"), from, idle) {
                    acts.push(Act::Continue(run.path.clone()));
                }
            }
            Standing::Lacking(_) | Standing::Damaged(_) => {}
        }
        if button(ui, t!("Rename\u{2026}"), t!("Give its folder another name (F2)."), free) {
            view.doing = toggled(view.doing.take(), Doing::rename(run));
        }
        if button(ui, t!("Delete\u{2026}"), t!("Move its folder to the system's trash (Del); it asks first."), free) {
            view.doing = toggled(view.doing.take(), Doing::Trash);
        }
        let pinned = look.pinned.contains(&run.path);
        let room = pinned || look.pinned.len() < PINNED;
        let tip = t!("It stays first in the list, and its curves stand pale behind those of the run that is open.");
        let may = if room { Ok(()) } else { Err(t!("Four runs are pinned already: unpin one of them first.")) };
        if button(ui, if pinned { t!("Unpin") } else { t!("Pin") }, tip, may) {
            acts.push(Act::Day(DayAct::Pin(run.path.clone(), !pinned)));
        }
        if button(ui, t!("Open the folder"), t!("In the desktop's own program for folders."), Ok(())) {
            acts.push(Act::Day(DayAct::Folder(run.path.clone())));
        }
        if button(ui, t!("Copy path"), &run.path.display().to_string(), Ok(())) {
            acts.push(Act::Copy(run.path.display().to_string()));
        }
    });
    let Some(mut doing) = view.doing.take() else { return };
    let open = match &mut doing {
        Doing::Rename(name, focused) => rename_ui(ui, look, run, (name, focused), acts),
        Doing::Trash => trash_ui(ui, run, acts),
        Doing::Attack(form) => attack_ui(ui, look, run, form, acts),
    };
    if open && !ui.input(|input| input.key_pressed(Key::Escape)) {
        view.doing = Some(doing);
    }
}

/// The same button again closes what it opened.
fn toggled(now: Option<Doing>, asked: Doing) -> Option<Doing> {
    let same = now.is_some_and(|now| std::mem::discriminant(&now) == std::mem::discriminant(&asked));
    if same { None } else { Some(asked) }
}

fn rename_ui(
    ui: &mut Ui,
    look: Look<'_>,
    run: &RunEntry,
    (name, focused): (&mut String, &mut bool),
    acts: &mut Vec<Act>,
) -> bool {
    let mut open = true;
    let target = checked_name(name).map(|name| run.path.with_file_name(name));
    let trouble = match &target {
        Err(error) => Some(error.to_string()),
        Ok(path) if *path != run.path && look.library.find(path).is_some() => {
            Some(t!("There is a run of this name already.").to_owned())
        }
        Ok(_) => None,
    };
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(t!("New name"));
        let width = (ui.available_width() - 270.0).clamp(100.0, 360.0);
        let mut edit = TextEdit::singleline(name).desired_width(width).show(ui);
        let response = edit.response.response.labelled_by(label.id);
        if !std::mem::replace(focused, true) {
            response.request_focus();
            edit.state.cursor.set_char_range(Some(CCursorRange::select_all_str(name)));
            edit.state.store(ui.ctx(), response.id);
        }
        let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let may = trouble.as_deref().map_or(Ok(()), Err);
        if button(ui, t!("Rename"), t!("Enter does the same."), may) || (enter && may.is_ok()) {
            open = false;
            if *name != run.name {
                acts.push(Act::Rename(run.path.clone(), name.clone()));
            }
        } else if enter {
            // What cannot be taken stays to be mended.
            response.request_focus();
        }
        open &= !ui.button(t!("Cancel")).on_hover_text(t!("Esc does the same.")).clicked();
    });
    if let Some(trouble) = trouble {
        ui.add(Label::new(RichText::new(trouble).strong()).wrap());
    }
    open
}

fn trash_ui(ui: &mut Ui, run: &RunEntry, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(t!("Move {name} to the trash?", name = run.name)).wrap());
        if ui.button(t!("Move to trash")).on_hover_text(t!("The system's trash can give it back.")).clicked() {
            acts.push(Act::Trash(run.path.clone()));
            open = false;
        }
        open &= !ui.button(t!("Keep")).on_hover_text(t!("Esc does the same.")).clicked();
    });
    open
}
