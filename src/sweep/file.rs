//! A sweep's file: from what experiment its cells begin, and along which settings they differ.
//!
//! ```toml
//! base = "quick"                     # a preset, a file beside this one, or a table with an experiment
//! [set]                              # for all cells
//! "train.epochs" = 1
//! [grid]                             # every combination
//! seed = [0, 1]
//! [[list]]                           # one after another, each a grid of its own
//! defence = "dropout"
//! "defence.dropout.p" = [0.2, 0.5]
//! ```
//!
//! Keys are those of `--set`. A list of the file is a list of values, so that a value that is itself a list stands in two
//! pairs of brackets.

use std::ffi::OsStr;
use std::path::Path;

use toml::{Table, Value};

use super::expand::{self, Axes, Document};
use super::{Sweep, library, slurm, unknown};
use crate::error::{Error, Result};
use crate::experiment::{Experiment, PRESETS, text};
use crate::place;
use crate::setting::shown;

/// What may stand at the top of a file.
const KEYS: [&str; 7] = ["title", "base", "set", "grid", "list", "undefended", "slurm"];

impl Sweep {
    /// A sweep that comes with the program, by its name, or else one of a file, by its path.
    ///
    /// # Errors
    /// Returns an error if there is neither, or if something in it is wrong: the field, what was found, what is allowed, and
    /// the file last.
    pub fn load(name_or_path: impl AsRef<OsStr>) -> Result<Self> {
        Self::load_with(name_or_path, &[])
    }

    /// The same with settings (`data.path=…`) for all cells, which stand above those of the sweep.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with(name_or_path: impl AsRef<OsStr>, above: &[String]) -> Result<Self> {
        let given = name_or_path.as_ref();
        if let Some(built_in) = given.to_str().and_then(library::built_in) {
            let origin = format!("sweep {}", built_in.name);
            return Self::read(built_in.name, built_in.text, &origin, Path::new("."), above);
        }
        let path = place::found(given)?;
        let is_path = given.as_encoded_bytes().iter().any(|byte| b"/\\".contains(byte)) || path.extension().is_some();
        if !is_path && !path.exists() {
            return Err(library::unknown(&given.to_string_lossy()));
        }
        let text =
            text::of_file(&path, "sweep").map_err(|problem| Error::input(format!("{problem}: {}", path.display())))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let beside = path.parent().unwrap_or(Path::new("."));
        Self::read(&name, &text, &path.display().to_string(), beside, above)
    }

    /// Reads a sweep; `origin` is where it came from, for messages, and `beside` the folder that the path of its experiment is
    /// taken from.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_toml(name: &str, text: &str, origin: &str, beside: &Path) -> Result<Self> {
        Self::read(name, text, origin, beside, &[])
    }

    fn read(name: &str, text: &str, origin: &str, beside: &Path, above: &[String]) -> Result<Self> {
        let told = |problem: String| Error::input(format!("{problem}\nin {origin}"));
        let table: Table = toml::from_str(text).map_err(|error| told(broken(text, &error)))?;
        let document = Document { above: above.to_vec(), ..Document::read(table, origin, beside).map_err(told)? };
        let cells = expand::cells(&document).map_err(told)?;
        Ok(Self { name: name.to_owned(), title: document.title, cells, cluster: document.cluster })
    }
}

