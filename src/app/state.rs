//! What the window shows, as plain values fed by a run's events. Knows no window.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::accuracies::Curves;
use super::words::{duration, mode, named, target};
use crate::data::{Catalogue, Noun};
use crate::model::wire::WireCount;
use crate::run::by_model::ByModel;
use crate::run::checkpoint::Position;
use crate::run::event::{Event, Past, Progress};
use crate::run::facts::Facts;
use crate::run::held_out::LiveRow;
use crate::run::scene::Gallery;
use crate::run::summary::{AttackRecord, EpochRow, MetricRow, Summary};
use crate::score::metrics::{PSNR, SSIM};
use crate::score::verdict::{Case, Ruling, Verdict};

/// Lines that the log keeps.
const LOG_LINES: usize = 1024;

/// Where the shown run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Status {
    /// No run yet.
    #[default]
    Fresh,
    /// A worker is at it.
    Going,
    /// Complete.
    Done,
    /// A Stop was obeyed.
    Stopped,
    /// It could not go on; [`State::error`] says why.
    Failed,
}

/// What the one judge says of a run's attacks.
#[derive(Debug, PartialEq)]
pub struct Judgement {
    /// Of each attack, in their order; none of a guess.
    pub rulings: Vec<Option<Ruling>>,
    /// Of all attacks at each model.
    pub verdicts: Vec<Verdict>,
}

/// Attacks and epochs that were judged, and whether there was a table.
type Of = (usize, usize, bool);

/// What is known of one run.
#[derive(Debug, Default)]
pub struct State {
    /// Where it is.
    pub status: Status,
    /// What was run, in words.
    pub title: String,
    /// Where it is kept.
    pub folder: Option<PathBuf>,
    /// Where the run over all folds is kept, while one of them is at work.
    pub over_folds: Option<PathBuf>,
    /// How far the present phase is.
    pub progress: Option<Progress>,
    /// Accuracy on the test set, by epoch.
    pub test: Curves,
    /// Smoothed accuracy in training, by step.
    pub training: Curves,
    /// Training steps, each with the seconds since the start where it was watched.
    pub rows: Vec<(Option<f64>, MetricRow)>,
    /// Tests after epochs, likewise.
    pub epochs: Vec<(Option<f64>, EpochRow)>,
    /// How the models answered held-out images while they trained, with the seconds since the start.
    pub live: Vec<(f64, LiveRow)>,
    /// Attacks finished so far; the guesses beside them once the run is done.
    pub attacks: Vec<AttackRecord>,
    /// Pictures of the finished attacks.
    pub galleries: Vec<Gallery>,
    /// What is known of the experiment once its data are loaded.
    pub facts: Option<Arc<Facts>>,
    /// What a run that was opened keeps of its data.
    pub data: Option<Box<Catalogue>>,
    /// Bytes that crossed so far: defended and undefended.
    pub wire: [WireCount; 2],
    /// What the run came to.
    pub summary: Option<Box<Summary>>,
    /// What happened, with the time since the start.
    pub log: VecDeque<(Duration, String)>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// What was judged last, and of how many attacks and epochs, and whether the table was there.
    pub(super) judgement: Mutex<Option<(Of, Arc<Judgement>)>>,
}

impl State {
    /// A run that has just been asked for.
    pub fn started(title: String) -> Self {
        Self { status: Status::Going, title, ..Self::default() }
    }

    /// Whether there is anything for a table.
    pub fn measured(&self) -> bool {
        self.summary.is_some() || !self.epochs.is_empty() || !self.attacks.is_empty()
    }

    /// What an image of the run is called; none before its data are known.
    pub fn noun(&self) -> Option<Noun> {
        let summary = self.summary.as_ref().map(|summary| Noun::of(&summary.experiment.data.name));
        summary.or_else(|| self.facts.as_ref().map(|facts| facts.noun()))
    }

