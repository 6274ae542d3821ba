//! The candle operation: which kernel runs when, and what backward keeps from forward.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Storage, StorageRef, Tensor};

use super::kernel::{Moments, Sets, Way};
use crate::engine::activation::masked;
use crate::engine::{Real, for_reals, values};

/// Inputs are x (N, C, …), γ over β (2, C) and, with three, the skip connection.
pub struct Norm {
    pub sets: Sets,
    /// Running statistics; none where the values' own are used.
    pub fixed: Option<Vec<Moments>>,
    pub relu: bool,
    /// The statistics in use, which forward leaves for backward.
    pub made: Arc<OnceLock<Vec<Moments>>>,
}

impl Norm {
    fn forward<T: Real>(&self, x: &[T], affine: &[T], skip: Option<&[T]>) -> Vec<T> {
        let (y, moments) = self.sets.forward(x, affine, skip, self.relu, self.fixed.as_deref());
        // A graph runs an operation once; were it run again, the same numbers would come.
        let _ = self.made.set(moments);
        y
    }

    /// Gradients by x and affine; `relu` where the relu is still to be gone back through.
    fn gradients<T: Real>(&self, x: &Tensor, affine: &Tensor, grad: &Tensor, relu: bool) -> Result<Pair> {
        let (x_read, affine_read, grad_read) =
            (x.storage_and_layout(), affine.storage_and_layout(), grad.storage_and_layout());
        let moments = self.made.get().map_or(&[][..], Vec::as_slice);
        // Frozen weights (maps, attacks) need no gradient.
        let way = Way { relu, own: self.fixed.is_none(), wanted: affine.track_op() };
        let (x_values, affine_values) = (on_host::<T>(&x_read)?, on_host::<T>(&affine_read)?);
        let (dx, daffine) = self.sets.backward(x_values, affine_values, on_host(&grad_read)?, moments, way);
        let dx = x.track_op().then(|| Tensor::from_vec(dx, x.shape(), x.device())).transpose()?;
        let daffine = way.wanted.then(|| Tensor::from_vec(daffine, affine.shape(), x.device())).transpose()?;
        Ok((dx, daffine))
    }

    fn back(&self, x: &Tensor, affine: &Tensor, grad: &Tensor, relu: bool) -> Result<Pair> {
        let grad = grad.contiguous()?;
        match x.dtype() {
            DType::F64 => self.gradients::<f64>(x, affine, &grad, relu),
            _ => self.gradients::<f32>(x, affine, &grad, relu),
        }
    }
}

/// Gradients by x and affine, where they are wanted.
type Pair = (Option<Tensor>, Option<Tensor>);

fn on_host<'a, T: Real>((storage, layout): &'a (StorageRef<'_>, &Layout)) -> Result<&'a [T]> {
    match &**storage {
        Storage::Cpu(storage) => values(storage, layout),
        _ => candle_core::bail!("the normalisation's gradient wants tensors of the processor"),
    }
}

/// The gradient where y > 0, else 0.
struct Mask;

impl CustomOp2 for Mask {
    fn name(&self) -> &'static str {
        "relu gradient"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(self.name(), s1, T => {
            let (y, grad) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(masked(y, grad))
        })?;
        Ok((out, l1.shape().clone()))
    }
}

impl CustomOp2 for Norm {
    fn name(&self) -> &'static str {
        "normalisation"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(CustomOp2::name(self), s1, T => {
            let (x, affine) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?);
            Ok::<_, candle_core::Error>(self.forward(x, affine, None))
        })?;
        Ok((out, l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, affine: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Pair> {
        self.back(x, affine, grad, self.relu)
    }
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "normalisation with a skip connection"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let out = for_reals!(CustomOp3::name(self), s1, T => {
            let (x, affine, skip) = (values::<T>(s1, l1)?, values::<T>(s2, l2)?, values::<T>(s3, l3)?);
            Ok::<_, candle_core::Error>(self.forward(x, affine, Some(skip)))
        })?;
        Ok((out, l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        affine: &Tensor,
        _skip: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        // Behind the relu both branches get the same gradient.
        let grad = if self.relu { y.apply_op2_no_bwd(&grad.contiguous()?, &Mask)? } else { grad.clone() };
        let (dx, daffine) = self.back(x, affine, &grad, false)?;
        Ok((dx, daffine, Some(grad)))
    }
}
