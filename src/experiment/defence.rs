//! The defences of the document beside `[psgl]`: `[[defence]]`, each with the settings that its kind has.

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use crate::defence::{Kind, Setup};
use crate::error::{Error, Result};
use crate::setting::{Values, near, shorten};
use crate::workbench;

/// One `[[defence]]`; its `name` says which settings it has.
#[derive(Clone, Debug, PartialEq)]
pub struct DefenceSpec(pub Setup);

impl DefenceSpec {
    /// A defence with its defaults.
    ///
    /// # Errors
    /// Returns an error if none of the list has this name; it says which have, and which is near.
    pub fn named(name: &str) -> Result<Self> {
        let unknown = || Error::input(format!("unknown defence \"{}\": {}", shorten(name), known(name)));
        let kind = listed().find(|kind| kind.id == name).ok_or_else(unknown)?;
        Ok(Self(Setup { kind, values: Values::of(kind.settings) }))
    }

    /// Its name in TOML and on the command line.
    pub fn name(&self) -> &'static str {
        self.0.kind.id
    }
}

/// Defences that stand in the list: those without a section of their own.
pub(super) fn listed() -> impl Iterator<Item = &'static Kind> {
    workbench::defences().iter().copied().filter(|kind| kind.section.is_none())
}

/// `allowed is "dropout"; did you mean "dropout"?`
pub(super) fn known(name: &str) -> String {
    if let Some(section) = workbench::defence(name).and_then(|kind| kind.section) {
        return format!("it has a section of its own, [{section}]");
    }
    let all: Vec<String> = listed().map(|kind| format!("\"{}\"", kind.id)).collect();
    let near = near(name, listed().map(|kind| kind.id));
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!("allowed is {}{near}", all.join(" or "))
}

impl Serialize for DefenceSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name())?;
        for (key, value) in self.0.values.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for DefenceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut table = Table::deserialize(deserializer)?;
        let name = table.remove("name");
        let name = name.as_ref().and_then(Value::as_str).ok_or_else(|| D::Error::missing_field("name"))?;
        let mut spec = Self::named(name).map_err(D::Error::custom)?;
        for (key, value) in table {
            spec.0.values.put(&key, value).map_err(D::Error::custom)?;
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn a_defence_of_the_list_is_read_set_written_and_called_by_its_name() {
        let mut experiment =
            Experiment::from_toml("psgl.enabled = false\n[[defence]]\nname = \"dropout\"\np = 0.0\n", "x").unwrap();
        assert!(!experiment.defended(), "of strength 0 it is none");
        experiment.set("defence.dropout.p=0.25").unwrap();
        experiment.validate().unwrap();
        assert_eq!(experiment.stack().unwrap().label(), "dropout");
        assert_eq!(experiment.values()["defence.dropout.p"], Value::Float(0.25));
        assert_eq!(Experiment::from_toml(&experiment.to_toml(), "x").unwrap(), experiment);
        let plans = experiment.split_plans([1, 28, 28], 10).unwrap();
        assert_eq!([&plans[0].name, &plans[1].name], ["dropout", "vanilla"]);
        assert_eq!((plans[0].input(), &plans[0].layers), (plans[1].input(), &plans[1].layers));
        experiment.set("psgl.enabled=true").unwrap();
        assert_eq!(experiment.stack().unwrap().label(), "psgl+dropout");
        assert!(!experiment.undefended().defended());
        experiment.set("defence=[]").unwrap();
        assert_eq!(experiment.stack().unwrap().label(), "psgl");
    }

    #[test]
    fn a_wrong_defence_is_told_by_field_and_what_is_allowed() {
        for (text, says) in [
            ("[[defence]]\nname = \"dropuot\"", "did you mean \"dropout\"?"),
            ("[[defence]]\nname = \"psgl\"", "it has a section of its own, [psgl]"),
            ("[[defence]]\np = 0.5", "defence[0].name is missing"),
            ("[[defence]]\nname = \"dropout\"\np = 2.0", "defence.dropout.p = 2.0: allowed is"),
            ("[[defence]]\nname = \"dropout\"\nq = 0.5", "defence.dropout.q: no such field"),
            ("[[defence]]\nname = \"dropout\"\n[[defence]]\nname = \"dropout\"", "this defence is in the list twice"),
            ("[defence]\nname = \"dropout\"", "allowed is a list, each begun by a line [[defence]]"),
        ] {
            let error = Experiment::from_toml(text, "x").unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        let mut experiment = Experiment::default();
        let error = experiment.set("defence.dropout.p=0.5").unwrap_err().to_string();
        assert!(error.contains("this experiment has no defence of the list"), "{error}");
    }
}
