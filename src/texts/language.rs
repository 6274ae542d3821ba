//! A language's file: where it is found, how it is read, and what of it can be used.
//!
//! ```toml
//! name = "Deutsch"
//!
//! [texts]
//! "Run" = "Start"
//! "{done} of {total} steps done" = "{total} Schritte, davon {done} fertig"
//! "Stop" = ""
//! ```
//!
//! An empty text, and one that is missing, stays English.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, Result};

/// Every text in English: what can be translated.
pub const ENGLISH: &str = include_str!("../../assets/texts/en.toml");
/// The folder of translations in the program's own.
pub const FOLDER: &str = "texts";
/// The environment's choice of a language, which goes before the window's.
pub const VARIABLE: &str = "CUTLAYER_LANGUAGE";
/// Larger than any translation.
const MAX_BYTES: u64 = 4 << 20;
/// Languages that are offered at most.
const MAX_LANGUAGES: usize = 64;

/// The texts of one language.
#[derive(Clone, Debug)]
pub struct Language {
    name: String,
    texts: HashMap<String, String>,
}

/// A language that there is a file of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it is chosen: its file's name without `.toml`, as `de`.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
}

impl Language {
    /// What it calls itself, as `Deutsch`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many texts it has.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub(super) fn text(&self, english: &str) -> Option<&str> {
        self.texts.get(english).map(String::as_str)
    }

    /// Reads a translation, by the English table. Also returns what of it cannot be used, a line each: those texts stay
    /// English.
    ///
    /// # Errors
    /// [`Error::Input`] if it is no TOML, or has no name or no texts.
    pub fn read(text: &str, english: &str) -> Result<(Self, Vec<String>)> {
        let known = texts_of(english)?.1;
        let (name, given) = texts_of(text)?;
        let (mut texts, mut trouble) = (HashMap::new(), Vec::new());
        for (english, value) in given {
            match value {
                _ if !known.contains_key(&english) => trouble.push(format!("no text of the window: \"{english}\"")),
                Value::String(text) if text.is_empty() || text == english => {}
                Value::String(text) => match fits(&english, &text) {
                    Ok(()) => drop(texts.insert(english, text)),
                    Err(why) => trouble.push(format!("{why}: \"{english}\"")),
                },
                _ => trouble.push(format!("its translation must be a text in quotes: \"{english}\"")),
            }
        }
        Ok((Self { name, texts }, trouble))
    }

    /// Reads a language's file. Also returns a warning if some of it cannot be used.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Input`] if the file cannot be read, or is none of a language.
    pub fn open(path: &Path) -> Result<(Self, Option<String>)> {
        let (language, trouble) = Self::read(&contents(path)?, ENGLISH).map_err(|error| of(path, &error))?;
        let warning = trouble.first().map(|first| {
            let (n, path) = (trouble.len(), path.display());
            let texts = if n == 1 { "1 text".to_owned() } else { format!("{n} texts, the first") };
            format!("a translation has what cannot be used and stays English, {texts}: {first}: {path}")
        });
        Ok((language, warning))
    }
}

