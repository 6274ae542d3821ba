//! One search: images, and classes where those are searched too, whose gradient would be the one that was seen.

use candle_core::backprop::GradStore;
use candle_core::{D, Device, Tensor, Var};
use candle_nn::ops::softmax;

use super::labels::one_hot;
use super::lbfgs::Lbfgs;
use super::objective::{Seen, total_variation};
use super::victim::Victim;
use super::{Settings, Way};
use crate::engine::tape::{Tape, sum, times};
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::random::Stream;
use crate::state::State;

/// A search by L-BFGS is given up where in so many steps it has not come to half the distance: from a start that leads
/// somewhere the gradient is explained in some hundreds, from another one in none.
const PATIENCE: usize = 200;
const PROGRESS: f64 = 0.5;
/// A search that leaves so little of the gradient unexplained is over: the rest is rounding. Of a network with small weights
/// the image has a small part in the gradient, and is not found before.
const ENOUGH: f64 = 1e-13;
/// The logit of a class with which a search begins that goes on from another, over those of the others.
const LIKELY: f64 = 2.0;

/// Where the search for what lies beside an image begins is the defence's word; the images begin with noise.
pub struct Search {
    image: Var,
    /// Logits of the classes (N, K), where those are searched.
    label: Option<Var>,
    /// What the defence adds.
    unknown: Option<Var>,
    optimiser: Optimiser,
    pub iteration: usize,
    /// The gradients' distance in every iteration.
    pub losses: Vec<f64>,
    pub best: Option<Found>,
    /// When it last came to half the distance, and to which.
    mark: Option<(usize, f64)>,
    /// Whether there is no step to take any more.
    pub over: bool,
}

/// What a search found, and how far its gradient is from the one seen.
#[derive(Clone)]
pub struct Found {
    pub apart: f64,
    /// (N, C, H, W).
    pub image: Tensor,
    pub unknown: Option<Tensor>,
    pub labels: Vec<u32>,
}

enum Optimiser {
    Lbfgs(Box<Lbfgs>),
    Adam(Adam),
}

impl Search {
    /// Begins with noise for `n` images. Classes that are known are not searched.
    pub fn new(
        victim: &Victim,
        n: usize,
        searches_labels: bool,
        settings: &Settings,
        mut noise: Stream,
    ) -> Result<Self> {
        let [c, h, w] = victim.image;
        let device = &victim.device;
        let mut normal = |shape: &[usize]| -> Result<Var> {
            let values: Vec<f32> = (0..shape.iter().product()).map(|_| noise.normal() as f32).collect();
            Ok(Var::from_tensor(&Tensor::from_vec(values, shape, device)?)?)
        };
        let image = normal(&[n, c, h, w])?;
        let label = searches_labels.then(|| normal(&[n, victim.classes])).transpose()?;
        let unknown = victim.defence().and_then(|defence| defence.unknown(&[n, c, h, w]));
        let filled = |unknown: crate::defence::imitation::Unknown| {
            Var::from_tensor(&Tensor::full(unknown.start as f32, unknown.shape, device)?)
        };
        let unknown = unknown.map(filled).transpose()?;
        let mut search = Self {
            image,
            label,
            unknown,
            optimiser: Optimiser::Lbfgs(Box::new(Lbfgs::new(1.0))),
            iteration: 0,
            losses: Vec::new(),
            best: None,
            mark: None,
            over: false,
        };
        if let Way::Adam { rate, .. } = settings.way {
            search.optimiser = Optimiser::Adam(Adam::of(search.named(), AdamSettings::new(rate)));
        }
        Ok(search)
    }

    /// Begins with what another search found: images, and classes where they are searched.
    pub fn begin_with(&mut self, found: &Found) -> Result<()> {
        self.image.set(&found.image)?;
        if let Some(logits) = &self.label {
            logits.set(&(one_hot(&found.labels, logits.dim(1)?, logits)? * LIKELY)?)?;
        }
        Ok(())
    }

