//! The session kept on disk: every few seconds after something changed, and at the end; and brought back after a crash.
//!
//! What is shown is described as it is for sharing ([`Shared`]); beside it stand the document with its history and which run
//! is open. Panes, log and lesson are in the window's memory. The file says whether the window was closed since: one that
//! was not ended in a crash or a kill, and the next window opens as it was.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread::Builder;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;
use serde::{Deserialize, Serialize};

use super::document::SavedDocument;
use super::opened::Opening;
use super::panes::ago;
use super::shared::Shared;
use super::trouble::About;
use super::{App, Document, Status};
use crate::error::{Error, Result};
use crate::place::{found, written};
use crate::run::folder::remove_abandoned;
use crate::run::whole_files::{Writer, remove_drafts};

/// The session's file, in the program's own folder.
const FILE: &str = "session.json";
/// Where one that cannot be read is put.
const ASIDE: &str = "session.broken.json";
/// Held while a window works with the file.
const LOCK: &str = ".session.lock";
/// The form of the file.
const FORM: u32 = 1;
/// Between two writings.
const EVERY: Duration = Duration::from_secs(3);
/// When a writing that is not done is looked at again.
const SOON: Duration = Duration::from_millis(300);
/// Larger than any session: pictures of one's own are the largest part.
const MOST_BYTES: u64 = 16 << 20;
/// A session that ended so often right after it was brought back is put aside.
const TRIES: u32 = 3;
/// How long a closing window waits for the last writing.
const PATIENCE: Duration = Duration::from_secs(3);

/// The file's contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Saved {
    form: u32,
    /// The program's version that wrote it.
    version: String,
    /// Whether the window was open still.
    open: bool,
    /// How often it was brought back since it was last written.
    #[serde(default)]
    tries: u32,
    /// When it was written.
    at: SystemTime,
    document: SavedDocument,
    shared: Shared,
    /// The folder of the open run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// Whether the stage uses the weights of its best epoch.
    #[serde(default)]
    best: bool,
}

/// Keeps the session.
#[derive(Default)]
pub(super) struct Keeper {
    /// Only the window that has it writes the file.
    lock: Option<File>,
    /// Another window has it.
    off: bool,
    /// Something changed since the file was written.
    changed: bool,
    last: Option<Instant>,
    writing: Option<Receiver<Option<blake3::Hash>>>,
    /// What the file holds, but for the time.
    written: Option<blake3::Hash>,
    /// The session of the last time, where it was not brought back.
    earlier: Option<Box<Saved>>,
    /// What is said of the session that was brought back.
    pub(super) offered: Option<String>,
    /// The window was opened on an experiment of its own.
    pub(super) asked: bool,
}

impl Keeper {
    /// Nothing known yet; `asked` where the window is opened on an experiment of its own.
    pub(super) fn new(asked: bool) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Something may have changed.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// Whether the file holds all that has changed.
    #[cfg(test)]
    pub(super) fn is_written(&self) -> bool {
        !self.changed && self.writing.is_none()
    }

    /// Whether there is an earlier session to bring back.
    pub(super) fn has_earlier(&self) -> bool {
        self.earlier.is_some()
    }

    /// Takes the lock, or finds out that another window has it.
    fn hold(&mut self, home: &Path) {
        if self.lock.is_some() || self.off || !home.is_dir() {
            return;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(home.join(LOCK));
        let Ok(file) = file else { return };
        self.off = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        // A disk without locks keeps nobody out, and one window is what there mostly is.
        self.lock = (!self.off).then_some(file);
    }
}

/// Reads a session; none where there is no file.
///
/// # Errors
/// Returns an error if it is damaged, of a newer version, or names what is not here.
fn read(path: &Path) -> Result<Option<Saved>> {
    #[derive(Deserialize)]
    struct Head {
        form: u32,
        version: String,
    }
    let Ok(metadata) = path.metadata() else { return Ok(None) };
    let damaged = |e: &dyn std::fmt::Display| Error::input(format!("it is damaged ({e})"));
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(damaged(&"it is larger than any session, or no file"));
    }
    let text = std::fs::read(path).map_err(|e| damaged(&e))?;
    let head: Head = serde_json::from_slice(&text).map_err(|e| damaged(&e))?;
    if head.form > FORM {
        return Err(Error::input(format!("it is of a newer version of Cutlayer, {}", head.version)));
    }
    let saved: Saved = serde_json::from_slice(&text).map_err(|e| damaged(&e))?;
    saved.shared.check()?;
    saved.document.document()?;
    Ok(Some(saved))
}

/// The file's bytes, and a sum of all but the time.
fn bytes(saved: &Saved) -> Result<(Vec<u8>, blake3::Hash)> {
    let wrong = |e: serde_json::Error| Error::Internal(format!("the session: {e}"));
    let timeless = Saved { at: SystemTime::UNIX_EPOCH, ..saved.clone() };
    let sum = blake3::hash(&serde_json::to_vec(&timeless).map_err(wrong)?);
    Ok((serde_json::to_vec(saved).map_err(wrong)?, sum))
}

/// Writes it where it differs from what was written before; the sum of what the file holds then.
fn write(home: &Path, saved: &Saved, before: Option<blake3::Hash>) -> Result<blake3::Hash> {
    let (bytes, sum) = bytes(saved)?;
    if before != Some(sum) {
        std::fs::create_dir_all(home).map_err(Error::io("create the folder", home))?;
        Writer::default().write(&home.join(FILE), &bytes)?;
    }
    Ok(sum)
}

