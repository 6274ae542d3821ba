//! Cross-entropy of logits, and handing a gradient on.

use std::sync::Arc;

use candle_core::backend::{BackendDevice, BackendStorage};
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, DType, Layout, MetalStorage, Result, Shape, Tensor, WithDType,
};

use super::own::own_kernels;
use super::tape::{apply2, noted1};
use super::{Real, for_reals, held, values};

/// Mean cross-entropy of logits (N, K) against the classes `labels` (N, u32): a scalar.
///
/// One pass forward and one back, softmax and logarithm in double precision.
///
/// # Errors
/// Where the shapes differ or a label is no class.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    weighed_cross_entropy(logits, labels, None)
}

/// The same where images of class k count `weights[k]`: Σ w ℓ / Σ w over the batch, as PyTorch's `CrossEntropyLoss(weight)`
/// has it.
///
/// # Errors
/// Where the shapes differ, a label is no class, or the weights of the batch sum up to nothing.
pub fn weighed_cross_entropy(logits: &Tensor, labels: &Tensor, weights: Option<&Arc<[f64]>>) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    if weights.is_some_and(|weights| weights.len() != classes) {
        candle_core::bail!("{} weights for {classes} classes", weights.map_or(0, |weights| weights.len()));
    }
    if labels.dims() != [n] || n == 0 {
        candle_core::bail!("{n} rows of logits met labels of shape {:?}", labels.dims());
    }
    let labels = labels.to_dtype(DType::U32)?.contiguous()?;
    let known = labels.to_vec1::<u32>()?;
    if let Some(label) = known.iter().find(|label| **label as usize >= classes) {
        candle_core::bail!("label {label} is none of {classes} classes");
    }
    let op = CrossEntropy { weights: weights.cloned() };
    let total = op.total(&known);
    if total <= 0.0 {
        candle_core::bail!("the weights of the batch's classes sum up to {total}");
    }
    if own_kernels(logits.device()) {
        return apply2(&logits.contiguous()?, &labels, op);
    }
    if weights.is_none() {
        return candle_nn::loss::cross_entropy(logits, &labels);
    }
    let shares: Vec<f64> = known.iter().map(|label| op.weight(*label) / total).collect();
    let shares = Tensor::from_vec(shares, n, logits.device())?.to_dtype(logits.dtype())?;
    let own = candle_nn::ops::log_softmax(logits, 1)?.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?;
    (own * shares)?.sum_all()?.neg()
}

struct CrossEntropy {
    /// Of each class; all alike without.
    weights: Option<Arc<[f64]>>,
}

impl CrossEntropy {
    fn weight(&self, label: u32) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[label as usize])
    }

    fn total(&self, labels: &[u32]) -> f64 {
        labels.iter().map(|label| self.weight(*label)).sum()
    }
}

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
            let loss = |(row, label): (&[T], &u32)| self.weight(*label) * (log_sum(row) - row[*label as usize].to_f64());
            Ok::<_, candle_core::Error>(vec![T::from_f64(rows.map(loss).sum::<f64>() / self.total(labels))])
        })?;
        Ok((out, Shape::from(())))
    }

    /// (softmax − one-hot) w / Σ w.
    fn bwd(
        &self,
        logits: &Tensor,
        labels: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        fn back<T: Real>(op: &CrossEntropy, logits: &Tensor, labels: &Tensor, grad: &Tensor) -> Result<Tensor> {
            let (n, classes) = logits.dims2()?;
            let (held_logits, held_labels) = (held(logits), held(labels));
            let mean = grad.to_dtype(DType::F64)?.to_scalar::<f64>()? / op.total(held_labels.values::<u32>()?);
            let mut out = Vec::with_capacity(n * classes);
            for (row, label) in held_logits.values::<T>()?.chunks_exact(classes).zip(held_labels.values::<u32>()?) {
                let (total, scale) = (log_sum(row), mean * op.weight(*label));
                out.extend(row.iter().enumerate().map(|(k, v)| {
                    let share = (v.to_f64() - total).exp() - f64::from(u8::from(k == *label as usize));
                    T::from_f64(share * scale)
                }));
            }
            Tensor::from_vec(out, logits.shape(), logits.device())
        }
        let gradient = match logits.dtype() {
            DType::F64 => back::<f64>(self, logits, labels, grad)?,
            _ => back::<f32>(self, logits, labels, grad)?,
        };
        Ok((Some(gradient), None))
    }
}

/// ∂/∂logits of the mean over the rows of −Σ_k target_k · log softmax(logits)_k, for targets (N, K) whose rows sum to 1:
/// (softmax − target) / N. Differentiable in both.
///
/// # Errors
/// Where the shapes differ.
pub fn soft_cross_entropy_gradient(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    let rows = logits.dims2()?.0;
    if logits.shape() != target.shape() {
        candle_core::bail!("logits of {:?} met targets of {:?}", logits.shape(), target.shape());
    }
    if own_kernels(logits.device()) {
        return apply2(&logits.contiguous()?, &target.contiguous()?, SoftGradient);
    }
    (candle_nn::ops::softmax(logits, 1)? - target)? * (1.0 / rows as f64)
}

struct SoftGradient;

