//! Manipulated diagnoses at a finished run: METHOD §3's second table.
//!
//! Each attack is launched at each model, naively and adaptively, on an equal share of each class; what it moved goes
//! through the real client, wire and server. Images that were moved against the undefended twin are also carried over to
//! the defended model: that is all that somebody can do who does not know its weights.

mod ordered;
mod subject;

use std::sync::Arc;
use std::time::Instant;

use candle_core::Tensor;

pub use ordered::{IMAGES, Ordered};

use self::subject::{Subject, add};
use super::checkpoint::Checkpoint;
use super::diagnosis_file::{earlier, merged};
use super::event::{Event, Progress, Sink};
use super::fold::check_is_one;
use super::folder::{CHECKPOINT, DIAGNOSIS, RunFolder, experiment_of};
use super::identity::DataChoice;
use super::prepared::Prepared;
use super::recorder::Recorder;
use super::whole_files::Writer;
use crate::attack::adversarial::{Adversary, Changes, Kind, Start, View};
use crate::data::{Part, targets};
use crate::error::{Error, Result};
use crate::model::wire::Smashed;
use crate::random::Seed;
use crate::score::diagnosis::{Answers, DiagnosisRow};
use crate::setting::Values;
use crate::split::UNDEFENDED;

/// Images at a time: a slice of the heaviest attack is a pass forward and back for so many.
const CHUNK: usize = 16;
/// One attack in one form.
struct Job {
    kind: &'static Kind,
    values: Values,
    adaptive: bool,
    /// The model against which inputs are moved.
    at: usize,
    /// The models that are then asked, with their answers so far.
    asked: Vec<(usize, Answers)>,
    seconds: f64,
}

/// Manipulated diagnoses at work.
pub struct Diagnosis {
    images: Part,
    /// Which of the run's test images they are.
    places: Vec<usize>,
    device: candle_core::Device,
    seed: Seed,
    subjects: Vec<Subject>,
    jobs: Vec<Job>,
    /// The first image of the chunk at work, and the job.
    from: usize,
    job: usize,
    /// The adversary at work on the chunk; none before.
    adversary: Option<Box<dyn Adversary>>,
    /// Models whose answers to the images as they are are known.
    known: usize,
    rows: Vec<DiagnosisRow>,
    earlier: Vec<DiagnosisRow>,
    recorder: Recorder,
    start: Instant,
    sink: Sink,
}

/// Manipulates the diagnoses of a run until all is done or `stop` says so: its rows, which `diagnosis.json` has too.
///
/// # Errors
/// Returns an error if the run has no trained models, its images are others, or the disk refuses; [`Error::Stopped`] if it
/// was stopped.
pub fn manipulated(
    folder: RunFolder,
    ordered: &Ordered,
    data: &DataChoice,
    sink: Sink,
    stop: impl Fn() -> bool,
) -> Result<Vec<DiagnosisRow>> {
    let mut diagnosis = Diagnosis::new(folder, ordered, data, sink)?;
    loop {
        if stop() {
            return Err(Error::Stopped);
        }
        if let Some(rows) = diagnosis.advance()? {
            return Ok(rows);
        }
    }
}

impl Diagnosis {
    /// Opens a run and orders the attacks at each of its models.
    ///
    /// # Errors
    /// Returns an error if nothing is asked for, the folder has no trained model or is damaged, or the images are not those
    /// of the run and `data` does not insist.
    pub fn new(folder: RunFolder, ordered: &Ordered, data: &DataChoice, mut sink: Sink) -> Result<Self> {
        if ordered.images == 0 {
            return Err(Error::input("--images 0: at least one image is needed"));
        }
        let mut experiment = experiment_of(folder.path())?;
        let hash = experiment.hash();
        // Its own attacks are none of ours, and need not have what they want.
        experiment.attacks.clear();
        check_is_one(folder.path())?;
        if !folder.file(CHECKPOINT).exists() {
            let path = folder.path().display();
            return Err(Error::input(format!(
                "the run has no trained model yet; go on with `cutlayer run --resume {path}`"
            )));
        }
        let checkpoint = Checkpoint::load(&folder.file(CHECKPOINT), &hash)?;
        let setup = Prepared::of_run(folder.path(), experiment, data)?;
        let seed = ordered.seed.map_or(Seed(setup.experiment.seed), Seed);
        let places = targets(&setup.test, setup.classes(), ordered.images.min(setup.test.len()), seed);
        let images = setup.test.select(&places);
        if images.is_empty() {
            return Err(Error::input("the run has no test images to manipulate"));
        }
        let subjects = (0..setup.plans.len()).map(|i| Subject::new(i, &checkpoint, &setup, &images));
        let subjects = subjects.collect::<Result<Vec<_>>>()?;
        let jobs = jobs(ordered, &subjects);
        if jobs.is_empty() {
            return Err(Error::input("no model of the run can be attacked so: it has no defence to know"));
        }
        let earlier = earlier(folder.path())?;
        sink.emit(Event::Started { folder: Some(folder.path().to_owned()), resumed: true });
        for warning in setup.warnings.iter().cloned().chain(folder.warning()) {
            sink.emit(Event::Warning(warning));
        }
        Ok(Self {
            images,
            places,
            device: setup.device.clone(),
            seed,
            subjects,
            jobs,
            from: 0,
            job: 0,
            adversary: None,
            known: 0,
            rows: Vec::new(),
            earlier,
            recorder: Recorder::new(folder, Arc::new(Writer::default())),
            start: Instant::now(),
            sink,
        })
    }

