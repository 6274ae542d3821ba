//! A sweep's cells as commands for a scheduler: plain lines for a shell, an array for Slurm, an array for HyperQueue.
//!
//! Each command runs one cell and may be given twice, at once or again: a cell that is done is left as it is, and one that
//! another process works on is refused.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::Sweep;
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

/// How this program is called for one cell of a sweep.
#[derive(Clone, Debug)]
pub struct Call {
    /// The program.
    pub program: PathBuf,
    /// The sweep's name or file; none where its folder says it.
    pub file: Option<PathBuf>,
    /// The sweep's folder.
    pub out: PathBuf,
    /// Threads of a cell; none for what its experiment says.
    pub threads: Option<usize>,
}

impl Call {
    /// The command for a cell, which is a shell's words: a number, or a variable that holds one.
    pub fn line(&self, cell: &str) -> String {
        let mut words = vec![quoted(self.program.as_os_str()), "sweep".to_owned()];
        words.extend(self.file.iter().map(|file| quoted(file.as_os_str())));
        words.extend(["--out".to_owned(), quoted(self.out.as_os_str()), "--cell".to_owned(), cell.to_owned()]);
        words.extend(self.threads.iter().flat_map(|threads| ["--threads".to_owned(), threads.to_string()]));
        words.join(" ")
    }
}

/// A path as a POSIX shell takes it for one word.
pub fn quoted(path: &OsStr) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_in_a_shell() {
        for (path, told) in [("/a/b-1.toml", "/a/b-1.toml"), ("/my runs/x", "'/my runs/x'"), ("it's", "'it'\\''s'")] {
            assert_eq!(quoted(OsStr::new(path)), told);
        }
        let call =
            Call { program: "cutlayer".into(), file: Some("my sweep.toml".into()), out: "o".into(), threads: Some(2) };
        assert_eq!(call.line("$N"), "cutlayer sweep 'my sweep.toml' --out o --cell $N --threads 2");
    }
}
