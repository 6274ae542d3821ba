//! Asking for a file: a path field, and beside it the system's dialog on a thread of its own, which may hang.

use std::path::PathBuf;
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::{Button, Context, Id, Key, Label, Modal, RichText, TextEdit, Ui};

use super::act::Act;
use super::purpose::Purpose;
use crate::data::known::Known;
use crate::data::recognise::readable;
use crate::place;
use crate::texts::say;
use crate::workbench::readers;

/// A question for a file.
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    path: String,
    /// Why the last answer did not do.
    pub trouble: Option<String>,
    /// A file that is there already, and may be replaced if it is asked for once more.
    pub replace: Option<PathBuf>,
    dialog: Option<Receiver<Option<PathBuf>>>,
    /// The field is to get the focus.
    pub fresh: bool,
}

impl Prompt {
    /// A new question; `before` is the file that served last.
    pub fn new(purpose: Purpose, before: Option<&PathBuf>) -> Self {
        let path = before.map_or_else(|| purpose.suggestion(), |path| place::written(path));
        Self { purpose, path, trouble: None, replace: None, dialog: None, fresh: true }
    }

    /// Draws it. False where it is closed.
    pub fn show(&mut self, ctx: &Context, recent: &[PathBuf], acts: &mut Vec<Act>) -> bool {
        let mut open = true;
        let modal = Modal::new(Id::unique("file")).show(ctx, |ui| {
            ui.set_width(460.0);
            ui.heading(self.purpose.title());
            ui.add_space(6.0);
            open = self.contents_ui(ui, recent, acts);
        });
        open && !modal.should_close()
    }

    fn contents_ui(&mut self, ui: &mut Ui, recent: &[PathBuf], acts: &mut Vec<Act>) -> bool {
        self.hear();
        if let Purpose::Fetch(set) = self.purpose {
            fetch_ui(ui, set);
        }
        let label = ui.label(match self.purpose {
            Purpose::Open | Purpose::Fetch(_) => t!("Path of the file or folder"),
            Purpose::Run => t!("Path of the run's folder"),
            Purpose::Image => t!("Path of the file"),
            Purpose::Attacks => t!("Path of the new folder"),
            _ => t!("Path of the new file"),
        });
        let mut done = false;
        ui.horizontal(|ui| {
            let both = matches!(self.purpose, Purpose::Open | Purpose::Fetch(_));
            let width = if both { 270.0 } else { 350.0 };
            let field = TextEdit::singleline(&mut self.path).desired_width(width).hint_text("/home/me/file");
            let field = ui.add(field).labelled_by(label.id);
            if field.changed() {
                // It was said of another path.
                (self.trouble, self.replace) = (None, None);
            }
            if std::mem::take(&mut self.fresh) {
                field.request_focus();
            }
            done |= field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let dialogs: &[_] = match self.purpose {
                Purpose::Open | Purpose::Fetch(_) => &[(t!("Browse…"), false), (t!("Folder…"), true)],
                Purpose::Run => &[(t!("Folder…"), true)],
                // The system's dialogs choose folders that are there.
                Purpose::Attacks => &[],
                _ => &[(t!("Browse…"), false)],
            };
            for (words, folder) in dialogs {
                let button = ui.add_enabled(self.dialog.is_none(), Button::new(*words));
                let button = button.on_hover_text(t!("The system's own dialog"));
                if button.on_disabled_hover_text(t!("The system's dialog is open")).clicked() {
                    self.browse(ui.ctx(), *folder);
                }
            }
        });
        if self.purpose == Purpose::Open {
            let data = t!("Data may be {readable}.", readable = readable(readers()));
            ui.add(Label::new(RichText::new(data).weak()).wrap());
        }
        if let Some(trouble) = &self.trouble {
            ui.label(RichText::new(trouble).strong());
        }
        if matches!(self.purpose, Purpose::Open | Purpose::Run) && !recent.is_empty() {
            ui.add_space(6.0);
            ui.label(t!("Opened before"));
            for path in recent {
                if ui.link(path.display().to_string()).clicked() {
                    self.path = place::written(path);
                    done = true;
                }
            }
        }
        ui.add_space(10.0);
        let mut open = true;
        ui.horizontal(|ui| {
            let word = if self.purpose.reads() { t!("Open") } else { t!("Save") };
            done |= ui.add_enabled(!self.path.trim().is_empty(), Button::new(word)).clicked();
            open = !ui.button(t!("Cancel")).clicked();
        });
        if done && !self.path.trim().is_empty() {
            match place::found(self.path.trim()) {
                Ok(path) => acts.push(Act::File(self.purpose, path)),
                Err(error) => self.trouble = Some(error.to_string()),
            }
        }
        open
    }

