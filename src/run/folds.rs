//! A run over folds: one run after another, each in a folder of its own inside, and what they come to together.
//!
//! The outer folder is a run of its own once all are done: its summary is that of all test images, each answered by the model
//! that was not trained on its fold.

use std::path::Path;
use std::sync::Arc;

use super::event::{Event, Sink};
use super::fold::{folder_of, of_fold};
use super::folder::{RunFolder, SUMMARY, experiment_of};
use super::identity::DataChoice;
use super::pooled::pooled;
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::resume::Resumed;
use super::session::Session;
use super::summary::Summary;
use super::whole_files::Writer;
use crate::error::{Error, Result};
use crate::experiment::Experiment;

/// A run over folds at work.
pub struct Folds {
    experiment: Experiment,
    recorder: Recorder,
    choice: DataChoice,
    /// The fold at work, from 1.
    fold: usize,
    session: Option<Session>,
    /// Between sessions.
    sink: Option<Sink>,
}

impl Folds {
    /// A new run in a new folder. The images of the first fold are loaded, so that what does not fit is told before anything
    /// is written.
    ///
    /// # Errors
    /// As [`Prepared::new`]; or where the folder is used or cannot be written.
    pub fn begin(experiment: &Experiment, path: &Path, force: bool) -> Result<Self> {
        let first = Prepared::new(of_fold(experiment, 1))?;
        let experiment = of_fold(&first.experiment, 0);
        let writer = Arc::new(Writer::default());
        let folder = RunFolder::create(path, &experiment.to_toml(), force, &writer)?;
        for fold in 1..=experiment.data.folds {
            let old = folder_of(path, fold);
            if old.exists() {
                std::fs::remove_dir_all(&old).map_err(Error::io("remove the folder", &old))?;
            }
        }
        Ok(Self::in_folder(experiment, Recorder::new(folder, writer), DataChoice::default()))
    }

    /// Goes on in the folder of one that was begun.
    ///
    /// # Errors
    /// Where the folder is in use or damaged.
    pub fn open(path: &Path, choice: &DataChoice) -> Result<Self> {
        let folder = RunFolder::open(path)?;
        let experiment = experiment_of(path)?;
        Ok(Self::in_folder(experiment, Recorder::new(folder, Arc::new(Writer::default())), choice.clone()))
    }

    fn in_folder(experiment: Experiment, recorder: Recorder, choice: DataChoice) -> Self {
        Self { experiment, recorder, choice, fold: 1, session: None, sink: None }
    }

    /// The fold that is next: prepared, for those who show it. None where all are done.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn next(&self) -> Result<Option<Prepared>> {
        let path = |fold| folder_of(self.recorder.folder().path(), fold);
        let left = (self.fold..=self.experiment.data.folds).find(|fold| !path(*fold).join(SUMMARY).is_file());
        left.map(|fold| Prepared::new(of_fold(&self.experiment, fold))).transpose()
    }

    /// The same with an end of the stream to tell on.
    #[must_use]
    pub fn telling(mut self, sink: Sink) -> Self {
        self.sink = Some(sink);
        self
    }

    /// A slice of work; the summary over all folds once they are done.
    ///
    /// # Errors
    /// As [`Session::advance`].
    pub fn advance(&mut self) -> Result<Option<Summary>> {
        if let Some(session) = &mut self.session {
            if session.advance()?.is_some() {
                self.sink = self.session.take().map(Session::into_sink);
                self.fold += 1;
            }
            return Ok(None);
        }
        if self.fold <= self.experiment.data.folds {
            self.begin_fold()?;
            return Ok(None);
        }
        let summary = pooled(self.recorder.folder().path(), &self.experiment)?;
        self.recorder.save_summary(&summary)?;
        Ok(Some(summary))
    }

    /// Begins the next fold, or goes on with it; one that is done is left as it is.
    fn begin_fold(&mut self) -> Result<()> {
        let path = folder_of(self.recorder.folder().path(), self.fold);
        if path.join(SUMMARY).is_file() {
            self.fold += 1;
            return Ok(());
        }
        let Some(mut sink) = self.sink.take() else {
            return Err(Error::Internal("a fold without a stream".to_owned()));
        };
        self.sink = Some(sink.another());
        let (fold, of) = (self.fold, self.experiment.data.folds);
        sink.emit(Event::Fold { fold, of, run: self.recorder.folder().path().to_owned() });
        let session = if path.exists() {
            Resumed::open(&path, &self.choice)?.session(sink)?
        } else {
            let setup = Prepared::new(of_fold(&self.experiment, fold))?;
            let recorder = setup.begin(&path, false)?;
            Session::new(setup, Some(recorder), sink)?
        };
        self.session = Some(session);
        Ok(())
    }

    /// The session at work, if one is.
    pub fn session(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// The stream's end, for what comes after; none where it never had one.
    pub fn into_sink(self) -> Option<Sink> {
        self.session.map(Session::into_sink).or(self.sink)
    }
}
