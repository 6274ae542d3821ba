//! Cross-entropy of logits, and handing a gradient on.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, WithDType};

use super::tape::{apply1, apply2};
use super::{Real, for_reals, held, values};

/// Mean cross-entropy of logits (N, K) against the classes `labels` (N, u32): a scalar.
///
/// One pass forward and one back, softmax and logarithm in double precision.
///
/// # Errors
/// Where the shapes differ or a label is no class.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    if labels.dims() != [n] || n == 0 {
        candle_core::bail!("{n} rows of logits met labels of shape {:?}", labels.dims());
    }
    let labels = labels.to_dtype(DType::U32)?.contiguous()?;
    if let Some(label) = labels.to_vec1::<u32>()?.into_iter().find(|label| *label as usize >= classes) {
        candle_core::bail!("label {label} is none of {classes} classes");
    }
    if !logits.device().is_cpu() {
        return candle_nn::loss::cross_entropy(logits, &labels);
    }
    apply2(&logits.contiguous()?, &labels, CrossEntropy)
}

struct CrossEntropy;

/// log Σ exp of one row.
fn log_sum<T: Real>(row: &[T]) -> f64 {
    let largest = row.iter().fold(f64::NEG_INFINITY, |most, v| most.max(v.to_f64()));
    if largest.is_infinite() {
        return largest;
    }
    largest + row.iter().map(|v| (v.to_f64() - largest).exp()).sum::<f64>().ln()
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let labels = values::<u32>(s2, l2)?;
        let classes = l1.shape().dims2()?.1;
        let out = for_reals!(self.name(), s1, T => {
            let rows = values::<T>(s1, l1)?.chunks_exact(classes).zip(labels);
            let total: f64 = rows.map(|(row, label)| log_sum(row) - row[*label as usize].to_f64()).sum();
            Ok::<_, candle_core::Error>(vec![T::from_f64(total / labels.len() as f64)])
        })?;
        Ok((out, Shape::from(())))
    }

    /// (softmax − one-hot) / N.
    fn bwd(
        &self,
        logits: &Tensor,
        labels: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        fn back<T: Real>(logits: &Tensor, labels: &Tensor, grad: &Tensor) -> Result<Tensor> {
            let (n, classes) = logits.dims2()?;
            let scale = grad.to_dtype(DType::F64)?.to_scalar::<f64>()? / n as f64;
            let (held_logits, held_labels) = (held(logits), held(labels));
            let mut out = Vec::with_capacity(n * classes);
            for (row, label) in held_logits.values::<T>()?.chunks_exact(classes).zip(held_labels.values::<u32>()?) {
                let total = log_sum(row);
                out.extend(row.iter().enumerate().map(|(k, v)| {
                    let share = (v.to_f64() - total).exp() - f64::from(u8::from(k == *label as usize));
                    T::from_f64(share * scale)
                }));
            }
            Tensor::from_vec(out, logits.shape(), logits.device())
        }
        let gradient = match logits.dtype() {
            DType::F64 => back::<f64>(logits, labels, grad)?,
            _ => back::<f32>(logits, labels, grad)?,
        };
        Ok((Some(gradient), None))
    }
}

/// A scalar (0) whose gradient with respect to `z` is `gradient`: going back from it goes on where another
/// party stopped, with no pass over z.
///
/// # Errors
/// Where the shapes differ.
pub fn carry_on(z: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    if z.shape() != gradient.shape() {
        candle_core::bail!("a gradient of {:?} came for {:?}", gradient.shape(), z.shape());
    }
    apply1(z, CarryOn(gradient.detach()))
}

struct CarryOn(Tensor);

impl CustomOp1 for CarryOn {
    fn name(&self) -> &'static str {
        "carry on"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), storage, T => Ok::<_, candle_core::Error>(vec![<T as Real>::ZERO]))?;
        Ok((out, Shape::from(())))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        if grad.to_dtype(DType::F64)?.to_scalar::<f64>()? == 1.0 {
            return Ok(Some(self.0.clone()));
        }
        Ok(Some(self.0.broadcast_mul(grad)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn cross_entropy_is_candles_and_survives_large_logits() {
        let logits = Var::new(&[[1.0f64, -2.0, 0.5], [3.0, 3.0, -1.0]], &Device::Cpu).unwrap();
        let labels = Tensor::new(&[2u32, 0], &Device::Cpu).unwrap();
        let loss = cross_entropy(&logits, &labels).unwrap();
        let theirs = candle_nn::loss::cross_entropy(&logits, &labels).unwrap();
        let number = |t: &Tensor| t.to_scalar::<f64>().unwrap();
        assert!((number(&loss) - number(&theirs)).abs() < 1e-12);
        let (a, b) = ((loss * 3.0).unwrap().backward().unwrap(), (theirs * 3.0).unwrap().backward().unwrap());
        let list = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (a, b) in list(a.get(&logits).unwrap()).into_iter().zip(list(b.get(&logits).unwrap())) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
        let large = Tensor::new(&[[1e4f32, -1e4]], &Device::Cpu).unwrap();
        let one = |label: u32| cross_entropy(&large, &Tensor::new(&[label], &Device::Cpu).unwrap());
        assert_eq!(one(0).unwrap().to_scalar::<f32>().unwrap(), 0.0);
        assert_eq!(one(1).unwrap().to_scalar::<f32>().unwrap(), 2e4);
        assert!(one(2).unwrap_err().to_string().contains("label 2 is none of 2 classes"));
        let broken = Tensor::new(&[[f32::NAN, 0.0]], &Device::Cpu).unwrap();
        let loss = cross_entropy(&broken, &Tensor::new(&[1u32], &Device::Cpu).unwrap()).unwrap();
        assert!(loss.to_scalar::<f32>().unwrap().is_nan());
    }

    #[test]
    fn going_on_from_a_gradient_is_multiplying_by_it() {
        let x = Var::new(&[1.0f32, -2.0, 3.0], &Device::Cpu).unwrap();
        let z = x.sqr().unwrap();
        let g = Tensor::new(&[0.5f32, 2.0, -1.0], &Device::Cpu).unwrap();
        let gradients = carry_on(&z, &g).unwrap().backward().unwrap();
        assert_eq!(gradients.get(&x).unwrap().to_vec1::<f32>().unwrap(), [1.0, -8.0, -6.0]);
        assert!(carry_on(&z, &g.narrow(0, 0, 2).unwrap()).is_err());
    }
}
