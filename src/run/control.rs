//! Stop, pause, step, slow motion: commands to a running worker, which looks at them between slices, and how a panic in it
//! becomes an error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    /// Let at least so long pass from one slice to the next; none does them as fast as can be.
    Pace(Option<Duration>),
    /// Wait, as after Pause, once so many epochs are whole; none takes that back.
    PauseAfter(Option<usize>),
}

#[derive(Debug, Default)]
struct State {
    paused: bool,
    /// Slices allowed while paused.
    steps: u64,
    stop: bool,
    pace: Option<Duration>,
    /// When the last slice was allowed.
    last: Option<Instant>,
    pause_after: Option<usize>,
}

/// What a worker may do now.
enum Turn {
    Leave,
    Work,
    /// Wait for a command, or until then.
    Wait(Option<Instant>),
}

impl State {
    /// Whose turn it is; a slice that is allowed is counted.
    fn turn(&mut self, now: Instant) -> Turn {
        if self.stop {
            return Turn::Leave;
        }
        if self.paused {
            if self.steps == 0 {
                return Turn::Wait(None);
            }
            self.steps -= 1;
        } else if let Some(due) = self.last.zip(self.pace).and_then(|(last, pace)| last.checked_add(pace))
            && due > now
        {
            return Turn::Wait(Some(due));
        }
        self.last = Some(now);
        Turn::Work
    }
}

/// Shared between a worker and those who command it.
#[derive(Debug, Default)]
pub struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a command. Never waits for the worker.
    pub fn send(&self, command: Command) {
        let mut state = self.state();
        match command {
            Command::Run => state.paused = false,
            Command::Pause => state.paused = true,
            Command::Step => {
                state.paused = true;
                state.steps += 1;
            }
            Command::Stop => state.stop = true,
            Command::Pace(pace) => state.pace = pace,
            Command::PauseAfter(epochs) => state.pause_after = epochs,
        }
        self.changed.notify_all();
    }

    /// Whether Stop was asked for.
    pub fn stopped(&self) -> bool {
        self.state().stop
    }

    /// Whether the worker waits.
    pub fn paused(&self) -> bool {
        self.state().paused
    }

    /// The worker's side: so many epochs are whole. Pauses where that was asked for.
    pub fn reached(&self, epochs: usize) {
        let mut state = self.state();
        if state.pause_after.is_some_and(|after| epochs >= after) {
            state.pause_after = None;
            state.paused = true;
        }
    }

    /// The worker's side, before a slice: waits while paused, and for its time in slow motion; true if it may go on, false
    /// if it must save and leave. A step has several slices, which only Stop parts.
    pub fn may_go_on(&self, amid_step: bool) -> bool {
        if amid_step {
            return !self.stopped();
        }
        let mut state = self.state();
        loop {
            let now = Instant::now();
            state = match state.turn(now) {
                Turn::Leave => return false,
                Turn::Work => return true,
                Turn::Wait(None) => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Turn::Wait(Some(due)) => {
                    self.changed.wait_timeout(state, due - now).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Whether a slice may be done now, for a worker that has more to look at while it waits. One that may is counted.
    pub fn may_now(&self) -> bool {
        matches!(self.state().turn(Instant::now()), Turn::Work)
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

    #[test]
    fn slow_motion_lets_time_pass_between_slices_and_a_command_ends_the_wait() {
        let control = Control::default();
        let pace = Duration::from_millis(40);
        control.send(Command::Pace(Some(pace)));
        let start = Instant::now();
        assert!((0..3).all(|_| control.may_go_on(false)));
        assert!(start.elapsed() >= 2 * pace, "{:?}", start.elapsed());
        assert!(control.may_go_on(true), "the slices of a step are not parted");
        control.send(Command::Pace(Some(Duration::from_hours(1))));
        assert!(!control.may_now());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| control.may_go_on(false));
            control.send(Command::Stop);
            assert!(!waits.join().unwrap());
        });
    }

    #[test]
    fn it_waits_after_an_epoch_once() {
        let control = Control::default();
        control.send(Command::PauseAfter(Some(2)));
        control.reached(1);
        assert!(!control.paused() && control.may_now());
        control.reached(2);
        assert!(control.paused() && !control.may_now());
        control.send(Command::Run);
        control.reached(2);
        assert!(control.may_now(), "whoever went on is not held again");
    }
}
