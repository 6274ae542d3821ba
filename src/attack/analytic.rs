//! The image behind a linear first layer, by division (Phong et al. 2018; the first step of R-GAP, Zhu & Blaschko 2021).
//!
//! y = W·x + b, so ∂ℓ/∂W_i = ∂ℓ/∂y_i·xᵀ and ∂ℓ/∂b_i = ∂ℓ/∂y_i: each row of the one over the number of the other is the
//! image, exactly. All rows together by least squares: x = Σ_i ∂ℓ/∂b_i·∂ℓ/∂W_i ÷ Σ_i (∂ℓ/∂b_i)². Nothing is searched, and
//! no weight is needed.
//!
//! A gradient of several images has in each row a mixture of them; a row that a relu left to one of them alone is that image
//! still. Rows that can be an image, all numbers in \[0, 1\], are taken, those first that are least like the others.

mod method;

use candle_core::{D, Tensor};

use super::kind::{ANY_IMAGE, Kind, Looker, Make};
use super::matching::batch;
use super::threat_model::{Knows, Sees};
use super::{Doubt, Evidence, Inversion, Knowledge, Outcome, WeightGradients};
use crate::error::{Error, Result};
use crate::model::spec::LayerSpec;
use crate::state::State;

/// Its card.
pub static KIND: Kind = Kind {
    id: "analytic",
    title: "the analytic attack",
    about: "Divides the first layer's weight gradient by its bias': where that layer is linear the quotient is the image. \
            Plain split learning shares no weight gradient; split-fed training does.",
    looker: Looker {
        words: "whoever gets the first layer's gradient",
        brief: "gradients, by division",
        tip: "A linear first layer gives the image away by a division, without any search. It needs the client's weight \
              gradient, which split-fed training shares and plain split learning does not.",
    },
    sees: &[Sees::ClientGradient],
    knows: &[],
    knows_adaptive: &[Knows::Defence],
    images: 8,
    images_help: "Test images to reconstruct; each takes a division.",
    settings: &[batch(
        "Images that each gradient is of. Of several only those come back that have a row of the gradient to themselves.",
    )],
    levers: &[WeightGradients::BATCH],
    method: &[method::SECTION],
    least_images: ANY_IMAGE,
    misfit,
    saves: |_, [c, h, w], targets| c * h * w * targets,
    make: Make::FromEvidence(|seen, known, _| Ok(Box::new(Analytic::new(seen, known)?))),
    ..Kind::BASE
};

/// How far from 0 and 1 rounding may take a pixel.
const ROUNDING: f64 = 1e-3;
/// A share of the gradient left unexplained, in percent, from which on the image is doubted.
const DOUBTED: f64 = 5.0;

/// What it has to be launched at.
const WANTED: &str =
    "needs a client whose first layer is linear and sees the image's pixels (\"flatten\", { linear = 64 })";

struct Analytic {
    evidence: Evidence,
    image: [usize; 3],
    found: Vec<(Tensor, f64)>,
}

impl Analytic {
    fn new(evidence: &Evidence, knowledge: &Knowledge) -> Result<Self> {
        let [c, h, w] = knowledge.image;
        let fits =
            |all: &Vec<Tensor>| matches!(all.as_slice(), [weight, bias, ..] if weight.rank() == 2 && bias.rank() == 1);
        match evidence.client_gradients()?.each.iter().find(|all| !fits(all) || all[0].dim(1).ok() != Some(c * h * w)) {
            Some(_) => Err(Error::input(format!("analytic {WANTED}"))),
            None => Ok(Self { evidence: evidence.clone(), image: knowledge.image, found: Vec::new() }),
        }
    }

    fn batches(&self) -> usize {
        self.evidence.client_gradients().map_or(0, |seen| seen.each.len())
    }
}

/// A flat first layer sees the pixels themselves.
fn misfit(layers: &[LayerSpec], [entered, image]: [[usize; 3]; 2]) -> Option<String> {
    let found = match layers.iter().find(|layer| **layer != LayerSpec::Flatten) {
        Some(LayerSpec::Linear(_)) if entered == image => return None,
        Some(LayerSpec::Linear(_)) => format!("sees {} numbers", entered.iter().product::<usize>()),
        Some(first) => format!("begins with {}", first.words()),
        None => "has none".to_owned(),
    };
    Some(format!("{WANTED}; this one {found}"))
}

/// The image (1, D) of a gradient of one, by all rows, and the share of the gradient left unexplained, in percent.
fn of_one(weight: &Tensor, bias: &Tensor) -> Result<(Tensor, f64)> {
    let power = f64::from(bias.sqr()?.sum_all()?.to_scalar::<f32>()?);
    if power <= 0.0 || !power.is_finite() {
        return Ok((Tensor::full(0.5f32, (1, weight.dim(1)?), weight.device())?, 100.0));
    }
    let (bias, scale) = (bias.unsqueeze(1)?, power.sqrt());
    // Scaled to the length 1 first: tiny gradients have squares that are no numbers any more.
    let unit = (&bias / scale)?;
    let x = (unit.t()?.matmul(weight)? / scale)?;
    let left = (weight - bias.matmul(&x)?)?.sqr()?.sum_all()?.to_scalar::<f32>()?;
    let all = weight.sqr()?.sum_all()?.to_scalar::<f32>()?;
    Ok((x, if all > 0.0 { 100.0 * f64::from(left / all) } else { 0.0 }))
}

