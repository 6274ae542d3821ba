//! Interrupts: the first asks the worker to stop, the second leaves at once.

use std::io::Read as _;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::Builder;

use super::tell;
use crate::error::{Error, Result};
use crate::run::control::Command;
use crate::run::worker::Worker;

/// Who is asked to stop.
struct Asked {
    stop: Box<dyn Fn() + Send>,
    /// What is said where one leaves at once.
    left: String,
    /// Whether it was asked already.
    before: bool,
}

/// The worker of the present; the ones before it have left.
static NOW: Mutex<Option<Asked>> = Mutex::new(None);

/// Passes interrupts on to the worker, in place of the one before it; `left` is said where one leaves at once.
pub(super) fn obey_interrupts(worker: &Worker, left: String) {
    let control = worker.control.clone();
    on_interrupt(move || control.send(Command::Stop), left);
}

/// Does this at an interrupt, in place of what was done before; `left` is said where one leaves at once.
///
/// An end of the terminal is an interrupt too, but not for a program that was told to survive it, by `nohup` say.
pub(super) fn on_interrupt(stop: impl Fn() + Send + 'static, left: String) {
    static ONCE: Once = Once::new();
    let now = Asked { stop: Box::new(stop), left, before: false };
    *NOW.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    ONCE.call_once(|| {
        let survives = hangup::ignore();
        if let Err(error) = ctrlc::set_handler(interrupted) {
            tell(&format!("Interrupts will not be saved first: {error}"));
        }
        // The handler, which takes all signals, has taken this one too.
        if survives {
            hangup::ignore();
        }
    });
}

/// Takes the end of standard input for an interrupt: whoever started this is gone, or wants it to stop.
///
/// # Errors
/// Returns an error if the system gives no thread.
pub(super) fn interrupted_with_input() -> Result<()> {
    let listen = || {
        let mut input = std::io::stdin().lock();
        let mut block = [0; 64];
        while input.read(&mut block).is_ok_and(|read| read > 0) {}
        interrupted();
    };
    let thread = Builder::new().name("cutlayer-parent".to_owned()).spawn(listen);
    thread.map(drop).map_err(|e| Error::Internal(format!("no thread to listen to who started this: {e}")))
}

fn interrupted() {
    let mut now = NOW.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(asked) = now.as_mut() else { std::process::exit(1) };
    if std::mem::replace(&mut asked.before, true) {
        tell(&asked.left);
        std::process::exit(1);
    }
    (asked.stop)();
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
