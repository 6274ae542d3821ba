//! Values composed of candle's operations outside the graph, as one operation with a way back of its own.

use std::sync::Mutex;

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Layout, MetalStorage, Result, Shape, Storage, Tensor,
    backend::BackendStorage,
};

use super::tape::{noted1, noted2, noted3};
use super::{for_reals, values};

/// From an operation's arguments and the gradient of its output to the arguments' gradients, in their order.
type Back = Box<dyn Fn(&[&Tensor], &Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

/// Values that were composed outside the graph, as one operation with a way back of its own.
struct Made {
    /// Until they are taken, which is once.
    values: Mutex<Option<Tensor>>,
    back: Back,
}

/// `values`, made of one to three `arguments` outside the graph, as one operation that goes back by `back`. So an operation
/// gets the gradient that it ought to have where candle's is another one, or slow.
///
/// # Errors
/// Where there is no memory left.
pub(crate) fn made(
    arguments: &[&Tensor],
    values: &Tensor,
    back: impl Fn(&[&Tensor], &Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
) -> Result<Tensor> {
    // From the first number of its storage on, which is copied as it is.
    let values = values.detach().contiguous()?;
    let values = if values.layout().start_offset() == 0 { values } else { values.copy()? };
    let op = Made { values: Mutex::new(Some(values)), back: Box::new(back) };
    match arguments {
        [a] => noted1(a, op),
        [a, b] => noted2(a, b, op),
        [a, b, c] => noted3(a, b, c, op),
        other => candle_core::bail!("an operation of {} arguments", other.len()),
    }
}

impl Made {
    fn take(&self) -> Result<Tensor> {
        let taken = self.values.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        taken.ok_or_else(|| candle_core::Error::Msg("composed values were taken twice".into()))
    }

    fn on_cpu(&self) -> Result<(CpuStorage, Shape)> {
        let made = self.take()?;
        let (storage, layout) = made.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { candle_core::bail!("composed values are on another device") };
        let copy = for_reals!("composed", storage, T => values::<T>(storage, layout).map(<[T]>::to_vec))?;
        Ok((copy, made.shape().clone()))
    }

    fn on_cuda(&self) -> Result<(CudaStorage, Shape)> {
        let made = self.take()?;
        let (storage, layout) = made.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else { candle_core::bail!("composed values are on another device") };
        Ok((storage.try_clone(layout)?, made.shape().clone()))
    }

    fn on_metal(&self) -> Result<(MetalStorage, Shape)> {
        let made = self.take()?;
        let (storage, layout) = made.storage_and_layout();
        let Storage::Metal(storage) = &*storage else { candle_core::bail!("composed values are on another device") };
        Ok((storage.try_clone(layout)?, made.shape().clone()))
    }

    fn gradients<const N: usize>(&self, arguments: [&Tensor; N], grad: &Tensor) -> Result<[Option<Tensor>; N]> {
        let all = (self.back)(&arguments, grad)?;
        all.try_into().map_err(|_| candle_core::Error::Msg("a way back of other arguments".into()))
    }
}

impl CustomOp1 for Made {
    fn name(&self) -> &'static str {
        "composed"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn metal_fwd(&self, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.on_metal()
    }

    fn bwd(&self, a: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let [da] = self.gradients([a], grad)?;
        Ok(da)
    }
}

impl CustomOp2 for Made {
    fn name(&self) -> &'static str {
        "composed"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn metal_fwd(&self, _: &MetalStorage, _: &Layout, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.on_metal()
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [da, db] = self.gradients([a, b], grad)?;
        Ok((da, db))
    }
}

impl CustomOp3 for Made {
    fn name(&self) -> &'static str {
        "composed"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        self.on_metal()
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [da, db, dc] = self.gradients([a, b, c], grad)?;
        Ok((da, db, dc))
    }
}
