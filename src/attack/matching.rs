//! Gradient matching: images whose weight gradient would be the one that was seen (Zhu, Liu & Han 2019).
//!
//! Plain split learning never sends a client's weight gradient. Where clients share theirs, as in split-fed training,
//! whoever averages them sees it, and the server computes its own; these attacks run on that declared evidence
//! ([`WeightGradients`](super::WeightGradients)). What they have in common is here; each has its card in a file of its own.
//!
//! | file | what |
//! |---|---|
//! | `objective` | how far gradients are apart; total variation |
//! | `victim` | both parties' gradient for images, as the attacker computes it |
//! | `labels` | classes from the last layer's gradient |
//! | `lbfgs` | the optimiser of the first papers |
//! | `search` | one search from one start |
//!
//! Batches are worked one after the other, and every batch from several starts, until one explains the gradient; of the
//! searches the one counts whose gradient is nearest to the one seen.

pub mod labels;
pub mod lbfgs;
pub mod objective;
mod search;
mod victim;

use candle_core::Tensor;

use self::labels::{one_hot, restored};
use self::objective::{Distance, Seen};
use self::search::{Found, Search};
pub use self::victim::Victim;
use super::{Doubt, Evidence, Inversion, Knowledge, Learner, Outcome, doubt_of};
use crate::defence::imitation::Undoing;
use crate::error::{Error, Result};
use crate::setting::{Plain, Setting, whole};
use crate::state::State;

/// Inner iterations of PyTorch's L-BFGS in one of its steps, which papers count.
pub const INNER: usize = 20;
/// A search that leaves less of the gradient unexplained is not begun anew.
const EXPLAINED: f64 = 1e-9;
/// One that leaves more is doubted.
const DOUBTED: f64 = 0.05;

/// The setting that says how many images a gradient is of, which tells those who take it.
pub const fn batch(help: &'static str) -> Setting {
    let key = super::WeightGradients::BATCH;
    Setting::new(key, "Images a gradient", "images", whole(1, 128), help).default(Plain::Whole(1))
}

/// How a gradient is matched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What is minimised.
    pub distance: Distance,
    /// Weight of the total variation, the sum over both directions.
    pub tv: f64,
    /// By which steps.
    pub way: Way,
    /// So many of them at most from one start.
    pub iterations: usize,
    /// Starts at most.
    pub restarts: usize,
    /// Whether classes are searched with the images; else they are restored from the gradient beforehand.
    pub searches_labels: bool,
}

/// By which steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Limited-memory BFGS.
    Lbfgs,
    /// Adam, its rate lowered thrice.
    Adam {
        /// The rate to begin with.
        rate: f64,
        /// By the sign of the image's gradient alone.
        signed: bool,
        /// The image is clamped to \[0, 1\] after every step.
        boxed: bool,
    },
}

/// A running attack.
pub struct Matching {
    settings: Settings,
    evidence: Evidence,
    knowledge: Knowledge,
    victim: Victim,
    /// Adaptive, where the client's own gradient cannot be followed through the defence: the victim as if it had none. A
    /// search at that one compares all gradients, and the search through the defence begins with what it finds.
    undefended: Option<Victim>,
    /// Whether that search is at work.
    leading: bool,
    /// Adaptive only: to undo a disguise it learns to imitate it.
    learner: Option<Learner>,
    undoing: Option<Box<dyn Undoing>>,
    /// The batch at work.
    at: usize,
    /// What was seen of it; none where it tells nothing, as of an image that the model is wholly sure of.
    seen: Option<Seen>,
    /// Its classes as rows (N, K), where they are not searched.
    known: Option<Tensor>,
    restart: usize,
    search: Search,
    /// The best of the batch's earlier searches, with what it leaves unexplained and its losses' doubt.
    kept: Option<(Found, Option<Doubt>)>,
    /// Of the batches before.
    finished: Vec<(Found, Option<Doubt>)>,
    loss: f64,
}

impl Matching {
    /// An attack on every gradient that was seen, each by itself.
    ///
    /// # Errors
    /// Returns an error if the weights are not known, or an adaptive attack lacks auxiliary images.
    pub fn new(evidence: &Evidence, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        let victim = Victim::new(evidence, knowledge)?;
        let undefended = victim.undefended();
        let first = undefended.as_ref().unwrap_or(&victim);
        let (seen, known, search) = begin(0, 0, first, evidence, knowledge, &settings)?;
        Ok(Self {
            leading: undefended.is_some(),
            undefended,
            settings,
            learner: knowledge.defence.is_some().then(|| Learner::new(knowledge)).transpose()?,
            undoing: None,
            evidence: evidence.clone(),
            knowledge: knowledge.clone(),
            victim,
            at: 0,
            seen,
            known,
            restart: 0,
            search,
            kept: None,
            finished: Vec::new(),
            loss: f64::NAN,
        })
    }

