//! The live mirror: one image's way from the hospital to the attacker, shown anew at once whenever the
//! image, the cut or the defence changes. Nothing is trained and nothing recorded.
//!
//! A thread of its own ([`Live`]) takes the latest [`Question`] and answers with scenes, each newer one
//! replacing the last. It works while a question is open and sleeps otherwise; its attack can be paused, stepped and slowed. Its kernels run on that thread
//! too, not in the pool that a run's steps fill: who runs where is written down in [`engine`](crate::engine).

mod batch;
mod mirror;
mod question;
mod theft;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

pub use mirror::{Mirror, Next};
pub use question::{Question, Shown, attack_of};

use crate::engine::alone;
use crate::error::{Error, Result};
use crate::run::control::{Command, Control, guarded};
use crate::run::event::Latest;
use crate::run::facts::Facts;
use crate::run::scene::Scene;

/// Candle walks its graphs recursively.
const STACK_BYTES: usize = 64 << 20;

/// What the thread and its owner share.
#[derive(Default)]
struct Shared {
    /// The latest question, with its number.
    asked: Mutex<Option<(u64, Question)>>,
    changed: Condvar,
    leave: AtomicBool,
    /// The question at work is to be given up.
    cancelled: AtomicBool,
    busy: AtomicBool,
    /// Whether the attack may go on, and how fast.
    control: Control,
    pictures: Latest<(u64, Scene)>,
    facts: Latest<(u64, Arc<Facts>)>,
    failed: Latest<(u64, String)>,
}

/// The thread that answers. Dropping it asks the thread to leave, and does not wait.
pub struct Live {
    shared: Arc<Shared>,
    /// Number of the latest question: what answers an older one is not handed out.
    number: u64,
    seen: [u64; 3],
    _thread: JoinHandle<()>,
}

impl Live {
    /// Starts the thread. `wake` is called whenever there is something new to see.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(wake: impl Fn() + Send + 'static) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = shared.clone();
        let thread = Builder::new()
            .name("cutlayer-live".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || work(&its, &wake))
            .map_err(|e| Error::Internal(format!("no thread for the live mirror: {e}")))?;
        Ok(Self { shared, number: 0, seen: [0; 3], _thread: thread })
    }

    /// Asks; what was asked before is forgotten. Never waits.
    pub fn ask(&mut self, question: Question) {
        self.number += 1;
        let mut asked = self.shared.lock();
        *asked = Some((self.number, question));
        self.shared.busy.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }

    /// Forgets what was asked: whoever needs the processor more may have it.
    pub fn cancel(&mut self) {
        self.number += 1;
        let mut asked = self.shared.lock();
        *asked = None;
        self.shared.cancelled.store(true, Ordering::Release);
    }

    /// Pauses the attack, lets it go on, or sets its pace; what else a question shows comes at once all the same. Never
    /// waits. To leave, drop it.
    pub fn send(&self, command: Command) {
        self.shared.control.send(command);
    }

    /// The latest scene that answers the latest question, if it is new.
    pub fn scene(&mut self) -> Option<Scene> {
        self.newest(0, &self.shared.clone().pictures)
    }

    /// What is known of the latest question's experiment, if that is new.
    pub fn facts(&mut self) -> Option<Arc<Facts>> {
        self.newest(1, &self.shared.clone().facts)
    }

    /// Why the latest question cannot be answered, in words, if that is new.
    pub fn failure(&mut self) -> Option<String> {
        self.newest(2, &self.shared.clone().failed)
    }

    fn newest<T: Clone>(&mut self, which: usize, slot: &Latest<(u64, T)>) -> Option<T> {
        let (number, (question, value)) = slot.newer_than(self.seen[which])?;
        self.seen[which] = number;
        (question == self.number).then_some(value)
    }

    /// Whether it is still at work on what was asked.
    pub fn busy(&self) -> bool {
        self.shared.busy.load(Ordering::Acquire)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _asked = self.shared.lock();
        self.shared.leave.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<(u64, Question)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the attack does next, whose next iteration is due or not.
    fn next(&self, due: bool) -> Next {
        let [leave, cancelled] = [&self.leave, &self.cancelled].map(|flag| flag.load(Ordering::Acquire));
        if leave || cancelled || self.lock().is_some() {
            return Next::Leave;
        }
        if due && self.control.may_now() { Next::Work } else { Next::Wait }
    }
}

fn work(shared: &Shared, wake: &dyn Fn()) {
    alone();
    let mut mirror = Mirror::default();
    while let Some((number, question)) = next(shared) {
        let answered = guarded(|| {
            // Where the rest cannot be answered, the images are there all the same, and the cut to move.
            shared.facts.put((number, mirror.know(&question)?));
            mirror.answer(question)?;
            while let Some(scene) = mirror.advance(&|due| shared.next(due))? {
                shared.pictures.put((number, scene));
                wake();
            }
            Ok(())
        });
        if let Err(error) = answered {
            // After a defect nobody knows what state it is in.
            if !matches!(error, Error::Input(_) | Error::Diverged(_)) {
                mirror = Mirror::default();
            }
            shared.failed.put((number, error.to_string()));
        }
        let asked = shared.lock();
        shared.busy.store(asked.is_some(), Ordering::Release);
        drop(asked);
        wake();
    }
}

/// Waits for a question; none where it is time to leave.
fn next(shared: &Shared) -> Option<(u64, Question)> {
    let mut asked = shared.lock();
    loop {
        if shared.leave.load(Ordering::Acquire) {
            return None;
        }
        if let Some(question) = asked.take() {
            shared.cancelled.store(false, Ordering::Release);
            return Some(question);
        }
        asked = shared.changed.wait(asked).unwrap_or_else(PoisonError::into_inner);
    }
}
