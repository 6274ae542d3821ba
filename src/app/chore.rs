//! Work that may take long or have to wait, for a lock or a disk: done on a thread, heard of in `logic`.

use std::path::{Path, PathBuf};
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use super::library::name_of;
use super::trouble::About;
use super::{App, desktop, opened, stage};
use crate::error::{Error, Result};
use crate::export::attacks::export_attacks;
use crate::run::control::guarded;
use crate::run::notes;
use crate::run::scene::Picture;
use crate::run::weights::Weights;
use crate::run::whole_files::Writer;

/// What was done.
#[derive(Debug, PartialEq)]
pub enum Done {
    /// A run has another name.
    Renamed(PathBuf, PathBuf),
    /// A run is in the system's trash.
    Trashed(PathBuf),
    /// An image was read.
    Image(Picture),
    /// A file was written.
    Saved(PathBuf),
    /// The weights of a run's best epoch were read.
    Best(PathBuf, Weights),
    /// What was asked for is done, and nothing is to be said of it.
    Quietly,
}

/// Something that is being done.
pub struct Chore(Receiver<Result<Done>>);

impl Chore {
    /// Begins to rename a run.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn rename(path: PathBuf, name: String, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || opened::rename(&path, &name).map(|to| Done::Renamed(path, to)))
    }

    /// Begins to move a run to the trash.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn trash(path: PathBuf, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || opened::trash(&path).map(|()| Done::Trashed(path)))
    }

    /// Begins to show a file in the desktop's own program.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn file(path: PathBuf, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || desktop::open_file(&path).map(|()| Done::Quietly))
    }

    /// Begins to show a folder in the desktop's own program.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn folder(path: PathBuf, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || desktop::open_folder(&path).map(|()| Done::Quietly))
    }

    /// Begins to keep notes with a run.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn note(path: PathBuf, text: String, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || notes::write(&path, &text).map(|()| Done::Quietly))
    }

    /// Begins to read the weights of a run's best epoch.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn best(path: PathBuf, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || Weights::best_of_run(&path).map(|weights| Done::Best(path, weights)))
    }

    /// Begins to read an image and to fit it to a shape (C, H, W).
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn image(path: PathBuf, shape: [usize; 3], ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || stage::pad::read_image(&path, shape).map(Done::Image))
    }

    /// Begins to write what `make` makes.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn written(
        path: PathBuf,
        ctx: &Context,
        make: impl FnOnce() -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Self> {
        Self::start(ctx, move || {
            Writer::default().write(&path, &make()?)?;
            Ok(Done::Saved(path))
        })
    }

    /// Begins to write the reconstructions and scores of a run's attacks to a new folder.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn attacks(run: PathBuf, out: PathBuf, ctx: &Context) -> Result<Self> {
        Self::start(ctx, move || export_attacks(&run, "the folder", &out).map(|_| Done::Saved(out)))
    }

    fn start(ctx: &Context, work: impl FnOnce() -> Result<Done> + Send + 'static) -> Result<Self> {
        let (sender, answer) = bounded(1);
        let ctx = ctx.clone();
        let work = move || {
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(guarded(work));
            ctx.request_repaint();
        };
        Builder::new()
            .name("cutlayer-chore".to_owned())
            .spawn(work)
            .map_err(|e| Error::Internal(format!("no thread to work on the run: {e}")))?;
        Ok(Self(answer))
    }

    fn answer(&self) -> Option<Result<Done>> {
        match self.0.try_recv() {
            Ok(done) => Some(done),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Error::Internal("work on the run was lost".to_owned()))),
        }
    }
}

