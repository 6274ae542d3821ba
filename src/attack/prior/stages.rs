//! What the learned prior does, stage by stage; each function is a slice.

use candle_core::Tensor;

use super::Prior;
use super::check::Check;
use super::draws::{normal, shifted};
use super::search::{Aim, Found, Search, at_once};
use super::vae::Vae;
use crate::attack::nearest::nearer;
use crate::attack::rmle::{self, Rmle};
use crate::attack::{Evidence, Inversion};
use crate::defence::imitation::{CHUNK, in_chunks};
use crate::error::{Error, Result};
use crate::model::adam::AdamSettings;
use crate::model::wire::Smashed;

/// Images in one step of the generator.
const BATCH: usize = 64;
/// An attacker with fewer images than these shifts them.
const FEW: usize = 100;
/// rMLE's rate on the pixels, and its weight of smoothness there.
const PIXEL_RATE: f64 = 0.1;
const SMOOTH: f64 = 0.001;

impl Prior {
    /// One step of the generator.
    pub(super) fn learn(&mut self) -> Result<()> {
        let (step, (_, kept)) = (self.learnt.len(), self.counts());
        let an_epoch = kept.div_ceil(BATCH);
        let (epoch, within) = (step / an_epoch, step % an_epoch);
        // Amid an epoch there is no order yet where the attack has gone on from a state.
        if within == 0 || self.order.is_empty() {
            self.order = self.knowledge.stream("order", epoch as u64).permutation(kept);
        }
        let batch = self.order.chunks(BATCH).nth(within).unwrap_or(&[]);
        let mut images = self.knowledge.auxiliary()?.batch(batch)?;
        if kept < FEW {
            images = shifted(&images, &mut self.knowledge.stream("shift", step as u64))?;
        }
        let k = Vae::latent_of(self.knowledge.image);
        let noise = normal(&mut self.knowledge.stream("noise", step as u64), batch.len(), k, images.device())?;
        let (loss, gradients) = self.vae.learn(&images, &noise)?;
        self.loss = (loss.images + loss.latents) / images.get(0)?.elem_count() as f64;
        if !self.loss.is_finite() {
            return Err(Error::Diverged(format!("prior: the generator's loss is {} at step {step}", self.loss)));
        }
        self.learnt.push(self.loss);
        self.adam.step(&gradients)
    }

    /// Looks at the next chunk of its images for the nearest; after the last one there are starts.
    pub(super) fn look(&mut self) -> Result<()> {
        let (sought, (_, kept)) = (self.sought()?, self.counts());
        let from = self.looked * CHUNK;
        let own = self.knowledge.auxiliary()?.range(from..kept.min(from + CHUNK))?;
        let smashed = self.learner.smash(&self.knowledge, &own, from)?;
        self.near.resize(sought.dim(0)?, (f32::INFINITY, 0));
        nearer(&mut self.near, &sought.flatten_from(1)?, &smashed.flatten_from(1)?, from)?;
        self.looked += 1;
        if self.looked * CHUNK >= kept {
            self.found = Some(Found::from_starts(&self.starts()?)?);
        }
        Ok(())
    }

    /// The latents of the nearest images.
    fn starts(&self) -> Result<Tensor> {
        let rows: Vec<usize> = self.near.iter().map(|near| near.1).collect();
        let own = self.knowledge.auxiliary()?;
        let chunks = rows.chunks(CHUNK).map(|rows| self.vae.encode(&own.batch(rows)?));
        Ok(Tensor::cat(&chunks.collect::<Result<Vec<_>>>()?, 0)?)
    }

    /// The latents that come next, at their start.
    pub(super) fn begin(&mut self, from: usize) -> Result<Search> {
        let (sought, (_, rows), restarts) = (self.sought()?, self.rows(), self.settings.restarts);
        let count = at_once(self.knowledge.image).min(rows * restarts - from);
        let starts = self.starts()?;
        let k = starts.dim(1)?;
        let latent = |i: usize| -> Result<Tensor> {
            let (row, restart) = (i / restarts, i % restarts);
            if restart == 0 {
                return Ok(starts.narrow(0, row, 1)?);
            }
            normal(&mut self.knowledge.stream("restart", (row as u64) << 32 | restart as u64), 1, k, starts.device())
        };
        let latents = (from..from + count).map(latent).collect::<Result<Vec<_>>>()?;
        let rows: Vec<u32> = (from..from + count).map(|i| (i / restarts) as u32).collect();
        let seen = sought.index_select(&Tensor::from_vec(rows, count, sought.device())?, 0)?;
        Search::new(from, &Tensor::cat(&latents, 0)?, Aim::Wire, seen, &self.knowledge)
    }

    /// A step on the latents at work; when they are through, the next ones have their turn.
    pub(super) fn seek(&mut self) -> Result<()> {
        let mut search = match self.search.take() {
            Some(search) => search,
            None => self.begin(self.searched)?,
        };
        search.step(&self.vae.frozen(), &self.knowledge, &self.settings)?;
        self.loss = search.losses.iter().sum::<f64>() / search.count() as f64;
        self.losses[search.iteration - 1] += search.losses.iter().sum::<f64>();
        if search.iteration <= self.settings.iterations {
            self.search = Some(search);
            return Ok(());
        }
        self.searched += search.count();
        if let Some(found) = &mut self.found {
            search.offer(found, self.settings.restarts)?;
        }
        Ok(())
    }