/// Up to `n` images (n, D) of a gradient of so many, and the share of them that was not found, in percent.
fn of_several(weight: &Tensor, bias: &Tensor, n: usize) -> Result<(Tensor, f64)> {
    let inputs = weight.dim(1)?;
    let quotients = weight.broadcast_div(&bias.unsqueeze(1)?)?.to_vec2::<f32>()?;
    let possible = |v: &f32| (-ROUNDING..=1.0 + ROUNDING).contains(&f64::from(*v));
    let mut rows: Vec<Vec<f32>> = quotients.into_iter().filter(|row| row.iter().all(possible)).collect();
    let mut taken: Vec<Vec<f32>> = Vec::new();
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    // Mixtures lie between the images: the ends are farthest from the middle, and from one another.
    let middle: Vec<f32> =
        (0..inputs).map(|i| rows.iter().map(|row| row[i]).sum::<f32>() / rows.len() as f32).collect();
    while taken.len() < n && !rows.is_empty() {
        let nearest = |row: &[f32]| {
            let all = taken.iter().map(|other| apart(row, other));
            if taken.is_empty() { apart(row, &middle) } else { all.fold(f64::INFINITY, f64::min) }
        };
        let far: Vec<f64> = rows.iter().map(|row| nearest(row)).collect();
        let best = (0..rows.len()).max_by(|a, b| far[*a].total_cmp(&far[*b])).unwrap_or(0);
        // What is left are copies of those that were taken.
        if !taken.is_empty() && far[best] < ROUNDING {
            break;
        }
        taken.push(rows.swap_remove(best));
    }
    let missing = n - taken.len();
    taken.resize(n, of_one(weight, bias)?.0.flatten_all()?.to_vec1()?);
    let images = Tensor::from_vec(taken.concat(), (n, inputs), weight.device())?;
    Ok((images, 100.0 * missing as f64 / n as f64))
}

impl Inversion for Analytic {
    fn state(&self) -> Result<Option<State>> {
        let mut state = State::default();
        state.put_reals("unexplained", &self.found.iter().map(|(_, percent)| *percent).collect::<Vec<_>>())?;
        self.found.iter().enumerate().for_each(|(i, (x, _))| state.put(&format!("found.{i}"), x));
        Ok(Some(state))
    }

    fn load(&mut self, state: &State) -> Result<()> {
        let all = state.reals("unexplained")?;
        if all.len() > self.batches() {
            return Err(Error::input("the attack's state is of more gradients than were seen"));
        }
        let one = |(i, percent): (usize, f64)| Ok((state.tensor(&format!("found.{i}"))?.clone(), percent));
        self.found = all.into_iter().enumerate().map(one).collect::<Result<_>>()?;
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        let seen = self.evidence.client_gradients()?;
        let Some([weight, bias, ..]) = seen.each.get(self.found.len()).map(Vec::as_slice) else { return Ok(()) };
        let (_, n) = seen.place(self.found.len(), self.evidence.samples());
        let found = if n == 1 { of_one(weight, bias)? } else { of_several(weight, bias, n)? };
        if !f64::from(found.0.sum_all()?.to_scalar::<f32>()?).is_finite() {
            return Err(Error::Diverged("analytic: the gradient is not finite".to_owned()));
        }
        self.found.push(found);
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.found.len(), self.batches())
    }

    /// The share of the last gradient that its image leaves unexplained.
    fn loss(&self) -> f64 {
        self.found.last().map_or(f64::NAN, |(_, percent)| percent / 100.0)
    }

    fn doubt(&self) -> Result<Option<Doubt>> {
        let worst = self.found.iter().map(|(_, percent)| *percent).fold(0.0, f64::max);
        Ok((worst > DOUBTED).then_some(Doubt::Unexplained(worst)))
    }

    fn outcome(&self) -> Result<Outcome> {
        let ([c, h, w], n) = (self.image, self.evidence.samples());
        let mut all: Vec<Tensor> = self.found.iter().map(|(x, _)| x.clone()).collect();
        let found: usize = all.iter().map(|x| x.dims()[0]).sum();
        if found < n {
            let seen = self.evidence.client_gradients()?;
            let like = seen
                .each
                .iter()
                .flatten()
                .next()
                .ok_or_else(|| Error::Internal("an attack on no gradient".to_owned()))?;
            all.push(Tensor::full(0.5f32, (n - found, c * h * w), like.device())?);
        }
        let images = Tensor::cat(&all, 0)?.clamp(0.0, 1.0)?;
        Ok(Outcome::of_images(images.reshape((images.dim(D::Minus2)?, c, h, w))?))
    }
}

#[cfg(test)]
mod tests;
