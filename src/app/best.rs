//! The stage under the weights of the open run's best epoch, in place of its last.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::state::{State, Status};
use crate::run::weights::Weights;
use crate::score::utility::{HeldOut, best_held_out};
use crate::split::UNDEFENDED;

/// The best weights, and for which run they are wanted.
#[derive(Default)]
pub(super) struct Best {
    wanted: Option<PathBuf>,
    read: Option<(PathBuf, Arc<Weights>)>,
}

/// What the stage can offer of the shown model's best epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// The best epoch.
    pub epoch: usize,
    /// By accuracy on which images.
    pub by: HeldOut,
    /// Whether its weights are in use.
    pub chosen: bool,
    /// Why they cannot be, if so.
    pub why_not: Option<&'static str>,
}

impl Best {
    /// They are wanted for this run, or for none. False where they are still to be read.
    pub(super) fn want(&mut self, run: Option<&Path>) -> bool {
        self.wanted = run.map(Path::to_owned);
        run.is_none_or(|run| self.read.as_ref().is_some_and(|(of, _)| of == run))
    }

    /// They were read.
    pub(super) fn take(&mut self, run: PathBuf, weights: Weights) {
        self.read = Some((run, Arc::new(weights)));
    }

    /// Whether they are wanted for the run in this folder.
    pub(super) fn is_wanted(&self, run: Option<&Path>) -> bool {
        self.wanted.is_some() && self.wanted.as_deref() == run
    }

    /// Those of the run in this folder, if they are wanted and there.
    pub(super) fn of(&self, run: Option<&Path>) -> Option<&Arc<Weights>> {
        let (of, weights) = self.read.as_ref().filter(|_| self.is_wanted(run))?;
        (run == Some(of)).then_some(weights)
    }

    /// What can be offered of the defended model, or of the undefended one; none where no epoch was tested, or the run is
    /// at work.
    pub(super) fn offer(&self, state: &State, defended: bool) -> Option<Offer> {
        let run = state.folder.as_deref().filter(|_| state.status != Status::Going)?;
        let rows = || state.epochs.iter().map(|(_, row)| row);
        let model = &rows().find(|row| (row.model != UNDEFENDED) == defended)?.model;
        let (epoch, by) = best_held_out(rows(), model)?;
        let kept_none = state.summary.as_ref().is_some_and(|summary| summary.best_weights.is_none());
        let why_not = kept_none.then_some(t!("A version made this run that kept the weights of the last epoch alone"));
        Some(Offer { epoch, by, chosen: self.of(Some(run)).is_some(), why_not })
    }
}
