//! CPU kernels as candle operations, with their gradients.
//!
//! Each operation is one file and works for float32 and float64 (the latter so that gradients can be
//! compared with finite differences). On a device that is not the CPU an operation falls back to
//! candle's own, or to a composition of candle operations where candle's own gradient is wrong.
//!
//! Work is cut into pieces by shape, never by the number of threads, and sums are added in a fixed
//! order: the same input gives the same bits with any number of threads.

pub mod activation;
pub mod conv;
pub mod linear;
pub mod matrix;
pub mod norm;
pub mod pool;
pub mod svt;

use candle_core::{CpuStorage, Layout, Result, WithDType};

/// The numbers the kernels work on: float32 and float64.
pub trait Real:
    WithDType
    + candle_core::cpu::kernels::VecOps
    + Send
    + Sync
    + std::ops::AddAssign
    + std::ops::Mul<Output = Self>
    + std::ops::Add<Output = Self>
    + PartialOrd
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// The contiguous values of a tensor's storage.
///
/// # Errors
/// Where the tensor is not contiguous: callers make it so first.
fn values<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let all = storage.as_slice::<T>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => candle_core::bail!("the kernel wants a contiguous tensor, found {layout:?}"),
    }
}

/// Calls a kernel for the storage's number type and wraps what it gives back into storage.
macro_rules! for_reals {
    ($name:expr, $storage:expr, $T:ident => $kernel:expr) => {
        match $storage {
            candle_core::CpuStorage::F32(_) => {
                type $T = f32;
                $kernel.map(candle_core::CpuStorage::F32)
            }
            candle_core::CpuStorage::F64(_) => {
                type $T = f64;
                $kernel.map(candle_core::CpuStorage::F64)
            }
            other => {
                use candle_core::backend::BackendStorage;
                candle_core::bail!("{} works on f32 and f64, found {:?}", $name, other.dtype())
            }
        }
    };
}
pub(crate) use for_reals;
