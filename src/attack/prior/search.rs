//! The search for latents whose images would give the numbers that were seen.

use candle_core::{D, DType, Tensor, Var};

use super::Settings;
use super::draws::normal;
use super::vae::Vae;
use crate::attack::Knowledge;
use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::parameters::Init;
use crate::state::State;

/// Latents worked at once for images of 28 × 28 pixels or fewer; of larger ones fewer, so that a slice stays short.
pub(super) const LATENTS: usize = 64;
const PIXELS: usize = 32 * 32;
/// Adam's rate on a latent, and on what is searched beside it.
const RATE: f64 = 0.05;

/// Latents worked at once for images (C, H, W).
pub(super) fn at_once([_, h, w]: [usize; 3]) -> usize {
    (LATENTS * PIXELS / (h * w)).clamp(1, LATENTS)
}

/// The best latent so far of each target, by the attacker's own loss.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub losses: Vec<f64>,
    /// (targets, k), row by row.
    pub latents: Vec<f32>,
}

impl Found {
    /// Nothing yet of so many targets but where a search begins, (targets, k).
    pub fn from_starts(starts: &Tensor) -> Result<Self> {
        Ok(Self { losses: vec![f64::INFINITY; starts.dim(0)?], latents: starts.flatten_all()?.to_vec1()? })
    }

    /// The same latents, of which nothing is known yet.
    pub fn anew(self) -> Self {
        Self { losses: vec![f64::INFINITY; self.losses.len()], ..self }
    }

    /// Takes a latent of target `row` if its loss is lower than that of all before it.
    pub fn offer(&mut self, row: usize, loss: f64, latent: &[f32]) {
        if loss < self.losses[row] {
            self.losses[row] = loss;
            self.latents[row * latent.len()..][..latent.len()].copy_from_slice(latent);
        }
    }

    /// The latents of these targets (N, k).
    pub fn of(&self, from: usize, count: usize, like: &Tensor) -> Result<Tensor> {
        let k = self.latents.len() / self.losses.len().max(1);
        let part = self.latents[from * k..(from + count) * k].to_vec();
        Ok(Tensor::from_vec(part, (count, k), like.device())?)
    }
}

/// What a latent's image is compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// In the numbers on the wire: ‖f(G(w)) − z‖²/‖z‖².
    Wire,
    /// In pixels that were found, some of which a disguise moved: mean e²/(e² + s²), to which a pixel that is far off counts
    /// no more than one that is off (Geman & McClure 1985).
    Pixels,
}

/// How far off a pixel is that is not taken for moved.
const OFF: f64 = 0.15;

/// Some latents at work: neighbours in the list of all restarts of all targets.
pub(super) struct Search {
    /// Where the first of them stands in that list.
    pub from: usize,
    /// Steps taken.
    pub iteration: usize,
    latents: Var,
    /// What is searched beside the images, where the defence has something unknown.
    unknown: Option<Var>,
    adam: Adam,
    aim: Aim,
    /// What each should explain (N, …), and one over its squared norm (N, 1, …).
    seen: Tensor,
    scale: Tensor,
    /// Of each latent as it is now, once that was looked at.
    pub losses: Vec<f64>,
}

impl Search {
    /// Begins with these latents (N, k) for what is to be explained (N, …).
    pub fn new(from: usize, latents: &Tensor, aim: Aim, seen: Tensor, knowledge: &Knowledge) -> Result<Self> {
        let n = latents.dim(0)?;
        let [c, h, w] = knowledge.image;
        let latents = Var::from_tensor(&latents.copy()?)?;
        let defence = knowledge.defence.as_ref().filter(|_| aim == Aim::Wire);
        let unknown = defence.and_then(|defence| defence.unknown(&[n, c, h, w]));
        let unknown =
            unknown.map(|unknown| Var::from_tensor(&Tensor::full(unknown.start as f32, unknown.shape, seen.device())?));
        let unknown = unknown.transpose()?;
        let mut vars = vec![("latents".to_owned(), latents.clone())];
        vars.extend(unknown.iter().map(|unknown| ("unknown".to_owned(), unknown.clone())));
        let adam = Adam::of(vars, AdamSettings::new(RATE));
        let norm = seen.flatten_from(1)?.sqr()?.sum_keepdim(1)?.clamp(f64::from(f32::MIN_POSITIVE), f64::INFINITY)?;
        let sides = [&[n][..], &vec![1; seen.rank() - 1]].concat();
        let scale = norm.recip()?.reshape(sides)?;
        Ok(Self { from, iteration: 0, latents, unknown, adam, aim, seen, scale, losses: Vec::new() })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.scale.dims()[0]
    }