    /// One slice of work; the rows once all is done. Each attack's are in the run's `diagnosis.json` as soon as it is.
    ///
    /// # Errors
    /// Returns an error if the numbers stop being finite or the disk refuses.
    pub fn advance(&mut self) -> Result<Option<Vec<DiagnosisRow>>> {
        let range = self.from..(self.from + CHUNK).min(self.images.len());
        if range.is_empty() {
            self.turn()?;
        } else if self.known < self.subjects.len() {
            self.ask_clean(range)?;
        } else if self.job < self.jobs.len() {
            self.attack(range)?;
        }
        self.sink.flush();
        Ok((self.known == self.subjects.len() && self.job == self.jobs.len()).then(|| std::mem::take(&mut self.rows)))
    }

    /// The stream's end, for what comes after.
    pub fn into_sink(self) -> Sink {
        self.sink
    }

    /// All images are through: on to the next model or attack.
    fn turn(&mut self) -> Result<()> {
        self.from = 0;
        if self.known < self.subjects.len() {
            self.known += 1;
            return Ok(());
        }
        let new = self.finished(&self.jobs[self.job])?;
        self.job += 1;
        if let Some(row) = new.iter().find(|row| row.crafted_at == row.target && !row.stream.starts_with("stream_")) {
            self.sink.emit(Event::Note(told(row)));
        }
        self.rows.extend(new);
        let all = merged(&self.earlier, &self.rows);
        let text = serde_json::to_vec_pretty(&all).map_err(|e| Error::Internal(format!("diagnosis: {e}")))?;
        self.recorder.put(DIAGNOSIS, &text)
    }

    fn ask_clean(&mut self, range: std::ops::Range<usize>) -> Result<()> {
        let x = self.batch(&range)?;
        let subject = &mut self.subjects[self.known];
        let answer = subject.model.answer(&x, subject.at(&self.places[range.clone()]))?;
        add(&mut subject.clean, &subject.model, &answer)?;
        self.from = range.end;
        Ok(())
    }

    /// One slice of an adversary; when it is done the models are asked about what it moved.
    fn attack(&mut self, range: std::ops::Range<usize>) -> Result<()> {
        let start = Instant::now();
        let (x, samples) = (self.batch(&range)?, &self.places[range.clone()]);
        let job = &self.jobs[self.job];
        let subject = &self.subjects[job.at];
        let (model, plain) = (&subject.model, &subject.plain);
        let view =
            View { model, plain, changes: job.kind.changes, adaptive: job.adaptive, samples, draws: subject.draws };
        let adversary = if let Some(adversary) = &mut self.adversary {
            adversary
        } else {
            let input = match job.kind.changes {
                Changes::Image => x,
                Changes::Smashed => model.ask(&x, subject.at(samples))?.0.tensor().clone(),
            };
            let start = Start { input: &input, samples, seed: self.seed };
            self.adversary.insert((job.kind.make)(&view, start, &job.values)?)
        };
        if !adversary.done() {
            adversary.advance(&view)?;
        }
        let moved = if adversary.done() { Some(adversary.outcome()?) } else { None };
        let (done, planned) = adversary.progress();
        if let Some(moved) = moved {
            self.ask(&moved, range)?;
        }
        self.jobs[self.job].seconds += start.elapsed().as_secs_f64();
        self.show(done, planned);
        Ok(())
    }