impl App {
    /// Takes up the session of the last time: brings it back where it was not closed and nothing else was asked for.
    pub(super) fn begin_session(&mut self, ctx: &Context) {
        self.session.hold(&self.home);
        if self.session.off {
            return;
        }
        if self.session.lock.is_some() {
            remove_drafts(&self.home);
            let runs = self.runs.clone();
            // Best effort.
            let _ = Builder::new().name("cutlayer-tidy".to_owned()).spawn(move || remove_abandoned(&runs));
        }
        let path = self.home.join(FILE);
        let saved = match read(&path) {
            Ok(None) => return,
            Ok(Some(saved)) if saved.tries >= TRIES => {
                return self.put_session_aside(&format!("it ended {TRIES} times right after it was brought back"));
            }
            Ok(Some(saved)) => saved,
            Err(error) => return self.put_session_aside(&error.to_string()),
        };
        if !saved.open || self.session.asked {
            self.session.earlier = Some(Box::new(saved));
            return;
        }
        let again = Saved { tries: saved.tries + 1, ..saved.clone() };
        if let Err(error) = write(&self.home, &again, None) {
            tracing::warn!("{error}");
        }
        let words = t!(
            "Cutlayer ended without being closed. This is how it was {ago}.",
            ago = ago(saved.at, SystemTime::now())
        );
        match self.take_session(&saved, ctx) {
            Ok(()) => {
                tracing::info!(tries = again.tries, "the last session was brought back");
                self.session.offered = Some(words);
            }
            Err(error) => self.put_session_aside(&error.to_string()),
        }
    }

    /// A session that cannot be used is kept beside, and that is told once.
    fn put_session_aside(&mut self, why: &str) {
        let (path, aside) = (self.home.join(FILE), self.home.join(ASIDE));
        let put = match std::fs::rename(&path, &aside) {
            Ok(()) => format!("it was put aside: {}", aside.display()),
            Err(error) => format!("it could not be put aside ({error}): {}", path.display()),
        };
        let error = Error::input(format!("The last session cannot be brought back: {why}; {put}"));
        tracing::warn!("{error}");
        self.tell_of(About::Opening, &error);
    }

    /// The session of the last time, as a command brings it back.
    pub(super) fn bring_session_back(&mut self, ctx: &Context) -> Result<()> {
        let Some(saved) = self.session.earlier.take().filter(|_| self.runner.is_none()) else { return Ok(()) };
        self.take_session(&saved, ctx)
    }

    fn take_session(&mut self, saved: &Saved, ctx: &Context) -> Result<()> {
        let document = saved.document.document()?;
        self.take_shared(&saved.shared)?;
        self.toasts.clear();
        self.document = document;
        self.class.reset = None;
        let run = saved.run.as_ref().and_then(|run| found(run).ok());
        if let Some(run) = run.filter(|run| run.is_dir()) {
            self.opening = Some(Opening::brought_back(run, saved.best, ctx)?);
        }
        self.session.touch();
        Ok(())
    }

    fn saved(&self, open: bool) -> (Saved, Document) {
        // A run that could not begin has nothing to be opened; one at work is offered to be continued.
        let run = self.state.folder.as_deref().filter(|_| matches!(self.state.status, Status::Done | Status::Stopped));
        let saved = Saved {
            form: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            open,
            tries: 0,
            at: SystemTime::now(),
            document: SavedDocument::default(),
            shared: self.shared(),
            run: run.map(|run| written(&std::path::absolute(run).unwrap_or_else(|_| run.to_owned()))),
            best: self.best.is_wanted(run),
        };
        (saved, self.document.clone())
    }

    /// Writes the session on a thread of its own, if something changed and the last writing is some seconds ago.
    pub(super) fn keep_session(&mut self, ctx: &Context) {
        let session = &mut self.session;
        match session.writing.as_ref().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => {
                if session.changed {
                    ctx.request_repaint_after(SOON);
                }
                return;
            }
            Some(Ok(sum)) => session.written = sum,
            Some(Err(TryRecvError::Disconnected)) | None => {}
        }
        session.writing = None;
        if !session.changed || session.off {
            return;
        }
        let wait = session.last.map_or(Duration::ZERO, |last| EVERY.saturating_sub(last.elapsed()));
        if !wait.is_zero() {
            ctx.request_repaint_after(wait);
            return;
        }
        session.hold(&self.home);
        (session.changed, session.last) = (false, Some(Instant::now()));
        let before = session.written;
        if self.memory.keep_tree(&self.tree) {
            self.remember();
        }
        let (mut saved, document) = self.saved(true);
        let (sender, writing) = bounded(1);
        let home = self.home.clone();
        let work = move || {
            saved.document = SavedDocument::of(&document);
            let sum = write(&home, &saved, before).inspect_err(|error| tracing::warn!("{error}"));
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(sum.ok());
        };
        // Without a thread the next change tries again.
        self.session.writing = Builder::new().name("cutlayer-session".to_owned()).spawn(work).ok().map(|_| writing);
    }

    /// Writes the session of a window that is closed.
    pub(super) fn end_session(&mut self) {
        if let Some(writing) = self.session.writing.take() {
            let _ = writing.recv_timeout(PATIENCE);
        }
        self.session.hold(&self.home);
        if self.session.off {
            return;
        }
        let (mut saved, document) = self.saved(false);
        saved.document = SavedDocument::of(&document);
        if let Err(error) = write(&self.home, &saved, None) {
            tracing::warn!("{error}");
        }
    }

    /// Where the session is kept.
    #[cfg(test)]
    pub(super) fn session_file(&self) -> std::path::PathBuf {
        self.home.join(FILE)
    }
}
