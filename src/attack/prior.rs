//! A learned prior, in the manner of GLASS (Li et al., "GAN you see me?", 2023): a small generator trained on the
//! attacker's own images, whose latent is searched so that its image would give the numbers that were seen.
//!
//! w* = argmin ‖f(G(w)) − z‖²/‖z‖² + λ‖w‖²/k by Adam, from several starts, of which the lowest loss wins: what G makes
//! looks like an image where a deep cut leaves rMLE a choice. G is the decoder of a variational autoencoder in place of
//! their StyleGAN: it learns in seconds from a few hundred images.
//!
//! From G(w*) rMLE then goes on with the pixels, and the latent is fitted to these once more, by an error to which a pixel
//! that is far off counts no more than one that is off: where a disguise moved some of them, the generator's say what was
//! there. Images of the attacker's own that it held out decide what is handed over: G(w*), as at deep cuts, the refined
//! pixels, as at shallow ones, or a mean of these and the fitted image.
//!
//! *Naive* against a defence: through the client as it would be without it. *Adaptive*: through the defence's imitation;
//! what has to be found beside the image is searched with it, the disguise of refined pixels is undone as rMLE does, and
//! the images held out are disguised like the victim's.

mod check;
mod draws;
mod method;
mod search;
mod settings;
mod stages;
#[cfg(test)]
mod tests;
mod vae;

use candle_core::Tensor;

pub use search::search_step;
pub use settings::Settings;
pub use vae::{Loss, Vae};

use check::{Check, mixed};
use search::{Found, Search, at_once};
use settings::watched;

use super::kind::{Kind, Looker, Make};
use super::rmle::Rmle;
use super::threat_model::{Knows, Sees};
use super::{Auxiliary, Doubt, Evidence, Inversion, Knowledge, Learner, Outcome, doubt_of};
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::parameters::Init;
use crate::setting::{Plain, Setting, log, whole};
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "prior",
    title: "a learned prior",
    about: "A learned prior: a generator trained on images of the attacker's own, searched for the image that would give the \
            same numbers on the wire.",
    looker: Looker {
        words: "the server, with the client's weights and similar images",
        brief: "weights and images",
        tip: "A small generator learns from images of the attacker's own what such images look like; then the search is only \
              among images that it can make. Where a deep cut leaves rMLE a choice, this one still looks like an image.",
    },
    sees: &[Sees::Smashed],
    // The labels serve its check on itself: whether it beats a guess from the label.
    knows: &[Knows::ClientWeights, Knows::Auxiliary, Knows::AuxiliaryLabels],
    // To imitate the disguise it trains a head on the client's layers.
    knows_adaptive: &[Knows::ClientWeights, Knows::Auxiliary, Knows::AuxiliaryLabels, Knows::Defence],
    images: 64,
    images_help: "Test images to reconstruct; the generator is trained once for all of them.",
    settings: &[
        Setting::new(
            "steps",
            "Generator's steps",
            "steps",
            whole(0, 1_000_000),
            "Steps of the generator's training on the attacker's own images. 0 plans them: 1,000 for images up to 32 pixels, \
             2,000 for larger ones.",
        )
        .default(Plain::Whole(0)),
        Setting::new("iterations", "Iterations", "iterations", whole(1, 100_000), "Steps of Adam on each latent.")
            .default(Plain::Whole(200)),
        Setting::new(
            "restarts",
            "Restarts",
            "",
            whole(1, 1000),
            "Latents that are tried for each target: the first is that of the nearest image of the attacker's own, the \
             others are drawn. The lowest loss of the attacker's own wins.",
        )
        .default(Plain::Whole(8)),
        Setting::new(
            "prior",
            "Prior λ",
            "",
            log(0.0, 1000.0),
            "Weight of the prior on the latent: more keeps to commoner images.",
        )
        .default(Plain::Real(1e-3)),
        Setting::new(
            "pixels",
            "Pixels' iterations",
            "iterations",
            whole(0, 100_000),
            "Steps of rMLE on the pixels from the generator's image on. What they find counts as much as is best for images of \
             the attacker's own that it held back; 0 never tries them.",
        )
        .default(Plain::Whole(500)),
    ],
    method: &[method::SECTION],
    least_images: (LEAST_IMAGES, "its generator learns from"),
    // The generator with two moments, the latents with theirs, and the pixels.
    saves: |_, image, targets| {
        3 * Vae::numbers(image) + (targets + HELD_OUT) * (Vae::latent_of(image) + 8 * image.iter().product::<usize>())
    },
    quick: &[("images", Plain::Whole(32)), ("steps", Plain::Whole(250)), ("iterations", Plain::Whole(50)), ("pixels", Plain::Whole(125))],
    paper: &[],
    make: Make::FromEvidence(|seen, known, values| Ok(Box::new(Prior::new(seen, known, Settings::of(values)?)?))),
    watched,
    ..Kind::BASE
};

