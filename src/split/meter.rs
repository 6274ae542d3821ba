//! The leak meters at a model, in slices of work, on images that were held out.
//!
//! Fisher information (Guo et al. 2023): with what is sent z + N(0, σ²) and J = ∂z/∂x, it is JᵀJ/σ². x is what enters the
//! client's first layer, z what its defences make of its output, all as when it asks; what has no derivative counts as it does in
//! training. dFIL is tr(JᵀJ)/(d·σ²), its trace the mean of ‖Jᵀv‖² over probes v of ±1.

use candle_core::{Device, Tensor};

use super::{SplitModel, layers, up};
use crate::data::Part;
use crate::engine::correlation::distance_correlation;
use crate::error::Result;
use crate::model::jacobian::{Gram, Traced};
use crate::random::{At, Seed};
use crate::score::meters::Meters;

/// Images that distances are measured between.
const IMAGES: usize = 64;
/// Of these, how many probes go back to.
const PROBED: usize = 16;
/// Probes.
const PROBES: u64 = 16;
/// Of these, how many whole Jacobians are made of.
const WHOLE: usize = 2;
/// Rows of a Jacobian at once.
const ROWS: usize = 128;
/// Numbers of a Jacobian that is made.
const MOST: usize = 1 << 25;
/// Its smaller side, the cube of which is what its determinant takes.
const MOST_SIDE: usize = 1024;
/// Without noise on the wire σ is this part of what is sent.
const NOMINAL: f64 = 0.01;

/// The meters being read.
#[derive(Debug)]
pub struct Meter {
    input: Tensor,
    /// Numbers sent of an image.
    sent: usize,
    /// As often as it was asked before.
    draw: usize,
    seed: Seed,
    /// What is known so far.
    meters: Meters,
    /// Root mean square of how far pixels are from their mean.
    spread: f64,
    /// Whether whole Jacobians are wanted.
    whole: bool,
    traced: Vec<f64>,
    probing: Option<Traced>,
    gram: Option<Gram>,
    nats: Vec<f64>,
}

impl Meter {
    /// Begins: the first images of `images` are sent, after `draw` questions. `whole` asks for nats, too.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read or does not fit.
    pub fn new(
        model: &SplitModel,
        images: &Part,
        draw: usize,
        whole: bool,
        seed: Seed,
        device: &Device,
    ) -> Result<Self> {
        let samples: Vec<usize> = (0..images.len().min(IMAGES)).collect();
        let (x, _) = images.batch(&samples, device)?;
        let at = At::Ask { samples: &samples, draw };
        let (sent, outgoing) = model.ask(&x, at)?;
        let input = outgoing.input(model.plan.entry())?.detach();
        let noise = model.noise().filter(|sigma| *sigma > 0.0);
        let sigma = match noise {
            Some(sigma) => sigma,
            None => NOMINAL * root_mean_square(sent.tensor())?,
        };
        let centred = input.broadcast_sub(&input.mean_keepdim(0)?)?;
        let meters = Meters {
            distance_correlation: distance_correlation(&x, sent.tensor())?.value,
            sigma,
            nominal: noise.is_none(),
            ..Meters::default()
        };
        let spread = root_mean_square(&centred)?;
        let (traced, nats) = (Vec::new(), Vec::new());
        let sent = sent.tensor().elem_count() / samples.len().max(1);
        Ok(Self { input, sent, draw, seed, meters, spread, whole, traced, probing: None, gram: None, nats })
    }

    /// A slice of work; what the meters show once all is done.
    ///
    /// # Errors
    /// Returns an error if there is no memory left.
    pub fn advance(&mut self, model: &SplitModel) -> Result<Option<Meters>> {
        if (self.traced.len() as u64) < PROBES {
            self.probe(model)?;
            return Ok(None);
        }
        if self.whole && self.nats.len() < WHOLE.min(self.input.dim(0)?) {
            self.nats(model)?;
            return Ok(None);
        }
        let dfil = self.traced.iter().sum::<f64>() / self.traced.len() as f64;
        let mean = self.nats.iter().sum::<f64>() / self.nats.len().max(1) as f64;
        let (mse_floor, nats) = (Meters::floor(dfil, self.spread), (!self.nats.is_empty()).then_some(mean));
        Ok(Some(Meters { dfil, mse_floor, nats, ..self.meters }))
    }

    /// One probe goes back to all images.
    fn probe(&mut self, model: &SplitModel) -> Result<()> {
        let images = self.input.dim(0)?.min(PROBED);
        if self.probing.is_none() {
            let samples: Vec<usize> = (0..images).collect();
            let at = At::Ask { samples: &samples, draw: self.draw };
            self.probing = Some(model.open_client(&self.input.narrow(0, 0, images)?, at)?);
        }
        let Some(pass) = &self.probing else { return Ok(()) };
        let z = pass.output();
        let mut stream = self.seed.stream("meter.probe", self.traced.len() as u64);
        let signs = stream.uniform_tensor(-1.0, 1.0, z.shape(), z.device())?.ge(0.0)?;
        let v = (signs.to_dtype(z.dtype())? * 2.0)?.affine(1.0, -1.0)?;
        self.traced.push(dfil(&pass.back(&v)?, self.meters.sigma)?);
        if self.traced.len() as u64 == PROBES {
            self.probing = None;
        }
        Ok(())
    }

    /// Some rows of a Jacobian, or what the whole of it comes to.
    fn nats(&mut self, model: &SplitModel) -> Result<()> {
        if let Some(gram) = &mut self.gram {
            if gram.advance()? {
                self.nats.push(gram.half_log_det((self.spread / self.meters.sigma).powi(2)));
                self.gram = None;
            }
            return Ok(());
        }
        let (sample, columns) = (self.nats.len(), self.input.elem_count() / self.input.dim(0)?);
        self.whole = self.sent.min(columns) <= MOST_SIDE && self.sent * columns <= MOST;
        if self.whole {
            let samples = vec![sample; self.sent.min(ROWS)];
            let input = self.input.narrow(0, sample, 1)?.repeat((samples.len(), 1, 1, 1))?;
            let at = At::Ask { samples: &samples, draw: self.draw };
            self.gram = Some(Gram::new(model.open_client(&input, at)?)?);
        }
        Ok(())
    }
}

/// Diagonal Fisher information leakage by gradients Jᵀv (N, …) of probes v, each of an image: mean ‖Jᵀv‖²/(d·σ²) for d numbers
/// an image.
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn dfil(back: &Tensor, sigma: f64) -> Result<f64> {
    Ok((root_mean_square(back)? / sigma).powi(2))
}

fn root_mean_square(t: &Tensor) -> Result<f64> {
    Ok(f64::from(t.sqr()?.mean_all()?.to_scalar::<f32>()?).sqrt())
}

impl SplitModel {
    /// Size of the noise that its defences add to what is sent; none without.
    fn noise(&self) -> Option<f64> {
        let squares: Vec<f64> = self.defences.iter().filter_map(|defence| defence.noise()).map(|s| s * s).collect();
        (!squares.is_empty()).then(|| squares.iter().sum::<f64>().sqrt())
    }

    /// The client's way of what enters its first layer to what is sent when it asks, to go back on.
    fn open_client(&self, input: &Tensor, at: At<'_>) -> Result<Traced> {
        let own = layers(&self.defences, self.client.body(), at)?;
        Traced::of(input, |input| up(&self.defences, own.forward(input)?, at))
    }
}

#[cfg(test)]
mod tests;
