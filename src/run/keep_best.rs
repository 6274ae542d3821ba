//! What a run at work keeps of its best epochs; [`best`](super::best) reads it again.

use super::best::file_of;
use super::by_model::ByModel;
use super::checkpoint::{Checkpoint, Position};
use super::course::{Course, Stage};
use super::session::Session;
use super::summary::BestWeights;
use crate::error::{Error, Result};
use crate::score::utility::best_held_out;

impl Session {
    /// Keeps model `at`'s weights if the epoch that has just been tested is its best so far. Which one is told by the
    /// tests alone, so a run that goes on keeps what an unbroken one does.
    pub(super) fn keep_best(&mut self, at: usize) -> Result<()> {
        // Without a folder they are kept only for who wants them in the end.
        let wanted = self.recorder.is_some() || self.setup.experiment.train.takes_best();
        let (model, epoch) = (&self.models[at], self.position.courses[at].epoch);
        let name = &model.plan.name;
        if !wanted {
            return Ok(());
        }
        if best_held_out(&self.position.epochs, name).map(|(best, _)| best) != Some(epoch) {
            return Ok(());
        }
        let mut position = Position { courses: vec![Course::default(); self.models.len()], ..Position::default() };
        position.courses[at] = Course { epoch, stage: Stage::Done, ..Course::default() };
        position.epochs = self.position.epochs.iter().filter(|row| row.model == *name).cloned().collect();
        position.weights = vec![None; self.models.len()];
        position.weights[at] = model.server.votes();
        let mut checkpoint = Checkpoint { position, ..Checkpoint::default() };
        checkpoint.put_model(at, model)?;
        let bytes = checkpoint.to_bytes(&self.hash)?;
        match &self.recorder {
            Some(recorder) => recorder.put(&file_of(name), &bytes)?,
            None => drop(self.best.insert(at, bytes)),
        }
        Ok(())
    }

    /// The weights of model `at`'s best epoch so far.
    ///
    /// # Errors
    /// Returns an error if they cannot be read.
    pub(super) fn best_of(&self, at: usize) -> Result<Checkpoint> {
        if let Some(recorder) = &self.recorder {
            return Checkpoint::load(&recorder.folder().file(&file_of(&self.models[at].plan.name)), &self.hash);
        }
        let bytes = self.best.get(&at).ok_or_else(|| Error::Internal("no epoch's weights are kept".to_owned()))?;
        Checkpoint::from_bytes(bytes, &self.hash).map_err(Error::Internal)
    }

