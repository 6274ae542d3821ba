//! Opening a victim that another program trained: which files, which attacks, where the results go.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crossbeam_channel::{Receiver, TryRecvError};
use eframe::egui::{Button, Context, Grid, Id, Label, Modal, RichText, TextEdit, Ui};

use super::Act;
use super::file_prompt::ask_system;
use crate::attack::kind::Kind;
use crate::attack::threat_model::{Knows, Sees};
use crate::place;
use crate::run::launch::Launch;
use crate::run::victim::Paths;
use crate::texts::say;
use crate::workbench;

/// What is asked for, in its order.
const FIELDS: usize = 5;
const MODEL: usize = 0;
const CLIENT: usize = 1;
const SMASHED: usize = 2;
const OWN: usize = 3;
const OUT: usize = 4;

/// Width of a path's field.
const FIELD: f32 = 300.0;

/// The dialog's own state: it is as it was when it is opened again.
pub struct VictimView {
    paths: [String; FIELDS],
    chosen: BTreeSet<&'static str>,
    dialog: Option<(usize, Receiver<Option<PathBuf>>)>,
    trouble: Option<String>,
}

impl Default for VictimView {
    fn default() -> Self {
        let chosen = ["rmle", "inverse"].into_iter().collect();
        Self { paths: Default::default(), chosen, dialog: None, trouble: None }
    }
}

impl VictimView {
    fn path(&self, field: usize) -> Result<Option<PathBuf>, String> {
        let text = self.paths[field].trim();
        if text.is_empty() {
            return Ok(None);
        }
        place::found(text).map(Some).map_err(|error| error.to_string())
    }

    /// What is to be done, once everything that it takes is named.
    fn act(&self) -> Result<Act, String> {
        let lacking = |what: &str| t!("Still to be named: {what}", what);
        let smashed = self.path(SMASHED)?.ok_or_else(|| lacking(t!("smashed data")))?;
        let out = self.path(OUT)?.ok_or_else(|| lacking(t!("a new folder for the results")))?;
        if self.chosen.is_empty() {
            return Err(lacking(t!("an attack")));
        }
        let (model, client, own) = (self.path(MODEL)?, self.path(CLIENT)?, self.path(OWN)?);
        // In the order of the list.
        let kinds = workbench::attacks().iter().map(|kind| kind.id).filter(|id| self.chosen.contains(id));
        let launch = Launch { attacks: kinds.map(str::to_owned).collect(), ..Launch::default() };
        Ok(Act::Victim(Paths { model, client, smashed, own }, launch, out))
    }

    fn hear(&mut self) {
        let Some((field, dialog)) = &self.dialog else { return };
        match dialog.try_recv() {
            Err(TryRecvError::Empty) => return,
            Ok(Some(path)) => self.paths[*field] = place::written(&path),
            Ok(None) | Err(TryRecvError::Disconnected) => {
                let text = t!("No file was chosen. If no dialog of the system opened, type the path here.");
                self.trouble = Some(text.to_owned());
            }
        }
        self.dialog = None;
    }
}

/// Draws it. False where it is closed.
pub fn victim_ui(ctx: &Context, view: &mut VictimView, acts: &mut Vec<Act>) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("victim")).show(ctx, |ui| {
        ui.set_width(560.0_f32.min(ui.ctx().content_rect().width() - 40.0));
        ui.heading(t!("Open a victim"));
        let words = t!(
            "A client that another program trained, and what it sent. Its layers and weights, or images of your own with what it \
             sent for them, are what the attackers know: pairs alone are enough, whatever defence there was."
        );
        ui.add(Label::new(words).wrap());
        ui.add_space(6.0);
        view.hear();
        fields_ui(ui, view);
        ui.add_space(6.0);
        attacks_ui(ui, view);
        if let Some(trouble) = &view.trouble {
            ui.add(Label::new(RichText::new(trouble).strong()).wrap());
        }
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.button(t!("Attack")).clicked() {
                match view.act() {
                    Ok(act) => {
                        view.trouble = None;
                        acts.push(act);
                        open = false;
                    }
                    Err(trouble) => view.trouble = Some(trouble),
                }
            }
            open &= !ui.button(t!("Cancel")).clicked();
        });
    });
    open && !modal.should_close()
}

fn fields_ui(ui: &mut Ui, view: &mut VictimView) {
    let fields: [(&str, &str, &[&str]); FIELDS] = [
        (
            t!("Client's layers"),
            t!("A TOML file with input and layers, as in an experiment; empty where unknown"),
            &["toml"],
        ),
        (
            t!("Client's weights"),
            t!("A state dict of PyTorch's nn.Sequential as safetensors; empty where unknown"),
            &["safetensors"],
        ),
        (t!("Smashed data"), t!("An .npz with smashed; for scoring alone images and labels beside it"), &["npz"]),
        (
            t!("The attacker's own"),
            t!("An .npz with images, and smashed if the client was asked about them; may be empty"),
            &["npz"],
        ),
        (t!("Results"), t!("A new folder"), &[]),
    ];
    Grid::new("victim_files").num_columns(3).spacing([10.0, 4.0]).show(ui, |ui| {
        for (field, (words, tip, endings)) in fields.into_iter().enumerate() {
            let label = ui.label(words);
            let text = TextEdit::singleline(&mut view.paths[field]);
            // A grid gives a column the width that it had before, which at first is none.
            if ui
                .add_sized([FIELD, ui.spacing().interact_size.y], text)
                .labelled_by(label.id)
                .on_hover_text(tip)
                .changed()
            {
                view.trouble = None;
            }
            let free = view.dialog.is_none() && !endings.is_empty();
            let browse = ui.add_enabled(free, Button::new(t!("Browse…"))).on_hover_text(t!("The system's own dialog"));
            if browse.clicked() {
                match ask_system(words, endings, ui.ctx()) {
                    Ok(dialog) => view.dialog = Some((field, dialog)),
                    Err(trouble) => view.trouble = Some(trouble),
                }
            }
            ui.end_row();
        }
    });
}

/// Those that can be launched at a victim at all; what each lacks is told once the files are read.
fn attacks_ui(ui: &mut Ui, view: &mut VictimView) {
    ui.label(t!("Attack with"));
    ui.horizontal_wrapped(|ui| {
        for kind in workbench::attacks().iter().filter(|kind| may(kind)) {
            let mut on = view.chosen.contains(kind.id);
            if ui.checkbox(&mut on, kind.id).on_hover_text(say(kind.about)).changed() {
                if on {
                    view.chosen.insert(kind.id)
                } else {
                    view.chosen.remove(kind.id)
                };
                view.trouble = None;
            }
        }
    });
}

fn may(kind: &Kind) -> bool {
    let sees = kind.sees.iter().all(|sees| matches!(sees, Sees::Smashed | Sees::Labels));
    sees && !kind.make.trains() && !kind.knows.contains(&Knows::ServerWeights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_to_be_named_is_told_and_then_it_is_launched() {
        let mut view = VictimView::default();
        assert!(view.act().unwrap_err().contains("smashed data"));
        view.paths[SMASHED] = "/a/z.npz".to_owned();
        assert!(view.act().unwrap_err().contains("folder"));
        view.paths[OUT] = "/a/out".to_owned();
        let Act::Victim(paths, launch, out) = view.act().unwrap() else { panic!("another act") };
        assert_eq!((paths.smashed, paths.model, out), ("/a/z.npz".into(), None, "/a/out".into()));
        assert_eq!(launch.attacks, ["rmle", "inverse"]);
        view.chosen.clear();
        assert!(view.act().unwrap_err().contains("an attack"));
    }
}
