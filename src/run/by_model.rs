//! A value of each model of a run, by the model's name.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::split::UNDEFENDED;

/// Values by model, in the order in which a document has them; none for a model that was not trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ByModel<T>(Vec<(String, Option<T>)>);

impl<T> Default for ByModel<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> ByModel<T> {
    /// These, in this order.
    pub fn new(values: impl IntoIterator<Item = (String, Option<T>)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Those that there are, with their models' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, T)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), (*value)?)))
    }

    /// That of the defended model.
    pub fn defended(&self) -> Option<T> {
        self.0.iter().find(|(name, _)| name != UNDEFENDED)?.1
    }

    /// That of the undefended model.
    pub fn undefended(&self) -> Option<T> {
        self.0.iter().find(|(name, _)| name == UNDEFENDED)?.1
    }
}

impl<T: Serialize> Serialize for ByModel<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByModel<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = ByModel<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value for each model")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ByModel<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(ByModel(all))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_order_and_finds_the_undefended_model() {
        let all = ByModel::new([("vanilla".to_owned(), Some(0.5)), ("dropout".to_owned(), None)]);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(text, "{\"vanilla\":0.5,\"dropout\":null}");
        assert_eq!(serde_json::from_str::<ByModel<f64>>(&text).unwrap(), all);
        assert_eq!((all.undefended(), all.defended()), (Some(0.5), None));
    }
}
