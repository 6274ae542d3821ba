//! The listing of the films, Info.txt: a row an abnormality, or one that says that there is none.
//!
//! It is known in two editions: with 100 lines of prose first, or with one line of headings. A row is told by how it
//! begins, so that both are read alike, whatever ends their lines.

use std::path::{Path, PathBuf};

/// Longest listing that is read, in bytes; the one that is handed out has 10,295.
const MAX_BYTES: u64 = 1 << 20;

/// Width and height of a film, in the pixels that the listing counts in.
pub const SIDE: u32 = 1024;

/// Tissue of the breast, as rows have it: fatty, fatty-glandular, dense-glandular.
pub const TISSUES: [&str; 3] = ["F", "G", "D"];

/// What may be seen, as rows have it.
pub const ABNORMALITIES: [&str; 7] = ["CALC", "CIRC", "SPIC", "MISC", "ARCH", "ASYM", "NORM"];

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// There is nothing.
    Normal,
    /// `B`.
    Benign,
    /// `M`.
    Malignant,
}

/// A row of the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The film's number: 5 for mdb005.
    pub film: u32,
    /// An index into [`TISSUES`].
    pub tissue: usize,
    /// An index into [`ABNORMALITIES`].
    pub abnormality: usize,
    /// How bad it is.
    pub severity: Severity,
    /// Where its middle is, where the listing says it: column, and row from the top, in pixels of a film of [`SIDE`].
    pub at: Option<[u32; 2]>,
}

/// What a listing says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Its rows, in its order.
    pub rows: Vec<Row>,
    /// Lines that name a film and say of it what is not understood, counted from 1.
    pub odd_lines: Vec<usize>,
}

/// Reads a listing.
pub fn parse(text: &[u8]) -> Info {
    let mut info = Info::default();
    for (i, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        let Some(film) = words.next().and_then(film_of) else { continue };
        match row(film, &words.collect::<Vec<_>>()) {
            Some(row) => info.rows.push(row),
            None => info.odd_lines.push(i + 1),
        }
    }
    info
}

/// The number of a film by its name: `mdb005`.
pub fn film_of(name: &str) -> Option<u32> {
    let (letters, digits) = name.split_at_checked(3)?;
    let fits = letters.eq_ignore_ascii_case("mdb") && digits.len() == 3 && digits.bytes().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|number| fits && *number > 0)
}

/// What a row says of a film, word by word.
fn row(film: u32, words: &[&str]) -> Option<Row> {
    let [tissue, abnormality, rest @ ..] = words else { return None };
    let tissue = TISSUES.iter().position(|known| known == tissue)?;
    let abnormality = ABNORMALITIES.iter().position(|known| known == abnormality)?;
    if ABNORMALITIES[abnormality] == "NORM" {
        return Some(Row { film, tissue, abnormality, severity: Severity::Normal, at: None });
    }
    let (severity, place) = match rest {
        ["B", place @ ..] => (Severity::Benign, place),
        ["M", place @ ..] => (Severity::Malignant, place),
        _ => return None,
    };
    let at = match place {
        [] => None,
        // `*NOTE 3*`: the calcifications are all over the film.
        [note, ..] if note.starts_with('*') => None,
        [x, y, ..] => Some([inside(x)?, SIDE - 1 - inside(y)?]),
        [_] => return None,
    };
    Some(Row { film, tissue, abnormality, severity, at })
}

/// A coordinate on the film.
fn inside(word: &str) -> Option<u32> {
    word.parse().ok().filter(|place| *place < SIDE)
}

/// The listing that belongs to a folder of films: in it, or one folder up.
pub fn found(folder: &Path) -> Option<PathBuf> {
    let up = std::path::absolute(folder).ok()?.parent().map(Path::to_owned);
    std::iter::once(folder.to_owned()).chain(up).find_map(|folder| within(&folder))
}

/// The listing in a folder.
pub fn within(folder: &Path) -> Option<PathBuf> {
    let names = ["Info.txt", "info.txt", "INFO.TXT", "INFO.txt"];
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The bytes of a listing.
///
/// # Errors
/// Tells the problem without the path.
pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    super::file_bytes(path, MAX_BYTES)
}
