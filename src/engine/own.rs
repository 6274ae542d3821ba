//! Who computes an operation: a kernel of this engine, or candle's operations put together.
//!
//! The kernels are for the processor. On any other device each operation is *composed* of candle's own, with the same values
//! and gradients to rounding. [`composed`] has the processor take that way too, which is how it is tried where there is no
//! other device: in its scope every kernel refuses, so that nothing can take the wrong way unseen. What is meant to be
//! done on the processor, whatever the device, says so by [`on_host`].

use std::cell::Cell;
use std::sync::Mutex;

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, MetalStorage, Result, Shape, Storage,
    Tensor, backend::BackendStorage,
};

use super::tape::{noted1, noted2, noted3};
use super::{for_reals, values};

thread_local! {
    /// Whether this thread composes also on the processor.
    static COMPOSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether operations on this device are the kernels'.
pub fn own_kernels(device: &Device) -> bool {
    device.is_cpu() && !COMPOSED.get()
}

/// Does `work` as another device would, on this thread: what it asks for is composed of candle's operations, and what would
/// hand a tensor of that device to a kernel fails.
pub fn composed<R>(work: impl FnOnce() -> R) -> R {
    scoped(true, work)
}

/// Does `work` by the kernels, on tensors that were brought to the processor for that.
pub fn on_host<R>(work: impl FnOnce() -> R) -> R {
    scoped(false, work)
}

/// Has this thread compose from now on: for one that is about to work as another device would until it ends.
pub fn compose_from_now_on() {
    COMPOSED.set(true);
}

fn scoped<R>(composed: bool, work: impl FnOnce() -> R) -> R {
    /// Goes on as before, also after a panic.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            COMPOSED.set(self.0);
        }
    }
    let _before = Before(COMPOSED.replace(composed));
    work()
}

/// Refuses to hand a tensor to a kernel of the processor from where there is another device, or as if there were one.
///
/// # Errors
/// Names the operation.
pub(super) fn check(device: &Device, operation: &str) -> Result<()> {
    if own_kernels(device) {
        return Ok(());
    }
    candle_core::bail!("{operation}: a kernel for the CPU met a tensor on another device")
}

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
