//! Limited-memory BFGS (Liu & Nocedal 1989) with the fixed step of PyTorch's `LBFGS` without a line search, which the
//! gradient-matching papers use.
//!
//! PyTorch takes 20 inner iterations a step; what it stops them for leaves the point, the pairs and the direction as they
//! are, so that it goes on from there in the next step. Here every call is one inner iteration, and the points are the same.

use std::collections::VecDeque;

use crate::error::Result;
use crate::state::{State, wrong};

/// Pairs of steps and differences that are kept.
const HISTORY: usize = 100;
/// Gradients, by their largest number, and slopes along the direction that are as good as none.
const FLAT_GRADIENT: f64 = 1e-7;
const FLAT_SLOPE: f64 = 1e-9;
/// Curvature that a pair must have.
const LEAST_CURVATURE: f64 = 1e-10;

/// A search for a minimum of a function of a vector.
#[derive(Debug)]
pub struct Lbfgs {
    rate: f64,
    /// Steps s, differences of gradients y, and 1/(y·s), the oldest first.
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    /// The gradient before and the step from there.
    before: Option<(Vec<f64>, Vec<f64>)>,
    /// Of the first guess at the inverse Hessian, a multiple of the identity.
    scale: f64,
}

impl Lbfgs {
    /// A search with steps of `rate` times the direction.
    pub fn new(rate: f64) -> Self {
        Self { rate, pairs: VecDeque::new(), before: None, scale: 1.0 }
    }

    /// One step from `x`, whose gradient this is; false where there is none to take any more, and x stays.
    pub fn step(&mut self, x: &mut [f64], gradient: &[f64]) -> bool {
        if gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs())) <= FLAT_GRADIENT {
            return false;
        }
        let (direction, rate) = match self.before.take() {
            None => {
                let sum: f64 = gradient.iter().map(|g| g.abs()).sum();
                (gradient.iter().map(|g| -g).collect(), self.rate * (1.0 / sum).min(1.0))
            }
            Some((before, step)) => {
                self.learn(gradient, &before, step);
                (self.direction(gradient), self.rate)
            }
        };
        let falls = dot(gradient, &direction) <= -FLAT_SLOPE;
        let step: Vec<f64> = direction.iter().map(|d| if falls { d * rate } else { 0.0 }).collect();
        x.iter_mut().zip(&step).for_each(|(x, step)| *x += step);
        self.before = Some((gradient.to_vec(), step));
        falls
    }

    fn learn(&mut self, gradient: &[f64], before: &[f64], step: Vec<f64>) {
        let change: Vec<f64> = gradient.iter().zip(before).map(|(now, before)| now - before).collect();
        let curvature = dot(&change, &step);
        if curvature <= LEAST_CURVATURE {
            return;
        }
        if self.pairs.len() == HISTORY {
            self.pairs.pop_front();
        }
        self.scale = curvature / dot(&change, &change);
        self.pairs.push_back((step, change, 1.0 / curvature));
    }

    /// −H·g by the two loops over the pairs.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = vec![0.0; self.pairs.len()];
        for ((step, change, inverse), share) in self.pairs.iter().zip(&mut shares).rev() {
            *share = dot(step, &q) * inverse;
            add(&mut q, change, -*share);
        }
        for q in &mut q {
            *q *= self.scale;
        }
        for ((step, change, inverse), share) in self.pairs.iter().zip(&shares) {
            let back = dot(change, &q) * inverse;
            add(&mut q, step, share - back);
        }
        q
    }

    /// Keeps all of it.
    ///
    /// # Errors
    /// Returns an error if a tensor cannot be made.
    pub fn put_in(&self, state: &mut State) -> Result<()> {
        let flat: Vec<f64> = self.pairs.iter().flat_map(|(s, y, _)| s.iter().chain(y)).copied().collect();
        state.put_reals("lbfgs.pairs", &flat)?;
        state.put_reals("lbfgs.scale", &[self.scale])?;
        let before = self.before.as_ref().map(|(gradient, step)| [&gradient[..], step].concat());
        state.put_reals("lbfgs.before", &before.unwrap_or_default())
    }

    /// Goes on from what [`Self::put_in`] kept of a search over so many numbers.
    ///
    /// # Errors
    /// Returns an error if something is missing or of another search.
    pub fn load(&mut self, state: &State, numbers: usize) -> Result<()> {
        [self.scale] = state.few("lbfgs.scale", State::reals)?;
        let (flat, before) = (state.reals("lbfgs.pairs")?, state.reals("lbfgs.before")?);
        if numbers == 0 || flat.len() % (2 * numbers) != 0 || !(before.is_empty() || before.len() == 2 * numbers) {
            return Err(wrong("lbfgs"));
        }
        let pair = |both: &[f64]| {
            let (step, change) = both.split_at(numbers);
            (step.to_vec(), change.to_vec(), 1.0 / dot(change, step))
        };
        self.pairs = flat.chunks(2 * numbers).map(pair).collect();
        self.before =
            before.chunks(2 * numbers).next().map(|both| both.split_at(numbers)).map(|(g, s)| (g.into(), s.into()));
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], what: &[f64], times: f64) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += times * what);
}

#[cfg(test)]
mod tests;
