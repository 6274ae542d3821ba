//! What can be done with the selected run: buttons, and the small forms that some of them open.

use eframe::egui::text::CCursorRange;
use eframe::egui::{Button, DragValue, Key, Label, RichText, TextEdit, Ui};

use super::RunsView;
use crate::app::memory::PINNED;
use crate::app::opened::checked_name;
use crate::app::{Act, Activity, DayAct, Look, RunEntry, Standing};
use crate::attack::kind::Kind;
use crate::experiment::Experiment;
use crate::run::launch::Launch;
use crate::texts::say;
use crate::workbench::attacks;

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

/// An attack to launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Which of [`attacks`].
    attack: usize,
    /// Naive, adaptive, both.
    knows: usize,
    images: usize,
}

/// What the attacker knows: word, and what it means.
const KNOWS: [(&str, &str); 3] = [
    (later!("naive"), later!("Does not know of the defence. Alone it flatters the defence.")),
    (
        later!("adaptive"),
        later!("Knows the defence, imitates it and undoes it: a defence is as good as against this form."),
    ),
    (later!("both"), later!("One after the other.")),
];

impl Doing {
    /// Begins to rename a run.
    pub fn rename(run: &RunEntry) -> Self {
        Self::Rename(run.name.clone(), false)
    }
}

impl Form {
    fn of(run: &RunEntry, attack: usize) -> Self {
        Self { attack, knows: 2, images: images(run, attack) }
    }

    fn launch(self, run: &RunEntry, defended: bool) -> Launch {
        let knows = if defended { self.knows } else { 0 };
        Launch {
            attacks: choices(run).get(self.attack).map(|(name, ..)| (*name).to_owned()).into_iter().collect(),
            naive: knows != 1,
            adaptive: knows != 0,
            images: Some(self.images.to_string()),
            ..Launch::default()
        }
    }
}

/// What can be launched at a run: every kind, and those of its own that have a label. Name, what it does, and as many
/// images as the run's own attack of this name took, or the kind's default.
fn choices(run: &RunEntry) -> Vec<(&str, &'static str, usize)> {
    let own = || run.experiment.iter().flat_map(|experiment| &experiment.attacks);
    let kind = |kind: &&'static Kind| {
        (kind.id, say(kind.about), own().find(|spec| spec.name() == kind.id).map_or(kind.images, |spec| spec.images))
    };
    let labelled = own().filter(|spec| spec.label.is_some());
    attacks().iter().map(kind).chain(labelled.map(|spec| (spec.name(), say(spec.kind.about), spec.images))).collect()
}

fn images(run: &RunEntry, attack: usize) -> usize {
    choices(run).get(attack).map_or(1, |choice| choice.2)
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

/// A button that says what it does, or why it cannot.
fn button(ui: &mut Ui, words: &str, tip: &str, may: Result<(), &str>) -> bool {
    let response = ui.add_enabled(may.is_ok(), Button::new(words));
    let response = match may {
        Ok(()) => response.on_hover_text(tip),
        Err(why) => response.on_disabled_hover_text(why),
    };
    response.clicked()
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

fn attack_ui(ui: &mut Ui, look: Look<'_>, run: &RunEntry, form: &mut Form, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let defended = run.experiment.as_ref().is_some_and(Experiment::defended);
    ui.horizontal_wrapped(|ui| {
        ui.label(t!("Attack"));
        for (at, (name, about, _)) in choices(run).into_iter().enumerate() {
            if ui.radio(form.attack == at, name).on_hover_text(about).clicked() {
                *form = Form { knows: form.knows, ..Form::of(run, at) };
            }
        }
        ui.separator();
        ui.add_enabled_ui(defended, |ui| {
            for (at, (word, tip)) in KNOWS.into_iter().enumerate() {
                let chosen = if defended { form.knows == at } else { at == 0 };
                let radio = ui.radio(chosen, say(word)).on_hover_text(say(tip));
                if radio.on_disabled_hover_text(t!("This run has no defence to know of.")).clicked() {
                    form.knows = at;
                }
            }
        });
        ui.separator();
        let label = ui.label(t!("images"));
        let tip = t!("How many images are attacked, from the first test image on.");
        ui.add(DragValue::new(&mut form.images).range(1..=10_000)).labelled_by(label.id).on_hover_text(tip);
        let may = if look.state.folder.as_ref() != Some(&run.path) {
            Err(t!("Open the run first: the attack is shown beside what it came to."))
        } else if look.activity != Activity::Idle {
            Err(t!("A run is at work: stop it first."))
        } else {
            Ok(())
        };
        let tip = t!("The result joins the run's table, and its attacks.json.");
        if button(ui, t!("Launch"), tip, may) {
            acts.push(Act::Attack(run.path.clone(), form.launch(run, defended)));
            open = false;
        }
        open &= !ui.button(t!("Cancel")).on_hover_text(t!("Esc does the same.")).clicked();
        if let Err(why) = may {
            ui.label(RichText::new(why).weak());
        }
    });
    open
}
