//! Straight through: other numbers on the way there, as if nothing had been done on the way back.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::own::own_kernels;
use super::tape::apply2;
use super::{Real, for_reals, values};

/// The numbers of `by`, a constant of the same shape, in the place of x's; the gradient by x is that of the result
/// (Bengio et al. 2013, the straight-through estimator). The result is `by` to the last bit.
///
/// # Errors
/// Returns an error if the shapes differ.
pub fn replaced(x: &Tensor, by: &Tensor) -> Result<Tensor> {
    if x.shape() != by.shape() {
        candle_core::bail!("numbers of shape {:?} in the place of {:?}", by.dims(), x.dims());
    }
    let by = by.detach();
    if own_kernels(x.device()) {
        return apply2(&x.contiguous()?, &by.contiguous()?, Replace);
    }
    // In this order, so that the numbers are those of `by` to the last bit.
    (x - x.detach())? + by
}

struct Replace;

impl CustomOp2 for Replace {
    fn name(&self) -> &'static str {
        "replace"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        fn copy<T: Real>(by: &[T]) -> Vec<T> {
            by.to_vec()
        }
        let out = for_reals!(self.name(), s2, T => values::<T>(s2, l2).map(copy))?;
        Ok((out, l2.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(grad.clone()), None))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::engine::tape::Tape;

    #[test]
    fn other_numbers_go_on_and_gradients_come_back_as_if_they_had_not() {
        let x = Var::new(&[0.1f32, 0.7, -3.0], &Device::Cpu).unwrap();
        let by = Tensor::new(&[0.0f32, 1.0, -2.5], &Device::Cpu).unwrap();
        let mut tape = Tape::default();
        let y = tape.record(|| replaced(&x, &by)).unwrap();
        assert!(tape.covers(&y));
        assert_eq!(y.to_vec1::<f32>().unwrap(), by.to_vec1::<f32>().unwrap());
        let gradient = y.sqr().unwrap().sum_all().unwrap().backward().unwrap().remove(&x).unwrap();
        assert_eq!(gradient.to_vec1::<f32>().unwrap(), [0.0, 2.0, -5.0]);
        assert!(replaced(&x, &by.reshape((3, 1)).unwrap()).is_err());
    }
}
