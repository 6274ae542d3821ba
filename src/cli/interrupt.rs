//! Interrupts: the first asks the worker to stop, the second leaves at once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::tell;
use crate::run::control::Command;
use crate::run::worker::Worker;

/// Passes interrupts on to the worker; `left` is said where one leaves at once.
///
/// An end of the terminal is an interrupt too, but not for a program that was told to survive it, by `nohup` say.
pub(super) fn obey_interrupts(worker: &Worker, left: String) {
    let control = worker.control.clone();
    let asked = AtomicBool::new(false);
    let handler = move || {
        if asked.swap(true, Ordering::Relaxed) {
            tell(&left);
            std::process::exit(1);
        }
        control.send(Command::Stop);
    };
    let survives = hangup::ignore();
    if let Err(error) = ctrlc::set_handler(handler) {
        tell(&format!("Interrupts will not be saved first: {error}"));
    }
    // The handler, which takes all signals, has taken this one too.
    if survives {
        hangup::ignore();
    }
}

#[cfg(unix)]
mod hangup {
    use std::ffi::c_int;

    /// The numbers that every Unix gives them.
    const SIGHUP: c_int = 1;
    const IGNORED: usize = 1;

    #[expect(unsafe_code, reason = "the standard library has no word for signals, and the C library is linked anyway")]
    unsafe extern "C" {
        fn signal(number: c_int, handler: usize) -> usize;
    }

    /// Ignores the end of the terminal; whether that was so before.
    pub fn ignore() -> bool {
        // SAFETY: the C library's own function, given a signal that exists and the handler that does nothing.
        #[expect(unsafe_code, reason = "see above")]
        unsafe {
            signal(SIGHUP, IGNORED) == IGNORED
        }
    }
}

#[cfg(not(unix))]
mod hangup {
    pub fn ignore() -> bool {
        false
    }
}
