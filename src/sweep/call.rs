//! How this program is called for a cell, as a shell's words.

use std::ffi::OsStr;
use std::path::PathBuf;

/// How this program is called for one cell of a sweep.
#[derive(Clone, Debug)]
pub struct Call {
    /// The program.
    pub program: PathBuf,
    /// The sweep's name or file; none where its folder says it.
    pub file: Option<PathBuf>,
    /// Settings for all cells, beside a name or file.
    pub set: Vec<String>,
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
        words.extend(self.set.iter().flat_map(|set| ["--set".to_owned(), quoted(OsStr::new(set))]));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_in_a_shell() {
        for (path, told) in [("/a/b-1.toml", "/a/b-1.toml"), ("/my runs/x", "'/my runs/x'"), ("it's", "'it'\\''s'")] {
            assert_eq!(quoted(OsStr::new(path)), told);
        }
        let call = Call {
            program: "cutlayer".into(),
            file: Some("my sweep.toml".into()),
            out: "o".into(),
            threads: Some(2),
            set: vec!["data.path=a b".into()],
        };
        assert_eq!(
            call.line("$N"),
            "cutlayer sweep 'my sweep.toml' --set 'data.path=a b' --out o --cell $N --threads 2"
        );
    }
}