impl Document {
    fn read(mut table: Table, origin: &str, beside: &Path) -> Result<Self, String> {
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(unknown(key, &KEYS));
        }
        let title = match table.remove("title") {
            None => String::new(),
            Some(Value::String(title)) => title,
            Some(other) => return Err(format!("title = {}: allowed is a text in quotes", shown(&other))),
        };
        let undefended = match table.remove("undefended") {
            None => true,
            Some(Value::Boolean(on)) => on,
            Some(other) => return Err(format!("undefended = {}: allowed is true or false", shown(&other))),
        };
        let base = base(table.remove("base"), origin, beside)?;
        let set = flat("set", table.remove("set"))?.into_iter().collect();
        let grid = table.remove("grid").map_or(Ok(Vec::new()), |grid| {
            let axes = axes("grid", grid)?;
            if axes.is_empty() {
                Err("grid: it is empty: allowed are settings with their values".to_owned())
            } else {
                Ok(axes)
            }
        })?;
        let list = match table.remove("list") {
            None if grid.is_empty() => {
                return Err("neither grid nor list is there, so there is nothing to sweep over".to_owned());
            }
            None => vec![Vec::new()],
            Some(Value::Array(list)) if !list.is_empty() => {
                let entries = list.into_iter().enumerate();
                entries.map(|(i, entry)| axes(&format!("list[{i}]"), entry)).collect::<Result<_, _>>()?
            }
            Some(other) => {
                return Err(format!("list = {}: allowed is a list, each begun by a line [[list]]", shown(&other)));
            }
        };
        let cluster = slurm::Wishes::read(table.remove("slurm"))?;
        Ok(Self { title, base, set, grid, list, undefended, above: Vec::new(), cluster })
    }
}

/// What cells begin from: a preset, a file beside this one, or the experiment itself.
fn base(value: Option<Value>, origin: &str, beside: &Path) -> Result<Experiment, String> {
    let told = |error: Error| format!("base: {}", error.to_string().replace('\n', "; "));
    match value {
        None => Err("base is missing: allowed is a preset, the path of an experiment, or a table [base]".to_owned()),
        Some(Value::Table(table)) => {
            let text = toml::to_string(&table).map_err(|error| format!("base: {error}"))?;
            Experiment::from_toml(&text, origin).map_err(told)
        }
        Some(Value::String(name)) if PRESETS.iter().any(|preset| preset.0 == name) => {
            Experiment::preset(&name).map_err(told)
        }
        Some(Value::String(name)) => {
            let path = place::found(&name).map_err(told)?;
            let path = beside.join(path);
            // A name that is none has the presets listed.
            if path.is_file() { Experiment::load(&path) } else { Experiment::load(&name) }.map_err(told)
        }
        Some(other) => Err(format!("base = {}: allowed is a preset, a path, or a table [base]", shown(&other))),
    }
}

/// The settings of a table with their values; a value that stands alone is the only one.
fn axes(place: &str, value: Value) -> Result<Axes, String> {
    let axis = |(key, value): (String, Value)| match value {
        Value::Array(values) if values.is_empty() => {
            Err(format!("{place}.{key} = []: without a value there is no cell; allowed is at least one"))
        }
        Value::Array(values) => Ok((key, values)),
        one => Ok((key, vec![one])),
    };
    flat(place, Some(value))?.into_iter().map(axis).collect()
}

/// A table with its keys as `--set` has them: `train.epochs`, however it was written.
fn flat(place: &str, value: Option<Value>) -> Result<Vec<(String, Value)>, String> {
    let table = match value {
        None => return Ok(Vec::new()),
        Some(Value::Table(table)) => table,
        Some(other) => {
            return Err(format!("{place} = {}: allowed are settings, as in {place}.seed = [0, 1]", shown(&other)));
        }
    };
    let mut all = Vec::new();
    let mut open = vec![(String::new(), table)];
    while let Some((before, table)) = open.pop() {
        for (key, value) in table {
            let key = if before.is_empty() { key } else { format!("{before}.{key}") };
            match value {
                Value::Table(inner) => open.push((key, inner)),
                value => all.push((key, value)),
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = all.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(format!("{place}.{}: it stands there twice", twice[0].0));
    }
    Ok(all)
}

/// Line and reason, short.
fn broken(text: &str, error: &toml::de::Error) -> String {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
    let reason: String = error.message().trim().replace('\n', "; ").chars().take(200).collect();
    format!("broken TOML in line {line}: {reason}")
}
