//! CPU kernels as candle operations, with their gradients.
//!
//! Each operation is one file and works for float32 and float64 (the latter so that gradients can be
//! compared with finite differences). On a device that is not the CPU an operation is composed of candle's own, with a way
//! back of ours where candle's gradient is wrong ([`made`]); [`trial`] has all of them, to be compared.
//!
//! Work is cut into pieces by shape, never by the number of threads, and sums are added in a fixed
//! order: the same input gives the same bits with any number of threads.
//!
//! # Who runs where
//!
//! Two threads of control use kernels:
//!
//! - the run's worker ([`run::worker`](crate::run::worker)): training, and a run's attacks between its steps. It leads a
//!   team of as many threads as the experiment's `threads` (all cores by default) and is itself one of them ([`lead`]);
//! - the live mirror ([`live`](crate::live)), which attacks one image. It keeps to its own thread ([`alone`]): a piece of
//!   one image takes microseconds, and in the pool it would wait each time for pieces of a whole batch.
//!
//! Other threads (tests, the command line's small jobs) use rayon's common pool of the same size.
//!
//! Where there are fewer cores than threads the system gives each its turn, and the mirror offers its own after each
//! iteration ([`give_way`]). It costs training one core at most, while a question is open; it ends by itself, and at once
//! when it is cancelled. The window computes nothing. candle's own threads are kept off the cores
//! (`CANDLE_NUM_THREADS=1`), since they wait by spinning.
//! `cutlayer bench together` measures what both keep of their speed.

#![expect(
    clippy::inline_always,
    reason = "code that is not inlined into `pulp`'s dispatch is compiled without the processor's vectors"
)]

pub mod activation;
pub mod channel;
pub mod conv;
pub mod correlation;
pub mod distance;
pub mod eigen;
pub(crate) mod fresh;
pub mod kept;
pub mod lanes;
pub mod linear;
pub mod loss;
pub mod made;
pub mod matrix;
pub mod mean;
pub mod norm;
pub mod optimiser;
pub mod own;
pub mod pool;
pub mod replace;
mod shelf;
pub mod shuffle;
pub mod simd;
pub mod similarity;
pub mod svt;
pub mod tape;
pub mod taps;
#[cfg(test)]
mod tests;
pub mod trial;

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, WithDType};

pub use simd::Real;

/// Lets all kernels that are called from this thread run on it alone, for as long as it lives: it becomes the one thread
/// of a pool of its own. For a thread that computes for a single image beside a run.
///
/// A thread that is one of a pool's already stays there.
pub fn alone() {
    // Numbers do not depend on it, so a refusal costs time at most.
    if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
        tracing::debug!("kernels stay in the common pool: {error}");
    }
}

/// Lets a team's thread that waits for this core have it. For a thread that works [`alone`], after each of its iterations:
/// the system's own turns take milliseconds, in which the rest of a team waits for a piece of microseconds.
pub fn give_way() {
    std::thread::yield_now();
}

/// The threads that a leading thread works with; they leave when it is dropped.
#[derive(Debug)]
pub struct Team(#[expect(dead_code, reason = "held for its threads")] Option<rayon::ThreadPool>);

/// Lets the kernels that are called from this thread run on it and on as many others as the experiment's `threads` leave,
/// for as long as the team lives. For a thread that does little but call kernels: it takes its own share at once, where a
/// thread outside the pool sleeps until two others have been woken, have finished, and wake it; a training step has some
/// hundred kernels, and being woken takes as long as a small one.
///
/// A thread that is one of a pool's already stays there.
pub fn lead() -> Team {
    let pool = rayon::ThreadPoolBuilder::new().use_current_thread().build();
    if let Err(error) = &pool {
        tracing::debug!("kernels stay in the common pool: {error}");
    }
    Team(pool.ok())
}

/// Values a thread takes at once: enough to be worth a hand-over, and independent of the thread count.
const PIECE: usize = 16_384;

/// The contiguous values of a tensor's storage.
///
/// # Errors
/// Where the tensor is not contiguous: callers make it so first.
pub(crate) fn values<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let all = storage.as_slice::<T>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => candle_core::bail!("the kernel wants a contiguous tensor, found {layout:?}"),
    }
}

/// A tensor whose values are being read. (What candle hands out has a type that it does not name.)
struct Held<'a, S>(S, &'a Layout);

/// Holds a tensor for reading.
fn held(tensor: &Tensor) -> Held<'_, impl std::ops::Deref<Target = Storage> + '_> {
    let (storage, layout) = tensor.storage_and_layout();
    Held(storage, layout)
}

impl<S: std::ops::Deref<Target = Storage>> Held<'_, S> {
    /// The values, row-major.
    ///
    /// # Errors
    /// Where they are not contiguous, of another type or on another device.
    fn values<T: WithDType>(&self) -> Result<&[T]> {
        match &*self.0 {
            Storage::Cpu(storage) => values(storage, self.1),
            _ => candle_core::bail!("a kernel for the CPU met a tensor on another device"),
        }
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
