//! Regularised maximum likelihood estimation: He, Zhang & Lee, "Model inversion attacks against
//! collaborative inference" (ACSAC 2019), white box.
//!
//! x* = argmin mean((f(x) − z)²) + λ·TV²(x), by Adam with AMSGrad from a grey image.
//!
//! *Naive* against PSGL: through f(pack(x, 0)). *Adaptive*: the image and a free map channel are found
//! together, then the intentional attack is undone where the found map points.

use candle_core::{Tensor, Var};

use super::surrogate::Training;
use super::undo::Undo;
use super::{Doubt, Inversion, Knowledge, Observation, doubt_of};
use crate::error::{Error, Result};
use crate::model::adam::{Adam, AdamSettings};
use crate::model::network::Network;
use crate::psgl::downsample::{pack_clean, pack_with_channel};

/// How long and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Adam steps.
    pub iterations: usize,
    /// Adam's rate and ε.
    pub adam: AdamSettings,
    /// λ, the weight of total variation.
    pub tv: f64,
    /// Clamp to [0, 1] after every step, and not only at the end.
    pub boxed: bool,
}

/// A running rMLE attack.
pub struct Rmle {
    settings: Settings,
    client: Network,
    packs: bool,
    target: Tensor,
    image: Var,
    /// Adaptive only.
    adaptive: Option<Adaptive>,
    adam: Adam,
    iteration: usize,
    loss: f64,
    /// Of every iteration.
    losses: Vec<f64>,
}

/// What knowing the defence adds.
struct Adaptive {
    knowledge: Knowledge,
    /// The map channel (N, 1, ⌈H/2⌉, ⌈W/2⌉), found beside the image.
    map: Var,
    /// The surrogate in training, until it is ready.
    training: Option<Training>,
    /// How to undo the disguise, chosen with the surrogate.
    undo: Option<Undo>,
}

/// mean((features − target)²) + `tv_weight` · TV²(image), a scalar; image (N, C, H, W).
///
/// # Errors
/// Where the shapes differ.
pub fn objective(features: &Tensor, target: &Tensor, image: &Tensor, tv_weight: f64) -> Result<Tensor> {
    let error = (features - target)?.sqr()?.mean_all()?;
    if tv_weight == 0.0 {
        return Ok(error);
    }
    Ok((error + (total_variation(image)? * tv_weight)?)?)
}

/// Mean of squared vertical plus mean of squared horizontal neighbour differences.
fn total_variation(x: &Tensor) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let along = |side, n: usize| -> Result<Option<Tensor>> {
        if n < 2 {
            return Ok(None);
        }
        Ok(Some((x.narrow(side, 1, n - 1)? - x.narrow(side, 0, n - 1)?)?.sqr()?.mean_all()?))
    };
    match (along(2, h)?, along(3, w)?) {
        (Some(a), Some(b)) => Ok((a + b)?),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => Ok(x.zeros_like()?.mean_all()?),
    }
}

impl Rmle {
    /// An attack on every observed sample, each by itself.
    ///
    /// # Errors
    /// Where the client's weights are not known, or an adaptive attack lacks auxiliary images.
    pub fn new(observation: &Observation, knowledge: &Knowledge, settings: Settings) -> Result<Self> {
        let target = observation.smashed().tensor().clone();
        let [c, h, w] = knowledge.image;
        let n = target.dim(0)?;
        let grey = |shape: (usize, usize, usize, usize), value: f64| -> Result<Var> {
            let zeros = Tensor::zeros(shape, target.dtype(), target.device())?;
            Ok(Var::from_tensor(&(zeros + value)?)?)
        };
        let image = grey((n, c, h, w), 0.5)?;
        let adaptive = match knowledge.defence {
            Some(options) if knowledge.packs => Some(Adaptive {
                map: grey((n, 1, h.div_ceil(2), w.div_ceil(2)), 0.05)?,
                training: Some(Training::new(knowledge, options)?),
                undo: None,
                knowledge: knowledge.clone(),
            }),
            _ => None,
        };
        let mut vars = vec![("image".to_owned(), image.clone())];
        vars.extend(adaptive.iter().map(|adaptive| ("map".to_owned(), adaptive.map.clone())));
        Ok(Self {
            adam: Adam::of(vars, settings.adam),
            client: knowledge.client()?.clone(),
            packs: knowledge.packs,
            settings,
            target,
            image,
            adaptive,
            iteration: 0,
            loss: f64::NAN,
            losses: Vec::new(),
        })
    }

    /// Starts from this image (N, C, H, W) in place of a grey one. Black pixels are lifted to .01: at 0 a relu
    /// behind them may be dead, and no gradient would ever come back.
    ///
    /// # Errors
    /// Where the shapes differ.
    pub fn start_from(&mut self, image: &Tensor) -> Result<()> {
        Ok(self.image.set(&image.clamp(0.01, 1.0)?)?)
    }

    fn features(&self) -> Result<Tensor> {
        match &self.adaptive {
            Some(adaptive) => self.client.forward(&pack_with_channel(&self.image, &adaptive.map)?),
            None if self.packs => self.client.forward(&pack_clean(&self.image)?),
            None => self.client.forward(&self.image),
        }
    }
}

impl Inversion for Rmle {
    fn advance(&mut self) -> Result<()> {
        if self.done() {
            return Ok(());
        }
        if let Some(adaptive) = &mut self.adaptive
            && let Some(training) = &mut adaptive.training
        {
            if let Some(surrogate) = training.advance(&adaptive.knowledge)? {
                adaptive.undo = Some(Undo::choose(&adaptive.knowledge, &surrogate)?);
                adaptive.training = None;
            }
            return Ok(());
        }
        let loss = objective(&self.features()?, &self.target, &self.image, self.settings.tv)?;
        self.loss = f64::from(loss.to_scalar::<f32>()?);
        if !self.loss.is_finite() {
            return Err(Error::Diverged(format!("rmle: the loss is {} at iteration {}", self.loss, self.iteration)));
        }
        // The batch's mean times the batch's size: each image's own mean, so none depends on its neighbours.
        let own = (loss * self.image.dim(0)? as f64)?;
        self.adam.step(&own.backward()?)?;
        if self.settings.boxed {
            self.image.set(&self.image.as_detached_tensor().clamp(0.0, 1.0)?)?;
        }
        if let Some(Adaptive { map, .. }) = &self.adaptive {
            // |map| is known to lie in [0, 1].
            map.set(&map.as_detached_tensor().clamp(0.0, 1.0)?)?;
        }
        self.losses.push(self.loss);
        self.iteration += 1;
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.iteration, self.settings.iterations)
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        Ok(doubt_of(&self.losses, self.losses.first().copied().unwrap_or(1.0)))
    }

    fn reconstruction(&self) -> Result<Tensor> {
        let image = self.image.as_detached_tensor().clamp(0.0, 1.0)?;
        match &self.adaptive {
            Some(Adaptive { map, undo: Some(undo), .. }) => undo.apply(&image, &map.as_detached_tensor()),
            _ => Ok(image.copy()?),
        }
    }
}