    fn batches(&self) -> Result<usize> {
        Ok(self.evidence.server_gradients()?.each.len())
    }

    /// Takes up batch `at` from the start `restart`, for a search that leads where there is to be one.
    fn take_up(&mut self, at: usize, restart: usize, leading: bool) -> Result<()> {
        let leads = self.undefended.as_ref().filter(|_| leading);
        let victim = leads.unwrap_or(&self.victim);
        let (seen, known, search) = begin(at, restart, victim, &self.evidence, &self.knowledge, &self.settings)?;
        self.leading = leads.is_some();
        (self.at, self.restart, self.seen, self.known, self.search) = (at, restart, seen, known, search);
        Ok(())
    }

    /// Puts away a search that is over, and takes up the next start or the next batch, if there is one.
    fn go_on(&mut self) -> Result<()> {
        if !self.search.over && self.search.iteration < self.settings.iterations {
            return Ok(());
        }
        if self.leading {
            let led = self.search.best.take();
            self.take_up(self.at, self.restart, false)?;
            return led.map_or(Ok(()), |found| self.search.begin_with(&found));
        }
        if let Some(found) = self.search.best.clone() {
            let losses = &self.search.losses;
            let doubt = doubt_of(losses, losses.first().copied().unwrap_or(1.0));
            // What settled before its steps were over has settled.
            let doubt = doubt.filter(|_| !self.search.over);
            if self.kept.as_ref().is_none_or(|(kept, _)| found.apart < kept.apart) {
                self.kept = Some((found, doubt));
            }
        }
        let share = |seen: &Seen, found: &Found| seen.unexplained(found.apart, self.settings.distance);
        let unexplained = self.seen.as_ref().zip(self.kept.as_ref()).map(|(seen, (found, _))| share(seen, found));
        let explained = unexplained.is_some_and(|share| share < EXPLAINED);
        if self.seen.is_some() && !explained && self.restart + 1 < self.settings.restarts {
            return self.take_up(self.at, self.restart + 1, true);
        }
        let (found, doubt) = match self.kept.take() {
            Some(kept) => kept,
            // A gradient that no start gets hold of takes nothing from the others.
            None if self.batches()? > 1 => (self.search.current()?, Some(Doubt::Unexplained(100.0))),
            None => {
                let (loss, starts) = (self.loss, self.settings.restarts);
                return Err(Error::Diverged(format!("the gradients' distance is {loss} from each of {starts} starts")));
            }
        };
        let unexplained = unexplained.filter(|share| *share > DOUBTED).map(|share| Doubt::Unexplained(100.0 * share));
        self.finished.push((found, unexplained.or(doubt)));
        if self.finished.len() < self.batches()? { self.take_up(self.at + 1, 0, true) } else { Ok(()) }
    }

    /// Images as they are handed over.
    fn handed_over(&self, found: &Found) -> Result<Tensor> {
        let image = found.image.clamp(0.0, 1.0)?;
        match (&self.undoing, &found.unknown) {
            (Some(undoing), Some(unknown)) => undoing.undo(&image, unknown),
            _ => Ok(image),
        }
    }

    /// What there is of the batch at work: the best so far of all its starts.
    fn current(&self) -> Result<Found> {
        let now = self.search.current()?;
        Ok(match &self.kept {
            // A search that leads compares other gradients.
            Some((kept, _)) if self.leading || now.apart.is_nan() || now.apart >= kept.apart => kept.clone(),
            _ => now,
        })
    }

    /// Chooses how to undo the disguise, once there is an imitator to choose with.
    fn choose(&mut self) -> Result<()> {
        if let Some(imitator) = self.learner.as_ref().and_then(Learner::imitator) {
            self.undoing = imitator.undoing(&self.knowledge.own()?)?;
        }
        Ok(())
    }
}

/// What a search of batch `at` begins with: the gradient, the classes that are known, and noise.
fn begin(
    at: usize,
    restart: usize,
    victim: &Victim,
    evidence: &Evidence,
    knowledge: &Knowledge,
    settings: &Settings,
) -> Result<(Option<Seen>, Option<Tensor>, Search)> {
    let server = evidence.server_gradients()?;
    let own = server.each.get(at).ok_or_else(|| Error::Internal("an attack on no gradient".to_owned()))?;
    let (_, n) = server.place(at, evidence.samples());
    let known = if settings.searches_labels {
        None
    } else {
        Some(one_hot(&restored(own, victim.classes, n)?, victim.classes, &own[0])?)
    };
    let noise = knowledge.stream(&format!("start {restart}"), at as u64);
    let search = Search::new(victim, n, settings.searches_labels, settings, noise)?;
    let seen = match Seen::new(victim.compared(evidence, at)?) {
        Err(Error::Diverged(_)) if server.each.len() > 1 => None,
        other => Some(other?),
    };
    Ok((seen, known, search))
}