    /// Takes in what happened, `at` so long after the start. True where the run has ended.
    pub fn read(&mut self, event: Event, at: Duration) -> bool {
        match event {
            Event::Started { folder, resumed } => {
                let place =
                    folder.as_ref().map(|path| t!(", kept in {path}", path = path.display())).unwrap_or_default();
                self.say(at, format!("{} {}{place}", if resumed { t!("Resumed") } else { t!("Started") }, self.title));
                self.folder = folder;
            }
            Event::Past(past) => self.add_past(*past),
            Event::Progress(progress) => self.progress = Some(progress),
            Event::Steps(rows) => rows.into_iter().for_each(|row| self.add_step(Some(at.as_secs_f64()), row)),
            Event::Live(rows) => self.live.extend(rows.into_iter().map(|row| (at.as_secs_f64(), row))),
            Event::Epoch(row) => {
                let name = target(&row.model);
                self.say(
                    at,
                    t!(
                        "Epoch {epoch}, {name}: test accuracy {accuracy:.1} %",
                        epoch = row.epoch,
                        name,
                        accuracy = row.accuracy
                    ),
                );
                self.add_epoch(Some(at.as_secs_f64()), row);
            }
            Event::Attack(record) => {
                self.say(at, attack_line(&record));
                self.attacks.push(record);
            }
            Event::Gallery(gallery) => self.galleries.push(*gallery),
            // How far an attack is comes with its pictures.
            Event::Reconstruction(_) | Event::Saved => {}
            Event::Warning(text) => self.say(at, format!("{}{text}", t!("Warning: "))),
            Event::Note(text) => self.say(at, text),
            Event::Fold { fold, of, run } => {
                let (facts, log) = (self.facts.take(), std::mem::take(&mut self.log));
                *self = Self { facts, log, over_folds: Some(run), ..Self::started(std::mem::take(&mut self.title)) };
                self.say(at, t!("Fold {fold} of {of}", fold, of));
            }
            Event::Missed(missed) => self.say(
                at,
                t!(
                    "The window was far behind: {rows} training steps and {galleries} attacks' pictures are left \
                     out here; open the run again to see them",
                    rows = missed.rows,
                    galleries = missed.galleries
                ),
            ),
            Event::Done(summary) => {
                self.say(at, t!("Done in {seconds}", seconds = duration(summary.seconds)));
                self.wire = both(&summary.wire.models);
                self.attacks.clone_from(&summary.attacks);
                self.summary = Some(summary);
                self.end(Status::Done);
            }
            Event::Attacked(records) => {
                self.say(at, t!("{records} attacks done; they are in the run's attacks.json", records = records.len()));
                self.end(Status::Stopped);
            }
            Event::Stopped => {
                self.say(at, t!("Stopped; what was measured is kept").to_owned());
                self.end(Status::Stopped);
            }
            Event::Failed(text) => {
                self.say(at, format!("{}{text}", t!("Failed: ")));
                self.error = Some(text);
                self.end(Status::Failed);
            }
        }
        self.status != Status::Going
    }

    fn end(&mut self, status: Status) {
        // What is gone on with, or shown, is the run over all folds.
        if let Some(run) = self.over_folds.take() {
            self.folder = Some(run);
        }
        // However an attack at a finished run ends, the run stays finished.
        self.status = if self.summary.is_some() { Status::Done } else { status };
        self.progress = None;
    }

    /// What of an event is to be said in a short message, before it is read.
    pub fn warning_of(&self, event: &Event) -> Option<String> {
        if let Event::Warning(text) = event { Some(text.clone()) } else { None }
    }

