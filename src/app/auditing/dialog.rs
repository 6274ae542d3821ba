//! The dialog of an audit: which images, where the page goes; then how far it is.

use std::path::{Path, PathBuf};

use eframe::egui::{Button, Context, Grid, Id, Label, Modal, RichText, TextEdit, Ui};

use crate::app::act::AuditAct;
use crate::app::{Act, Look};
use crate::export::folder::check_new_file;
use crate::place;
use crate::report::pdf::new_page;

/// Width of a field.
const FIELD: f32 = 400.0;

/// The dialog's own state: it is as it was when it is opened again.
#[derive(Default)]
pub struct AuditView {
    images: String,
    page: String,
    /// The last images that were audited, and their page.
    begun: Option<(PathBuf, PathBuf)>,
    trouble: Option<String>,
}

impl AuditView {
    /// Has these images in its field.
    pub fn take(&mut self, images: &Path) {
        self.images = images.display().to_string();
        self.trouble = None;
    }

    /// The page that was begun of these images and is not there yet: started again after a stop, the audit goes on.
    fn begun(&self, images: &Path) -> Option<PathBuf> {
        let (_, page) = self.begun.as_ref().filter(|(own, page)| own == images && !page.exists())?;
        Some(page.clone())
    }

    fn start(&mut self, look: Look<'_>) -> Result<AuditAct, String> {
        let images = self.images.trim();
        if images.is_empty() {
            return Err(t!("Name the folder or file of the images").to_owned());
        }
        let images = place::found(images).map_err(|error| error.to_string())?;
        let page = match self.page.trim() {
            "" => self.begun(&images).unwrap_or_else(|| new_page(look.runs, &images)),
            text => place::found(text).map_err(|error| error.to_string())?,
        };
        check_new_file("page", &page).map_err(|error| error.to_string())?;
        self.begun = Some((images.clone(), page.clone()));
        Ok(AuditAct::Start { images, page })
    }
}

/// Draws it. False where it is closed.
pub fn audit_ui(ctx: &Context, look: Look<'_>, view: &mut AuditView, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("audit")).show(ctx, |ui| {
        ui.set_width(560.0_f32.min(ui.ctx().content_rect().width() - 40.0));
        ui.heading(t!("Audit images"));
        let words = t!(
            "Trains a model on images of your own, with the defence and without one, launches every attack of the suite at \
             both, and writes a page in plain words: what would leak, to whom, and what the defence costs. It takes \
             minutes."
        );
        ui.add(Label::new(words).wrap());
        ui.add_space(6.0);
        fields_ui(ui, look, view);
        if let Some(trouble) = &view.trouble {
            ui.add(Label::new(RichText::new(trouble).strong()).wrap());
        }
        ui.add_space(6.0);
        open &= buttons_ui(ui, look, view, acts);
        if look.auditing.at_work() {
            ui.separator();
            ui.add(Label::new(told(look)).wrap());
        } else if let Some(page) = look.auditing.done() {
            ui.separator();
            ui.add(Label::new(t!("The report is in {path}", path = page.display())).wrap());
        }
    });
    open && !modal.should_close()
}

fn told(look: Look<'_>) -> String {
    match look.auditing.told() {
        _ if look.auditing.is_stopping() => t!("The audit is stopping…").to_owned(),
        words if words.is_empty() => t!("The audit begins…").to_owned(),
        words => words,
    }
}

fn fields_ui(ui: &mut Ui, look: Look<'_>, view: &mut AuditView) {
    Grid::new("audit_fields").num_columns(2).spacing([10.0, 4.0]).show(ui, |ui| {
        let size = [FIELD, ui.spacing().interact_size.y];
        let label = ui.label(t!("Images"));
        let tip = t!("A folder of class folders or with a table of paths, labels and patients, or a file of images");
        let field = TextEdit::singleline(&mut view.images);
        let field = ui.add_sized(size, field).labelled_by(label.id).on_hover_text(tip);
        // Whoever opens the dialog has come to write there.
        if view.images.is_empty() && !look.auditing.at_work() && ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        ui.end_row();
        let label = ui.label(t!("Page"));
        let tip = t!("A new file, .html or .pdf. A PDF is printed by a browser of this machine");
        let field = TextEdit::singleline(&mut view.page).hint_text(t!("a new .html among the runs"));
        ui.add_sized(size, field).labelled_by(label.id).on_hover_text(tip);
        ui.end_row();
    });
}

/// False where it is closed.
fn buttons_ui(ui: &mut Ui, look: Look<'_>, view: &mut AuditView, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    ui.horizontal(|ui| {
        if look.auditing.at_work() {
            let button = Button::new(t!("Stop the audit"));
            let tip = t!("The same images and page go on where the audit was stopped.");
            if ui.add_enabled(!look.auditing.is_stopping(), button).on_hover_text(tip).clicked() {
                acts.push(Act::Audit(AuditAct::Stop));
            }
        } else if ui.button(t!("Start the audit")).clicked() {
            match view.start(look) {
                Ok(act) => {
                    view.trouble = None;
                    acts.push(Act::Audit(act));
                }
                Err(trouble) => view.trouble = Some(trouble),
            }
        }
        if look.auditing.done().is_some() && ui.button(t!("Open the report")).clicked() {
            acts.push(Act::Audit(AuditAct::Read));
        }
        open = !ui.button(t!("Close")).clicked();
    });
    open
}
