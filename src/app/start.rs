//! The window opened: on what, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui;

use super::{App, icon, shared};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::folder::home_folder;

/// What the window is to open.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// What is at a path: a run, an experiment, images, a shared state.
    Path(PathBuf),
    /// A shared state, as its text.
    Shared(String),
    /// A lesson, by its name or the path of its file.
    Lesson(String),
}

impl Wanted {
    /// Whether it can be opened, as far as that is told without a window.
    ///
    /// # Errors
    /// Returns an error if the text is no shared state, or there is no such lesson.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Path(_) => Ok(()),
            Self::Shared(text) => shared::Shared::from_text(text).map(|_| ()),
            Self::Lesson(name) => crate::lesson::find(name).map(|_| ()),
        }
    }
}

/// What came of opening the window.
#[derive(Debug)]
pub enum Opened {
    /// It was open, and was closed.
    Closed,
    /// There is no display, or no OpenGL; in words.
    NoDisplay(String),
}

/// Opens the window on an experiment, or on the one of the last time, and returns when it is closed. `wanted` is what to
/// open in it.
///
/// # Errors
/// Returns an error if the display is lost while the window is open.
pub fn open(experiment: Option<Experiment>, wanted: Option<Wanted>) -> Result<Opened> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Cutlayer")
        // The name of assets/linux/cutlayer.desktop, by which desktops know whose window it is.
        .with_app_id("cutlayer")
        .with_icon(icon::icon())
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([900.0, 600.0]);
    #[cfg(not(feature = "wgpu"))]
    let renderer = eframe::Renderer::Glow;
    #[cfg(feature = "wgpu")]
    let renderer = eframe::Renderer::Wgpu;
    let options = eframe::NativeOptions { viewport, renderer, ..Default::default() };
    let opened = Arc::new(AtomicBool::new(false));
    let its = opened.clone();
    let app = move |_: &eframe::CreationContext<'_>| {
        its.store(true, Ordering::Relaxed);
        let mut app = App::in_folder(experiment, home_folder());
        app.to_open = wanted;
        Ok(Box::new(app) as Box<dyn eframe::App>)
    };
    match eframe::run_native("Cutlayer", options, Box::new(app)) {
        Ok(()) => Ok(Opened::Closed),
        Err(error) if opened.load(Ordering::Relaxed) => {
            Err(Error::Internal(format!("the window was lost: {error}; a run that was going can be resumed")))
        }
        Err(error) => Ok(Opened::NoDisplay(error.to_string())),
    }
}
