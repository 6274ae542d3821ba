//! A run in progress, as the window holds it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use crate::data::Images;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::split::SplitPlan;
use crate::model::wire::WireCount;
use crate::psgl::Jacobian;
use crate::run::attacks::truth_picture;
use crate::run::control::Command;
use crate::run::event::{Event, Picture, Scene};
use crate::run::files::Writer;
use crate::run::folder::{RunFolder, new_run_path};
use crate::run::prepared::Prepared;
use crate::run::record::Recorder;
use crate::run::session::Session;
use crate::run::summary::MetricRow;
use crate::run::worker::Worker;

/// How the command line begins what it says about a run's folder; the window has no such option.
const COMMAND_LINE: &str = "--out cannot be used";

/// What a worker is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// There is none.
    #[default]
    Idle,
    /// It works.
    Running,
    /// It waits.
    Paused,
    /// It was asked to save and leave.
    Stopping,
}

/// What is known of an experiment once its data are loaded.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The first patient's image; empty where there are no test images.
    pub patient: Picture,
    /// Training images of the hospital.
    pub images: usize,
    /// Images in a step.
    pub batch: usize,
    /// Under PSGL and undefended, where each is trained.
    pub models: [Option<WireFacts>; 2],
}

/// What of one image crosses the wire in training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireFacts {
    /// Shape of the smashed data.
    pub smashed: Vec<usize>,
    /// Bytes.
    pub image: WireCount,
}

impl Facts {
    /// What a prepared experiment tells.
    ///
    /// # Errors
    /// Where a model does not fit.
    pub fn of(prepared: &Prepared) -> Result<Self> {
        let some: &Images = if prepared.targets.is_empty() { &prepared.test } else { &prepared.targets };
        let plan = |name: &str| prepared.plans.iter().find(|plan| plan.name == name).map(WireFacts::of).transpose();
        Ok(Self {
            patient: if some.is_empty() { Picture::default() } else { truth_picture(some, 0) },
            images: prepared.victim.len(),
            batch: prepared.experiment.train.batch,
            models: [plan("psgl")?, plan("vanilla")?],
        })
    }

    /// What crossed in a training step of model `which`; the last step of an epoch may be smaller.
    pub fn wire_of_step(&self, which: usize, row: &MetricRow) -> WireCount {
        let steps = self.images.div_ceil(self.batch.max(1)).max(1);
        let before = row.step.saturating_sub(1) % steps * self.batch;
        let images = self.images.saturating_sub(before).min(self.batch) as u64;
        let one = self.models[which].as_ref().map(|model| model.image).unwrap_or_default();
        WireCount {
            smashed_bytes: images * one.smashed_bytes,
            gradient_bytes: images * one.gradient_bytes,
            leaked_clean_bytes: images * one.leaked_clean_bytes,
        }
    }
}

impl WireFacts {
    fn of(plan: &SplitPlan) -> Result<Self> {
        let smashed = plan.smashed()?;
        let bytes = (smashed.iter().product::<usize>() * size_of::<f32>()) as u64;
        // A server that is asked for gradients sees the clean image first and answers with two.
        let asks = u64::from(plan.psgl.is_some_and(|options| options.jacobian == Jacobian::Server));
        let image = WireCount {
            smashed_bytes: bytes * (1 + asks),
            gradient_bytes: bytes * (1 + 2 * asks),
            leaked_clean_bytes: bytes * asks,
        };
        Ok(Self { smashed, image })
    }
}

/// A worker and what the window knows about it.
pub struct Runner {
    worker: Worker,
    facts: Arc<OnceLock<Facts>>,
    seen: u64,
    stopping: bool,
    start: Instant,
}

impl Runner {
    /// Starts a run. Data are loaded and its folder is made on the worker's thread: in `runs`, or else
    /// where runs go.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(experiment: Experiment, name: String, runs: Option<PathBuf>) -> Result<Self> {
        let facts = Arc::new(OnceLock::new());
        let its_facts = facts.clone();
        let worker = Worker::start(move |sink| {
            let prepared = Prepared::new(experiment)?;
            // Only this worker sets them.
            let _ = its_facts.set(Facts::of(&prepared)?);
            let path = match runs {
                Some(runs) => free_path(&runs, &name),
                None => new_run_path(&name, prepared.experiment.seed),
            };
            let writer = Arc::new(Writer::default());
            let folder = RunFolder::create(&path, &prepared.experiment.to_toml(), false, &writer)
                .map_err(|error| Error::input(error.to_string().replacen(COMMAND_LINE, "the run cannot be kept", 1)))?;
            Session::new(prepared, Some(Recorder::new(folder, writer)), sink)
        })?;
        Ok(Self { worker, facts, seen: 0, stopping: false, start: Instant::now() })
    }

    /// What it is at.
    pub fn activity(&self) -> Activity {
        if self.stopping {
            Activity::Stopping
        } else if self.worker.control.paused() {
            Activity::Paused
        } else {
            Activity::Running
        }
    }

    /// Passes a command on. Never waits.
    pub fn send(&mut self, command: Command) {
        self.stopping |= command == Command::Stop;
        self.worker.control.send(command);
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The next event, if there is one.
    pub fn next_event(&self) -> Option<Event> {
        match self.worker.events.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Empty) => None,
            // The last event comes before the worker leaves.
            Err(TryRecvError::Disconnected) => Some(Event::Failed("the worker was lost".to_owned())),
        }
    }

    /// The latest pictures, if they are new.
    pub fn new_scene(&mut self) -> Option<Scene> {
        let (number, scene) = self.worker.pictures.newer_than(self.seen)?;
        self.seen = number;
        Some(scene)
    }

    /// What is known of the experiment, once its data are loaded.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.get()
    }

    /// Asks the worker to save and leave, and waits for that; not for ever.
    pub fn leave(mut self, patience: Duration) {
        self.send(Command::Stop);
        let deadline = Instant::now() + patience;
        while !self.worker.finished() && Instant::now() < deadline {
            while self.worker.events.try_recv().is_ok() {}
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// `name`, or the first `name-2`, `name-3` that is not there yet.
fn free_path(folder: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|n| folder.join(format!("{name}-{n}")));
    std::iter::once(folder.join(name)).chain(numbered).find(|path| !path.exists()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_of_an_epoch_is_smaller() {
        let image = WireCount { smashed_bytes: 10, gradient_bytes: 20, leaked_clean_bytes: 0 };
        let model = WireFacts { smashed: vec![5], image };
        let facts = Facts { patient: Picture::default(), images: 70, batch: 32, models: [Some(model), None] };
        let up = |step| facts.wire_of_step(0, &MetricRow { step, ..MetricRow::default() }).smashed_bytes;
        assert_eq!([1, 2, 3, 4, 6].map(up), [320, 320, 60, 320, 60]);
        assert_eq!(facts.wire_of_step(1, &MetricRow::default()), WireCount::default());
    }
}
