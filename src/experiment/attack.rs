//! The attacks of the document: `[[attack]]`, each with the settings that its kind has.

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use crate::attack::kind::{Kind, Values};
use crate::error::{Error, Result};
use crate::setting::{near, shorten};
use crate::workbench;

/// One `[[attack]]`; its `name` says which settings it has.
#[derive(Clone, Debug)]
pub struct AttackSpec {
    /// What it is.
    pub kind: &'static Kind,
    /// Test images to reconstruct.
    pub images: usize,
    /// Whether to attack without knowledge of the defence.
    pub naive: bool,
    /// Whether to attack with it.
    pub adaptive: bool,
    /// Epochs after which to attack too, besides the last; 0 is untrained.
    pub early: Vec<usize>,
    /// The kind's own settings.
    pub values: Values,
}

impl AttackSpec {
    /// An attack with its defaults.
    ///
    /// # Errors
    /// An unknown name: lists the known ones and the near one.
    pub fn named(name: &str) -> Result<Self> {
        let unknown = || Error::input(format!("unknown attack \"{}\": {}", shorten(name), known(name)));
        workbench::attack(name).map(Self::of).ok_or_else(unknown)
    }

    /// The same of a kind.
    pub fn of(kind: &'static Kind) -> Self {
        let (images, values) = (kind.images, Values::of(kind.settings));
        Self { kind, images, naive: true, adaptive: true, early: vec![0], values }
    }

    /// Its name in TOML and on the command line.
    pub fn name(&self) -> &'static str {
        self.kind.id
    }

    /// What it is called in a sentence: "attacked by …".
    pub fn title(&self) -> &'static str {
        self.kind.title
    }
}

impl PartialEq for AttackSpec {
    fn eq(&self, other: &Self) -> bool {
        let own = |spec: &Self| (spec.kind.id, spec.images, spec.naive, spec.adaptive, spec.early.clone());
        own(self) == own(other) && self.values == other.values
    }
}

impl Serialize for AttackSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.kind.id)?;
        map.serialize_entry("images", &self.images)?;
        map.serialize_entry("naive", &self.naive)?;
        map.serialize_entry("adaptive", &self.adaptive)?;
        map.serialize_entry("early", &self.early)?;
        for (key, value) in self.values.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AttackSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut table = Table::deserialize(deserializer)?;
        let name = table.remove("name");
        let name = name.as_ref().and_then(Value::as_str).ok_or_else(|| D::Error::missing_field("name"))?;
        let mut spec = Self::named(name).map_err(D::Error::custom)?;
        for (key, value) in table {
            let as_it_should_be = match key.as_str() {
                "images" => value.try_into().map(|images| spec.images = images),
                "naive" => value.try_into().map(|naive| spec.naive = naive),
                "adaptive" => value.try_into().map(|adaptive| spec.adaptive = adaptive),
                "early" => value.try_into().map(|early| spec.early = early),
                own => {
                    spec.values.put(own, value).map_err(D::Error::custom)?;
                    Ok(())
                }
            };
            as_it_should_be.map_err(|e| D::Error::custom(format!("{key}: {}", e.message())))?;
        }
        Ok(spec)
    }
}

/// `allowed is "rmle" or "inverse"; did you mean "rmle"?`
pub(super) fn known(name: &str) -> String {
    let ids = || workbench::attacks().iter().map(|kind| kind.id);
    let all = ids().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(" or ");
    let near = near(name, ids()).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    format!("allowed is {all}{near}")
}
