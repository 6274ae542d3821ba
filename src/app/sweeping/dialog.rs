//! The dialog of a sweep: which, where, how many cells at once; then its cells, each with how far it is.

use std::path::PathBuf;

use eframe::egui::{
    Align, Button, ComboBox, Context, DragValue, Grid, Id, Label, Layout, Modal, RichText, Role as Kind, ScrollArea,
    TextEdit, Ui, WidgetInfo,
};

use super::line::{stop_ui, told};
use super::{Seen, SweepAct};
use crate::app::words::duration;
use crate::app::{Act, Look, SweepStart};
use crate::place;
use crate::sweep::library::SWEEPS;
use crate::sweep::record::Standing;

/// Width of a field.
const FIELD: f32 = 330.0;
/// Height of the list of cells at most.
const LIST: f32 = 260.0;

/// The dialog's own state: it is as it was when it is opened again.
pub struct SweepView {
    sweep: String,
    folder: String,
    images: String,
    jobs: usize,
    trouble: Option<String>,
}

impl Default for SweepView {
    fn default() -> Self {
        let (folder, images) = (String::new(), String::new());
        Self { sweep: SWEEPS[0].name.to_owned(), folder, images, jobs: 0, trouble: None }
    }
}

impl SweepView {
    fn folder(&self) -> Result<Option<PathBuf>, String> {
        let text = self.folder.trim();
        if text.is_empty() { Ok(None) } else { place::found(text).map(Some).map_err(|error| error.to_string()) }
    }

    fn start(&self) -> Result<SweepAct, String> {
        let folder = self.folder()?;
        if self.sweep.trim().is_empty() && folder.is_none() {
            return Err(t!("Name a sweep, or the folder of one that was begun").to_owned());
        }
        let images = match self.images.trim() {
            "" => String::new(),
            text => place::found(text).map_err(|error| error.to_string())?.display().to_string(),
        };
        Ok(SweepAct::Start(SweepStart { sweep: self.sweep.trim().to_owned(), folder, jobs: self.jobs, images }))
    }

    fn open(&self) -> Result<SweepAct, String> {
        self.folder()?.map(SweepAct::Open).ok_or_else(|| t!("Name the sweep's folder").to_owned())
    }

    fn ask(&mut self, act: Result<SweepAct, String>, acts: &mut Vec<Act>) {
        match act {
            Ok(act) => {
                self.trouble = None;
                acts.push(Act::Sweep(act));
            }
            Err(trouble) => self.trouble = Some(trouble),
        }
    }
}

/// Draws it. False where it is closed.
pub fn sweep_ui(ctx: &Context, look: Look<'_>, view: &mut SweepView, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("sweep")).show(ctx, |ui| {
        ui.set_width(560.0_f32.min(ui.ctx().content_rect().width() - 40.0));
        ui.heading(t!("Sweep"));
        let words = t!(
            "Many experiments that differ in a few settings. Each is a run of its own, in a process of its own, and is listed \
             with the others once it is done."
        );
        ui.add(Label::new(words).wrap());
        ui.add_space(6.0);
        fields_ui(ui, look, view);
        if let Some(trouble) = &view.trouble {
            ui.add(Label::new(RichText::new(trouble).strong()).wrap());
        }
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let idle = !look.sweeping.at_work();
            let tip = t!("Runs the cells that are not done.");
            if ui.add_enabled(idle, Button::new(t!("Start the sweep"))).on_hover_text(tip).clicked() {
                view.ask(view.start(), acts);
            }
            let tip = t!("Shows how far the sweep in the folder is, whoever runs it.");
            if ui.add_enabled(idle, Button::new(t!("Show the sweep"))).on_hover_text(tip).clicked() {
                view.ask(view.open(), acts);
            }
            if !idle {
                stop_ui(ui, look, acts);
            }
            open &= !ui.button(t!("Close")).clicked();
        });
        if look.sweeping.at_work() || !look.sweeping.seen().cells.is_empty() {
            ui.separator();
            ui.add(Label::new(told(look)).wrap());
            open &= !cells_ui(ui, look, acts);
        }
    });
    open && !modal.should_close()
}

fn fields_ui(ui: &mut Ui, look: Look<'_>, view: &mut SweepView) {
    Grid::new("sweep_fields").num_columns(3).spacing([10.0, 4.0]).show(ui, |ui| {
        let size = [FIELD, ui.spacing().interact_size.y];
        let label = ui.label(t!("Sweep"));
        let tip = t!("One that comes with the program, or the path of a TOML file; empty for the one in the folder");
        ui.add_sized(size, TextEdit::singleline(&mut view.sweep)).labelled_by(label.id).on_hover_text(tip);
        let chosen = ComboBox::from_id_salt("sweep").selected_text(t!("Choose")).show_ui(ui, |ui| {
            for sweep in &SWEEPS {
                if ui.selectable_label(view.sweep == sweep.name, sweep.name).on_hover_text(sweep.about).clicked() {
                    sweep.name.clone_into(&mut view.sweep);
                }
            }
        });
        let words = t!("The sweeps that come with the program");
        chosen.response.widget_info(|| WidgetInfo::labeled(Kind::ComboBox, true, words));
        chosen.response.on_hover_text(words);
        ui.end_row();
        let label = ui.label(t!("Folder"));
        let tip =
            t!("Empty for a new one in {path}; that of a sweep that was begun goes on", path = look.runs.display());
        let field = TextEdit::singleline(&mut view.folder).hint_text(t!("a new one among the runs"));
        ui.add_sized(size, field).labelled_by(label.id).on_hover_text(tip);
        ui.end_row();
        let label = ui.label(t!("Images"));
        let tip = t!("The file or folder of the images, for a sweep over images that are to be fetched");
        let field = TextEdit::singleline(&mut view.images).hint_text(t!("those of the sweep"));
        ui.add_sized(size, field).labelled_by(label.id).on_hover_text(tip);
        ui.end_row();
        let label = ui.label(t!("Cells at once"));
        let jobs = DragValue::new(&mut view.jobs).range(0..=64);
        ui.horizontal(|ui| {
            ui.add(jobs).labelled_by(label.id);
            ui.weak(t!("0 for one a core"));
        });
        ui.end_row();
    });
}

/// What a cell at work is at, if it has told.
fn told_of(words: Option<&String>) -> String {
    words.filter(|words| !words.is_empty()).cloned().unwrap_or_else(|| t!("running").to_owned())
}

/// The cells, each with how far it is; whether one was opened.
fn cells_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) -> bool {
    let Seen { folder, cells, at_work, .. } = look.sweeping.seen();
    let mut opened = false;
    let height = ui.spacing().interact_size.y;
    let list = ScrollArea::vertical().id_salt("cells").max_height(LIST).auto_shrink([false, true]);
    list.show_rows(ui, height, cells.len(), |ui, rows| {
        for (name, standing) in &cells[rows] {
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let words = match standing {
                        Standing::Waiting => t!("waiting").to_owned(),
                        Standing::Running => told_of(at_work.get(name)),
                        Standing::Done { seconds } => t!("done in {time}", time = duration(*seconds)),
                        Standing::Failed { error } => t!("failed: {error}", error = error.replace('\n', "; ")),
                    };
                    if standing.is_done() {
                        let open = ui.button(t!("Open")).on_hover_text(t!("Shows the run of {name}.", name));
                        if open.clicked() {
                            acts.push(Act::ShowRun(folder.join(name)));
                            opened = true;
                        }
                    }
                    ui.add(Label::new(words).truncate());
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| ui.add(Label::new(name).truncate()));
                });
            });
        }
    });
    opened
}
