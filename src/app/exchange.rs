//! Files that the window reads and writes on a person's behalf.

use std::path::{Path, PathBuf};

use eframe::egui::Context;

use super::act::Act;
use super::chore::Chore;
use super::files::Purpose;
use super::showing::Source;
use super::{App, panes};
use crate::error::{Error, Result};
use crate::live::Shown;
use crate::run::files::Writer;

impl App {
    /// The file that served this purpose last.
    pub(super) fn before(&self, purpose: Purpose) -> Option<&PathBuf> {
        if purpose == Purpose::Save { self.document.path() } else { None }
    }

    /// Uses a file; where that cannot be, the question for it stays open and says why.
    pub(super) fn file(&mut self, purpose: Purpose, path: PathBuf, ctx: &Context) {
        let known = self.document.path() == Some(&path);
        if let Some(prompt) = self.prompt.as_mut().filter(|_| !purpose.reads() && !known && path.exists())
            && prompt.replace.as_ref() != Some(&path)
        {
            prompt.trouble = Some("There is such a file already: Save once more to replace it.".to_owned());
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
                None => self.tell(&error),
            },
        }
    }

    fn use_file(&mut self, purpose: Purpose, path: PathBuf, ctx: &Context) -> Result<()> {
        let bytes = match purpose {
            Purpose::Open => return self.open(&path),
            // What may take long is done on a thread.
            Purpose::Image => return self.read_image(path, ctx),
            Purpose::Film => {
                let film = Chore::film(path, self.showing.clone(), ctx)?;
                self.chores.push(film);
                return Ok(());
            }
            Purpose::Save => self.document.experiment().to_toml().into_bytes(),
            Purpose::CurvesCsv => panes::curves::csv(&self.state, &self.view.curves)?,
            Purpose::CurvesPng => panes::curves::png(&self.state, &self.view.curves, ctx.theme())?,
            Purpose::CurvesSvg => panes::curves::svg(&self.state, &self.view.curves, ctx.theme())?,
            Purpose::Table => panes::table::text(&self.state, &path)?.into_bytes(),
        };
        Writer::default().write(&path, &bytes)?;
        self.toasts.say(format!("Saved: {}", path.display()), false);
        if purpose == Purpose::Save {
            self.memory.used(&path);
            self.document.saved(path);
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

    fn open(&mut self, path: &Path) -> Result<()> {
        let data = self.document.experiment().data.name.clone();
        self.document.open(path.to_owned())?;
        self.memory.used(path);
        self.fit_image(&data);
        let source = if self.showing.source == Source::Opening { Source::Opening } else { Source::Live };
        self.look(source);
        self.remember();
        Ok(())
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
