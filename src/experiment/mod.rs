//! The experiment: one TOML document that says what to run.
//!
//! [`Experiment::load`] takes a preset's name or a file, [`Experiment::set`] changes one field as `--set` does, and
//! [`Experiment::validate`] checks the whole before a run. A message names the field, what was found, what is allowed
//! and, for a misspelt name, the near one.

mod attack;
mod classes;
mod convert;
mod defence;
mod document;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod naming;
mod path;
pub mod preset;
mod schema;
pub mod text;
mod twin;
mod validate;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::Path;

use toml::{Table, Value};

pub use attack::AttackSpec;
pub use classes::Merge;
pub use defence::DefenceSpec;
pub use document::{
    ClassWeights, DataSpec, Device, EvaluateSpec, Experiment, FinalWeights, ModelSpec, Optimizer, PsglSpec, SCHEMA,
    TrainSpec,
};
pub use naming::{Values, run_title, setting_words};
pub use preset::PRESETS;
pub use schema::{any_schema, any_schema_attack, lacking};
pub use twin::{Plan, Twin};

use crate::error::{Error, Result};
use crate::model::zoo;
use crate::place;
use crate::setting::{self, Kind, shorten};
use crate::workbench::settings;
use path::{PATH, path_for_name, path_of};

/// The name of a model whose layers were listed without one.
const OWN_MODEL: &str = "custom";

impl Experiment {
    /// A preset by name.
    ///
    /// # Errors
    /// Lists the presets and says which is near.
    pub fn preset(name: &str) -> Result<Self> {
        Self::from_toml(preset::text_or_near(name)?, &format!("preset {name}"))
    }

