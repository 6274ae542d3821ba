//! Derivatives by the input: a network's Jacobian, as far as two passes back give it.

use candle_core::{D, Device, Tensor, Var};
use candle_nn::encoding::one_hot;

use crate::engine::loss::carry_on;
use crate::engine::tape::Tape;
use crate::error::{Error, Result};
use crate::score::meters::half_log_det;

/// α = ∂logit_ŷ/∂x and β = Σ_{k≠ŷ} ∂logit_k/∂x, both shaped as x (N, C, H, W).
///
/// Two backward passes are enough for any number of classes, because Σ_k J_k comes from one.
/// `logits_of` should use frozen weights: then no gradients of theirs are computed.
///
/// # Errors
/// Where the logits do not depend on x.
pub fn jacobian_rows(x: &Tensor, logits_of: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<(Tensor, Tensor)> {
    let pass = Traced::of(x, logits_of)?;
    let logits = pass.output();
    let predicted = logits.detach().argmax(D::Minus1)?;
    let alpha = pass.back(&one_hot(predicted, logits.dim(D::Minus1)?, 1f64, 0.0)?.to_dtype(logits.dtype())?)?;
    let beta = (pass.back(&logits.ones_like()?)? - &alpha)?;
    Ok((alpha, beta))
}

/// A pass y(x) of a batch, from which one may go back as often as one likes.
#[derive(Debug)]
pub struct Traced {
    x: Var,
    y: Tensor,
    tape: Tape,
}

impl Traced {
    /// Makes the pass. What it does should use frozen weights: then no gradients of theirs are computed.
    ///
    /// # Errors
    /// Returns the pass's.
    pub fn of(x: &Tensor, pass: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Self> {
        let x = Var::from_tensor(&x.detach())?;
        let mut tape = Tape::default();
        let y = tape.record(|| pass(&x))?;
        Ok(Self { x, y, tape })
    }

    /// What came out.
    pub fn output(&self) -> &Tensor {
        &self.y
    }

    /// Jᵀv for each sample: v shaped as y, the result as x.
    ///
    /// # Errors
    /// Where y does not depend on x, or v does not fit.
    pub fn back(&self, v: &Tensor) -> Result<Tensor> {
        let mut gradients = if self.tape.covers(&self.y) {
            self.tape.backward_from(&self.y, v.clone())?
        } else {
            carry_on(&self.y, v)?.backward()?
        };
        gradients.remove(&self.x).ok_or_else(missing)
    }
}

/// The logit of the predicted class: logits (N, K) to (N, 1).
///
/// # Errors
/// Where the logits are not a matrix.
pub fn predicted_logit(logits: &Tensor) -> Result<Tensor> {
    let predicted = logits.detach().argmax_keepdim(D::Minus1)?;
    Ok(logits.gather(&predicted, 1)?)
}

/// JᵀJ or JJᵀ of one sample, whichever is smaller, in slices.
#[derive(Debug)]
pub struct Gram {
    traced: Traced,
    /// Numbers that come out of a sample, and how many of them have been gone back from.
    rows: usize,
    done: usize,
    side: usize,
    sums: Vec<f64>,
    /// All rows, where JJᵀ is wanted.
    kept: Vec<Tensor>,
}

impl Gram {
    /// Of a pass of the same sample (N, …) again and again, as many rows of whose Jacobian are made at once.
    ///
    /// # Errors
    /// Returns an error if the batch is empty.
    pub fn new(traced: Traced) -> Result<Self> {
        let batch = traced.y.dim(0)?;
        let of = |t: &Tensor| t.elem_count().checked_div(batch).ok_or_else(missing);
        let (rows, columns) = (of(&traced.y)?, of(&traced.x)?);
        let side = rows.min(columns);
        Ok(Self { traced, rows, done: 0, side, sums: vec![0.0; side * side], kept: Vec::new() })
    }

    /// The next rows; true once all are done.
    ///
    /// # Errors
    /// Where y does not depend on x.
    pub fn advance(&mut self) -> Result<bool> {
        let y = self.traced.output();
        let count = y.dim(0)?.min(self.rows - self.done);
        // Rows beyond the last are zero, and add nothing.
        let mut ones = vec![0f32; y.elem_count()];
        (0..count).for_each(|i| ones[i * self.rows + self.done + i] = 1.0);
        let v = Tensor::from_vec(ones, y.shape(), &Device::Cpu)?.to_device(y.device())?;
        let j = self.traced.back(&v)?.detach().flatten_from(1)?.contiguous()?;
        self.done += count;
        let all = self.done == self.rows;
        if self.side < self.rows {
            self.add(&j.t()?.matmul(&j)?)?;
        } else {
            self.kept.push(j.narrow(0, 0, count)?);
            if all {
                let j = Tensor::cat(&std::mem::take(&mut self.kept), 0)?;
                self.add(&j.matmul(&j.t()?)?)?;
            }
        }
        Ok(all)
    }

    fn add(&mut self, more: &Tensor) -> Result<()> {
        let more = more.flatten_all()?.to_vec1::<f32>()?;
        self.sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += f64::from(more));
        Ok(())
    }

    /// The sum of its diagonal, which is ‖J‖².
    pub fn trace(&self) -> f64 {
        self.sums.iter().step_by(self.side + 1).sum()
    }

    /// ½ ln det(I + `ratio`·G) in nats.
    pub fn half_log_det(&self, ratio: f64) -> f64 {
        half_log_det(&self.sums, self.side, ratio)
    }
}

/// ∂of/∂by; a missing gradient is an error, never a zero.
///
/// # Errors
/// Where `of` does not depend on `by`.
pub fn gradient(of: &Tensor, by: &Var) -> Result<Tensor> {
    match of.backward()?.remove(by) {
        Some(gradient) => Ok(gradient),
        None => Err(missing()),
    }
}

fn missing() -> Error {
    Error::Internal("a gradient is missing: the output does not depend on it".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn an_output_that_ignores_the_image_is_an_error() {
        let constant = |x: &Tensor| Ok(Tensor::ones((x.dim(0)?, 3), DType::F32, &Device::Cpu)?);
        let x = Tensor::zeros((1, 1, 1, 4), DType::F32, &Device::Cpu).unwrap();
        assert!(jacobian_rows(&x, constant).is_err());
    }
}