impl Inversion for Matching {
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        state.put_wholes("matching", &[self.at, self.restart, self.finished.len()])?;
        state.put_reals("loss", &[self.loss])?;
        if self.leading {
            state.put_wholes("leading", &[1])?;
        }
        self.search.put_in(&mut state)?;
        let kept = self.kept.iter().map(|kept| ("kept.".to_owned(), kept));
        let finished = self.finished.iter().enumerate().map(|(i, one)| (format!("finished.{i}."), one));
        for (prefix, (found, doubt)) in kept.chain(finished) {
            found.put_in(&mut state, &prefix)?;
            Doubt::put_in(&mut state, &format!("{prefix}doubt"), *doubt)?;
        }
        if let Some(learner) = &self.learner {
            learner.put_in(&mut state)?;
        }
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        let [at, restart, finished] = state.few("matching", State::wholes)?;
        if at >= self.batches()? || finished > self.batches()? {
            return Err(Error::input("the attack's state is of more gradients than were seen"));
        }
        self.take_up(at, restart, state.has("leading"))?;
        self.search.load(state)?;
        [self.loss] = state.few("loss", State::reals)?;
        let device = self.victim.device.clone();
        let one = |prefix: String| {
            let found = Found::of_state(state, &prefix, &device)?;
            found.map(|found| Ok::<_, Error>((found, Doubt::of_state(state, &format!("{prefix}doubt"))?))).transpose()
        };
        self.kept = one("kept.".to_owned())?;
        let lacking = || Error::input("the attack's state lacks what it had found");
        let all = (0..finished).map(|i| one(format!("finished.{i}."))?.ok_or_else(lacking));
        self.finished = all.collect::<Result<_>>()?;
        if let Some(learner) = &mut self.learner {
            learner.load(state)?;
            self.choose()?;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        if let Some(learner) = self.learner.as_mut().filter(|learner| learner.busy()) {
            learner.advance(&self.knowledge)?;
            return self.choose();
        }
        match &self.seen {
            Some(seen) => {
                let victim = self.undefended.as_ref().filter(|_| self.leading).unwrap_or(&self.victim);
                self.search.advance(victim, seen, self.known.as_ref(), &self.settings)?;
            }
            None => self.search.over = true,
        }
        self.loss = self.search.losses.last().copied().unwrap_or(f64::NAN);
        self.go_on()
    }

    /// A batch that is explained early counts whole, and so does a start that settles early.
    fn progress(&self) -> (usize, usize) {
        let Settings { iterations, restarts, .. } = self.settings;
        let batches = self.evidence.server_gradients().map_or(1, |seen| seen.each.len());
        // Searches of a start that come before the one through the defence.
        let led = usize::from(self.undefended.is_some());
        let (searches, before) = (restarts * (1 + led), self.restart * (1 + led) + if self.leading { 0 } else { led });
        let done = if self.finished.len() > self.at { 0 } else { before * iterations + self.search.iteration };
        // A search that has just settled is not the last of all steps yet.
        (self.finished.len() * searches * iterations + done, batches * searches * iterations)
    }

    fn done(&self) -> bool {
        self.batches().is_ok_and(|batches| self.finished.len() >= batches)
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(self.finished.iter().find_map(|(_, doubt)| *doubt))
    }

    fn outcome(&self) -> Result<Outcome> {
        let mut all: Vec<Found> = self.finished.iter().map(|(found, _)| found.clone()).collect();
        if !self.done() {
            all.push(self.current()?);
        }
        let samples = self.evidence.samples();
        let images = all.iter().map(|found| self.handed_over(found)).collect::<Result<Vec<_>>>()?;
        let mut images = Tensor::cat(&images, 0)?;
        let waiting = samples - images.dim(0)?;
        let mut labels: Vec<u32> = all.iter().flat_map(|found| found.labels.iter().copied()).collect();
        if waiting > 0 {
            let [c, h, w] = self.victim.image;
            let black = Tensor::zeros((waiting, c, h, w), images.dtype(), images.device())?;
            images = Tensor::cat(&[&images, &black], 0)?;
            labels.resize(samples, 0);
        }
        Ok(Outcome { images: Some(images), labels: Some(labels), ..Outcome::default() })
    }

    fn first(&self) -> Result<Option<Tensor>> {
        let current = if let Some((found, _)) = self.finished.first() { found.clone() } else { self.current()? };
        Ok(Some(self.handed_over(&current)?.get(0)?))
    }
}

#[cfg(test)]
mod tests;