/// Of one row.
fn softmax<T: Real>(row: &[T]) -> Vec<f64> {
    let total = log_sum(row);
    row.iter().map(|v| (v.to_f64() - total).exp()).collect()
}

/// What `function` makes of each row of two matrices.
fn by_rows<T: Real>(a: &[T], b: &[T], columns: usize, function: impl Fn(&[T], &[T]) -> Vec<f64>) -> Vec<T> {
    let rows = a.chunks_exact(columns).zip(b.chunks_exact(columns));
    rows.flat_map(|(a, b)| function(a, b)).map(T::from_f64).collect()
}

impl CustomOp2 for SoftGradient {
    fn name(&self) -> &'static str {
        "gradient of a cross-entropy"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, classes) = l1.shape().dims2()?;
        let share = 1.0 / rows as f64;
        let out = for_reals!(self.name(), s1, T => {
            let (logits, targets) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(by_rows(logits, targets, classes, |logits, targets| {
                let pairs = softmax(logits).into_iter().zip(targets);
                pairs.map(|(p, target)| (p - target.to_f64()) * share).collect()
            }))
        })?;
        Ok((out, l1.shape().clone()))
    }

    /// With r the gradient of it: that of the logits is p (r − Σ p r) / N, that of the target −r / N.
    fn bwd(
        &self,
        logits: &Tensor,
        target: &Tensor,
        _: &Tensor,
        r: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let share = 1.0 / logits.dim(0)? as f64;
        let to_logits = logits.track_op().then(|| logits.apply_op2_no_bwd(&r.contiguous()?, &SoftSlope));
        let to_target = target.track_op().then(|| r * -share);
        Ok((to_logits.transpose()?, to_target.transpose()?))
    }
}

/// p (r − Σ p r) / N for p the softmax of logits.
struct SoftSlope;

impl CustomOp2 for SoftSlope {
    fn name(&self) -> &'static str {
        "gradient of a softmax"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, classes) = l1.shape().dims2()?;
        let share = 1.0 / rows as f64;
        let out = for_reals!(self.name(), s1, T => {
            let (logits, r) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(by_rows(logits, r, classes, |logits, r| {
                let p = softmax(logits);
                let mean: f64 = p.iter().zip(r).map(|(p, r)| p * r.to_f64()).sum();
                p.iter().zip(r).map(|(p, r)| p * (r.to_f64() - mean) * share).collect()
            }))
        })?;
        Ok((out, l1.shape().clone()))
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
    noted1(z, CarryOn(gradient.detach()))
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

    fn cuda_fwd(&self, storage: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        nothing(storage)
    }

    fn metal_fwd(&self, storage: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        nothing(storage)
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        // Elsewhere it would have to be waited for to be looked at.
        if grad.device().is_cpu() && grad.to_dtype(DType::F64)?.to_scalar::<f64>()? == 1.0 {
            return Ok(Some(self.0.clone()));
        }
        Ok(Some(self.0.broadcast_mul(grad)?))
    }
}

/// The scalar 0 of the storage's device and number type.
fn nothing<S>(storage: &S) -> Result<(S, Shape)>
where
    S: BackendStorage,
    S::Device: BackendDevice<Storage = S>,
{
    let shape = Shape::from(());
    Ok((storage.device().zeros_impl(&shape, storage.dtype())?, shape))
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
    fn classes_count_as_they_are_weighed_and_the_gradient_is_that_of_differences() {
        let rows = [[1.0f64, -2.0, 0.5], [3.0, 2.0, -1.0], [0.1, 0.2, 0.3]];
        let labels = Tensor::new(&[2u32, 0, 2], &Device::Cpu).unwrap();
        let weights: Arc<[f64]> = [3.0, 1.0, 0.5].into();
        let loss = |rows: &Tensor| weighed_cross_entropy(rows, &labels, Some(&weights)).unwrap();
        let number = |t: &Tensor| t.to_scalar::<f64>().unwrap();
        let logits = Var::new(&rows, &Device::Cpu).unwrap();
        let each: Vec<f64> = (0..3)
            .map(|i| {
                number(&cross_entropy(&logits.narrow(0, i, 1).unwrap(), &labels.narrow(0, i, 1).unwrap()).unwrap())
            })
            .collect();
        let expected = (0.5 * each[0] + 3.0 * each[1] + 0.5 * each[2]) / 4.0;
        assert!((number(&loss(&logits)) - expected).abs() < 1e-12);
        let gradient = loss(&logits).backward().unwrap().get(&logits).unwrap().to_vec2::<f64>().unwrap();
        for i in 0..3 {
            for k in 0..3 {
                let moved = |by: f64| {
                    let mut rows = rows;
                    rows[i][k] += by;
                    number(&loss(&Tensor::new(&rows, &Device::Cpu).unwrap()))
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((gradient[i][k] - difference).abs() < 1e-8, "{i} {k}: {} {difference}", gradient[i][k]);
            }
        }
        let few: Arc<[f64]> = [1.0, 1.0].into();
        assert!(weighed_cross_entropy(&logits, &labels, Some(&few)).is_err());
        let none: Arc<[f64]> = [0.0, 1.0, 0.0].into();
        assert!(weighed_cross_entropy(&logits, &labels, Some(&none)).is_err());
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