/// The languages that there are in the program's folder, by name. What is no language is told in the log.
pub fn languages(home: &Path) -> Vec<Found> {
    let Ok(folder) = home.join(FOLDER).read_dir() else { return Vec::new() };
    let paths = folder.flatten().map(|entry| entry.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let mut all: Vec<Found> = paths.take(MAX_LANGUAGES).filter_map(|path| found(&path)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    all
}

fn found(path: &Path) -> Option<Found> {
    let id = path.file_stem()?.to_str()?.to_owned();
    match contents(path).and_then(|text| texts_of(&text).map_err(|error| of(path, &error))) {
        Ok((name, _)) => Some(Found { id, name, path: path.to_owned() }),
        Err(error) => {
            tracing::warn!("a translation is left out: {error}");
            None
        }
    }
}

fn contents(path: &Path) -> Result<String> {
    let io = Error::io("read the translation", path);
    let file = match path.metadata() {
        Ok(file) => file,
        Err(error) => return Err(io(error)),
    };
    if !file.is_file() || file.len() > MAX_BYTES {
        return Err(Error::input(format!("it is no file, or larger than any translation: {}", path.display())));
    }
    std::fs::read_to_string(path).map_err(io)
}

fn of(path: &Path, error: &Error) -> Error {
    Error::input(format!("{error}: {}", path.display()))
}

/// The name and the texts of a language's file.
fn texts_of(text: &str) -> Result<(String, Table)> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        Error::input(format!("line {line}: {}", error.message()))
    })?;
    let name = match table.remove("name") {
        Some(Value::String(name)) if !name.trim().is_empty() && name.len() <= 60 => name,
        _ => return Err(Error::input("name must say what the language calls itself, as in name = \"Deutsch\"")),
    };
    match table.remove("texts") {
        Some(Value::Table(texts)) => Ok((name, texts)),
        _ => Err(Error::input("[texts] must hold the texts, as in \"Run\" = \"Start\"")),
    }
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    /// A value's place: its name, and its digits after the point.
    Place(&'a str, Option<usize>),
}

/// A text's parts; none where its braces do not fit. `{{` and `}}` are braces.
fn pieces(mut text: &str) -> Option<Vec<Piece<'_>>> {
    let mut all = Vec::new();
    while let Some(at) = text.find(['{', '}']) {
        let brace = &text[at..=at];
        if text[at + 1..].starts_with(brace) {
            all.push(Piece::Plain(&text[..=at]));
            text = &text[at + 2..];
            continue;
        }
        all.push(Piece::Plain(&text[..at]));
        let (inside, rest) = text[at..].strip_prefix('{')?.split_once('}')?;
        let (name, digits) = match inside.split_once(":.") {
            Some((name, digits)) => (name, Some(digits.parse().ok().filter(|digits| *digits <= 20)?)),
            None => (inside, None),
        };
        let letter = |c: char| c == '_' || c.is_ascii_alphanumeric();
        all.push(Piece::Place(name, digits).of_name(!name.is_empty() && name.chars().all(letter))?);
        text = rest;
    }
    all.push(Piece::Plain(text));
    all.retain(|piece| *piece != Piece::Plain(""));
    Some(all)
}

impl Piece<'_> {
    fn of_name(self, right: bool) -> Option<Self> {
        right.then_some(self)
    }
}

/// The places of a text, in order of their names.
fn places(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut all: Vec<Piece<'_>> = pieces(text)?.into_iter().filter(|p| matches!(p, Piece::Place(..))).collect();
    all.sort_by_key(|piece| match piece {
        Piece::Place(name, digits) => (*name, *digits),
        Piece::Plain(_) => ("", None),
    });
    all.dedup();
    Some(all)
}

/// Whether a translation has its text's places, all and no others.
fn fits(english: &str, text: &str) -> Result<(), &'static str> {
    match (places(english), places(text)) {
        // A text without places is shown as it is, braces and all.
        (None, _) => Ok(()),
        (Some(own), _) if own.is_empty() => Ok(()),
        (Some(own), Some(its)) if own == its => Ok(()),
        (_, None) => Err("braces of the translation are not in pairs, or not around a name"),
        _ => Err("the translation must have the same places in braces"),
    }
}

/// A text with its values put in; none where one is not there.
pub(super) fn filled(text: &str, values: &[(&str, &dyn Display)]) -> Option<String> {
    let mut filled = String::with_capacity(text.len() + 16);
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(text) => filled.push_str(text),
            Piece::Place(name, digits) => {
                let (_, value) = values.iter().find(|(one, _)| *one == name)?;
                match digits {
                    Some(digits) => write!(filled, "{value:.digits$}").ok()?,
                    None => write!(filled, "{value}").ok()?,
                }
            }
        }
    }
    Some(filled)
}
