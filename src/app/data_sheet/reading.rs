//! Reading a set for a look at it, on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Instant;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::{ColorImage, Context};

use crate::data::{Described, Progress, Wanted, contact_sheet};
use crate::error::{Error, Result};
use crate::run::control::guarded;
use crate::workbench;

/// Said of images that can be looked at only.
const UNLABELLED: &str = later!(
    "There are no labels, so nothing can be learned; they come from folders named by the classes, or a CSV file beside the \
     images with the columns path and label."
);

/// What there is to see of a set.
pub struct Seen {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub about: String,
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Training, validation and test images.
    pub images: [usize; 3],
    /// The classes' names.
    pub classes: Vec<String>,
    /// Counts and warnings.
    pub described: Described,
    /// Which values are black and white.
    pub range: String,
    /// What else was found, and what was left out: a sentence each.
    pub notes: Vec<String>,
    /// Files that were left out, and why.
    pub skipped: Vec<String>,
    /// Whether the parts were drawn since nothing says them.
    pub drawn: bool,
    /// Why nothing can be learned from it; none where it can.
    pub unfit: Option<&'static str>,
    /// Some images of each class.
    pub sheet: ColorImage,
}

/// A set that is being read.
pub struct Reading {
    answer: Receiver<Result<Box<Seen>>>,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Since when.
    pub start: Instant,
}

impl Reading {
    /// Begins.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn start(path: PathBuf, wanted: Wanted, ctx: &Context) -> Result<Self> {
        let (sender, answer) = bounded(1);
        let (progress, ctx) = (Arc::new(Progress::default()), ctx.clone());
        let seen = progress.clone();
        let work = move || {
            let _ = sender.send(guarded(|| look(&path, &wanted, &seen)));
            ctx.request_repaint();
        };
        let thread = Builder::new().name("cutlayer-images".to_owned()).spawn(work);
        thread.map_err(|e| Error::Internal(format!("no thread to read the images: {e}")))?;
        Ok(Self { answer, progress, start: Instant::now() })
    }

    /// What it came to; none while it is at work.
    pub fn answer(&self) -> Option<Result<Box<Seen>>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Error::Internal("reading the images was lost".to_owned()))),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.progress.stop();
    }
}

fn look(path: &std::path::Path, wanted: &Wanted, progress: &Progress) -> Result<Box<Seen>> {
    let set = workbench::load_watched(path, wanted, progress)?;
    let described = Described::of(&set)?;
    let unfit = if set.findings.unlabelled {
        Some(UNLABELLED)
    } else if described.one_class(&set) {
        Some(later!("All labels name one class, so there is nothing to tell apart."))
    } else {
        None
    };
    let png = contact_sheet(&set)?;
    let sheet = image::load_from_memory(&png).map_err(|e| Error::Internal(format!("picture: {e}")))?.into_rgb8();
    let size = [sheet.width() as usize, sheet.height() as usize];
    let skipped = set.findings.skipped.iter().map(|one| format!("{}: {}", one.path.display(), one.why)).collect();
    Ok(Box::new(Seen {
        shape: set.shape(),
        images: [set.train.len(), set.validation.len(), set.test.len()],
        range: set.range(),
        // What is a warning is no note as well.
        notes: set.findings.notes.iter().filter(|note| *note != UNLABELLED).cloned().collect(),
        skipped,
        drawn: set.drawn,
        unfit,
        sheet: ColorImage::from_rgb(size, &sheet),
        described,
        name: set.name,
        about: set.about,
        classes: set.classes,
    }))
}
