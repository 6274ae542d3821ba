//! The folder of a run: made, or gone on in, once its disk is known to have room.

use std::path::Path;
use std::sync::Arc;

use super::folder::RunFolder;
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::room;
use super::whole_files::Writer;
use crate::error::Result;

impl Prepared {
    /// Makes the run's folder, once its disk is known to have room.
    ///
    /// # Errors
    /// Where the folder is used, locked or cannot be written, or the disk has too little room.
    pub fn begin(&self, path: &Path, force: bool) -> Result<Recorder> {
        room::check(path, room::of_run(self)?)?;
        let writer = Arc::new(Writer::default());
        let folder = RunFolder::create(path, &self.experiment.to_toml(), force, &writer)?;
        Ok(Recorder::new(folder, writer))
    }

    /// Goes on in the folder of a run that was begun.
    ///
    /// # Errors
    /// Where the folder cannot be written, or the disk has too little room.
    pub fn go_on(&self, folder: RunFolder) -> Result<Recorder> {
        room::check(folder.path(), room::of_run(self)?)?;
        Ok(Recorder::new(folder, Arc::new(Writer::default())))
    }
}
