//! The process of an audit, which is this program asked for one, and who listens to it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use eframe::egui::Context;

use crate::error::{Error, Result};

/// Lines kept of what it said, for why it ended.
const KEPT: usize = 12;
/// Bytes of a line.
const LINE: u64 = 4096;

/// An audit at work.
pub struct Work {
    child: Child,
    /// Once it is dropped the process saves what it can and leaves.
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
    listener: JoinHandle<()>,
    page: PathBuf,
}

impl Work {
    /// Starts one of the images at a place; its page is to be there.
    pub fn start(program: &Path, images: &Path, page: PathBuf, ctx: &Context) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["audit", "--piped"]).arg(images).arg("--report").arg(&page);
        Self::of(command, page, ctx)
    }

    pub(super) fn of(mut command: Command, page: PathBuf, ctx: &Context) -> Result<Self> {
        command.env("NO_COLOR", "1").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let program = command.get_program().to_owned();
        let mut child = command.spawn().map_err(Error::io("start the audit", Path::new(&program)))?;
        let lost = || Error::Internal("the audit's process has no pipes".to_owned());
        let (input, errors) = (child.stdin.take(), child.stderr.take().ok_or_else(lost)?);
        let said = Arc::new(Mutex::new(Vec::new()));
        let (its, ctx) = (said.clone(), ctx.clone());
        let listen = move || {
            listened(errors, &its, &ctx);
            ctx.request_repaint();
        };
        let listener = Builder::new().name("cutlayer-audit".to_owned()).spawn(listen);
        let listener = listener.map_err(|e| Error::Internal(format!("no thread to listen to the audit: {e}")))?;
        Ok(Self { child, input, said, listener, page })
    }

    /// What it said last.
    pub fn told(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).last().cloned().unwrap_or_default()
    }

    pub fn stop(&mut self) {
        drop(self.input.take());
    }

    pub fn is_stopping(&self) -> bool {
        self.input.is_none()
    }

    pub fn has_ended(&self) -> bool {
        self.listener.is_finished()
    }

    /// The page, once it has ended well.
    pub fn end(mut self) -> Result<PathBuf> {
        let stopped = self.is_stopping();
        drop(self.input.take());
        let status = self.child.wait();
        if status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Ok(self.page);
        }
        if stopped {
            return Err(Error::Stopped);
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // From the line on that begins with the program's name it says why.
        let why: Vec<&str> = match said.iter().rposition(|line| line.starts_with("cutlayer: ")) {
            Some(from) => said[from..].iter().map(|line| line.trim_start_matches("cutlayer: ")).collect(),
            None => said.last().map(String::as_str).into_iter().collect(),
        };
        let why = if why.is_empty() { t!("its process ended without a word").to_owned() } else { why.join("\n") };
        Err(Error::input(why))
    }

    /// Asks it to end, and ends it after so long.
    pub fn leave(mut self, patience: Duration) {
        self.stop();
        let until = Instant::now() + patience;
        while !self.has_ended() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        // One that is gone by itself can be ended no more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps the last lines, until there are no more.
fn listened(errors: impl Read, said: &Mutex<Vec<String>>, ctx: &Context) {
    let mut reader = BufReader::new(errors);
    let mut line = Vec::new();
    while reader.by_ref().take(LINE).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if text.is_empty() {
            continue;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() == KEPT {
            said.remove(0);
        }
        said.push(text);
        drop(said);
        ctx.request_repaint();
    }
}