    /// A run that was made before, as if it had just been watched.
    pub fn of_run(
        title: &str,
        folder: &Path,
        rows: Vec<MetricRow>,
        summary: Option<Summary>,
        position: Position,
        afterwards: Vec<AttackRecord>,
    ) -> Self {
        let mut state = Self { title: title.to_owned(), folder: Some(folder.to_owned()), ..Self::default() };
        state.status = if summary.is_some() { Status::Done } else { Status::Stopped };
        for row in rows {
            state.add_step(None, row);
        }
        let epochs = summary.as_ref().map_or(position.epochs, |summary| summary.epochs.clone());
        for row in epochs {
            state.add_epoch(None, row);
        }
        state.attacks = position.attacks;
        if let Some(summary) = summary {
            state.wire = both(&summary.wire.models);
            state.attacks.clone_from(&summary.attacks);
            state.summary = Some(Box::new(summary));
        }
        state.attacks.extend(afterwards);
        state
    }

    /// What is said of the attacks so far. Judged anew only when there is something new: panes ask in every frame.
    pub fn judgement(&self) -> Arc<Judgement> {
        let of = (self.attacks.len(), self.epochs.len(), self.summary.is_some());
        let mut kept = self.judgement.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, judgement)) = kept.as_ref().filter(|(its, _)| *its == of) {
            return judgement.clone();
        }
        let epochs: Vec<EpochRow> = self.epochs.iter().map(|(_, row)| row.clone()).collect();
        let rows = self.summary.as_ref().map(|summary| summary.rows.as_slice()).unwrap_or_default();
        let case = Case { attacks: &self.attacks, epochs: &epochs, rows };
        let judgement = Arc::new(Judgement { rulings: case.rulings(), verdicts: case.verdicts() });
        *kept = Some((of, judgement.clone()));
        judgement
    }

    /// Adds a line to the log.
    pub fn say(&mut self, at: Duration, text: String) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back((at, text));
    }

    /// Steps that were heard of together were taken one after another: they share out the time since the one before.
    pub fn spread_times(&mut self, heard_before: usize) {
        // Those of an earlier session have no time.
        let timed = |i: &usize| self.rows[*i].0.is_some();
        let Some(first) = (heard_before..self.rows.len()).find(timed) else { return };
        let (count, end) = (self.rows.len() - first, self.rows.last().and_then(|row| row.0).unwrap_or(0.0));
        let start = first.checked_sub(1).and_then(|i| self.rows[i].0).unwrap_or(end).min(end);
        for (i, row) in self.rows[first..].iter_mut().enumerate() {
            row.0 = Some(start + (end - start) * (i + 1) as f64 / count as f64);
        }
    }

    fn add_past(&mut self, past: Past) {
        past.rows.into_iter().for_each(|row| self.add_step(None, row));
        past.epochs.into_iter().for_each(|row| self.add_epoch(None, row));
        self.attacks.extend(past.attacks);
    }

    fn add_epoch(&mut self, at: Option<f64>, row: EpochRow) {
        self.test.add_epoch(&row);
        self.epochs.push((at, row));
    }

    fn add_step(&mut self, at: Option<f64>, row: MetricRow) {
        self.training.add_step(&row);
        if let Some(facts) = &self.facts {
            let which = usize::from(row.acc_vanilla.is_some());
            self.wire[which] = self.wire[which].plus(facts.wire_of_step(which, &row));
        }
        self.rows.push((at, row));
    }
}

/// `rmle, adaptive, at dropout after epoch 2: PSNR 12.3 dB, SSIM 0.41 over 8 images in 3.0 s`.
fn attack_line(record: &AttackRecord) -> String {
    t!(
        "{name}, {mode}, at {target} after epoch {epoch}: {psnr}, {ssim} over {images} images in {seconds}",
        name = record.name,
        mode = mode(record),
        target = target(&record.target),
        epoch = record.epoch,
        psnr = named(&PSNR, record.psnr),
        ssim = named(&SSIM, record.ssim),
        images = record.images,
        seconds = duration(record.seconds)
    )
}

/// Bytes of the defended and of the undefended model.
fn both(models: &ByModel<WireCount>) -> [WireCount; 2] {
    [models.defended().unwrap_or_default(), models.undefended().unwrap_or_default()]
}

#[cfg(test)]
mod tests;