    fn named(&self) -> Vec<(String, Var)> {
        let all = [("image", Some(&self.image)), ("label", self.label.as_ref()), ("unknown", self.unknown.as_ref())];
        all.into_iter().filter_map(|(name, var)| Some((name.to_owned(), var?.clone()))).collect()
    }

    /// One step. The numbers may stop being finite: then it is over, and what was found before stays.
    pub fn advance(&mut self, victim: &Victim, seen: &Seen, known: Option<&Tensor>, settings: &Settings) -> Result<()> {
        let target = match (&self.label, known) {
            (Some(logits), _) => softmax(logits, D::Minus1)?,
            (None, Some(known)) => known.clone(),
            (None, None) => return Err(Error::Internal("a search without classes".to_owned())),
        };
        let mut tape = Tape::default();
        let apart = tape.record(|| {
            let got = victim.gradients(&self.image, self.unknown.as_ref(), &target)?;
            seen.apart(&got, settings.distance)
        })?;
        let number = f64::from(apart.to_scalar::<f32>()?);
        self.losses.push(number);
        if !number.is_finite() {
            self.over = true;
            return Ok(());
        }
        if self.best.as_ref().is_none_or(|best| number < best.apart) {
            self.best = Some(self.found(number, &target)?);
        }
        if self.mark.is_none_or(|(_, mark)| number < PROGRESS * mark) {
            self.mark = Some((self.iteration, number));
        }
        let loss = tape.record(|| match settings.tv {
            0.0 => Ok(times(&apart, seen.scale(settings.distance))?),
            tv => Ok::<_, Error>(sum(&apart, &times(&total_variation(&self.image)?, tv)?)?),
        })?;
        let gradients = tape.backward(&loss)?;
        self.over = !self.step(gradients, settings)?;
        self.iteration += 1;
        // Steps without a line search may leap to where everything is flat, and never come back.
        let stuck = settings.way == Way::Lbfgs && self.mark.is_some_and(|(at, _)| self.iteration - at > PATIENCE);
        self.over |= stuck || seen.unexplained(number, settings.distance) < ENOUGH;
        Ok(())
    }

    fn found(&self, apart: f64, target: &Tensor) -> Result<Found> {
        let image = self.image.as_detached_tensor().copy()?;
        let unknown = self.unknown.as_ref().map(|unknown| unknown.as_detached_tensor().copy()).transpose()?;
        Ok(Found { apart, image, unknown, labels: target.detach().argmax(D::Minus1)?.to_vec1()? })
    }

    fn step(&mut self, mut gradients: GradStore, settings: &Settings) -> Result<bool> {
        let all = self.named();
        let mut on = true;
        match (&mut self.optimiser, settings.way) {
            (Optimiser::Lbfgs(lbfgs), _) => {
                let (mut x, mut g) = (Vec::new(), Vec::new());
                for (_, var) in &all {
                    x.extend(numbers(var)?);
                    g.extend(gradients.get(var).map_or_else(|| Ok(vec![0.0; var.elem_count()]), numbers)?);
                }
                on = lbfgs.step(&mut x, &g);
                let mut rest = x.as_slice();
                for (_, var) in &all {
                    let (own, others) = rest.split_at(var.elem_count());
                    let own: Vec<f32> = own.iter().map(|v| *v as f32).collect();
                    var.set(&Tensor::from_vec(own, var.shape(), var.device())?)?;
                    rest = others;
                }
            }
            (Optimiser::Adam(adam), Way::Adam { rate, signed, boxed }) => {
                if signed && let Some(gradient) = gradients.remove(&self.image) {
                    gradients.insert(&self.image, gradient.sign()?);
                }
                // A tenth at 3/8, 5/8 and 7/8 of the way.
                let passed = [3, 5, 7].iter().filter(|eighths| 8 * self.iteration >= **eighths * settings.iterations);
                adam.settings.rate = rate * 0.1f64.powi(passed.count() as i32);
                adam.step(&gradients)?;
                if boxed {
                    self.image.set(&self.image.as_detached_tensor().clamp(0.0, 1.0)?)?;
                }
            }
            (Optimiser::Adam(_), Way::Lbfgs) => return Err(Error::Internal("a search changed its way".to_owned())),
        }
        if let Some(unknown) = &self.unknown {
            // It is known to lie in [0, 1].
            unknown.set(&unknown.as_detached_tensor().clamp(0.0, 1.0)?)?;
        }
        Ok(on)
    }

