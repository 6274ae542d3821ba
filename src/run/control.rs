//! Stop, pause, step: commands to a running worker, which looks at them between slices, and how a panic in it becomes an
//! error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::error::{Error, Result};

/// What a window, a terminal or a test may ask of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go on.
    Run,
    /// Wait before the next slice of work.
    Pause,
    /// Do one slice of work and wait again.
    Step,
    /// Save and leave.
    Stop,
}

#[derive(Debug, Default)]
struct State {
    paused: bool,
    /// Slices allowed while paused.
    steps: u64,
    stop: bool,
}

/// Shared between a worker and those who command it.
#[derive(Debug, Default)]
pub struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

impl Control {
    /// Gives a command. Never waits for the worker.
    pub fn send(&self, command: Command) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match command {
            Command::Run => state.paused = false,
            Command::Pause => state.paused = true,
            Command::Step => {
                state.paused = true;
                state.steps += 1;
            }
            Command::Stop => state.stop = true,
        }
        self.changed.notify_all();
    }

    /// Whether Stop was asked for.
    pub fn stopped(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stop
    }

    /// Whether the worker waits.
    pub fn paused(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).paused
    }

    /// The worker's side, before a slice: waits while paused; true if it may go on, false if it must save and leave. A step
    /// has several slices, which Pause and Step do not part; Stop does.
    pub fn may_go_on(&self, amid_step: bool) -> bool {
        if amid_step {
            return !self.stopped();
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.stop {
                return false;
            }
            if !state.paused {
                return true;
            }
            if state.steps > 0 {
                state.steps -= 1;
                return true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread becomes an error, which is told where it arrives.
pub(crate) fn is_guarded() -> bool {
    GUARDED.get()
}

/// A panic becomes an error: it must not take the window with it.
pub(crate) fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(f));
    GUARDED.set(before);
    done.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::Internal(format!("the worker met a defect of the program: {text}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_allows_one_slice_and_stop_wins() {
        let control = Control::default();
        assert!(control.may_go_on(false));
        control.send(Command::Step);
        assert!(control.may_go_on(false) && control.paused());
        assert!(control.may_go_on(true), "a step is not parted by a pause");
        control.send(Command::Stop);
        assert!(!control.may_go_on(false) && !control.may_go_on(true));
    }
}
