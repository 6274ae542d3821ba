//! Layers as TOML has them: a bare word or an inline table.

use serde::{Deserialize, Serialize};

use super::LayerSpec;

/// One layer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawLayer {
    Word(String),
    Table(toml::Table),
}

/// Layers that are a word.
pub const WORDS: [&str; 6] = ["relu", "sigmoid", "tanh", "batchnorm", "meanpool", "flatten"];
/// First keys of layers that are a table.
pub const KEYS: [&str; 6] = ["conv", "groupnorm", "maxpool", "avgpool", "linear", "residual"];

impl TryFrom<RawLayer> for LayerSpec {
    type Error = String;

    fn try_from(raw: RawLayer) -> Result<Self, String> {
        match raw {
            RawLayer::Word(word) => Ok(match word.as_str() {
                "relu" => Self::Relu,
                "sigmoid" => Self::Sigmoid,
                "tanh" => Self::Tanh,
                "batchnorm" => Self::BatchNorm,
                "meanpool" => Self::MeanPool,
                "flatten" => Self::Flatten,
                _ => return Err(unknown_layer(&word)),
            }),
            RawLayer::Table(table) => Self::from_table(table),
        }
    }
}

fn unknown_layer(word: &str) -> String {
    let all = WORDS.iter().map(|w| format!("\"{w}\"")).chain(KEYS.iter().map(|k| format!("{{ {k} = … }}")));
    format!("unknown layer \"{word}\"; allowed: {}", all.collect::<Vec<_>>().join(", "))
}

impl LayerSpec {
    fn from_table(mut table: toml::Table) -> Result<Self, String> {
        let kind = KEYS.into_iter().find(|key| table.contains_key(*key));
        let Some(kind) = kind else {
            return Err(unknown_layer(&table.keys().cloned().collect::<Vec<_>>().join(" ")));
        };
        let value = table.remove(kind).expect("the key was just found");
        let layer = match kind {
            "conv" => Self::Conv {
                channels: count(kind, &value)?,
                kernel: table
                    .remove("kernel")
                    .map_or(Err("a conv layer needs `kernel`".to_owned()), |v| count("kernel", &v))?,
                stride: table.remove("stride").map_or(Ok(1), |v| count("stride", &v))?,
                padding: table.remove("padding").map_or(Ok(0), |v| whole("padding", &v))?,
                bias: table.remove("bias").map_or(Ok(true), |v| {
                    v.as_bool().ok_or_else(|| format!("`bias` = {v}: allowed is true or false"))
                })?,
            },
            "groupnorm" => Self::GroupNorm(count(kind, &value)?),
            "maxpool" => Self::MaxPool(count(kind, &value)?),
            "avgpool" => Self::AvgPool(count(kind, &value)?),
            "linear" => Self::Linear(count(kind, &value)?),
            _ => Self::Residual {
                inner: list(kind, value)?,
                project: table.remove("project").map_or(Ok(Vec::new()), |v| list("project", v))?,
            },
        };
        match table.keys().next() {
            Some(extra) => Err(format!("a {kind} layer has no `{extra}`")),
            None => Ok(layer),
        }
    }
}

fn list(key: &str, value: toml::Value) -> Result<Vec<LayerSpec>, String> {
    value.try_into().map_err(|e: toml::de::Error| format!("{key}: {}", e.message()))
}

fn whole(key: &str, value: &toml::Value) -> Result<usize, String> {
    let limit = 65_536;
    match value.as_integer().and_then(|n| usize::try_from(n).ok()) {
        Some(n) if n <= limit => Ok(n),
        _ => Err(format!("`{key}` = {value}: allowed is a whole number up to {limit}")),
    }
}

fn count(key: &str, value: &toml::Value) -> Result<usize, String> {
    match whole(key, value)? {
        0 => Err(format!("`{key}` = 0: must be at least 1")),
        n => Ok(n),
    }
}

impl From<LayerSpec> for RawLayer {
    fn from(layer: LayerSpec) -> Self {
        let number = |n: usize| toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        let table = |key: &str, value: toml::Value| {
            let mut table = toml::Table::new();
            table.insert(key.to_owned(), value);
            table
        };
        match layer {
            LayerSpec::Relu => Self::Word("relu".to_owned()),
            LayerSpec::Sigmoid => Self::Word("sigmoid".to_owned()),
            LayerSpec::Tanh => Self::Word("tanh".to_owned()),
            LayerSpec::BatchNorm => Self::Word("batchnorm".to_owned()),
            LayerSpec::MeanPool => Self::Word("meanpool".to_owned()),
            LayerSpec::Flatten => Self::Word("flatten".to_owned()),
            LayerSpec::GroupNorm(groups) => Self::Table(table("groupnorm", number(groups))),
            LayerSpec::MaxPool(k) => Self::Table(table("maxpool", number(k))),
            LayerSpec::AvgPool(k) => Self::Table(table("avgpool", number(k))),
            LayerSpec::Linear(n) => Self::Table(table("linear", number(n))),
            LayerSpec::Conv { channels, kernel, stride, padding, bias } => {
                let mut conv = table("conv", number(channels));
                for (key, value) in [("kernel", kernel), ("stride", stride), ("padding", padding)] {
                    conv.insert(key.to_owned(), number(value));
                }
                // Left out where it is there, so that documents of before keep their hash.
                if !bias {
                    conv.insert("bias".to_owned(), toml::Value::Boolean(false));
                }
                Self::Table(conv)
            }
            LayerSpec::Residual { inner, project } => {
                let mut block = table("residual", values(inner));
                if !project.is_empty() {
                    block.insert("project".to_owned(), values(project));
                }
                Self::Table(block)
            }
        }
    }
}

fn values(layers: Vec<LayerSpec>) -> toml::Value {
    let value = |layer| match RawLayer::from(layer) {
        RawLayer::Word(word) => toml::Value::String(word),
        RawLayer::Table(table) => toml::Value::Table(table),
    };
    toml::Value::Array(layers.into_iter().map(value).collect())
}