    fn hear(&mut self) {
        match self.dialog.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(Some(path))) => self.path = place::written(&path),
            Some(Ok(None) | Err(TryRecvError::Disconnected)) => {
                let text = t!("No file was chosen. If no dialog of the system opened, type the path here.");
                self.trouble = Some(text.to_owned());
            }
        }
        self.dialog = None;
    }

    fn browse(&mut self, ctx: &Context, folder: bool) {
        let (sender, answer) = bounded(1);
        let (ctx, purpose) = (ctx.clone(), self.purpose);
        let ask = move || {
            let dialog = rfd::FileDialog::new().set_title(purpose.title());
            let files = || dialog.clone().add_filter(purpose.endings()[0], &purpose.endings());
            let path = if folder {
                dialog.pick_folder()
            } else if purpose.reads() {
                files().pick_file()
            } else {
                files().set_file_name(purpose.suggestion()).save_file()
            };
            // Nobody listens any more where the question was closed meanwhile.
            let _ = sender.send(path);
            ctx.request_repaint();
        };
        match Builder::new().name("cutlayer-dialog".to_owned()).spawn(ask) {
            Ok(_) => self.dialog = Some(answer),
            Err(error) => self.trouble = Some(format!("the system's dialog cannot be opened: {error}")),
        }
    }
}

/// The system's own dialog for a file to read, on a thread of its own: the answer comes by the channel.
///
/// # Errors
/// Returns why where the system gives no thread.
pub fn ask_system(
    title: &str,
    endings: &'static [&'static str],
    ctx: &Context,
) -> Result<Receiver<Option<PathBuf>>, String> {
    let (sender, answer) = bounded(1);
    let (ctx, title) = (ctx.clone(), title.to_owned());
    let ask = move || {
        let dialog = rfd::FileDialog::new().set_title(title);
        let name = endings.first().copied().unwrap_or_default();
        // Nobody listens any more where the question was closed meanwhile.
        let _ = sender.send(dialog.add_filter(name, endings).pick_file());
        ctx.request_repaint();
    };
    let spawned = Builder::new().name("cutlayer-dialog".to_owned()).spawn(ask);
    spawned.map(|_| answer).map_err(|error| format!("the system's dialog cannot be opened: {error}"))
}

/// What is asked for, where it is to be had, and under which licence.
fn fetch_ui(ui: &mut Ui, set: &Known) {
    ui.add(Label::new(RichText::new(format!("{}: {}", say(set.title), say(set.about))).strong()).wrap());
    let (what, from, licence) = (say(set.what), set.from, say(set.licence));
    ui.add(Label::new(t!("It does not come with Cutlayer. Get {what}, once:", what)).wrap());
    let address = from.split(' ').next().unwrap_or(from);
    ui.hyperlink_to(from, address).on_hover_text(t!("Opens the browser"));
    ui.add(Label::new(t!("Licence: {licence}.", licence)).wrap());
    ui.add_space(8.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_files_are_given_a_name_with_the_right_ending() {
        for purpose in [Purpose::Save, Purpose::CurvesCsv, Purpose::CurvesPng, Purpose::Table, Purpose::Film] {
            assert!(!purpose.reads());
            let name = Prompt::new(purpose, None).path;
            assert!(purpose.endings().iter().any(|ending| name.ends_with(&format!(".{ending}"))), "{name}");
        }
        assert_eq!(Prompt::new(Purpose::Open, None).path, "");
    }
}
