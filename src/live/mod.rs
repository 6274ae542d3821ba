//! The live mirror: one image's way from the hospital to the attacker, shown anew at once whenever the
//! image, the cut or the defence changes. Nothing is trained and nothing recorded.
//!
//! A thread of its own ([`Live`]) takes the latest [`Question`] and answers with scenes, each newer one
//! replacing the last. It works while a question is open and sleeps otherwise.

mod mirror;
mod question;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

pub use mirror::Mirror;
pub use question::{Question, Shown};

use crate::error::{Error, Result};
use crate::run::event::{Latest, Pictures};
use crate::run::facts::Facts;
use crate::run::worker::guarded;

/// Candle walks its graphs recursively.
const STACK_BYTES: usize = 64 << 20;

/// What the thread and its owner share.
#[derive(Default)]
struct Shared {
    asked: Mutex<Option<Question>>,
    changed: Condvar,
    leave: AtomicBool,
    busy: AtomicBool,
    pictures: Pictures,
    news: Latest<News>,
}

/// What else there is to know about an answer.
#[derive(Clone, Debug)]
pub enum News {
    /// The experiment's data are loaded.
    Facts(Arc<Facts>),
    /// The question cannot be answered; in words.
    Failed(String),
}

/// The thread that answers. Dropping it asks the thread to leave, and does not wait.
pub struct Live {
    shared: Arc<Shared>,
    seen: u64,
    heard: u64,
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
        Ok(Self { shared, seen: 0, heard: 0, _thread: thread })
    }

    /// Asks; what was asked before is forgotten. Never waits.
    pub fn ask(&self, question: Question) {
        *self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(question);
        self.shared.busy.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }

    /// The latest scene, if it is new.
    pub fn scene(&mut self) -> Option<crate::run::scene::Scene> {
        let (number, scene) = self.shared.pictures.newer_than(self.seen)?;
        self.seen = number;
        Some(scene)
    }

    /// The latest news, if they are new.
    pub fn news(&mut self) -> Option<News> {
        let (number, news) = self.shared.news.newer_than(self.heard)?;
        self.heard = number;
        Some(news)
    }

    /// Whether it is still at work on what was asked.
    pub fn busy(&self) -> bool {
        self.shared.busy.load(Ordering::Acquire)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.leave.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }
}

fn work(shared: &Shared, wake: &dyn Fn()) {
    let mut mirror = Mirror::default();
    while let Some(question) = next(shared) {
        let interrupted = || {
            shared.leave.load(Ordering::Acquire)
                || shared.asked.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        };
        let answered = guarded(|| {
            let facts = mirror.ask(question)?;
            if let Some(facts) = facts {
                shared.news.put(News::Facts(facts));
            }
            while let Some(scene) = mirror.advance(&interrupted)? {
                shared.pictures.put(scene);
                wake();
            }
            Ok(())
        });
        if let Err(error) = answered {
            // Whatever state it was in, the next question starts afresh.
            mirror = Mirror::default();
            shared.news.put(News::Failed(error.to_string()));
        }
        let asked = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        shared.busy.store(asked.is_some(), Ordering::Release);
        drop(asked);
        wake();
    }
}

/// Waits for a question; none where it is time to leave.
fn next(shared: &Shared) -> Option<Question> {
    let mut asked = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if shared.leave.load(Ordering::Acquire) {
            return None;
        }
        if let Some(question) = asked.take() {
            return Some(question);
        }
        asked = shared.changed.wait(asked).unwrap_or_else(PoisonError::into_inner);
    }
}