    /// Asks every model of the job about what was moved.
    fn ask(&mut self, moved: &Tensor, range: std::ops::Range<usize>) -> Result<()> {
        let samples = &self.places[range.clone()];
        let job = &mut self.jobs[self.job];
        for (subject, answers) in &mut job.asked {
            let subject = &self.subjects[*subject];
            let answer = match job.kind.changes {
                Changes::Image => subject.model.answer(moved, subject.at(samples))?,
                Changes::Smashed => subject.model.answer_to(&Smashed::new(moved))?,
            };
            add(answers, &subject.model, &answer)?;
        }
        (self.adversary, self.from) = (None, range.end);
        Ok(())
    }

    fn batch(&self, range: &std::ops::Range<usize>) -> Result<Tensor> {
        self.images.tensor_of(&range.clone().collect::<Vec<_>>(), &self.device)
    }

    /// The rows of a job that is through.
    fn finished(&self, job: &Job) -> Result<Vec<DiagnosisRow>> {
        let (budget, epsilon) = (job.kind.budget)(&job.values)?;
        let name = |at: usize| self.subjects[at].model.plan.name.clone();
        let row = |target: usize| DiagnosisRow {
            attack: job.kind.id.to_owned(),
            adaptive: job.adaptive,
            target: name(target),
            crafted_at: name(job.at),
            epsilon,
            budget: budget.clone(),
            seed: self.seed.0,
            seconds: job.seconds,
            ..DiagnosisRow::default()
        };
        let labels = self.images.labels();
        let of = |(target, answers): &(usize, Answers)| {
            let clean = &self.subjects[*target].clean;
            let counted = answers
                .iter()
                .filter_map(|(stream, moved)| Some(row(*target).counted(stream, labels, clean.get(stream)?, moved)));
            counted.collect::<Vec<_>>()
        };
        Ok(job.asked.iter().flat_map(of).collect())
    }

    fn show(&mut self, done: usize, planned: usize) {
        let job = &self.jobs[self.job.min(self.jobs.len() - 1)];
        let form = if job.adaptive { "adaptive " } else { "" };
        let phase = format!("{form}{} at {}", job.kind.title, self.subjects[job.at].model.plan.name);
        let share = |from: usize, done: usize| from as f64 + CHUNK as f64 * done as f64 / planned.max(1) as f64;
        let within = if self.adversary.is_some() { share(self.from, done) } else { self.from as f64 };
        let all = self.images.len() as f64;
        let through = self.job as f64 + within / all;
        let spent = self.start.elapsed().as_secs_f64();
        let seconds_left = (through > 0.0).then(|| spent / through * (self.jobs.len() as f64 - through));
        let untold = Vec::new();
        self.sink.emit(Event::Progress(Progress {
            phase,
            done: within as usize,
            total: self.images.len(),
            seconds_left,
            untold,
        }));
    }
}

/// What is launched at which model, in which form, and whose diagnosis is asked then.
fn jobs(ordered: &Ordered, subjects: &[Subject]) -> Vec<Job> {
    let defended = |at: usize| subjects[at].model.plan.defended();
    let mut jobs = Vec::new();
    for (kind, values) in &ordered.attacks {
        for at in 0..subjects.len() {
            // An undefended model has no defence to know: one form alone.
            let forms = [(false, ordered.naive || !defended(at)), (true, ordered.adaptive && defended(at))];
            for (adaptive, _) in forms.into_iter().filter(|(_, wanted)| *wanted) {
                let carried = |other: &usize| {
                    kind.changes == Changes::Image && ordered.naive && !defended(at) && defended(*other)
                };
                let asked = std::iter::once(at).chain((0..subjects.len()).filter(carried));
                jobs.push(Job {
                    kind,
                    values: values.clone(),
                    adaptive,
                    at,
                    asked: asked.map(|at| (at, Answers::new())).collect(),
                    seconds: 0.0,
                });
            }
        }
    }
    jobs
}

/// A finished attack in a line.
fn told(row: &DiagnosisRow) -> String {
    let form = match (row.target.as_str(), row.adaptive) {
        (UNDEFENDED, _) => "",
        (_, true) => "adaptive ",
        (_, false) => "naive ",
    };
    format!(
        "{form}{} at {}, {}: {} right {:.1} % before, {:.1} % after; {:.1} % flipped ({:.1} s)",
        row.attack,
        row.target,
        row.budget,
        row.stream,
        row.clean_accuracy,
        row.attacked_accuracy,
        row.flip_rate,
        row.seconds
    )
}

#[cfg(test)]
mod tests;
