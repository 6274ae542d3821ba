//! A sweep's cells as commands for a scheduler: plain lines for a shell, an array for Slurm, an array for HyperQueue.
//!
//! Each command runs one cell and may be given twice, at once or again: a cell that is done is left as it is, and one that
//! another process works on is refused.

use std::ffi::OsStr;

use super::Sweep;
use super::call::{Call, quoted};
use super::slurm::array::{Chunk, chunks, ranges};
use super::slurm::{Wishes, script};

/// Who is to run the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// A shell, or any program that takes a command a line.
    Shell,
    /// Slurm.
    Slurm,
    /// HyperQueue.
    HyperQueue,
}

impl For {
    /// Their names on the command line.
    pub const NAMES: [&str; 3] = ["shell", "slurm", "hq"];

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Shell, Self::Slurm, Self::HyperQueue]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, own)| *own == name)
            .map(|(one, _)| one)
    }
}

/// The commands for the cells with these numbers, from 0.
pub fn commands(sweep: &Sweep, wanted: &[usize], whom: For, call: &Call, wishes: &Wishes, largest: usize) -> String {
    match whom {
        For::Shell => {
            let line = |i: &usize| format!("{}\n", call.line(&quoted(OsStr::new(&sweep.cells[*i].name))));
            wanted.iter().map(line).collect()
        }
        For::HyperQueue => {
            let numbers: Vec<usize> = wanted.iter().map(|i| i + 1).collect();
            let cpus = wishes.cpus.map(|cpus| format!(" --cpus {cpus}")).unwrap_or_default();
            let command = call.line("$HQ_TASK_ID").replace('\'', "'\\''");
            format!("hq submit --array {}{cpus} --crash-limit 5 sh -c '{command}'\n", ranges(&numbers))
        }
        For::Slurm => chunks(wanted, largest).iter().map(|chunk| sbatch(chunk, call, wishes)).collect(),
    }
}

fn sbatch(chunk: &Chunk, call: &Call, wishes: &Wishes) -> String {
    let logs = super::folder::SweepFolder::new(&call.out).logs();
    let options = script::options(chunk, "cutlayer", &logs, wishes);
    let options: Vec<String> = options.iter().map(|option| quoted(OsStr::new(option))).collect();
    let options = options.join(" ");
    let folder = quoted(logs.as_os_str());
    format!("mkdir -p {folder} && sbatch {options} <<'END'\n{}END\n", script::text(chunk, call))
}
