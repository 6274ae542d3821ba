//! Slurm's own commands, called as a person would.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Output, Stdio};

use super::queue::{FORMAT, Job, max_array_size, read};
use crate::error::{Error, Result};

/// A Slurm that answers on this machine.
#[derive(Clone, Debug)]
pub struct Slurm {
    /// Who asks, by number.
    user: String,
    /// The first index that an array must not have.
    pub max_array_size: usize,
}

impl Slurm {
    /// Slurm, if it is here.
    ///
    /// # Errors
    /// Returns an error if its commands are not on this machine, or the scheduler does not answer.
    pub fn here() -> Result<Self> {
        call("sbatch", ["--version"], "")?;
        let config = call("scontrol", ["show", "config"], "")?;
        let user = call("id", ["-u"], "")?.trim().to_owned();
        Ok(Self { user, max_array_size: max_array_size(&config) })
    }

    /// The elements of arrays whose jobs' names begin so, those that ended a while ago left out.
    pub(super) fn jobs(&self, name: &str) -> Result<Vec<Job>> {
        let said = call("squeue", ["-h", "-r", "-t", "all", "-u", &self.user, "-o", FORMAT], "")?;
        Ok(read(&said).into_iter().filter(|job| job.name.starts_with(name)).collect())
    }
}

/// Submits a script; the array's number.
pub(super) fn submit(options: &[String], script: &str) -> Result<String> {
    let options = options.iter().map(String::as_str);
    let said = call("sbatch", std::iter::once("--parsable").chain(options), script)?;
    // On a cluster of several, its name follows.
    let number = said.trim().split(';').next().unwrap_or_default().to_owned();
    if number.is_empty() { Err(Error::Failed("sbatch did not say which job it made".to_owned())) } else { Ok(number) }
}

/// Cancels arrays, or elements of them.
pub(super) fn cancel(jobs: &BTreeSet<String>) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    call("scancel", jobs.iter().map(String::as_str), "").map(drop)
}

/// Lets a job run that Slurm holds.
pub(super) fn release(job: &str) -> Result<()> {
    call("scontrol", ["release", job], "").map(drop)
}

/// Calls a command with a text on its standard input; what it printed.
fn call(name: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &str) -> Result<String> {
    let lacking = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Error::input(format!(
            "--on slurm: there is no Slurm on this machine (no `{name}`); run the sweep here with --jobs, or have the \
             commands printed with --plan --for slurm"
        )),
        _ => Error::Failed(format!("{name} could not be started: {error}")),
    };
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // An interrupt at the terminal is for the sweep.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(lacking)?;
    if let Some(mut pipe) = child.stdin.take() {
        // Whoever reads nothing has ended, and says why below.
        let _ = pipe.write_all(input.as_bytes());
    }
    let Output { status, stdout, stderr } =
        child.wait_with_output().map_err(|error| Error::Failed(format!("{name}: {error}")))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr);
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it did not say why");
    Err(Error::Failed(format!("{name}: {}", line.strip_prefix(&format!("{name}: ")).unwrap_or(line))))
}
