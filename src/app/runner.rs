//! A worker in progress, as the window holds it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::attack_later::Afterwards;
use crate::run::control::Command;
use crate::run::event::{Event, Sink};
use crate::run::facts::Facts;
use crate::run::fold::has_folds;
use crate::run::folder::{RunFolder, experiment_of};
use crate::run::folds::Folds;
use crate::run::identity::DataChoice;
use crate::run::launch::{Launch, at_victim, launched};
use crate::run::prepared::Prepared;
use crate::run::resume::Resumed;
use crate::run::scene::Scene;
use crate::run::session::Session;
use crate::run::victim::job::{Task, VictimJob};
use crate::run::victim::{Paths, Victim};
use crate::run::weights::Weights;
use crate::run::worker::{Work, Worker};

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

/// A run's folder, to write in it what an attack finds. One that is marked read-only is left alone, even where the system
/// would let this user write.
fn for_attack(path: &Path) -> Result<RunFolder> {
    let marked = path.metadata().is_ok_and(|folder| folder.permissions().readonly());
    let held =
        if marked { Err(Error::input(format!("it is read-only: {}", path.display()))) } else { RunFolder::open(path) };
    held.map_err(|error| {
        Error::input(format!("the run cannot be attacked: what is stolen is kept in its folder, and {error}"))
    })
}

/// A run over folds; what is known of it is what its next fold tells.
fn fold_by_fold(folds: Folds, sink: Sink, known: &dyn Fn(&Prepared) -> Result<()>) -> Result<Work> {
    if let Some(prepared) = folds.next()? {
        known(&prepared)?;
    }
    Ok(folds.telling(sink).into())
}

/// A worker and what the window knows about it.
pub struct Runner {
    worker: Worker,
    known: Arc<OnceLock<(Experiment, Arc<Facts>)>>,
    unknown: Experiment,
    seen: u64,
    weighed: u64,
    /// When it was asked to stop.
    stopping: Option<Instant>,
    start: Instant,
}

impl Runner {
    /// Starts a run in a new folder. Data are loaded and the folder is made on the worker's thread.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(experiment: Experiment, path: PathBuf) -> Result<Self> {
        Self::with(move |sink, known| {
            let kept =
                |error: Error| Error::input(error.to_string().replacen(COMMAND_LINE, "the run cannot be kept", 1));
            if has_folds(&experiment) {
                let folds = Folds::begin(&experiment, &path, false).map_err(kept)?;
                return fold_by_fold(folds, sink, known);
            }
            let prepared = Prepared::new(experiment)?;
            known(&prepared)?;
            let recorder = prepared.begin(&path, false).map_err(kept)?;
            Ok(Session::new(prepared, Some(recorder), sink)?.into())
        })
    }

    /// Goes on with a run; one that has no checkpoint yet starts over.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn resume(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        Self::with(move |sink, known| {
            if has_folds(&experiment_of(&path)?) {
                return fold_by_fold(Folds::open(&path, &DataChoice::default())?, sink, known);
            }
            let resumed = Resumed::open(&path, &DataChoice::default())?;
            known(resumed.setup())?;
            Ok(resumed.session(sink)?.into())
        })
    }

    /// Launches an attack at a finished run.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn attack(path: &Path, launch: Launch) -> Result<Self> {
        let path = path.to_owned();
        Self::with(move |sink, known| {
            let folder = for_attack(&path)?;
            let launched = launched(&folder, &launch)?;
            let data = DataChoice::default();
            known(&Prepared::to_attack(&path, launched.experiment.clone(), &data, launched.lenient)?)?;
            Ok(Afterwards::new(folder, launched, &data, sink)?.into())
        })
    }

    /// Attacks a victim of another program.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn victim(paths: Paths, launch: Launch, out: PathBuf) -> Result<Self> {
        Self::with(move |sink, _| {
            let attacks = at_victim(&launch)?;
            let task = Task { attacks, images: None, lenient: false, out };
            Ok(VictimJob::new(Victim::open(&paths)?, task, sink)?.into())
        })
    }

    fn with(
        make: impl FnOnce(Sink, &dyn Fn(&Prepared) -> Result<()>) -> Result<Work> + Send + 'static,
    ) -> Result<Self> {
        let known = Arc::new(OnceLock::new());
        let its = known.clone();
        let worker = Worker::start(move |sink| {
            // Only this worker sets them.
            make(sink, &|prepared| {
                let _ = its.set((prepared.experiment.clone(), Arc::new(Facts::of(prepared)?)));
                Ok(())
            })
        })?;
        // What nobody asks for is not made.
        worker.slots.pictures.newer_than(u64::MAX);
        worker.slots.weights.newer_than(u64::MAX);
        worker.slots.watch();
        let start = Instant::now();
        Ok(Self { worker, known, unknown: Experiment::default(), seen: 0, weighed: 0, stopping: None, start })
    }

    /// What it is at.
    pub fn activity(&self) -> Activity {
        if self.stopping.is_some() {
            Activity::Stopping
        } else if self.worker.control.paused() {
            Activity::Paused
        } else {
            Activity::Running
        }
    }

    /// Passes a command on. Never waits.
    pub fn send(&mut self, command: Command) {
        if command == Command::Stop {
            self.stopping.get_or_insert_with(Instant::now);
        }
        self.worker.control.send(command);
    }

    /// Since it was asked to stop.
    pub fn stopping_for(&self) -> Option<Duration> {
        self.stopping.map(|since| since.elapsed())
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
        let (number, scene) = self.worker.slots.pictures.newer_than(self.seen)?;
        self.seen = number;
        Some(scene)
    }

    /// The latest weights, if they are new.
    pub fn new_weights(&mut self) -> Option<Arc<Weights>> {
        let (number, weights) = self.worker.slots.weights.newer_than(self.weighed)?;
        self.weighed = number;
        Some(weights)
    }

    /// What is run.
    pub fn experiment(&self) -> &Experiment {
        self.known.get().map_or(&self.unknown, |known| &known.0)
    }

    /// What is known of the experiment, once its data are loaded.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.known.get().map(|known| &known.1)
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
