//! Over the panes: every shortcut, and words about the program.

use eframe::egui::{Context, Grid, Id, Modal, RichText, ScrollArea};

use super::Look;
use super::command::{Menu, commands};

/// Draws every shortcut. False where it is closed.
pub fn shortcuts_ui(ctx: &Context) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("shortcuts")).show(ctx, |ui| {
        ui.set_width(560.0);
        ui.heading(t!("Shortcuts"));
        ui.add_space(6.0);
        let all = commands();
        ScrollArea::vertical().max_height(440.0).show(ui, |ui| {
            for menu in Menu::ALL {
                let with_keys = all.iter().filter(|command| command.menu == menu && command.keys.is_some());
                ui.label(RichText::new(menu.word()).strong());
                Grid::new(menu.word()).num_columns(3).striped(true).spacing([16.0, 3.0]).show(ui, |ui| {
                    for command in with_keys {
                        let keys = command.keys.map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
                        ui.monospace(keys);
                        ui.label(&command.words);
                        ui.weak(&command.help);
                        ui.end_row();
                    }
                });
                ui.add_space(6.0);
            }
        });
        open = !ui.button(t!("Close")).clicked();
    });
    open && !modal.should_close()
}

/// Draws words about the program. False where it is closed.
pub fn about_ui(ctx: &Context, look: Look<'_>) -> bool {
    let mut open = true;
    let modal = Modal::new(Id::unique("about")).show(ctx, |ui| {
        ui.set_width(460.0);
        ui.heading(t!("Cutlayer {env}", env = env!("CARGO_PKG_VERSION")));
        ui.label(t!(
            "A research workbench for privacy in split learning. For research and teaching, not for clinical use."
        ));
        ui.add_space(6.0);
        ui.label(t!("The defence is that of Khowaja et al., \"Get your Foes Fooled\", IEEE TNSE 10(5), 2023."));
        ui.label(t!("Digits: MNIST, CC BY-SA 3.0. Brain planes: average of 152 adults (MNI-ICBM), no patient."));
        ui.label(t!("Program: MIT or Apache 2.0."));
        ui.add_space(6.0);
        ui.label(t!("Runs are kept in {runs}", runs = look.runs.display()));
        ui.add_space(6.0);
        open = !ui.button(t!("Close")).clicked();
    });
    open && !modal.should_close()
}
