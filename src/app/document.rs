//! The document: the chosen experiment, its name, and the way back and forth through its changes.

mod saved;

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::experiment::{Experiment, PRESETS};

pub use saved::SavedDocument;

/// Changes that can be taken back.
const UNDO_POINTS: usize = 100;
/// The name of an experiment that is no preset.
pub const OWN: &str = "own";

/// An experiment with its name.
#[derive(Clone, Debug, PartialEq)]
struct Page {
    experiment: Experiment,
    name: String,
    path: Option<PathBuf>,
    /// What was last loaded or saved.
    kept: Experiment,
}

impl Page {
    fn new(name: String, experiment: Experiment, path: Option<PathBuf>) -> Self {
        Self { kept: experiment.clone(), experiment, name, path }
    }
}

/// A place in the history: each has a number of its own, which it keeps when it is come back to.
#[derive(Clone, Debug)]
struct Point {
    page: Page,
    number: u64,
}

/// An experiment with its name, to begin with.
#[derive(Clone, Debug)]
pub struct Start(Page);

/// The chosen experiment and its history.
#[derive(Clone, Debug)]
pub struct Document {
    page: Page,
    number: u64,
    /// The largest number so far.
    last: u64,
    past: Vec<Point>,
    future: Vec<Point>,
    /// The key whose control is held: its changes are one until it is let go.
    held: Option<String>,
}

impl Document {
    /// A document without a history. A preset that it equals gives it its name.
    pub fn new(experiment: Experiment) -> Self {
        let page = Page::new(preset_of(&experiment).unwrap_or(OWN).to_owned(), experiment, None);
        Self { page, number: 0, last: 0, past: Vec::new(), future: Vec::new(), held: None }
    }

    /// The experiment.
    pub fn experiment(&self) -> &Experiment {
        &self.page.experiment
    }

    /// Its preset's or its file's name, or `own`.
    pub fn name(&self) -> &str {
        &self.page.name
    }

    /// The file it was read from or saved to.
    pub fn path(&self) -> Option<&PathBuf> {
        self.page.path.as_ref()
    }

    /// What was last loaded or saved.
    pub fn kept(&self) -> &Experiment {
        &self.page.kept
    }

    /// Whether it differs from what was last loaded or saved.
    pub fn changed(&self) -> bool {
        self.page.experiment != self.page.kept
    }

    /// What can be taken back, and done again.
    pub fn history(&self) -> (usize, usize) {
        (self.past.len(), self.future.len())
    }

    /// Tells the present place in the history from all others.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The document as it is, to begin with again.
    pub fn start(&self) -> Start {
        Start(self.page.clone())
    }

    /// Begins again. Always an undo point.
    pub fn begin_again(&mut self, start: &Start) {
        self.remember();
        self.page = start.0.clone();
        self.held = None;
    }

    /// What a run of it is called: a name of its own, or the nearest preset, and what differs.
    pub fn title(&self) -> String {
        let experiment = self.experiment();
        self.own_name().map_or_else(|| experiment.title(), |(name, kept)| experiment.title_beside(name, kept))
    }

    /// The last part of the name of a new run's folder.
    pub fn folder_name(&self) -> String {
        self.experiment().folder_name(self.own_name())
    }

    /// The name that somebody gave it, and what it is the name of.
    fn own_name(&self) -> Option<(&str, &Experiment)> {
        self.path().map(|_| (self.name(), self.kept()))
    }

    /// Changes one setting, as `--set` does. Changes of one held control are one undo point.
    ///
    /// # Errors
    /// Names the key, what was found and what is allowed; nothing is changed then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.set_all([&(key.to_owned(), value.to_owned())])
    }

    /// Changes several settings at once, each a key and a value.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn set_all<'a>(&mut self, settings: impl IntoIterator<Item = &'a (String, String)>) -> Result<()> {
        let mut experiment = self.page.experiment.clone();
        let mut key = None;
        for (name, value) in settings {
            experiment.set(&format!("{name}={value}"))?;
            key.get_or_insert(name.as_str());
        }
        let key = key.unwrap_or_default();
        experiment.validate()?;
        if experiment == self.page.experiment {
            return Ok(());
        }
        let held = self.held.as_deref() == Some(key);
        if held && self.past.last().is_some_and(|before| before.page.experiment == experiment) {
            // Back where it was taken from: nothing has changed.
            self.undo();
            self.future.clear();
            return Ok(());
        }
        if !held {
            self.remember();
            self.held = Some(key.to_owned());
        }
        self.page.experiment = experiment;
        self.rename();
        Ok(())
    }

    /// No control is held any more.
    pub fn settle(&mut self) {
        self.held = None;
    }

    /// Chooses a preset, keeping the seed.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn choose_preset(&mut self, name: &str) -> Result<()> {
        let seed = self.page.experiment.seed;
        let experiment = Experiment { seed, ..Experiment::preset(name)? };
        self.replace(Page::new(name.to_owned(), experiment, None));
        Ok(())
    }

    /// Takes an experiment that was made elsewhere.
    pub fn take(&mut self, experiment: Experiment) {
        let name = preset_of(&experiment).unwrap_or(OWN).to_owned();
        self.replace(Page::new(name, experiment, None));
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Where it is no experiment; the path comes last.
    pub fn open(&mut self, path: PathBuf) -> Result<()> {
        if !path.is_file() {
            return Err(Error::input(format!("there is no such file: {}", path.display())));
        }
        let experiment = Experiment::load(&path)?;
        experiment.validate()?;
        let name = path.file_stem().map_or(OWN.into(), |stem| stem.to_string_lossy()).into_owned();
        self.replace(Page::new(name, experiment, Some(path)));
        Ok(())
    }

    /// It has been written to this file.
    pub fn saved(&mut self, path: PathBuf) {
        self.page.name = path.file_stem().map_or(OWN.into(), |stem| stem.to_string_lossy()).into_owned();
        self.page.path = Some(path);
        self.page.kept = self.page.experiment.clone();
    }

    /// Takes the last change back. False where there is none.
    pub fn undo(&mut self) -> bool {
        let Some(point) = self.past.pop() else { return false };
        let left = self.turn_to(point);
        self.future.push(left);
        true
    }

    /// Does again what was taken back. False where there is nothing.
    pub fn redo(&mut self) -> bool {
        let Some(point) = self.future.pop() else { return false };
        let left = self.turn_to(point);
        self.past.push(left);
        true
    }

    /// Goes to a place in the history; the one that was left.
    fn turn_to(&mut self, point: Point) -> Point {
        self.held = None;
        let page = std::mem::replace(&mut self.page, point.page);
        Point { page, number: std::mem::replace(&mut self.number, point.number) }
    }

    fn replace(&mut self, page: Page) {
        if page != self.page {
            self.remember();
            self.page = page;
        }
        self.held = None;
    }

    fn remember(&mut self) {
        if self.past.len() == UNDO_POINTS {
            self.past.remove(0);
        }
        self.past.push(Point { page: self.page.clone(), number: self.number });
        self.future.clear();
        self.last += 1;
        self.number = self.last;
    }

    /// A changed preset is an experiment of one's own, and a preset again once it is changed back.
    fn rename(&mut self) {
        if self.page.path.is_none() {
            self.page.name = preset_of(&self.page.experiment).unwrap_or(OWN).to_owned();
        }
    }
}

