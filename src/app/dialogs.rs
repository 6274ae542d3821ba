//! File dialogs, each on a thread of its own: a dialog may hang, the window must not.

use std::path::PathBuf;
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use crate::error::{Error, Result};

/// What came of a dialog.
pub enum Answer {
    /// It is still shown.
    Waiting,
    /// It was closed without a file.
    Closed,
    /// A file was chosen.
    File(PathBuf),
}

/// A dialog that asks for an experiment's file.
pub struct OpenDialog {
    answer: Receiver<Option<PathBuf>>,
}

impl OpenDialog {
    /// Shows it.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn show(ctx: &Context) -> Result<Self> {
        let (sender, answer) = bounded(1);
        let ctx = ctx.clone();
        let ask = move || {
            let dialog = rfd::FileDialog::new().set_title("Open an experiment").add_filter("Experiment", &["toml"]);
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(dialog.pick_file());
            ctx.request_repaint();
        };
        Builder::new()
            .name("cutlayer-dialog".to_owned())
            .spawn(ask)
            .map_err(|e| Error::Internal(format!("no thread for the dialog: {e}")))?;
        Ok(Self { answer })
    }

    /// What came of it so far.
    pub fn answer(&self) -> Answer {
        match self.answer.try_recv() {
            Ok(Some(path)) => Answer::File(path),
            Ok(None) | Err(TryRecvError::Disconnected) => Answer::Closed,
            Err(TryRecvError::Empty) => Answer::Waiting,
        }
    }
}
