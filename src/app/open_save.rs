//! Opening and saving: what becomes of a file that was chosen, dropped or named.

use std::path::{Path, PathBuf};

use eframe::egui::Context;

use super::act::Act;
use super::chore::Chore;
use super::export::made;
use super::opened::Opening;
use super::purpose::Purpose;
use super::shared::Shared;
use super::showing::Source;
use super::trouble::About;
use super::{App, panes, stage};
use crate::error::{Error, Result};
use crate::experiment::DataSpec;
use crate::live::Shown;
use crate::run::found::{Found, found};
use crate::run::whole_files::Writer;

impl App {
    /// The file that served this purpose last.
    pub(super) fn before(&self, purpose: Purpose) -> Option<&PathBuf> {
        if purpose == Purpose::Save { self.document.path() } else { None }
    }

    /// Uses a file; where that cannot be, the question for it stays open and says why.
    pub(super) fn file(&mut self, purpose: Purpose, path: PathBuf, ctx: &Context) {
        // A folder is never replaced: whoever fills it says why it cannot be used.
        let known = self.document.path() == Some(&path) || purpose == Purpose::Attacks;
        if let Some(prompt) = self.prompt.as_mut().filter(|_| !purpose.reads() && !known && path.exists())
            && prompt.replace.as_ref() != Some(&path)
        {
            prompt.trouble = Some(t!("There is such a file already: Save once more to replace it.").to_owned());
            prompt.replace = Some(path);
            return;
        }
        match self.use_file(purpose, path, ctx) {
            Ok(()) => self.prompt = None,
            Err(error) => match &mut self.prompt {
                Some(prompt) => {
                    prompt.trouble = Some(error.to_string());
                    prompt.fresh = true;
                }
                None => self.tell_of(if purpose.reads() { About::Opening } else { About::Saving }, &error),
            },
        }
    }

    fn use_file(&mut self, purpose: Purpose, path: PathBuf, ctx: &Context) -> Result<()> {
        let bytes = match purpose {
            Purpose::Open | Purpose::Run => return self.open(&path, ctx),
            // What may take long is done on a thread.
            Purpose::Image => return self.read_image(path, ctx),
            Purpose::Fetch(_) => return self.begin_images(path, ctx),
            Purpose::Film => {
                let (showing, caption) = (self.showing.clone(), made(&self.document, &self.showing));
                self.chores.push(Chore::written(path, ctx, move || stage::film::gif(&showing, &caption))?);
                return Ok(());
            }
            Purpose::Attacks => {
                let run = self.state.folder.clone().ok_or_else(|| Error::input("no run is open"))?;
                self.chores.push(Chore::attacks(run, path, ctx)?);
                return Ok(());
            }
            Purpose::Picture(of) => return self.shoot(of, path, ctx),
            Purpose::Shared => (self.shared().to_text()? + "\n").into_bytes(),
            Purpose::Save => self.document.experiment().to_toml().into_bytes(),
            Purpose::CurvesCsv => panes::curves::csv(&self.state, &self.view.curves)?,
            Purpose::CurvesPng => panes::curves::png(&self.state, &self.view.curves, ctx.theme())?,
            Purpose::CurvesSvg => panes::curves::svg(&self.state, &self.view.curves, ctx.theme())?,
            Purpose::Table | Purpose::TableLatex => panes::table::text(&self.state, &path)?.into_bytes(),
        };
        Writer::default().write(&path, &bytes)?;
        self.toasts.say(t!("Saved: {path}", path = path.display()), false);
        self.mended(About::Saving);
        if purpose == Purpose::Save {
            self.memory.used(&path);
            self.document.saved(path);
            self.begin_classes_here();
            self.remember();
        }
        Ok(())
    }

    fn read_image(&mut self, path: PathBuf, ctx: &Context) -> Result<()> {
        let facts = self.showing.facts.as_ref();
        let shape = facts.map(|facts| facts.patient.shape).filter(|shape| shape[0] > 0);
        let shape = shape.ok_or_else(|| Error::input("the experiment's images are not loaded yet; try again"))?;
        self.chores.push(Chore::image(path, shape, ctx)?);
        Ok(())
    }

    /// Opens what is at a path: a run, an experiment, a data set or an image.
    fn open(&mut self, path: &Path, ctx: &Context) -> Result<()> {
        match found(path)? {
            Found::Run(folder) => self.open_run(folder, ctx),
            Found::Experiment(file) => self.open_experiment(&file).and_then(|()| self.fetch_images(ctx)),
            Found::Data(path) => self.begin_images(path, ctx),
            Found::Image(file) => self.read_image(file, ctx),
            Found::Shared(file) => self.take_shared(&Shared::read(&file)?),
        }
    }

    /// Begins to read a run; where it is does not matter, and nothing is written there.
    pub(super) fn open_run(&mut self, folder: PathBuf, ctx: &Context) -> Result<()> {
        if self.runner.is_some() {
            return Err(Error::input(format!(
                "a run is at work: stop it before another one is opened: {}",
                folder.display()
            )));
        }
        self.opening = Some(Opening::start(folder, ctx)?);
        Ok(())
    }

    fn open_experiment(&mut self, path: &Path) -> Result<()> {
        let data = self.document.experiment().data.clone();
        self.document.open(path.to_owned())?;
        // Whoever opens a file of their own teaches with it.
        self.begin_classes_here();
        self.memory.used(path);
        self.show_other(&data);
        self.mended(About::Opening);
        self.remember();
        Ok(())
    }

    /// Another experiment is looked at as the one before was.
    pub(super) fn show_other(&mut self, before: &DataSpec) {
        self.fit_image(before);
        self.look(if self.showing.source == Source::Opening { Source::Opening } else { Source::Live });
    }

    /// Shows an image that was read, unless the images are of another shape meanwhile.
    pub(super) fn show_image(&mut self, picture: crate::run::scene::Picture, ctx: &Context) {
        let fits = self.showing.facts.as_ref().is_some_and(|facts| facts.patient.shape == picture.shape);
        if fits {
            self.act(Act::Draw(picture), ctx);
        } else {
            self.showing.image = Shown::default();
        }
    }
}