    /// Looks at the losses of all, and unless these are the last, takes a step of Adam: error + λ‖w‖²/k.
    pub fn step(&mut self, vae: &Vae, knowledge: &Knowledge, settings: &Settings) -> Result<()> {
        let k = self.latents.dim(1)? as f64;
        let mut inner = Tape::default();
        let logits = inner.record(|| vae.logits(&self.latents))?;
        let images = Var::from_tensor(&candle_nn::ops::sigmoid(&logits.detach())?)?;
        let mut outer = Tape::default();
        let unknown = self.unknown.as_ref().map(Var::as_tensor);
        let sent = match self.aim {
            Aim::Wire => outer.record(|| knowledge.sent(&images, unknown))?,
            Aim::Pixels => images.as_tensor().clone(),
        };
        let (errors, slope) = self.errors(&(sent.detach() - &self.seen)?)?;
        let sizes = self.latents.as_detached_tensor().sqr()?.sum(D::Minus1)?;
        let losses = (errors + (sizes * (settings.prior / k))?)?.to_dtype(DType::F64)?;
        self.losses = losses.to_vec1()?;
        if let Some(loss) = self.losses.iter().find(|loss| !loss.is_finite()) {
            return Err(Error::Diverged(format!("prior: the loss is {loss} at iteration {}", self.iteration)));
        }
        if self.iteration < settings.iterations {
            let end = outer.record(|| carry_on(&sent, &slope))?;
            let mut down = outer.backward(&end)?;
            let of_images =
                down.remove(&images).ok_or_else(|| Error::Internal("an image has no gradient".to_owned()))?;
            let shares = images.as_detached_tensor();
            let of_logits = (of_images * (&shares - shares.sqr()?)?)?;
            let end = inner.record(|| carry_on(&logits, &of_logits))?;
            let mut gradients = inner.backward(&end)?;
            let prior = (self.latents.as_detached_tensor() * (2.0 * settings.prior / k))?;
            let of_latents = gradients
                .remove(&self.latents)
                .ok_or_else(|| Error::Internal("a latent has no gradient".to_owned()))?;
            gradients.insert(&self.latents, (of_latents + prior)?);
            if let Some(unknown) = &self.unknown
                && let Some(gradient) = down.remove(unknown)
            {
                gradients.insert(unknown, gradient);
            }
            self.adam.step(&gradients)?;
            if let Some(unknown) = &self.unknown {
                // It is known to lie in [0, 1].
                unknown.set(&unknown.as_detached_tensor().clamp(0.0, 1.0)?)?;
            }
        }
        self.iteration += 1;
        Ok(())
    }

    /// The error of each (N), and its gradient by what is apart (N, …).
    fn errors(&self, apart: &Tensor) -> Result<(Tensor, Tensor)> {
        let squares = apart.sqr()?;
        let (errors, slope) = match self.aim {
            Aim::Wire => (squares.broadcast_mul(&self.scale)?, (apart.broadcast_mul(&self.scale)? * 2.0)?),
            Aim::Pixels => {
                let per = 1.0 / apart.get(0)?.elem_count() as f64;
                let bound = (&squares + OFF * OFF)?;
                let errors = ((squares / &bound)? * per)?;
                (errors, ((apart / bound.sqr()?)? * (2.0 * OFF * OFF * per))?)
            }
        };
        Ok((errors.flatten_from(1)?.sum(D::Minus1)?, slope))
    }

    /// Offers each latent as it was when it was last looked at; `restarts` of them are for one target.
    pub fn offer(&self, found: &mut Found, restarts: usize) -> Result<()> {
        for (i, (loss, latent)) in
            self.losses.iter().zip(self.latents.as_detached_tensor().to_vec2::<f32>()?).enumerate()
        {
            found.offer((self.from + i) / restarts, *loss, &latent);
        }
        Ok(())
    }

    pub fn put_in(&self, state: &mut State) -> Result<()> {
        state.put_wholes("search", &[self.from, self.iteration, self.count()])?;
        state.put("latents", &self.latents.as_detached_tensor());
        self.unknown.iter().for_each(|unknown| state.put("unknown", &unknown.as_detached_tensor()));
        state.put_all("search.", self.adam.state()?);
        state.put_reals("latents.losses", &self.losses)
    }

    /// Goes on from what [`Self::put_in`] kept of it.
    pub fn load(mut self, state: &State) -> Result<Self> {
        let device = self.seen.device().clone();
        self.latents.set(&state.tensor("latents")?.to_device(&device)?)?;
        if let Some(unknown) = &self.unknown {
            unknown.set(&state.tensor("unknown")?.to_device(&device)?)?;
        }
        self.adam.load(&state.all("search."))?;
        [_, self.iteration, _] = state.few("search", State::wholes)?;
        self.losses = state.reals("latents.losses")?;
        Ok(self)
    }
}

/// A step of the search on one latent for each of what was seen (N, …), through a generator that has learnt nothing; it can
/// be taken again and again.
///
/// # Errors
/// Returns an error if the client's weights are not known.
pub fn search_step(seen: Tensor, knowledge: Knowledge) -> Result<impl FnMut() -> Result<()> + Send> {
    let init = Init { seed: knowledge.seed, model: &knowledge.name, device: seen.device() };
    let vae = Vae::new(knowledge.image, init)?.frozen();
    let (n, k) = (seen.dim(0)?, Vae::latent_of(knowledge.image));
    let latents = normal(&mut knowledge.stream("restart", 0), n, k, seen.device())?;
    let mut search = Search::new(0, &latents, Aim::Wire, seen, &knowledge)?;
    let settings = Settings { steps: 0, iterations: usize::MAX, restarts: 1, prior: 1e-3, pixels: 0 };
    Ok(move || search.step(&vae, &knowledge, &settings))
}