/// Auxiliary images that it needs: one to learn from, one to check itself on.
pub const LEAST_IMAGES: usize = 2;
/// Images that are held back at most, and the share of all that they are otherwise.
const HELD_OUT: usize = 16;
const SHARE: f64 = 0.1;
/// The generator's rate.
const RATE: f64 = 1e-3;

/// A running attack with a learned prior.
pub struct Prior {
    settings: Settings,
    knowledge: Knowledge,
    observed: Tensor,
    learner: Learner,
    /// What is to be explained: the observation, and behind it what the images held out would send.
    sought: Option<Tensor>,
    vae: Vae,
    adam: Adam,
    /// Of every step of the generator.
    learnt: Vec<f64>,
    order: Vec<usize>,
    /// Of everything sought the nearest image trained on, with its squared distance, and the chunks looked at.
    near: Vec<(f32, usize)>,
    looked: usize,
    /// What was found, once there are starts to search from.
    found: Option<Found>,
    search: Option<Search>,
    /// Latents before those at work.
    searched: usize,
    /// Sum of the losses of all latents, by iteration.
    losses: Vec<f64>,
    /// Pixels at work, and whether they are those of the images held out.
    pixels: Option<(Rmle, bool)>,
    /// Latents fitted to refined pixels, and how many of those being refined now are.
    fit: Option<Found>,
    fitted: usize,
    /// How it did on the images held out, once that is known.
    check: Option<Check>,
    done: bool,
    loss: f64,
}

impl Prior {
    /// An attack on every observed sample.
    ///
    /// # Errors
    /// Returns an error if the client's weights or the auxiliary images are not known.
    pub fn new(evidence: &Evidence, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        if knowledge.auxiliary()?.len() < LEAST_IMAGES {
            return Err(Error::input("the learned prior needs two auxiliary images or more: raise data.aux"));
        }
        knowledge.client()?;
        let observed = evidence.smashed()?.tensor().clone();
        let model = format!("attack.{}", knowledge.name);
        let init = Init { seed: knowledge.seed, model: &model, device: observed.device() };
        let vae = Vae::new(knowledge.image, init)?;
        Ok(Self {
            adam: Adam::new(vae.parameters(), AdamSettings::new(RATE)),
            learner: Learner::new(knowledge)?,
            knowledge: knowledge.clone(),
            settings,
            observed,
            sought: None,
            vae,
            learnt: Vec::new(),
            order: Vec::new(),
            near: Vec::new(),
            looked: 0,
            found: None,
            search: None,
            searched: 0,
            losses: vec![0.0; settings.iterations + 1],
            pixels: None,
            fit: None,
            fitted: 0,
            check: None,
            done: false,
            loss: f64::NAN,
        })
    }

    /// Auxiliary images, and those of them that are trained on.
    fn counts(&self) -> (usize, usize) {
        let n = self.knowledge.auxiliary.as_ref().map_or(LEAST_IMAGES, Auxiliary::len);
        (n, n - ((n as f64 * SHARE) as usize).clamp(1, HELD_OUT))
    }

    /// Targets, and everything sought.
    fn rows(&self) -> (usize, usize) {
        let (targets, (n, kept)) = (self.observed.dims()[0], self.counts());
        (targets, targets + n - kept)
    }

    fn steps(&self) -> usize {
        self.settings.planned_steps(self.knowledge.image)
    }

    /// What is sought; asked of the imitator, which has learnt by then.
    fn sought(&mut self) -> Result<Tensor> {
        if let Some(sought) = &self.sought {
            return Ok(sought.clone());
        }
        let (n, kept) = self.counts();
        let own = self.knowledge.auxiliary()?.range(kept..n)?;
        let held = self.learner.smash(&self.knowledge, &own, kept)?.detach();
        Ok(self.sought.insert(Tensor::cat(&[&self.observed, &held], 0)?).clone())
    }
}