    /// The image as it is now, before any step was taken the noise.
    pub fn current(&self) -> Result<Found> {
        let n = self.image.dim(0)?;
        match &self.best {
            Some(best) => Ok(best.clone()),
            None => self.found(f64::NAN, &Tensor::zeros((n, 1), candle_core::DType::F32, self.image.device())?),
        }
    }

    /// Keeps all of it.
    pub fn put_in(&self, state: &mut State) -> Result<()> {
        for (name, var) in self.named() {
            state.put(&name, &var.as_detached_tensor());
        }
        match &self.optimiser {
            Optimiser::Lbfgs(lbfgs) => lbfgs.put_in(state)?,
            Optimiser::Adam(adam) => state.put_all("adam.", adam.state()?),
        }
        state.put_wholes("search", &[self.iteration, usize::from(self.over)])?;
        state.put_reals("losses", &self.losses)?;
        if let Some((at, mark)) = self.mark {
            state.put_wholes("mark.at", &[at])?;
            state.put_reals("mark", &[mark])?;
        }
        self.best.as_ref().map_or(Ok(()), |best| best.put_in(state, "best."))
    }

    /// Goes on from what [`Self::put_in`] kept of it.
    pub fn load(&mut self, state: &State) -> Result<()> {
        for (name, var) in self.named() {
            var.set(&state.tensor(&name)?.to_device(var.device())?)?;
        }
        let all: usize = self.named().iter().map(|(_, var)| var.elem_count()).sum();
        match &mut self.optimiser {
            Optimiser::Lbfgs(lbfgs) => lbfgs.load(state, all)?,
            Optimiser::Adam(adam) => adam.load(&state.all("adam."))?,
        }
        let [iteration, over] = state.few("search", State::wholes)?;
        (self.iteration, self.over, self.losses) = (iteration, over == 1, state.reals("losses")?);
        self.best = Found::of_state(state, "best.", self.image.device())?;
        if state.has("mark") {
            let ([at], [mark]) = (state.few("mark.at", State::wholes)?, state.few("mark", State::reals)?);
            self.mark = Some((at, mark));
        }
        Ok(())
    }
}

impl Found {
    /// Keeps all of it.
    pub fn put_in(&self, state: &mut State, prefix: &str) -> Result<()> {
        state.put_reals(&format!("{prefix}apart"), &[self.apart])?;
        state.put(&format!("{prefix}image"), &self.image);
        self.unknown.iter().for_each(|unknown| state.put(&format!("{prefix}unknown"), unknown));
        let labels: Vec<usize> = self.labels.iter().map(|label| *label as usize).collect();
        state.put_wholes(&format!("{prefix}labels"), &labels)
    }

    /// What [`Self::put_in`] kept; none where nothing was.
    pub fn of_state(state: &State, prefix: &str, device: &Device) -> Result<Option<Self>> {
        let (image, unknown) = (format!("{prefix}image"), format!("{prefix}unknown"));
        if !state.has(&image) {
            return Ok(None);
        }
        let [apart] = state.few(&format!("{prefix}apart"), State::reals)?;
        let labels = state.wholes(&format!("{prefix}labels"))?.into_iter().map(|label| label as u32).collect();
        let there = |name: &str| Ok::<_, Error>(state.tensor(name)?.to_device(device)?);
        let unknown = state.has(&unknown).then(|| there(&unknown)).transpose()?;
        Ok(Some(Self { apart, image: there(&image)?, unknown, labels }))
    }
}

fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}