/// The preset that differs from an experiment in nothing but the seed.
fn preset_of(experiment: &Experiment) -> Option<&'static str> {
    let same = |name: &str| {
        Experiment::preset(name).is_ok_and(|preset| Experiment { seed: experiment.seed, ..preset } == *experiment)
    };
    PRESETS.iter().map(|preset| preset.0).find(|name| same(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::{BRAIN, GAMMA, gamma};

    fn document() -> Document {
        Document::new(Experiment::preset("quick").unwrap())
    }

    #[test]
    fn changes_go_back_and_forth_and_a_held_control_is_one_change() {
        let mut document = document();
        for value in ["0.2", "0.3", "0.4"] {
            document.set(GAMMA, value).unwrap();
        }
        document.settle();
        document.set(GAMMA, "0.5").unwrap();
        document.set("train.rate", "0.01").unwrap();
        assert_eq!((document.history(), document.name()), ((3, 0), OWN));
        assert!(document.undo() && document.undo());
        assert_eq!(gamma(document.experiment()), 0.4);
        assert!(document.undo() && !document.undo());
        assert_eq!((document.name(), document.changed()), ("quick", false));
        assert!(document.redo() && document.changed());
        document.set("seed", "7").unwrap();
        assert!(!document.redo());
    }

    #[test]
    fn a_control_that_comes_back_to_where_it_was_has_changed_nothing() {
        let mut document = document();
        for value in ["2", "3", "4", "2"] {
            document.set("model.cut", value).unwrap();
        }
        document.set("model.cut", "4").unwrap();
        assert_eq!((document.history(), document.changed()), ((0, 0), false));
    }

    #[test]
    fn every_place_in_the_history_has_its_own_number() {
        let mut document = document();
        let start = document.start();
        document.set("seed", "1").unwrap();
        let one = document.number();
        document.settle();
        document.begin_again(&start);
        let again = document.number();
        assert_eq!((document.experiment().seed, document.history()), (0, (2, 0)));
        document.begin_again(&start);
        assert_eq!(document.history(), (3, 0), "also where nothing differs");
        assert!(document.undo() && document.number() == again && document.undo());
        assert_eq!((document.number(), document.experiment().seed), (one, 1));
        document.set("seed", "5").unwrap();
        assert!(![one, again].contains(&document.number()));
    }

    #[test]
    fn the_preset_is_recognised_whatever_the_seed() {
        let mut document = document();
        document.set("seed", "7").unwrap();
        assert_eq!(document.name(), "quick");
        document.set("train.epochs", "9").unwrap();
        assert_eq!(document.name(), OWN);
        document.set("train.epochs", "2").unwrap();
        assert_eq!(document.name(), "quick");
        document.choose_preset(BRAIN).unwrap();
        assert_eq!((document.name(), document.experiment().seed), (BRAIN, 7));
    }

    #[test]
    fn what_is_not_allowed_changes_nothing() {
        let mut document = document();
        let before = document.experiment().clone();
        let error = document.set(GAMMA, "7").unwrap_err().to_string();
        assert!(error.starts_with(&format!("{GAMMA} = 7")), "{error}");
        assert!(document.open("/no/such.toml".into()).is_err());
        assert_eq!((document.experiment(), document.history()), (&before, (0, 0)));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut document = document();
        for seed in 1..=2 * UNDO_POINTS {
            document.set("seed", &seed.to_string()).unwrap();
            document.settle();
        }
        assert_eq!(document.history(), (UNDO_POINTS, 0));
    }
}