    /// What the generator makes of what was found for `count` targets from this one on.
    pub(super) fn generated(&self, from: usize, count: usize) -> Result<Tensor> {
        let k = Vae::latent_of(self.knowledge.image);
        let latents = match &self.found {
            None => Tensor::zeros((count, k), self.observed.dtype(), self.observed.device())?,
            Some(found) => {
                let mut found = found.clone();
                self.search
                    .iter()
                    .filter(|_| self.pixels.is_none())
                    .try_for_each(|search| search.offer(&mut found, self.settings.restarts))?;
                found.of(from, count, &self.observed)?
            }
        };
        in_chunks(&latents, |latents| self.vae.images(latents))
    }

    /// The same of latents that were fitted to refined pixels, once they are.
    pub(super) fn fitted_images(&self, from: usize, count: usize) -> Result<Option<Tensor>> {
        let latents = self.fit.as_ref().map(|fit| fit.of(from, count, &self.observed)).transpose()?;
        latents.map(|latents| in_chunks(&latents, |latents| self.vae.images(latents))).transpose()
    }

    /// Begins to refine the pixels of some of what is sought.
    pub(super) fn refine(&mut self, held_out: bool) -> Result<Rmle> {
        let (targets, all) = self.rows();
        let (from, count) = if held_out { (targets, all - targets) } else { (0, targets) };
        let seen = self.sought()?.narrow(0, from, count)?.contiguous()?;
        let settings = rmle::Settings {
            iterations: self.settings.pixels,
            adam: AdamSettings { amsgrad: true, ..AdamSettings::new(PIXEL_RATE) },
            tv: SMOOTH,
            boxed: true,
            rehearse: false,
            settled: 0.0,
        };
        let seen = Evidence::new(Smashed::new(&seen))?;
        let mut rmle = Rmle::with(&seen, &self.knowledge, settings, self.learner.learnt())?;
        rmle.start_from(&self.generated(from, count)?)?;
        Ok(rmle)
    }

    /// A step on pixels: first of the images held out, and where that helped, of the targets.
    pub(super) fn sharpen(&mut self) -> Result<()> {
        let (mut rmle, held_out) = if let Some(pixels) = self.pixels.take() {
            pixels
        } else {
            let held_out = self.check.is_none();
            (self.refine(held_out)?, held_out)
        };
        if rmle.done() {
            self.pixels = Some((rmle, held_out));
            return self.fit();
        }
        rmle.advance()?;
        self.loss = rmle.loss();
        self.pixels = Some((rmle, held_out));
        Ok(())
    }

    /// The sought that are being refined: the first, and one after the last.
    pub(super) fn refining(&self) -> (usize, usize) {
        let (targets, all) = self.rows();
        if self.check.is_none() { (targets, all) } else { (0, targets) }
    }

    /// Latents that come next to be fitted to pixels, at their start.
    pub(super) fn begin_fit(&self) -> Result<Search> {
        let ((from, to), Some((rmle, _)), Some(found)) = (self.refining(), &self.pixels, &self.found) else {
            return Err(Error::Internal("there are no pixels to fit to".to_owned()));
        };
        let count = at_once(self.knowledge.image).min(to - from - self.fitted);
        let pixels = rmle.reconstruction()?.narrow(0, self.fitted, count)?.contiguous()?;
        let latents = found.of(from + self.fitted, count, &self.observed)?;
        Search::new(from + self.fitted, &latents, Aim::Pixels, pixels, &self.knowledge)
    }

    /// A step on latents whose images should be the refined pixels but for those that a disguise moved. After the last one the
    /// images held out are judged, or all is done.
    fn fit(&mut self) -> Result<()> {
        let mut search = match self.search.take() {
            Some(search) => search,
            None => self.begin_fit()?,
        };
        search.step(&self.vae.frozen(), &self.knowledge, &self.settings)?;
        if search.iteration <= self.settings.iterations {
            self.search = Some(search);
            return Ok(());
        }
        if self.fit.is_none() {
            self.fit = Some(self.found.clone().unwrap_or(Found { losses: Vec::new(), latents: Vec::new() }).anew());
        }
        if let Some(fit) = &mut self.fit {
            search.offer(fit, 1)?;
        }
        self.fitted += search.count();
        let (from, to) = self.refining();
        if self.fitted < to - from {
            return Ok(());
        }
        self.fitted = 0;
        if self.check.is_some() {
            self.done = true;
            return Ok(());
        }
        let refined = self.pixels.take().map(|(rmle, _)| rmle.reconstruction()).transpose()?;
        self.judge(refined.as_ref())
    }

    /// Judges itself on the images held out, whose refined pixels these are.
    pub(super) fn judge(&mut self, refined: Option<&Tensor>) -> Result<()> {
        let ((targets, all), (_, kept)) = (self.rows(), self.counts());
        let generated = self.generated(targets, all - targets)?;
        let fitted = self.fitted_images(targets, all - targets)?;
        let refined = refined.zip(fitted.as_ref());
        let check = Check::new(self.knowledge.auxiliary()?, kept, &generated, refined)?;
        self.done = !check.refines();
        self.check = Some(check);
        Ok(())
    }
}
