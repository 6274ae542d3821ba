//! Values of the settings that one attack or defence has of its own.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{Plain, Setting};
use crate::error::{Error, Result};

/// Values of the settings that an attack or a defence has of its own, every one of them, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Vec<(&'static str, Value)>);

impl Values {
    /// The defaults.
    pub fn of(settings: &[Setting]) -> Self {
        let value = |setting: &Setting| setting.default.map_or(Value::Boolean(false), Plain::value);
        Self(settings.iter().map(|setting| (setting.key, value(setting))).collect())
    }

    /// Those of a type that a document holds, whose fields are called as `settings` are.
    ///
    /// # Errors
    /// Returns an error if a field is missing, or if a number is too large for a document.
    pub fn from<T: Serialize>(typed: &T, settings: &[Setting]) -> Result<Self> {
        let mut table = Table::try_from(typed).map_err(|e| Error::input(format!("a number is too large: {e}")))?;
        let take = |s: &Setting| Ok((s.key, table.remove(s.key).ok_or_else(|| lacking(s.key))?));
        settings.iter().map(take).collect::<Result<_>>().map(Self)
    }

    /// The same back again.
    ///
    /// # Errors
    /// Returns an error if they are of another type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let table: Table = self.0.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Value::Table(table).try_into().map_err(|e| Error::Internal(format!("settings: {}", e.message())))
    }

    /// All, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    /// Changes one.
    ///
    /// # Errors
    /// Returns an error if there is none of this key.
    pub fn put(&mut self, key: &str, value: Value) -> Result<()> {
        let place = self.0.iter_mut().find(|(own, _)| *own == key).ok_or_else(|| lacking(key))?;
        place.1 = match (&place.1, value) {
            // A whole number is a number too, and is kept as one.
            (Value::Float(_), Value::Integer(n)) => Value::Float(n as f64),
            (_, value) => value,
        };
        Ok(())
    }

    fn get<T>(&self, key: &str, of: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let found = self.0.iter().find(|(own, _)| *own == key).and_then(|(_, value)| of(value));
        found.ok_or_else(|| lacking(key))
    }

    /// A whole number.
    ///
    /// # Errors
    /// Returns an error if there is no whole number of this key.
    pub fn whole(&self, key: &str) -> Result<usize> {
        self.get(key, |value| usize::try_from(value.as_integer()?).ok())
    }

    /// A number.
    ///
    /// # Errors
    /// Returns an error if there is no number of this key.
    pub fn real(&self, key: &str) -> Result<f64> {
        self.get(key, Value::as_float)
    }

    /// A number, whole or not.
    ///
    /// # Errors
    /// Returns an error if there is no number of this key.
    pub fn number(&self, key: &str) -> Result<f64> {
        self.get(key, |value| value.as_float().or_else(|| Some(value.as_integer()? as f64)))
    }

    /// True or false.
    ///
    /// # Errors
    /// Returns an error if there is no switch of this key.
    pub fn switch(&self, key: &str) -> Result<bool> {
        self.get(key, Value::as_bool)
    }

    /// A word.
    ///
    /// # Errors
    /// Returns an error if there is no word of this key.
    pub fn word(&self, key: &str) -> Result<String> {
        self.get(key, |value| value.as_str().map(str::to_owned))
    }
}

fn lacking(key: &str) -> Error {
    Error::Internal(format!("there is no setting \"{key}\" of this type"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{log, whole};

    #[test]
    fn values_are_typed_and_a_wrong_key_is_no_panic() {
        let settings = [
            Setting::new("rate", "", "", log(1e-7, 1.0), "").default(Plain::Real(0.1)),
            Setting::new("iterations", "", "", whole(1, 1000), "").default(Plain::Whole(500)),
        ];
        let mut values = Values::of(&settings);
        values.put("rate", Value::Integer(1)).unwrap();
        assert_eq!((values.real("rate").unwrap(), values.whole("iterations").unwrap()), (1.0, 500));
        assert!(values.whole("rate").is_err() && values.real("rates").is_err());
        assert!(values.put("rates", Value::Integer(1)).is_err());
    }
}
