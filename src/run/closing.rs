//! What a run measures last, once its table is filled in: recovery in image space against μ, and the client's cost.
//!
//! Works in slices of a few images, so that it can be stopped.

use std::time::Instant;

use candle_core::Tensor;

use super::judge::Evaluated;
use super::predictions::Verdict;
use super::read_off::Readers;
use super::summary::{ClientCost, RecoveryFigure};
use crate::data::Part;
use crate::error::Result;
use crate::random::At;
use crate::score::image::{mse, pearson};
use crate::split::{SplitModel, UNDEFENDED};

/// Images of the figure a slice, at one μ.
const CHUNK: usize = 16;
/// Images that a client is timed with, and how often.
const TIMED: usize = 64;
const ROUNDS: usize = 5;

/// The last measurements at work.
pub struct Closing {
    /// The filled-in table, kept for the summary.
    pub verdict: Verdict,
    /// What is read off stolen images.
    pub(super) readers: Readers,
    figure: Figure,
    undefended: Cost,
    defended: Cost,
}

impl Closing {
    /// Nothing measured yet.
    pub fn new(verdict: Verdict) -> Self {
        let readers = Readers::default();
        Self { verdict, readers, figure: Figure::default(), undefended: Cost::default(), defended: Cost::default() }
    }

    /// One slice; true once everything is measured.
    ///
    /// # Errors
    /// Where a model fails.
    pub fn advance(&mut self, evaluated: &Evaluated<'_>, targets: &Part) -> Result<bool> {
        let figure = match evaluated.undefended {
            Some(model) => self.figure.advance(evaluated, model, targets)?,
            None => true,
        };
        Ok(figure
            && self.undefended.advance(evaluated, evaluated.undefended)?
            && self.defended.advance(evaluated, evaluated.defended)?)
    }

    /// The paper's sensitivity figure; none without a vanilla model.
    pub fn recovery(&self, evaluated: &Evaluated<'_>) -> Option<RecoveryFigure> {
        evaluated.undefended.map(|_| self.figure.measured(evaluated))
    }

    /// Milliseconds an image costs each client when it asks, by the median of a few batches.
    pub fn client_cost(&self, defended: &str) -> ClientCost {
        let undefended = (UNDEFENDED.to_owned(), self.undefended.median());
        ClientCost::new([undefended, (defended.to_owned(), self.defended.median())])
    }
}

/// The paper's sensitivity figure: image-space recovery of attacked test images against μ, and how well the recovered
/// map shows the true one.
#[derive(Default)]
struct Figure {
    /// Images that are done.
    done: usize,
    /// Of the next few: the attacked ones, once they are made, and how many μ they were recovered at.
    under_way: Option<(Tensor, usize)>,
    clean: Vec<f32>,
    attacked: Vec<f32>,
    map: Vec<f32>,
    found: Vec<f32>,
    /// Images recovered at each μ.
    recovered: Vec<Vec<f32>>,
}

impl Figure {
    fn advance(&mut self, evaluated: &Evaluated<'_>, model: &SplitModel, targets: &Part) -> Result<bool> {
        let all = evaluated.evaluate.mu_images.min(targets.len());
        if self.done >= all {
            return Ok(true);
        }
        let few = CHUNK.min(all - self.done);
        let mus = &evaluated.evaluate.mus;
        self.recovered.resize(mus.len(), Vec::new());
        let disguise = evaluated.disguise;
        match self.under_way.take() {
            None => {
                let (x, _) = targets.batch(&(self.done..self.done + few).collect::<Vec<_>>(), evaluated.device)?;
                let map = disguise.map(model, &x)?;
                let attacked = disguise.attacked(&x, &map, disguise.gamma())?;
                self.clean.extend(list(&x)?);
                self.attacked.extend(list(&attacked)?);
                self.map.extend(list(&map.abs()?)?);
                self.found.extend(list(&disguise.cleaned(&attacked, disguise.mu())?.1.abs()?)?);
                self.under_way = Some((attacked, 0));
            }
            Some((attacked, at)) if at < mus.len() => {
                let recovered = disguise.cleaned(&attacked, mus[at])?.0;
                self.recovered[at].extend(list(&recovered.clamp(0.0, 1.0)?)?);
                self.under_way = Some((attacked, at + 1));
            }
            Some(_) => self.done += few,
        }
        Ok(self.done >= all)
    }

    fn measured(&self, evaluated: &Evaluated<'_>) -> RecoveryFigure {
        let mus = evaluated.evaluate.mus.iter().zip(&self.recovered);
        let found = pearson(&self.found, &self.map);
        RecoveryFigure {
            mse_by_mu: mus.map(|(&mu, recovered)| (mu, mse(recovered, &self.clean))).collect(),
            mse_attacked: mse(&self.attacked, &self.clean),
            map_correlation: if found.is_finite() { found } else { 0.0 },
        }
    }
}

fn list(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// What asking costs the client of one model.
#[derive(Default)]
struct Cost {
    asked: Option<Tensor>,
    /// Milliseconds an image, of each round.
    rounds: Vec<f64>,
}

impl Cost {
    fn advance(&mut self, evaluated: &Evaluated<'_>, model: Option<&SplitModel>) -> Result<bool> {
        let Some(model) = model.filter(|_| self.rounds.len() < ROUNDS) else { return Ok(true) };
        let x = match &self.asked {
            Some(x) => x.clone(),
            None => evaluated.test.take(TIMED.min(evaluated.test.len())).tensor(evaluated.device)?,
        };
        let start = Instant::now();
        model.ask(&x, At::ONCE)?;
        self.rounds.push(start.elapsed().as_secs_f64() * 1e3 / x.dim(0)? as f64);
        self.asked = Some(x);
        Ok(self.rounds.len() == ROUNDS)
    }

    fn median(&self) -> Option<f64> {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}
