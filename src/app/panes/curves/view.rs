//! How the curves are looked at, and the charts made for it, kept until what they show changes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::data::has_time;
use super::example::{PRESET, example, stands_for};
use super::figure::{Against, Figure};
use super::pinned::Pinned;
use super::series::{Chart, Settings};
use crate::app::accuracies::{Accuracy, Smooth};
use crate::app::state::{State, Status};
use crate::texts::english;

/// While rows come, charts are made anew after so small a part more of them.
const PART: usize = 400;

/// What is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shown {
    /// What the model is good for, and what leaks, by epoch.
    #[default]
    Pair,
    /// One figure.
    One(Figure),
    /// All of them, small.
    All,
}

impl Shown {
    /// What it is called.
    pub fn title(self) -> Cow<'static, str> {
        match self {
            Self::Pair => Cow::Borrowed(t!("Utility and leakage")),
            Self::One(figure) => figure.title(),
            Self::All => Cow::Borrowed(t!("All figures")),
        }
    }

    /// What has this title.
    pub fn titled(title: &str) -> Option<Self> {
        let all = Figure::ALL.map(Self::One);
        all.into_iter().chain([Self::Pair, Self::All]).find(|shown| english(|| shown.title()) == title)
    }

    /// What it shows, in a sentence or two.
    pub fn tip(self) -> Cow<'static, str> {
        match self {
            Self::Pair => Cow::Borrowed(t!(
                "What the defence costs, and what leaks all the same, epoch by epoch. A click chooses an epoch for \
                 both and for the pictures."
            )),
            Self::One(figure) => figure.tip(),
            Self::All => Cow::Borrowed(t!("All figures, small")),
        }
    }
}

/// How the curves are looked at.
#[derive(Clone, Debug)]
pub struct CurvesView {
    /// What is drawn.
    pub shown: Shown,
    /// What stands for utility, and what for leakage.
    pub pair: [Figure; 2],
    /// The epoch that is pointed out, here and among the pictures; none for the last.
    pub epoch: Option<usize>,
    /// What tests are drawn against.
    pub tests_against: Against,
    /// And what training is.
    pub training_against: Against,
    /// What smoothing keeps of the past.
    pub keep: f64,
    /// Whether heights are logarithmic, where they can be.
    pub log_y: bool,
    /// Names of what is left out.
    pub hidden: BTreeSet<String>,
    /// Whether the pane is on a page that is scrolled.
    pub scrolled: bool,
    /// The next frame shows all there is.
    pub reset: bool,
    /// Where the pointer is.
    pub pointer: Option<f64>,
    /// The document's preset: another one's recorded example is not shown.
    pub preset: String,
    /// Runs that stand pale behind the shown one.
    pub(super) pinned: Pinned,
    cache: Option<(u64, Vec<Chart>)>,
}

impl Default for CurvesView {
    fn default() -> Self {
        Self {
            scrolled: false,
            shown: Shown::Pair,
            pair: [Figure::UTILITY[0], Figure::LEAKAGE[0]],
            epoch: None,
            tests_against: Against::Epoch,
            training_against: Against::Step,
            keep: Smooth::KEEP,
            log_y: false,
            hidden: BTreeSet::new(),
            reset: false,
            pointer: None,
            preset: PRESET.to_owned(),
            pinned: Pinned::default(),
            cache: None,
        }
    }
}

/// The run whose curves are shown, and whether it is the recorded one.
pub fn shown<'a>(state: &'a State, preset: &str) -> (&'a State, bool) {
    if state.status == Status::Fresh && stands_for(preset) { (example(), true) } else { (state, false) }
}

impl CurvesView {
    /// How a figure is to be made. Time is of use only where rows were watched as they came.
    pub fn settings(&self, figure: Figure, state: &State) -> Settings {
        let against = self.against(figure);
        let natural = if figure == Figure::Test { Against::Epoch } else { Against::Step };
        let against = if against == Against::Time && !has_time(state) { natural } else { against };
        Settings { against, keep: self.keep, log_y: self.log_y, fitted: self.shown == Shown::Pair }
    }

    /// What a figure is drawn against.
    pub fn against(&self, figure: Figure) -> Against {
        match figure {
            Figure::Test if self.shown == Shown::Pair => Against::Epoch,
            Figure::Test => self.tests_against,
            _ => self.training_against,
        }
    }

    /// The figures that are shown. Without a twin there is no difference from it: then accuracies stand for utility.
    pub fn figures(&self, state: &State) -> Vec<Figure> {
        match self.shown {
            Shown::All => Figure::ALL.to_vec(),
            Shown::One(figure) => vec![figure],
            Shown::Pair => {
                let [utility, leakage] = self.pair;
                let twins = |accuracy: Accuracy| state.epochs.iter().any(|(_, row)| accuracy.of_epoch(row).is_some());
                let compares = twins(Accuracy::Decision) && twins(Accuracy::Vanilla);
                vec![if compares || state.epochs.is_empty() { utility } else { Figure::Test }, leakage]
            }
        }
    }

    /// Makes the charts where anything they show has changed. True where it did.
    pub fn update(&mut self, state: &State) -> bool {
        let key = self.key(state);
        if self.cache.as_ref().is_some_and(|(made, _)| *made == key) {
            return false;
        }
        let figures = self.figures(state);
        let charts = figures.iter().map(|figure| {
            let settings = self.settings(*figure, state);
            let mut chart = Chart::of(*figure, state, &settings);
            chart.ghosts = self.pinned.ghosts(*figure, &settings);
            chart
        });
        self.cache = Some((key, charts.collect()));
        true
    }

    /// The charts that were made last.
    pub fn charts(&self) -> &[Chart] {
        self.cache.as_ref().map_or(&[], |(_, charts)| charts)
    }

    /// Differs where the charts do. Of rows that still come only a part more matters.
    fn key(&self, state: &State) -> u64 {
        let mut hasher = DefaultHasher::new();
        let going = state.status == Status::Going;
        let rows = state.rows.len();
        let part = if going { (rows / PART).max(1) } else { 1 };
        (rows - rows % part, going, &state.title, &state.folder).hash(&mut hasher);
        for (_, row) in state.rows.first().into_iter().chain(state.rows.last().filter(|_| !going)) {
            let bits = [row.loss_a, row.acc_fused, row.acc_vanilla].map(|value| value.map(f64::to_bits));
            (row.step, bits).hash(&mut hasher);
        }
        (state.epochs.len(), state.live.len(), state.attacks.len(), state.facts.is_some()).hash(&mut hasher);
        state.attacks.last().map(|record| record.mse.to_bits()).hash(&mut hasher);
        state.summary.as_ref().map(|summary| summary.seconds.to_bits()).hash(&mut hasher);
        (self.shown, self.pair, self.tests_against, self.training_against, self.keep.to_bits(), self.log_y)
            .hash(&mut hasher);
        self.pinned.generation.hash(&mut hasher);
        hasher.finish()
    }
}
