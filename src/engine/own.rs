//! Who computes an operation: a kernel of this engine, or candle's operations put together.
//!
//! The kernels are for the processor. On any other device each operation is *composed* of candle's own, with the same values
//! and gradients to rounding. [`composed`] has the processor take that way too, which is how it is tried where there is no
//! other device: in its scope every kernel refuses, so that nothing can take the wrong way unseen. What is meant to be
//! done on the processor, whatever the device, says so by [`on_host`].

use std::cell::Cell;

use candle_core::{Device, Result};

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