impl App {
    /// Takes in the list of runs, and what was done to one.
    pub(super) fn hear_library(&mut self, ctx: &Context) {
        let before = self.library.generation;
        self.library.hear(ctx);
        if self.library.generation != before {
            self.forget_gone();
        }
        let mut answers = Vec::new();
        self.chores.retain(|chore| chore.answer().map(|answer| answers.push(answer)).is_none());
        for answer in answers {
            if answer.is_ok() {
                self.mended(About::Chore);
            }
            match answer {
                Ok(Done::Renamed(from, to)) => self.moved(&from, Some(&to)),
                Ok(Done::Trashed(path)) => {
                    self.toasts.say(t!("In the system's trash: {path}", path = name_of(&path)), false);
                    self.moved(&path, None);
                }
                Ok(Done::Image(picture)) => {
                    self.mended(About::Opening);
                    self.show_image(picture, ctx);
                }
                Ok(Done::Quietly) => {}
                Ok(Done::Best(path, weights)) => {
                    self.best.take(path, weights);
                    if self.best.is_wanted(self.state.folder.as_deref()) {
                        self.best_changed();
                    }
                }
                Ok(Done::Saved(path)) => self.toasts.say(t!("Saved: {path}", path = path.display()), false),
                Err(error) => self.tell(&error),
            }
            // Also after a refusal: the list may have been behind.
            self.library.refresh(self.runs.clone(), ctx);
        }
    }

    /// An unfinished run that was deleted elsewhere is not offered any more.
    fn forget_gone(&mut self) {
        let here = |path: &PathBuf| path.parent() == Some(self.runs.as_path());
        let gone = |path: &PathBuf| here(path) && self.library.find(path).is_none();
        if self.library.trouble.is_none() && self.unfinished.as_ref().is_some_and(gone) {
            self.unfinished = None;
        }
    }

    /// What names a run's folder names its new place, or none.
    fn moved(&mut self, from: &Path, to: Option<&PathBuf>) {
        if self.state.folder.as_deref() == Some(from)
            && let Some(to) = to
        {
            self.state.title = name_of(to);
        }
        self.memory.moved(from, to);
        self.library.elsewhere = self.memory.elsewhere();
        for place in [&mut self.state.folder, &mut self.unfinished, &mut self.memory.unfinished] {
            if place.as_deref() == Some(from) {
                *place = to.cloned();
            }
        }
        self.view.runs.moved(from, to);
        self.remember();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::app::Act;
    use crate::experiment::Experiment;
    use crate::run::folder::RunFolder;

    fn wait(app: &mut App, ctx: &Context, done: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done(app) {
            assert!(Instant::now() < deadline, "{:?}", app.state().error);
            app.logic(ctx);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_run_in_use_is_not_renamed_and_a_lost_one_is_named() {
        let home = tempfile::tempdir().unwrap();
        let ctx = Context::default();
        let quick = Experiment::preset("quick").unwrap();
        let path = home.path().join("runs").join("a");
        let held = RunFolder::create(&path, &quick.to_toml(), false, &Writer::default()).unwrap();
        let mut app = App::in_folder(Some(quick), home.path().to_owned());
        let begin = Instant::now();
        app.act(Act::Rename(path.clone(), "b".to_owned()), &ctx);
        assert!(begin.elapsed() < Duration::from_millis(500), "the frame does not wait for the lock");
        wait(&mut app, &ctx, |app| app.state().error.is_some());
        let error = app.state.error.take().unwrap();
        assert!(error.starts_with("another process is working in this run: ") && error.ends_with('a'), "{error}");
        drop(held);
        app.state.folder = Some(path.clone());
        app.act(Act::Rename(path.clone(), "b".to_owned()), &ctx);
        wait(&mut app, &ctx, |app| app.library().runs.iter().any(|run| run.name == "b"));
        let to = path.with_file_name("b");
        assert_eq!((app.state.folder.as_ref(), app.library().runs.len()), (Some(&to), 1));
        // Deleted behind the window's back.
        std::fs::remove_dir_all(&to).unwrap();
        app.act(Act::ShowRun(to.clone()), &ctx);
        wait(&mut app, &ctx, |app| app.state().error.is_some());
        let error = app.state.error.take().unwrap();
        assert_eq!(error, format!("there is no such folder: {}", to.display()));
        app.act(Act::Refresh, &ctx);
        wait(&mut app, &ctx, |app| app.library().runs.is_empty());
    }
}
