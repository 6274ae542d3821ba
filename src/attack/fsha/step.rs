//! One iteration of the attack: its losses and their gradients (METHOD section 4).

use candle_core::backprop::GradStore;
use candle_core::{D, Tensor, Var};

use crate::engine::loss::carry_on;
use crate::engine::tape::{Tape, sum, times};
use crate::error::{Error, Result};
use crate::model::network::Network;
use crate::model::parameters::Parameters;

/// What a critic's scores mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// They are numbers whose means are compared (Wasserstein).
    Means,
    /// They are logits of being the attacker's own.
    Logits,
}

impl Scale {
    /// Of scores (N, 1) of the victim's or of the attacker's own: the critic's loss, and what the client is made to lower
    /// on the victim's; each with its slope by the scores.
    fn losses(self, scores: &Tensor, own: bool) -> Result<[(f64, Tensor); 2]> {
        let n = scores.dim(0)? as f64;
        let mean = |t: &Tensor| Ok::<_, Error>(f64::from(t.mean_all()?.to_scalar::<f32>()?));
        let ones = scores.ones_like()?;
        match self {
            Self::Means => {
                let (sign, value) = (if own { 1.0 } else { -1.0 }, mean(scores)?);
                Ok([(sign * value, (&ones * (sign / n))?), (value, (&ones / n)?)])
            }
            Self::Logits => {
                let cross = |truth: f64| -> Result<(f64, Tensor)> {
                    // softplus(l) - truth * l, written so that nothing overflows.
                    let soft = ((scores.abs()?.neg()?.exp()? + 1.0)?.log()? + scores.relu()?)?;
                    let loss = mean(&(soft - (scores * truth)?)?)?;
                    Ok((loss, ((candle_nn::ops::sigmoid(scores)? - truth)? / n)?))
                };
                let (half, slope) = cross(if own { 1.0 } else { 0.0 })?;
                Ok([(0.5 * half, (slope * 0.5)?), cross(1.0)?])
            }
        }
    }
}

/// What the critic's pass came to.
pub struct Judged {
    /// What goes down to the client: ∂ mean D(z) / ∂z.
    pub cut_gradient: Tensor,
    /// Of the critic's loss by its weights.
    pub gradients: GradStore,
    /// mean D(z), which the client is made to lower.
    pub client: f64,
    /// mean D(f̃(x̄)) − mean D(z) + weight · penalty.
    pub critic: f64,
    /// The penalty by itself.
    pub penalty: f64,
}

/// Judges what the victim sent, `z`, and what the pilot would have, `own`, of as many images: one pass gives the client's
/// gradient and the critic's. The penalty is at `epsilon` · z + (1 − `epsilon`) · own, and counts `weight`.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn judge(
    (critic, parameters): (&Network, &Parameters),
    scale: Scale,
    z: &Tensor,
    own: &Tensor,
    epsilon: &Tensor,
    weight: f64,
) -> Result<Judged> {
    let n = z.dim(0)?;
    let both = Var::from_tensor(&Tensor::cat(&[&z.detach(), &own.detach()], 0)?)?;
    let mut tape = Tape::default();
    let scores = tape.record(|| critic.forward(&both))?;
    let detached = scores.detach();
    let [(of_victims, down_victims), (client, pull)] = scale.losses(&detached.narrow(0, 0, n)?, false)?;
    let [(of_own, down_own), _] = scale.losses(&detached.narrow(0, n, n)?, true)?;
    let mut back = |slope: &Tensor| {
        let end = tape.record(|| carry_on(&scores, slope))?;
        Ok::<_, Error>(tape.backward(&end)?)
    };
    let mut gradients = back(&Tensor::cat(&[&down_victims, &down_own], 0)?)?;
    let lost = || Error::Internal("no gradient reached the cut".into());
    let by_both = gradients.remove(&both).ok_or_else(lost)?;
    // Sample by sample the way back is the same, so that what the client gets comes of the critic's own pass.
    let cut_gradient = match scale {
        Scale::Means => by_both.narrow(0, 0, n)?.neg()?.contiguous()?,
        Scale::Logits => {
            let nothing = down_own.zeros_like()?;
            let pulled = back(&Tensor::cat(&[&pull, &nothing], 0)?)?.remove(&both).ok_or_else(lost)?;
            pulled.narrow(0, 0, n)?.contiguous()?
        }
    };
    let between = (z.broadcast_mul(epsilon)? + own.broadcast_mul(&epsilon.affine(-1.0, 1.0)?)?)?.detach();
    let mut tape = Tape::default();
    let penalty = tape.record(|| penalty(critic, &between))?;
    let counted = tape.record(|| times(&penalty, weight))?;
    let more = tape.backward(&counted)?;
    for (_, var) in parameters.trained() {
        let Some(more) = more.get(var) else { continue };
        let sum = gradients.get(var).map_or_else(|| Ok(more.clone()), |first| first + more)?;
        gradients.insert(var, sum);
    }
    let penalty = f64::from(penalty.to_scalar::<f32>()?);
    Ok(Judged { cut_gradient, gradients, client, critic: of_own + of_victims + weight * penalty, penalty })
}

/// The gradient penalty at `between`: mean over samples and channels of (‖∂D/∂ẑ‖ − 1)², the norm over height and width
/// alone, as the authors' code has it; of features, which have neither, over all of a sample. Differentiable by the
/// critic's weights.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn penalty(critic: &Network, between: &Tensor) -> Result<Tensor> {
    let ones = Tensor::ones((between.dim(0)?, 1), between.dtype(), between.device())?;
    let gradient = critic.input_gradient(between, &ones)?;
    let plain = gradient.detach();
    let rows = if plain.rank() > 2 { plain.flatten_from(2)? } else { plain };
    // Without the small number a gradient of nothing would have none.
    let norms = (rows.sqr()?.sum_keepdim(D::Minus1)? + 1e-16)?.sqrt()?;
    let apart = (&norms - 1.0)?;
    let slopes = rows.broadcast_mul(&((&apart / &norms)? * (2.0 / norms.elem_count() as f64))?)?;
    let end = carry_on(&gradient, &slopes.reshape(gradient.shape())?)?;
    Ok(sum(&apart.sqr()?.mean_all()?, &end)?)
}

/// mean (tanh y − x)² and its gradients, where `pass` gives y, what the decoder makes of the pilot's output, and that
/// output; `x` is in [−1, 1]. The output, the loss and the gradients by the weights of both.
///
/// # Errors
/// Returns an error if the shapes do not fit.
pub fn autoencode(
    x: &Tensor,
    tanh: bool,
    pass: impl FnOnce() -> Result<(Tensor, Tensor)>,
) -> Result<(Tensor, f64, GradStore)> {
    let mut tape = Tape::default();
    let (z, y) = tape.record(pass)?;
    let image = if tanh { y.detach().tanh()? } else { y.detach() };
    let apart = (&image - x)?;
    let loss = f64::from(apart.sqr()?.mean_all()?.to_scalar::<f32>()?);
    let mut slope = (apart * (2.0 / x.elem_count() as f64))?;
    if tanh {
        slope = (slope * image.sqr()?.affine(-1.0, 1.0)?)?;
    }
    let end = tape.record(|| carry_on(&y, &slope))?;
    Ok((z.detach(), loss, tape.backward(&end)?))
}