impl Inversion for Prior {
    /// Generator, latents and pixels. What the imitator makes of its own images is asked again.
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        self.learner.put_in(&mut state)?;
        let shared = self.vae.parameters().iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        state.put_all("generator.", shared.collect());
        state.put_all("adam.", self.adam.state()?);
        state.put_reals("learnt", &self.learnt)?;
        state.put_reals("losses", &self.losses)?;
        state.put_reals("loss", &[self.loss])?;
        state.put_wholes("place", &[self.looked, self.searched, self.fitted, usize::from(self.done)])?;
        let (distances, rows): (Vec<f64>, Vec<usize>) =
            self.near.iter().map(|near| (f64::from(near.0), near.1)).unzip();
        state.put_reals("near.distances", &distances)?;
        state.put_wholes("near.rows", &rows)?;
        if let Some(found) = &self.found {
            state.put_reals("found.losses", &found.losses)?;
            state.put("found.latents", &found.of(0, found.losses.len(), &self.observed)?);
        }
        self.search.iter().try_for_each(|search| search.put_in(&mut state))?;
        if let Some(fit) = &self.fit {
            state.put_reals("fit.losses", &fit.losses)?;
            state.put("fit.latents", &fit.of(0, fit.losses.len(), &self.observed)?);
        }
        self.check.iter().try_for_each(|check| state.put_reals("check", &check.numbers()))?;
        if let Some((rmle, _)) = &self.pixels {
            state.put_all("pixels.", rmle.state()?.unwrap_or_default().tensors().clone());
        }
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        self.learner.load(state)?;
        self.vae.parameters().load(&state.all("generator."))?;
        self.adam.load(&state.all("adam."))?;
        (self.learnt, self.losses) = (state.reals("learnt")?, state.reals("losses")?);
        self.order.clear();
        [self.loss] = state.few("loss", State::reals)?;
        let [looked, searched, fitted, done] = state.few("place", State::wholes)?;
        (self.looked, self.searched, self.fitted, self.done) = (looked, searched, fitted, done > 0);
        let distances = state.reals("near.distances")?.into_iter().map(|distance| distance as f32);
        self.near = distances.zip(state.wholes("near.rows")?).collect();
        if self.losses.len() != self.settings.iterations + 1
            || !self.near.is_empty() && self.near.len() != self.rows().1
        {
            return Err(Error::input("the attack's state is of other settings or of another number of images"));
        }
        let read = |name: &str| -> Result<Option<Found>> {
            let (losses, latents) = (format!("{name}.losses"), format!("{name}.latents"));
            if !state.has(&losses) {
                return Ok(None);
            }
            let latents = state.tensor(&latents)?.flatten_all()?.to_vec1()?;
            Ok(Some(Found { losses: state.reals(&losses)?, latents }))
        };
        (self.found, self.fit) = (read("found")?, read("fit")?);
        if state.has("check") {
            self.check = Some(Check::of(state.few("check", State::reals)?));
        }
        let pixels = state.part("pixels.");
        if !pixels.tensors().is_empty() {
            let held_out = self.check.is_none();
            let mut rmle = self.refine(held_out)?;
            rmle.load(&pixels)?;
            self.pixels = Some((rmle, held_out));
        }
        if state.has("search") {
            let begun = if self.pixels.is_some() { self.begin_fit()? } else { self.begin(self.searched)? };
            self.search = Some(begun.load(state)?);
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        if self.done {
            Ok(())
        } else if self.learner.busy() {
            self.learner.advance(&self.knowledge)
        } else if self.learnt.len() < self.steps() {
            self.learn()
        } else if self.found.is_none() {
            self.look()
        } else if self.searched < self.rows().1 * self.settings.restarts {
            self.seek()
        } else if self.settings.pixels == 0 {
            self.judge(None)
        } else {
            self.sharpen()
        }
    }

    fn progress(&self) -> (usize, usize) {
        let ((targets, all), pixels) = (self.rows(), self.settings.pixels);
        let search = |latents: usize| latents.div_ceil(at_once(self.knowledge.image)) * (self.settings.iterations + 1);
        let round = |count: usize| if pixels > 0 { pixels + search(count) } else { 0 };
        let first = round(all - targets);
        // Where the pixels of the targets are left alone, those of the images held out were all.
        let second = if self.done && self.pixels.is_none() { 0 } else { round(targets) };
        let refined = match &self.pixels {
            Some((rmle, true)) => rmle.progress().0 + search(self.fitted),
            Some((rmle, false)) => first + rmle.progress().0 + search(self.fitted),
            None if self.check.is_some() => first,
            None => 0,
        };
        let at_work = self.search.as_ref().map_or(0, |search| search.iteration);
        let planned = self.steps() + search(all * self.settings.restarts) + first + second;
        let done = self.learnt.len() + search(self.searched) + at_work + refined;
        (if self.done { planned } else { done.min(planned - 1) }, planned)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        let latents = (self.rows().1 * self.settings.restarts) as f64;
        let losses: Vec<f64> = self.losses.iter().take(self.settings.iterations).map(|sum| sum / latents).collect();
        let settled = doubt_of(&losses, losses.first().copied().unwrap_or(1.0));
        let better = self.check.is_some_and(Check::beats_a_guess);
        Ok(settled.or((!better).then_some(Doubt::NoBetterThanGuessing)))
    }

    fn outcome(&self) -> Result<Outcome> {
        let count = self.observed.dim(0)?;
        let (Some((rmle, false)), Some(check)) = (&self.pixels, self.check) else {
            return Ok(Outcome::of_images(self.generated(0, count)?));
        };
        let (refined, fitted) = (rmle.reconstruction()?, self.fitted_images(0, count)?);
        let fitted = fitted.filter(|_| self.done);
        Ok(Outcome::of_images(fitted.map_or(Ok(refined.clone()), |fitted| mixed(&fitted, &refined, check.share))?))
    }

    fn first(&self) -> Result<Option<Tensor>> {
        match &self.pixels {
            Some((rmle, false)) if !self.done => rmle.first(),
            Some((_, false)) => Ok(Some(self.reconstruction()?.get(0)?)),
            _ => Ok(Some(self.generated(0, 1)?.get(0)?)),
        }
    }
}
