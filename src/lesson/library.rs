//! The lessons that come with the program, and where a teacher's own are found.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use super::Lesson;
use super::read::{Read, read};
use crate::error::{Error, Result};
use crate::experiment::text;
use crate::place;
use crate::setting::{near, shorten};

/// A lesson that comes with the program.
#[derive(Debug)]
pub struct BuiltIn {
    /// What [`find`] knows it by.
    pub name: &'static str,
    /// Its TOML.
    pub text: &'static str,
    /// Its instructor's notes, in Markdown.
    pub notes: &'static str,
}

macro_rules! built_in {
    ($name:literal) => {
        BuiltIn {
            name: $name,
            text: include_str!(concat!("../../assets/lessons/", $name, ".toml")),
            notes: include_str!(concat!("../../assets/lessons/", $name, ".md")),
        }
    };
}

/// The lessons that come with the program, in the order in which they are taken.
pub static LESSONS: [BuiltIn; 7] = [
    built_in!("what-leaves-the-room"),
    built_in!("the-mirror"),
    built_in!("how-deep-is-safe"),
    built_in!("disguise"),
    built_in!("be-the-attacker"),
    built_in!("one-gradient"),
    built_in!("your-point-on-the-frontier"),
];

/// All lessons that come with the program, read once.
pub fn lessons() -> &'static [Lesson] {
    static ALL: OnceLock<Vec<Lesson>> = OnceLock::new();
    ALL.get_or_init(|| LESSONS.iter().filter_map(|built_in| find(built_in.name).ok()).collect())
}

/// The lesson of this name that comes with the program.
pub fn built_in(name: &OsStr) -> Option<&'static BuiltIn> {
    LESSONS.iter().find(|lesson| name == lesson.name)
}

/// A lesson by the name of one that comes with the program, or by the path of a file, as [`place::found`] takes it.
///
/// # Errors
/// Returns an error if there is neither, or the file is no lesson: every problem with its line, the path before it.
pub fn find(name_or_path: impl AsRef<OsStr>) -> Result<Lesson> {
    let given = name_or_path.as_ref();
    let Read { lesson, problems, .. } = check(given)?;
    lesson.ok_or_else(|| {
        let told = problems.iter().take(8).fold(String::new(), |mut told, problem| {
            let _ = writeln!(told, "{}:{problem}", given.display());
            told
        });
        Error::input(told.trim_end())
    })
}

/// Reads the same with all its problems and warnings.
///
/// # Errors
/// Returns an error if there is no such lesson or file, or if the file is no text or larger than 1 MiB.
pub fn check(name_or_path: impl AsRef<OsStr>) -> Result<Read> {
    let given = name_or_path.as_ref();
    if let Some(lesson) = built_in(given) {
        return Ok(read(lesson.name, lesson.text));
    }
    let path = place::found(given)?;
    let is_path = given.as_encoded_bytes().iter().any(|byte| b"/\\".contains(byte)) || path.extension().is_some();
    if !is_path && !path.exists() {
        let name = given.to_string_lossy();
        let names = LESSONS.iter().map(|lesson| lesson.name);
        let hint = near(&name, names.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(Error::input(format!(
            "unknown lesson \"{}\"{hint}\nlessons: {names}; or give the path of a .toml file",
            shorten(&name)
        )));
    }
    let text =
        text::of_file(&path, "lesson").map_err(|problem| Error::input(format!("{problem}: {}", path.display())))?;
    let whole = std::path::absolute(&path).unwrap_or(path);
    Ok(read(&place::written(&whole), &text))
}

/// The instructor's notes to a lesson, in Markdown: those that come with the program, or the file beside a teacher's own
/// that ends in `.md`. None where there is no such file.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn notes(lesson: &Lesson) -> Result<Option<String>> {
    if let Some(lesson) = built_in(OsStr::new(&lesson.name)) {
        return Ok(Some(lesson.notes.to_owned()));
    }
    notes_beside(&place::found(&lesson.name)?)
}

fn notes_beside(lesson: &Path) -> Result<Option<String>> {
    let path = lesson.with_extension("md");
    if !path.is_file() {
        return Ok(None);
    }
    let notes = text::of_file(&path, "lesson's notes");
    notes.map(Some).map_err(|problem| Error::input(format!("{problem}: {}", path.display())))
}