    /// Reads a document of any schema; `origin` is where it came from, for messages.
    ///
    /// Whether this build has the document's device is left to [`Self::validate`], so that another machine's run can
    /// be shown.
    ///
    /// # Errors
    /// One message: the field, what was found, what is allowed, and the origin last. [`Error::Lacking`] if the document is
    /// of a newer version.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self> {
        Self::from_text(text, origin, schema::later)
    }

    /// Reads the document of a run, as [`Self::from_toml`] does.
    ///
    /// # Errors
    /// As there; and [`Error::Lacking`] if the run has an attack or a defence that this build lacks. In a run that is no
    /// slip of the pen.
    pub fn from_run(text: &str, origin: &str) -> Result<Self> {
        Self::from_text(text, origin, lacking)
    }

    fn from_text(text: &str, origin: &str, lacking: fn(&Table) -> Option<String>) -> Result<Self> {
        let told = |problem: String| format!("{problem}\nin {origin}");
        let table = toml::from_str(text).map_err(|error| Error::input(told(broken(text, &error))))?;
        match lacking(&table) {
            Some(problem) => Err(Error::Lacking(told(problem))),
            None => Self::read(table).map_err(|problem| Error::input(told(problem))),
        }
    }

    fn read(mut table: Table) -> Result<Self, String> {
        path_for_name(&mut table)?;
        validate::fields(&table)?;
        schema::migrate(&mut table, settings());
        if let Some(Value::Table(model)) = table.get_mut("model")
            && model.contains_key("layers")
        {
            model.entry("name").or_insert_with(|| Value::String(OWN_MODEL.to_owned()));
        }
        let experiment = Self::from_table(table)?;
        validate::together(&experiment)?;
        Ok(experiment)
    }

    fn from_table(table: Table) -> Result<Self, String> {
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let (key, reason) = (error.path().to_string(), error.into_inner());
            format!("{key}: {}", reason.message().trim().replace('\n', "; "))
        })
    }

    /// Reads a preset by its name, or else a TOML file by its path, as [`place::found`] takes it.
    ///
    /// # Errors
    /// Neither; a folder; not text; larger than 1 MiB; or a wrong document. The path comes last.
    pub fn load(name_or_path: impl AsRef<OsStr>) -> Result<Self> {
        let given = name_or_path.as_ref();
        if let Some((name, text)) = given.to_str().and_then(|name| Some((name, preset::text(name)?))) {
            return Self::from_toml(text, &format!("preset {name}"));
        }
        let path = place::found(given)?;
        let is_path = given.as_encoded_bytes().iter().any(|byte| b"/\\".contains(byte))
            || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        if !is_path && !path.exists() {
            return Err(preset::unknown(&given.to_string_lossy(), "; or give the path of a .toml file"));
        }
        let text = text_of(&path).map_err(|problem| Error::input(format!("{problem}: {}", path.display())))?;
        Self::from_toml(&text, &path.display().to_string())
    }

    /// The whole document, defaults written out; [`Self::from_toml`] reads it back equal.
    ///
    /// An experiment that [`Self::validate`] refuses may have numbers that TOML cannot hold; the text is then one line
    /// that says so and that no reader accepts.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("cannot be written: {error}\n"))
    }

    fn to_table(&self) -> Result<Table> {
        if i64::try_from(self.seed).is_err() {
            return Err(Error::input(format!(
                "seed = {}: allowed is a whole number from 0 to {}",
                self.seed,
                i64::MAX
            )));
        }
        Table::try_from(self).map_err(|error| Error::input(format!("a number of the experiment is too large: {error}")))
    }

    /// Changes one field: `psgl.gamma=0.2`, `attack.0.images=4` or `attack.rmle.images=4`, `model.layers=[…]`,
    /// `attack=[]`; an attack with a label goes by that. Texts may go without quotes.
    ///
    /// Only the field itself is checked, since the next assignment may belong to it; end with [`Self::validate`].
    /// Listed layers and a named model replace each other.
    ///
    /// # Errors
    /// The key, what was found, what is allowed and, for a misspelt key or word, the near one. Nothing is changed then.
    pub fn set(&mut self, assignment: &str) -> Result<()> {
        let (key, text) = assignment.split_once('=').map(|(key, text)| (key.trim(), text.trim())).ok_or_else(|| {
            Error::input(format!("\"{}\": allowed is key=value, as in psgl.gamma=0.2", shorten(assignment)))
        })?;
        let mut table = self.to_table()?;
        let (key, text) = if key == PATH { ("data.name", path_of(text)) } else { (key, text.to_owned()) };
        self.put(&mut table, key, &text).map_err(Error::input)?;
        *self = Self::from_table(table).map_err(Error::input)?;
        match key {
            "model.layers" if zoo::NAMES.contains(&self.model.name.as_str()) => {
                OWN_MODEL.clone_into(&mut self.model.name);
            }
            "model.name" if zoo::NAMES.contains(&self.model.name.as_str()) => self.model.layers = None,
            _ => {}
        }
        Ok(())
    }

    fn put(&self, table: &mut Table, key: &str, text: &str) -> Result<(), String> {
        let listed = |text: &str| {
            text.parse::<Value>().map_err(|e| format!("{} = {}: {}", shorten(key), shorten(text), reason(&e)))
        };
        if key == "schema" {
            // The experiment is of the present schema already, whatever it was read from.
            return schema::check(&listed(text)?);
        }
        if key == "attack" {
            let list = listed(text)?;
            validate::attacks(&list)?;
            table.insert("attack".to_owned(), list);
            return Ok(());
        }
        if key == "defence" {
            let list = listed(text)?;
            validate::defences(&list)?;
            table.insert("defence".to_owned(), list);
            return Ok(());
        }
        let attack = key.strip_prefix("attack.").map(|rest| self.attack_field(rest)).transpose()?;
        let defence = key.strip_prefix("defence.").map(|rest| self.defence_field(rest)).transpose()?;
        let full = attack.map_or(key.to_owned(), |(i, leaf)| format!("attack.{}.{leaf}", self.attacks[i].name()));
        let setting = self.setting(&full).ok_or_else(|| {
            let leaves = validate::leaves(key);
            // A section's name alone is no misspelling.
            if let Some((i, leaf)) = attack.filter(|(_, leaf)| !leaf.is_empty()) {
                let (kind, called) = (self.attacks[i].kind.id, self.attacks[i].name());
                validate::unknown_of_attack(kind, called, leaf, &Value::Boolean(true))
            } else if leaves.is_empty() || key.is_empty() {
                validate::unknown(&full, &Value::Boolean(true))
            } else {
                format!(
                    "{key} is a section: set one of its fields, as in {key}.{}",
                    leaves.split(", ").next().unwrap_or("")
                )
            }
        })?;
        let value = match (setting.kind, text.parse::<Value>()) {
            (Kind::Text | Kind::Choice(_), Ok(Value::String(word))) => Value::String(word),
            (Kind::Text | Kind::Choice(_), _) => Value::String(text.to_owned()),
            (_, Ok(value)) => value,
            (Kind::List { .. } | Kind::Layers, Err(_)) => listed(text)?,
            // TOML wants a digit before the dot; a person at the command line need not know.
            (Kind::Real { .. }, Err(_)) if text.parse::<f64>().is_ok() => {
                text.parse().map_or(Value::Boolean(false), Value::Float)
            }
            (kind, Err(_)) => return Err(format!("{full} = {}: allowed is {}", shorten(text), kind.allowed())),
        };
        validate::field(setting, &value)?;
        let (section, leaf) = setting::split(key);
        let place = match (attack, defence, section) {
            (Some((i, _)), ..) => {
                table.get_mut("attack").and_then(|list| list.get_mut(i)).and_then(Value::as_table_mut)
            }
            (_, Some(i), _) => table.get_mut("defence").and_then(|list| list.get_mut(i)).and_then(Value::as_table_mut),
            (None, None, "") => Some(table),
            (None, None, section) => table.get_mut(section).and_then(Value::as_table_mut),
        };
        place.ok_or_else(|| format!("{full}: no such field"))?.insert(leaf.to_owned(), value);
        Ok(())
    }

    /// `0.images` or `rmle.images`, what comes after `attack.`: which attack and which field. A label may have dots.
    fn attack_field<'a>(&self, rest: &'a str) -> Result<(usize, &'a str), String> {
        let (which, leaf) = rest.rsplit_once('.').unwrap_or((rest, ""));
        let by_name = || self.attacks.iter().position(|attack| attack.name() == which);
        let found = which.parse().ok().filter(|i: &usize| *i < self.attacks.len()).or_else(by_name);
        let names: Vec<&str> = self.attacks.iter().map(AttackSpec::name).collect();
        match found {
            Some(_) if matches!(leaf, "name" | "label") => Err(format!(
                "attack.{}.{leaf} cannot be set; set the list, as in attack=[{{ name = \"rmle\" }}]",
                shorten(which)
            )),
            Some(i) => Ok((i, leaf)),
            None if names.is_empty() => Err(format!("attack.{}: this experiment has no attacks", shorten(rest))),
            None => {
                let near = setting::near(which, names.iter().copied());
                let hint = near.map(|near| format!("; did you mean `attack.{near}`?")).unwrap_or_default();
                let last = names.len() - 1;
                Err(format!(
                    "attack.{}: this experiment has the attacks 0 to {last}: {}{hint}",
                    shorten(rest),
                    names.join(", ")
                ))
            }
        }
    }

    /// `dropout.p`, what comes after `defence.`: which defence of the list.
    fn defence_field(&self, rest: &str) -> Result<usize, String> {
        let (which, _) = rest.rsplit_once('.').unwrap_or((rest, ""));
        let names: Vec<&str> = self.defences.iter().map(DefenceSpec::name).collect();
        names.iter().position(|name| *name == which).ok_or_else(|| {
            let has = if names.is_empty() {
                "this experiment has no defence of the list".to_owned()
            } else {
                format!("this experiment has the defences {}", names.join(", "))
            };
            format!("defence.{}: {has}; set the list, as in defence=[{{ name = \"dropout\" }}]", shorten(rest))
        })
    }

    /// Checks everything that needs no data: every field, fields against each other, and that this build has the
    /// device.
    ///
    /// # Errors
    /// The field, what was found and what is allowed.
    pub fn validate(&self) -> Result<()> {
        validate::fields(&self.to_table()?)
            .and_then(|()| validate::together(self))
            .and_then(|()| validate::device(self.device))
            .map_err(Error::input)
    }

    /// A fingerprint of the whole document: runs with the same one come to the same. A setting that is younger than a
    /// document does not change the document's.
    pub fn hash(&self) -> String {
        // Which device computes is no matter of what is computed: a run may go on where it did not begin.
        let anywhere = Self { device: Device::default(), ..self.clone() };
        let counted = schema::counted(&anywhere.to_toml(), settings());
        blake3::hash(counted.as_bytes()).to_hex().to_string()
    }
}

/// Line, column and reason, short.
fn broken(text: &str, error: &toml::de::Error) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return format!("broken TOML: {}", reason(error));
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    format!("broken TOML in line {line}, column {column}: {}", reason(error))
}

fn reason(error: &toml::de::Error) -> String {
    error.message().trim().replace('\n', "; ").chars().take(200).collect()
}

/// A file's text, if it is a file and text.
fn text_of(path: &Path) -> Result<String, String> {
    let inside = path.join("experiment.toml");
    let hint = if inside.is_file() { "; did you mean the experiment.toml in it?" } else { "" };
    text::of_file(path, "experiment").map_err(|problem| problem + hint)
}