    /// The epochs whose weights are kept; none where nothing is, or not of all models.
    pub(super) fn best_weights(&self) -> Option<BestWeights> {
        let folder = self.recorder.as_ref()?.folder();
        let mut by = None;
        let mut epochs = Vec::new();
        for name in self.models.iter().map(|model| &model.plan.name) {
            // One that an older build began may be without.
            let (epoch, images) = best_held_out(&self.position.epochs, name)?;
            if !folder.file(&file_of(name)).is_file() {
                return None;
            }
            by = Some(images);
            epochs.push((name.clone(), Some(epoch)));
        }
        Some(BestWeights { by: by?, epochs: ByModel::new(epochs) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::best::{Which, models};
    use super::super::control::Command;
    use super::super::event::Event;
    use super::super::identity::DataChoice;
    use super::super::prepared::Prepared;
    use super::super::recorder::read_summary;
    use super::super::resume::Resumed;
    use super::super::weights::{ModelWeights, Weights};
    use super::super::worker::{Outcome, Work, Worker};
    use super::*;
    use crate::experiment::Experiment;
    use crate::score::utility::HeldOut;

    fn experiment() -> Experiment {
        let mut experiment = Experiment::preset("quick").unwrap();
        // So fast a rate that not every epoch is the best so far.
        for assignment in ["attack=[]", "data.train=96", "data.test=60", "train.epochs=5", "train.rate=0.02"] {
            experiment.set(assignment).unwrap();
        }
        experiment
    }

    /// A new run, or one that goes on, until `stop` says so; whether it came to its end.
    fn work(path: &Path, mut stop: impl FnMut(&Event) -> bool) -> bool {
        let to = path.to_owned();
        let worker = Worker::start(move |sink| -> Result<Work> {
            if to.exists() {
                return Ok(Resumed::open(&to, &DataChoice::default())?.session(sink)?.into());
            }
            let prepared = Prepared::new(experiment())?;
            let recorder = prepared.begin(&to, false)?;
            Ok(Session::new(prepared, Some(recorder), sink)?.into())
        })
        .unwrap();
        let control = worker.control.clone();
        let outcome = worker.join(|event| {
            if stop(&event) {
                control.send(Command::Stop);
            }
        });
        match outcome {
            Outcome::Failed(error) => panic!("{error}"),
            outcome => !matches!(outcome, Outcome::Stopped),
        }
    }

    fn files(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = std::fs::read_dir(run.join(super::super::folder::BEST)).unwrap().flatten();
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name().into(), std::fs::read(entry.path()).unwrap())).collect();
        files.sort();
        files
    }

    #[test]
    fn the_best_epoch_is_kept_to_the_byte_however_often_the_run_was_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
        let mut after_first = None;
        assert!(work(&whole, |event| {
            if matches!(event, Event::Saved) && after_first.is_none() {
                after_first = Some(files(&whole));
            }
            false
        }));
        // Stopped in the middle of an epoch, and right after one.
        assert!(!work(&broken, |event| matches!(event, Event::Steps(rows) if rows.iter().any(|row| row.step == 4))));
        assert!(!work(&broken, |event| matches!(event, Event::Epoch(row) if row.epoch == 3)));
        assert!(work(&broken, |_| false));
        assert_eq!(files(&whole), files(&broken));
        let summary = read_summary(&whole).unwrap();
        let best = summary.best_weights.as_ref().unwrap();
        assert_eq!((best.by, best.epochs.iter().count()), (HeldOut::Test, 2));
        let (_, kept) = models(&whole, Which::Best).unwrap();
        let (_, last) = models(&whole, Which::Last).unwrap();
        let mut others = 0;
        for (kept, last) in kept.iter().zip(&last) {
            let name = kept.model.plan.name.as_str();
            let of = |epoch: usize| summary.epochs.iter().find(|row| row.model == name && row.epoch == epoch).unwrap();
            assert_eq!(best.epochs.iter().find(|(its, _)| *its == name), Some((name, kept.epochs)));
            assert!((1..=5).all(|epoch| of(epoch).accuracy <= of(kept.epochs).accuracy), "{name}");
            assert!(
                (1..kept.epochs).all(|epoch| of(epoch).accuracy < of(kept.epochs).accuracy),
                "the first of equal ones"
            );
            let [a, b] = [kept, last].map(|its| ModelWeights::of(&its.model, String::new()).unwrap());
            assert_eq!(a == b, kept.epochs == 5, "{name}");
            others += usize::from(kept.epochs < 5);
        }
        assert!(others > 0, "a test of nothing: each model's last epoch is its best");
        let weights = Weights::best_of_run(&whole).unwrap();
        assert!(weights.models.values().all(|model| model.trained.ends_with("best by accuracy on the test set")));
        // A run of an older version has no such files, and says so.
        std::fs::remove_dir_all(whole.join(super::super::folder::BEST)).unwrap();
        let error = Weights::best_of_run(&whole).unwrap_err().to_string();
        assert!(error.contains("kept the last alone") && error.ends_with("whole"), "{error}");
    }

    #[test]
    fn the_model_that_is_kept_answers_as_it_was_tested() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        assert!(work(&run, |_| false));
        let summary = read_summary(&run).unwrap();
        let setup = Prepared::of_run(&run, experiment(), &DataChoice::default()).unwrap();
        let samples: Vec<usize> = (0..setup.test.len()).collect();
        let (x, _) = setup.test.batch(&samples, &candle_core::Device::Cpu).unwrap();
        for kept in models(&run, Which::Best).unwrap().1 {
            let at = crate::random::At::Ask { samples: &samples, draw: kept.epochs };
            let answers = kept.model.answer(&x, at).unwrap().predicted().unwrap();
            let right = answers.iter().zip(setup.test.labels()).filter(|(a, b)| a == b).count();
            let name = &kept.model.plan.name;
            let row = summary.epochs.iter().find(|row| row.model == *name && row.epoch == kept.epochs).unwrap();
            assert!((100.0 * right as f64 / samples.len() as f64 - row.accuracy).abs() < 1e-9, "{name}");
        }
    }
}
